package pipeline

import (
	"runtime"
	"syscall"
	"time"
)

const (
	// busyPauses bounds what a projection takes of the only processor while
	// redirects want all of it: a fortieth.
	busyPauses = 39
	// leastPause is long enough to see who uses the processor meanwhile.
	leastPause = time.Millisecond
	// idleShare is what others may use of a processor that has room, in
	// hundredths: another projection that works half of the time, and more.
	idleShare = 75
)

// giveWay leaves the only processor to the redirects after a projection has
// worked: people wait for those. It pauses as long as the projection worked, and
// goes on pausing while others use the processor up, for thirty-nine times as
// long at most. So a projection takes half of a processor that is idle and a fortieth of one
// that is not. With more processors the scheduler finds room by itself. sleep
// is cut short, and returns false, when the projection is wanted.
func giveWay(worked time.Duration, sleep func(time.Duration) bool) {
	if runtime.GOMAXPROCS(0) > 1 {
		return
	}
	pauseWhileBusy(worked, func(d time.Duration) (busy, ok bool) {
		began, used := time.Now(), processorTime()
		ok = sleep(d)
		return (processorTime()-used)*100 > time.Since(began)*idleShare, ok
	})
}

// pauseWhileBusy pauses until a pause was not busy or was cut short.
func pauseWhileBusy(worked time.Duration, pause func(time.Duration) (busy, ok bool)) {
	for left := busyPauses * worked; left > 0; {
		d := min(max(worked, leastPause), left)
		if busy, ok := pause(d); !busy || !ok {
			return
		}
		left -= d
	}
}

// processorTime is what the process has used of its processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // it never fails for RUSAGE_SELF; without it every processor seems idle
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package pipeline

import (
	"runtime"
	"time"
)

const (
	// busyPauses bounds what a projection takes of the only processor while
	// redirects want all of it: a fortieth.
	busyPauses = 39
	// naps are how often a pause looks whether others wait for the processor.
	naps = 8
	// leastNap keeps a projection that hardly worked from looking all the time.
	leastNap = time.Millisecond
	// longWait is what nobody waits for a processor that has room: what is
	// ahead of him are a few redirects of some ten microseconds each.
	longWait = 100 * time.Microsecond
)

// giveWay leaves the only processor to the redirects after a projection has
// worked: people wait for those. It pauses as long as the projection worked, and
// goes on pausing while there is a queue for the processor, for thirty-nine
// times as long at most. So a projection takes half of a processor that has
// room and a fortieth of one that has none. With more processors the scheduler
// finds room by itself. sleep is cut short, and returns false, when the
// projection is wanted.
func giveWay(worked time.Duration, sleep func(time.Duration) bool) {
	if runtime.GOMAXPROCS(0) > 1 {
		return
	}
	pauseWhileBusy(worked, func(d time.Duration) (queued time.Duration, ok bool) {
		if !sleep(d) {
			return 0, false
		}
		began := time.Now()
		runtime.Gosched() // to the end of the queue
		return time.Since(began), true
	})
}

// pauseWhileBusy pauses until nap, which sleeps and tells how long the queue
// was, has seldom found a long one, or was cut short. Redirects that wait for one
// batch of the ledger come in waves, so that a busy processor has no queue now
// and then.
func pauseWhileBusy(worked time.Duration, nap func(time.Duration) (queued time.Duration, ok bool)) {
	each := max(worked/naps, leastNap)
	for left := busyPauses * worked; left > 0; {
		long := 0
		for range naps {
			queued, ok := nap(each)
			if !ok {
				return
			}
			if queued >= longWait {
				long++
			}
			left -= each
		}
		if long <= naps/4 {
			return
		}
	}
}

package pipeline

import (
	"testing"
	"time"
)

func TestPauseWhileBusy(t *testing.T) {
	t.Parallel()
	const worked = 10 * time.Millisecond
	f := func(name string, worked time.Duration, busyFor, cutAt int, pauses int, total time.Duration) {
		t.Helper()
		n, slept := 0, time.Duration(0)
		pauseWhileBusy(worked, func(d time.Duration) (busy, ok bool) {
			n++
			slept += d
			return n <= busyFor, n != cutAt
		})
		if n != pauses || slept != total {
			t.Errorf("%s: %d pauses, %s in all; want %d, %s", name, n, slept, pauses, total)
		}
	}
	f("idle", worked, 0, 0, 1, worked)
	f("busy for a while", worked, 3, 0, 4, 4*worked)
	f("always busy", worked, 1000, 0, busyPauses, busyPauses*worked)
	f("wanted", worked, 1000, 2, 2, 2*worked)
	f("hardly worked", leastPause/10, 1000, 0, 4, busyPauses*leastPause/10)
	f("did not work", 0, 1000, 0, 0, 0)
}

func TestProcessorTimeGrows(t *testing.T) {
	t.Parallel()
	before := processorTime()
	for deadline := time.Now().Add(time.Minute); processorTime()-before < time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatalf("a minute of work took %s of the processors", processorTime()-before)
		}
	}
}

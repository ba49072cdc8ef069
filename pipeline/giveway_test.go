package pipeline

import (
	"testing"
	"time"
)

func TestPauseWhileBusy(t *testing.T) {
	t.Parallel()
	const worked = 16 * time.Millisecond
	f := func(name string, worked time.Duration, queue func(n int) time.Duration, cutAt int, wantNaps int, total time.Duration) {
		t.Helper()
		n, slept := 0, time.Duration(0)
		pauseWhileBusy(worked, func(d time.Duration) (time.Duration, bool) {
			n++
			slept += d
			return queue(n), n != cutAt
		})
		if n != wantNaps || slept != total {
			t.Errorf("%s: %d naps, %s in all; want %d, %s", name, n, slept, wantNaps, total)
		}
	}
	empty := func(int) time.Duration { return longWait - 1 }
	long := func(int) time.Duration { return longWait }
	oneIn := func(k int) func(int) time.Duration {
		return func(n int) time.Duration {
			if n%k == 0 {
				return longWait
			}
			return 0
		}
	}
	forAWhile := func(n int) time.Duration {
		if n <= 3*naps {
			return longWait
		}
		return 0
	}
	f("room", worked, empty, 0, naps, worked)
	f("seldom a queue", worked, oneIn(4), 0, naps, worked)
	f("often a queue", worked, oneIn(2), 0, busyPauses*naps, busyPauses*worked)
	f("a queue for a while", worked, forAWhile, 0, 4*naps, 4*worked)
	f("always a queue", worked, long, 0, busyPauses*naps, busyPauses*worked)
	f("wanted", worked, long, 3, 3, 3*worked/naps)
	f("hardly worked", leastNap/2, long, 0, 3*naps, 3*naps*leastNap)
	f("did not work", 0, long, 0, 0, 0)
}

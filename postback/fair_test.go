package postback

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waypost/attribution/history"
)

// books keep when each host was asked.
type books struct {
	mu sync.Mutex
	at map[string][]time.Time
}

func watch(n *internet) *books {
	f, answer := &books{at: map[string][]time.Time{}}, n.answer
	n.answer = func(d history.Delivery) Answer { // at the end of what an attempt takes
		f.mu.Lock()
		defer f.mu.Unlock()
		f.at[hostOf(d.URL)] = append(f.at[hostOf(d.URL)], time.Now().Add(-n.takes))
		return answer(d)
	}
	return f
}

func (f *books) asked(host string) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at[host]
}

// What waits for slow hosts, and is older, holds up nobody else's while there
// are slots: not behind one host, nor behind as many as could take every slot.
func TestSlowHostsHoldUpNobody(t *testing.T) {
	for _, c := range []struct{ hosts, each int }{{1, 10_000}, {8, 500}, {30, 200}} {
		t.Run(fmt.Sprintf("%d of %d", c.hosts, c.each), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o, n := newOutbox(), newInternet(always(200), 9*time.Second)
				f := watch(n)
				start := time.Now()
				for i := range c.hosts {
					for _, d := range many(c.each, fmt.Sprintf("slow-%02d.test", i)) {
						d.DueAt = start.Add(-time.Hour)
						o.add(d)
					}
				}
				o.add(due("good", "good.test", 0))
				r, stop := run(t, o, n)
				defer stop()
				pass(time.Second)
				o.add(due("late", "late.test", 0))
				r.Wake()
				synctest.Wait()
				if held := r.Counters().Waiting; held > int64(c.hosts*(mostQueued+mostPerHost)+2) {
					t.Errorf("%d are in memory", held)
				}
				pass(time.Minute)
				for host, want := range map[string]time.Duration{"good.test": 0, "late.test": time.Second} {
					if got := f.asked(host); len(got) != 1 || got[0].Sub(start) != want {
						t.Errorf("%s was asked at %v, want %s after %s", host, got, want, start)
					}
				}
				if byHost, all := n.atOnce(); byHost["slow-00.test"] > mostPerHost || all > mostAtOnce {
					t.Errorf("%v at once, together %d", byHost, all)
				}
				if since, err := r.Overdue(t.Context(), time.Now()); err != nil || !since.IsZero() {
					t.Errorf("overdue since %s (%v), though it is the hosts that are busy", since, err)
				}
			})
		})
	}
}

func TestOverdue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o, n := newOutbox(many(3, "x.test")...), newInternet(always(200), 0)
		start := time.Now()
		r := NewRunner(Config{Store: o, Send: n.send})
		if since, err := r.Overdue(t.Context(), start.Add(time.Minute)); err != nil || !since.Equal(start) {
			t.Errorf("overdue since %s (%v), want %s", since, err, start)
		}
		if since, err := r.Overdue(t.Context(), start.Add(-time.Minute)); err != nil || !since.IsZero() {
			t.Errorf("overdue since %s (%v) before it is due", since, err)
		}
	})
}

// A host that was down for a second is asked again when its rest is over, and
// then has everything.
func TestProbeComesWhenTheRestIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o, n := newOutbox(many(1000, "x.test")...), newInternet(nil, 0)
		start := time.Now()
		n.answer = func(history.Delivery) Answer {
			if time.Since(start) < time.Second {
				return Answer{Text: "connection refused"}
			}
			return Answer{Code: 200}
		}
		f := watch(n)
		_, stop := run(t, o, n)
		defer stop()
		pass(firstRest - time.Millisecond)
		asked := len(f.asked("x.test"))
		if asked < trips || asked >= trips+mostPerHost {
			t.Errorf("it was asked %d times", asked)
		}
		pass(3 * time.Second)
		if got := f.asked("x.test"); len(got) == asked || got[asked].Sub(start) != firstRest {
			t.Errorf("the probe did not come when the rest was over: %v", got[asked:])
		}
		if got := o.in(history.Delivered); got <= 1000-trips-mostPerHost {
			t.Errorf("%d are delivered after the probe", got)
		}
	})
}

// What is retried by hand while an attempt is under way is sent again at once
// when that has ended; a retry of what waits in memory is that attempt.
func TestRetryDuringAttempt(t *testing.T) {
	for _, code := range []int{200, 410, 408} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o, n := newOutbox(many(mostPerHost+1, "x.test")...), newInternet(nil, 4*time.Second)
				start := time.Now()
				n.answer = func(history.Delivery) Answer {
					if time.Since(start) < 5*time.Second {
						return Answer{Code: code}
					}
					return Answer{Code: 200}
				}
				r, stop := run(t, o, n)
				defer stop()
				pass(time.Second)
				for _, key := range []string{"x.test-00000", fmt.Sprintf("x.test-%05d", mostPerHost)} { // under way, and queued
					d := o.get(key)
					d.DueAt = time.Now()
					o.add(d)
				}
				r.Wake()
				pass(20 * time.Second)
				if got := o.recorded("x.test-00000"); len(got) != 2 || got[1].Sub(start) != 8*time.Second {
					t.Errorf("attempts ended at %v, want two, the second after 8 s", got)
				}
				if d := o.get("x.test-00000"); d.Status != history.Delivered || !d.DueAt.IsZero() {
					t.Errorf("%+v", d)
				}
				if got := n.sentTo(fmt.Sprintf("x.test-%05d", mostPerHost)); got != 1 {
					t.Errorf("the queued one was sent %d times", got)
				}
				if c := r.Counters(); code == 410 && c.GivenUp != mostPerHost-1 {
					t.Errorf("counters %+v: what is retried is not given up", c)
				}
			})
		})
	}
}

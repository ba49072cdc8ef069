package postback

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waypost/attribution/history"
)

// pass lets time pass inside of a bubble, and everybody come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestRunnerDelivers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o, n := newOutbox(due("a", "x.test", 0), due("b", "y.test", 0)), newInternet(always(200), time.Second)
		r, stop := run(t, o, n)
		defer stop()
		pass(2 * time.Second)
		for _, key := range []string{"a", "b"} {
			if d := o.get(key); d.Status != history.Delivered || d.Attempts != 1 || d.Code != 200 || !d.DueAt.IsZero() {
				t.Errorf("%+v", d)
			}
		}
		if got := r.Counters(); got != (Counters{Delivered: 2}) {
			t.Errorf("counters %+v", got)
		}
	})
}

// What fails is tried at 0, 1, 5, 15, 30, 60 minutes, 6 and 24 hours, to the second.
func TestRunnerKeepsTheSchedule(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		o, n := newOutbox(due("a", "x.test", 0)), newInternet(always(504), 0)
		r, stop := run(t, o, n)
		defer stop()
		pass(48 * time.Hour)
		want := []time.Duration{0, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}
		got := o.recorded("a")
		for i := range want {
			if len(got) != len(want) || got[i].Sub(start) < want[i] || got[i].Sub(start) > want[i]+time.Second {
				t.Fatalf("attempts at %v", got)
			}
		}
		if d := o.get("a"); d.Status != history.GivenUp || d.Attempts != 8 {
			t.Errorf("%+v", d)
		}
		if c := r.Counters(); c != (Counters{Failed: 8, GivenUp: 1}) {
			t.Errorf("counters %+v", c)
		}
	})
}

// Retries that a breaker does not touch come on the second.
func TestRunnerWakesWhenDue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		o, n := newOutbox(due("later", "x.test", 10*time.Second), due("much-later", "y.test", 3*time.Minute+time.Second)), newInternet(always(200), 0)
		o.add(due("retry", "z.test", 0))
		answers := []int{500, 500, 200}
		n.answer = func(d history.Delivery) Answer {
			if d.Key == "retry" {
				return Answer{Code: answers[d.Attempts]}
			}
			return Answer{Code: 200}
		}
		_, stop := run(t, o, n)
		defer stop()
		pass(10 * time.Minute)
		for key, want := range map[string][]time.Duration{
			"later": {10 * time.Second}, "much-later": {3*time.Minute + time.Second}, "retry": {0, time.Minute, 5 * time.Minute},
		} {
			got := o.recorded(key)
			for i := range want {
				if len(got) != len(want) || got[i].Sub(start) != want[i] {
					t.Fatalf("%s: attempts at %v, want %v after %v", key, got, want, start)
				}
			}
		}
		if o.reads > 25 {
			t.Errorf("%d reads of the outbox in 10 minutes", o.reads)
		}
	})
}

func TestRunnerIsWoken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o, n := newOutbox(), newInternet(always(200), 0)
		r, stop := run(t, o, n)
		defer stop()
		synctest.Wait()
		o.add(due("a", "x.test", 0))
		synctest.Wait()
		if n.sentTo("a") != 0 {
			t.Fatal("it was sent before anybody spoke of it")
		}
		r.Wake()
		r.Wake()
		synctest.Wait()
		if n.sentTo("a") != 1 {
			t.Error("it was not sent when the runner was woken")
		}
	})
}

// The outbox is read again and again while an attempt is under way.
func TestOneAttemptAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o, n := newOutbox(many(40, "x.test")...), newInternet(always(200), 9*time.Second)
		r, stop := run(t, o, n)
		defer stop()
		for range 100 {
			r.Wake()
			pass(time.Second)
		}
		if n.twice {
			t.Error("a delivery had two attempts at once")
		}
		if o.in(history.Delivered) != 40 {
			t.Errorf("%d delivered", o.in(history.Delivered))
		}
		for key, sent := range n.sent {
			if sent != 1 {
				t.Errorf("%s was sent %d times", key, sent)
			}
		}
	})
}

// A slow host with a long backlog does not hold up the others, and no host is flooded.
func TestLimits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		o, n := newOutbox(many(2000, "slow.test")...), newInternet(always(200), 10*time.Second)
		o.add(many(20, "z-quick.test")...)
		for i := range 30 {
			o.add(many(20, string(rune('a'+i%26))+string(rune('a'+i/26))+".test")...)
		}
		_, stop := run(t, o, n)
		defer stop()
		pass(5 * time.Minute)
		if got := o.get("z-quick.test-00019"); got.Status != history.Delivered || o.recorded(got.Key)[0].Sub(start) > 3*time.Minute {
			t.Errorf("the other host waited: %+v", got)
		}
		byHost, all := n.atOnce()
		for host, most := range byHost {
			if most > mostPerHost {
				t.Errorf("%s had %d at once", host, most)
			}
		}
		if all > mostAtOnce || all < mostAtOnce/2 {
			t.Errorf("%d at once", all)
		}
		pass(2 * time.Hour)
		if left := o.in(history.Waiting); left != 0 || n.twice {
			t.Errorf("%d are left, twice at once %v", left, n.twice)
		}
	})
}

// One host that answers at once has thousands within seconds, not a few every
// quarter of a minute; and each delivery is written down once.
func TestBacklogOfOneQuickHost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const backlog = 5000
		o, n := newOutbox(many(backlog, "quick.test")...), newInternet(always(200), 10*time.Millisecond)
		_, stop := run(t, o, n)
		defer stop()
		pass(backlog / mostPerHost * 10 * time.Millisecond * 5 / 4)
		if got := o.in(history.Delivered); got != backlog || n.twice {
			t.Errorf("%d of %d are delivered; twice at once: %v", got, backlog, n.twice)
		}
	})
}

// A host that is down is left alone, its deliveries lose no attempts, and
// everything arrives when it is back.
func TestBreaker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o, n := newOutbox(many(500, "down.test")...), newInternet(nil, 0)
		o.add(many(5, "up.test")...)
		var back atomic.Bool
		n.answer = func(d history.Delivery) Answer {
			if hostOf(d.URL) == "down.test" && !back.Load() {
				return Answer{Text: "connection refused"}
			}
			return Answer{Code: 200}
		}
		_, stop := run(t, o, n)
		defer stop()
		pass(10 * time.Second)
		if o.in(history.Delivered) != 5 {
			t.Errorf("%d delivered to the host that works", o.in(history.Delivered))
		}
		pass(time.Hour)
		sent := 0
		n.mu.Lock()
		for key, times := range n.sent {
			if key[0] == 'd' {
				sent += times
			}
		}
		back.Store(true)
		n.mu.Unlock()
		if sent < trips || sent > trips+mostPerHost+15 {
			t.Errorf("a host that is down was asked %d times in an hour", sent)
		}
		pass(time.Hour)
		if got := o.in(history.Delivered); got < 495 {
			t.Errorf("%d delivered an hour after the host was back", got)
		}
		if got := o.in(history.GivenUp); got != 0 {
			t.Errorf("%d given up", got)
		}
	})
}

func TestStoreThatFailsForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const backlog = 400 // more than is sent within the half minute
		o, n := newOutbox(many(backlog, "x.test")...), newInternet(always(200), time.Second)
		o.fail(true)
		r, stop := run(t, o, n)
		defer stop()
		pass(10 * time.Minute)
		if len(n.sent) != 0 || o.reads > 40 {
			t.Errorf("%d sent, %d reads while nothing could be read", len(n.sent), o.reads)
		}
		o.fail(false)
		pass(lastPause + 1500*time.Millisecond)
		o.fail(true) // now attempts are under way that cannot be recorded
		pass(10 * time.Minute)
		n.mu.Lock()
		if got := len(n.sent); got == 0 || got == backlog {
			t.Errorf("%d sent; what cannot be recorded should not be sent", got)
		}
		n.mu.Unlock()
		o.fail(false)
		pass(5 * time.Minute)
		if got := o.in(history.Delivered); got != backlog || r.Counters().Delivered != backlog {
			t.Errorf("%d delivered, counters %+v", got, r.Counters())
		}
		for key, sent := range n.sent {
			if sent != 1 {
				t.Errorf("%s was sent %d times", key, sent)
			}
		}
	})
}

// Attempts that can end within the grace are recorded; others are due as they were.
func TestShutdown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for takes, want := range map[time.Duration]history.DeliveryStatus{3 * time.Second: history.Delivered, time.Hour: history.Waiting} {
			o, n := newOutbox(many(10, "x.test")...), newInternet(always(200), takes)
			_, stop := run(t, o, n)
			pass(time.Second)
			began := time.Now()
			stop()
			if took := time.Since(began); took > drainTime+saveTime {
				t.Errorf("the end took %s", took)
			}
			d := o.get("x.test-00000")
			if d.Status != want || want == history.Waiting && (d.Attempts != 0 || d.DueAt.IsZero()) {
				t.Errorf("attempts of %s: %+v", takes, d)
			}
			if d := o.get("x.test-00009"); d.Status != history.Waiting || n.sentTo(d.Key) != 0 {
				t.Errorf("sent after the stop: %+v", d)
			}
		}
	})
}

func TestShutdownWithoutStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o, n := newOutbox(due("a", "x.test", 0)), newInternet(always(200), time.Second)
		_, stop := run(t, o, n)
		synctest.Wait()
		o.fail(true)
		pass(5 * time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end took %s", took)
		}
		if d := o.get("a"); d.Status != history.Waiting || d.Attempts != 0 {
			t.Errorf("%+v", d)
		}
	})
}

func TestPostbackThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := due("a", "x.test", 0)
		d.Postback = "gone"
		o, n := newOutbox(d), newInternet(always(200), 0)
		_, stop := run(t, o, n)
		defer stop()
		synctest.Wait()
		if d := o.get("a"); d.Status != history.GivenUp || d.Answer == "" {
			t.Errorf("%+v", d)
		}
	})
}

// A delivery that was deleted while it was sent does not keep its place for ever.
func TestDeliveryThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o, n := newOutbox(due("a", "x.test", 0)), newInternet(always(200), time.Second)
		r, stop := run(t, o, n)
		defer stop()
		synctest.Wait()
		o.mu.Lock()
		delete(o.rows, "a")
		o.mu.Unlock()
		pass(time.Minute)
		if c := r.Counters(); c.Waiting != 0 || n.sentTo("a") != 1 {
			t.Errorf("counters %+v, sent %d times", c, n.sentTo("a"))
		}
	})
}

func TestBreakerRests(t *testing.T) {
	t.Parallel()
	b, now := &breaker{}, noon
	for i := range trips {
		if b.resting(now) || b.room(8) != 8 {
			t.Fatalf("it rests after %d failures", i)
		}
		b.fail(now)
	}
	b.fail(now) // was under way
	for _, rest := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if !b.resting(now.Add(rest-time.Second)) || b.resting(now.Add(rest)) {
			t.Fatalf("it rests until %s, want %s", b.until, rest)
		}
		if b.room(8) != 1 {
			t.Error("more than a probe")
		}
		now = now.Add(rest)
		b.fail(now)
	}
}

package pipeline

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"waypost/event"
	"waypost/report"
)

// TestCountsEqualTheLedger counts random histories in steps of random size and
// compares with a recount by hand, cell by cell and by sums.
func TestCountsEqualTheLedger(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.counter()
			for range 6 {
				w.click(1 + w.random.IntN(120))
				for range w.random.IntN(8) {
					c.stepEvents = 1 + w.random.IntN(40)
					_, _, err := c.step(t.Context())
					w.ok(err)
				}
			}
			w.ok(c.CatchUp(t.Context()))
			w.exact(w.clicks)
			w.sums()
			if p := c.Progress(); p.Events != int64(len(w.clicks)) || p.Skipped != 0 || p.Failed != 0 || p.Reached != w.state().Last {
				t.Errorf("progress %+v after %d clicks", p, len(w.clicks))
			}
			if r := w.proven(c); r.Events != len(w.clicks) || r.Cells != len(naive(w.clicks)) || r.From != 1 {
				t.Errorf("report %+v after %d clicks", r, len(w.clicks))
			}
		})
	}
}

// sums asks the store for sums by each dimension and compares.
func (w *world) sums() {
	w.Helper()
	for account := range 3 {
		for _, d := range report.Dimensions() {
			want := report.Counts{}
			for k, n := range naive(w.clicks) {
				if k.Account == w.clicks[account].Account {
					want[only(d, k)] += n
				}
			}
			rows, err := w.store.SumCounts(w.Context(), report.Query{Account: w.clicks[account].Account, From: -1 << 30, GroupBy: []report.Dimension{d}})
			w.ok(err)
			got := report.Counts{}
			for _, row := range rows {
				got[row.Key] += row.Count
			}
			if diff := differences(got, want); len(diff) > 0 {
				w.Errorf("sums by %s differ: %+v", d, diff)
			}
		}
	}
}

// only returns a key with nothing but one dimension.
func only(d report.Dimension, k report.Key) (one report.Key) {
	switch d {
	case report.ByTemplate:
		one.Template = k.Template
	case report.ByLink:
		one.Link = k.Link
	case report.ByRoute:
		one.Route = k.Route
	case report.ByDay:
		one.Day = k.Day
	case report.ByPlatform:
		one.Platform = k.Platform
	case report.ByCountry:
		one.Country = k.Country
	case report.ByMetric:
		one.Metric = k.Metric
	}
	return one
}

// TestExactlyOnce lets commits fail, kept and not kept, and goes on with the
// same counter or with a new one.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	for _, again := range []string{"the same counter", "a new counter", "everything opened again"} {
		t.Run(again, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			random := func(context.Context, string) outcome { return outcome(w.random.IntN(3)) }
			failures := 0
			w.click(20)
			for c := w.counter(failing(random)); len(w.clicks) < 400; {
				c.stepEvents = 1 + w.random.IntN(30)
				if _, _, err := c.step(t.Context()); err == nil {
					w.click(w.random.IntN(12))
					continue
				}
				failures++
				switch again {
				case "everything opened again":
					w.reopen()
					fallthrough
				case "a new counter":
					c = w.counter(failing(random))
				}
			}
			c := w.counter()
			w.ok(c.CatchUp(t.Context()))
			w.exact(w.clicks)
			w.proven(c)
			if failures < 5 {
				t.Errorf("only %d steps failed", failures)
			}
		})
	}
}

// TestStoppedAnywhere cancels a running counter before or after any of its
// commits, opens everything again, and goes on.
func TestStoppedAnywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for round := range 8 {
		w.click(60)
		ctx, cancel := context.WithCancel(t.Context())
		before := w.random.IntN(5)
		c := w.counter(failing(func(context.Context, string) outcome {
			if before--; before > 0 {
				return kept
			}
			cancel()
			return outcome(round % 3)
		}))
		c.stepEvents = 1 + w.random.IntN(20)
		c.Run(ctx)
		w.reopen()
	}
	c := w.counter()
	w.ok(c.CatchUp(t.Context()))
	w.exact(w.clicks)
	w.proven(c)
}

// TestTwoCounters: two processes at one store, by mistake or in a change of
// versions, count everything once between them.
func TestTwoCounters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(300)
	var running sync.WaitGroup
	for range 2 {
		c := w.counter()
		c.stepEvents = 7
		running.Go(func() {
			for c.Progress().Reached < w.state().Last {
				_, _, _ = c.step(t.Context()) // one of them is refused
			}
		})
	}
	running.Wait()
	w.exact(w.clicks)
}

// running is Run in a goroutine; the function it returns ends it.
func running(t testing.TB, c *Counter) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	return func() {
		t.Helper()
		cancel()
		select {
		case <-done:
		case <-time.After(2 * time.Minute):
			t.Fatal("Run goes on after its context has ended")
		}
	}
}

// until waits for what Progress tells.
func until(t testing.TB, c *Counter, reached func(Progress) bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(2 * time.Minute); !reached(c.Progress()); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("progress stays at %+v", c.Progress())
		}
	}
}

// TestRunSurvivesAStoreThatFails counts on when the store is back, and says
// once what is wrong and once that it is over.
func TestRunSurvivesAStoreThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(50)
	c := w.counter(planned("step", failedNotKept, failedNotKept, failedButKept))
	stop := running(t, c)
	until(t, c, func(p Progress) bool { return p.Reached == w.state().Last })
	w.click(50)
	until(t, c, func(p Progress) bool { return p.Reached == w.state().Last })
	stop()
	w.exact(w.clicks)
	if p := c.Progress(); p.Failed != 3 {
		t.Errorf("%d failures, want 3", p.Failed)
	}
	if said, over := w.log.count("counting stands still"), w.log.count("counting goes on"); said != 1 || over != 1 {
		t.Errorf("said %d times that it stands still, %d times that it goes on", said, over)
	}
}

// TestRunEnds while it waits for events, for a commit, and after a failure.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	f := func(name string, clicks int, decide func(ctx context.Context, at chan<- bool) outcome) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.click(clicks)
			at := make(chan bool, 1)
			stop := running(t, w.counter(failing(func(ctx context.Context, _ string) outcome { return decide(ctx, at) })))
			if clicks > 0 {
				<-at
			}
			stop()
		})
	}
	tell := func(at chan<- bool) {
		select {
		case at <- true:
		default:
		}
	}
	f("waiting for events", 0, nil)
	f("in a commit that hangs", 1, func(ctx context.Context, at chan<- bool) outcome {
		tell(at)
		<-ctx.Done()
		return failedNotKept
	})
	f("after a failure", 1, func(_ context.Context, at chan<- bool) outcome {
		tell(at)
		return failedNotKept
	})
}

// TestForeignLines are skipped by counting and by Verify alike, and told.
func TestForeignLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	odd := []string{
		`{"v":1,"type":"install","id":"1","at":1763640000123,"account":1}`, // of a later version
		`{"v":2,"type":"click","id":"1","at":1763640000123,"account":1}`,
		`{"v":1,"type":"click","id":"1","at":1763640000123}`,
		`{"v":1,"type":"click","id":"1","at":1763640000123,"account":1,"platform":"fridge"}`,
		`{"v":1,"type":"click","id":"1","at":1763640000123,"account":1`, "nothing at all", "{}", "null", "\x00\xff",
	}
	for _, line := range odd {
		w.click(w.random.IntN(3))
		w.ok(w.ledger.Append([]byte(line)))
	}
	// A known event in a form that this program would not write is counted.
	w.ok(w.ledger.Append([]byte(` {"type":"click","v":1,"future":{"a":[1]},"account":1,"at":1763640000123,"id":"5","route":"w\u0065b"}`)))
	w.clicks = append(w.clicks, event.Click{Account: 1, At: 1763640000123, Route: "web"})
	c := w.counter()
	c.stepEvents = 5
	w.ok(c.CatchUp(t.Context()))
	w.exact(w.clicks)
	if p := c.Progress(); p.Skipped != int64(len(odd)) || p.Events != int64(len(w.clicks)+len(odd)) {
		t.Errorf("progress %+v, want %d lines skipped", p, len(odd))
	}
	if r := w.proven(c); r.Skipped != len(odd) || r.Events != len(w.clicks)+len(odd) {
		t.Errorf("report %+v, want %d lines skipped", r, len(odd))
	}
	if n := w.log.count("no event this version knows"); n != 1 {
		t.Errorf("told %d times, want once", n)
	}
}

// TestVerifyWhileCounting: a Verify beside Run and producers never finds a
// difference, and sees all that was appended before it.
func TestVerifyWhileCounting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.counter(func(cfg *Config) { cfg.MaxBytes = 20_000 })
	c.stepEvents = 50
	stop := running(t, c)
	var appended atomic.Int64
	var producing sync.WaitGroup
	var mu sync.Mutex
	for range 4 {
		producing.Go(func() {
			for range 300 {
				mu.Lock()
				click := w.clickSomehow()
				mu.Unlock()
				if err := w.ledger.Append(click.AppendJSON(nil)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				w.clicks = append(w.clicks, click)
				mu.Unlock()
				appended.Add(1)
			}
		})
	}
	verifies := 0
	for ended := false; !ended; verifies++ {
		ended = appended.Load() == 4*300
		before := appended.Load()
		r, err := c.Verify(t.Context(), false)
		w.ok(err)
		if len(r.Differences) > 0 {
			t.Fatalf("a false difference: %+v", r.Differences[0])
		}
		var sum int64
		for _, n := range w.counted() {
			sum += n
		}
		if sum < before {
			t.Fatalf("%d clicks are counted after %d were appended", sum, before)
		}
		if verifies%3 == 0 {
			w.ok(c.Trim(t.Context()))
		}
	}
	producing.Wait()
	stop()
	w.ok(c.CatchUp(t.Context()))
	w.exact(w.clicks)
	w.proven(c)
	t.Logf("%d verifies", verifies)
}

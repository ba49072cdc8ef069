package pipeline

import (
	"errors"
	"testing"
	"time"
)

// TestTrimByAge forgets what is older and counted, to the batch.
func TestTrimByAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(50)
	old, cutoff := w.state().Last, time.Now()
	w.click(50)
	counted := w.state().Last
	now := cutoff.Add(time.Hour)
	c := w.counter(func(cfg *Config) { cfg.MaxAge, cfg.Now = time.Hour, func() time.Time { return now } })
	w.ok(c.CatchUp(t.Context()))
	w.click(50)
	f := func(name string, at time.Time, want uint64) {
		t.Helper()
		now = at
		w.ok(c.Trim(t.Context()))
		first := w.state().First
		if place, trimmed := w.places(); first != want+1 || trimmed != want || place != counted {
			t.Errorf("%s: the ledger begins at %d, trimmed to %d of %d; want to %d", name, first, trimmed, place, want)
		}
	}
	c.stepEvents = 7 // several rounds
	f("some are old", now, old)
	f("no time has passed", now, old)
	f("all are old, some are not counted", now.Add(time.Hour), counted)
	w.exact(w.clicks[:100])
	if r := w.proven(c); r.From != counted+1 || r.Events != 50 {
		t.Errorf("report %+v", r)
	}
	w.exact(w.clicks)
	w.ok(c.Trim(t.Context()))
	if s := w.state(); s.Batches != 0 {
		t.Errorf("%+v after everything was counted and old", s)
	}
	w.proven(c)
	w.reopen()
	w.click(10)
	w.proven(w.counter())
	w.exact(w.clicks)
}

// TestTrimBySize forgets as many as are too many, and not more.
func TestTrimBySize(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(300)
	full := int64(w.state().Bytes)
	c := w.counter(func(cfg *Config) { cfg.MaxBytes = full / 2 })
	w.ok(c.Trim(t.Context()))
	if s := w.state(); s.First != 1 {
		t.Fatalf("forgot what is not counted: %+v", s)
	}
	c.stepEvents = 40
	w.ok(c.CatchUp(t.Context()))
	w.ok(c.Trim(t.Context()))
	if has := int64(w.state().Bytes); has > full/2 || has < full/2-full/10 {
		t.Errorf("%d bytes of %d are left, want %d", has, full, full/2)
	}
	w.proven(c)
	w.ok(w.counter().Trim(t.Context())) // no bounds
	before := w.state()
	w.ok(c.Trim(t.Context()))
	if w.state() != before {
		t.Errorf("trimmed again: %+v, then %+v", before, w.state())
	}
}

// TestRunTrimsAQuietLedger: what is too old goes also when nothing new comes,
// and a store that fails is tried again.
func TestRunTrimsAQuietLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(50)
	old := w.state().Last
	later := func(cfg *Config) {
		cfg.MaxAge, cfg.Now = time.Hour, func() time.Time { return time.Now().Add(2 * time.Hour) }
	}
	c := w.counter(later, planned("trim", failedNotKept, failedButKept))
	w.ok(c.CatchUp(t.Context()))
	c.trimEvery = 20 * time.Millisecond
	stop := running(t, c)
	w.logged("forgot counted events")
	stop()
	if s := w.state(); s.Batches != 0 || s.Last != old {
		t.Errorf("%+v, want nothing up to %d", s, old)
	}
	if said, over := w.log.count("could not be trimmed"), w.log.count("can be trimmed again"); said < 1 || over != 1 {
		t.Errorf("said %d times that it fails, %d times that it is over", said, over)
	}
	w.proven(c)
	w.exact(w.clicks)
}

// TestTrimHeals: after a crash between the baseline and the ledger, or before
// either, the next trim goes on, and Verify is right in between.
func TestTrimHeals(t *testing.T) {
	t.Parallel()
	for _, o := range []outcome{failedNotKept, failedButKept} {
		t.Run(map[outcome]string{failedNotKept: "not kept", failedButKept: "kept"}[o], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.click(200)
			bounds := func(cfg *Config) { cfg.MaxBytes = 5_000 }
			c := w.counter(bounds, planned("trim", o))
			c.stepEvents = 30
			w.ok(c.CatchUp(t.Context()))
			if err := c.Trim(t.Context()); !errors.Is(err, errInjected) {
				t.Fatalf("got %v", err)
			}
			_, trimmed := w.places()
			if s := w.state(); s.First != 1 || (trimmed > 0) != (o == failedButKept) {
				t.Fatalf("the ledger begins at %d, the baseline ends at %d", s.First, trimmed)
			}
			w.proven(c)
			w.reopen()
			c = w.counter(bounds)
			w.proven(c)
			w.ok(c.Trim(t.Context()))
			_, trimmed = w.places()
			if s := w.state(); s.Bytes > 5_000 || s.First != trimmed+1 {
				t.Errorf("%d bytes from batch %d, the baseline ends at %d", s.Bytes, s.First, trimmed)
			}
			w.proven(c)
			w.exact(w.clicks)
		})
	}
}

// TestHistoriesWithTrims mixes everything in random order.
func TestHistoriesWithTrims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.counter(func(cfg *Config) { cfg.MaxBytes = 8_000 })
	for range 60 {
		c.stepEvents = 1 + w.random.IntN(30)
		switch w.random.IntN(7) {
		case 0, 1:
			w.click(1 + w.random.IntN(40))
		case 2, 3:
			_, _, err := c.step(t.Context())
			w.ok(err)
		case 4:
			w.ok(c.Trim(t.Context()))
		case 5:
			w.proven(c)
		case 6:
			if _, err := c.Verify(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			w.exact(w.clicks)
		}
	}
	w.proven(c)
	w.exact(w.clicks)
}

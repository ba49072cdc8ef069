package pipeline

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"waypost/link"
	"waypost/report"
)

// corrupt commits a step by hand with wrong counts for the next batches.
func (w *world) corrupt(to uint64, wrong report.Counts) {
	w.Helper()
	place, _ := w.places()
	_, err := w.store.CommitStep(w.Context(), report.Step{Projection: Counts, From: place, To: to, Counts: wrong})
	w.ok(err)
}

func anyKey(counts report.Counts) report.Key {
	for k := range counts {
		return k
	}
	return report.Key{}
}

// TestVerifyListsWhatDiffers: a step by hand that leaves events out, counts a
// cell wrongly and makes one up is found cell by cell, and repaired.
func TestVerifyListsWhatDiffers(t *testing.T) {
	t.Parallel()
	for _, trimmed := range []bool{false, true} {
		t.Run(map[bool]string{false: "whole ledger", true: "after a trim"}[trimmed], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.click(200)
			c := w.counter(func(cfg *Config) { cfg.MaxBytes = 20_000 })
			w.ok(c.CatchUp(t.Context()))
			if trimmed {
				w.ok(c.Trim(t.Context()))
				if _, to := w.places(); to == 0 {
					t.Fatal("nothing was trimmed")
				}
			}
			w.click(100)
			k := anyKey(w.counted())
			w.corrupt(w.state().Last-5, report.Counts{k: 7, {Account: 99, Route: "made up", Metric: report.Clicks}: 3})
			w.click(20)
			// Verify counts the rest before it compares.
			r, err := c.Verify(t.Context(), false)
			w.ok(err)
			w.differ(r, w.counted(), naive(w.clicks))
			if cells := w.counted(); r.Cells != len(cells) || r.Repaired {
				t.Errorf("compared %d of %d cells, repaired %t", r.Cells, len(cells), r.Repaired)
			}
			if !slices.IsSortedFunc(r.Differences, byCell) {
				t.Error("the list is in no order")
			}
			wrong := w.counted()
			w.click(10) // not counted yet
			r, err = c.Verify(t.Context(), true)
			w.ok(err)
			w.differ(r, wrong, naive(w.clicks[:len(w.clicks)-10]))
			if !r.Repaired {
				t.Error("the report does not say that it is repaired")
			}
			w.exact(w.clicks)
			w.proven(c)
			w.click(10)
			w.proven(w.counter())
			w.exact(w.clicks)
		})
	}
}

// TestRepairOfNothing changes nothing, and counts what is there.
func TestRepairOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.counter(failing(func(_ context.Context, write string) outcome {
		if write == "reset" {
			t.Error("counts without a fault were reset")
		}
		return kept
	}))
	for range 2 {
		r, err := c.Verify(t.Context(), true)
		w.ok(err)
		if len(r.Differences) > 0 || r.Repaired {
			t.Errorf("report %+v", r)
		}
		w.exact(w.clicks)
		w.click(30)
		w.ok(c.CatchUp(t.Context()))
	}
}

// TestManyDifferences are counted beyond those listed.
func TestManyDifferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(1)
	wrong := report.Counts{}
	for i := range maxDifferences + 50 {
		wrong[report.Key{Account: 99, Link: link.LinkID(i)}] = 1
	}
	w.corrupt(w.state().Last, wrong)
	r, err := w.counter().Verify(t.Context(), false)
	w.ok(err)
	if len(r.Differences) != maxDifferences || r.More != 51 {
		t.Errorf("%d listed and %d more", len(r.Differences), r.More)
	}
}

// TestRepairFails half-way, at each of its writes: what is left agrees with
// its place, so that a new process makes it whole without being told.
func TestRepairFails(t *testing.T) {
	t.Parallel()
	f := func(name, write string, o outcome, healed bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.click(100)
			c := w.counter(func(cfg *Config) { cfg.MaxBytes = 5_000 })
			w.ok(c.CatchUp(t.Context()))
			w.ok(c.Trim(t.Context()))
			w.click(50)
			w.corrupt(w.state().Last-2, report.Counts{{Account: 99, Metric: report.Clicks}: 3})
			w.click(30)
			wrong := w.counted()
			if _, err := w.counter(planned(write, o)).Verify(t.Context(), true); err == nil {
				t.Fatal("no error")
			}
			if healed {
				w.ok(w.counter().CatchUp(t.Context()))
				w.exact(w.clicks)
			} else if !maps.Equal(w.counted(), wrong) {
				t.Error("a repair that did not begin has changed counts")
			}
			_, err := w.counter().Verify(t.Context(), true)
			w.ok(err)
			w.exact(w.clicks)
		})
	}
	f("reset, not kept", "reset", failedNotKept, false)
	f("reset, kept", "reset", failedButKept, true)
	f("step, not kept", "step", failedNotKept, true)
	f("step, kept", "step", failedButKept, true)
}

// TestGapBeforeCounting: batches that were lost before they were counted stop
// the counting with a word, until a repair accepts the loss.
func TestGapBeforeCounting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(40)
	c := w.counter()
	w.ok(c.CatchUp(t.Context()))
	counted, place := len(w.clicks), w.state().Last
	w.click(40)
	lost := w.state().Last
	first := len(w.clicks)
	w.click(40)
	w.ok(w.ledger.Trim(t.Context(), lost)) // by another hand

	_, err := c.Verify(t.Context(), false)
	w.speaks(err, "never counted", "backup", "waypost verify --repair", "batches")
	w.exact(w.clicks[:counted])
	stop := running(t, w.counter())
	w.logged("counting stands still")
	stop()

	r, err := c.Verify(t.Context(), true)
	w.ok(err)
	if !slices.Contains(r.Missing, Gap{place + 1, lost}) || !r.Repaired {
		t.Errorf("report %+v, want batches %d to %d missing", r, place+1, lost)
	}
	w.exact(append(slices.Clone(w.clicks[:counted]), w.clicks[first:]...))
	if r := w.proven(c); len(r.Missing) > 0 {
		t.Errorf("accepted, and still missing: %v", r.Missing)
	}
}

// TestGapInTheCounted: batches that were lost after they were counted leave
// the counts alone. Verify lists what the ledger no longer proves; a repair
// keeps it, and mends only what is less than the ledger has.
func TestGapInTheCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.click(40)
	lost, gone := w.state().Last, len(w.clicks)
	w.ok(w.counter().CatchUp(t.Context()))
	w.click(40)
	short := naive(w.clicks[gone:])
	for k := range short {
		if naive(w.clicks[:gone])[k] == 0 { // nothing lost can make up for it
			delete(short, k)
			break
		}
	}
	w.corrupt(w.state().Last, short)
	w.ok(w.ledger.Trim(t.Context(), lost)) // by another hand
	w.click(10)
	c := w.counter()
	for _, repair := range []bool{false, true} {
		r, err := c.Verify(t.Context(), repair)
		w.ok(err)
		if !slices.Equal(r.Missing, []Gap{{1, lost}}) || r.Repaired != repair {
			t.Errorf("missing %v, want 1 to %d; repaired %t", r.Missing, lost, r.Repaired)
		}
		if !repair {
			w.differ(r, w.counted(), naive(w.clicks[gone:]))
		}
	}
	w.exact(w.clicks)
	if r := w.proven(c); len(r.Missing) > 0 || r.From != lost+1 {
		t.Errorf("accepted, and still missing: %v; from %d", r.Missing, r.From)
	}
}

// speaks fails unless an error has words for an operator.
func (w *world) speaks(err error, words ...string) {
	w.Helper()
	if err == nil {
		w.Fatal("no error")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.Errorf("the error %q does not say %q", err, word)
		}
	}
}

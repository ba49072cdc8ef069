package pipeline

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"waypost/eventlog"
	"waypost/report"
)

// Report is what Verify found.
type Report struct {
	From        uint64              `json:"from"` // first batch that was recounted
	To          uint64              `json:"to"`
	Events      int                 `json:"events"`
	Skipped     int                 `json:"skipped"` // lines that are no event that this program knows
	Cells       int                 `json:"cells"`   // counts that were compared
	Differences []report.Difference `json:"differences"`
	More        int                 `json:"more"`              // differences beyond those listed
	Missing     []Gap               `json:"missing,omitempty"` // batches that the ledger has lost
	Repaired    bool                `json:"repaired"`
}

// maxDifferences bounds what a report lists.
const maxDifferences = 1000

// Verify counts what is in the ledger, recounts all of it and compares that
// with the counts. With repair it then makes the counts right, as repair tells;
// the report shows the differences before that. Counting waits meanwhile.
func (c *Counter) Verify(ctx context.Context, repair bool) (Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropReader() // so that the store's place is read again
	if repair {
		return c.repair(ctx)
	}
	if err := c.catchUp(ctx); err != nil {
		return Report{}, err
	}
	r, _, err := c.compare(ctx)
	return r, err
}

// recount is what the ledger's events after the baseline add up to.
type recount struct {
	place, trimmed uint64
	to             uint64        // the place, or the ledger's end before it
	own            report.Counts // of the events after base
	// Counts beyond the ledger are wrong, unless the ledger has lost events:
	// then they are these events, as far as anybody knows, and a repair moves
	// surplus into the baseline, together with before, the events up to base.
	// base is the last missing batch, or the first of all when the ledger ends
	// too early; 0 when nothing is lost.
	base            uint64
	before, surplus report.Counts
}

// compare recounts the ledger up to the counts' place. The lock is held.
func (c *Counter) compare(ctx context.Context) (r Report, again recount, err error) {
	r.Differences = []report.Difference{}
	var state eventlog.State
	if again.place, again.trimmed, state, err = c.places(ctx); err != nil {
		return r, again, err
	}
	again.to = min(again.place, state.Last)
	if again.to < again.trimmed {
		return r, again, foreign(state, again.trimmed)
	}
	if err := c.recount(ctx, &r, &again); err != nil {
		return r, again, err
	}
	want := maps.Clone(again.own)
	want.Add(again.before)
	if err := c.eachCount(ctx, true, func(k report.Key, n int64) { want[k] += n }); err != nil {
		return r, again, err
	}
	err = c.eachCount(ctx, false, func(k report.Key, n int64) {
		r.Cells++
		r.compare(k, n, want[k])
		if again.base > 0 && n > want[k] {
			again.surplus[k] = n - want[k]
		}
		delete(want, k)
	})
	if err != nil {
		return r, again, err
	}
	for k, n := range want {
		r.compare(k, 0, n)
	}
	slices.SortFunc(r.Differences, byCell)
	return r, again, nil
}

// recount adds up the ledger from the baseline's end to the place.
func (c *Counter) recount(ctx context.Context, r *Report, again *recount) (err error) {
	t := newTally()
	again.before, again.surplus = report.Counts{}, report.Counts{}
	first := again.trimmed + 1
	r.From, r.To = first, again.to
	if again.place > again.to && again.to >= first {
		again.base = first
	}
	next := first
	r.Missing, err = c.walk(ctx, again.trimmed, again.to, func(b eventlog.Batch) bool {
		if b.Seq != next || next == again.base+1 {
			again.before.Add(t.counts)
			clear(t.counts)
		}
		t.addBatch(b)
		next = b.Seq + 1
		return true
	})
	if n := len(r.Missing); n > 0 {
		again.base = r.Missing[n-1].To
	}
	if again.base >= next-1 { // nothing comes after it
		again.before.Add(t.counts)
		clear(t.counts)
	}
	r.Events, r.Skipped, again.own = t.events, t.skipped, t.counts
	return err
}

func (r *Report) compare(k report.Key, got, want int64) {
	switch {
	case got == want:
	case len(r.Differences) < maxDifferences:
		r.Differences = append(r.Differences, report.Difference{Key: k, Got: got, Want: want})
	default:
		r.More++
	}
}

func byCell(a, b report.Difference) int {
	x, y := &a.Key, &b.Key
	return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Template, y.Template), cmp.Compare(x.Link, y.Link), cmp.Compare(x.Tracker, y.Tracker), cmp.Compare(x.Day, y.Day),
		cmp.Compare(x.Metric, y.Metric), cmp.Compare(x.Route, y.Route), cmp.Compare(x.Platform, y.Platform), cmp.Compare(x.Country, y.Country))
}

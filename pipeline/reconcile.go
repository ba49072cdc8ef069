package pipeline

import (
	"context"
	"fmt"

	"waypost/eventlog"
	"waypost/report"
)

// reconcile brings store and ledger together when the ledger ends before what
// is counted: after a loss of power, or with an older copy of its files. What
// was counted stays counted, and new events are.
func (c *Counter) reconcile(ctx context.Context) error {
	place, trimmed, state, err := c.places(ctx)
	if err != nil {
		return err
	}
	c.reached.Store(place)
	if state.Last >= place {
		return nil
	}
	c.cfg.Logger.Error("the ledger ends before what is counted already: it has lost events; what was counted of them stays counted",
		"ledger_ends", state.Last, "counted_to", place)
	switch {
	case state.Last < trimmed && state.Batches > 0:
		return foreign(state, trimmed)
	case state.Last <= trimmed:
		// What the ledger may still hold is in the baseline. Trimming beyond
		// its end sets the number that the next batch gets.
		if err := c.cfg.Ledger.Trim(ctx, place); err != nil {
			return fmt.Errorf("let the ledger go on after batch %d: %w", place, err)
		}
		return nil
	}
	r, again, err := c.compare(ctx)
	if err == nil {
		_, err = c.settle(ctx, &r, &again)
	}
	if err != nil {
		return fmt.Errorf("bring the counts to the ledger's end, batch %d: %w", state.Last, err)
	}
	return nil
}

// places returns how far the store and the ledger are.
func (c *Counter) places(ctx context.Context) (place, trimmed uint64, state eventlog.State, err error) {
	if place, err = c.cfg.Store.Place(ctx, Counts); err != nil {
		return 0, 0, state, fmt.Errorf("read how far the counts are: %w", err)
	}
	if trimmed, err = c.cfg.Store.TrimmedTo(ctx, Counts); err != nil {
		return 0, 0, state, fmt.Errorf("read how far the ledger is trimmed: %w", err)
	}
	if state, err = c.cfg.Ledger.State(ctx); err != nil {
		return 0, 0, state, fmt.Errorf("read how far the ledger is: %w", err)
	}
	return place, trimmed, state, nil
}

// foreign refuses a ledger that ends within what was trimmed long ago. Nobody
// can tell whether its events are counted.
func foreign(state eventlog.State, trimmed uint64) error {
	return fmt.Errorf("the ledger ends with batch %d, and the counts already include what was trimmed up to %d: it is a very old copy, or another ledger; "+
		"bring the right one back, or move its folder away and start with an empty one (the counts stay)", state.Last, trimmed)
}

// replace makes the counts the baseline plus own, with the place at to.
func (c *Counter) replace(ctx context.Context, trimmed, to uint64, own report.Counts) error {
	if err := c.cfg.Store.ResetProjection(ctx, Counts); err != nil {
		return fmt.Errorf("reset the counts: %w", err)
	}
	c.reached.Store(trimmed)
	if to > trimmed {
		if _, err := c.cfg.Store.CommitStep(ctx, report.Step{Projection: Counts, From: trimmed, To: to, Counts: own}); err != nil {
			return fmt.Errorf("write counts of batches %d to %d: %w", trimmed+1, to, err)
		}
	}
	c.reached.Store(to)
	return nil
}

func (c *Counter) eachCount(ctx context.Context, baseline bool, fn func(report.Key, int64)) error {
	err := c.cfg.Store.EachCount(ctx, baseline, func(k report.Key, n int64) error {
		fn(k, n)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the counts: %w", err)
	}
	return nil
}

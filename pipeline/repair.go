package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"waypost/eventlog"
	"waypost/report"
)

// repair makes the counts anew from the ledger, and accepts the loss of
// batches that are missing in it. Those that were counted stay counted: what
// the counts have beyond the ledger goes into the baseline. Those that were
// not are passed.
//
// All that is counted is read before the first change, so a ledger that cannot
// be read leaves everything as it is. Each change leaves counts that agree with
// their place, so a crash between them costs only time.
func (c *Counter) repair(ctx context.Context) (Report, error) {
	var first Report
	for round := 0; ; round++ {
		r, again, err := c.compare(ctx)
		if round == 0 {
			first = r
		} else {
			first.Missing = append(first.Missing, r.Missing...)
		}
		if err != nil {
			return first, err
		}
		changed, err := c.settle(ctx, &r, &again)
		first.Repaired = first.Repaired || changed
		if err != nil {
			return first, err
		}
		err = c.catchUp(ctx)
		gap, ok := errors.AsType[*eventlog.GapError](err)
		if !ok {
			return first, err
		}
		if err := c.pass(ctx, gap); err != nil { // now it lies in what is counted, and is settled there
			return first, err
		}
	}
}

// settle makes the counts equal to a recount, and the recount provable.
func (c *Counter) settle(ctx context.Context, r *Report, again *recount) (changed bool, err error) {
	trimmed := again.trimmed
	for _, gap := range r.Missing {
		c.cfg.Logger.Error("the ledger has lost batches; what was counted of them stays counted", "first", gap.From, "last", gap.To)
	}
	if again.base > 0 {
		step := report.Step{Projection: Counts, From: trimmed, To: again.base, Counts: maps.Clone(again.before)}
		step.Counts.Add(again.surplus)
		if err := c.cfg.Store.CommitTrim(ctx, step); err != nil {
			return false, fmt.Errorf("add batches %d to %d to the baseline: %w", trimmed+1, again.base, err)
		}
		trimmed, changed = again.base, true
	}
	if len(r.Differences) == 0 && again.place == again.to {
		return changed, nil
	}
	return true, c.replace(ctx, trimmed, again.to, again.own)
}

// pass moves the place past batches that were lost before they were counted.
func (c *Counter) pass(ctx context.Context, gap *eventlog.GapError) error {
	c.dropReader()
	c.cfg.Logger.Error("the ledger has lost batches that were never counted; counting passes them", "first", gap.From, "last", gap.To)
	if _, err := c.cfg.Store.CommitStep(ctx, report.Step{Projection: Counts, From: gap.From - 1, To: gap.To}); err != nil {
		return fmt.Errorf("pass the lost batches %d to %d: %w", gap.From, gap.To, err)
	}
	c.reached.Store(gap.To)
	return nil
}

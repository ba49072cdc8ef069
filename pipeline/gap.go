package pipeline

import (
	"context"
	"errors"
	"fmt"

	"waypost/attribution/history"
	"waypost/eventlog"
)

// pass moves the place past batches that the ledger no longer holds, if the
// counting has passed them: they were trimmed before this projection began, or
// somebody has accepted their loss. What they held is never decided. The
// reader is dropped.
func (a *Attributor) pass(ctx context.Context, gap *eventlog.GapError) error {
	a.dropReader()
	counted, err := a.cfg.Store.Place(ctx, Counts)
	if err != nil {
		return fmt.Errorf("read how far the counts are: %w", err)
	}
	if counted < gap.To {
		return fmt.Errorf("%w, and nothing was decided of them: restore the ledger from a backup, or accept the loss with waypost verify --repair", gap)
	}
	if err := a.cfg.Store.CommitHistory(ctx, history.Step{Projection: History, From: gap.From - 1, To: gap.To}); err != nil {
		return fmt.Errorf("pass the missing batches %d to %d: %w", gap.From, gap.To, err)
	}
	a.cfg.Logger.Error("the ledger no longer holds batches that nothing was decided of; attribution passes them", "first", gap.From, "last", gap.To)
	a.place = gap.To
	a.reached.Store(gap.To)
	return nil
}

// passLost is pass for a gap in the midst of the ledger, unless that is only a
// batch which cannot be read, with more behind it perhaps.
func (a *Attributor) passLost(ctx context.Context, gap *eventlog.GapError) error {
	if err := unreadable(ctx, a.cfg.Ledger, gap); err != nil {
		return err
	}
	return a.pass(ctx, gap)
}

// explainHistory puts an error of reading what is not decided yet in the
// operator's words.
func explainHistory(err error) error {
	if ahead, ok := errors.AsType[*eventlog.AheadError](err); ok {
		return fmt.Errorf("%w: it has lost events that are decided, or is another ledger; bring the right one back, or restart waypost to go on from this one's end", ahead)
	}
	return fmt.Errorf("read the ledger: %w", err)
}

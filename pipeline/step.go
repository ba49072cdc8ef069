package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"waypost/eventlog"
	"waypost/report"
)

// await returns when the ledger holds something that is not counted, and a
// little later, so that the step is worth its transaction. When the step
// before has left some, there is enough already.
func (c *Counter) await(ctx context.Context, more bool) error {
	if more {
		return ctx.Err()
	}
	if err := c.cfg.Ledger.Wait(ctx, c.reached.Load()); err != nil {
		return explain(err)
	}
	pause(ctx, linger)
	return ctx.Err()
}

// step counts a run of events. It reports whether it has left some, and how
// long the work took.
func (c *Counter) step(ctx context.Context) (more bool, worked time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := time.Now()
	more, err = c.stepLocked(ctx)
	return more, time.Since(began), err
}

// stepLocked counts up to stepEvents events that are there, and reports
// whether it stopped at that bound. The lock is held.
func (c *Counter) stepLocked(ctx context.Context) (more bool, err error) {
	defer func() {
		if err != nil {
			c.dropReader() // it is ahead of the store now
		}
	}()
	if err := c.openReader(ctx); err != nil {
		return false, err
	}
	t := c.tally
	t.reset()
	to, broken := c.gather(ctx, t)
	if to == c.place || ctx.Err() != nil {
		return false, errors.Join(broken, ctx.Err())
	}
	// What came before a break in the ledger counts all the same.
	renewed, err := c.cfg.Store.CommitStep(ctx, t.step(Counts, c.place, to))
	if err != nil {
		return false, fmt.Errorf("write counts of batches %d to %d: %w", c.place+1, to, err)
	}
	c.place = to
	c.counted(t, renewed)
	return t.events >= c.stepEvents, broken
}

// gather adds up what follows the place, and returns the last batch of it.
// Its error says why it cannot go on.
func (c *Counter) gather(ctx context.Context, t *tally) (to uint64, err error) {
	to = c.place
	for t.events < c.stepEvents {
		b, ok, err := c.reader.TryNext(ctx)
		if err != nil {
			return to, c.explainRead(ctx, err)
		}
		if !ok {
			break
		}
		t.addBatch(b)
		to = b.Seq
		runtime.Gosched() // see smallStep
	}
	return to, nil
}

// counted tells everyone who wants to know of a step that is committed.
func (c *Counter) counted(t *tally, renewed []report.Renewed) {
	c.reached.Store(c.place)
	c.events.Add(int64(t.events))
	if t.skipped > 0 && c.skipped.Add(int64(t.skipped)) == int64(t.skipped) {
		c.cfg.Logger.Warn("the ledger holds lines that are no event this version knows; they are not counted (later ones are in the metrics only)",
			"lines", t.skipped, "batch", t.firstSkip, "error", t.skipErr)
	}
	if c.cfg.Renewed != nil && len(renewed) > 0 {
		c.cfg.Renewed(renewed)
	}
}

// catchUp counts everything that is in the ledger now. The lock is held.
func (c *Counter) catchUp(ctx context.Context) error {
	if err := c.openReader(ctx); err != nil {
		return err
	}
	state, err := c.cfg.Ledger.State(ctx)
	if err != nil {
		return fmt.Errorf("read how far the ledger is: %w", err)
	}
	for last := c.place; c.place < state.Last; last = c.place {
		if _, err := c.stepLocked(ctx); err != nil {
			return err
		}
		if c.place == last {
			pause(ctx, laggard)
		}
	}
	return ctx.Err()
}

// laggard is the pause before a batch is asked for again that must be there: a
// replica may lag behind. When it stays away the reader calls it a gap.
const laggard = 25 * time.Millisecond

// openReader places a reader after what the store has.
func (c *Counter) openReader(ctx context.Context) error {
	if c.reader != nil {
		return nil
	}
	place, err := c.cfg.Store.Place(ctx, Counts)
	if err != nil {
		return fmt.Errorf("read how far the counts are: %w", err)
	}
	r, err := c.cfg.Ledger.Read(ctx, place+1)
	if err != nil {
		return explain(err)
	}
	c.reader, c.place = r, place
	c.reached.Store(place)
	return nil
}

func (c *Counter) dropReader() {
	if c.reader != nil {
		_ = c.reader.Close() // it only gives a subscription back
		c.reader = nil
	}
}

// explain puts an error of reading what is not counted yet in the operator's words.
func explain(err error) error {
	if gap, ok := errors.AsType[*eventlog.GapError](err); ok {
		return fmt.Errorf("%w, and they were never counted: restore the ledger from a backup, or accept the loss with waypost verify --repair", gap)
	}
	if ahead, ok := errors.AsType[*eventlog.AheadError](err); ok {
		return fmt.Errorf("%w: it has lost events that are counted, or is another ledger; bring the right one back, or restart waypost to go on from this one's end", ahead)
	}
	return fmt.Errorf("read the ledger: %w", err)
}

// explainRead is explain for what a reader has met.
func (c *Counter) explainRead(ctx context.Context, err error) error {
	if gap, ok := errors.AsType[*eventlog.GapError](err); ok {
		if unreadable := unreadable(ctx, c.cfg.Ledger, gap); unreadable != nil {
			return unreadable
		}
	}
	return explain(err)
}

// unreadable returns an error for a gap that reaches to the end of the ledger,
// nil for others. That is a batch which cannot be read, with more behind it
// perhaps, so nothing may pass it.
func unreadable(ctx context.Context, ledger *eventlog.Log, gap *eventlog.GapError) error {
	state, err := ledger.State(ctx)
	if err != nil {
		return fmt.Errorf("read how far the ledger is: %w", err)
	}
	if gap.To < state.Last {
		return nil
	}
	return fmt.Errorf("batch %d of the ledger cannot be read: restore the ledger from a backup, or start waypost once with --log-accept-loss to keep what can be", gap.From)
}

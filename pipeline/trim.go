package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waypost/eventlog"
)

// recordRoom is about what the ledger's files need for a batch beside its
// lines: the record's head, subject, id and checksum.
const recordRoom = 100

func (c *Counter) trimLoop(ctx context.Context) {
	failing := trouble{log: c.cfg.Logger, what: "the ledger could not be trimmed"}
	tick := time.NewTicker(c.trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		err := c.Trim(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			failing.report(err)
		default:
			failing.end("the ledger can be trimmed again")
		}
	}
}

// Trim forgets counted events that are older than MaxAge, or as many of the
// oldest as the ledger has more than MaxBytes, after adding them to the
// baseline, so that counts stay provable. What is not counted is never
// forgotten. Counting goes on between its rounds.
func (c *Counter) Trim(ctx context.Context) error {
	if c.cfg.MaxAge <= 0 && c.cfg.MaxBytes <= 0 {
		return nil
	}
	for {
		began := time.Now()
		more, err := c.trimRound(ctx)
		if err != nil || !more {
			return err
		}
		giveWay(time.Since(began), func(d time.Duration) bool { return pause(ctx, d) })
	}
}

// trimRound forgets up to stepEvents events, and reports whether more may be
// due. The baseline has them first: the ledger may still hold what is in it,
// after a crash between the two writes, never the other way round.
func (c *Counter) trimRound(ctx context.Context) (more bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, trimmed, state, err := c.places(ctx)
	if err != nil {
		return false, err
	}
	passed, err := c.passed(ctx, place)
	if err != nil {
		return false, err
	}
	oldest := trimmed + 1
	if state.Batches > 0 {
		oldest = min(oldest, state.First)
	}
	t, upTo, seen, size := newTally(), oldest-1, 0, int64(state.Bytes)
	_, broken := c.walk(ctx, oldest-1, min(passed, state.Last), func(b eventlog.Batch) bool {
		if more = max(seen, t.events) >= c.stepEvents; more || !c.due(b.At, size) {
			return false
		}
		if b.Seq > trimmed {
			t.addBatch(b)
		}
		upTo, seen, size = b.Seq, seen+1, size-int64(b.Size())-recordRoom
		return true
	})
	if upTo < oldest {
		return false, broken
	}
	if upTo > trimmed {
		step := t.step(Counts, trimmed, upTo)
		step.Renewals = nil
		if err := c.cfg.Store.CommitTrim(ctx, step); err != nil {
			return false, fmt.Errorf("add batches %d to %d to the baseline: %w", trimmed+1, upTo, err)
		}
	}
	if err := c.cfg.Ledger.Trim(ctx, upTo); err != nil {
		return false, err
	}
	c.cfg.Logger.Info("the ledger forgot counted events", "up_to", upTo)
	if !more && broken == nil { // recordRoom is an estimate: the bound is of what the ledger says
		more, err = c.tooLarge(ctx)
	}
	return more, errors.Join(broken, err)
}

// tooLarge reports whether the ledger is larger than MaxBytes.
func (c *Counter) tooLarge(ctx context.Context) (bool, error) {
	if c.cfg.MaxBytes <= 0 {
		return false, nil
	}
	state, err := c.cfg.Ledger.State(ctx)
	if err != nil {
		return false, fmt.Errorf("read how large the ledger is: %w", err)
	}
	return int64(state.Bytes) > c.cfg.MaxBytes, nil
}

// passed returns the last batch that every projection has read.
func (c *Counter) passed(ctx context.Context, place uint64) (uint64, error) {
	for _, p := range c.cfg.Others {
		other, err := c.cfg.Store.Place(ctx, p)
		if err != nil {
			return 0, fmt.Errorf("read how far projection %q is: %w", p, err)
		}
		place = min(place, other)
	}
	return place, nil
}

// due reports whether a batch may go: it is too old, or the ledger too large.
func (c *Counter) due(at time.Time, size int64) bool {
	tooOld := c.cfg.MaxAge > 0 && c.cfg.Now().Sub(at) > c.cfg.MaxAge
	tooLarge := c.cfg.MaxBytes > 0 && size > c.cfg.MaxBytes
	return tooOld || tooLarge
}

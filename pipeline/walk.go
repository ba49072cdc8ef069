package pipeline

import (
	"context"
	"errors"
	"fmt"

	"waypost/eventlog"
)

// Gap is a run of batches that the ledger has lost.
type Gap struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// walk calls fn for the ledger's batches after one up to another, which must
// be counted, until fn returns false. It passes the gaps that somebody has
// accepted the loss of, and returns them.
func (c *Counter) walk(ctx context.Context, after, to uint64, fn func(eventlog.Batch) bool) (gaps []Gap, err error) {
	for after < to {
		last, err := c.walkRun(ctx, after, to, fn)
		if errors.Is(err, errEnough) {
			return gaps, nil
		}
		after = last
		if gap, ok := errors.AsType[*eventlog.GapError](err); ok {
			gaps = append(gaps, Gap{gap.From, min(gap.To, to)})
			after = gap.To
		} else if err != nil {
			return gaps, fmt.Errorf("read the ledger after batch %d: %w", last, err)
		}
	}
	return gaps, nil
}

// errEnough ends a walk whose fn has seen enough.
var errEnough = errors.New("enough")

// walkRun is walk up to the next gap, which it returns as a GapError. It
// returns the last batch that was passed.
func (c *Counter) walkRun(ctx context.Context, after, to uint64, fn func(eventlog.Batch) bool) (last uint64, err error) {
	reader, err := c.cfg.Ledger.Read(ctx, after+1)
	if err != nil {
		return after, err
	}
	defer reader.Close()
	for after < to {
		b, ok, err := reader.TryNext(ctx)
		if gap, is := errors.AsType[*eventlog.GapError](err); is {
			if unreadable := unreadable(ctx, c.cfg.Ledger, gap); unreadable != nil {
				return after, unreadable
			}
		}
		if err != nil {
			return after, err
		}
		if !ok {
			if err := c.stillHolds(ctx, to); err != nil {
				return after, err
			}
			continue
		}
		if !fn(b) {
			return after, errEnough
		}
		after = b.Seq
	}
	return after, nil
}

// stillHolds is asked when a batch does not come that must be there: a replica
// may lag behind. When it stays away the reader calls it a gap.
func (c *Counter) stillHolds(ctx context.Context, to uint64) error {
	state, err := c.cfg.Ledger.State(ctx)
	if err != nil {
		return err
	}
	if state.Last < to {
		return &eventlog.AheadError{From: to, Last: state.Last}
	}
	pause(ctx, laggard)
	return ctx.Err()
}

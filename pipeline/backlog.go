package pipeline

import (
	"context"
	"sync"
	"time"

	"waypost/attribution"
	"waypost/internal/uid"
)

// backlogWait is how long a question waits for what was in the ledger when the
// process began: an ordinary restart has a second of it at most. Whoever has
// waited for so long in vain lets all others through.
const backlogWait = 2 * time.Second

// backlog is what the ledger held beyond the history when the process began.
type backlog struct {
	end  uint64 // its last batch
	once *sync.Once
	over chan struct{} // closed when it is decided, or nobody waits any more
}

func newBacklog(end uint64) backlog {
	return backlog{end: end, once: &sync.Once{}, over: make(chan struct{})}
}

func (b *backlog) giveUp() { b.once.Do(func() { close(b.over) }) }

// reach notes how far the history has come.
func (b *backlog) reach(place uint64) {
	if place >= b.end {
		b.giveUp()
	}
}

// wait returns when the backlog is decided, or most is over.
func (b *backlog) wait(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-b.over:
	case <-timer.C:
		b.giveUp()
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// IsTold reports whether a touch with the id is remembered that was within
// rememberFor of an instant. What was in the ledger when the process began is
// decided before the answer, unless that takes longer than backlogWait; what
// came into it since may be missing for as long as the history lags.
func (a *Attributor) IsTold(ctx context.Context, id uid.Click, at time.Time) (bool, error) {
	if err := a.backlog.wait(ctx, backlogWait); err != nil {
		return false, err
	}
	found, err := a.cfg.Store.FindTouches(ctx, []attribution.Lookup{aroundClick(attribution.Key{Kind: attribution.ClickKey, Value: id.String()}, at)})
	return len(found) > 0 && len(found[0]) > 0, err
}

// aroundClick asks for the touches of a click within rememberFor of an instant.
func aroundClick(k attribution.Key, at time.Time) attribution.Lookup {
	return attribution.Lookup{Key: k, Since: at.Add(-rememberFor), Until: at.Add(rememberFor)}
}

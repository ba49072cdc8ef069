package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"waypost/attribution"
	"waypost/internal/fault"
	"waypost/internal/uid"
)

// backlogWait is how long a question waits for what the history does not know
// yet: an ordinary restart has a second of it at most. While somebody has waited
// for so long in vain, nobody else does.
const backlogWait = 2 * time.Second

// reach is how far the history has come, for those who ask and wait for it.
type reach struct {
	place atomic.Uint64 // the store's, as far as it is known

	mu    sync.Mutex    // guards what is below
	moved chan struct{} // closed when place moves, or somebody has given up; nil: nobody waits
	vain  uint64        // what somebody has waited for in vain; 0: nothing
}

func (r *reach) Load() uint64 { return r.place.Load() }

// Store notes how far the history has come.
func (r *reach) Store(place uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.place.Store(place)
	if place >= r.vain {
		r.vain = 0
	}
	r.tell()
}

// tell is for who holds mu.
func (r *reach) tell() {
	if r.moved != nil {
		close(r.moved)
		r.moved = nil
	}
}

// giveUp tells those who wait that somebody has waited for too long.
func (r *reach) giveUp(to uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Load() < to {
		r.vain = max(r.vain, to)
	}
	r.tell()
}

// news returns what is closed when it is worth looking again; nil: there is
// nothing to wait for.
func (r *reach) news(to uint64) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if place := r.Load(); place >= to || place < r.vain {
		return nil
	}
	if r.moved == nil {
		r.moved = make(chan struct{})
	}
	return r.moved
}

// wait returns when the history has come to a batch, and whether it has: not
// when that took too long, for this caller or another. hurry is called while it
// is waited for.
func (r *reach) wait(ctx context.Context, to uint64, hurry func()) (bool, error) {
	if r.Load() >= to {
		return true, nil
	}
	timer := time.NewTimer(backlogWait)
	defer timer.Stop()
	for {
		moved := r.news(to)
		if moved == nil {
			return r.Load() >= to, nil
		}
		hurry()
		select {
		case <-moved:
		case <-timer.C:
			r.giveUp(to)
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// Mark returns a place in the ledger behind every event whose Append has returned.
func (a *Attributor) Mark() uint64 { return a.cfg.Ledger.LastAppended() }

// HasPassed reports whether everything before a mark is decided.
func (a *Attributor) HasPassed(mark uint64) bool { return a.reached.Load() >= mark }

// passed waits a moment for everything before a mark to be decided, and for
// what the history knew or had to learn when the process began. Not ok: it is not.
func (a *Attributor) passed(ctx context.Context, mark uint64) (ok bool, err error) {
	return a.reached.wait(ctx, max(mark, a.backlog.Load()), a.waiters.hurry)
}

// IsTold reports whether a touch with the id is remembered that was within
// rememberFor of an instant. What was in the ledger when the process began is
// decided before the answer, unless that takes longer than backlogWait; what
// came into it since may be missing for as long as the history lags.
func (a *Attributor) IsTold(ctx context.Context, id uid.Click, at time.Time) (bool, error) {
	if _, err := a.passed(ctx, 0); err != nil {
		return false, err
	}
	found, err := a.cfg.Store.FindTouches(ctx, []attribution.Lookup{aroundClick(attribution.Key{Kind: attribution.ClickKey, Value: id.String()}, at)})
	return len(found) > 0 && len(found[0]) > 0, err
}

// aroundClick asks for the touches of a click within rememberFor of an instant.
func aroundClick(k attribution.Key, at time.Time) attribution.Lookup {
	return attribution.Lookup{Key: k, Since: at.Add(-rememberFor), Until: at.Add(rememberFor)}
}

// errBehind is said instead of "nobody has said anything".
var errBehind = fault.New(fault.Unavailable, "what people have said is in the ledger and not decided yet")

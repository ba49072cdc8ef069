package pipeline

import (
	"context"
	"slices"
	"sync"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/uid"
	"waypost/link"
)

// Await returns an installation as soon as its open with the key is decided, at
// once if it is already; not ok when ctx ends before. Call it when the open is
// in the ledger.
func (a *Attributor) Await(ctx context.Context, app link.AppID, install, key string) (history.Installation, bool, error) {
	k := installKey{app, install}
	for {
		told := a.waiters.add(k) // before the look at the store, so that nothing falls between
		i, ok, err := a.opened(ctx, app, install, key)
		if ctx.Err() == nil && !ok && err == nil {
			select {
			case <-told:
				continue
			case <-ctx.Done():
			}
		}
		a.waiters.remove(k, told)
		if !ok && ctx.Err() != nil {
			err = nil // the time was over, whatever else it is called
		}
		return i, ok, err
	}
}

// opened returns the installation if its open with the key is decided.
func (a *Attributor) opened(ctx context.Context, app link.AppID, install, key string) (history.Installation, bool, error) {
	i, ok, err := a.cfg.Store.ReadInstallation(ctx, app, install)
	if !ok || err != nil || slices.Contains(i.Opens, key) {
		return i, ok, err
	}
	// A refused one is not among its opens.
	id := conversionID(&event.Told{App: app, Install: install, Key: key}, attribution.Open)
	_, ok, err = a.cfg.Store.ReadDecided(ctx, app, install, id)
	return i, ok, err
}

// IsDecided reports whether an installation's open with the key is decided.
func (a *Attributor) IsDecided(ctx context.Context, app link.AppID, install, key string) (bool, error) {
	_, ok, err := a.opened(ctx, app, install, key)
	return ok, err
}

// ReadInstallation returns what is known of an installation now; not ok when
// nothing is. By a name that an event was joined under, it has its own ID.
func (a *Attributor) ReadInstallation(ctx context.Context, app link.AppID, install string) (history.Installation, bool, error) {
	return a.findInstallation(ctx, app, install)
}

// ReadTouch returns the touch of a click that was at an instant; not ok when it
// is forgotten.
func (a *Attributor) ReadTouch(ctx context.Context, id uid.Click, at time.Time) (history.Touch, bool, error) {
	return a.cfg.Store.ReadTouch(ctx, id, at)
}

// TakeDeepLink hands out an installation's deferred deep link: to one
// open, as often as that is told, or once where key is empty; not after its
// time, and not before the install is decided.
func (a *Attributor) TakeDeepLink(ctx context.Context, app link.AppID, install, key string, now time.Time) (deepLink string, ok bool, err error) {
	return a.cfg.Store.TakeDeepLink(ctx, app, install, key, now)
}

// waiters are those who wait for something about an installation to be decided.
type waiters struct {
	mu   *sync.Mutex
	all  map[installKey][]chan struct{} // closed when something was
	want chan struct{}                  // holds a token while somebody new waits
}

func newWaiters() waiters {
	return waiters{mu: &sync.Mutex{}, all: map[installKey][]chan struct{}{}, want: make(chan struct{}, 1)}
}

// wanted yields when somebody has begun to wait since it last did.
func (w *waiters) wanted() <-chan struct{} { return w.want }

func (w *waiters) add(k installKey) chan struct{} {
	told := make(chan struct{})
	w.mu.Lock()
	w.all[k] = append(w.all[k], told)
	w.mu.Unlock()
	w.hurry()
	return told
}

// hurry cuts the next pause short.
func (w *waiters) hurry() {
	select {
	case w.want <- struct{}{}:
	default:
	}
}

func (w *waiters) remove(k installKey, told chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := w.all[k][:0]
	for _, other := range w.all[k] {
		if other != told {
			left = append(left, other)
		}
	}
	if len(left) == 0 {
		delete(w.all, k)
	} else {
		w.all[k] = left
	}
}

// tell wakes those who wait for one of the installations.
func (w *waiters) tell(decided []installKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range decided {
		w.wake(k)
	}
}

// tellAll lets everyone look again.
func (w *waiters) tellAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k := range w.all {
		w.wake(k)
	}
}

func (w *waiters) wake(k installKey) {
	for _, told := range w.all[k] {
		close(told)
	}
	delete(w.all, k)
}

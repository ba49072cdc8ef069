package ingesttest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/uid"
	"waypost/link"
)

// Decisions are what is concluded from the ledger, as a test says: an
// installation is decided when Decide is called.
type Decisions struct {
	mu        sync.Mutex
	known     map[string]history.Installation // by its own id
	touches   map[uid.Click]history.Touch
	taken     map[string]string              // keys of who took deep links, by installation
	permitted map[string]attribution.Consent // before the first open, by installation
	marks     uint64                         // that were asked for
	passed    uint64                         // the one that the decisions have come to
	organicAt time.Time                      // zero: who is not decided is waited for
	awaited   []string                       // keys of opens
	down      error                          // what every question fails with
	awaitDown error                          // what Await fails with
	progress  chan struct{}                  // closed with every change
}

// NewDecisions returns decisions about nobody.
func NewDecisions() *Decisions {
	return &Decisions{
		known: map[string]history.Installation{}, touches: map[uid.Click]history.Touch{}, taken: map[string]string{}, permitted: map[string]attribution.Consent{},
		progress: make(chan struct{}),
	}
}

// Decide says what is concluded about an installation, and remembers the touches
// that the conclusion speaks of. Who waits for it is woken.
func (d *Decisions) Decide(i history.Installation, touches ...history.Touch) {
	d.change(func() {
		d.known[i.ID] = i
		for _, t := range touches {
			d.touches[t.ID] = t
		}
	})
}

// Permit says what the person of an installation permits before its first open.
func (d *Decisions) Permit(install string, c attribution.Consent) {
	d.change(func() { d.permitted[install] = c })
}

// Pass makes the decisions come to all that is in the ledger; before it, and
// after whatever comes then, they are behind.
func (d *Decisions) Pass() {
	d.change(func() { d.passed = d.marks })
}

// Remember keeps a touch under an id.
func (d *Decisions) Remember(id uid.Click, t history.Touch) {
	t.ID = id
	d.change(func() { d.touches[id] = t })
}

// Forget drops a touch.
func (d *Decisions) Forget(id uid.Click) {
	d.change(func() { delete(d.touches, id) })
}

// OrganicAt makes everyone whom no test has decided organic as soon as he is
// waited for, installed at an instant. The zero time ends that.
func (d *Decisions) OrganicAt(at time.Time) {
	d.change(func() { d.organicAt = at })
}

// Fail makes every question fail with err from now on; nil mends it.
func (d *Decisions) Fail(err error) {
	d.change(func() { d.down = err })
}

// FailAwait makes Await alone fail with err: the store went away after the open
// was kept.
func (d *Decisions) FailAwait(err error) {
	d.change(func() { d.awaitDown = err })
}

func (d *Decisions) change(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
	close(d.progress)
	d.progress = make(chan struct{})
}

// Awaited are the keys of the opens whose decision was waited for.
func (d *Decisions) Awaited() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.awaited)
}

// Await waits for Decide, as ingest.Decisions wants it.
func (d *Decisions) Await(ctx context.Context, app link.AppID, install, key string) (history.Installation, bool, error) {
	d.mu.Lock()
	d.awaited = append(d.awaited, key)
	d.mu.Unlock()
	for {
		i, ok, news, err := d.concluded(app, install)
		if ok || err != nil {
			return i, ok, err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return history.Installation{}, false, nil
		}
	}
}

// concluded is what Await finds now; news is closed with the next change.
func (d *Decisions) concluded(app link.AppID, install string) (i history.Installation, ok bool, news chan struct{}, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err = d.known[install], d.down
	if err == nil {
		err = d.awaitDown
	}
	if i.App == app {
		return i, true, d.progress, err
	}
	return history.Installation{App: app, ID: install, At: d.organicAt}, !d.organicAt.IsZero(), d.progress, err
}

// ReadInstallation returns what was decided.
func (d *Decisions) ReadInstallation(_ context.Context, app link.AppID, install string) (history.Installation, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.known[install]
	return i, i.App == app, d.down
}

// Mark is behind all that is in the ledger.
func (d *Decisions) Mark() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.marks++
	return d.marks
}

// HasPassed reports whether Pass was called since the mark was asked for.
func (d *Decisions) HasPassed(mark uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return mark <= d.passed
}

// ErrBehind is what ReadConsent says where the decisions have not come to a mark.
var ErrBehind = errors.New("deciding is behind")

// ReadConsent returns what was decided, or said with Permit. It waits for nothing.
func (d *Decisions) ReadConsent(_ context.Context, app link.AppID, install string, mark uint64, _ time.Time) (attribution.Consent, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if mark > d.passed {
		return attribution.Consent{}, ErrBehind
	}
	if i := d.known[install]; i.App == app {
		return i.Consent, d.down
	}
	return d.permitted[install], d.down
}

// IsDecided reports whether the decided installation has the open.
func (d *Decisions) IsDecided(_ context.Context, app link.AppID, install, key string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.known[install]
	return i.App == app && slices.Contains(i.Opens, key), d.down
}

// TakeDeepLink hands out the deep link of what was decided, to one key and in its time.
func (d *Decisions) TakeDeepLink(_ context.Context, app link.AppID, install, key string, now time.Time) (string, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.known[install]
	if by, taken := d.taken[install]; d.down != nil || i.App != app || i.DeepLink == "" || taken && (key == "" || by != key) || now.After(i.LinkUntil) {
		return "", false, d.down
	}
	d.taken[install] = key
	return i.DeepLink, true, nil
}

// IsTold reports whether the touch was remembered.
func (d *Decisions) IsTold(_ context.Context, id uid.Click, _ time.Time) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.touches[id]
	return ok, d.down
}

// ReadTouch returns a touch that was remembered.
func (d *Decisions) ReadTouch(_ context.Context, id uid.Click, _ time.Time) (history.Touch, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, ok := d.touches[id]
	return t, ok, d.down
}

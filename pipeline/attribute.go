package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"waypost/event"
	"waypost/eventlog"
)

// await returns when the ledger holds something that is not decided, and a
// little later, unless somebody waits for it or the step before has left some.
func (a *Attributor) await(ctx context.Context, more bool) error {
	if more {
		return ctx.Err()
	}
	if err := a.cfg.Ledger.Wait(ctx, a.reached.Load()); err != nil {
		return explainHistory(err)
	}
	a.breathe(ctx, historyLinger)
	return ctx.Err()
}

func (a *Attributor) step(ctx context.Context) (more bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stepLocked(ctx)
}

// stepLocked takes up to stepEvents events that are there, and reports whether
// it stopped at that bound. The lock is held.
func (a *Attributor) stepLocked(ctx context.Context) (more bool, err error) {
	defer func() {
		if err != nil {
			a.dropReader() // it is ahead of the store now
		}
	}()
	if err := a.openReader(ctx); err != nil {
		return false, err
	}
	g := gathering{hearing: hearing{a, newAhead(a.cfg.Store), a.cfg.Directory()}, to: a.place}
	broken := g.gather(ctx)
	if g.failed || ctx.Err() != nil {
		return false, errors.Join(broken, ctx.Err())
	}
	if g.to > a.place { // what came before a break in the ledger is decided all the same
		if err := a.commit(ctx, &g); err != nil {
			return false, err
		}
	}
	if gap, ok := errors.AsType[*eventlog.GapError](broken); ok {
		return true, a.passLost(ctx, gap)
	}
	return g.events >= a.stepEvents, broken
}

func (a *Attributor) commit(ctx context.Context, g *gathering) error {
	step := g.ahead.step(a.place, g.to, g.at.Add(-rememberFor-forgetMargin))
	committed := make(chan error, 1)
	go func() { committed <- a.cfg.Store.CommitHistory(ctx, step) }()
	if g.events >= a.stepEvents { // there is more
		a.incoming.readAhead(ctx, a.stepEvents)
	}
	if err := <-committed; err != nil {
		return fmt.Errorf("write the history of batches %d to %d: %w", a.place+1, g.to, err)
	}
	a.place = g.to
	a.decided(g)
	if a.cfg.Delivered != nil && len(step.Deliveries) > 0 {
		a.cfg.Delivered(step.Deliveries)
	}
	return nil
}

// decided tells everyone who wants to know of a step that is committed.
func (a *Attributor) decided(g *gathering) {
	a.reached.Store(a.place)
	a.events.Add(int64(g.events))
	if g.skipped > 0 && a.skipped.Add(int64(g.skipped)) == int64(g.skipped) {
		a.cfg.Logger.Warn("the ledger holds lines that are no event this version knows; nothing is decided of them (later ones are in the metrics only)",
			"lines", g.skipped, "batch", g.firstSkip, "error", g.skipErr)
	}
	a.waiters.tell(g.ahead.newInstalls)
	for _, k := range g.ahead.newDecided { // a refused open changes no installation
		a.waiters.tell([]installKey{k.installKey})
	}
}

// gathering is what one step reads.
type gathering struct {
	hearing
	to        uint64    // last batch that was read
	at        time.Time // when the ledger took it
	events    int
	skipped   int
	firstSkip uint64
	skipErr   error
	failed    bool // the store did not answer: nothing of the step counts
}

// gather hears what follows the place. Its error says why it cannot go on.
func (g *gathering) gather(ctx context.Context) error {
	for g.events < g.stepEvents {
		b, ok, err := g.incoming.next(ctx)
		if err != nil {
			return explainHistory(err)
		}
		if !ok {
			return nil
		}
		for i := range b.lines {
			g.events++
			if err := g.hearLine(ctx, &b.lines[i], b.seq); err != nil {
				g.failed = true
				return fmt.Errorf("decide the events of batch %d: %w", b.seq, err)
			}
		}
		g.to, g.at = b.seq, b.at
		runtime.Gosched() // see smallStep
	}
	return nil
}

// hearLine takes one line. One that cannot be read is skipped, never fatal: it
// would keep everything from being decided that follows.
func (g *gathering) hearLine(ctx context.Context, l *readLine, seq uint64) error {
	switch {
	case l.err != nil:
		g.skip(seq, l.err)
		return nil
	case l.told != nil:
		return g.hear(ctx, l.told)
	case l.platform != nil:
		return g.hearPlatform(ctx, l.platform)
	}
	return g.hearClick(ctx, l.click)
}

func (g *gathering) skip(seq uint64, err error) {
	if g.skipped++; g.skipped == 1 {
		g.firstSkip, g.skipErr = seq, err
	}
}

// hearPlatform keeps what a platform has attributed itself, and tells of it the
// first time. It names nobody, so nothing is decided.
func (g *gathering) hearPlatform(ctx context.Context, c *event.PlatformConversion) error {
	known, err := g.ahead.knowsPlatform(ctx, c)
	if err != nil || known {
		return err
	}
	g.ahead.platform = append(g.ahead.platform, *c)
	g.tell(News{Platform: c})
	return nil
}

// hearClick files a click or an impression.
func (g *gathering) hearClick(ctx context.Context, c *event.Click) error {
	if c.Bot != "" || c.State != event.Live {
		return nil
	}
	l, err := g.links.read(ctx, c.Link)
	if err != nil {
		return err
	}
	t, ok := g.touchOf(c, l, g.directory)
	if ok && (c.OfServer() || c.Route == event.OpenedRoute) { // such reports are repeated; the first one stays
		var again bool
		again, err = g.ahead.knows(ctx, &t)
		ok = !again
	}
	if !ok || err != nil {
		return err
	}
	g.ahead.addTouch(t)
	g.countClick(&t.Touchpoint)
	if g.cfg.Outbox != nil {
		g.tell(News{Click: c, Touch: &t})
	}
	return nil
}

// openReader places a reader after what the store has.
func (a *Attributor) openReader(ctx context.Context) error {
	if a.incoming.reader != nil {
		return nil
	}
	place, err := a.cfg.Store.Place(ctx, History)
	if err != nil {
		return fmt.Errorf("read how far the history is: %w", err)
	}
	r, err := a.cfg.Ledger.Read(ctx, place+1)
	if gap, ok := errors.AsType[*eventlog.GapError](err); ok {
		if err := a.pass(ctx, gap); err != nil {
			return err
		}
		place = gap.To
		r, err = a.cfg.Ledger.Read(ctx, place+1)
	}
	if err != nil {
		return explainHistory(err)
	}
	a.incoming.reader, a.place = r, place
	a.reached.Store(place)
	a.waiters.tellAll() // a commit that seemed to fail may have been kept
	return nil
}

func (a *Attributor) dropReader() {
	a.incoming.close()
}

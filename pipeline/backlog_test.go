package pipeline

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/internal/fault"
	"waypost/internal/uid"
)

// TestIsTold: a click that the ledger held when the process began is known, even
// if it was not decided yet; one that is another's is not.
func TestIsTold(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	c := p.touched(noon, func(c *event.Click) {
		c.Route, c.Host, c.Template, c.Query = event.ServerRoute, "", "", event.AppParam+"=7"
	})
	a := p.attributor()
	type answer struct {
		told bool
		err  error
	}
	asked := make(chan answer)
	go func() {
		told, err := a.IsTold(t.Context(), c.ID, noon.Add(time.Hour))
		asked <- answer{told, err}
	}()
	p.ok(a.CatchUp(t.Context()))
	if got := <-asked; !got.told || got.err != nil {
		t.Errorf("got %+v", got)
	}
	f := func(name string, id uid.Click, at time.Time, want bool) {
		t.Helper()
		if told, err := p.attributor().IsTold(t.Context(), id, at); told != want || err != nil {
			t.Errorf("%s: got %v, %v", name, told, err)
		}
	}
	f("after a restart", c.ID, noon, true)
	f("a month later", c.ID, noon.Add(rememberFor), true)
	f("after it", c.ID, noon.Add(rememberFor+time.Second), false)
	f("another", c.ID+1, noon, false)
}

// TestBacklogIsNotWaitedForWithoutEnd: while somebody has waited for too long,
// nobody else waits; who waits already is let go with him.
func TestBacklogIsNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r reach
		hurried := 0
		f := func(name string, to uint64, passed bool, want time.Duration) {
			t.Helper()
			began := time.Now()
			if got, err := r.wait(t.Context(), to, func() { hurried++ }); got != passed || err != nil || time.Since(began) != want {
				t.Errorf("%s: %v, %v after %v, want %v after %v", name, got, err, time.Since(began), passed, want)
			}
		}
		r.Store(6)
		f("nothing to wait for", 6, true, 0)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.wait(gone, 7, func() {}); err == nil {
			t.Error("who is gone is answered")
		}
		time.AfterFunc(time.Second, func() { r.Store(7) })
		f("it comes", 7, true, time.Second)
		var others sync.WaitGroup
		others.Go(func() {
			time.Sleep(time.Second)
			if passed, err := r.wait(t.Context(), 8, func() {}); passed || err != nil {
				t.Errorf("another: %v, %v", passed, err)
			}
		})
		began := time.Now()
		f("it does not come", 9, false, backlogWait)
		others.Wait()
		if took := time.Since(began); took != backlogWait {
			t.Errorf("another waited until %v", took)
		}
		f("again", 9, false, 0)
		f("something else", 20, false, 0)
		f("what is there", 7, true, 0)
		r.Store(9)
		f("it has come", 9, true, 0)
		time.AfterFunc(time.Second, func() { r.Store(10) })
		f("the next one", 10, true, time.Second)
		if hurried == 0 {
			t.Error("nobody was told to hurry")
		}
	})
}

// TestRefusalInTheBacklogIsNotOverlooked: what the ledger held when the process
// began, and what is before a mark, is decided before it is said that somebody
// has forbidden nothing.
func TestRefusalInTheBacklogIsNotOverlooked(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	refuse := func(install string) {
		p.told(event.ConsentKind, install, noon, func(t *event.Told) { t.Consent = &event.Consent{Measurement: "no"} })
	}
	f := func(name string, a *Attributor, install string, mark uint64, want attribution.Answer, fails bool) {
		t.Helper()
		got, err := a.ReadConsent(t.Context(), androidApp, install, mark, noon)
		if got.Measurement != want || fault.Is(err, fault.Unavailable) != fails || !fails && err != nil {
			t.Errorf("%s: %q, %v", name, got.Measurement, err)
		}
	}
	f("an empty ledger", p.attributor(), "device-1", 0, "", false)
	refuse("device-1")
	a := p.attributor()
	a.reached.giveUp(a.backlog.Load()) // somebody has waited for long enough
	f("a start", a, "device-1", 0, "", true)
	f("a start, and somebody else", a, "device-2", 0, "", true)
	asked := make(chan attribution.Consent)
	b := p.attributor()
	go func() {
		c, err := b.ReadConsent(t.Context(), androidApp, "device-1", 0, noon)
		if err != nil {
			t.Error(err)
		}
		asked <- c
	}()
	p.ok(b.CatchUp(t.Context()))
	if c := <-asked; c.Measurement != attribution.No {
		t.Errorf("who has waited hears %+v", c)
	}
	f("decided", b, "device-1", b.Mark(), attribution.No, false)
	refuse("device-2")
	mark := b.Mark()
	b.reached.giveUp(mark)
	if b.HasPassed(mark) {
		t.Error("a mark is passed that nothing was decided before")
	}
	f("whom no mark asks about", b, "device-1", 0, attribution.No, false)
	f("a mark ahead", b, "device-2", mark, "", true)
	p.ok(b.CatchUp(t.Context()))
	f("a mark behind", b, "device-2", mark, attribution.No, false)
	p.ok(b.Rebuild(t.Context()))
	b.reached.giveUp(mark)
	f("made anew", b, "device-2", 0, "", true)
	b.stepEvents = 1
	_, err := b.step(t.Context())
	p.ok(err)
	f("made anew up to the first", b, "device-2", 0, "", true)
	p.ok(b.CatchUp(t.Context()))
	f("made anew and decided", b, "device-2", 0, attribution.No, false)
}

package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"waypost/event"
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

// TestBacklogIsNotWaitedForWithoutEnd: who has waited for too long lets all
// others through.
func TestBacklogIsNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBacklog(7)
		took := func() time.Duration {
			began := time.Now()
			if err := b.wait(t.Context(), backlogWait); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		b.reach(6)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.wait(gone, backlogWait); err == nil {
			t.Error("who is gone is answered")
		}
		if first, second := took(), took(); first != backlogWait || second != 0 {
			t.Errorf("waited %v, then %v", first, second)
		}
		b.reach(7)
	})
}

package pipeline

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"waypost/event"
	"waypost/link"
	"waypost/report"
)

// linkFor stores a link that was made at noon and lives for ttl.
func (w *world) linkFor(code string, ttl time.Duration, renew bool) *link.Link {
	w.Helper()
	l := &link.Link{
		Account: 1, Dialect: link.OneLink, Template: "A1b3", Code: code, Path: link.TemplatePath("A1b3", code), Source: link.SourceV2,
		Data: json.RawMessage(`{}`), TTL: ttl, Renew: renew, ExpiresAt: noon.Add(ttl), CreatedAt: noon, UpdatedAt: noon,
	}
	taken, err := w.store.CreateLinks(w.Context(), []*link.Link{l}, noon)
	w.ok(err)
	if taken[0] != link.Free {
		w.Fatalf("%s is taken", code)
	}
	return l
}

// on returns a click of a link so long after noon.
func (w *world) on(l *link.Link, after time.Duration, bot string) event.Click {
	c := w.clickSomehow()
	c.Kind, c.Link, c.At, c.Bot = event.ClickKind, l.ID, noon.Add(after).UnixMilli(), bot
	return c
}

func (w *world) expires(l *link.Link, after time.Duration) {
	w.Helper()
	got, err := w.store.ReadLink(w.Context(), l.Path)
	w.ok(err)
	if want := noon.Add(after); !got.ExpiresAt.Equal(want) {
		w.Errorf("%s expires at %s, want %s", l.Code, got.ExpiresAt, want)
	}
}

// told keeps what Renewed was told.
type told struct {
	mu  sync.Mutex
	all map[link.Path]time.Duration // expiry after noon
}

func (t *told) to(cfg *Config) {
	cfg.Renewed = func(links []report.Renewed) {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, l := range links {
			t.all[l.Path] = l.ExpiresAt.Sub(noon)
		}
	}
}

// expect fails unless Renewed was told just this since the last call.
func (t *told) expect(w *world, want map[link.Path]time.Duration) {
	w.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !maps.Equal(t.all, want) {
		w.Errorf("told %v, want %v", t.all, want)
	}
	clear(t.all)
}

// TestRenewals: a person's click of a live link that renews moves its expiry
// to the click plus the link's time, never backwards, and is told.
func TestRenewals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const ttl = 10 * time.Hour
	renews, botted, stays := w.linkFor("renews", ttl, true), w.linkFor("botted", ttl, true), w.linkFor("stays", ttl, false)
	untouched := w.linkFor("untouched", ttl, true)
	expired := w.on(untouched, time.Hour, "")
	expired.Link, expired.State, expired.Code = 0, event.Expired, untouched.Code // the template alone decided
	viewed := w.on(untouched, time.Hour, "")
	viewed.Kind = event.ImpressionKind
	told := told{all: map[link.Path]time.Duration{}}
	c := w.counter(told.to)

	w.append(w.on(renews, 2*time.Hour, ""), w.on(renews, time.Hour, ""), w.on(botted, time.Hour, "crawler:Googlebot"), w.on(stays, time.Hour, ""), expired, viewed)
	w.ok(c.CatchUp(t.Context()))
	told.expect(w, map[link.Path]time.Duration{renews.Path: ttl + 2*time.Hour})
	all := func() {
		t.Helper()
		w.expires(renews, ttl+2*time.Hour)
		w.expires(botted, ttl)
		w.expires(stays, ttl)
		w.expires(untouched, ttl)
	}
	all()

	w.append(w.on(renews, time.Hour, "")) // appended late
	w.append(w.on(renews, 30*time.Hour, "crawler:Googlebot"))
	w.ok(c.CatchUp(t.Context()))
	told.expect(w, map[link.Path]time.Duration{})
	all()

	// Counts made anew, with a rest to be counted by steps.
	w.corrupt(w.state().Last+1, report.Counts{{Account: 99}: 1})
	w.append(w.on(renews, time.Hour, ""))
	_, err := c.Verify(t.Context(), true)
	w.ok(err)
	w.exact(w.clicks)
	all()

	// A step that a crash took the answer of has renewed, too.
	w.append(w.on(renews, 4*time.Hour, ""))
	if err := w.counter(told.to, planned("step", failedButKept)).CatchUp(t.Context()); err == nil {
		t.Fatal("no error")
	}
	w.ok(w.counter(told.to).CatchUp(t.Context()))
	w.expires(renews, ttl+4*time.Hour)

	// The whole ledger once more, in other steps than at first.
	w.ok(w.store.ResetProjection(t.Context(), Counts))
	c = w.counter(told.to)
	c.stepEvents = 1
	w.ok(c.CatchUp(t.Context()))
	w.exact(w.clicks)
	told.expect(w, map[link.Path]time.Duration{})
	w.expires(renews, ttl+4*time.Hour)
	w.expires(botted, ttl)
}

// TestRenewalsOfAHistory compares with a rule applied click by click, whatever
// the steps are.
func TestRenewalsOfAHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var links []*link.Link
	want := map[*link.Link]time.Duration{}
	for _, code := range []string{"a", "b", "c", "d"} {
		l := w.linkFor(code, time.Duration(1+w.random.IntN(4))*time.Hour, w.random.IntN(4) > 0)
		links = append(links, l)
		want[l] = l.TTL
	}
	c := w.counter()
	for minute := range 300 {
		l := links[w.random.IntN(len(links))]
		at := time.Duration(minute) * time.Minute
		live := at < want[l]
		if !live {
			continue // the door would not say that it is the link's
		}
		bot := ""
		if w.random.IntN(3) == 0 {
			bot = "monitor:probe"
		} else if l.Renew {
			want[l] = max(want[l], at+l.TTL)
		}
		w.append(w.on(l, at, bot))
		if w.random.IntN(5) == 0 {
			// As the door sees it: counted within seconds.
			w.ok(c.CatchUp(t.Context()))
		}
	}
	w.ok(c.CatchUp(t.Context()))
	for _, l := range slices.Backward(links) {
		w.expires(l, want[l])
	}
}

package manage_test

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/manifest"
	"waypost/manage/memorystore"
)

// start is when the fixtures' clock begins: the last second of a month of UTC
// is half a minute away.
var start = time.Date(2026, 11, 30, 23, 59, 30, 0, time.UTC)

// fixture is a service over the memory store with the accounts of acme.yaml
// and a clock that moves when it is told to.
type fixture struct {
	*manage.Service
	t     *testing.T
	store *memorystore.Store

	mu       sync.Mutex
	clock    time.Time
	changed  []link.Path
	reloaded int
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureOver(t, memorystore.New(), nil)
}

// newFixtureOver lets a test put its own store in front of the memory store.
func newFixtureOver(t *testing.T, store *memorystore.Store, front func(manage.Store) manage.Store) *fixture {
	t.Helper()
	f := &fixture{t: t, store: store, clock: start}
	var facing manage.Store = store
	if front != nil {
		facing = front(store)
	}
	s, err := manage.New(t.Context(), manage.Config{
		Store:    facing,
		Now:      f.now,
		Changed:  func(paths []link.Path) { f.changed = append(f.changed, paths...) },
		Reloaded: func(*link.Directory) { f.reloaded++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Service = s
	if _, err := s.Apply(t.Context(), acme(t)); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = f.clock.Add(d)
}

// acme reads the example that is a contract.
func acme(t testing.TB) manifest.File {
	t.Helper()
	return parsed(t, "acme.yaml", acmeText(t))
}

func acmeText(t testing.TB) string {
	t.Helper()
	src, err := os.ReadFile("../examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// apply applies acme.yaml with every old text replaced by the one after it.
func (f *fixture) apply(edits ...string) {
	f.t.Helper()
	src := acmeText(f.t)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(src, edits[i]) {
			f.t.Fatalf("acme.yaml has no %q", edits[i])
		}
		src = strings.Replace(src, edits[i], edits[i+1], 1)
	}
	if _, err := f.Apply(f.t.Context(), parsed(f.t, "edited.yaml", src)); err != nil {
		f.t.Fatal(err)
	}
}

func parsed(t testing.TB, name, src string) manifest.File {
	t.Helper()
	f, err := manifest.Parse(name, []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// crossing notices when two come in at once. Each gives the others every chance.
type crossing struct{ inside, met atomic.Int32 }

func (c *crossing) pass() {
	if c.inside.Add(1) > 1 {
		c.met.Add(1)
	}
	for range 100 {
		runtime.Gosched()
	}
	c.inside.Add(-1)
}

func (f *fixture) actor(secret string) manage.Actor {
	f.t.Helper()
	a, err := f.Authenticate(secret)
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

func (f *fixture) admin() manage.Actor { return f.actor("acme-admin-token") }

// wish is a valid new link of the template A1b3.
func wish(code string) manage.NewLink {
	return manage.NewLink{
		Dialect: link.OneLink, Template: "A1b3", Code: code, Data: json.RawMessage(`{"pid":"x"}`),
		TTL: 24 * time.Hour, Renew: true, Source: link.SourceV2,
	}
}

func (f *fixture) create(n manage.NewLink) link.Link {
	f.t.Helper()
	l, _, err := f.CreateLink(f.t.Context(), f.admin(), n)
	if err != nil {
		f.t.Fatal(err)
	}
	return l
}

// refused checks the parts of a fault that dialects look at.
func refused(t *testing.T, err error, kind fault.Kind, field string, reason fault.Reason) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %v %s %s", kind, field, reason)
	}
	got := fault.As(err)
	if got.Kind != kind || got.Field != field || got.Reason != reason {
		t.Errorf("got %v field %q reason %q (%v), want %v field %q reason %q", got.Kind, got.Field, got.Reason, err, kind, field, reason)
	}
}

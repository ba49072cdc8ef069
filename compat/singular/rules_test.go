package singular_test

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/memorystore"
	"waypost/report"
)

// testStore is the store in memory behind the rules of a test. It remembers the
// link that was written last, with its target hosts, which no store reads
// back, and can be broken.
type testStore struct {
	*memorystore.Store
	broken    error // what every call about links fails with
	uncounted error // what counting fails with
	dawdles   int   // times that others go first before links are made

	mu      sync.Mutex
	written link.Link
}

func (s *testStore) wrote(l *link.Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = *l
}

func (s *testStore) lastWritten() link.Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

func (s *testStore) CreateLinks(ctx context.Context, links []*link.Link, now time.Time) ([]link.Taken, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	for range s.dawdles {
		runtime.Gosched()
	}
	taken, err := s.Store.CreateLinks(ctx, links, now)
	s.wrote(links[len(links)-1])
	return taken, err
}

func (s *testStore) UpdateLink(ctx context.Context, l *link.Link) error {
	s.wrote(l)
	return cmp.Or(s.broken, s.Store.UpdateLink(ctx, l))
}

func (s *testStore) ListLinks(ctx context.Context, f link.Filter) ([]link.Link, error) {
	links, err := s.Store.ListLinks(ctx, f)
	return links, cmp.Or(s.broken, err)
}

func (s *testStore) TakeUsage(ctx context.Context, u report.Usage, limit link.Limit) (int64, bool, error) {
	if s.uncounted != nil {
		return 0, false, s.uncounted
	}
	return s.Store.TakeUsage(ctx, u, limit)
}

// given are rules over a store in memory, with the accounts of an apply file.
type given struct {
	*manage.Service
	store *testStore
	clock *compattest.Clock
}

func rulesOf(t testing.TB, name string, text []byte) *given {
	t.Helper()
	g := &given{store: &testStore{Store: memorystore.New()}, clock: compattest.NewClock(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))}
	rules, err := manage.New(t.Context(), manage.Config{Store: g.store, Now: g.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	g.Service = rules
	compattest.Apply(t, rules, name, text)
	return g
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// acmeRules are the rules with the accounts of the example that is a contract.
func acmeRules(t testing.TB) *given {
	t.Helper()
	return rulesOf(t, "acme.yaml", readFile(t, "../../examples/acme.yaml"))
}

// caseRules brings about what a case gives.
func caseRules(t testing.TB, c compattest.Given) *given {
	t.Helper()
	if len(c.Links) > 0 {
		t.Fatal("cases make their links by the API")
	}
	return rulesOf(t, c.Setup, compattest.Setup(t, c))
}

package onelink_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/memorystore"
	"waypost/report"
)

// goldenStore is the store in memory behind the rules of a test. It remembers
// the link that was written last, with its target hosts, which no store reads
// back, and can be broken.
type goldenStore struct {
	*memorystore.Store
	broken error // what every call about links and counters fails with

	mu      sync.Mutex
	written link.Link
}

func (s *goldenStore) wrote(l *link.Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = *l
	s.written.TargetHosts = slices.Clone(l.TargetHosts)
}

func (s *goldenStore) lastWritten() link.Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

func (s *goldenStore) CreateLinks(ctx context.Context, links []*link.Link, now time.Time) ([]link.Taken, error) {
	taken, err := s.Store.CreateLinks(ctx, links, now)
	s.wrote(links[len(links)-1])
	return taken, cmp.Or(s.broken, err)
}

func (s *goldenStore) UpdateLink(ctx context.Context, l *link.Link) error {
	s.wrote(l)
	return cmp.Or(s.broken, s.Store.UpdateLink(ctx, l))
}

func (s *goldenStore) ReadLink(ctx context.Context, path link.Path) (link.Link, error) {
	l, err := s.Store.ReadLink(ctx, path)
	return l, cmp.Or(s.broken, err)
}

func (s *goldenStore) ReadUsage(ctx context.Context, account link.AccountID, from, to report.Day) ([]report.Usage, error) {
	usage, err := s.Store.ReadUsage(ctx, account, from, to)
	return usage, cmp.Or(s.broken, err)
}

// goldenRules are the management rules with the set-up of testdata/golden.yaml.
func goldenRules(t testing.TB) (*manage.Service, *goldenStore) {
	t.Helper()
	return givenRules(t, compattest.Given{Setup: "golden"})
}

// givenRules brings about what a case gives.
func givenRules(t testing.TB, given compattest.Given) (*manage.Service, *goldenStore) {
	t.Helper()
	store := &goldenStore{Store: memorystore.New()}
	rules, err := manage.New(t.Context(), manage.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	compattest.Apply(t, rules, given.Setup, compattest.Setup(t, given))
	for _, g := range given.Links {
		view := rules.Directory().Template(link.TemplateID(g.Template))
		if view == nil {
			t.Fatalf("unknown template %q", g.Template)
		}
		l, err := g.Link(view.Account, link.OneLink, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.CreateLinks(t.Context(), []*link.Link{&l}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return rules, store
}

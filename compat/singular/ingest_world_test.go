package singular_test

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/compat/compattest"
	"waypost/compat/singular"
	"waypost/event"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/internal/fault"
	"waypost/link"
)

// intake is everything that hears S2S requests.
type intake struct {
	rules     *given
	ledger    *ingesttest.Ledger
	decisions *ingesttest.Decisions
	service   *ingest.Service
	config    singular.IngestConfig
}

func newIntake(t testing.TB, rules *given) *intake {
	t.Helper()
	w := &intake{rules: rules, ledger: &ingesttest.Ledger{}, decisions: ingesttest.NewDecisions()}
	w.service = ingest.New(ingest.Config{Directory: rules.Directory, Ledger: w.ledger, Decisions: w.decisions, Now: rules.clock.Now})
	w.config = singular.IngestConfig{
		Intake: w.service, Links: storedLinks{rules.store}, Directory: rules.Directory, Now: rules.clock.Now, Wait: 20 * time.Millisecond,
		Address: func(*http.Request) netip.Addr { return netip.MustParseAddr("198.51.100.7") },
	}
	return w
}

// serve starts the Links API and the S2S endpoints on one listener.
func (w *intake) serve(t testing.TB) (base string) {
	t.Helper()
	links := singular.NewAPI(singular.Config{Rules: w.rules})
	told := singular.NewIngest(w.config)
	return compattest.Serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case singular.OwnsIngest(r.URL.Path):
			told.ServeHTTP(rw, r)
		case singular.Owns(r.URL.Path):
			links.ServeHTTP(rw, r)
		default:
			http.NotFound(rw, r)
		}
	}))
}

// storedLinks are the store's, which can be broken.
type storedLinks struct{ *testStore }

func (s storedLinks) ReadLink(ctx context.Context, path link.Path) (link.Link, error) {
	if s.broken != nil {
		return link.Link{}, &fault.Error{Kind: fault.Unavailable, Err: s.broken}
	}
	return s.Store.ReadLink(ctx, path)
}

func (s storedLinks) KnowsTargetHost(context.Context, link.AccountID, string) (bool, error) {
	return false, s.broken
}

// decide says that a touch, an hour ago, earned an installation, whose deep link
// is told for an hour more.
func (w *intake) decide(i history.Installation, t history.Touch) {
	t.At = w.rules.clock.Now().Add(-time.Hour)
	i.Credit, i.LinkUntil = &attribution.Credit{Match: attribution.Match{Touch: t.ID, At: t.At}}, t.At.Add(2*time.Hour)
	w.decisions.Decide(i, t)
}

// refusals is how many refused requests were counted.
func (w *intake) refusals() (n uint64) {
	for _, of := range w.service.Stats().Refused {
		n += of
	}
	return n
}

// last is the newest of what apps told.
func (w *intake) last(t testing.TB) event.Told {
	t.Helper()
	all, _ := w.ledger.All(t)
	if len(all) == 0 {
		t.Fatal("nothing is in the ledger")
	}
	return all[len(all)-1]
}

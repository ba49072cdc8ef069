// Package storetest is the conformance suite of stores: every driver passes
// it, so the rules above may rely on every sentence of the contracts.
package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

// Store is everything that a driver offers to the rest of the program.
type Store interface {
	manage.Store
	Projections
	Counts
	History

	// KnowsTargetHost reports whether a link of the account that was ever
	// stored points to the host.
	KnowsTargetHost(ctx context.Context, account link.AccountID, host string) (bool, error)
	// ReadLinkByID is ReadLink by id.
	ReadLinkByID(ctx context.Context, id link.LinkID) (link.Link, error)
	// Ping reports whether the store can be read.
	Ping(ctx context.Context) error
	// Close ends the store; calls that come later fail.
	Close() error
}

// Projections is what readers of the ledger need.
type Projections interface {
	// Place is the sequence that the projection has committed; zero when it never ran.
	Place(ctx context.Context, name report.Projection) (uint64, error)
	// CommitStep adds counts, applies renewals and moves the place in one
	// transaction; Conflict when the place is not Step.From. One projection
	// alone may bring counts.
	CommitStep(ctx context.Context, step report.Step) ([]report.Renewed, error)
	// ResetProjection moves the place back to the trimmed place, and the
	// counts, for their owner, back to the baseline.
	ResetProjection(ctx context.Context, name report.Projection) error
	// TrimmedTo is the sequence up to which batches have left the ledger.
	TrimmedTo(ctx context.Context, name report.Projection) (uint64, error)
	// CommitTrim adds counts to the baseline and moves the trimmed place;
	// Conflict when it is not Step.From, or Step.To lies past the place.
	CommitTrim(ctx context.Context, step report.Step) error
}

// Counts is what reports need.
type Counts interface {
	EachCount(ctx context.Context, baseline bool, fn func(report.Key, int64) error) error
	SumCounts(ctx context.Context, q report.Query) ([]report.Row, error)
}

// Run runs the suite. open returns an empty store that the test closes; it is
// called many times, from parallel tests.
func Run(t *testing.T, open func(t *testing.T) Store) {
	suites := []struct {
		name  string
		tests map[string]func(*testing.T, Store)
	}{
		{"catalog", catalogTests}, {"links", linkTests}, {"listings", listingTests}, {"campaigns", campaignTests}, {"expiry", expiryTests}, {"usage", usageTests},
		{"steps", stepTests}, {"renewals", renewalTests}, {"trim", trimTests}, {"sums", sumTests}, {"concurrent", concurrentTests},
		{"history", historyTests},
	}
	for _, suite := range suites {
		t.Run(suite.name, func(t *testing.T) {
			t.Parallel()
			for name, test := range suite.tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s := open(t)
					defer func() { f{t}.ok(s.Close()) }()
					test(t, s)
				})
			}
		})
	}
}

// now is when every test happens.
var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// f is a test with checks that end it.
type f struct{ *testing.T }

func (t f) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t f) kind(err error, want fault.Kind) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Fatalf("got error %v, want one of kind %s", err, want)
	}
}

func (t f) is(got, want any, what string, args ...any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Fatalf("%s: got %s, want %s", fmt.Sprintf(what, args...), g, w)
	}
}

// newLink returns a link that does not expire.
func newLink(code string) *link.Link {
	return &link.Link{
		Account: 1, Dialect: link.OneLink, Template: "A1b3", Code: code, Path: link.TemplatePath("A1b3", code),
		Source: link.SourceV2, Brand: "brand.test", Data: json.RawMessage(`{"pid":"mail"}`), CreatedAt: now, UpdatedAt: now,
	}
}

// lasting returns a link that expires ttl after now.
func lasting(code string, ttl time.Duration) *link.Link {
	l := newLink(code)
	l.TTL, l.ExpiresAt = ttl, now.Add(ttl)
	return l
}

// create stores links that must find their paths free.
func (t f) create(s Store, links ...*link.Link) {
	t.Helper()
	taken, err := s.CreateLinks(t.Context(), links, now)
	t.ok(err)
	t.is(taken, make([]link.Taken, len(links)), "taken")
}

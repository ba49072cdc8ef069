package smartlinks_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/compat/smartlinks"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/manage"
	"waypost/manage/memorystore"
	"waypost/report"
)

// tally is what was counted, as a test says.
type tally struct {
	mu     sync.Mutex
	rows   []report.Row
	broken error
}

func (c *tally) SumCounts(_ context.Context, q report.Query) ([]report.Row, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if want := []report.Dimension{report.ByLink, report.ByTracker}; !slices.Equal(q.GroupBy, want) || q.Limit != 0 {
		panic("the API asks for other sums")
	}
	var rows []report.Row
	for _, row := range c.rows {
		if row.Key.Account == q.Account && row.Key.Metric == q.Metric && slices.Contains(q.Links, row.Key.Link) {
			rows = append(rows, report.Row{Key: report.Key{Link: row.Key.Link, Tracker: row.Key.Tracker}, Count: row.Count})
		}
	}
	return rows, c.broken
}

// server starts both APIs alone, over the management rules and a store in
// memory, with a ledger of which nothing is concluded.
type server struct{}

func (server) Start(t *testing.T, given compattest.Given) compattest.Target {
	if len(given.Links) > 0 {
		t.Fatal("SmartLinks are made by the API")
	}
	rules := givenRules(t, given)
	core := ingest.New(ingest.Config{Directory: rules.Directory, Ledger: &ingesttest.Ledger{}, Decisions: undecided(t)})
	links := smartlinks.NewAPI(smartlinks.Config{Rules: rules, Counts: &tally{}})
	reports := smartlinks.NewIngest(smartlinks.IngestConfig{Intake: core, Directory: rules.Directory})
	return compattest.Target{API: compattest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if smartlinks.OwnsIngest(r.URL.EscapedPath()) {
			reports.ServeHTTP(w, r)
			return
		}
		links.ServeHTTP(w, r)
	}))}
}

func serve(t testing.TB, c smartlinks.Config) (base string) {
	t.Helper()
	return compattest.Serve(t, smartlinks.NewAPI(c))
}

// givenRules brings about what a case gives.
func givenRules(t testing.TB, given compattest.Given) *manage.Service {
	t.Helper()
	rules, err := manage.New(t.Context(), manage.Config{Store: memorystore.New(), Now: ticking()})
	if err != nil {
		t.Fatal(err)
	}
	compattest.Apply(t, rules, given.Setup, compattest.Setup(t, given))
	return rules
}

// ticking is a clock of its own for each server, by which nothing happens in
// the same millisecond, and a case with a limit of calls per second is over
// within one, however slow the machine.
func ticking() func() time.Time {
	var mu sync.Mutex
	now := time.Now()
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Millisecond)
		return now
	}
}

func TestExemplary(t *testing.T) {
	t.Parallel()
	compattest.Run(t, "testdata/exemplary", server{})
}

func TestSupplemental(t *testing.T) {
	t.Parallel()
	compattest.Run(t, "testdata/supplemental", server{})
}

func TestReports(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"exemplary", "supplemental"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			compattest.Run(t, "testdata/"+dir+"/reports", server{})
		})
	}
}

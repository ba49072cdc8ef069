package pipeline

import (
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"waypost/event"
	"waypost/eventlog"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/report"
	"waypost/store/sqlitestore"
)

// noon, yesterday's, is when the tests' clicks happen, give or take some days.
// It moves with the clock, because what a ledger was told more than a month ago
// is forgotten.
var noon = time.Now().UTC().Truncate(24 * time.Hour).Add(-12 * time.Hour)

// world is a real ledger and a real store in a folder, and what was appended.
type world struct {
	testing.TB
	dir    string
	random *rand.Rand
	ledger *eventlog.Log
	store  *sqlitestore.Store
	log    logBook
	clicks []event.Click // whose Append has returned
}

// nextSeed numbers the worlds of a test, so that a run of the tests has the same
// pasts as every other one: what is random in them must not decide by chance
// whether a build passes. -count=20 goes through 20 times as many; SEED_FROM sets the
// first number.
func nextSeed(t testing.TB) uint64 {
	t.Helper()
	first := uint64(0)
	if text := os.Getenv("SEED_FROM"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SEED_FROM=%q is no number", text)
		}
		first = n
	}
	worlds.Lock()
	defer worlds.Unlock()
	worlds.of[t.Name()]++
	return first + worlds.of[t.Name()]
}

// worlds counts those that each test has made.
var worlds = struct {
	sync.Mutex
	of map[string]uint64
}{of: map[string]uint64{}}

func newWorld(t testing.TB) *world {
	t.Helper()
	seed := nextSeed(t)
	t.Logf("seed %d of %s", seed, t.Name())
	name := fnv.New64a()
	_, _ = name.Write([]byte(t.Name()))
	w := &world{TB: t, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, name.Sum64()))}
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) open() {
	w.Helper()
	var err error
	w.ledger, err = eventlog.Open(w.Context(), eventlog.Config{Dir: filepath.Join(w.dir, "ledger"), MaxWait: 20 * time.Second})
	w.ok(err)
	w.store, err = sqlitestore.Open(w.Context(), sqlitestore.Config{Path: filepath.Join(w.dir, "waypost.db")})
	w.ok(err)
}

func (w *world) close() {
	w.Helper()
	w.ok(w.ledger.Close())
	w.ok(w.store.Close())
}

func (w *world) reopen() {
	w.Helper()
	w.close()
	w.open()
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// counter returns a new one, as after a start of the process.
func (w *world) counter(changes ...func(*Config)) *Counter {
	w.Helper()
	c, err := w.tryCounter(changes...)
	w.ok(err)
	return c
}

func (w *world) tryCounter(changes ...func(*Config)) (*Counter, error) {
	cfg := Config{Store: w.store, Ledger: w.ledger, Logger: slog.New(slog.NewTextHandler(&w.log, nil))}
	for _, change := range changes {
		change(&cfg)
	}
	return NewCounter(w.Context(), cfg)
}

// clickSomehow returns a click that differs from others in everything counted.
func (w *world) clickSomehow() event.Click {
	r := w.random
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	platforms := append(device.Platforms(), device.Unknown)
	c := event.Click{
		ID: uid.NewClick(), At: noon.Add(time.Duration(r.IntN(96)-48) * time.Hour).UnixMilli(), Account: link.AccountID(1 + r.IntN(3)),
		Dialect: link.OneLink, Link: link.LinkID(r.IntN(6)), Template: link.TemplateID(pick("A1b3", "a1b3", "long", "")), Host: "acme.localhost",
		Route: pick("web", "ios-store", `quo"ted`, "größe", "nul\x00", ""), Platform: platforms[r.IntN(len(platforms))],
		Country: pick("", "DE", "US", "de"), Agent: `Mozilla "5.0"`, Query: "pid=a%20b",
	}
	if r.IntN(4) == 0 {
		c.Bot = "crawler:Googlebot"
	}
	if r.IntN(4) == 0 {
		c.Kind = event.ImpressionKind
	}
	return c
}

// click appends so many clicks, in bursts that share batches.
func (w *world) click(n int) {
	w.Helper()
	for n > 0 {
		burst := make([]event.Click, min(n, 1+w.random.IntN(9)))
		for i := range burst {
			burst[i] = w.clickSomehow()
		}
		w.append(burst...)
		n -= len(burst)
	}
}

// append appends clicks at once.
func (w *world) append(clicks ...event.Click) {
	w.Helper()
	var appending sync.WaitGroup
	for i := range clicks {
		appending.Go(func() {
			if err := w.ledger.Append(clicks[i].AppendJSON(nil)); err != nil {
				w.Error(err)
			}
		})
	}
	appending.Wait()
	w.clicks = append(w.clicks, clicks...)
}

// naive counts clicks one by one, from what the test knows of them.
func naive(clicks []event.Click) report.Counts {
	counts := report.Counts{}
	for _, c := range clicks {
		k := report.Key{Account: c.Account, Template: c.Template, Link: c.Link, Route: c.Route, Platform: c.Platform, Country: c.Country,
			Metric: "clicks", Day: report.Day(time.UnixMilli(c.At).UTC().Unix() / 86400)}
		switch {
		case c.Kind == event.ImpressionKind && c.Bot != "":
			k.Metric = "bot_impressions"
		case c.Kind == event.ImpressionKind:
			k.Metric = "impressions"
		case c.Bot != "":
			k.Metric = "bot_clicks"
		}
		counts[k]++
	}
	return counts
}

// counted returns what the store has.
func (w *world) counted() report.Counts {
	w.Helper()
	got := report.Counts{}
	w.ok(w.store.EachCount(w.Context(), false, func(k report.Key, n int64) error {
		got[k] = n
		return nil
	}))
	return got
}

// differences lists the cells in which got differs from want, in no order.
func differences(got, want report.Counts) []report.Difference {
	var out []report.Difference
	for k, n := range want {
		if got[k] != n {
			out = append(out, report.Difference{Key: k, Got: got[k], Want: n})
		}
	}
	for k, n := range got {
		if _, ok := want[k]; !ok && n != 0 {
			out = append(out, report.Difference{Key: k, Got: n})
		}
	}
	return out
}

// exact fails unless the counts are those of the clicks.
func (w *world) exact(clicks []event.Click) {
	w.Helper()
	if diff := differences(w.counted(), naive(clicks)); len(diff) > 0 {
		w.Fatalf("%d cells differ, such as %+v", len(diff), diff[0])
	}
}

// proven fails unless Verify finds no difference in all that was appended.
func (w *world) proven(c *Counter) Report {
	w.Helper()
	r, err := c.Verify(w.Context(), false)
	w.ok(err)
	if len(r.Differences) > 0 || r.More > 0 || r.Repaired || r.To != w.state().Last {
		w.Fatalf("Verify found %d and %d differences up to batch %d of %d, such as %+v", len(r.Differences), r.More, r.To, w.state().Last, r.Differences[:min(1, len(r.Differences))])
	}
	return r
}

// differ fails unless a report lists just the cells that differ between two counts.
func (w *world) differ(r Report, got, want report.Counts) {
	w.Helper()
	expected := map[report.Key]report.Difference{}
	for _, d := range differences(got, want) {
		expected[d.Key] = d
	}
	if len(r.Differences) != len(expected) || len(expected) == 0 || r.More != 0 {
		w.Fatalf("Verify lists %d differences and %d more, want %d", len(r.Differences), r.More, len(expected))
	}
	for _, d := range r.Differences {
		if expected[d.Key] != d {
			w.Errorf("Verify says %+v, want %+v", d, expected[d.Key])
		}
	}
}

func (w *world) state() eventlog.State {
	w.Helper()
	s, err := w.ledger.State(w.Context())
	w.ok(err)
	return s
}

func (w *world) places() (place, trimmed uint64) {
	w.Helper()
	place, err := w.store.Place(w.Context(), Counts)
	w.ok(err)
	trimmed, err = w.store.TrimmedTo(w.Context(), Counts)
	w.ok(err)
	return place, trimmed
}

// logBook keeps what was logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) count(words string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), words)
}

// outcome is what becomes of a write.
type outcome int

const (
	kept outcome = iota
	failedNotKept
	failedButKept
)

var errInjected = errors.New("injected")

// faulty is a store whose writes come out as decide says.
type faulty struct {
	Store
	decide func(ctx context.Context, write string) outcome
}

func (f faulty) do(ctx context.Context, name string, write func() error) error {
	o := f.decide(ctx, name)
	if o == failedNotKept {
		return errInjected
	}
	if err := write(); err != nil {
		return err
	}
	if o == failedButKept {
		return errInjected
	}
	return nil
}

func (f faulty) CommitStep(ctx context.Context, s report.Step) (renewed []report.Renewed, err error) {
	err = f.do(ctx, "step", func() error { renewed, err = f.Store.CommitStep(ctx, s); return err })
	if err != nil {
		return nil, err
	}
	return renewed, nil
}

func (f faulty) CommitTrim(ctx context.Context, s report.Step) error {
	return f.do(ctx, "trim", func() error { return f.Store.CommitTrim(ctx, s) })
}

func (f faulty) ResetProjection(ctx context.Context, p report.Projection) error {
	return f.do(ctx, "reset", func() error { return f.Store.ResetProjection(ctx, p) })
}

// failing makes a counter's store faulty.
func failing(decide func(ctx context.Context, write string) outcome) func(*Config) {
	return func(cfg *Config) { cfg.Store = faulty{cfg.Store, decide} }
}

// planned is failing with the outcomes of one kind of write in turn; others are kept.
func planned(name string, plan ...outcome) func(*Config) {
	var mu sync.Mutex
	return failing(func(_ context.Context, write string) outcome {
		mu.Lock()
		defer mu.Unlock()
		if write != name || len(plan) == 0 {
			return kept
		}
		o := plan[0]
		plan = plan[1:]
		return o
	})
}

// logged waits until words are in the log.
func (w *world) logged(words string) {
	w.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(2 * time.Minute); w.log.count(words) == 0; {
		select {
		case <-tick.C:
		case <-late:
			w.Fatalf("%q is never logged", words)
		}
	}
}

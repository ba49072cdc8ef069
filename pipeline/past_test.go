package pipeline

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/report"
	"waypost/store/sqlitestore"
)

// Apps of the tests' account 1. They are one product.
const (
	androidApp link.AppID = 7
	iosApp     link.AppID = 9
)

const (
	someGAID  = "38400000-8cf0-4bd0-9a1e-10b96e40000d"
	otherGAID = "11111111-2222-4333-8444-555555555555"
)

// past is a world whose ledger holds what apps tell, too.
type past struct {
	*world
	directory *link.Directory
	outbox    func(News) []history.Delivery
	policy    *attribution.Policy // of both apps; nil: their own
}

func newPast(t testing.TB) *past {
	t.Helper()
	d, err := link.NewDirectory(link.Catalog{
		Accounts:  []link.Account{{ID: 1, Key: "acme"}},
		Apps:      []link.App{{ID: androidApp, Account: 1, Platform: device.Android}, {ID: iosApp, Account: 1, Platform: device.IOS}},
		AppGroups: []link.AppGroup{{ID: 3, Account: 1, Apps: []link.AppID{androidApp, iosApp}}},
		Domains:   []link.Domain{{Host: "acme.localhost", Account: 1, BaseURL: "https://acme.localhost"}},
		Templates: []link.Template{{ID: "A1b3", Account: 1, AppGroup: 3, Domain: "acme.localhost"}},
		Partners: []link.Partner{{ID: 5, Account: 1, Name: "Network", ConfiguredFor: []link.PartnerApp{
			{App: androidApp, ClickDeterministic: 2 * time.Hour},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &past{world: newWorld(t), directory: d}
}

// queryToucher reads everything from the clicked query by plain names.
type queryToucher struct{}

func (queryToucher) Name() link.Dialect { return link.OneLink }

func (queryToucher) Touch(t *history.Touch, c *event.Click, _ *link.Link, d *link.Directory) {
	q, _ := url.ParseQuery(c.Query)
	if gaid := q.Get("gaid"); gaid != "" {
		t.DeviceIDs = append(t.DeviceIDs, attribution.DeviceID{Kind: attribution.GAID, Value: gaid})
	}
	t.Source.Name, t.Source.Campaign, t.Source.Site = q.Get("pid"), q.Get("c"), q.Get("site")
	if q.Get("pid") == "network" {
		t.Source.Partner = d.Partner(1, 5).ID
	}
	t.Owned, t.Retargeting = q.Has("owned"), q.Has("retargeting")
	if q.Has("claims") {
		t.Claims = attribution.Claims{Limited: true, Events: q["claims"]}
	}
}

// attributor returns a new one, as after a start of the process.
func (p *past) attributor(changes ...func(*AttributorConfig)) *Attributor {
	p.Helper()
	cfg := AttributorConfig{
		Store: p.store, Ledger: p.ledger, Directory: func() *link.Directory { return p.directory }, Touchers: []Toucher{queryToucher{}},
		Logger: slog.New(slog.NewTextHandler(&p.log, nil)), Outbox: p.outbox,
	}
	for _, change := range changes {
		change(&cfg)
	}
	a, err := NewAttributor(p.Context(), cfg)
	p.ok(err)
	if p.policy != nil {
		a.policies = policies{directory: p.directory, byApp: map[link.AppID]*attribution.Policy{androidApp: p.policy, iosApp: p.policy}}
	}
	return a
}

// catchUp decides all that is in the ledger.
func (p *past) catchUp() *Attributor {
	p.Helper()
	a := p.attributor()
	p.ok(a.CatchUp(p.Context()))
	return a
}

// touched appends a click of the template's long link, made by change.
func (p *past) touched(at time.Time, change func(*event.Click)) event.Click {
	p.Helper()
	c := event.Click{
		Kind: event.ClickKind, ID: uid.NewClick(), At: at.UnixMilli(), Account: 1, Dialect: link.OneLink, Template: "A1b3", Host: "acme.localhost", Route: "android-store",
		Platform: device.Android, OS: "16", Model: "Pixel 10", Country: "DE", IP: "203.0.113.7", Agent: "Mozilla/5.0 (Linux; Android 16; Pixel 10)", Language: "de-DE,de;q=0.9",
	}
	if change != nil {
		change(&c)
	}
	p.ok(p.ledger.Append(c.AppendJSON(nil)))
	return c
}

// told appends what an app tells.
func (p *past) told(kind event.Kind, install string, at time.Time, change func(*event.Told)) event.Told {
	p.Helper()
	t := event.Told{
		Kind: kind, ID: uid.NewClick(), At: at.UnixMilli(), ReceivedAt: at.UnixMilli(), Account: 1, App: androidApp, Install: install, Key: uid.Code(12),
		Platform: device.Android, OS: "16", Model: "Pixel 10", Locale: "de-DE", Country: "DE", IPs: []string{"198.51.100.20"},
	}
	if change != nil {
		change(&t)
	}
	p.tell(t)
	return t
}

// tell appends a told event as it is, once more perhaps.
func (p *past) tell(t event.Told) {
	p.Helper()
	line, err := t.Line()
	p.ok(err)
	p.ok(p.ledger.Append(line))
}

// came sets the referrer that the click's store hands on.
func came(c event.Click) func(*event.Told) {
	return func(t *event.Told) {
		t.First = true
		t.Referrer = &event.Referrer{Click: string(c.ID.AppendToken(nil)) + uid.TokenPadding, ClickAt: c.At}
	}
}

func first(t *event.Told) { t.First = true }

// decided returns the only conversion of an installation that has the kind and, for events, the name. Plain sessions are none.
func (p *past) decided(install string, kind attribution.ConversionKind, name string) history.Decided {
	p.Helper()
	all, err := p.store.ListDecided(p.Context(), androidApp, install, 100)
	p.ok(err)
	var found []history.Decided
	for _, d := range all {
		if plain := d.Decision.Outcome == attribution.Session && d.Decision.Verdict == attribution.Organic; d.Kind == kind && d.Event == name && !plain {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		p.Fatalf("installation %s has %d conversions %s %q, want 1", install, len(found), kind, name)
	}
	return found[0]
}

// credited fails unless the conversion was credited to the click.
func (p *past) credited(d history.Decided, c event.Click, by attribution.Method) {
	p.Helper()
	w := d.Decision.Winner
	if w == nil || w.Touch != c.ID || w.Method != by {
		p.Fatalf("%s: %s, want credit for %s by %s", d.Conversion, strings.Join(d.Decision.Explain(), " "), c.ID, by)
	}
}

func (p *past) verdict(d history.Decided, verdict attribution.Verdict, outcome attribution.Outcome) {
	p.Helper()
	if d.Decision.Verdict != verdict || d.Decision.Outcome != outcome {
		p.Fatalf("%s: %s, want %s %s", d.Conversion, strings.Join(d.Decision.Explain(), " "), verdict, outcome)
	}
}

// sums returns the counts by metric and link.
func (p *past) sums() map[string]int64 {
	p.Helper()
	rows, err := p.store.SumCounts(p.Context(), report.Query{Account: 1, GroupBy: []report.Dimension{report.ByMetric, report.ByLink}})
	p.ok(err)
	sums := map[string]int64{}
	for _, r := range rows {
		sums[fmt.Sprintf("%s/%d", r.Key.Metric, r.Key.Link)] = r.Count
	}
	return sums
}

func (p *past) counts(want map[string]int64) {
	p.Helper()
	if got := p.sums(); fmt.Sprint(got) != fmt.Sprint(want) {
		p.Fatalf("counts are %v, want %v", got, want)
	}
}

// everything returns all that the projection has made, as text.
func (p *past) everything(s *sqlitestore.Store) string {
	p.Helper()
	var text []string
	add := func(thing any) {
		line, err := json.Marshal(thing)
		p.ok(err)
		text = append(text, string(line))
	}
	seen := map[installKey]bool{}
	p.ok(s.EachDecided(p.Context(), func(d history.Decided) error {
		add(d)
		seen[installKey{d.App, d.Install}] = true
		return nil
	}))
	for _, app := range []link.AppID{androidApp, iosApp} {
		for n := range 10 {
			k := installKey{app, fmt.Sprint("device-", n)}
			i, ok, err := s.ReadInstallation(p.Context(), k.app, k.install)
			p.ok(err)
			if ok {
				add(i)
			}
			orphans, err := s.ListOrphans(p.Context(), k.app, k.install)
			p.ok(err)
			if ok || seen[k] || len(orphans) > 0 {
				add(orphans)
			}
		}
	}
	for _, c := range p.sites(s) {
		add(c)
	}
	rows, err := s.SumCounts(p.Context(), report.Query{Account: 1, GroupBy: append(report.Dimensions(), report.ByTracker)})
	p.ok(err)
	add(rows)
	deliveries, err := s.ListDeliveries(p.Context(), 1, history.DeliveryFilter{Limit: 10_000})
	p.ok(err)
	for _, d := range deliveries {
		d.ID = 0 // numbers may have gaps after a crash
		add(d)
	}
	return strings.Join(text, "\n")
}

// sites returns what was counted of the sites of vary, where it is not zero.
func (p *past) sites(s *sqlitestore.Store) (found []history.SiteCount) {
	p.Helper()
	var asked []history.SiteDay
	for day := report.DayOf(noon.UnixMilli()) - 2; day < report.DayOf(noon.UnixMilli())+60; day++ {
		for _, app := range []link.AppID{androidApp, iosApp} {
			asked = append(asked, history.SiteDay{App: app, Day: day})
			for _, site := range []string{"one", "two"} {
				for _, source := range []string{"", "a\uFFFDb"} {
					asked = append(asked, history.SiteDay{App: app, Source: source, Site: site, Day: day})
				}
				asked = append(asked, history.SiteDay{App: app, Partner: 5, Site: site, Day: day})
			}
		}
	}
	counted, err := s.ReadSites(p.Context(), asked)
	p.ok(err)
	for i, c := range counted {
		if c != (attribution.SiteTraffic{}) {
			found = append(found, history.SiteCount{SiteDay: asked[i], SiteTraffic: c})
		}
	}
	return found
}

// another opens a second store for the same ledger.
func (p *past) another() *sqlitestore.Store {
	p.Helper()
	s, err := sqlitestore.Open(p.Context(), sqlitestore.Config{Path: filepath.Join(p.TempDir(), "waypost.db")})
	p.ok(err)
	p.Cleanup(func() { p.ok(s.Close()) })
	return s
}

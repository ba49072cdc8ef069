package pipeline

import (
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/report"
)

// TestSessions: an open that nobody earned counts once, also when it is
// repeated after many others; a refused one does not count.
func TestSessions(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.told(event.OpenKind, "device-1", noon, first)
	var opens []event.Told
	for n := range 3 * mostOpens {
		opens = append(opens, p.told(event.OpenKind, "device-1", noon.Add(time.Duration(n+1)*time.Hour), nil))
	}
	p.told(event.OpenKind, "device-1", noon.Add(time.Hour), func(t *event.Told) { t.Unsigned = true })
	p.tell(opens[0])
	p.catchUp()
	want := map[string]int64{"organic_installs/0": 1, "sessions/0": 3 * mostOpens}
	p.counts(want)
	for _, o := range opens {
		o.ID++
		p.tell(o)
	}
	a := p.catchUp()
	p.counts(want)
	if _, ok, err := a.Await(t.Context(), androidApp, "device-1", opens[0].Key); !ok || err != nil {
		t.Errorf("the oldest open is not answered: %v, %v", ok, err)
	}
	p.ok(a.Rebuild(t.Context()))
	p.ok(a.CatchUp(t.Context()))
	p.counts(want)
	rows, err := p.store.SumCounts(t.Context(), report.Query{Account: 1, Metric: report.Sessions, GroupBy: []report.Dimension{report.ByDay, report.ByPlatform, report.ByCountry}})
	p.ok(err)
	if len(rows) != 2 || rows[0].Key.Platform != device.Android || rows[0].Key.Country != "DE" {
		t.Errorf("rows %+v", rows)
	}
}

// TestOpenedLinks: the click of a link that opened the app is one touch, of the
// first time, however often it is told, and wins the person back.
func TestOpenedLinks(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.told(event.OpenKind, "device-1", noon, first)
	at := noon.Add(30 * 24 * time.Hour)
	c := p.touched(at, func(c *event.Click) { c.Route, c.Query = event.OpenedRoute, "retargeting" })
	p.told(event.OpenKind, "device-1", at, func(t *event.Told) {
		t.OpenedURL, t.OpenedClick = "https://acme.localhost/A1b3?retargeting", c.ID.String()
	})
	p.catchUp()
	p.credited(p.decided("device-1", attribution.Open, ""), c, attribution.ByOpenedURL)
	p.touched(at.Add(time.Minute), func(again *event.Click) {
		again.ID, again.Route, again.Query = c.ID, event.OpenedRoute, "retargeting&c=other"
	})
	p.catchUp()
	found, err := p.store.FindTouches(t.Context(), []attribution.Lookup{{
		Key: attribution.Key{App: androidApp, Kind: attribution.ClickKey, Value: c.ID.String()}, Since: noon, Until: at.Add(time.Hour),
	}})
	p.ok(err)
	if len(found[0]) != 1 || found[0][0].Query != "retargeting" {
		t.Errorf("touches %+v", found)
	}
}

// TestEventsAreNoSessions: who was away is won back, whatever a server told of
// him meanwhile; what it told of his address and his consent is noted.
func TestEventsAreNoSessions(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	f := func(name string, kind event.Kind, old, wonBack bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			p.told(event.OpenKind, "device-1", noon, first)
			p.told(kind, "device-1", noon.Add(19*day), func(t *event.Told) {
				t.IPs, t.Consent = []string{"198.51.100.99"}, &event.Consent{Advertising: "no"}
				if kind == event.InAppKind {
					t.Name = "subscription_renewed"
				}
			})
			p.catchUp()
			i, _, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1")
			p.ok(err)
			if !i.LastActiveAt.Equal(noon.Add(19*day)) || len(i.Address) != 1 || i.Address[0].Value != "198.51.100.99/32" || i.Consent.Advertising != attribution.No {
				t.Errorf("%+v", i)
			}
			if old { // as programs before have written it
				i.LastOpenAt = time.Time{}
				p.touched(noon, nil)
				p.ok(p.store.CommitHistory(t.Context(), history.Step{Projection: History, From: p.state().Last - 1, To: p.state().Last, Installations: []history.Installation{i}}))
				p.told(event.InAppKind, "device-1", noon.Add(19*day+time.Hour), buy)
				p.catchUp()
				i, _, err = p.store.ReadInstallation(t.Context(), androidApp, "device-1")
				p.ok(err)
				if !i.LastOpenAt.Equal(noon.Add(19 * day)) {
					t.Errorf("last opened %s", i.LastOpenAt)
				}
			}
			c := p.touched(noon.Add(20*day), func(c *event.Click) { c.Query = "retargeting" })
			p.told(event.OpenKind, "device-1", noon.Add(20*day+time.Minute), func(t *event.Told) { t.OpenedClick = c.ID.String() })
			p.catchUp()
			want := map[string]int64{"organic_installs/0": 1, "reengagements/0": 1, "organic_events/0": 1}
			if !wonBack {
				want = map[string]int64{"organic_installs/0": 1, "sessions/0": 2}
			}
			if old {
				want = map[string]int64{"organic_installs/0": 1, "organic_events/0": 2, "sessions/0": 1}
			}
			p.counts(want)
		})
	}
	f("an event the day before", event.InAppKind, false, true)
	f("a session the day before", event.OpenKind, false, false)
	f("not known which", event.InAppKind, true, false)
}

// TestByClipboard: what a page left on the clipboard names its click, if the page
// did leave it.
func TestByClipboard(t *testing.T) {
	t.Parallel()
	f := func(name string, copies bool, text func(event.Click) string, want bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			c := p.touched(noon, func(c *event.Click) {
				c.Platform, c.OS, c.Model, c.Route, c.Clipboard = device.IOS, "26.1", "iPhone", "ios-app", copies
			})
			p.told(event.OpenKind, "device-1", noon.Add(time.Hour), func(told *event.Told) {
				first(told)
				told.App, told.Platform, told.OS, told.Model, told.Clipboard = iosApp, device.IOS, "26.1", "iPhone", text(c)
			})
			p.catchUp()
			d, ok, err := p.store.ReadDecided(t.Context(), iosApp, "device-1", "install/9/device-1")
			p.ok(err)
			if !ok {
				t.Fatal("not decided")
			}
			if want {
				p.credited(d, c, attribution.ByClipboard)
			} else {
				p.verdict(d, attribution.Organic, attribution.NewInstall)
			}
		})
	}
	f("as it was left", true, func(c event.Click) string { return c.ID.Copied() }, true)
	f("with a line's end", true, func(c event.Click) string { return c.ID.Copied() + "\n" }, true)
	f("another click's", true, func(event.Click) string { return uid.NewClick().Copied() }, false)
	f("not left by a page", false, func(c event.Click) string { return c.ID.Copied() }, false)
	f("something else", true, func(event.Click) string { return "hello" }, false)
}

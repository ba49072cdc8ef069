package ingest_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/event"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

const someLink = "https://acme.localhost/A1b3/promo?af_sub1=x"

// findAcme finds one link, of acme, and nothing elsewhere.
func findAcme(by ingest.OpenedBy) (ingest.OpenedLink, bool, error) {
	if by.Address != someLink || by.Platform != device.Android {
		return ingest.OpenedLink{}, false, nil
	}
	return ingest.OpenedLink{Account: 5899, Dialect: link.OneLink, Query: "af_sub1=x", Opened: ingest.Opened{
		Link: 77, Code: "promo", Host: "acme.localhost", Template: "A1b3", Tracker: 2, DeepLink: "shoe/" + by.Click.String(),
	}}, true, nil
}

// opened tells of an open and returns the click that was kept with it, if any.
func (w *world) opened(t *testing.T, r ingest.Report) (click event.Click, told event.Told, clicks int) {
	t.Helper()
	before := w.ledger.Count()
	r, err := w.service.ClickOpened(t.Context(), r)
	if err == nil {
		_, err = w.service.Open(t.Context(), r)
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := w.ledger.Lines()[before:]
	if clicks = len(lines) - 1; clicks > 0 {
		if click, err = event.DecodeClick(lines[0]); err != nil {
			t.Fatal(err)
		}
	}
	return click, w.last(), clicks
}

// TestLinkThatOpenedTheApp is clicked once for an open, however often that is
// told, and the open names the click.
func TestLinkThatOpenedTheApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *ingest.Config) { c.FindOpened = findAcme })
	r := someReport()
	r.Key, r.OpenedURL, r.Addresses, r.Agent = "s-2", someLink, []netip.Addr{netip.MustParseAddr(someIP)}, phoneAgent
	c, told, n := w.opened(t, r)
	want := event.Click{
		Kind: event.ClickKind, ID: c.ID, At: noon.Add(-time.Minute).UnixMilli(), Account: 5899, Dialect: link.OneLink, Link: 77, Tracker: 2, Template: "A1b3", Code: "promo",
		Host: "acme.localhost", Route: event.OpenedRoute, DeepLink: "shoe/" + c.ID.String(), Platform: device.Android, Country: "DE", Query: "af_sub1=x",
	}
	if n != 1 || c != want || c.ID == 0 || told.OpenedClick != c.ID.String() || told.OpenedURL != someLink || told.At < c.At {
		t.Fatalf("%d clicks, %+v\nwant %+v\nnamed %q", n, c, want, told.OpenedClick)
	}
	again := func(w *world, name string, r ingest.Report, clicks int, same bool) {
		t.Helper()
		if _, told, n := w.opened(t, r); n != clicks || (told.OpenedClick == c.ID.String()) != same {
			t.Errorf("%s: %d clicks, named %q", name, n, told.OpenedClick)
		}
	}
	again(w, "told again", r, 0, true)
	restarted := newWorld(t, func(c *ingest.Config) { c.FindOpened = findAcme })
	restarted.decisions.Decide(history.Installation{App: 26538, ID: someInstall, Opens: []string{"s-2"}})
	again(restarted, "told again after a restart", r, 0, true)
	other := r
	other.Key = "s-3"
	again(w, "another open", other, 1, false)
	another := r
	another.Install = "another"
	again(w, "another installation", another, 1, false)
	timed := r
	timed.Key = ""
	again(w, "known by its time", timed, 1, false)
	again(w, "known by its time, again", timed, 0, false)
	timed.At = timed.At.Add(time.Second)
	again(w, "at another time", timed, 1, false)
	timed.At = time.Time{}
	again(w, "known by nothing", timed, 1, false)
	again(w, "known by nothing, again", timed, 1, false)
}

// TestLinksThatAreNotClicked: what no click can be made of is an open like any other.
func TestLinksThatAreNotClicked(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*ingest.Report)) {
		t.Helper()
		w := newWorld(t, func(c *ingest.Config) { c.FindOpened = findAcme })
		r := someReport()
		r.OpenedURL = someLink
		change(&r)
		if _, told, n := w.opened(t, r); n != 0 || told.OpenedClick != "" && told.OpenedClick != "9023861282613779883" {
			t.Errorf("%s: %d clicks, named %q", name, n, told.OpenedClick)
		}
	}
	f("no address", func(r *ingest.Report) { r.OpenedURL = "" })
	f("another address", func(r *ingest.Report) { r.OpenedURL = "https://elsewhere.test/" })
	f("a click's id in it", func(r *ingest.Report) { r.OpenedURL += "&af_tranid=OTAyMzg2MTI4MjYxMzc3OTg4Mw%3D%3D" })
	f("a click's id under another name", func(r *ingest.Report) { r.OpenedURL += "&ref=9023861282613779883" })
	f("a wrong signature", func(r *ingest.Report) { r.Unsigned = true })
	f("another account's app", func(r *ingest.Report) { r.App = ingest.AppRef{Key: "rival-key", Name: "com.rival.app"} })
	w := newWorld(t)
	r := someReport()
	r.OpenedURL = someLink
	if _, _, n := w.opened(t, r); n != 0 {
		t.Errorf("%d clicks where no links are looked for", n)
	}
}

// TestUnreadableLinkOfAnOpen: the open has to be told again, and nothing of it
// is kept until then.
func TestUnreadableLinkOfAnOpen(t *testing.T) {
	t.Parallel()
	f := func(name string, spoil func(*world), find ingest.FindOpened) {
		t.Helper()
		w := newWorld(t, func(c *ingest.Config) { c.FindOpened = find })
		spoil(w)
		got := send(t, w.door(time.Minute), "/sdk/v1/open", []byte(least+`,"session_id":"s-1","open_url":"`+someLink+`"}`))
		if got.status != 503 || got.at("retry_in_ms") == nil || w.ledger.Count() != 0 {
			t.Errorf("%s: answered %d %+v, kept %d", name, got.status, got.body, w.ledger.Count())
		}
		r := someReport()
		r.OpenedURL, r.Key = someLink, "s-1"
		if _, err := w.service.ClickOpened(t.Context(), r); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("links cannot be read", func(*world) {}, func(ingest.OpenedBy) (ingest.OpenedLink, bool, error) {
		return ingest.OpenedLink{}, false, errors.New("the store is gone")
	})
	f("decisions cannot be read", func(w *world) { w.decisions.Fail(errDown) }, findAcme)
	f("the ledger is down", func(w *world) { w.ledger.Fail(errDown) }, findAcme)
}

// TestUnknownAppOfAnOpenedLinkIsCountedOnce, by who finds it first.
func TestUnknownAppOfAnOpenedLinkIsCountedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *ingest.Config) {
		c.FindOpened = func(ingest.OpenedBy) (ingest.OpenedLink, bool, error) { return ingest.OpenedLink{}, false, nil }
	})
	got := send(t, w.door(time.Nanosecond), "/sdk/v1/open", []byte(`{"app_key":"acme-sdk-key","app":{"bundle":"com.acme.none"},"install_uuid":"i","open_url":"https://go.acme.test/x","at":1795176000}`))
	if stats := w.service.Stats(); got.status != 404 || got.at("errors.0.location") != "app" || stats.UnknownApps != 1 || stats.Refused[fault.NotFound] != 1 {
		t.Errorf("answered %+v, counted %+v", got, stats)
	}
}

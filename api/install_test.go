package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"waypost/api"
	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/pipeline"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// installations are what is known of installations, by app and id.
type installations map[link.AppID]map[string]pipeline.Explained

func (known installations) ExplainInstall(_ context.Context, app link.AppID, install string) (pipeline.Explained, error) {
	e, ok := known[app][install]
	if !ok {
		return e, fault.New(fault.NotFound, "app %d has no installation %q", app, install)
	}
	return e, nil
}

// installed is an installation that nobody earned.
func installed(account link.AccountID, app link.AppID, id string) pipeline.Explained {
	conversion := attribution.ConversionID("conversion-" + id)
	return pipeline.Explained{
		Installation: history.Installation{Account: account, App: app, ID: id, Dialect: link.Own, At: noon, LastActiveAt: noon.Add(time.Hour), Conversion: conversion},
		Decided: history.Decided{
			Account: account, App: app, Install: id, Conversion: conversion, Kind: attribution.Install, ReceivedAt: noon.Add(time.Second),
			Decision: attribution.Decision{
				Version: 1, Conversion: conversion, Outcome: attribution.NewInstall, Verdict: attribution.Organic, At: noon,
				Likeness: attribution.Likelihood{Code: attribution.NoCandidate},
			},
		},
	}
}

const won, assisted, tooEarly uid.Click = 1_000_000_000_000_000_001, 1_000_000_000_000_000_002, 1_000_000_000_000_000_003

// earned is one that a click won by likeness, with everything that a decision can hold.
func earned() pipeline.Explained {
	e := installed(5899, 26538, "earned")
	d := &e.Decided.Decision
	match := attribution.Match{
		Touch: won, Kind: attribution.Click, Method: attribution.Probabilistic, At: noon.Add(-time.Hour), Lookback: 24 * time.Hour,
		Source: attribution.Source{Partner: 1201, Name: "wide", Agency: "agency-a", Campaign: "spring", Link: 77, Tracker: 2},
		Score:  9673, Signals: []attribution.Signal{{Name: "address", Weight: 40, Got: 10}, {Name: "version", Weight: 15, Got: 5}},
	}
	d.Verdict, d.Winner = attribution.Credited, &match
	d.Assists = []attribution.Match{{Touch: assisted, Kind: attribution.View, Method: attribution.ByDeviceID, At: noon.Add(-2 * time.Hour), Lookback: 24 * time.Hour}}
	d.Rejected = []attribution.Rejection{{Touch: tooEarly, At: noon.Add(-720 * time.Hour), Method: attribution.ByReferrer, Score: 100, Code: attribution.OutsideLookback}}
	d.Flags = []attribution.Flag{{Code: attribution.GeoMismatch, Touch: won}, {Code: attribution.Emulator}}
	d.Likeness = attribution.Likelihood{Code: attribution.Matched, Candidates: 3, Best: 9673, Next: 7000}
	d.EventsUntil, d.Late = noon.Add(720*time.Hour), true
	e.Decided.Flags = []string{"clock"}
	e.Installation.DeepLink, e.Installation.LinkUntil, e.LinkToldAt = "product/12", noon.Add(24*time.Hour), noon.Add(time.Minute)
	e.Installation.Reengagement = &attribution.Credit{Match: match, From: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour)}
	e.Touches = map[uid.Click]history.Touch{
		won: {
			Touchpoint: attribution.Touchpoint{ID: won, Kind: attribution.Click, At: match.At, Source: match.Source, Facts: attribution.Facts{Platform: device.Android}},
			Template:   "A1b3", Code: "promo", Host: "acme.localhost",
		},
		tooEarly: {Touchpoint: attribution.Touchpoint{ID: tooEarly, Kind: attribution.View, At: noon.Add(-720 * time.Hour), Source: attribution.Source{Name: "narrow"}}},
	}
	own := attribution.Match{Touch: assisted, Kind: attribution.View, Method: attribution.Inherited, At: noon.Add(-2 * time.Hour)}
	e.Later = []history.Decided{{
		Conversion: "e-1", Kind: attribution.InApp, Event: "purchase", Amount: "9.99", Currency: "EUR", ReceivedAt: noon.Add(time.Hour),
		Decision: attribution.Decision{
			Version: 1, Conversion: "e-1", Outcome: attribution.Happening, Verdict: attribution.Refused, Refusal: attribution.BadSignature, At: noon.Add(time.Hour), Secondary: &own,
		},
	}}
	return e
}

func withInstalls(c *api.Config) {
	c.Installs = installations{
		26538: {"earned": earned(), "twice": installed(5899, 26538, "twice")}, 24171: {"twice": installed(5899, 24171, "twice"), "a/b c": installed(5899, 24171, "a/b c")},
		30002: {"solo": installed(5899, 30002, "solo")}, 40002: {"theirs": installed(6001, 40002, "theirs")},
	}
}

func TestInstallsAreForTheTokensApps(t *testing.T) {
	t.Parallel()
	call := serve(t, withInstalls)
	f := func(want int, token, app, install string) {
		t.Helper()
		status, body := call(http.MethodGet, token, "/installs/"+url.PathEscape(app)+"/"+url.PathEscape(install), nil)
		if status != want || (want == 200) != strings.Contains(body, `"version":1`) {
			t.Errorf("%s asks for %s of %s: %d %s, want %d", token, install, app, status, body, want)
		}
	}
	for _, name := range []string{"26538", "com.acme.app", "koacme-android-tewdf"} {
		f(200, "acme-read-token", name, "earned")
		f(200, "acme-agency-token", name, "earned")
		f(404, "rival-admin-token", name, "earned")
		f(404, "acme-read-token", name, "nobody")
		f(401, "nobody", name, "earned")
	}
	f(200, "acme-read-token", "1234567890", "a/b c")
	f(409, "acme-read-token", "com.acme.app", "twice")
	f(200, "acme-read-token", "24171", "twice")
	f(200, "acme-read-token", "30002", "solo")
	f(404, "acme-agency-token", "30002", "solo")
	f(404, "acme-agency-token", "com.acme.solo", "solo")
	f(404, "acme-read-token", "40002", "theirs")
	f(200, "rival-admin-token", "40002", "theirs")
	f(200, "bigshop-token", "com.rival.app", "theirs")
	f(200, "bigshop-token", "26538", "earned")
	f(404, "bigshop-token", "30002", "solo")
	f(404, "acme-read-token", "no-such-app", "earned")
}

func TestInstallIsExplainedWhole(t *testing.T) {
	t.Parallel()
	call := serve(t, withInstalls)
	f := func(app, install, want string) {
		t.Helper()
		status, body := call(http.MethodGet, "acme-read-token", "/installs/"+app+"/"+install, nil)
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		delete(got, "$schema")
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var wanted any
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			t.Fatal(err)
		}
		if w, _ := json.Marshal(wanted); string(w) != string(text) {
			t.Errorf("%s is explained as\n%s\nwant\n%s", install, text, w)
		}
	}
	f("30002", "solo", `{"account": 5899, "app": 30002, "install": "solo", "dialect": "waypost", "first_started_at": 1795176000000, "last_active_at": 1795179600000,
		"decision": {"conversion": "conversion-solo", "kind": "install", "at": 1795176000000, "received_at": 1795176001000, "version": 1, "outcome": "install", "verdict": "organic",
			"contributors": [], "rejected": [], "likeness": {"rule": "no_candidate", "candidates": 0}},
		"later": [], "text": ["installation solo of app 30002, first started 2026-11-20 12:00:00, last active 2026-11-20 13:00:00.",
			"install of conversion-solo: organic (algorithm 1).", "likeness: no_candidate."]}`)
	source := `"partner": 1201, "source": "wide", "agency": "agency-a", "campaign": "spring", "link": 77, "tracker": 2, "template": "A1b3", "host": "acme.localhost", "id": "promo", "platform": "android"`
	match := `"touch": "1000000000000000001", "kind": "click", "method": "probabilistic", "at": 1795172400000, "lookback_seconds": 86400, "score": 0.9673,
		"signals": [{"name": "address", "weight": 40, "got": 40}, {"name": "version", "weight": 15, "got": 7.5}], ` + source
	text, err := json.Marshal(api.InstallOf(new(earned())).Text)
	if err != nil {
		t.Fatal(err)
	}
	f("26538", "earned", `{"account": 5899, "app": 26538, "install": "earned", "dialect": "waypost", "first_started_at": 1795176000000, "last_active_at": 1795179600000,
		"deep_link": "product/12", "deep_link_until": 1795262400000, "deep_link_told_at": 1795176060000, "reengagement": {`+match+`, "from": 1795179600000, "until": 1795183200000},
		"decision": {"conversion": "conversion-earned", "kind": "install", "at": 1795176000000, "received_at": 1795176001000, "version": 1, "outcome": "install", "verdict": "credited",
			"late": true, "events_until": 1797768000000, "flags": ["clock"], "signs": [{"rule": "geo_mismatch", "touch": "1000000000000000001"}, {"rule": "emulator"}],
			"winner": {`+match+`},
			"contributors": [{"touch": "1000000000000000002", "kind": "view", "method": "id_matching", "at": 1795168800000, "lookback_seconds": 86400}],
			"rejected": [{"touch": "1000000000000000003", "rule": "outside_lookback", "kind": "view", "method": "referrer", "at": 1792584000000, "score": 0.01, "source": "narrow"}],
			"likeness": {"rule": "matched", "candidates": 3, "best": 0.9673, "next": 0.7}},
		"later": [{"conversion": "e-1", "kind": "event", "event": "purchase", "amount": "9.99", "currency": "EUR", "at": 1795179600000, "received_at": 1795179600000, "version": 1,
			"outcome": "event", "verdict": "refused", "refused_by": "incorrect_signature", "contributors": [], "rejected": [], "likeness": {"candidates": 0},
			"own_source": {"touch": "1000000000000000002", "kind": "view", "method": "inherited", "at": 1795168800000}}],
		"text": `+string(text)+`}`)
	if len(api.InstallOf(new(earned())).Text) < 8 {
		t.Errorf("too few sentences: %s", text)
	}
}

func TestInstallOfAnyApp(t *testing.T) {
	t.Parallel()
	var cfg api.Config
	withInstalls(&cfg)
	apps := []*link.App{{ID: 26538, Package: "com.acme.app"}, {ID: 24171, BundleID: "com.acme.app"}, {ID: 30002}}
	f := func(ref api.InstallRef, want link.AppID, kind fault.Kind) {
		t.Helper()
		e, err := api.FindInstall(t.Context(), cfg.Installs, apps, ref)
		if want == 0 && !fault.Is(err, kind) || want != 0 && (err != nil || e.Installation.App != want) {
			t.Errorf("%+v: app %d, %v; want %d, %v", ref, e.Installation.App, err, want, kind)
		}
	}
	f(api.InstallRef{Install: "earned"}, 26538, 0)
	f(api.InstallRef{Install: "solo"}, 30002, 0)
	f(api.InstallRef{Install: "twice"}, 0, fault.Conflict)
	f(api.InstallRef{Install: "twice", App: "24171"}, 24171, 0)
	f(api.InstallRef{Install: "solo", App: "com.acme.app"}, 0, fault.NotFound)
	f(api.InstallRef{Install: "nobody"}, 0, fault.NotFound)
	f(api.InstallRef{Install: "solo", App: "x"}, 0, fault.NotFound)
}

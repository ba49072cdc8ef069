package e2e_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// applyPolicy applies acme.yaml beside the running program with settings of
// attribution, of the account and of its Android app.
func (s *shop) applyPolicy(account, app string) {
	s.Helper()
	const ofAccount, ofApp = "    timezone: UTC\n", `id=com.acme.app", scheme: acme}`
	file := s.file(nil)
	text, err := os.ReadFile(file)
	if err != nil {
		s.Fatal(err)
	}
	yaml := string(text)
	for _, place := range []string{ofAccount, ofApp} {
		if strings.Count(yaml, place) != 1 {
			s.Fatalf("%q stands %d times in acme.yaml", place, strings.Count(yaml, place))
		}
	}
	yaml = strings.Replace(yaml, ofAccount, ofAccount+"    attribution: "+account+"\n", 1)
	yaml = strings.Replace(yaml, ofApp, strings.TrimSuffix(ofApp, "}")+", attribution: "+app+"}", 1)
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		s.Fatal(err)
	}
	if out, stderr, code := run(s.T, "apply", "--data", s.data, "-f", file); code != 0 || !strings.Contains(out+stderr, "acme-android") {
		s.Fatalf("apply ends with %d: %s%s", code, out, stderr)
	}
}

// TestPolicyOfTheApplyFile changes the settings of attribution beside the
// running program: what is decided afterwards is decided by them, what was
// decided before stays.
func TestPolicyOfTheApplyFile(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "letter", `{"pid":"newsletter","c":"letter"}`)
	s.p.create(t, "wide", `{"pid":"wide","c":"spring"}`)
	s.p.create(t, "stolen", `{"pid":"wide","c":"stolen"}`)
	// Two clicks on one device, the later one from a bad site.
	install := func(name, gaid, from string) opened {
		t.Helper()
		s.visit("/A1b3/letter?advertising_id="+gaid, pixel, from)
		s.visit("/A1b3/wide?af_siteid=bad&clickid="+name+"&advertising_id="+gaid, pixel, from)
		return s.open(first(name, from, fields{"ids": fields{"gaid": gaid}, "first_launch_at": time.Now().Add(15 * time.Second).UnixMilli()}))
	}
	explained := func(install string, want ...string) {
		t.Helper()
		out, stderr, code := run(t, "explain", "install", "--data", s.data, install)
		for _, w := range want {
			if code != 0 || !strings.Contains(out, w) {
				t.Errorf("explain install %s: %d %s%s; want %s", install, code, out, stderr, w)
			}
		}
	}
	if told := install("before", "38400000-8cf0-41bd-b23e-10b96e400021", "203.0.113.21"); told.Attribution.Partner != 1201 || told.Attribution.Campaign != "spring" {
		t.Errorf("by default the last click wins; told %+v", told)
	}
	explained("before", "won: click", "lookback 336h0m0s (partner)")
	s.applyPolicy(`{lookbacks: {click: 2d}, probabilistic: {enabled: false}}`,
		`{lookbacks: {click: 3d}, fraud: {user_rules: [{name: bad-sites, when: {site_id: [bad]}}, {name: stolen, when: {campaign: [stolen]}, blocks: conversion}]}}`)
	if told := install("after", "38400000-8cf0-41bd-b23e-10b96e400022", "203.0.113.22"); told.Attribution.Status != "non_organic" || told.Attribution.Campaign != "letter" {
		t.Errorf("the click of a blocked site earns; told %+v", told)
	}
	explained("after", "rule:bad-sites", "lookback 72h0m0s (app)")
	if status, body := s.p.call(t, http.MethodGet, "/waypost/v1/installs/26538/after", "acme-read-token", ""); status != 200 ||
		!strings.Contains(body, `"rule":"rule:bad-sites"`) || !strings.Contains(body, `"lookback_of":"app"`) {
		t.Errorf("the API explains it as %d %s", status, body)
	}
	// A rule that refuses the install, not the click alone.
	referrer := s.fromPlay("/A1b3/stolen?clickid=stolen", "203.0.113.23")
	if told := s.open(first("stolen", "203.0.113.23", fields{"referrer": fields{"raw": referrer}})); told.Attribution.Status != "organic" {
		t.Errorf("a refused install is told %+v", told)
	}
	if h := s.hooked("stolen", "rejected_install", ""); h.Verdict != "refused" || h.Rejection != "rule:stolen" {
		t.Errorf("of the refused install the account hears %+v", h)
	}
	// What would be a likely install by default, see TestLikelyInstall.
	s.visit("/A1b3/wide?clickid=likely", pixel, "203.0.113.24")
	likely := first("likely", "203.0.113.24", fields{
		"first_launch_at": time.Now().Add(15 * time.Second).UnixMilli(), "device": fields{"os": "android", "os_version": "14", "model": "Pixel 8", "locale": "de-DE"},
	})
	if told := s.open(likely); told.Attribution.Status != "organic" {
		t.Errorf("likeness is off; told %+v", told)
	}
	explained("likely", "likeness: likeness_off.")
	explained("before", "won: click", "lookback 336h0m0s (partner)")
	s.counted("group_by=metric", map[string]int{"installs": 2, "rejected_installs": 1, "organic_installs": 1})
	if got := s.close().of("after"); !slices.Equal(got, []string{"install credited install id_matching"}) {
		t.Errorf("decided is %q", got)
	}
}

// TestApplyNamesWhatIsWrongInAPolicy: the command says field and line, and
// nothing is applied.
func TestApplyNamesWhatIsWrongInAPolicy(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/wrong.yaml"
	src := "accounts:\n  - key: a\n    name: A\n    attribution:\n      fraud:\n        rules: {vpn: off}\n      event_window: 0\n"
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := run(t, "apply", "--data", t.TempDir()+"/data", "-f", file)
	for _, want := range []string{
		"wrong.yaml:6: accounts[0].attribution.fraud.rules.vpn: no such rule; known are ", "wrong.yaml:7: accounts[0].attribution.event_window: must be from 1h to 365d, or lifetime",
	} {
		if code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("apply ends with %d: %s; want %s", code, stderr, want)
		}
	}
	if out, stderr, code := run(t, "apply", "--data", t.TempDir()+"/data", "-f", "../examples/attribution.yaml"); code != 0 {
		t.Errorf("the example: %d %s%s", code, out, stderr)
	}
}

package e2e_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestComingAgain follows one device through its installations: one that
// nobody earned, one again, one that a retargeting click won back, and an open
// that another one led to.
func TestComingAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "new", `{"pid":"wide","c":"acquisition"}`)
	s.p.create(t, "back", `{"pid":"wide","c":"retargeting","is_retargeting":"true","deep_link_value":"basket"}`)
	s.p.create(t, "now", `{"pid":"wide","c":"awake","is_retargeting":"true","af_inactivity_window":"0d","af_reengagement_window":"2d","af_dp":"acme://sale"}`)
	const gaid = "38400000-8cf0-41bd-b23e-10b96e400010"
	ids := fields{"gaid": gaid}
	const from = "203.0.113.61"
	if told := s.open(first("i-1", from, fields{"ids": ids})); told.Attribution.Status != "organic" || told.Attribution.Partner != 0 || told.DeepLink.Found {
		t.Errorf("an organic install is told %+v", told)
	}
	// A click for new people earns nothing of a device that had the app.
	referrer := s.fromPlay("/A1b3/new?clickid=for-new", from)
	if told := s.open(first("i-2", from, fields{"ids": ids, "referrer": fields{"raw": referrer}})); told.Attribution.Status != "organic" {
		t.Errorf("a re-installation is told %+v", told)
	}
	if h := s.hooked("i-2", "reinstall", ""); h.Verdict != "organic" || h.Partner != "" {
		t.Errorf("of the re-installation the account hears %+v", h)
	}
	referrer = s.fromPlay("/A1b3/back?clickid=for-back", from)
	told := s.open(first("i-3", from, fields{"ids": ids, "referrer": fields{"raw": referrer}}))
	if told.Attribution.Status != "reattributed" || told.Attribution.Campaign != "retargeting" || told.DeepLink.Value != "basket" {
		t.Errorf("a re-attribution is told %+v", told)
	}
	if h := s.hooked("i-3", "reattribution", ""); h.Verdict != "credited" || h.Partner != "wide" || !h.Again {
		t.Errorf("of the re-attribution the account hears %+v", h)
	}
	s.event("i-3", "before", "purchase", nil)
	s.hooked("i-3", "event", "purchase")
	// The link opens the app that is there, and names the device.
	if resp, page := s.p.mustClick(t, "/A1b3/now?clickid=for-now&advertising_id="+gaid, pixel); resp.StatusCode != 200 || !strings.Contains(page, "scheme=acme") {
		t.Errorf("the link is answered %d %s", resp.StatusCode, page)
	}
	s.open(said("i-3", from, fields{"session_id": "s-2", "ids": ids, "open_url": "acme://sale?af_deeplink=true"}))
	if h := s.hooked("i-3", "reengagement", ""); h.Verdict != "credited" || h.Campaign != "awake" || h.Match != "id_matching" || !h.Again {
		t.Errorf("of the re-engagement the account hears %+v", h)
	}
	s.event("i-3", "after", "signup", nil)
	if h := s.hooked("i-3", "event", "signup"); h.Verdict != "credited" || h.Campaign != "awake" || !h.Again {
		t.Errorf("of an event after the re-engagement the account hears %+v", h)
	}
	for range 2 { // a session like any other, told twice
		s.open(said("i-3", from, fields{"session_id": "s-3", "ids": ids}))
	}
	s.counted("group_by=metric", map[string]int{"clicks": 3, "organic_installs": 1, "reinstalls": 1, "reattributions": 1, "reengagements": 1, "sessions": 1, "events": 2, "installs": 0})
	k := s.close()
	if got := k.told("wide-install"); len(got) != 0 {
		t.Errorf("the partner is told of %v; nothing was a new install", got)
	}
	if got := k.told("hook"); !maps.Equal(got, map[string]int{"click": 3, "install": 1, "reinstall": 1, "reattribution": 1, "reengagement": 1, "event": 2}) {
		t.Errorf("the account is told %v", got)
	}
}

// TestLikelyInstall recognises a phone that names nothing by where it speaks
// from and what it is, and nobody else.
func TestLikelyInstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "likely", `{"pid":"wide","c":"guess","deep_link_value":"guessed"}`)
	s.visit("/A1b3/likely?clickid=likely-1", pixel, "203.0.113.71")
	later := time.Now().Add(15 * time.Second).UnixMilli()
	phone := func(os, version, model string) fields {
		return fields{"first_launch_at": later, "device": fields{"os": os, "os_version": version, "model": model, "locale": "de-DE"}}
	}
	elsewhere := s.open(first("elsewhere", "203.0.113.72", phone("android", "14", "Pixel 8")))
	otherModel := s.open(first("other", "203.0.113.71", phone("android", "14", "SM-S921B")))
	apple := phone("ios", "17.5", "iPhone15,2")
	apple["app"] = fields{"id": 24171}
	otherSystem := s.open(first("apple", "203.0.113.71", apple))
	refused := phone("android", "14", "Pixel 8")
	refused["consent"] = fields{"measurement": "no"}
	unwilling := s.open(first("unwilling", "203.0.113.71", refused))
	for name, told := range map[string]opened{"another address": elsewhere, "another model": otherModel, "another system": otherSystem, "who refused": unwilling} {
		if told.Attribution.Status != "organic" || told.DeepLink.Found {
			t.Errorf("%s is told %+v", name, told)
		}
	}
	// Others are known at the address by now, so it has to be soon; and it has to be he who clicked.
	same := s.open(first("same", "203.0.113.71", phone("android", "14", "Pixel 8")))
	if a := same.Attribution; a.Status != "non_organic" || a.Method != "probabilistic" || same.DeepLink.Value != "guessed" || same.DeepLink.Match != "probabilistic" {
		t.Errorf("who clicked is told %+v", same)
	}
	twin := s.open(first("twin", "203.0.113.71", phone("android", "14", "Pixel 8")))
	if a := twin.Attribution; a.Status != "organic" || twin.DeepLink.Found {
		t.Errorf("a likely click is used twice: %+v", twin)
	}
	s.paid("/postback", "likely-1")
	k := s.close()
	if got := k.told("wide-install"); !maps.Equal(got, map[string]int{"install": 1}) {
		t.Errorf("of installs the partner is told %v", got)
	}
	if got := k.of("same"); !slices.Equal(got, []string{"install credited install probabilistic"}) {
		t.Errorf("decided is %q", got)
	}
}

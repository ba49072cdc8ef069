package e2e_test

import (
	"maps"
	"slices"
	"testing"
)

// TestOneLinkInstall goes the whole way: a click, the store, a first start with
// the store's referrer, the postback, a purchase.
func TestOneLinkInstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "shoes", `{"pid":"wide","c":"Spring & sun","deep_link_value":"shoes/7"}`)
	referrer := s.fromPlay("/A1b3/shoes?clickid=theirs-1", "203.0.113.11")
	start := first("one", "203.0.113.12", fields{
		"referrer": fields{"raw": referrer}, "ids": fields{"gaid": "38400000-8cf0-41bd-b23e-10b96e400001"},
	})
	told := s.open(start)
	if a := told.Attribution; a.Status != "non_organic" || a.Method != "referrer" || a.Source != "wide" || a.Partner != 1201 ||
		a.Campaign != "Spring & sun" || a.Touch != "click" || a.Click == "" || a.Link == 0 {
		t.Errorf("told %+v", told)
	}
	if d := told.DeepLink; !d.Found || d.Value != "shoes/7" {
		t.Errorf("the deferred deep link is %+v", d)
	}
	if p := s.paid("/postback", "theirs-1"); p.query.Get("campaign") != "Spring & sun" || p.query.Get("gaid") != "38400000-8cf0-41bd-b23e-10b96e400001" {
		t.Errorf("the partner hears %s", p.url)
	}
	if h := s.hooked("one", "install", ""); h.Verdict != "credited" || h.Match != "referrer" || h.Partner != "wide" || h.Click != told.Attribution.Click {
		t.Errorf("the account hears %+v", h)
	}
	// The same again changes nothing, and is told the same: its answer may be lost.
	for range 3 {
		if again := s.open(start); again.Attribution != told.Attribution || again.DeepLink.Value != "shoes/7" {
			t.Errorf("told again %+v, at first %+v", again, told)
		}
	}
	if later := s.open(said("one", "203.0.113.12", fields{"session_id": "s-2"})); later.DeepLink.Found || later.Attribution != told.Attribution {
		t.Errorf("a later start is told %+v", later)
	}
	// Somebody else with the same referrer earns nobody anything, and is told nothing.
	if other := s.open(first("thief", "203.0.113.13", fields{"referrer": fields{"raw": referrer}})); other.Attribution.Status != "organic" || other.DeepLink.Found {
		t.Errorf("another device with the same referrer is told %+v", other)
	}
	for range 2 {
		s.event("one", "e-1", "purchase", fields{"revenue": fields{"amount": "12.50", "currency": "EUR"}})
	}
	s.event("one", "e-2", "search", nil)
	s.event("thief", "e-3", "purchase", nil)
	if h := s.hooked("one", "event", "purchase"); h.Verdict != "credited" || h.Match != "inherited" || h.Amount != "12.5" || h.Currency != "EUR" || h.Partner != "wide" {
		t.Errorf("of the purchase the account hears %+v", h)
	}
	if p := s.paid("/event", "theirs-1"); p.query.Get("amount") != "12.5" || p.query.Get("currency") != "EUR" {
		t.Errorf("of the purchase the partner hears %s", p.url)
	}
	s.hooked("one", "event", "search")
	if h := s.hooked("thief", "event", "purchase"); h.Verdict != "organic" || h.Partner != "" {
		t.Errorf("of an organic purchase the account hears %+v", h)
	}
	s.counted("group_by=metric", map[string]int{"clicks": 1, "installs": 1, "organic_installs": 1, "events": 2, "organic_events": 1, "sessions": 1})
	k := s.close()
	if got := k.told("wide-install"); !maps.Equal(got, map[string]int{"install": 1}) {
		t.Errorf("of installs the partner is told %v", got)
	}
	if got := k.told("wide-event"); !maps.Equal(got, map[string]int{"event": 1}) {
		t.Errorf("of events the partner is told %v", got)
	}
	if got := k.told("hook"); !maps.Equal(got, map[string]int{"click": 1, "install": 2, "event": 3}) {
		t.Errorf("the account is told %v", got)
	}
	want := []string{"event purchase credited event inherited", "event search credited event inherited", "install credited install referrer", "open organic session"}
	if got := k.of("one"); !slices.Equal(got, want) {
		t.Errorf("decided is %q, want %q", got, want)
	}
}

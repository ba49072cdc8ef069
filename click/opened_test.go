package click

import (
	"errors"
	"strings"
	"testing"
	"time"

	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// TestOpened: what a click at an address would have been is found without one.
func TestOpened(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.create("promo", `{"pid":"x","af_dp":"acme://shoe"}`)
	f := func(address string, want Opened, ok bool) {
		t.Helper()
		got, found, err := s.door.Opened(address, device.Android, 9023861282613779883)
		if err != nil || found != ok || got != want {
			t.Errorf("%s: %+v, %v, %v\nwant %+v", address, got, found, err, want)
		}
	}
	short := Opened{Account: 5899, Dialect: link.OneLink, Template: "A1b3", Link: l.ID, Code: "promo", Host: "acme.localhost"}
	f("https://acme.localhost/A1b3/promo", short, true)
	f("HTTP://ACME.localhost:8080/A1b3/promo/#there", short, true)
	asked := short
	asked.Query = "af_sub1=a%20b&c=d"
	f("https://acme.localhost/A1b3/promo?af_sub1=a%20b&c=d", asked, true)
	f("https://acme.localhost/A1b3", Opened{Account: 5899, Dialect: link.OneLink, Template: "A1b3", Host: "acme.localhost"}, true)
	f("https://acme.localhost/A1b3/gone", Opened{Account: 5899, Dialect: link.OneLink, Template: "A1b3", Code: "gone", State: event.Gone, Host: "acme.localhost"}, true)
	for _, none := range []string{
		"https://elsewhere.test/A1b3/promo", "https://acme.localhost/None/promo", "https://acme.localhost/", "acme://acme.localhost/A1b3/promo", "", "://", "https://",
		"acme.localhost/A1b3/promo", "https://acme.localhost/A1b3/promo?redirect=false", "https://acme.localhost/" + strings.Repeat("a", maxURL),
	} {
		f(none, Opened{}, false)
	}
	if n := len(s.ledger.clicks(t)); n != 0 {
		t.Errorf("%d clicks are kept", n)
	}
	s.now = s.now.Add(25 * time.Hour)
	short.State, short.Link = event.Expired, 0
	f("https://acme.localhost/A1b3/promo", short, true)
}

// TestOpenedNeedsTheStore: on a guess, a click would be nobody's.
func TestOpenedNeedsTheStore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.store.mu.Lock()
	s.store.refuse = errors.New("the store is gone")
	s.store.mu.Unlock()
	if _, ok, err := s.door.Opened("https://acme.localhost/A1b3/promo", device.IOS, 9023861282613779883); ok || !fault.Is(err, fault.Unavailable) {
		t.Errorf("found %v, %v", ok, err)
	}
}

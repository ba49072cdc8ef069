package attribution

import (
	"net/netip"
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// noon is when the conversions of these tests happen.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	someGAID  = "38400000-8cf0-41bd-b23e-10b96e40000d"
	otherGAID = "7d1f4c52-3b1a-4a7e-9d53-0c2b6a9f1e77"
	someIP    = "203.0.113.77"
)

func at(ip string) []Address { return []Address{{IP: netip.MustParseAddr(ip)}} }

// someFacts are an Android phone's on a home line.
func someFacts() Facts {
	return Facts{Platform: device.Android, OSVersion: "16", Model: "Pixel 10 Pro", Locale: "en-US", Addresses: at(someIP)}
}

// someInstall knows nothing but its facts.
func someInstall() *Conversion {
	return &Conversion{ID: "install-1", Kind: Install, At: noon, Account: 1, App: 7, Facts: someFacts()}
}

// someTouch is a click so long before noon, from the same phone.
func someTouch(id uid.Click, before time.Duration) Touchpoint {
	return Touchpoint{
		ID: id, Kind: Click, At: noon.Add(-before), Account: 1, Apps: []link.AppID{7, 8}, Facts: someFacts(),
		Source: Source{Partner: 1201, Name: "wide", Campaign: "spring", Link: link.LinkID(id)},
	}
}

// with returns the touch changed.
func (t Touchpoint) with(change func(*Touchpoint)) Touchpoint {
	change(&t)
	return t
}

func decide(c *Conversion, touches ...Touchpoint) Decision {
	p := DefaultPolicy()
	return Decide(c, touches, &p, c.At.Add(time.Second))
}

// winner is the touch that won, zero where none did.
func winner(d Decision) uid.Click {
	if d.Winner == nil {
		return 0
	}
	return d.Winner.Touch
}

// why is the rule that rejected the touch.
func why(d Decision, id uid.Click) Code {
	for _, r := range d.Rejected {
		if r.Touch == id {
			return r.Code
		}
	}
	return ""
}

func wantWinner(t *testing.T, name string, d Decision, id uid.Click) {
	t.Helper()
	if got := winner(d); got != id {
		t.Errorf("%s: touch %d won, want %d: %+v", name, got, id, d)
	}
}

func wantRejected(t *testing.T, name string, d Decision, id uid.Click, code Code) {
	t.Helper()
	if got := why(d, id); got != code || winner(d) == id {
		t.Errorf("%s: touch %d was rejected by %q, want %q: %+v", name, id, got, code, d)
	}
}

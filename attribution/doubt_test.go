package attribution

import (
	"testing"
	"time"

	"waypost/internal/device"
)

// TestABareAddressIsNoEvidence: where both sides know nothing but the address,
// nobody is recognised, however soon he installs.
func TestABareAddressIsNoEvidence(t *testing.T) {
	t.Parallel()
	bare := someTouch(1, time.Minute).with(func(t *Touchpoint) {
		t.Facts = Facts{Platform: device.Android, Addresses: at(someIP)}
	})
	wantRejected(t, "bare", decide(someInstall(), bare), 1, ThinEvidence)
	told := bare.with(func(t *Touchpoint) { t.Facts.Locale = "en-US" })
	wantWinner(t, "with a language", decide(someInstall(), told), 1)
}

// TestEitherSideTellsOfACarrier: an address is shared if the click's list or
// the install's says that it is a carrier's.
func TestEitherSideTellsOfACarrier(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Conversion, *Touchpoint), code Code) {
		t.Helper()
		c := someInstall()
		touch := someTouch(1, time.Minute).with(func(t *Touchpoint) { t.Facts.OSVersion, t.Facts.Model = "", "" })
		change(c, &touch)
		if got := why(decide(c, touch), 1); got != code {
			t.Errorf("%s: rejected by %q, want %q", name, got, code)
		}
	}
	f("neither", func(*Conversion, *Touchpoint) {}, "")
	f("the click", func(_ *Conversion, t *Touchpoint) { t.Facts.Addresses[0].Network = Cellular }, ThinEvidence)
	f("the install", func(c *Conversion, _ *Touchpoint) { c.Facts.Addresses[0].Network = Cellular }, ThinEvidence)
}

// TestHashesOfTwoKindsAreNoVeto: an id as SHA-1 and an id as MD5 may be one and
// the same; of one form, or beside a raw one, they are not.
func TestHashesOfTwoKindsAreNoVeto(t *testing.T) {
	t.Parallel()
	f := func(name string, touched, told DeviceID, code Code) {
		t.Helper()
		c := someInstall()
		c.DeviceIDs = []DeviceID{told}
		touch := someTouch(1, time.Hour).with(func(t *Touchpoint) { t.DeviceIDs = []DeviceID{touched} })
		if d := decide(c, touch); why(d, 1) != code || (winner(d) == 1) != (code == "") {
			t.Errorf("%s: %+v, want %q", name, d, code)
		}
	}
	other := DeviceID{GAID, SHA1, sha1Hex(otherGAID)}
	f("sha1 and md5", other, DeviceID{GAID, MD5, md5Hex(someGAID)}, "")
	f("md5 and sha1", DeviceID{GAID, MD5, md5Hex(otherGAID)}, DeviceID{GAID, SHA1, sha1Hex(someGAID)}, "")
	f("sha1 and sha1", other, DeviceID{GAID, SHA1, sha1Hex(someGAID)}, OtherDevice)
	f("sha1 and raw", other, DeviceID{GAID, Raw, someGAID}, OtherDevice)
	f("raw and md5", DeviceID{GAID, "", otherGAID}, DeviceID{GAID, MD5, md5Hex(someGAID)}, OtherDevice)
}

// TestAWeakTouchOfTheVisitorDoesNotWin: each touch of the visitor who is
// recognised needs a sufficient score of its own, the last one, too.
func TestAWeakTouchOfTheVisitorDoesNotWin(t *testing.T) {
	t.Parallel()
	strong := someTouch(1, 30*time.Minute).with(func(t *Touchpoint) { t.Visitor = "v" })
	weak := someTouch(2, time.Minute).with(func(t *Touchpoint) { t.Visitor, t.Facts.Locale = "v", "de-DE" })
	d := decide(someInstall(), strong, weak)
	wantWinner(t, "the strong one", d, 1)
	wantRejected(t, "the weak one", d, 2, LowScore)
	if len(d.Assists) != 0 {
		t.Errorf("assists %+v", d.Assists)
	}
}

// TestAMacIsAnIPadButNoIPadIsAMac: an iPad asks for the desktop's pages as a
// Mac, so that a Mac's click may be an iPad's where an id joins them. Nothing
// the other way round, and nothing by likeness.
func TestAMacIsAnIPadButNoIPadIsAMac(t *testing.T) {
	t.Parallel()
	f := func(touched, told device.Platform, byID bool, code Code) {
		t.Helper()
		c := someInstall()
		c.Facts = iPhone("26.4", "en-US")
		c.Facts.Platform, c.Facts.Model = told, "iPad13,4"
		touch := someTouch(1, time.Hour).with(func(t *Touchpoint) {
			t.Facts, t.Owned, t.ClickID = iPhone("26.4", "en-US"), true, "1"
			t.Facts.Platform, t.Facts.Model = touched, "iPad"
		})
		if byID {
			c.Referrer.ClickID = "1"
		}
		if d := decide(c, touch); why(d, 1) != code || (winner(d) == 1) != (code == "") {
			t.Errorf("%s's click, %s's install, by id %v: %+v, want %q", touched, told, byID, d, code)
		}
	}
	f(device.MacOS, device.IOS, true, "")
	f(device.IOS, device.MacOS, true, PlatformMismatch)
	f(device.MacOS, device.Android, true, PlatformMismatch)
	f(device.Windows, device.IOS, true, PlatformMismatch)
	f(device.MacOS, device.IOS, false, PlatformMismatch)
	f(device.FireOS, device.Android, true, "")
	f(device.Android, device.FireOS, true, "")
}

// TestAccountsShareNoTouches: a touch of another account earns nothing, whatever
// names it and whatever apps it lists.
func TestAccountsShareNoTouches(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.Referrer.ClickID, c.DeviceIDs = "1", []DeviceID{{Kind: GAID, Value: someGAID}}
	touch := someTouch(1, time.Hour).with(func(t *Touchpoint) { t.Account, t.ClickID, t.DeviceIDs = 2, "1", c.DeviceIDs })
	wantRejected(t, "another account's", decide(c, touch), 1, OtherApp)
	touch.Account = 1
	wantWinner(t, "the own account's", decide(c, touch), 1)
}

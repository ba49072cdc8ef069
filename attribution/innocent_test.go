package attribution

import (
	"testing"
	"time"
)

// TestCarriersLinesHaveALimitToo: ten times as many clicks of an address and
// agent as elsewhere are a flood on a carrier's network.
func TestCarriersLinesHaveALimitToo(t *testing.T) {
	t.Parallel()
	f := func(clicks int, code Code) {
		t.Helper()
		touch := someTouch(1, time.Hour).with(func(t *Touchpoint) {
			t.ClickID, t.Traffic.AgentClicks, t.Facts.Addresses[0].Network = "1", clicks, Cellular
		})
		c := someInstall()
		c.Referrer.ClickID = "1"
		if d := decide(c, touch); why(d, 1) != code || (winner(d) == 1) != (code == "") {
			t.Errorf("%d clicks: %+v, want %q", clicks, d, code)
		}
	}
	f(499, "")
	f(500, ClickFlood)
}

// TestUnlikeTimesMustBeMoreThanChance: a site's times are odd where they are
// both far from the others' and unlikely to be so by chance.
func TestUnlikeTimesMustBeMoreThanChance(t *testing.T) {
	t.Parallel()
	f := func(distance, chance int, want bool) {
		t.Helper()
		touch := someTouch(1, time.Hour).with(func(t *Touchpoint) {
			t.Traffic = Traffic{SiteInstalls: 50, SiteWithinHour: 50, TimesDistance: distance, TimesChancePerMill: chance}
		})
		if got := hasFlag(decide(someInstall(), touch), Flag{Code: OutlyingTimes, Touch: 1}); got != want {
			t.Errorf("distance %d by chance %d: flagged is %v", distance, chance, got)
		}
	}
	f(3501, 99, true)
	f(3501, 100, false)
	f(10_000, 1_000_000, false)
	f(3500, 0, false)
}

// TestAFloodersReferrersStand: a source that floods the device loses what it
// says of the device, but not the click that the store names.
func TestAFloodersReferrersStand(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
	c.Referrer.ClickID = "1"
	spring := Source{Partner: 1201, Name: "wide"}
	named := someTouch(1, 3*time.Hour).with(func(t *Touchpoint) { t.Source, t.ClickID = spring, "1" })
	early := someTouch(2, 2*time.Hour).with(func(t *Touchpoint) { t.Source, t.DeviceIDs = spring, c.DeviceIDs })
	late := someTouch(3, time.Hour).with(func(t *Touchpoint) {
		t.Source, t.DeviceIDs, t.Traffic.DeviceClicks = spring, c.DeviceIDs, 20
	})
	d := decide(c, named, early, late)
	wantWinner(t, "the store's word", d, 1)
	wantRejected(t, "before the limit", d, 2, ClickFlood)
	wantRejected(t, "after the limit", d, 3, ClickFlood)
}

// TestFloodsOfOtherDevicesAccuseNobodyHere: what a source sends for another
// device behind the same address takes nothing from its clicks of this one.
func TestFloodsOfOtherDevicesAccuseNobodyHere(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
	spring := Source{Partner: 1201, Name: "wide"}
	own := someTouch(1, 2*time.Hour).with(func(t *Touchpoint) { t.Source, t.DeviceIDs = spring, c.DeviceIDs })
	flood := someTouch(2, time.Hour).with(func(t *Touchpoint) {
		t.Source, t.DeviceIDs, t.Traffic.DeviceClicks = spring, []DeviceID{{Kind: GAID, Value: otherGAID}}, 20
	})
	d := decide(c, own, flood)
	wantWinner(t, "another device is flooded", d, 1)
	wantRejected(t, "another device is flooded", d, 2, OtherDevice)
	flood.DeviceIDs = c.DeviceIDs
	wantRejected(t, "this device is flooded", decide(c, own, flood), 1, ClickFlood)
}

// TestVPNsOfLaterReportsTakeNothing: what is judged by its network is the
// installation. Its later opens and events go on earning from anywhere.
func TestVPNsOfLaterReportsTakeNothing(t *testing.T) {
	t.Parallel()
	for _, network := range []Network{VPN, Tor, Hosting} {
		open := someOpen(8 * day)
		open.Facts.Addresses[0].Network = network
		back := someTouch(1, time.Minute).with(func(t *Touchpoint) { t.ClickID, t.Retargeting = "1", true })
		d := decide(open, back)
		wantWinner(t, "an open through "+string(network), d, 1)
		if d.Outcome != Reengagement || len(d.Flags) != 0 {
			t.Errorf("an open through %s: %+v", network, d)
		}
		bought := someInstall()
		bought.Kind, bought.Event, bought.Facts.Addresses[0].Network = InApp, "purchase", network
		bought.InstallCredit = &Credit{From: noon.Add(-day), Match: Match{Touch: 2, Kind: Click}}
		d = decide(bought)
		wantWinner(t, "an event through "+string(network), d, 2)
		if len(d.Flags) != 0 {
			t.Errorf("an event through %s: %+v", network, d)
		}
	}
}

// TestOnlyDownloadsAreInjected: a later open that still tells the referrer of
// its installation follows clicks of today, long after that download began.
func TestOnlyDownloadsAreInjected(t *testing.T) {
	t.Parallel()
	c := someOpen(8 * day)
	c.Referrer.InstallBeginServerAt = c.Past.At.Add(-time.Minute)
	back := someTouch(1, time.Minute).with(func(t *Touchpoint) { t.ClickID, t.Retargeting = "1", true })
	d := decide(c, back)
	wantWinner(t, "an open", d, 1)
	if len(d.Flags) != 0 {
		t.Errorf("%+v", d.Flags)
	}
}

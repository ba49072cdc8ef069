package attribution

import (
	"testing"
	"time"
)

// TestBothEndsOfACreditBelongToIt: events follow a re-engagement from its click
// to the end of its window, neither before nor after.
func TestBothEndsOfACreditBelongToIt(t *testing.T) {
	t.Parallel()
	f := func(name string, from, until time.Time, again bool) {
		t.Helper()
		c := someInstall()
		c.Kind, c.Event = InApp, "purchase"
		c.InstallCredit = &Credit{From: noon.Add(-40 * day), Match: Match{Touch: 1, Kind: Click}}
		c.Reengagement = &Credit{From: from, Until: until, Match: Match{Touch: 2, Kind: Click}}
		d := decide(c)
		if again {
			wantWinner(t, name, d, 2)
		} else {
			wantWinner(t, name, d, 1)
		}
		if (d.Secondary != nil) != again {
			t.Errorf("%s: secondary %+v", name, d.Secondary)
		}
	}
	hour := noon.Add(time.Hour)
	f("before the click that won the person back", noon.Add(1), hour, false)
	f("with the click", noon, hour, true)
	f("at the end", noon.Add(-time.Hour), noon, true)
	f("after the end", noon.Add(-time.Hour), noon.Add(-1), false)
	f("no end", noon.Add(-time.Hour), time.Time{}, true)
}

// TestViewsLeadNowhere: who saw an advertisement and clicked nothing is shown
// no deferred deep link.
func TestViewsLeadNowhere(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
	view := someTouch(1, time.Minute).with(func(t *Touchpoint) { t.Kind, t.DeviceIDs = View, c.DeviceIDs })
	d := decide(c, view)
	wantWinner(t, "view", d, 1)
	if click, ok := d.DeepLink(day); ok || click != 0 {
		t.Errorf("the deep link of view %d", click)
	}
}

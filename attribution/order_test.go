package attribution

import (
	"testing"
	"time"

	"waypost/internal/uid"
)

func TestWhoWins(t *testing.T) {
	t.Parallel()
	ids := []DeviceID{{Kind: GAID, Value: someGAID}}
	byID := func(t *Touchpoint) { t.DeviceIDs = ids }
	byURL := func(t *Touchpoint) { t.ClickID = "url" }
	byToken := func(t *Touchpoint) { t.ClipboardToken = "token" }
	byReferrer := func(t *Touchpoint) { t.ClickID = "referrer" }
	f := func(name string, want uid.Click, touches ...Touchpoint) {
		t.Helper()
		c := someInstall()
		c.DeviceIDs, c.OpenedClickID, c.ClipboardToken = ids, "url", "token"
		for _, touch := range touches {
			if touch.ClickID == "referrer" {
				c.Referrer.ClickID = "referrer"
			}
		}
		d := decide(c, touches...)
		wantWinner(t, name, d, want)
		if len(d.Assists) != len(touches)-1 {
			t.Errorf("%s: %d assists of %d touches: %+v", name, len(d.Assists), len(touches), d)
		}
	}
	const hour = time.Hour
	f("an older known click beats a newer likely one", 1, someTouch(1, 2*hour).with(byID), someTouch(2, hour))
	f("the last of known ones, whatever the method", 2, someTouch(1, 2*hour).with(byReferrer), someTouch(2, hour).with(byID))
	f("at one moment the better method: referrer", 2, someTouch(1, hour).with(byURL), someTouch(2, hour).with(byReferrer))
	f("at one moment the better method: opened URL", 2, someTouch(1, hour).with(byToken), someTouch(2, hour).with(byURL))
	f("at one moment the better method: clipboard", 2, someTouch(1, hour).with(byID), someTouch(2, hour).with(byToken))
	f("at one moment and by one method the smaller id", 1, someTouch(2, hour).with(byID), someTouch(1, hour).with(byID))
	f("a likely click beats a known view", 1, someTouch(1, hour), someTouch(2, time.Minute).with(byID).with(func(t *Touchpoint) { t.Kind = View }))
}

func TestContributorsAreTheNewestThree(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
	var touches []Touchpoint
	for id := uid.Click(1); id <= 6; id++ {
		touches = append(touches, someTouch(id, time.Duration(id)*time.Hour).with(func(t *Touchpoint) { t.DeviceIDs = c.DeviceIDs }))
	}
	d := decide(c, touches...)
	wantWinner(t, "newest", d, 1)
	var got []uid.Click
	for _, m := range d.Contributors() {
		got = append(got, m.Touch)
	}
	if len(d.Assists) != 5 || len(got) != 3 || got[0] != 2 || got[2] != 4 {
		t.Errorf("contributors %v of %d assists", got, len(d.Assists))
	}
}

func TestNoTouchAfterTheConversionWins(t *testing.T) {
	t.Parallel()
	c := someOpen(30 * day) // no other rule looks at the time of a touch after an open
	touch := func(after time.Duration) Touchpoint {
		return someTouch(1, -after).with(func(t *Touchpoint) { t.ClickID, t.Retargeting = "1", true })
	}
	wantWinner(t, "inside the clock's error", decide(c, touch(5*time.Minute)), 1)
	wantRejected(t, "after", decide(c, touch(5*time.Minute+1)), 1, AfterConversion)
}

func TestEventsFromImpossibleTimesAreNotCredited(t *testing.T) {
	t.Parallel()
	f := func(at time.Time, want Verdict) {
		t.Helper()
		c := someInstall()
		c.Kind, c.Event, c.At = InApp, "Purchase", at
		c.InstallCredit = &Credit{From: noon.Add(-400 * day), Match: Match{Touch: 1, Kind: Click}}
		p := DefaultPolicy()
		d := Decide(c, nil, &p, noon)
		if d.Verdict != want || hasFlag(d, Flag{Code: ClockSuspect}) != (want == Organic) {
			t.Errorf("at %s: %+v", at, d)
		}
	}
	f(noon, Credited)
	f(noon.Add(5*time.Minute), Credited)
	f(noon.Add(5*time.Minute+1), Organic)
	f(noon.Add(-30*day), Credited)
	f(noon.Add(-30*day-1), Organic)
}

package attribution

import (
	"testing"
	"time"

	"waypost/internal/uid"
)

// someOpen is an open of an installation that is 60 days old, by a person who
// was last seen so long ago.
func someOpen(away time.Duration) *Conversion {
	c := someInstall()
	c.ID, c.Kind, c.OpenedClickID = "open-1", Open, "1"
	c.Past = &PastInstall{At: noon.Add(-60 * day), LastActiveAt: noon.Add(-away)}
	return c
}

func TestReengagement(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Conversion, *Touchpoint), code Code) {
		t.Helper()
		c := someOpen(8 * day)
		touch := someTouch(1, time.Second).with(func(t *Touchpoint) { t.ClickID, t.Retargeting = "1", true })
		change(c, &touch)
		d := decide(c, touch)
		won := winner(d) == 1 && d.Outcome == Reengagement && d.Verdict == Credited
		if won != (code == "") || why(d, 1) != code || !won && d.Outcome != Session {
			t.Errorf("%s: %+v, want %q", name, d, code)
		}
	}
	f("plain", func(*Conversion, *Touchpoint) {}, "")
	f("no retargeting", func(_ *Conversion, t *Touchpoint) { t.Retargeting = false }, NotRetargeting)
	f("away for six days", func(c *Conversion, _ *Touchpoint) { c.Past.LastActiveAt = noon.Add(-6 * day) }, NotInactive)
	f("active ones count", func(c *Conversion, t *Touchpoint) { c.Past.LastActiveAt, t.CountActive = noon.Add(-time.Hour), true }, "")
	f("installed yesterday", func(c *Conversion, t *Touchpoint) { c.Past = &PastInstall{At: noon.Add(-day)} }, NotInactive)
	f("week", func(_ *Conversion, t *Touchpoint) { t.At = noon.Add(-7 * day) }, "")
	f("more than a week", func(_ *Conversion, t *Touchpoint) { t.At = noon.Add(-7*day - 1) }, OutsideLookback)
	f("the link asks for more", func(_ *Conversion, t *Touchpoint) {
		t.At, t.Lookbacks.Reengagement = noon.Add(-9*day), Lookback(10*day)
	}, "")
	f("the link asks for none", func(_ *Conversion, t *Touchpoint) { t.Lookbacks.Reengagement = Never }, OutsideLookback)
	f("likeness", func(c *Conversion, _ *Touchpoint) { c.OpenedClickID = "" }, NotForOpens)
	f("view", func(_ *Conversion, t *Touchpoint) { t.Kind = View }, ViewOfOpen)
	f("view that may", func(_ *Conversion, t *Touchpoint) { t.Kind, t.ReengagingViews = View, true }, "")
	f("before the installation", func(c *Conversion, t *Touchpoint) {
		c.Past = &PastInstall{At: noon.Add(-time.Hour)}
		t.At, t.CountActive = noon.Add(-2*time.Hour), true
	}, BeforeInstall)
	earlier := func(hours int, l uid.Click) *Credit {
		return &Credit{From: noon.Add(-time.Duration(hours) * time.Hour), Match: Match{Touch: 9, Source: someTouch(l, 0).Source}}
	}
	f("same link yesterday", func(c *Conversion, t *Touchpoint) { c.Reengagement, t.CountActive = earlier(23, 1), true }, TooSoonAgain)
	f("same link the day before", func(c *Conversion, t *Touchpoint) { c.Reengagement, t.CountActive = earlier(24, 1), true }, "")
	f("another link yesterday", func(c *Conversion, t *Touchpoint) { c.Reengagement, t.CountActive = earlier(23, 2), true }, "")
	f("used", func(_ *Conversion, t *Touchpoint) { t.UsedBy = "open-0" }, AlreadyUsed)
}

func TestEventsFollow(t *testing.T) {
	t.Parallel()
	installed := &Credit{Match: Match{Touch: 1, Kind: Click}, From: noon.Add(-40 * day)}
	again := &Credit{Match: Match{Touch: 2, Kind: Click}, From: noon.Add(-29 * day), Until: noon.Add(day)}
	only := func(c *Credit, events ...string) *Credit {
		limited := *c
		limited.Match.Claims = Claims{Limited: true, Events: events}
		return &limited
	}
	over := &Credit{Match: Match{Touch: 2, Kind: Click}, From: noon.Add(-31 * day), Until: noon.Add(-day)}
	f := func(name string, install, reengagement *Credit, primary, secondary uid.Click) {
		t.Helper()
		c := someInstall()
		c.Kind, c.Event, c.InstallCredit, c.Reengagement = InApp, "Purchase", install, reengagement
		d := decide(c, someTouch(3, time.Minute))
		second := uid.Click(0)
		if d.Secondary != nil {
			second = d.Secondary.Touch
		}
		if winner(d) != primary || second != secondary || (d.Verdict == Credited) != (primary != 0) || d.Outcome != Happening {
			t.Errorf("%s: %+v", name, d)
		}
	}
	f("organic", nil, nil, 0, 0)
	f("installation", installed, nil, 1, 0)
	f("both", installed, again, 2, 1)
	f("window over", installed, over, 1, 0)
	f("organic, won back", nil, again, 2, 0)
	f("claims installs only", only(installed, InstallEvent), nil, 0, 0)
	f("claims it", only(installed, "Purchase"), nil, 1, 0)
	f("won back by a route that does not claim it", installed, only(again, "Login"), 1, 0)
}

func TestRoutesClaimOnlyTheirEvents(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.Referrer.ClickID = "1"
	limited := func(events ...string) Touchpoint {
		return someTouch(1, time.Hour).with(func(t *Touchpoint) { t.ClickID, t.Claims = "1", Claims{Limited: true, Events: events} })
	}
	wantWinner(t, "installs", decide(c, limited("Login", InstallEvent)), 1)
	wantRejected(t, "logins", decide(c, limited("Login")), 1, NotClaimed)
	wantRejected(t, "nothing", decide(c, limited()), 1, NotClaimed)
	next := someTouch(2, 2*time.Hour).with(func(t *Touchpoint) { t.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}} })
	c.DeviceIDs = next.DeviceIDs
	wantWinner(t, "the next one", decide(c, limited("Login"), next), 2)

	// A route that claims an event and no install is credited with the event itself.
	c.Kind, c.Event = InApp, "Login"
	wantWinner(t, "login", decide(c, limited("Login")), 1)
	wantRejected(t, "purchase", decide(c, limited("Purchase")), 1, NotClaimed)
	wantRejected(t, "everything", decide(c, someTouch(1, time.Hour).with(func(t *Touchpoint) { t.ClickID = "1" })), 1, NotClaimed)
}

func TestHowLongEventsFollow(t *testing.T) {
	t.Parallel()
	f := func(name string, c *Conversion, change func(*Touchpoint), from, until time.Time) {
		t.Helper()
		touch := someTouch(1, time.Minute).with(func(t *Touchpoint) { t.ClickID, t.Retargeting = "1", true; change(t) })
		d := decide(c, touch)
		credit := d.Credit()
		if credit == nil || !credit.From.Equal(from) || !credit.Until.Equal(until) {
			t.Errorf("%s: %+v", name, credit)
		}
	}
	none := func(*Touchpoint) {}
	clicked := noon.Add(-time.Minute)
	install := someInstall()
	install.Referrer.ClickID = "1"
	reinstall := *install
	reinstall.Past = &PastInstall{At: noon.Add(-day)}
	f("installation", install, none, noon, time.Time{})
	f("reinstallation", &reinstall, none, noon, noon.Add(30*day))
	f("re-engagement", someOpen(8*day), none, clicked, clicked.Add(30*day))
	f("the link's own window", someOpen(8*day), func(t *Touchpoint) { t.EventWindow = 3 * day }, clicked, clicked.Add(3*day))
	f("for ever", someOpen(8*day), func(t *Touchpoint) { t.EventWindow = Forever }, clicked, time.Time{})
	d := decide(someInstall())
	if d.Credit() != nil {
		t.Error("an organic install has credit")
	}
}

func TestReinstallsNeedATouchAfterTheLastInstallation(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.Referrer.ClickID = "1"
	c.Past = &PastInstall{At: noon.Add(-time.Hour)}
	touch := someTouch(1, 2*time.Hour).with(func(t *Touchpoint) { t.ClickID, t.Retargeting = "1", true })
	d := decide(c, touch)
	wantRejected(t, "the first installation's own referrer", d, 1, BeforeInstall)
	if d.Outcome != Reinstall || d.Counts() {
		t.Errorf("%+v", d)
	}
}

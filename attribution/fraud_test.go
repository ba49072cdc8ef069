package attribution

import (
	"slices"
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/internal/uid"
)

// hasFlag reports whether the decision is flagged so.
func hasFlag(d Decision, f Flag) bool { return slices.Contains(d.Flags, f) }

// everyRule breaks each rule in turn: what happens by default, when it is made
// to flag, and when it is off.
func TestEveryRuleActsFlagsAndIsSwitchedOff(t *testing.T) {
	t.Parallel()
	nothing := func(*Conversion) {}
	honest := func(*Touchpoint) {}
	tested := map[Code]bool{}
	f := func(code Code, spoil func(*Conversion), taint func(*Touchpoint)) {
		t.Helper()
		tested[code] = true
		run := func(action Action) Decision {
			c := someInstall()
			c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
			touch := someTouch(1, time.Hour).with(func(t *Touchpoint) { t.DeviceIDs = c.DeviceIDs })
			spoil(c)
			taint(&touch)
			p := DefaultPolicy()
			p.Rules = map[Code]Action{code: action}
			return Decide(c, []Touchpoint{touch}, &p, noon.Add(time.Second))
		}
		rule := Rules()[slices.IndexFunc(Rules(), func(r Rule) bool { return r.Code == code })]
		flag := Flag{Code: code, Touch: 1}
		if rule.Whole {
			flag.Touch = 0
		}
		if d := run(Reject); winner(d) != 0 || why(d, 1) != code || d.Verdict == Credited {
			t.Errorf("%s, reject: %+v", code, d)
		}
		if d := run(FlagIt); winner(d) != 1 || !hasFlag(d, flag) {
			t.Errorf("%s, flag: %+v", code, d)
		}
		if d := run(RuleOff); winner(d) != 1 || len(d.Flags) != 0 {
			t.Errorf("%s, off: %+v", code, d)
		}
		if d := run(""); (winner(d) == 1) != (rule.Action == FlagIt) {
			t.Errorf("%s does by default what Rules does not say: %+v", code, d)
		}
	}
	f(Bot, nothing, func(t *Touchpoint) { t.Bot = "crawler:x" })
	f(ClickInjection, func(c *Conversion) { c.Referrer.InstallBeginServerAt = noon.Add(-61 * time.Minute) }, honest)
	f(ShortTime, nothing, func(t *Touchpoint) { t.At = noon.Add(-9999 * time.Millisecond) })
	f(ClickFlood, nothing, func(t *Touchpoint) { t.Traffic.DeviceClicks = 20 })
	f(OutlyingTimes, nothing, func(t *Touchpoint) { t.Traffic.SiteInstalls, t.Traffic.SiteWithinHour = 100, 34 })
	f(DeviceFarm, nothing, func(t *Touchpoint) {
		t.Traffic.SiteInstalls, t.Traffic.SiteWithinHour, t.Traffic.SiteNewDevices = 50, 50, 40
		t.Traffic.OtherInstalls, t.Traffic.OtherNewDevices = 50, 39
	})
	f(GeoMismatch, func(c *Conversion) { c.Facts.Country = "DE" }, func(t *Touchpoint) { t.Facts.Country = "BR" })
	f(AnonymousTouch, nothing, func(t *Touchpoint) { t.Facts.Addresses = []Address{{Network: Hosting}} })
	f(BadSignature, func(c *Conversion) { c.BadSignature = true }, honest)
	f(DuplicateDevice, func(c *Conversion) { c.DeviceInstalls = 4 }, honest)
	f(ClockSuspect, func(c *Conversion) { c.At = noon.Add(6 * time.Minute) }, honest)
	f(ClockSuspect, func(c *Conversion) { c.OddReferrer = true }, honest)
	f(Anonymous, func(c *Conversion) { c.Facts.Addresses[0].Network = VPN }, honest)
	f(Emulator, func(c *Conversion) { c.Emulator = true }, honest)
	f(MalformedID, func(c *Conversion) {
		c.Referrer.ClickID, c.DeviceIDs = "1", []DeviceID{{Kind: GAID, Value: "not-an-id"}}
	}, func(t *Touchpoint) { t.ClickID = "1" })
	for _, r := range Rules() {
		if !tested[r.Code] {
			t.Errorf("%s is not tested", r.Code)
		}
	}
}

func TestBoundariesOfFraud(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Conversion, *Touchpoint), code Code) {
		t.Helper()
		c := someInstall()
		c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
		touch := someTouch(1, time.Hour).with(func(t *Touchpoint) { t.DeviceIDs = c.DeviceIDs })
		change(c, &touch)
		d := Decide(c, []Touchpoint{touch}, new(DefaultPolicy()), noon.Add(time.Second))
		if got := why(d, 1); got != code {
			t.Errorf("%s: rejected by %q, want %q: %+v", name, got, code, d)
		}
	}
	f("ten seconds", func(_ *Conversion, t *Touchpoint) { t.At = noon.Add(-10 * time.Second) }, "")
	f("nineteen clicks before", func(_ *Conversion, t *Touchpoint) { t.Traffic.DeviceClicks = 19 }, "")
	f("fifty of an agent", func(_ *Conversion, t *Touchpoint) { t.Traffic.AgentClicks = 50 }, ClickFlood)
	f("fifty of an agent on a carrier's line", func(_ *Conversion, t *Touchpoint) {
		t.Traffic.AgentClicks, t.Facts.Addresses[0].Network = 50, Cellular
	}, "")
	f("hopeless site", func(_ *Conversion, t *Touchpoint) { t.Traffic.SiteClicks, t.Traffic.SiteInstalls = 10_000, 1 }, ClickFlood)
	f("poor site", func(_ *Conversion, t *Touchpoint) { t.Traffic.SiteClicks, t.Traffic.SiteInstalls = 10_000, 2 }, "")
	f("hopeless site that wins people back", func(_ *Conversion, t *Touchpoint) {
		t.Traffic.SiteClicks, t.Traffic.SiteInstalls, t.Traffic.SiteReengagements = 10_000, 1, 1
	}, "")
	f("three installs", func(c *Conversion, _ *Touchpoint) { c.DeviceInstalls = 3 }, "")
	f("eleven installations of a vendor id", func(c *Conversion, t *Touchpoint) {
		c.VendorInstalls, c.Facts.Platform, t.Facts.Platform = 11, device.IOS, device.IOS
	}, DuplicateDevice)
	f("the store's clock before the device's", func(c *Conversion, _ *Touchpoint) {
		c.Referrer.InstallBeginServerAt, c.Referrer.InstallBeginAt = noon.Add(-time.Minute), noon.Add(-2*time.Hour)
	}, "")
	f("a month ago", func(c *Conversion, _ *Touchpoint) { c.At = noon.Add(-30*day - time.Second) }, ClockSuspect)
	f("a malformed id beside a good one", func(c *Conversion, _ *Touchpoint) {
		c.DeviceIDs = append(c.DeviceIDs, DeviceID{Kind: OAID, Value: "ffff"})
	}, "")
	f("an opened URL within a second", func(c *Conversion, t *Touchpoint) {
		c.OpenedClickID, t.ClickID, t.At = "1", "1", noon.Add(-time.Second)
	}, "")
}

func TestRefusedConversionsAreReported(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.BadSignature = true
	d := decide(c, someTouch(1, time.Hour))
	if d.Verdict != Refused || d.Refusal != BadSignature || d.Counts() || d.Winner != nil || len(d.Rejected) != 1 {
		t.Errorf("%+v", d)
	}
}

func TestUserRules(t *testing.T) {
	t.Parallel()
	site := func(values ...string) []Condition { return []Condition{{Attribute: OnSite, Values: values}} }
	good := someTouch(1, 2*time.Hour).with(func(t *Touchpoint) { t.Source.Site, t.ClickID = "good", "1" })
	bad := someTouch(2, time.Hour).with(func(t *Touchpoint) { t.Source.Site, t.ClickID = "bad", "2" })
	run := func(r UserRule, touches ...Touchpoint) Decision {
		c := someInstall()
		c.Facts.Country = "DE"
		c.Referrer.ClickID, c.OpenedClickID = "1", "2"
		p := DefaultPolicy()
		p.UserRules = []UserRule{r}
		return Decide(c, touches, &p, noon)
	}
	d := run(UserRule{Name: "r", Conditions: site("bad")}, good, bad)
	wantWinner(t, "blocking", d, 1)
	wantRejected(t, "blocking", d, 2, "rule:r")
	wantWinner(t, "allow only", run(UserRule{Name: "r", Conditions: site("good"), AllowOnly: true}, good, bad), 1)
	wantWinner(t, "not in", run(UserRule{Name: "r", Conditions: []Condition{{OnSite, []string{"good"}, true}}}, good, bad), 1)
	wantWinner(t, "all conditions", run(UserRule{Name: "r", Conditions: append(site("bad"), Condition{Attribute: OnCountry, Values: []string{"FR"}})}, good, bad), 2)
	wantWinner(t, "off", run(UserRule{Name: "r", Conditions: site("bad"), Action: RuleOff}, good, bad), 2)
	d = run(UserRule{Name: "r", Conditions: site("bad"), Action: FlagIt}, good, bad)
	wantWinner(t, "flag", d, 2)
	if !hasFlag(d, Flag{Code: "rule:r", Touch: 2}) {
		t.Errorf("flags %v", d.Flags)
	}
	d = run(UserRule{Name: "r", Conditions: site("bad"), Refuses: true}, good, bad)
	if d.Verdict != Refused || d.Refusal != "rule:r" || len(d.Rejected) != 2 {
		t.Errorf("refuses: %+v", d)
	}
	country := []Condition{{Attribute: OnCountry, Values: []string{"DE"}}}
	if d = run(UserRule{Name: "r", Conditions: country, Refuses: true}); d.Verdict != Refused {
		t.Errorf("refuses an organic install by country: %+v", d)
	}
	if d = run(UserRule{Name: "r", Conditions: site("good"), AllowOnly: true, Refuses: true}); d.Verdict != Organic {
		t.Errorf("an organic install has no site: %+v", d)
	}
	d = run(UserRule{Name: "r", Conditions: country, Refuses: true, Action: FlagIt}, good)
	if winner(d) != 1 || !hasFlag(d, Flag{Code: "rule:r", Touch: 1}) {
		t.Errorf("flag instead of refusing: %+v", d)
	}
}

// TestUserRulesOfWhatIsNotKnown: what device and network did not tell blocks
// nothing; what the link does not name is not on a list.
func TestUserRulesOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	geo, platform := Condition{Attribute: OnCountry, Values: []string{"DE"}}, Condition{Attribute: OnPlatform, Values: []string{"ios"}}
	site, source, campaign := Condition{Attribute: OnSite, Values: []string{"good"}}, Condition{Attribute: OnSource, Values: []string{"good"}}, Condition{Attribute: OnCampaign, Values: []string{"good"}}
	not := func(c Condition) Condition { c.Not = true; return c }
	unknown, french := func(*Conversion, *Touchpoint) {}, func(c *Conversion, _ *Touchpoint) { c.Facts.Country = "FR" }
	f := func(name string, allowOnly bool, change func(*Conversion, *Touchpoint), blocks bool, conditions ...Condition) {
		t.Helper()
		touch := someTouch(1, time.Hour).with(func(t *Touchpoint) { t.Source, t.ClickID, t.Facts.Platform = Source{Link: 1}, "1", device.Unknown })
		for _, refuses := range []bool{false, true} {
			c, p := someInstall(), DefaultPolicy()
			c.Referrer.ClickID, c.Facts.Platform = "1", device.Unknown
			change(c, &touch)
			p.UserRules = []UserRule{{Name: "r", Conditions: conditions, AllowOnly: allowOnly, Refuses: refuses}}
			d := Decide(c, []Touchpoint{touch}, &p, noon)
			if (why(d, 1) == "rule:r") != blocks || (winner(d) == 1) == blocks || (d.Verdict == Refused) != (blocks && refuses) {
				t.Errorf("%s, refuses %v: %+v", name, refuses, d)
			}
		}
	}
	f("country, allow only", true, unknown, false, geo)
	f("country, blocking", false, unknown, false, geo)
	f("any other country, blocking", false, unknown, false, not(geo))
	f("any other country, allow only", true, unknown, false, not(geo))
	f("another country, allow only", true, french, true, geo)
	f("another country, blocking all others", false, french, true, not(geo))
	f("platform, allow only", true, unknown, false, platform)
	f("any other platform, blocking", false, unknown, false, not(platform))
	f("no site, allow only", true, unknown, true, site)
	f("no site, blocking all others", false, unknown, true, not(site))
	f("no media source, allow only", true, unknown, true, source)
	f("no campaign, allow only", true, unknown, true, campaign)
	f("no site, blocking", false, unknown, false, site)
	onSite := func(_ *Conversion, t *Touchpoint) { t.Source.Site = "good" }
	f("the site, country not known, allow only", true, onSite, false, site, geo)
	f("the site, country not known, blocking", false, onSite, false, site, geo)
	f("no site, country not known, allow only", true, unknown, true, site, geo)
}

// TestUserRulesAskOfInheritedEvents: a rule that refuses conversions is asked
// about an event whose credit is inherited as it is about one of nobody's.
func TestUserRulesAskOfInheritedEvents(t *testing.T) {
	t.Parallel()
	credit := func(id uid.Click, site string) *Credit {
		return &Credit{From: noon.Add(-day), Match: Match{Touch: id, Kind: Click, At: noon.Add(-2 * day), Source: Source{Name: "wide", Site: site}}}
	}
	on := func(a Attribute, value string) UserRule {
		return UserRule{Name: "r", Conditions: []Condition{{Attribute: a, Values: []string{value}}}, Refuses: true}
	}
	f := func(name string, r UserRule, install, again *Credit, refused uid.Click) {
		t.Helper()
		c, p := someInstall(), DefaultPolicy()
		c.Kind, c.Event, c.Facts.Country, c.InstallCredit, c.Reengagement = InApp, "Purchase", "DE", install, again
		p.UserRules = []UserRule{r}
		d := Decide(c, nil, &p, noon)
		if refused == 0 {
			if d.Verdict != Credited || d.Winner == nil || d.Refusal != "" {
				t.Errorf("%s: %+v", name, d)
			}
			return
		}
		if d.Verdict != Refused || d.Refusal != "rule:r" || d.Winner != nil || d.Secondary != nil || d.Outcome != Happening {
			t.Errorf("%s: %+v", name, d)
		}
		if len(d.Rejected) != 1 || d.Rejected[0].Touch != refused || d.Rejected[0].Code != "rule:r" || d.Rejected[0].Method != Inherited {
			t.Errorf("%s: rejected %+v", name, d.Rejected)
		}
	}
	f("country", on(OnCountry, "DE"), credit(1, "good"), nil, 1)
	f("another country", on(OnCountry, "FR"), credit(1, "good"), nil, 0)
	f("the installation's site", on(OnSite, "bad"), credit(1, "bad"), nil, 1)
	f("another site", on(OnSite, "bad"), credit(1, "good"), nil, 0)
	f("the site that won him back", on(OnSite, "bad"), credit(1, "good"), credit(2, "bad"), 2)
	f("won back from a bad site", on(OnSite, "bad"), credit(1, "bad"), credit(2, "good"), 0)
	touch := on(OnSite, "bad")
	touch.Refuses = false
	f("a rule about touches", touch, credit(1, "bad"), nil, 0)

	c, p := someInstall(), DefaultPolicy()
	c.Kind, c.InstallCredit, p.UserRules = InApp, credit(1, "bad"), []UserRule{on(OnSite, "bad")}
	p.UserRules[0].Action = FlagIt
	if d := Decide(c, nil, &p, noon); winner(d) != 1 || !hasFlag(d, Flag{Code: "rule:r", Touch: 1}) {
		t.Errorf("flag instead of refusing: %+v", d)
	}
}

func TestCompareTimes(t *testing.T) {
	t.Parallel()
	spread := func(n int, every, from time.Duration) (all []time.Duration) {
		for i := range n {
			all = append(all, from+time.Duration(i)*every)
		}
		return all
	}
	f := func(name string, a, b []time.Duration, least, most, chanceMost int) {
		t.Helper()
		d, chance := CompareTimes(timesOf(a...), timesOf(b...))
		if d < least || d > most || chance > chanceMost {
			t.Errorf("%s: distance %d, chance %d", name, d, chance)
		}
	}
	people := spread(500, time.Minute, 0)
	f("equal", people, people, 0, 0, 1_000_000)
	f("shifted", spread(100, time.Minute, 400*time.Minute), people, 7200, 7200, 1) // up to 24576 s: 410 of 500 against 10 of 100
	f("apart", spread(60, time.Second, 1000*time.Hour), people, 10_000, 10_000, 0)
	f("none", nil, people, 0, 0, 1_000_000)
	// A table of the distribution: P(K > 1.3581) = 0.05.
	if got := chance(1.3581); got < 0.0499 || got > 0.0501 {
		t.Errorf("chance(1.3581) = %v", got)
	}
}

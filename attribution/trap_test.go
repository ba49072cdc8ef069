package attribution

import (
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// The traps below are those that others fell into. Where one belongs to a
// package that reads the wire, it is tested there.

func iPhone(version, locale string) Facts {
	return Facts{Platform: device.IOS, OSVersion: version, Model: "iPhone", Locale: locale, Addresses: at(someIP)}
}

// iosPair is an owned click of an agent and an install on an iPhone.
func iosPair(agent, version string) (Touchpoint, *Conversion) {
	d := device.Parse(agent, device.Hints{})
	c := someInstall()
	c.Facts = iPhone(version, "en-US")
	c.Facts.Model = "iPhone17,1"
	return someTouch(1, 10*time.Minute).with(func(t *Touchpoint) {
		t.Owned = true
		t.Facts = iPhone(d.OSVersion, "en-US")
		t.Facts.Platform, t.Facts.Model = d.Platform, d.Model
	}), c
}

func TestTrap01FrozenSafariStillMatches(t *testing.T) {
	t.Parallel()
	f := func(name, agent, version string, want uid.Click) {
		t.Helper()
		touch, c := iosPair(agent, version)
		wantWinner(t, name, decide(c, touch), want)
	}
	f("18_6 and Version/26.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1", "26.0.1", 1)
	f("18_7 and Version/26.4", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1", "26.4", 1)
	f("a phone that is still on 18", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1", "26.4", 0)
}

func TestTrap02FrozenAndroidIsUnknown(t *testing.T) {
	t.Parallel()
	d := device.Parse("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36", device.Hints{})
	touch := someTouch(1, time.Minute).with(func(t *Touchpoint) { t.Facts.OSVersion, t.Facts.Model = d.OSVersion, d.Model })
	decision := decide(someInstall(), touch)
	wantWinner(t, "frozen", decision, 1)
	for _, s := range decision.Winner.Signals {
		if s.Name == "os_version" || s.Name == "model" {
			t.Errorf("%s counted although the browser did not know it", s.Name)
		}
	}
}

func TestTrap03InAppBrowsersArePeople(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{
		"Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro Build/BP3A.250905.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/143.0.7499.34 Mobile Safari/537.36 MetaIAB Facebook",
		"Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro Build/BP3A.250905.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/143.0.7499.34 Mobile Safari/537.36 Viber/26.1.0",
	} {
		d := device.Parse(agent, device.Hints{})
		touch := someTouch(1, time.Minute).with(func(t *Touchpoint) {
			t.Bot, t.Facts.Platform, t.Facts.OSVersion, t.Facts.Model = d.Bot, d.Platform, d.OSVersion, d.Model
		})
		wantWinner(t, agent, decide(someInstall(), touch), 1)
	}
}

func TestTrap04PrivateRelayNeitherMatchesNorAccuses(t *testing.T) {
	t.Parallel()
	touch, c := iosPair("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Mobile/15E148 Safari/604.1", "26.4")
	touch.Facts.Addresses[0].Network = Relay
	d := decide(c, touch)
	wantRejected(t, "same egress", d, 1, NotRecognised)
	if d.Verdict != Organic || len(d.Flags) != 0 {
		t.Errorf("verdict %s, flags %v", d.Verdict, d.Flags)
	}
	touch.ClipboardToken, c.ClipboardToken = "token", "token"
	d = decide(c, touch)
	wantWinner(t, "with a token", d, 1)
	if len(d.Flags) != 0 {
		t.Errorf("flags %v", d.Flags)
	}
}

func TestTrap05SharedAddressesAreOrganic(t *testing.T) {
	t.Parallel()
	touch, c := someTouch(1, time.Minute), someInstall()
	touch.Facts.Addresses, c.Facts.Addresses = at("100.64.3.4"), at("100.64.3.4")
	wantRejected(t, "inside a carrier's NAT", decide(c, touch), 1, NotRecognised)

	c = someInstall()
	c.Neighbours = 5
	wantRejected(t, "six devices", decide(c, someTouch(1, time.Minute)), 1, Crowded)
	c.Neighbours = 4
	wantWinner(t, "five devices", decide(c, someTouch(1, time.Minute)), 1)

	var many []Touchpoint
	for id := uid.Click(1); id <= 6; id++ {
		many = append(many, someTouch(id, time.Duration(id)*time.Hour))
	}
	wantRejected(t, "six visitors", decide(someInstall(), many...), 1, Crowded)
}

func TestTrap06ClickAfterInstallBeginLosesToTheNext(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
	c.Referrer = Referrer{ClickID: "1", ClickServerAt: noon.Add(-10 * time.Minute), InstallBeginServerAt: noon.Add(-9 * time.Minute)}
	honest := someTouch(1, 10*time.Minute).with(func(t *Touchpoint) { t.ClickID = "1" })
	injected := someTouch(2, 8*time.Minute).with(func(t *Touchpoint) { t.DeviceIDs = c.DeviceIDs })
	d := decide(c, honest, injected)
	wantRejected(t, "injected", d, 2, ClickInjection)
	wantWinner(t, "injected", d, 1)
	// In the same second the store's word is too coarse to accuse anybody.
	same := injected.with(func(t *Touchpoint) { t.At = c.Referrer.InstallBeginServerAt.Add(900 * time.Millisecond) })
	wantWinner(t, "same second", decide(c, honest, same), 2)
	// A device two minutes slow accuses nobody by its own clock, unless the click,
	// which the store has told by both, says how slow it is.
	c.Referrer = Referrer{ClickID: "1", InstallBeginAt: noon.Add(-11 * time.Minute)}
	d = decide(c, honest)
	wantWinner(t, "slow device", d, 1)
	if !hasFlag(d, Flag{Code: ClickInjection, Touch: 1}) {
		t.Errorf("slow device: %+v", d.Flags)
	}
	c.Referrer.ClickServerAt, c.Referrer.ClickAt = noon.Add(-10*time.Minute), noon.Add(-12*time.Minute)
	d = decide(c, honest, injected) // the download began a minute after the click
	wantRejected(t, "both clocks", d, 2, ClickInjection)
	wantWinner(t, "both clocks", d, 1)
	if len(d.Flags) > 0 {
		t.Errorf("both clocks: %+v", d.Flags)
	}
}

// TestARejectedReferrer: whether an older touch that an id joins may win where
// the store names a click that may not.
func TestARejectedReferrer(t *testing.T) {
	t.Parallel()
	ids := []DeviceID{{Kind: GAID, Value: someGAID}}
	f := func(name string, change func(c *Conversion, named *Touchpoint), code Code, older bool) {
		t.Helper()
		for _, kind := range []TouchKind{Click, View} {
			c := someInstall()
			c.DeviceIDs, c.Referrer.ClickID = ids, "1"
			named := someTouch(1, 2*time.Hour).with(func(t *Touchpoint) { t.ClickID = "1" })
			other := someTouch(2, 3*time.Hour).with(func(t *Touchpoint) { t.Kind, t.DeviceIDs, t.Retargeting = kind, ids, true })
			change(c, &named)
			d := decide(c, named, other)
			wantRejected(t, name, d, 1, code)
			if older {
				wantWinner(t, name+", older "+string(kind), d, 2)
			} else {
				wantRejected(t, name+", older "+string(kind), d, 2, ReferrerDecides)
			}
			newer := someTouch(3, time.Hour).with(func(t *Touchpoint) { t.Kind, t.DeviceIDs, t.Retargeting = kind, ids, true })
			wantWinner(t, name+", newer "+string(kind), decide(c, other, named, newer), 3)
			same := newer.with(func(t *Touchpoint) { t.At = named.At })
			wantWinner(t, name+", "+string(kind)+" of the same instant", decide(c, other, named, same), 3)
		}
	}
	f("too old", func(_ *Conversion, t *Touchpoint) { t.Lookbacks.ClickDeterministic = Lookback(time.Hour) }, OutsideLookback, false)
	f("earns nothing", func(_ *Conversion, t *Touchpoint) { t.Lookbacks.ClickDeterministic = Never }, OutsideLookback, false)
	f("used", func(_ *Conversion, t *Touchpoint) { t.UsedBy = "install-0" }, AlreadyUsed, false)
	f("another platform's", func(_ *Conversion, t *Touchpoint) { t.Facts.Platform = device.IOS }, PlatformMismatch, true)
	f("another app's", func(_ *Conversion, t *Touchpoint) { t.Apps = []link.AppID{9} }, OtherApp, true)
	f("claims no installs", func(_ *Conversion, t *Touchpoint) { t.Claims.Limited = true }, NotClaimed, true)
	f("does not win back", func(c *Conversion, _ *Touchpoint) { c.Past = &PastInstall{At: noon.Add(-day)} }, NotRetargeting, true)
	f("flood", func(_ *Conversion, t *Touchpoint) { t.Traffic.AgentClicks = 50 }, ClickFlood, true)
	f("bot", func(_ *Conversion, t *Touchpoint) { t.Bot = "crawler" }, Bot, true)

	// Opens are not what the store's referrer is about.
	c := someOpen(8 * day)
	c.DeviceIDs, c.Referrer.ClickID, c.OpenedClickID = ids, "1", ""
	named := someTouch(1, 8*day).with(func(t *Touchpoint) { t.ClickID, t.Retargeting = "1", true })
	older := someTouch(2, 9*day).with(func(t *Touchpoint) {
		t.DeviceIDs, t.Retargeting, t.Lookbacks.Reengagement = ids, true, Lookback(30*day)
	})
	d := decide(c, named, older)
	wantRejected(t, "open", d, 1, OutsideLookback)
	wantWinner(t, "open", d, 2)
}

func TestTrap07ClickBeatsNewerView(t *testing.T) {
	t.Parallel()
	c, ids := someInstall(), []DeviceID{{Kind: GAID, Value: someGAID}}
	c.DeviceIDs = ids
	click := someTouch(1, 6*day).with(func(t *Touchpoint) { t.DeviceIDs = ids })
	view := someTouch(2, time.Hour).with(func(t *Touchpoint) { t.Kind, t.DeviceIDs = View, ids })
	d := decide(c, click, view)
	wantWinner(t, "click and view", d, 1)
	if len(d.Assists) != 1 || d.Assists[0].Touch != 2 {
		t.Errorf("assists %+v", d.Assists)
	}
	likely := someTouch(3, time.Hour)
	wantWinner(t, "likely click and known view", decide(c, likely, view), 3)
}

func TestTrap08ExpiredClickLosesToFreshView(t *testing.T) {
	t.Parallel()
	c, ids := someInstall(), []DeviceID{{Kind: GAID, Value: someGAID}}
	c.DeviceIDs = ids
	click := someTouch(1, 7*day+time.Second).with(func(t *Touchpoint) { t.DeviceIDs = ids })
	view := someTouch(2, time.Hour).with(func(t *Touchpoint) { t.Kind, t.DeviceIDs = View, ids })
	d := decide(c, click, view)
	wantWinner(t, "expired", d, 2)
	wantRejected(t, "expired", d, 1, OutsideLookback)
}

func TestTrap09ReinstallOnDay89And91(t *testing.T) {
	t.Parallel()
	ids := []DeviceID{{Kind: GAID, Value: someGAID}}
	f := func(days int, retargeting bool, outcome Outcome, verdict Verdict, counts bool) {
		t.Helper()
		c := someInstall()
		c.DeviceIDs = ids
		c.Past = &PastInstall{At: noon.Add(-time.Duration(days) * day)}
		touch := someTouch(1, time.Hour).with(func(t *Touchpoint) { t.DeviceIDs, t.Retargeting = ids, retargeting })
		d := decide(c, touch)
		if d.Outcome != outcome || d.Verdict != verdict || d.Counts() != counts {
			t.Errorf("day %d, retargeting %v: %s, %s, counts %v; want %s, %s, %v", days, retargeting, d.Outcome, d.Verdict, d.Counts(), outcome, verdict, counts)
		}
	}
	f(89, false, Reinstall, Organic, false)
	f(89, true, Reattribution, Credited, false)
	f(90, true, Reattribution, Credited, false)
	f(91, false, NewInstall, Credited, true)
	f(91, true, NewInstall, Credited, true)
}

func TestTrap10RepeatedInstallDecidesTheSame(t *testing.T) {
	t.Parallel()
	touch := someTouch(1, time.Hour)
	first := decide(someInstall(), touch)
	touch.UsedBy = "install-1" // as the first decision left it
	again := decide(someInstall(), touch)
	if winner(first) != 1 || !equal(first, again) {
		t.Errorf("first %+v, again %+v", first, again)
	}
}

func TestTrap11WhatIsNoPersonEarnsNothing(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.Referrer.ClickID = "1"
	bot := someTouch(1, time.Hour).with(func(t *Touchpoint) { t.ClickID, t.Bot = "1", "prefetch" })
	wantRejected(t, "prefetch", decide(c, bot), 1, Bot)
	if keys := bot.Keys(); len(keys) != 0 {
		t.Errorf("a bot is filed under %v", keys)
	}
}

func TestTrap12ReferrerEncodedTwice(t *testing.T) {
	t.Parallel()
	f := func(raw, name, want string) {
		t.Helper()
		if got := ReferrerParams(raw)[name]; got != want {
			t.Errorf("%s: %s is %q, want %q", raw, name, got, want)
		}
	}
	f("click_id=90238&utm_source=wide", "click_id", "90238")
	f("click_id%3D90238%26utm_source%3Dwide", "click_id", "90238")
	f("click_id%253D90238%2526utm_source%253Dwide", "click_id", "90238")
	f("af_tranid=OTAyMzg%3D&c=a%20b", "af_tranid", "OTAyMzg=")
	f("af_tranid%3DOTAyMzg%253D%26c%3Da%2520b", "af_tranid", "OTAyMzg=")
	f("af_tranid%3DOTAyMzg%253D%26c%3Da%2520b", "c", "a b")
	f("click_id-90238", "click_id", "90238")
	f("a=1&a=2&%zz=3&b=%zz", "a", "1")
	f("", "a", "")
}

func TestTrap14LinkLookbackIsCutAndLeavesLikenessAlone(t *testing.T) {
	t.Parallel()
	c, ids := someInstall(), []DeviceID{{Kind: GAID, Value: someGAID}}
	asks := func(t *Touchpoint) { t.Lookbacks.ClickDeterministic = Lookback(60 * day) }
	wantRejected(t, "likeness after 25 hours", decide(c, someTouch(1, 25*time.Hour).with(asks)), 1, OutsideLookback)
	c.DeviceIDs = ids
	known := func(t *Touchpoint) { t.DeviceIDs = ids; asks(t) }
	wantWinner(t, "day 30", decide(c, someTouch(1, 30*day).with(known)), 1)
	wantRejected(t, "after day 30", decide(c, someTouch(1, 30*day+time.Second).with(known)), 1, OutsideLookback)
	c.DeviceIDs = nil
	longer := func(t *Touchpoint) { t.Lookbacks.ClickProbabilistic = Lookback(7 * day) }
	wantRejected(t, "likeness is cut to a day", decide(c, someTouch(1, 25*time.Hour).with(longer)), 1, OutsideLookback)
}

func TestTrap15HashedTouchMeetsRawInstall(t *testing.T) {
	t.Parallel()
	const capitals = "AEBE52E7-03EE-455A-B3C4-E57283966239"
	forms := map[string]DeviceID{
		"raw": {IDFA, Raw, capitals}, "small": {IDFA, "", "aebe52e7-03ee-455a-b3c4-e57283966239"},
		"sha1": {IDFA, SHA1, sha1Hex(capitals)}, "md5": {IDFA, MD5, md5Hex(capitals)},
		"sha1 of small": {IDFA, SHA1, sha1Hex("aebe52e7-03ee-455a-b3c4-e57283966239")},
	}
	for name, id := range forms {
		for _, own := range []string{"raw", "small"} {
			pair := func(a, b DeviceID) Decision {
				c := someInstall()
				c.Facts = iPhone("26.4", "en-US")
				c.DeviceIDs = []DeviceID{a}
				return decide(c, someTouch(1, 2*day).with(func(t *Touchpoint) { t.Facts, t.DeviceIDs = Facts{Platform: device.IOS}, []DeviceID{b} }))
			}
			wantWinner(t, name+" touch, "+own+" install", pair(forms[own], id), 1)
			wantWinner(t, own+" touch, "+name+" install", pair(id, forms[own]), 1)
		}
	}
}

func TestTrap16LateTouchRewritesNothingInSilence(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
	early := someTouch(1, 2*time.Hour)
	late := someTouch(2, time.Hour).with(func(t *Touchpoint) { t.DeviceIDs = c.DeviceIDs })
	p := DefaultPolicy()
	before := Decide(c, []Touchpoint{early}, &p, noon)
	if after, changed := Revise(&before, c, []Touchpoint{early, late}, &p, noon, noon.Add(time.Hour)); changed || !equal(before, after) {
		t.Errorf("changed without leave: %+v", after)
	}
	p.Updates = day
	if after, changed := Revise(&before, c, []Touchpoint{early, late}, &p, noon, noon.Add(2*day)); changed || !equal(before, after) {
		t.Errorf("changed too late: %+v", after)
	}
	after, changed := Revise(&before, c, []Touchpoint{early, late}, &p, noon, noon.Add(time.Hour))
	if !changed || !after.Late || winner(after) != 2 {
		t.Errorf("changed %v: %+v", changed, after)
	}
	if same, changed := Revise(&after, c, []Touchpoint{early, late}, &p, noon, noon.Add(time.Hour)); changed || !equal(same, after) {
		t.Errorf("changed twice: %+v", same)
	}
}

func TestTrap19DeepLinkWindows(t *testing.T) {
	t.Parallel()
	f := func(age, within time.Duration, want uid.Click) {
		t.Helper()
		d := decide(someInstall(), someTouch(1, age))
		if got, _ := d.DeepLink(within); got != want {
			t.Errorf("%s after the click, within %s: got %d, want %d", age, within, got, want)
		}
	}
	f(15*time.Minute, 15*time.Minute, 1)
	f(16*time.Minute, 15*time.Minute, 0)
	f(16*time.Minute, day, 1)
	d := decide(someInstall())
	if click, ok := d.DeepLink(day); ok {
		t.Errorf("an organic install gets the deep link of %d", click)
	}
}

func TestTrapCandidatesAreBoundedByKey(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.Referrer.ClickID = "1"
	known := someTouch(1, 5*day).with(func(t *Touchpoint) { t.ClickID = "1" })
	touches := []Touchpoint{known}
	for id := uid.Click(100); id < 100+3*MaxPerKey; id++ {
		touches = append(touches, someTouch(id, time.Duration(id)*time.Second))
	}
	found := find(c, touches)
	if len(found) > 2*MaxPerKey {
		t.Errorf("%d candidates", len(found))
	}
	wantWinner(t, "referrer beside a crowded address", decide(c, found...), 1)
}

func TestTrapACutListProvesNothing(t *testing.T) {
	t.Parallel()
	var touches []Touchpoint
	for id := uid.Click(1); id <= MaxPerKey; id++ {
		touches = append(touches, someTouch(id, time.Duration(id)*time.Minute).with(func(t *Touchpoint) { t.Visitor = "one" }))
	}
	wantWinner(t, "one short of the bound", decide(someInstall(), touches[1:]...), 2)
	wantRejected(t, "the bound", decide(someInstall(), touches...), 1, Crowded)
}

func TestTrapSameDistrictIsNotTheSameAddress(t *testing.T) {
	t.Parallel()
	c := someInstall()
	f := func(name string, addresses []Address, code Code) {
		t.Helper()
		wantRejected(t, name, decide(c, someTouch(1, time.Minute).with(func(t *Touchpoint) { t.Facts.Addresses = addresses })), 1, code)
	}
	f("same /24", at("203.0.113.78"), NotRecognised)
	cut := at("203.0.113.0")
	cut[0].Cut = true
	c.Facts.Addresses = cut
	f("both cut to the same /24", cut, NotRecognised)
	c.Facts.Addresses = at("2001:db8:1:2::77")
	f("same /48", at("2001:db8:1:3::77"), NotRecognised)
	wantWinner(t, "same /64", decide(c, someTouch(1, time.Minute).with(func(t *Touchpoint) { t.Facts.Addresses = at("2001:db8:1:2:aaaa::1") })), 1)
}

func TestTrapIOSClickNeverEarnsAndroidInstall(t *testing.T) {
	t.Parallel()
	c := someInstall()
	c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}}
	c.Referrer.ClickID, c.ClipboardToken = "1", "token"
	touch := someTouch(1, time.Minute).with(func(t *Touchpoint) {
		t.Facts.Platform, t.ClickID, t.ClipboardToken, t.DeviceIDs = device.IOS, "1", "token", c.DeviceIDs
	})
	wantRejected(t, "by every id", decide(c, touch), 1, PlatformMismatch)
	c = someInstall()
	wantRejected(t, "by likeness", decide(c, touch), 1, PlatformMismatch)
	touch.Facts.Platform = device.Unknown
	wantRejected(t, "by likeness, platform unknown", decide(c, touch), 1, PlatformMismatch)
}

func TestTrapOneClickIsCreditedOnce(t *testing.T) {
	t.Parallel()
	used := func(t *Touchpoint) { t.UsedBy = "install-0" }
	wantRejected(t, "likeness", decide(someInstall(), someTouch(1, time.Minute).with(used)), 1, AlreadyUsed)
	c := someInstall()
	c.Referrer.ClickID = "1"
	touch := someTouch(1, time.Minute).with(func(t *Touchpoint) { used(t); t.ClickID = "1" })
	wantRejected(t, "referrer", decide(c, touch), 1, AlreadyUsed)
	touch.MultiUse = true
	wantWinner(t, "a link for many", decide(c, touch), 1)
	c.Referrer.ClickID = ""
	wantRejected(t, "a link for many, by likeness", decide(c, touch), 1, AlreadyUsed)
}

package attribution

import (
	"fmt"
	"math"
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

func TestDecay(t *testing.T) {
	t.Parallel()
	for age := time.Duration(0); age <= 24*time.Hour; age += 7 * time.Minute {
		want := 10_000 * (0.70 + 0.30*math.Exp2(-age.Hours()/6))
		if got := decayAt(age); math.Abs(float64(got)-want) > 12 { // a chord lies above the curve
			t.Errorf("after %s: %d, want %.0f", age, got, want)
		}
	}
	if decayAt(-time.Minute) != 10_000 || decayAt(1000*time.Hour) != 7188 {
		t.Error("ages outside the table are cut to it")
	}
}

func TestLiken(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(touch, install *Facts), want Score, veto Code) {
		t.Helper()
		touch, install := someFacts(), someFacts()
		change(&touch, &install)
		signals, code := liken(&touch, &install)
		if code != veto {
			t.Errorf("%s: veto %q, want %q", name, code, veto)
		} else if veto == "" && score(signals, 0) != want {
			t.Errorf("%s: %s, want %s: %+v", name, score(signals, 0), want, signals)
		}
	}
	f("equal", func(a, b *Facts) {}, 10_000, "")
	f("nothing but the address", func(a, b *Facts) { *a = Facts{} }, 10_000, "")
	f("another language", func(a, b *Facts) { a.Locale = "pt-BR" }, 8823, "")
	f("another region", func(a, b *Facts) { a.Locale = "en_GB" }, 9411, "")
	f("no region", func(a, b *Facts) { a.Locale = "en" }, 10_000, "")
	f("script and region", func(a, b *Facts) { a.Locale, b.Locale = "zh-Hant-TW", "zh-TW" }, 10_000, "")
	f("another minor version", func(a, b *Facts) { a.OSVersion, b.OSVersion = "26.1", "26.2" }, 9294, "")
	f("a patch that one side leaves out", func(a, b *Facts) { a.OSVersion, b.OSVersion = "26.1", "26.1.2" }, 10_000, "")
	f("another major version", func(a, b *Facts) { b.OSVersion = "15" }, 0, OtherVersion)
	f("another model", func(a, b *Facts) { b.Model = "Pixel 9" }, 0, OtherModel)
	f("model with its brand", func(a, b *Facts) { b.Model = "Google  pixel 10 Pro" }, 10_000, "")
	f("another screen", func(a, b *Facts) { a.Screen, b.Screen = Screen{1080, 2400}, Screen{1080, 2340} }, 8947, "")
	f("a turned screen", func(a, b *Facts) { a.Screen, b.Screen = Screen{1080, 2400}, Screen{2401, 1079} }, 10_000, "")
	f("another zone", func(a, b *Facts) { a.Timezone, b.Timezone = "Europe/Berlin", "Europe/Paris" }, 9444, "")
	ios := func(a, b string) func(*Facts, *Facts) {
		return func(x, y *Facts) {
			*x, *y = Facts{Platform: device.IOS, Model: a, Locale: "en"}, Facts{Platform: device.IOS, Model: b, Locale: "de"}
		}
	}
	f("an iPhone of some kind proves nothing", ios("iPhone", "iPhone17,1"), 8000, "")
	f("an iPhone is no iPad", ios("iPhone", "iPad13,4"), 0, OtherModel)
	f("a known iPhone", ios("iPhone17,1", "iPhone17,1"), 8571, "")
}

func TestWhatLikenessNeeds(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Conversion, *Touchpoint, *Policy), code Code) {
		t.Helper()
		c, touch, p := someInstall(), someTouch(1, time.Hour), DefaultPolicy()
		change(c, &touch, &p)
		d := Decide(c, []Touchpoint{touch}, &p, noon)
		if got := why(d, 1); got != code || (winner(d) == 1) != (code == "") {
			t.Errorf("%s: %q, want %q: %+v", name, got, code, d)
		}
	}
	onIOS := func(c *Conversion, t *Touchpoint) {
		c.Facts, t.Facts = iPhone("26.4", "en-US"), iPhone("26.4", "en-US")
	}
	f("plain", func(*Conversion, *Touchpoint, *Policy) {}, "")
	f("off", func(_ *Conversion, _ *Touchpoint, p *Policy) { p.Likeness.Off = true }, LikenessOff)
	f("no consent", func(c *Conversion, _ *Touchpoint, _ *Policy) { c.Consent.Measurement = No }, NoConsent)
	f("child", func(c *Conversion, _ *Touchpoint, _ *Policy) { c.Consent.Child = true }, NoConsent)
	f("a referrer that names another click", func(c *Conversion, _ *Touchpoint, _ *Policy) { c.Referrer.ClickID = "99" }, ReferrerDecides)
	f("paid on iOS", func(c *Conversion, t *Touchpoint, _ *Policy) { onIOS(c, t) }, PlatformForbids)
	f("paid on iOS, person agrees", func(c *Conversion, t *Touchpoint, _ *Policy) { onIOS(c, t); c.Consent.Tracking = Yes }, "")
	f("paid on iOS, policy agrees", func(c *Conversion, t *Touchpoint, p *Policy) { onIOS(c, t); p.Likeness.IOS = link.IOSAll }, "")
	f("owned on iOS", func(c *Conversion, t *Touchpoint, _ *Policy) { onIOS(c, t); t.Owned = true }, "")
	f("owned on iOS, off", func(c *Conversion, t *Touchpoint, p *Policy) {
		onIOS(c, t)
		t.Owned, p.Likeness.IOS = true, link.IOSConsented
	}, PlatformForbids)
	f("nothing but an address", func(_ *Conversion, t *Touchpoint, _ *Policy) {
		t.Facts = Facts{Platform: device.Android, Addresses: at(someIP)}
	}, ThinEvidence)
	f("language alone on a shared line", func(c *Conversion, t *Touchpoint, _ *Policy) {
		t.Facts.OSVersion, t.Facts.Model = "", ""
		c.Facts.Addresses[0].Network = Cellular
	}, ThinEvidence)
	f("another advertising id", func(c *Conversion, t *Touchpoint, _ *Policy) {
		c.DeviceIDs, t.DeviceIDs = []DeviceID{{GAID, "", someGAID}}, []DeviceID{{GAID, SHA1, sha1Hex(otherGAID)}}
	}, OtherDevice)
	f("ids of two kinds", func(c *Conversion, t *Touchpoint, _ *Policy) {
		c.DeviceIDs, t.DeviceIDs = []DeviceID{{GAID, "", someGAID}}, []DeviceID{{IMEI, "", "490154203237518"}}
	}, "")
	f("a day", func(_ *Conversion, t *Touchpoint, _ *Policy) { t.At = noon.Add(-day) }, "")
	f("an hour on a shared line", func(c *Conversion, t *Touchpoint, _ *Policy) { c.Neighbours = 1 }, "")
	f("more on a shared line", func(c *Conversion, t *Touchpoint, _ *Policy) { c.Neighbours, t.At = 1, noon.Add(-time.Hour-1) }, OutsideLookback)
	thin := func(c *Conversion, t *Touchpoint) { t.Facts.OSVersion, t.Facts.Model = "", "" }
	f("language alone for a quarter of an hour", func(c *Conversion, t *Touchpoint, _ *Policy) { thin(c, t); t.At = noon.Add(-15 * time.Minute) }, "")
	f("language alone for longer", func(c *Conversion, t *Touchpoint, _ *Policy) { thin(c, t); t.At = noon.Add(-15*time.Minute - 1) }, ThinEvidence)
	f("language alone beside a neighbour", func(c *Conversion, t *Touchpoint, _ *Policy) {
		thin(c, t)
		t.At, c.Neighbours = noon.Add(-time.Minute), 1
	}, ThinEvidence)
	middling := func(c *Conversion, t *Touchpoint) { t.Facts.Model = "" }
	f("version and language after three hours", func(c *Conversion, t *Touchpoint, _ *Policy) { middling(c, t); t.At = noon.Add(-3 * time.Hour) }, "")
	f("version and language after four", func(c *Conversion, t *Touchpoint, _ *Policy) { middling(c, t); t.At = noon.Add(-4 * time.Hour) }, LowScore)
	f("another region after three hours", func(c *Conversion, t *Touchpoint, _ *Policy) { c.Facts.Locale, t.At = "en-GB", noon.Add(-3*time.Hour) }, LowScore)
	f("partly alike after a day", func(c *Conversion, t *Touchpoint, _ *Policy) { c.Facts.Locale, t.At = "de-DE", noon.Add(-day) }, LowScore)
	f("view", func(_ *Conversion, t *Touchpoint, _ *Policy) { t.Kind = View }, OutsideLookback)
	f("view that may", func(_ *Conversion, t *Touchpoint, p *Policy) {
		t.Kind, p.App.ViewProbabilistic = View, Lookback(time.Hour)
	}, "")
}

func TestUniqueness(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(a, b *Touchpoint), want uid.Click, code Code) {
		t.Helper()
		a, b := someTouch(1, 20*time.Minute), someTouch(2, 50*time.Minute)
		change(&a, &b)
		d := decide(someInstall(), a, b)
		if winner(d) != want || d.Likeness.Code != code {
			t.Errorf("%s: %d won, %s; want %d, %s: %+v", name, winner(d), d.Likeness.Code, want, code, d)
		}
	}
	f("two people", func(a, b *Touchpoint) {}, 0, Ambiguous)
	f("one cookie", func(a, b *Touchpoint) { a.Visitor, b.Visitor = "v", "v" }, 1, Matched)
	f("two cookies in one browser on one errand", func(a, b *Touchpoint) {
		a.Visitor, b.Visitor, a.Agent, b.Agent, b.Source = "v", "w", "agent", "agent", a.Source
	}, 0, Ambiguous)
	f("one browser on one errand", func(a, b *Touchpoint) { a.Agent, b.Agent, b.Source = "agent", "agent", a.Source }, 1, Matched)
	f("one browser on two errands", func(a, b *Touchpoint) { a.Agent, b.Agent = "agent", "agent" }, 0, Ambiguous)
	f("far behind", func(a, b *Touchpoint) { a.At, b.At = noon.Add(-time.Minute), noon.Add(-61*time.Minute) }, 1, Matched)
	f("another language", func(a, b *Touchpoint) { b.Facts.Locale = "de-DE" }, 0, Ambiguous)
	f("far less alike", func(a, b *Touchpoint) { b.Facts.Locale, b.Facts.Model = "de-DE", "" }, 1, Matched)
	f("another model", func(a, b *Touchpoint) { b.Facts.Model = "Pixel 8" }, 1, Matched)
	f("the other is used", func(a, b *Touchpoint) { b.UsedBy = "install-0" }, 1, Matched)
}

// TestADoubleClickEarnsOneInstall: once a click of a visitor has earned an
// install, his others are used up for likeness.
func TestADoubleClickEarnsOneInstall(t *testing.T) {
	t.Parallel()
	click := func(id uid.Click, before time.Duration) Touchpoint {
		return someTouch(id, before).with(func(t *Touchpoint) {
			t.Facts, t.Owned, t.ClipboardToken, t.Agent, t.Source = iPhone("26.4", "en-US"), true, fmt.Sprint("token-", id), "Safari", Source{Link: 1}
		})
	}
	install := func(id ConversionID, after time.Duration, token string) *Conversion {
		c := someInstall()
		c.ID, c.At, c.Facts, c.ClipboardToken = id, noon.Add(after), iPhone("26.4", "en-US"), token
		c.Facts.Model = "iPhone17,1"
		return c
	}
	f := func(name string, first *Conversion, byFirst uid.Click, change func(c *Conversion, a, b *Touchpoint), want uid.Click, code Code) {
		t.Helper()
		a, b := click(1, 12*time.Minute), click(2, 10*time.Minute)
		d := decide(first, a, b)
		wantWinner(t, name+", the first install", d, byFirst)
		for _, touch := range []*Touchpoint{&a, &b} {
			if touch.ID == byFirst {
				touch.UsedBy = first.ID
			}
		}
		second := install("install-2", 10*time.Minute, "")
		second.Neighbours = 1
		change(second, &a, &b)
		d = decide(second, a, b)
		wantWinner(t, name, d, want)
		for _, touch := range []*Touchpoint{&a, &b} {
			if touch.ID != want && why(d, touch.ID) != code {
				t.Errorf("%s: touch %d is rejected by %q, want %q", name, touch.ID, why(d, touch.ID), code)
			}
		}
	}
	byToken, byLikeness, olderByToken := install("install-1", 0, "token-2"), install("install-1", 0, ""), install("install-1", 0, "token-1")
	same := func(*Conversion, *Touchpoint, *Touchpoint) {}
	f("the later one by its token", byToken, 2, same, 0, AlreadyUsed)
	f("the later one by likeness", byLikeness, 2, same, 0, AlreadyUsed)
	f("the earlier one by its token", olderByToken, 1, same, 0, AlreadyUsed)
	f("a token proves it", byToken, 2, func(c *Conversion, _, _ *Touchpoint) { c.ClipboardToken = "token-1" }, 1, AlreadyUsed)
	f("another browser's", byToken, 2, func(_ *Conversion, a, _ *Touchpoint) { a.Agent = "Chrome" }, 1, AlreadyUsed)
	f("another errand", byToken, 2, func(_ *Conversion, a, _ *Touchpoint) { a.Source.Campaign = "spring" }, 1, AlreadyUsed)
	f("the same conversion again", byToken, 2, func(c *Conversion, _, _ *Touchpoint) { c.ID = "install-1" }, 2, "")
	elsewhere := func(_ *Conversion, _, b *Touchpoint) { b.Facts.Addresses = at("198.51.100.9") }
	f("from another address", byToken, 2, elsewhere, 1, NotRecognised)
}

func TestLookbackOfLinkThenPartnerThenAppThenAccountThenDefault(t *testing.T) {
	t.Parallel()
	f := func(linkAsks, partner, app, account Lookback, want time.Duration, of Level, ok bool) {
		t.Helper()
		p := DefaultPolicy()
		p.App.ClickDeterministic, p.Account.ClickDeterministic = app, account
		p.Partners = map[link.PartnerID]Lookbacks{1201: {ClickDeterministic: partner}, 5: {ClickDeterministic: 1}}
		touch := someTouch(1, 0).with(func(t *Touchpoint) { t.Lookbacks.ClickDeterministic = linkAsks })
		if got, level, in := p.lookback(&touch, clickWindow); in != ok || level != of || ok && got != want {
			t.Errorf("link %d, partner %d, app %d, account %d: %s of %s, %v; want %s of %s, %v", linkAsks, partner, app, account, got, level, in, want, of, ok)
		}
	}
	h := Lookback(time.Hour)
	f(h, 2*h, 3*h, 4*h, time.Hour, OfLink, true)
	f(0, 2*h, 3*h, 4*h, 2*time.Hour, OfPartner, true)
	f(0, 0, 3*h, 4*h, 3*time.Hour, OfApp, true)
	f(0, 0, 0, 4*h, 4*time.Hour, OfAccount, true)
	f(0, 0, 0, 0, 7*day, OfDefault, true)
	f(Never, 2*h, 3*h, 4*h, 0, OfLink, false)
	f(0, 0, Never, 4*h, 0, OfApp, false)
	f(0, 0, h, Never, time.Hour, OfApp, true)
	f(1, 2*h, 3*h, 0, time.Minute, OfLink, true)
	f(10_000*h, 0, 0, 0, 30*day, OfLink, true)
	p := DefaultPolicy()
	touch := someTouch(1, 0).with(func(t *Touchpoint) { t.Lookbacks.ClickDeterministic, t.DefaultLookbacks = 2*h, true })
	if got, level, _ := p.lookback(&touch, clickWindow); got != 2*time.Hour || level != OfDefault {
		t.Errorf("a dialect's default: %s of %s", got, level)
	}
}

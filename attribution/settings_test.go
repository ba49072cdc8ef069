package attribution

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/link"
)

// policyOf is the policy of an app whose account says this and which says that.
func policyOf(account, app link.AttributionSettings) Policy { return PolicyOf(&account, &app, nil) }

func TestPolicyOfNothingSaidIsTheDefault(t *testing.T) {
	t.Parallel()
	if got := policyOf(link.AttributionSettings{}, link.AttributionSettings{}); !reflect.DeepEqual(got, DefaultPolicy()) {
		t.Errorf("got %+v", got)
	}
}

// TestPolicyOfAppBeforeAccount says each setting at both, at the account alone,
// and nowhere.
func TestPolicyOfAppBeforeAccount(t *testing.T) {
	t.Parallel()
	f := func(name string, say func(s *link.AttributionSettings, n int64), read func(*Policy) any, want func(n int64) any) {
		t.Helper()
		var account, app link.AttributionSettings
		byDefault := read(new(policyOf(account, app)))
		say(&account, 2)
		if got := read(new(policyOf(account, app))); got != want(2) || got == byDefault {
			t.Errorf("%s of the account: %v, want %v, by default %v", name, got, want(2), byDefault)
		}
		say(&app, 1)
		if got := read(new(policyOf(account, app))); got != want(1) {
			t.Errorf("%s of the app: %v, want %v", name, got, want(1))
		}
	}
	hours := func(n int64) *time.Duration { return new(time.Duration(n) * time.Hour) }
	wantHours := func(n int64) any { return *hours(n) }
	f("reattribution", func(s *link.AttributionSettings, n int64) { s.ReattributionWindow = hours(n) }, func(p *Policy) any { return p.Reattribution }, wantHours)
	f("inactivity", func(s *link.AttributionSettings, n int64) { s.InactivityWindow = hours(n) }, func(p *Policy) any { return p.Inactivity }, wantHours)
	f("gap", func(s *link.AttributionSettings, n int64) { s.ReengagementGap = hours(n) }, func(p *Policy) any { return p.ReengagementGap }, wantHours)
	f("event window", func(s *link.AttributionSettings, n int64) { s.EventWindow = hours(n) }, func(p *Policy) any { return p.EventWindow }, wantHours)
	f("likeness", func(s *link.AttributionSettings, n int64) { s.Probabilistic = new(n == 1) }, func(p *Policy) any { return p.Likeness.Off }, func(n int64) any { return n != 1 })
	f("likeness on iOS", func(s *link.AttributionSettings, n int64) {
		s.ProbabilisticOnIOS = []link.IOSMatching{link.IOSNone, link.IOSAll}[n-1]
	}, func(p *Policy) any { return p.Likeness.IOS }, func(n int64) any { return []link.IOSMatching{link.IOSNone, link.IOSAll}[n-1] })
	f("rule", func(s *link.AttributionSettings, n int64) {
		s.FraudRules = map[string]string{"ctit_short": []string{"off", "flag"}[n-1]}
	}, func(p *Policy) any { return p.Rules[ShortTime] }, func(n int64) any { return []Action{RuleOff, FlagIt}[n-1] })
	f("ctit_short", func(s *link.AttributionSettings, n int64) { s.Thresholds.ShortTime = hours(n) }, func(p *Policy) any { return p.Fraud.ShortTime }, wantHours)
	wantInt := func(n int64) any { return int(n) }
	f("device clicks", func(s *link.AttributionSettings, n int64) { s.Thresholds.DeviceClicks = &n }, func(p *Policy) any { return p.Fraud.DeviceClicks }, wantInt)
	f("agent clicks", func(s *link.AttributionSettings, n int64) { s.Thresholds.AgentClicks = &n }, func(p *Policy) any { return p.Fraud.AgentClicks }, wantInt)
	f("device installs", func(s *link.AttributionSettings, n int64) { s.Thresholds.DeviceInstalls = &n }, func(p *Policy) any { return p.Fraud.DeviceInstalls }, wantInt)
	f("vendor installs", func(s *link.AttributionSettings, n int64) { s.Thresholds.VendorInstalls = &n }, func(p *Policy) any { return p.Fraud.VendorInstalls }, wantInt)
	f("site clicks", func(s *link.AttributionSettings, n int64) { s.Thresholds.SiteClicks = &n }, func(p *Policy) any { return p.Fraud.SiteClicks }, wantInt)
	f("site rate", func(s *link.AttributionSettings, n int64) { s.Thresholds.SiteRate = &n }, func(p *Policy) any { return p.Fraud.SiteRate }, wantInt)
	f("site installs", func(s *link.AttributionSettings, n int64) { s.Thresholds.SiteInstalls = &n }, func(p *Policy) any { return p.Fraud.OutlierInstalls }, wantInt)
	f("new devices", func(s *link.AttributionSettings, n int64) { s.Thresholds.SiteNewDevices = &n }, func(p *Policy) any { return p.Fraud.NewDevices }, wantInt)
	asks := func(say func(*link.LookbackSettings, *time.Duration), w window, name string) {
		t.Helper()
		f(name, func(s *link.AttributionSettings, n int64) { say(&s.Lookbacks, hours(n)) }, func(p *Policy) any {
			d, _, _ := p.lookback(&Touchpoint{}, w)
			return d
		}, wantHours)
	}
	asks(func(l *link.LookbackSettings, d *time.Duration) { l.Click = d }, clickWindow, "click")
	asks(func(l *link.LookbackSettings, d *time.Duration) { l.View = d }, viewWindow, "view")
	asks(func(l *link.LookbackSettings, d *time.Duration) { l.ClickProbabilistic = d }, probabilisticWindow, "click by likeness")
	asks(func(l *link.LookbackSettings, d *time.Duration) { l.ViewProbabilistic = d }, probabilisticViewWindow, "view by likeness")
	asks(func(l *link.LookbackSettings, d *time.Duration) { l.Reengagement = d }, reengagementWindow, "re-engagement")
}

func TestPolicyOfOneRuleLeavesTheOthers(t *testing.T) {
	t.Parallel()
	p := policyOf(link.AttributionSettings{FraudRules: map[string]string{"ctit_short": "off", "emulator": "reject"}},
		link.AttributionSettings{FraudRules: map[string]string{"ctit_short": "flag"}})
	if want := map[Code]Action{ShortTime: FlagIt, Emulator: Reject}; !reflect.DeepEqual(p.Rules, want) {
		t.Errorf("got %v, want %v", p.Rules, want)
	}
}

func TestPolicyOfUserRules(t *testing.T) {
	t.Parallel()
	rule := func(name, action string) link.UserRule {
		return link.UserRule{Name: name, Action: action, AllowOnly: true, Refuse: true, Conditions: []link.RuleCondition{{Attribute: "geo", Values: []string{"DE"}, Not: true}}}
	}
	p := policyOf(link.AttributionSettings{UserRules: []link.UserRule{rule("a", "reject"), rule("b", "flag")}},
		link.AttributionSettings{UserRules: []link.UserRule{rule("c", ""), rule("a", "off")}})
	want := []UserRule{}
	for _, r := range []UserRule{{Name: "c"}, {Name: "a", Action: RuleOff}, {Name: "b", Action: FlagIt}} {
		r.AllowOnly, r.Refuses, r.Conditions = true, true, []Condition{{OnCountry, []string{"DE"}, true}}
		want = append(want, r)
	}
	if !reflect.DeepEqual(p.UserRules, want) {
		t.Errorf("got %+v\nwant %+v", p.UserRules, want)
	}
}

// TestSettingsDecide: each window at its edge, as a decision shows it.
func TestSettingsDecide(t *testing.T) {
	t.Parallel()
	f := func(name string, s link.AttributionSettings, c *Conversion, want Outcome, touches ...Touchpoint) {
		t.Helper()
		d := Decide(c, touches, new(policyOf(link.AttributionSettings{}, s)), noon.Add(time.Second))
		if d.Outcome != want || (len(touches) > 0) != (d.Winner != nil) {
			t.Errorf("%s: %s, want %s: %s", name, d.Outcome, want, strings.Join(d.Explain(), " "))
		}
	}
	again := func(ago time.Duration) *Conversion {
		c := someInstall()
		c.Past = &PastInstall{At: noon.Add(-ago)}
		return c
	}
	month := link.AttributionSettings{ReattributionWindow: new(30 * day)}
	f("in the re-attribution window", month, again(30*day), Reinstall)
	f("behind the re-attribution window", month, again(30*day+1), NewInstall)
	f("re-attribution for ever", link.AttributionSettings{ReattributionWindow: new(link.Lifetime)}, again(2000*day), Reinstall)
	back := someTouch(1, time.Second).with(func(t *Touchpoint) { t.ClickID, t.Retargeting = "1", true })
	f("nobody needs to be away", link.AttributionSettings{InactivityWindow: new(time.Duration(0))}, someOpen(0), Reengagement, back)
	f("away for two days", link.AttributionSettings{InactivityWindow: new(2 * day)}, someOpen(2*day), Reengagement, back)
	wonBack := func(ago time.Duration) *Conversion {
		c := someOpen(8 * day)
		c.Reengagement = &Credit{Match: Match{Touch: 9, Source: back.Source}, From: noon.Add(-ago)}
		return c
	}
	f("no gap", link.AttributionSettings{ReengagementGap: new(time.Duration(0))}, wonBack(time.Minute), Reengagement, back)
	until := func(s link.AttributionSettings) time.Time {
		return Decide(someOpen(8*day), []Touchpoint{back}, new(policyOf(s, link.AttributionSettings{})), noon.Add(time.Second)).EventsUntil
	}
	if got, want := until(link.AttributionSettings{EventWindow: new(2 * day)}), back.At.Add(2*day); !got.Equal(want) {
		t.Errorf("events follow until %s, want %s", got, want)
	}
	if got := until(link.AttributionSettings{EventWindow: new(link.Lifetime)}); !got.IsZero() {
		t.Errorf("events follow until %s, want for ever", got)
	}
}

// TestLikenessOnIOS: whom each word permits.
func TestLikenessOnIOS(t *testing.T) {
	t.Parallel()
	f := func(word link.IOSMatching, paid, owned, agreed bool) {
		t.Helper()
		run := func(own bool, answer Answer) bool {
			c := someInstall()
			c.Facts.Platform, c.Consent.Tracking = device.IOS, answer
			touch := someTouch(1, time.Minute).with(func(t *Touchpoint) { t.Facts.Platform, t.Owned = device.IOS, own })
			d := Decide(c, []Touchpoint{touch}, new(policyOf(link.AttributionSettings{ProbabilisticOnIOS: word}, link.AttributionSettings{})), noon.Add(time.Second))
			if code := why(d, 1); winner(d) == 0 && code != PlatformForbids {
				t.Errorf("%s: rejected by %s", word, code)
			}
			return winner(d) == 1
		}
		if got := [3]bool{run(false, ""), run(true, ""), run(false, Yes)}; got != [3]bool{paid, owned, agreed} {
			t.Errorf("%s permits %v", word, got)
		}
	}
	f(link.IOSNone, false, false, false)
	f(link.IOSConsented, false, false, true)
	f(link.IOSOwned, false, true, true)
	f(link.IOSAll, true, true, true)
	f("", false, true, true)
}

// problems are what CheckSettings says, in the order of the fields.
func problems(s link.AttributionSettings) (all []string) {
	CheckSettings(&s, func(field, problem string) { all = append(all, field+": "+problem) })
	slices.Sort(all)
	return all
}

func TestSettingsThatAreRight(t *testing.T) {
	t.Parallel()
	f := func(s link.AttributionSettings) {
		t.Helper()
		if found := problems(s); len(found) > 0 {
			t.Errorf("%+v: %q", s, found)
		}
	}
	never := new(time.Duration(0))
	f(link.AttributionSettings{})
	f(link.AttributionSettings{
		Lookbacks:           link.LookbackSettings{Click: new(30 * day), View: new(day), ClickProbabilistic: new(day), ViewProbabilistic: new(6 * time.Hour), Reengagement: new(30 * day)},
		ReattributionWindow: new(730 * day), InactivityWindow: new(365 * day), ReengagementGap: new(30 * day), EventWindow: new(365 * day),
		Thresholds: link.FraudThresholds{ShortTime: new(10 * time.Minute), DeviceClicks: new(int64(63)), AgentClicks: new(int64(63)), DeviceInstalls: new(int64(63)), VendorInstalls: new(int64(63))},
	})
	f(link.AttributionSettings{
		Lookbacks:           link.LookbackSettings{Click: never, View: never, ClickProbabilistic: never, ViewProbabilistic: never, Reengagement: never},
		ReattributionWindow: new(day), InactivityWindow: never, ReengagementGap: never, EventWindow: new(time.Hour),
		Thresholds: link.FraudThresholds{ShortTime: new(time.Second), DeviceClicks: new(int64(1)), AgentClicks: new(int64(1)), DeviceInstalls: new(int64(1)), VendorInstalls: new(int64(1))},
	})
	f(link.AttributionSettings{ReattributionWindow: new(link.Lifetime), EventWindow: new(link.Lifetime), FraudRules: map[string]string{"bot_ua": "reject"}})
	for _, r := range Rules() {
		for _, action := range []Action{Reject, FlagIt, RuleOff} {
			if r.Code != Bot {
				f(link.AttributionSettings{FraudRules: map[string]string{string(r.Code): string(action)}})
			}
		}
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	f := func(say func(*link.AttributionSettings), want string) {
		t.Helper()
		var s link.AttributionSettings
		say(&s)
		if found := problems(s); len(found) != 1 || !strings.HasPrefix(found[0], want) {
			t.Errorf("got %q, want %q", found, want)
		}
	}
	span := func(field func(*link.AttributionSettings) **time.Duration, want string, wrong ...time.Duration) {
		t.Helper()
		for _, d := range wrong {
			f(func(s *link.AttributionSettings) { *field(s) = new(d) }, want)
		}
	}
	type S = link.AttributionSettings
	span(func(s *S) **time.Duration { return &s.Lookbacks.Click }, "lookbacks.click: must be 0, or from 1m to 30d", time.Second, 30*day+1, -1, link.Lifetime)
	span(func(s *S) **time.Duration { return &s.Lookbacks.View }, "lookbacks.view: must be 0, or from 1m to 24h", day+1)
	span(func(s *S) **time.Duration { return &s.Lookbacks.ClickProbabilistic }, "lookbacks.click_probabilistic: must be 0, or from 1m to 24h", day+1)
	span(func(s *S) **time.Duration { return &s.Lookbacks.ViewProbabilistic }, "lookbacks.view_probabilistic: must be 0, or from 1m to 6h", 6*time.Hour+1)
	span(func(s *S) **time.Duration { return &s.Lookbacks.Reengagement }, "lookbacks.reengagement: must be 0, or from 1m to 30d", 30*day+1)
	span(func(s *S) **time.Duration { return &s.ReattributionWindow }, "reattribution_window: must be from 24h to 730d, or lifetime", 0, day-1, 730*day+1)
	span(func(s *S) **time.Duration { return &s.InactivityWindow }, "inactivity_window: must be 0, or from 1h to 365d", time.Minute, 365*day+1)
	span(func(s *S) **time.Duration { return &s.ReengagementGap }, "reengagement_gap: must be 0, or from 1h to 30d", time.Minute, 30*day+1)
	span(func(s *S) **time.Duration { return &s.EventWindow }, "event_window: must be from 1h to 365d, or lifetime", 0, 365*day+1)
	span(func(s *S) **time.Duration { return &s.Thresholds.ShortTime }, "fraud.thresholds.ctit_short: must be from 1s to 10m", 0, 10*time.Minute+1)
	number := func(field func(*S) **int64, want string, least, most int64) {
		t.Helper()
		for _, n := range []int64{least - 1, -1, most + 1} {
			f(func(s *S) { *field(s) = &n }, fmt.Sprintf("%s: must be a number from %d to %d", want, least, most))
		}
		for _, n := range []int64{least, most} {
			var s S
			*field(&s) = &n
			if found := problems(s); len(found) > 0 {
				t.Errorf("%s of %d: %q", want, n, found)
			}
		}
	}
	count := func(field func(*S) **int64, want string) {
		t.Helper()
		number(field, want, 1, 63)
	}
	number(func(s *S) **int64 { return &s.Thresholds.SiteClicks }, "fraud.thresholds.site_clicks", 100, 1_000_000)
	number(func(s *S) **int64 { return &s.Thresholds.SiteRate }, "fraud.thresholds.site_rate", 1, 100_000)
	number(func(s *S) **int64 { return &s.Thresholds.SiteInstalls }, "fraud.thresholds.site_installs", 10, 10_000)
	number(func(s *S) **int64 { return &s.Thresholds.SiteNewDevices }, "fraud.thresholds.site_new_devices", 1, 100)
	count(func(s *S) **int64 { return &s.Thresholds.DeviceClicks }, "fraud.thresholds.device_clicks")
	count(func(s *S) **int64 { return &s.Thresholds.AgentClicks }, "fraud.thresholds.agent_clicks")
	count(func(s *S) **int64 { return &s.Thresholds.DeviceInstalls }, "fraud.thresholds.device_installs")
	count(func(s *S) **int64 { return &s.Thresholds.VendorInstalls }, "fraud.thresholds.vendor_installs")
	f(func(s *S) { s.ProbabilisticOnIOS = "some" }, "probabilistic.ios: must be one of none, consented, owned or all")
	f(func(s *S) { s.FraudRules = map[string]string{"vpn": "off"} }, "fraud.rules.vpn: no such rule; known are incorrect_signature, ")
	f(func(s *S) { s.FraudRules = map[string]string{"emulator": "explode"} }, "fraud.rules.emulator: must be one of reject, flag or off")
	f(func(s *S) { s.FraudRules = map[string]string{"bot_ua": "off"} }, "fraud.rules.bot_ua: must be reject")
}

func TestUserRulesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	ok := []link.RuleCondition{{Attribute: "site_id", Values: []string{"x"}}}
	f := func(want string, rules ...link.UserRule) {
		t.Helper()
		if found := problems(link.AttributionSettings{UserRules: rules}); len(found) != 1 || !strings.HasPrefix(found[0], "fraud.user_rules"+want) {
			t.Errorf("%+v: %q, want %s", rules, found, want)
		}
	}
	on := func(attribute string, values ...string) link.UserRule {
		return link.UserRule{Name: "r", Conditions: []link.RuleCondition{{Attribute: attribute, Values: values}}}
	}
	f("[0].name: must be 1 to 64", link.UserRule{Conditions: ok})
	f("[0].name: must be 1 to 64", link.UserRule{Name: "bad sites", Conditions: ok})
	f("[1].name: is the name of a rule above", link.UserRule{Name: "r", Conditions: ok}, link.UserRule{Name: "r", Conditions: ok})
	f("[0].when: missing", link.UserRule{Name: "r"})
	f("[0].when.shoe_size: no such attribute", on("shoe_size", "x"))
	f("[0].when.site_id: is empty", on("site_id"))
	f("[0].when.site_id[1]: must be a text", on("site_id", "x", ""))
	f("[0].when.geo[0]: must be the two capital letters", on("geo", "de"))
	f("[0].when.geo[1]: must be the two capital letters", on("geo", "DE", "Germany"))
	f("[0].when.platform[0]: must be a platform", on("platform", "Android"))
	f("[0].when.site_id: holds more than 1000", on("site_id", slices.Repeat([]string{"x"}, 1001)...))
	f("[0].when_not.geo[0]: must be", link.UserRule{Name: "r", Conditions: []link.RuleCondition{{Attribute: "geo", Values: []string{"x"}, Not: true}}})
	f("[0].action: must be one of reject, flag or off", link.UserRule{Name: "r", Conditions: ok, Action: "explode"})
	var many []link.UserRule
	for i := range 101 {
		many = append(many, link.UserRule{Name: fmt.Sprint(i), Conditions: ok})
	}
	f(": holds more than 100 rules", many...)
	for _, attribute := range []Attribute{OnSource, OnAgency, OnCampaign, OnCampaignID, OnAdSetID, OnAdID, OnSite} {
		if found := problems(link.AttributionSettings{UserRules: []link.UserRule{on(string(attribute), "x")}}); len(found) > 0 {
			t.Error(found)
		}
	}
	if found := problems(link.AttributionSettings{UserRules: []link.UserRule{on("geo", "DE"), {Name: "s", Conditions: on("platform", "ios", "firetv").Conditions, Action: "off"}}}); len(found) > 0 {
		t.Error(found)
	}
}

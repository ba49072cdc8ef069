package pipeline

import (
	"testing"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/link"
)

// says puts settings of account 1 and of its Android app in force.
func (p *past) says(account, app link.AttributionSettings) {
	p.Helper()
	c := p.directory.Catalog
	c.Accounts = append([]link.Account{}, c.Accounts...)
	c.Apps = append([]link.App{}, c.Apps...)
	c.Accounts[0].Attribution = account
	for i := range c.Apps {
		if c.Apps[i].ID == androidApp {
			c.Apps[i].Attribution = app
		}
	}
	d, err := link.NewDirectory(c)
	p.ok(err)
	p.directory = d
}

// TestPolicyOfAppAndAccount: whose word counts, through the directory.
func TestPolicyOfAppAndAccount(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.says(link.AttributionSettings{InactivityWindow: new(time.Hour), EventWindow: new(time.Hour)}, link.AttributionSettings{InactivityWindow: new(2 * time.Hour)})
	var all policies
	f := func(account link.AccountID, app link.AppID, inactivity, events time.Duration) {
		t.Helper()
		for range 2 { // the second one is remembered
			got := all.of(p.directory, account, app)
			if got.Inactivity != inactivity || got.EventWindow != events {
				t.Errorf("app %d of account %d: %s, %s; want %s, %s", app, account, got.Inactivity, got.EventWindow, inactivity, events)
			}
		}
	}
	day := 24 * time.Hour
	f(1, androidApp, 2*time.Hour, time.Hour)
	f(1, iosApp, time.Hour, time.Hour)
	f(1, 99, time.Hour, time.Hour)
	f(2, androidApp, 7*day, 30*day) // another's app
	if got := all.of(p.directory, 1, androidApp).Partners[5].ClickDeterministic; got != attribution.Lookback(2*time.Hour) {
		t.Errorf("the partner's lookback is %v", time.Duration(got))
	}
	p.says(link.AttributionSettings{}, link.AttributionSettings{})
	f(1, androidApp, 7*day, 30*day)
}

// TestChangedPolicyDecidesWhatComesLater: what was decided stays, and what is
// made anew is decided by the policy of today.
func TestChangedPolicyDecidesWhatComesLater(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	install := func(name string, at time.Time) event.Click {
		t.Helper()
		c := p.touched(at, func(c *event.Click) { c.Query = "pid=bad" })
		p.told(event.OpenKind, name, at.Add(time.Minute), came(c))
		return c
	}
	first := install("before", noon)
	a := p.catchUp()
	p.says(link.AttributionSettings{}, link.AttributionSettings{UserRules: []link.UserRule{
		{Name: "bad", Conditions: []link.RuleCondition{{Attribute: "media_source", Values: []string{"bad"}}}},
	}})
	second := install("after", noon.Add(time.Hour))
	p.ok(a.CatchUp(t.Context()))
	p.credited(p.decided("before", attribution.Install, ""), first, attribution.ByReferrer)
	blocked := func(name string, c event.Click) {
		t.Helper()
		d := p.decided(name, attribution.Install, "")
		p.verdict(d, attribution.Organic, attribution.NewInstall)
		if r := d.Decision.Rejected; len(r) != 1 || r[0].Touch != c.ID || r[0].Code != "rule:bad" {
			t.Errorf("%s: rejected %+v", name, r)
		}
	}
	blocked("after", second)
	p.ok(a.Rebuild(t.Context()))
	p.ok(a.CatchUp(t.Context()))
	blocked("before", first)
	blocked("after", second)
}

// TestClockRuleHasASwitch: an install whose time is impossible earns nobody,
// unless the account takes the time of its report for it.
func TestClockRuleHasASwitch(t *testing.T) {
	t.Parallel()
	for action, verdict := range map[string]attribution.Verdict{"": attribution.Organic, "reject": attribution.Organic, "flag": attribution.Credited, "off": attribution.Credited} {
		p := newPast(t)
		if action != "" {
			p.says(link.AttributionSettings{FraudRules: map[string]string{"clock_suspect": action}}, link.AttributionSettings{})
		}
		c := p.touched(noon, nil)
		odd := func(t *event.Told) {
			came(c)(t)
			t.Flags = []string{event.ClockFlag}
		}
		p.told(event.InAppKind, "device-1", noon.Add(time.Minute), func(t *event.Told) { t.Name, t.Flags = "early", []string{event.ClockFlag} })
		p.told(event.OpenKind, "device-1", noon.Add(2*time.Minute), odd)
		p.told(event.InAppKind, "device-1", noon.Add(3*time.Minute), func(t *event.Told) { t.Name, t.Flags = "late", []string{event.ClockFlag} })
		p.catchUp()
		p.verdict(p.decided("device-1", attribution.Install, ""), verdict, attribution.NewInstall)
		p.verdict(p.decided("device-1", attribution.InApp, "early"), verdict, attribution.Happening)
		p.verdict(p.decided("device-1", attribution.InApp, "late"), verdict, attribution.Happening)
	}
}

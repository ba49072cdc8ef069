package pipeline

import (
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/link"
	"waypost/report"
)

// duplicated tells three installs of one device, so that the next one in the
// same day is refused.
func (p *past) duplicated() {
	p.Helper()
	for _, install := range []string{"device-1", "device-2", "device-3"} {
		p.told(event.OpenKind, install, noon, withGAID(first))
	}
}

func withGAID(change func(*event.Told)) func(*event.Told) {
	return func(t *event.Told) {
		change(t)
		t.IDs = []event.DeviceID{{Kind: "gaid", Value: someGAID}}
	}
}

func buy(t *event.Told) { t.Name, t.Amount, t.Currency = "buy", "5", "EUR" }

// TestWhatARefusedInstallationDoes: it is refused with the installation, in
// whichever order they came, and counts nowhere but in reports of fraud.
func TestWhatARefusedInstallationDoes(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*event.Told), eventFirst, late bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			p.duplicated()
			buys := func() { p.told(event.InAppKind, "device-4", noon.Add(2*time.Minute), change) }
			if eventFirst {
				buys()
				if late {
					p.catchUp()
					p.verdict(p.decided("device-4", attribution.InApp, "buy"), attribution.Organic, attribution.Happening)
				}
			}
			p.told(event.OpenKind, "device-4", noon.Add(3*time.Minute), withGAID(first))
			if !eventFirst {
				buys()
			}
			p.touched(noon.Add(20*24*time.Hour), func(c *event.Click) { c.Query = "retargeting&gaid=" + someGAID })
			p.told(event.OpenKind, "device-4", noon.Add(20*24*time.Hour+time.Minute), withGAID(func(*event.Told) {}))
			a := p.catchUp()
			p.verdict(p.decided("device-4", attribution.Install, ""), attribution.Refused, attribution.Reinstall)
			bought := p.decided("device-4", attribution.InApp, "buy")
			p.verdict(bought, attribution.Refused, attribution.Happening)
			opened := p.decided("device-4", attribution.Open, "")
			p.verdict(opened, attribution.Refused, attribution.Session)
			if bought.Decision.Refusal != attribution.DuplicateDevice || opened.Decision.Refusal != attribution.DuplicateDevice {
				t.Errorf("refused by %q and %q", bought.Decision.Refusal, opened.Decision.Refusal)
			}
			p.counts(map[string]int64{"organic_installs/0": 1, "reinstalls/0": 2, "rejected_installs/0": 1, "rejected_events/0": 1})
			e, err := a.ExplainInstall(t.Context(), androidApp, "device-4")
			p.ok(err)
			if text := strings.Join(e.Text(), "\n"); strings.Count(text, "refused by duplicate_device") != 3 {
				t.Errorf("the explanation does not say three times why:\n%s", text)
			}
		})
	}
	suspect := func(t *event.Told) { buy(t); t.Flags = []string{event.ClockFlag} }
	f("after its install", buy, false, false)
	f("before its install", buy, true, true)
	f("before its install, in one step", buy, true, false)
	f("by a clock that is wrong", suspect, false, false)
	f("by a clock that is wrong, before its install", suspect, true, true)
}

// TestARefusedInstallationIsHeard: what its person says of himself is noted,
// unless the report is forged.
func TestARefusedInstallationIsHeard(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.duplicated()
	p.told(event.OpenKind, "device-4", noon.Add(3*time.Minute), withGAID(first))
	p.told(event.InAppKind, "device-4", noon.Add(time.Hour), func(t *event.Told) { buy(t); t.Consent = &event.Consent{Measurement: "no"} })
	p.told(event.InAppKind, "device-4", noon.Add(2*time.Hour), func(t *event.Told) {
		buy(t)
		t.Unsigned, t.Consent = true, &event.Consent{Measurement: "yes"}
	})
	p.catchUp()
	i, _, err := p.store.ReadInstallation(t.Context(), androidApp, "device-4")
	p.ok(err)
	if i.Consent.Measurement != attribution.No || !i.LastActiveAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("consent %+v, last active %s", i.Consent, i.LastActiveAt)
	}
}

// TestUserRulesRefuseInheritedEvents: an event of a credited installation is
// refused by the account's own rule, is counted with the click that would have
// earned it, and what its person says in it is noted all the same.
func TestUserRulesRefuseInheritedEvents(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	c := p.touched(noon, nil)
	p.told(event.OpenKind, "device-1", noon.Add(time.Hour), came(c))
	a := p.catchUp()
	p.says(link.AttributionSettings{}, link.AttributionSettings{UserRules: []link.UserRule{
		{Name: "home", Refuse: true, Conditions: []link.RuleCondition{{Attribute: "geo", Values: []string{"DE"}}}},
	}})
	p.told(event.InAppKind, "device-1", noon.Add(2*time.Hour), func(t *event.Told) { buy(t); t.Consent = &event.Consent{Measurement: "no"} })
	p.told(event.InAppKind, "device-1", noon.Add(3*time.Hour), func(t *event.Told) { t.Name, t.Country = "abroad", "FR" })
	p.ok(a.CatchUp(t.Context()))
	d := p.decided("device-1", attribution.InApp, "buy")
	p.verdict(d, attribution.Refused, attribution.Happening)
	if d.Decision.Refusal != "rule:home" {
		t.Errorf("refused by %q", d.Decision.Refusal)
	}
	p.credited(p.decided("device-1", attribution.InApp, "abroad"), c, attribution.Inherited)
	p.counts(map[string]int64{"installs/0": 1, "rejected_events/0": 1, "events/0": 1})
	rows, err := p.store.SumCounts(t.Context(), report.Query{Account: 1, GroupBy: []report.Dimension{report.ByMetric, report.ByTemplate}})
	p.ok(err)
	for _, r := range rows {
		if r.Key.Template != c.Template {
			t.Errorf("counted without its click: %+v", r.Key)
		}
	}
	i, _, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1")
	p.ok(err)
	if i.Consent.Measurement != attribution.No {
		t.Errorf("consent %+v", i.Consent)
	}
}

// TestOddReportsEarnNothing: flagged times of a referrer, and ids of no device,
// are kept and never credited.
func TestOddReportsEarnNothing(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	c := p.touched(noon, nil)
	p.told(event.OpenKind, "odd", noon.Add(time.Hour), func(told *event.Told) {
		came(c)(told)
		told.Flags = []string{event.ReferrerFlag}
	})
	p.told(event.OpenKind, "good", noon.Add(time.Hour), came(c))
	p.told(event.InAppKind, "good", noon.Add(2*time.Hour), func(told *event.Told) {
		told.Name, told.IDs, told.Flags = "junk", []event.DeviceID{{Kind: "gaid", Value: "junk"}}, []string{event.DeviceIDFlag}
	})
	p.told(event.InAppKind, "good", noon.Add(2*time.Hour), func(told *event.Told) { told.Name = "plain" })
	p.catchUp()
	p.verdict(p.decided("odd", attribution.Install, ""), attribution.Organic, attribution.NewInstall)
	p.verdict(p.decided("good", attribution.InApp, "junk"), attribution.Organic, attribution.Happening)
	p.credited(p.decided("good", attribution.InApp, "plain"), c, attribution.Inherited)
}

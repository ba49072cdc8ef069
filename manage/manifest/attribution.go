package manifest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/link"
)

// Attribution is how conversions are credited: of an account for all its apps,
// of an app for itself.
type Attribution struct {
	Lookbacks           Lookbacks     `yaml:"lookbacks"`
	ReattributionWindow *Window       `yaml:"reattribution_window"`
	InactivityWindow    *Window       `yaml:"inactivity_window"`
	ReengagementGap     *Window       `yaml:"reengagement_gap"`
	EventWindow         *Window       `yaml:"event_window"`
	Probabilistic       Probabilistic `yaml:"probabilistic"`
	Fraud               Fraud         `yaml:"fraud"`
}

// Lookbacks are how far before a conversion a touch may lie; 0 is never.
type Lookbacks struct {
	Click              *Window `yaml:"click"`
	View               *Window `yaml:"view"`
	ClickProbabilistic *Window `yaml:"click_probabilistic"`
	ViewProbabilistic  *Window `yaml:"view_probabilistic"`
	Reengagement       *Window `yaml:"reengagement"`
}

// Probabilistic is who may be recognised by likeness.
type Probabilistic struct {
	Enabled *bool  `yaml:"enabled"`
	IOS     string `yaml:"ios"` // none, consented, owned, all
}

// Fraud is what happens to what looks like fraud.
type Fraud struct {
	Rules      map[string]string `yaml:"rules"` // code of a rule: reject, flag, off
	Thresholds Thresholds        `yaml:"thresholds"`
	UserRules  []UserRule        `yaml:"user_rules"`
}

// Thresholds are numbers that fraud rules judge by.
type Thresholds struct {
	ShortTime      *Moment `yaml:"ctit_short"`
	DeviceClicks   *int64  `yaml:"device_clicks"`
	AgentClicks    *int64  `yaml:"agent_clicks"`
	DeviceInstalls *int64  `yaml:"device_installs"`
	VendorInstalls *int64  `yaml:"vendor_installs"`
	SiteClicks     *int64  `yaml:"site_clicks"`
	SiteRate       *int64  `yaml:"site_rate"`
	SiteInstalls   *int64  `yaml:"site_installs"`
	SiteNewDevices *int64  `yaml:"site_new_devices"`
}

// UserRule is a fraud rule of the account's own.
type UserRule struct {
	Name      string     `yaml:"name,required"`
	When      Conditions `yaml:"when"`
	WhenNot   Conditions `yaml:"when_not"`
	AllowOnly bool       `yaml:"allow_only"`
	Blocks    string     `yaml:"blocks"` // touch, conversion
	Action    string     `yaml:"action"` // reject, flag, off
}

// Conditions are what a rule looks at, each with the values that it asks for.
type Conditions struct {
	MediaSource []string `yaml:"media_source"`
	Agency      []string `yaml:"agency"`
	Campaign    []string `yaml:"campaign"`
	CampaignID  []string `yaml:"campaign_id"`
	AdSetID     []string `yaml:"ad_set_id"`
	AdID        []string `yaml:"ad_id"`
	SiteID      []string `yaml:"site_id"`
	Geo         []string `yaml:"geo"`
	Platform    []string `yaml:"platform"`
}

// Window is a duration of minutes, hours or days. It may be 0, or `lifetime`,
// which is link.Lifetime.
type Window time.Duration

// Moment is a duration of seconds or minutes.
type Moment time.Duration

// attribution checks the settings by attribution's own rules.
func (c *checker) attribution(a *Attribution, at string) {
	for i := range a.Fraud.UserRules {
		c.oneOf(index(at+".fraud.user_rules", i)+".blocks", a.Fraud.UserRules[i].Blocks, blocksTouch, blocksConversion)
	}
	settings := c.findings.file.settings(a, at)
	attribution.CheckSettings(&settings, func(field, problem string) {
		if code, ok := strings.CutPrefix(field, "fraud.rules."); ok {
			field = "fraud.rules." + shown(code)
		}
		c.add(at+"."+field, "%s", problem)
	})
}

// What a user rule blocks.
const (
	blocksTouch      = "touch"
	blocksConversion = "conversion"
)

// settings returns what the file says at the path.
func (f *File) settings(a *Attribution, at string) link.AttributionSettings {
	l, t := &a.Lookbacks, &a.Fraud.Thresholds
	s := link.AttributionSettings{
		Lookbacks: link.LookbackSettings{
			Click: span(l.Click), View: span(l.View), ClickProbabilistic: span(l.ClickProbabilistic),
			ViewProbabilistic: span(l.ViewProbabilistic), Reengagement: span(l.Reengagement),
		},
		ReattributionWindow: span(a.ReattributionWindow), InactivityWindow: span(a.InactivityWindow),
		ReengagementGap: span(a.ReengagementGap), EventWindow: span(a.EventWindow),
		Probabilistic: a.Probabilistic.Enabled, ProbabilisticOnIOS: link.IOSMatching(a.Probabilistic.IOS),
		FraudRules: maps.Clone(a.Fraud.Rules),
		Thresholds: link.FraudThresholds{
			ShortTime: span(t.ShortTime), DeviceClicks: t.DeviceClicks, AgentClicks: t.AgentClicks,
			DeviceInstalls: t.DeviceInstalls, VendorInstalls: t.VendorInstalls,
			SiteClicks: t.SiteClicks, SiteRate: t.SiteRate, SiteInstalls: t.SiteInstalls, SiteNewDevices: t.SiteNewDevices,
		},
	}
	for i := range a.Fraud.UserRules {
		r, at := &a.Fraud.UserRules[i], index(at+".fraud.user_rules", i)
		s.UserRules = append(s.UserRules, link.UserRule{
			Name: r.Name, AllowOnly: r.AllowOnly, Action: r.Action, Refuse: r.Blocks == blocksConversion,
			Conditions: slices.Concat(f.conditions(&r.When, at+".when", false), f.conditions(&r.WhenNot, at+".when_not", true)),
		})
	}
	return s
}

// merge lays what the file says at the path over the settings that were stored:
// key by key, lists whole.
func (f *File) merge(s link.AttributionSettings, old *link.AttributionSettings, at string) link.AttributionSettings {
	keep := func(field string) bool { return !f.says(at + "." + field) }
	keepSpan := func(field string, now **time.Duration, before *time.Duration) {
		if keep(field) {
			*now = before
		}
	}
	keepNumber := func(field string, now **int64, before *int64) {
		if keep("fraud.thresholds." + field) {
			*now = before
		}
	}
	l, was := &s.Lookbacks, &old.Lookbacks
	keepSpan("lookbacks.click", &l.Click, was.Click)
	keepSpan("lookbacks.view", &l.View, was.View)
	keepSpan("lookbacks.click_probabilistic", &l.ClickProbabilistic, was.ClickProbabilistic)
	keepSpan("lookbacks.view_probabilistic", &l.ViewProbabilistic, was.ViewProbabilistic)
	keepSpan("lookbacks.reengagement", &l.Reengagement, was.Reengagement)
	keepSpan("reattribution_window", &s.ReattributionWindow, old.ReattributionWindow)
	keepSpan("inactivity_window", &s.InactivityWindow, old.InactivityWindow)
	keepSpan("reengagement_gap", &s.ReengagementGap, old.ReengagementGap)
	keepSpan("event_window", &s.EventWindow, old.EventWindow)
	s.Probabilistic = said(f, at+".probabilistic.enabled", s.Probabilistic, old.Probabilistic)
	s.ProbabilisticOnIOS = said(f, at+".probabilistic.ios", s.ProbabilisticOnIOS, old.ProbabilisticOnIOS)
	for code, action := range old.FraudRules {
		if keep("fraud.rules." + shown(code)) {
			if s.FraudRules == nil {
				s.FraudRules = map[string]string{}
			}
			s.FraudRules[code] = action
		}
	}
	t, then := &s.Thresholds, &old.Thresholds
	keepSpan("fraud.thresholds.ctit_short", &t.ShortTime, then.ShortTime)
	keepNumber("device_clicks", &t.DeviceClicks, then.DeviceClicks)
	keepNumber("agent_clicks", &t.AgentClicks, then.AgentClicks)
	keepNumber("device_installs", &t.DeviceInstalls, then.DeviceInstalls)
	keepNumber("vendor_installs", &t.VendorInstalls, then.VendorInstalls)
	keepNumber("site_clicks", &t.SiteClicks, then.SiteClicks)
	keepNumber("site_rate", &t.SiteRate, then.SiteRate)
	keepNumber("site_installs", &t.SiteInstalls, then.SiteInstalls)
	keepNumber("site_new_devices", &t.SiteNewDevices, then.SiteNewDevices)
	s.UserRules = said(f, at+".fraud.user_rules", s.UserRules, old.UserRules)
	return s
}

// span is a duration, or none, as the store keeps it.
func span[T Window | Moment](said *T) *time.Duration {
	if said == nil {
		return nil
	}
	return new(time.Duration(*said))
}

// conditions are those that stand in the file at the path.
func (f *File) conditions(c *Conditions, at string, not bool) (all []link.RuleCondition) {
	for _, of := range []struct {
		attribute attribution.Attribute
		values    []string
	}{
		{attribution.OnSource, c.MediaSource}, {attribution.OnAgency, c.Agency}, {attribution.OnCampaign, c.Campaign},
		{attribution.OnCampaignID, c.CampaignID}, {attribution.OnAdSetID, c.AdSetID}, {attribution.OnAdID, c.AdID},
		{attribution.OnSite, c.SiteID}, {attribution.OnCountry, c.Geo}, {attribution.OnPlatform, c.Platform},
	} {
		if f.given(at + "." + string(of.attribute)) {
			all = append(all, link.RuleCondition{Attribute: string(of.attribute), Values: of.values, Not: not})
		}
	}
	return all
}

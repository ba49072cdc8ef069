package attribution

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"waypost/internal/device"
	"waypost/link"
)

// bound is what a setting may be.
type bound struct {
	least, most time.Duration
	zero        bool // or nothing at all
	lifetime    bool // or for ever
}

// Bounds of windows. An app may ask for what a link may; links' and partners'
// windows are cut to the same bounds.
var (
	clickBound         = bound{least: least, most: maxClick, zero: true}
	viewBound          = bound{least: least, most: maxView, zero: true}
	likelyClickBound   = bound{least: least, most: maxProbabilisticClick, zero: true}
	likelyViewBound    = bound{least: least, most: maxProbabilisticView, zero: true}
	reengagementBound  = bound{least: least, most: maxReengagement, zero: true}
	reattributionBound = bound{least: day, most: 730 * day, lifetime: true} // vendors' go from a month to two years, or for ever
	inactivityBound    = bound{least: time.Hour, most: 365 * day, zero: true}
	gapBound           = bound{least: time.Hour, most: 30 * day, zero: true}
	eventBound         = bound{least: time.Hour, most: 365 * day, lifetime: true}
	shortTimeBound     = bound{least: time.Second, most: 10 * time.Minute}
)

// mostCounted bounds thresholds of counts: a store hands out MaxPerKey things
// of one device or address, so that more are never counted before another.
const mostCounted = MaxPerKey - 1

// Bounds of user rules. Each is asked of every candidate of every conversion.
const (
	maxUserRules = 100
	maxValues    = 1000
)

var (
	ruleNameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
)

// settingsCheck tells what is wrong by the names of the apply file.
type settingsCheck struct {
	report func(field, problem string)
}

// CheckSettings reports everything that is wrong with an account's or an app's
// settings: the field, as the apply file calls it, and what would be right.
func CheckSettings(s *link.AttributionSettings, report func(field, problem string)) {
	c := settingsCheck{report}
	c.span("lookbacks.click", s.Lookbacks.Click, clickBound)
	c.span("lookbacks.view", s.Lookbacks.View, viewBound)
	c.span("lookbacks.click_probabilistic", s.Lookbacks.ClickProbabilistic, likelyClickBound)
	c.span("lookbacks.view_probabilistic", s.Lookbacks.ViewProbabilistic, likelyViewBound)
	c.span("lookbacks.reengagement", s.Lookbacks.Reengagement, reengagementBound)
	c.span("reattribution_window", s.ReattributionWindow, reattributionBound)
	c.span("inactivity_window", s.InactivityWindow, inactivityBound)
	c.span("reengagement_gap", s.ReengagementGap, gapBound)
	c.span("event_window", s.EventWindow, eventBound)
	switch s.ProbabilisticOnIOS {
	case "", link.IOSNone, link.IOSConsented, link.IOSOwned, link.IOSAll:
	default:
		report("probabilistic.ios", "must be one of none, consented, owned or all")
	}
	c.rules(s.FraudRules)
	t := &s.Thresholds
	c.span("fraud.thresholds.ctit_short", t.ShortTime, shortTimeBound)
	c.number("fraud.thresholds.device_clicks", t.DeviceClicks, 1, mostCounted)
	c.number("fraud.thresholds.agent_clicks", t.AgentClicks, 1, mostCounted)
	c.number("fraud.thresholds.device_installs", t.DeviceInstalls, 1, mostCounted)
	c.number("fraud.thresholds.vendor_installs", t.VendorInstalls, 1, mostCounted)
	c.number("fraud.thresholds.site_clicks", t.SiteClicks, 100, 1_000_000)
	c.number("fraud.thresholds.site_rate", t.SiteRate, 1, 100_000)
	c.number("fraud.thresholds.site_installs", t.SiteInstalls, 10, 10_000)
	c.number("fraud.thresholds.site_new_devices", t.SiteNewDevices, 1, 100)
	c.userRules(s.UserRules)
}

func (c *settingsCheck) span(field string, said *time.Duration, b bound) {
	switch {
	case said == nil, b.zero && *said == 0, b.lifetime && *said == link.Lifetime, *said >= b.least && *said <= b.most:
		return
	}
	c.report(field, "must be "+b.String())
}

// String is the bound as messages say it: "0, or from 1m to 30d".
func (b bound) String() string {
	text := fmt.Sprintf("from %s to %s", spanText(b.least), spanText(b.most))
	if b.zero {
		text = "0, or " + text
	}
	if b.lifetime {
		text += ", or lifetime"
	}
	return text
}

// spanText writes a duration as the apply file does.
func spanText(d time.Duration) string {
	switch {
	case d > day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

func (c *settingsCheck) number(field string, said *int64, least, most int64) {
	if said != nil && (*said < least || *said > most) {
		c.report(field, fmt.Sprintf("must be a number from %d to %d", least, most))
	}
}

func (c *settingsCheck) rules(said map[string]string) {
	var codes []string
	for _, r := range Rules() {
		codes = append(codes, string(r.Code))
	}
	for code, action := range said {
		field := "fraud.rules." + code
		switch {
		case !slices.Contains(codes, code):
			c.report(field, "no such rule; known are "+strings.Join(codes, ", "))
		case !isAction(action):
			c.report(field, notAction)
		case Code(code) == Bot && Action(action) != Reject:
			c.report(field, "must be reject: what robots do is not kept as a touch, whatever the rule says")
		}
	}
}

const notAction = "must be one of reject, flag or off"

func isAction(word string) bool {
	return slices.Contains([]Action{Reject, FlagIt, RuleOff}, Action(word))
}

func (c *settingsCheck) userRules(rules []link.UserRule) {
	const field = "fraud.user_rules"
	if len(rules) > maxUserRules {
		c.report(field, fmt.Sprintf("holds more than %d rules", maxUserRules))
	}
	named := map[string]bool{}
	for i := range rules {
		r, at := &rules[i], fmt.Sprintf("%s[%d]", field, i)
		switch {
		case !ruleNameForm.MatchString(r.Name):
			c.report(at+".name", "must be 1 to 64 letters, digits, dots, hyphens and underscores, a letter or digit first, such as bad-sites")
		case named[r.Name]:
			c.report(at+".name", "is the name of a rule above; it must be unique")
		}
		named[r.Name] = true
		if r.Action != "" && !isAction(r.Action) {
			c.report(at+".action", notAction)
		}
		if len(r.Conditions) == 0 {
			c.report(at+".when", "missing; a rule needs a condition in when or when_not, such as when: {site_id: [bad]}")
		}
		for _, condition := range r.Conditions {
			c.condition(at, &condition)
		}
	}
}

func (c *settingsCheck) condition(at string, r *link.RuleCondition) {
	if r.Not {
		at += ".when_not."
	} else {
		at += ".when."
	}
	at += r.Attribute
	if _, known := Attribute(r.Attribute).read(&Conversion{}, Source{}); !known {
		c.report(at, "no such attribute")
		return
	}
	switch {
	case len(r.Values) == 0:
		c.report(at, "is empty; it needs at least one value")
	case len(r.Values) > maxValues:
		c.report(at, fmt.Sprintf("holds more than %d values; make several rules", maxValues))
	}
	for i, value := range r.Values {
		if want := Attribute(r.Attribute).wants(value); want != "" {
			c.report(fmt.Sprintf("%s[%d]", at, i), "must be "+want)
		}
	}
}

// wants says what the attribute's values look like where this is none; empty: it is one.
func (a Attribute) wants(value string) string {
	switch platform, err := device.ParsePlatform(value); {
	case a == OnCountry && !countryForm.MatchString(value):
		return "the two capital letters of a country (ISO 3166-1), such as DE"
	case a == OnPlatform && (err != nil || platform.String() != value):
		return "a platform of apps, such as ios or android"
	case value == "":
		return "a text that is not empty"
	}
	return ""
}

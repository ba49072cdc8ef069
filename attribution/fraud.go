package attribution

import (
	"slices"
	"time"

	"waypost/internal/device"
	"waypost/link"
)

// Action is what a fraud rule does.
type Action string

// Actions. A rejected touch lets the next one win; a rejected conversion is
// refused and counts nowhere but in reports of fraud.
const (
	Reject  Action = "reject"
	FlagIt  Action = "flag"
	RuleOff Action = "off"
)

// Rule is one fraud rule, for those who list or set them.
type Rule struct {
	Code   Code
	About  string // what it finds
	Whole  bool   // it judges the conversion; else a touch
	Action Action // where nobody set another
}

// Thresholds are the numbers that fraud rules judge by.
type Thresholds struct {
	ShortTime       time.Duration // from click to first open, the download included
	OutlierInstalls int           // fewer installs of a site on a day prove nothing
	OutlierShare    int           // least share of installs within the hour, in hundredths
	OutlierDistance int           // ten-thousandths
	OutlierChance   int           // millionths
	DeviceClicks    int           // a day
	AgentClicks     int           // an hour; ten times as many on a carrier's network
	SiteClicks      int           // a site's clicks a day from which its conversion rate tells something
	SiteRate        int           // least installs and re-engagements in a million clicks
	NewDevices      int           // hundredths of a site's installs; where the app's others have as many, they prove nothing
	DeviceInstalls  int           // a day
	VendorInstalls  int           // in 30 days
}

func defaultThresholds() Thresholds {
	return Thresholds{
		ShortTime: 10 * time.Second, OutlierInstalls: 50, OutlierShare: 35, OutlierDistance: 3500, OutlierChance: 100,
		DeviceClicks: 20, AgentClicks: 50, SiteClicks: 10_000, SiteRate: 200, NewDevices: 80, DeviceInstalls: 3, VendorInstalls: 10,
	}
}

// touchRule judges one touch for one conversion.
type touchRule struct {
	Rule
	breaks func(*judge, *Touchpoint, *Match) bool
}

// touchRules in the order in which they are asked. The first that rejects is
// the one that is reported.
var touchRules = []touchRule{
	{Rule{Bot, "no person is behind the touch", false, Reject}, func(_ *judge, t *Touchpoint, _ *Match) bool { return t.Bot != "" }},
	{Rule{ClickInjection, "the touch came when the download had begun", false, Reject}, (*judge).isInjected},
	{Rule{ShortTime, "too little time between touch and first open for a download", false, Reject}, (*judge).isTooShort},
	{Rule{ClickFlood, "too many clicks of one device, of one address and agent, or of a site that hardly ever converts", false, Reject}, (*judge).isFlood},
	{Rule{OutlyingTimes, "the site's click-to-install times are not those of people", false, FlagIt}, (*judge).isOutlying},
	{Rule{DeviceFarm, "nearly all installs of the site are on devices never seen before, unlike the app's others", false, FlagIt}, (*judge).isFarm},
	{Rule{GeoMismatch, "touch and conversion are in different countries", false, FlagIt}, (*judge).isElsewhere},
	{Rule{AnonymousTouch, "the touch came through a hosting provider, VPN or Tor", false, FlagIt}, func(_ *judge, t *Touchpoint, _ *Match) bool { return t.Facts.through(Network.hides) }},
}

// wholeRule judges a conversion. Where uncredits is set, to reject means that
// no touch is credited, not that the conversion is refused.
type wholeRule struct {
	Rule
	uncredits bool
	breaks    func(*judge) bool
}

var wholeRules = []wholeRule{
	{Rule{BadSignature, "the report's signature is wrong or missing", true, Reject}, false, func(j *judge) bool { return j.conversion.BadSignature }},
	{Rule{DuplicateDevice, "too many installs on one device", true, Reject}, false, (*judge).isDuplicate},
	{Rule{ClockSuspect, "the conversion, or what the store says of it, is reported from the future or from long ago", true, Reject}, true, func(j *judge) bool { return j.conversion.OddReferrer || !j.at.Equal(j.conversion.At) }},
	{Rule{MalformedID, "the device ids are no device's", true, Reject}, true, func(j *judge) bool { return j.hasMalformedID() && len(j.usable) == 0 }},
	{Rule{MalformedID, "one of the device ids is no device's", true, FlagIt}, true, func(j *judge) bool { return j.hasMalformedID() && len(j.usable) > 0 }},
	{Rule{Anonymous, "the conversion came through a hosting provider, VPN or Tor", true, Reject}, true, (*judge).isAnonymous},
	{Rule{Emulator, "the device is emulated", true, FlagIt}, false, func(j *judge) bool { return j.conversion.Emulator }},
}

// Rules lists the fraud rules with their defaults, each code once.
func Rules() []Rule {
	var all []Rule
	seen := map[Code]bool{}
	for _, r := range wholeRules {
		if !seen[r.Code] {
			seen[r.Code] = true
			all = append(all, r.Rule)
		}
	}
	for _, r := range touchRules {
		all = append(all, r.Rule)
	}
	return all
}

// action is what the rule does under the policy.
func (p *Policy) action(r *Rule) Action {
	if set, ok := p.Rules[r.Code]; ok && set != "" {
		return set
	}
	return r.Action
}

// ActionOf is what the rule with the code does under the policy; empty where
// there is no such rule.
func (p *Policy) ActionOf(code Code) Action {
	for _, r := range Rules() {
		if r.Code == code {
			return p.action(&r)
		}
	}
	return ""
}

// judgeConversion asks the rules that look at the conversion alone.
func (j *judge) judgeConversion() {
	for i := range wholeRules {
		r := &wholeRules[i]
		action := j.policy.action(&r.Rule)
		if action == RuleOff || !r.breaks(j) {
			continue
		}
		switch {
		case action == FlagIt:
		case r.uncredits && j.uncredited == "":
			j.uncredited = r.Code
		case !r.uncredits && j.decision.Verdict != Refused:
			j.decision.Verdict, j.decision.Refusal = Refused, r.Code
		}
		j.decision.Flags = append(j.decision.Flags, Flag{Code: r.Code})
	}
	// What a fake installation does is as fake: counted nowhere but in reports of
	// fraud. It is refused by the rule that refused the installation.
	if refusal := j.conversion.InstallRefusal; refusal != "" && j.conversion.Kind != Install && j.decision.Verdict != Refused {
		j.decision.Verdict, j.decision.Refusal = Refused, refusal
	}
}

// accuses returns the rule that rejects an otherwise eligible touch; empty:
// none does. What is only odd becomes a flag.
func (j *judge) accuses(t *Touchpoint, m *Match) Code {
	if j.uncredited != "" {
		return j.uncredited
	}
	for i := range touchRules {
		r := &touchRules[i]
		action := j.policy.action(&r.Rule)
		if action == RuleOff || !r.breaks(j, t, m) {
			continue
		}
		if action == Reject && !j.doubts(r.Code, m) {
			return r.Code
		}
		j.decision.Flags = append(j.decision.Flags, Flag{Code: r.Code, Touch: t.ID})
	}
	return j.blockedTouch(t)
}

// doubts reports whether what a rule has found is only odd: a short time where
// the touch was this person's all the same, and an injection by the clock of a
// device that may be minutes slow.
func (j *judge) doubts(rule Code, m *Match) bool {
	switch rule {
	case ShortTime:
		return provesItself(m.Method)
	case ClickInjection:
		_, sure := j.conversion.Referrer.beginAt()
		return !sure
	}
	return false
}

// provesItself reports whether the device itself brought the touch's id back.
func provesItself(m Method) bool {
	return m == ByReferrer || m == ByOpenedURL || m == ByClipboard
}

// isInjected compares with the store's word on when the download began. The
// store counts in whole seconds, so the touch is cut to them too.
func (j *judge) isInjected(t *Touchpoint, _ *Match) bool {
	begin, _ := j.conversion.Referrer.beginAt()
	return j.conversion.Kind == Install && !begin.IsZero() && t.At.Truncate(time.Second).After(begin)
}

func (j *judge) isTooShort(t *Touchpoint, _ *Match) bool {
	return j.conversion.Kind == Install && j.at.Sub(t.At) < j.policy.Fraud.ShortTime
}

// flooder is a source that reported too many clicks of the conversion's device.
type flooder struct {
	partner link.PartnerID
	name    string
}

// findFlooders looks for sources that flood this very device: what they sent
// before the limit was reached is no better than what they sent after it.
func (j *judge) findFlooders(touches []*Touchpoint) map[flooder]bool {
	var found map[flooder]bool
	for _, t := range touches {
		if t.Traffic.DeviceClicks >= j.policy.Fraud.DeviceClicks && j.sharesDevice(t) {
			if found == nil {
				found = map[flooder]bool{}
			}
			found[flooder{t.Source.Partner, t.Source.Name}] = true
		}
	}
	return found
}

func (j *judge) isFlood(t *Touchpoint, m *Match) bool {
	if m.Method == ByDeviceID && j.flooders[flooder{t.Source.Partner, t.Source.Name}] {
		return true
	}
	limits, seen := &j.policy.Fraud, &t.Traffic
	agents := limits.AgentClicks
	if t.Facts.through(isCellular) {
		agents *= 10
	}
	hopeless := seen.SiteClicks >= limits.SiteClicks && (seen.SiteInstalls+seen.SiteReengagements)*1_000_000 < limits.SiteRate*seen.SiteClicks
	return seen.DeviceClicks >= limits.DeviceClicks || seen.AgentClicks >= agents || hopeless
}

func (j *judge) isOutlying(t *Touchpoint, _ *Match) bool {
	limits, seen := &j.policy.Fraud, &t.Traffic
	if seen.SiteInstalls < limits.OutlierInstalls {
		return false
	}
	return seen.SiteWithinHour*100 < limits.OutlierShare*seen.SiteInstalls ||
		seen.TimesDistance > limits.OutlierDistance && seen.TimesChancePerMill < limits.OutlierChance
}

// isFarm compares with the app's other installs: of an account's only app
// nearly every install is on a device that was never seen before.
func (j *judge) isFarm(t *Touchpoint, _ *Match) bool {
	limits, seen := &j.policy.Fraud, &t.Traffic
	return seen.SiteInstalls >= limits.OutlierInstalls && seen.SiteNewDevices*100 >= limits.NewDevices*seen.SiteInstalls &&
		seen.OtherInstalls >= limits.OutlierInstalls && seen.OtherNewDevices*100 < limits.NewDevices*seen.OtherInstalls
}

func (j *judge) isElsewhere(t *Touchpoint, _ *Match) bool {
	here, there := j.conversion.Facts.Country, t.Facts.Country
	return here != "" && there != "" && here != there
}

// isAnonymous asks about installs alone: later reports often come from the
// account's own servers, and follow an installation that was judged.
func (j *judge) isAnonymous() bool {
	return j.conversion.Kind == Install && j.conversion.Facts.through(Network.hides)
}

// hasMalformedID reports whether one of the ids is no device's.
func (j *judge) hasMalformedID() bool {
	return slices.ContainsFunc(j.conversion.DeviceIDs, func(id DeviceID) bool { return id.State() == Malformed })
}

func (j *judge) isDuplicate() bool {
	c, limits := j.conversion, &j.policy.Fraud
	return c.Kind == Install && (c.DeviceInstalls > limits.DeviceInstalls ||
		c.VendorInstalls > limits.VendorInstalls && c.Facts.Platform == device.IOS)
}

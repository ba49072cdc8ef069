package link

import "time"

// Lifetime is the window that never ends.
const Lifetime time.Duration = 100 * 365 * 24 * time.Hour

// AttributionSettings are what an account, or one of its apps, asks of
// attribution. What is nil or empty is not said: the app's word comes before
// its account's, and the defaults hold where both are silent. Which values make
// sense is attribution's to say.
type AttributionSettings struct {
	Lookbacks LookbackSettings

	ReattributionWindow *time.Duration // Lifetime: the first installation's source stays
	InactivityWindow    *time.Duration // zero: nobody has to have been away
	ReengagementGap     *time.Duration // zero: none
	EventWindow         *time.Duration // Lifetime: events follow for ever

	Probabilistic      *bool // whether anybody is recognised by likeness
	ProbabilisticOnIOS IOSMatching

	FraudRules map[string]string // code of a rule -> what it does
	Thresholds FraudThresholds
	UserRules  []UserRule // in the order in which they are asked
}

// LookbackSettings are how far before a conversion a touch may lie. Zero: such
// touches earn nothing.
type LookbackSettings struct {
	Click              *time.Duration
	View               *time.Duration
	ClickProbabilistic *time.Duration
	ViewProbabilistic  *time.Duration
	Reengagement       *time.Duration
}

// IOSMatching says whom likeness may recognise on Apple's platform. Empty: not said.
type IOSMatching string

// IOSMatchings, each including the ones before it.
const (
	IOSNone      IOSMatching = "none"
	IOSConsented IOSMatching = "consented" // people who agreed to be tracked
	IOSOwned     IOSMatching = "owned"     // those who came by the account's own media, too
	IOSAll       IOSMatching = "all"
)

// FraudThresholds are numbers that fraud rules judge by.
type FraudThresholds struct {
	ShortTime      *time.Duration // from click to first open
	DeviceClicks   *int64         // of one device a day
	AgentClicks    *int64         // of one address and agent an hour
	DeviceInstalls *int64         // on one device a day
	VendorInstalls *int64         // under one vendor id in 30 days
	SiteClicks     *int64         // of a site a day, from which its rate tells something
	SiteRate       *int64         // least installs and re-engagements in a million clicks
	SiteInstalls   *int64         // of a site a day, from which their times and devices tell something
	SiteNewDevices *int64         // hundredths of a site's installs
}

// UserRule is an account's own fraud rule. It blocks what all its conditions
// hold of; an AllowOnly rule blocks everything else.
type UserRule struct {
	Name       string
	Conditions []RuleCondition
	AllowOnly  bool
	Action     string // empty: reject
	// Refuse refuses the conversion that a blocked touch would have won;
	// otherwise the touch is rejected, and the next one wins.
	Refuse bool
}

// RuleCondition holds where the attribute's value is one of Values, or none of
// them where Not is set.
type RuleCondition struct {
	Attribute string
	Values    []string
	Not       bool
}

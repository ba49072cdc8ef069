package attribution

import (
	"time"

	"waypost/internal/device"
	"waypost/link"
)

// Forever is longer than any window.
const Forever = link.Lifetime

// Policy is how an app wants its conversions credited. Start from
// DefaultPolicy: a zero Policy credits hardly anything.
type Policy struct {
	App      Lookbacks // what the app asks for
	Account  Lookbacks // what its account asks for
	Partners map[link.PartnerID]Lookbacks

	// Reattribution is how long after an installation another one on the same
	// device is no new one.
	Reattribution time.Duration
	// Inactivity is how long a person must have been away to be won back.
	Inactivity time.Duration
	// ReengagementGap is how soon the same link may win the same person again.
	ReengagementGap time.Duration
	// EventWindow is how long events follow a re-engagement.
	EventWindow time.Duration
	// Updates is how long after a conversion a touch that came late may still
	// change its decision; zero: never.
	Updates time.Duration
	// ClockSkew is how far the device's corrected clock may be off.
	ClockSkew time.Duration
	// OldestReport is how long before it was reported a conversion may have happened.
	OldestReport time.Duration

	Likeness Likeness
	// Rules changes single fraud rules; the others are as Rules says.
	Rules     map[Code]Action
	UserRules []UserRule
	Fraud     Thresholds
}

// Likeness rules the probabilistic match.
type Likeness struct {
	Off bool
	// Apple forbids to recognise people by likeness for tracking across
	// companies; owned media are the account's own. Empty: IOSConsented.
	IOS   link.IOSMatching
	Least Score // a match has at least this score
	// LeastStrong is enough where nothing differs and what both sides know
	// beside the address weighs StrongEvidence.
	LeastStrong    Score
	StrongEvidence int
	Margin         Score // and leads the next visitor by this
	// MostNeighbours is how many devices may share an address before it says nothing.
	MostNeighbours int
	// SharedLookback bounds matches on an address that others are known to use,
	// SharedEvidence is the weight that both sides must know there beside the address.
	SharedLookback time.Duration
	SharedEvidence int
	// ThinLookback bounds matches whose weight beside the address is below ThinEvidence.
	ThinLookback time.Duration
	ThinEvidence int
}

// DefaultPolicy is what holds where nobody said otherwise.
func DefaultPolicy() Policy {
	return Policy{
		Reattribution:   90 * day,
		Inactivity:      7 * day,
		ReengagementGap: day,
		EventWindow:     30 * day,
		ClockSkew:       5 * time.Minute,
		OldestReport:    30 * day,
		Likeness: Likeness{
			IOS: link.IOSOwned, Least: 9000, Margin: 1500, MostNeighbours: 5,
			LeastStrong: 7000, StrongEvidence: weightVersion + weightLocale + weightScreen + weightTimezone,
			SharedLookback: time.Hour, SharedEvidence: weightVersion + weightLocale,
			ThinLookback: 15 * time.Minute, ThinEvidence: weightModel,
		},
		Fraud: defaultThresholds(),
	}
}

// withholds says why the conversion may not be matched by likeness to any
// touch; empty: it may.
func (p *Policy) withholds(c *Conversion) Code {
	switch {
	case p.Likeness.Off:
		return LikenessOff
	case c.Consent.Refused():
		return NoConsent
	case c.Facts.Platform == device.IOS && !p.permitsOnIOS(c, &Touchpoint{Owned: true}):
		return PlatformForbids
	case c.Referrer.ClickID != "":
		return ReferrerDecides
	case len(c.Facts.places()) == 0:
		return NoAddress
	}
	return ""
}

// permitsOnIOS reports whether the touch may be matched by likeness on Apple's
// platform. Where no owned one may, none may.
func (p *Policy) permitsOnIOS(c *Conversion, t *Touchpoint) bool {
	switch p.Likeness.IOS {
	case link.IOSNone:
		return false
	case link.IOSAll:
		return true
	case link.IOSOwned:
		return t.Owned || c.Consent.Tracking == Yes
	}
	return c.Consent.Tracking == Yes
}

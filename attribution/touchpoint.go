package attribution

import (
	"slices"
	"time"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// TouchKind tells clicks from impressions.
type TouchKind string

// Kinds of touchpoint.
const (
	Click TouchKind = "click"
	View  TouchKind = "view"
)

// Touchpoint is a click or an impression that is considered for credit. Two
// with the same ID are the same touch.
type Touchpoint struct {
	ID      uid.Click
	Kind    TouchKind
	At      time.Time // when the server received it
	Account link.AccountID
	Apps    []link.AppID // that may be credited to it: one for each platform at most
	Source  Source
	Facts   Facts
	// DeviceIDs are what the partner's macros said.
	DeviceIDs []DeviceID
	// ClickID is what a store's referrer or an opened URL brings back. Empty: nothing does.
	ClickID string
	// ClipboardToken was written by the page that the click led to.
	ClipboardToken string
	// Visitor is a first-party cookie; empty where there was none.
	Visitor string
	Agent   string // User-Agent, or a hash of it

	Lookbacks Lookbacks // what the link asks for
	// DefaultLookbacks tells that Lookbacks are its dialect's defaults, and that the link itself asks for nothing.
	DefaultLookbacks bool
	Claims           Claims
	// Retargeting touches may win people who had the app already.
	Retargeting bool
	// Owned touches come from the account's own media, not from paid ones.
	Owned bool
	// MultiUse lets a touch that names its device earn more than one conversion.
	MultiUse bool
	// CountActive lets a retargeting touch win people who were not away.
	CountActive bool
	// ReengagingViews lets impressions of this partner win people back.
	ReengagingViews bool
	// EventWindow is how long events follow a re-engagement; zero: as the policy says.
	EventWindow time.Duration

	Bot     string       // why no person is behind it; empty for people
	UsedBy  ConversionID // the conversion that it has earned before; empty: none
	Traffic Traffic
}

// Source is who sent the touch and what for. It is what a report groups by.
type Source struct {
	Partner    link.PartnerID // zero: none
	Name       string         // the media source as the link spells it
	Agency     string
	Campaign   string
	CampaignID string
	AdSetID    string
	AdID       string
	Site       string // publisher inside the partner
	Link       link.LinkID
	Tracker    int64 // the measured route of a link; zero: the link is measured as a whole
}

// Claims are the conversions that a touch may be credited with. The zero
// value claims all of them.
type Claims struct {
	Limited bool     // to Events
	Events  []string // InstallEvent, or names of in-app events
}

// InstallEvent is the name by which Claims speak of an install.
const InstallEvent = "_Install"

// Allows reports whether the event, or InstallEvent, may be claimed.
func (c Claims) Allows(event string) bool {
	return !c.Limited || slices.Contains(c.Events, event)
}

// Traffic is what was counted around a touch. Fraud rules judge by it; zero
// counts accuse nobody.
type Traffic struct {
	DeviceClicks int // of the same device for the same app in the 24 h before the touch
	AgentClicks  int // of the same address and agent for the same app in the hour before it

	// Of the touch's partner and site for the same app, on the touch's day (UTC),
	// up to the conversion that is decided. SiteTraffic says what counts.
	SiteClicks         int
	SiteInstalls       int
	SiteReengagements  int
	SiteWithinHour     int // installs within an hour of their click
	SiteNewDevices     int // installs on devices that were never seen before
	TimesDistance      int // Kolmogorov-Smirnov distance of its click-to-install times from those of the app's other installs, in ten-thousandths
	TimesChancePerMill int // probability of that distance by chance, in millionths

	// Of the app's other installs whose click was on the same day.
	OtherInstalls   int
	OtherNewDevices int
}

// MayRun reports whether the visitor of the touch may run apps of a platform,
// as far as one knows.
func (t *Touchpoint) MayRun(app device.Platform) bool { return samePlatform(t.Facts.Platform, app) }

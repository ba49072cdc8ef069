// Package history holds what is remembered between an event of the ledger and
// the next: touchpoints by their keys, installations, decisions, and what is
// to be told about them. It does no I/O.
package history

import (
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/link"
	"waypost/report"
)

// Touch is a touchpoint with what the app is told when it earns a conversion.
type Touch struct {
	attribution.Touchpoint
	Dialect  link.Dialect
	Template link.TemplateID // of template links
	Code     string          // of the link
	Host     string
	Route    string // the rule that chose the destination
	Query    string // of the clicked URL, raw
	DeepLink string // where in the app the visitor belongs
}

// Installation is one installation of an app on one device.
type Installation struct {
	Account      link.AccountID
	App          link.AppID
	ID           string // as its app tells it
	Dialect      link.Dialect
	At           time.Time // of its first start
	LastActiveAt time.Time // its last sign of life: an open or an event
	// LastOpenAt is when it was last opened; zero where programs before wrote
	// down no more than LastActiveAt.
	LastOpenAt time.Time
	Identity   []attribution.Key // of its device: see Conversion.IdentityKeys
	Address    []attribution.Key // from where it spoke last
	User       string
	Consent    attribution.Consent
	// Withhold names the partners that are not to be told of the person, as
	// event.Told has them.
	Withhold []string
	// Conversion names the install's own Decided.
	Conversion attribution.ConversionID
	// Outcome is what the first start turned out to be: an install, a reinstall
	// or a re-attribution.
	Outcome      attribution.Outcome
	Verdict      attribution.Verdict
	Credit       *attribution.Credit // who earned it; nil: nobody
	Reengagement *attribution.Credit // the last one; nil: none
	ReengagedBy  string              // the key of the open that was the last re-engagement
	// Opens are the keys of its last opens, the newest last, by which a
	// repeated one is known.
	Opens []string
	// DeepLink is the deferred deep link that its first start is told once.
	DeepLink string
	// LinkUntil is when the deferred deep link is no longer told.
	LinkUntil time.Time
	Flags     []string // of its first start
}

// LastOpen is when a person is known to have been in the app last. Events tell
// nothing of that: servers tell them of people who are away.
func (i *Installation) LastOpen() time.Time {
	if i.LastOpenAt.IsZero() {
		return i.LastActiveAt
	}
	return i.LastOpenAt
}

// Decided is one conversion with its decision.
type Decided struct {
	Account    link.AccountID
	App        link.AppID
	Install    string // the installation
	Conversion attribution.ConversionID
	Kind       attribution.ConversionKind
	Event      string // name of an in-app event
	Amount     string
	Currency   string
	ReceivedAt time.Time
	Decision   attribution.Decision
	Flags      []string
}

// Orphan is what came before its installation. An in-app event was decided
// without; when the installation comes in time, it is decided again. What was
// said of the person, his consent and his name, waits for the installation
// under a Conversion that is none; the last word replaces the one before.
type Orphan struct {
	App        link.AppID
	Install    string
	Conversion attribution.ConversionID
	ReceivedAt time.Time
	Line       []byte // the ledger's
}

// Earned is a touch and the last conversion that it earned. A store keeps it
// as long as it keeps the conversion, beyond what it keeps of other touches.
type Earned struct {
	Touch      Touch
	Conversion attribution.ConversionID
}

// Delivery is something to be told to a partner or to the account: one row of
// the outbox. Its Key makes it one and the same however often it is made.
type Delivery struct {
	ID       int64 // the store's
	Key      string
	Account  link.AccountID
	Postback link.Key
	Kind     string // what it tells: "install", "event", "click", …
	Method   string
	URL      string // with every macro filled
	Body     string // JSON of a POST; empty otherwise
	MadeAt   time.Time
	DueAt    time.Time // of the next attempt; zero: none
	Attempts int
	Status   DeliveryStatus
	Code     int    // HTTP status of the last attempt; zero: no answer
	Answer   string // its first 2 KiB, or why there was none
}

// Unfilled reports whether the delivery's URL holds macros that could not be
// filled; its Answer says why. It is never sent.
func (d *Delivery) Unfilled() bool { return d.Attempts == 0 && d.Answer != "" }

// Attempt is an attempt at a delivery.
type Attempt struct {
	DueAt   time.Time // the delivery's, as it was read
	BeganAt time.Time
}

// Outlived reports whether a delivery that is due at the time stays so when the
// attempt has ended: somebody has made it due again since the attempt began.
func (a Attempt) Outlived(dueAt time.Time) bool {
	due := dueAt.UnixMilli()
	return !dueAt.IsZero() && due != a.DueAt.UnixMilli() && due >= a.BeganAt.UnixMilli()
}

// DeliveryStatus is how far a delivery is.
type DeliveryStatus string

// States of a delivery.
const (
	Waiting   DeliveryStatus = "waiting"
	Delivered DeliveryStatus = "delivered"
	GivenUp   DeliveryStatus = "given_up"
)

// SiteDay names what is counted of a site on a day of clicks; without Partner,
// Source and Site, of all of the app's clicks.
type SiteDay struct {
	App     link.AppID
	Partner link.PartnerID
	Source  string // where there is no partner
	Site    string
	Day     report.Day
}

// SiteCount is what a step adds to what was counted of a site.
type SiteCount struct {
	SiteDay
	attribution.SiteTraffic
}

// DeliveryFilter chooses an account's deliveries. Zero values choose all.
type DeliveryFilter struct {
	Status   DeliveryStatus
	Postback link.Key
	// Before is the ID of the last delivery that was read: those behind it, which
	// are older, are chosen.
	Before int64
	Limit  int // 1 or more
}

// Step is what reading the ledger's batches after From up to To has added. A
// store commits it with the place in one transaction, as it does a report.Step.
type Step struct {
	Projection    report.Projection
	From, To      uint64
	Touches       []Touch // in the ledger's order
	Earned        []Earned
	Installations []Installation // new and changed ones, by App and ID
	Decided       []Decided      // new and changed ones, by App, Install and Conversion
	Orphans       []Orphan       // new ones, and those that replace one of the same App, Install and Conversion
	Adopted       []Orphan       // orphans that are none any more; their Line is empty
	Counts        report.Counts  // of installs, re-engagements, events; a revised decision takes its old one back
	Deliveries    []Delivery     // those whose Key is there already are left out
	Sites         []SiteCount    // to be added, each SiteDay once
	// Platform are conversions that platforms told of, in the ledger's order.
	// Those whose App, Framework and Key are there already are left out.
	Platform []event.PlatformConversion
	// ForgetBefore lets touches, orphans and days of sites go that are older, a few with each step; zero: none.
	ForgetBefore time.Time
}

// Empty reports whether the step changes nothing but the place.
func (s *Step) Empty() bool {
	return len(s.Touches)+len(s.Earned)+len(s.Installations)+len(s.Decided)+len(s.Orphans)+len(s.Adopted)+len(s.Counts)+len(s.Deliveries)+len(s.Sites)+len(s.Platform) == 0
}

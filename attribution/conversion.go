package attribution

import (
	"cmp"
	"time"

	"waypost/link"
)

// ConversionID names a conversion for ever: an installation's own id, an
// event's idempotency key.
type ConversionID string

// ConversionKind is what was reported.
type ConversionKind string

// Kinds of conversion.
const (
	Install ConversionKind = "install" // the first open of an installation
	Open    ConversionKind = "open"    // a later one
	InApp   ConversionKind = "event"
)

// Conversion is what is to be credited, with everything that is known when it
// is decided.
type Conversion struct {
	ID      ConversionID
	Kind    ConversionKind
	Event   string    // name of an InApp event
	At      time.Time // when it happened, corrected for the device's clock
	Account link.AccountID
	App     link.AppID
	Facts   Facts
	// DeviceIDs as they were sent. Zero ones count as absent, malformed ones match nothing.
	DeviceIDs []DeviceID
	Referrer  Referrer
	// OpenedClickID stood in the URL that opened the app.
	OpenedClickID  string
	ClipboardToken string
	Consent        Consent

	Emulator     bool
	BadSignature bool // a secret is set and the report's signature is wrong or missing
	OddReferrer  bool // a time that the store is said to have told cannot be

	// Neighbours are other devices whose app spoke from the same address in the 24 h before.
	Neighbours int
	// DeviceInstalls are installs of the app with one of these device ids in the 24 h before, this one included.
	DeviceInstalls int
	// VendorInstalls are distinct installations under one vendor id in the 30 days before, this one included.
	VendorInstalls int

	// Past is the device's last installation of the app; nil: none is known.
	// For Open and InApp it is the installation itself.
	Past *PastInstall
	// InstallCredit is who earned the installation that an InApp event belongs to; nil: nobody.
	InstallCredit *Credit
	// InstallRefusal is the rule that refused the installation that an Open or InApp belongs to; empty: none did.
	InstallRefusal Code
	// Reengagement is the last one of the installation; nil: none.
	Reengagement *Credit
}

// Referrer is what the store's install referrer API said. Times are zero where
// it did not say.
type Referrer struct {
	ClickID string // ours, as it stood in the referrer; empty: none
	// The store's own clock, and the device's.
	ClickServerAt, ClickAt               time.Time
	InstallBeginServerAt, InstallBeginAt time.Time
}

// beginAt is when the download began. It is sure by the store's clock, and by
// the device's where the click, told by both, says how far they are apart.
func (r *Referrer) beginAt() (at time.Time, sure bool) {
	switch {
	case !r.InstallBeginServerAt.IsZero():
		return r.InstallBeginServerAt, true
	case !r.InstallBeginAt.IsZero() && !r.ClickAt.IsZero() && !r.ClickServerAt.IsZero():
		return r.InstallBeginAt.Add(r.ClickServerAt.Sub(r.ClickAt)), true
	}
	return r.InstallBeginAt, false
}

// PastInstall is an installation that the device had.
type PastInstall struct {
	At           time.Time
	LastActiveAt time.Time // its last session before this conversion; events are none
}

// Credit is what a conversion earned its touch, and for how long events follow.
type Credit struct {
	Match Match
	From  time.Time
	Until time.Time // zero: for ever
}

// covers reports whether events at t follow the credit.
func (c *Credit) covers(t time.Time) bool {
	return c != nil && !t.Before(c.From) && (c.Until.IsZero() || !t.After(c.Until))
}

// Answer is what a person said when asked.
type Answer string

// Answers. The empty one means that nobody asked.
const (
	Yes Answer = "yes"
	No  Answer = "no"
)

// Consent is what the person and the platform permit.
type Consent struct {
	// Tracking is the answer to Apple's question (App Tracking Transparency).
	Tracking Answer
	// Measurement is the answer to the app's own question, where law demands one.
	Measurement Answer
	// Advertising is the answer to whether the person's data may serve advertising,
	// as consent dialogs ask it beside measurement.
	Advertising Answer
	// LimitAds is the device's own switch against advertising ids.
	LimitAds bool
	// Child tells that law protects the person as a child.
	Child bool
}

// Said is what one report says of consent. What is empty it leaves open.
type Said struct {
	Tracking, Measurement, Advertising, LimitAds, Child Answer
}

// After is what is permitted once said is heard: what it leaves open is as
// before. That the person is a child is taken back by a report that is about
// consent alone; the senders of others may just not know.
func (c Consent) After(said Said, aboutConsent bool) Consent {
	c.Tracking = cmp.Or(said.Tracking, c.Tracking)
	c.Measurement = cmp.Or(said.Measurement, c.Measurement)
	c.Advertising = cmp.Or(said.Advertising, c.Advertising)
	if said.LimitAds != "" {
		c.LimitAds = said.LimitAds == Yes
	}
	if said.Child == Yes || said.Child == No && aboutConsent {
		c.Child = said.Child == Yes
	}
	return c
}

// Refused reports whether the person may not be recognised by likeness, nor his
// device be told of to others.
func (c Consent) Refused() bool { return c.Measurement == No || c.Child }

// Permits reports whether ids of the kind may be looked at, or told to others.
func (c Consent) Permits(k IDKind) bool {
	if !k.advertising() {
		return true
	}
	return !c.LimitAds && c.Advertising != No && !c.Refused() && (k != IDFA || c.Tracking != No)
}

// usableIDs are those that identify a device and may be looked at.
func (c *Conversion) usableIDs() []DeviceID {
	usable := make([]DeviceID, 0, len(c.DeviceIDs))
	for _, id := range c.DeviceIDs {
		if id.State() == Usable && c.Consent.Permits(id.Kind) {
			usable = append(usable, id)
		}
	}
	return usable
}

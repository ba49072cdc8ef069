package ingest

import (
	"encoding/json"
	"net/netip"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// Report is one thing that an app, or a server for it, told, translated from a
// dialect but not judged: times, ids, amounts and currencies are as they came.
type Report struct {
	Dialect link.Dialect
	App     AppRef
	// Install is the installation's own id. Where a dialect knows none,
	// InstallOf makes one of the device's ids.
	Install string
	// Key is the sender's own id of this event, or of this open; a repetition
	// has it too. Empty: it is made of what was told.
	Key string
	// At is when it happened and SentAt when it was sent, both by the sender's
	// clock. Zero: not told. Without SentAt the clock is believed.
	At, SentAt time.Time

	Device Device
	// Addresses are the device's own: where a server speaks for it, not the server's.
	Addresses []netip.Addr
	Agent     string // User-Agent of the device; fills in what Device leaves out
	IDs       []attribution.DeviceID
	User      string // the account's own name for the person
	// Consent is nil where the report does not speak of it. What it leaves open
	// is what the installation said before.
	Consent *event.Consent
	// Withhold names the partners that are not to be told of the person from now
	// on: event.WithholdAll every one; nil where the report does not speak of it,
	// empty or event.WithholdNone: all of them may be told.
	Withhold []string

	AppVersion string
	SDK        string
	Emulator   bool
	// Unsigned tells that a signature is wrong, or missing where the dialect demands one.
	Unsigned bool

	// Of an open.
	First     bool
	Referrer  *Referrer
	OpenedURL string
	// OpenedClick is the click that OpenedURL stands for, where nobody but the
	// caller knows; empty: see ClickInURL.
	OpenedClick string
	Clipboard   string

	// Of an in-app event. Without an amount, a currency is kept all the same.
	Name     string
	Amount   string
	Currency string

	// Params is a JSON object: of an event its own, of an open what else is to be kept.
	Params json.RawMessage
	// Flags are what the dialect itself found odd, in event's words.
	Flags []string
}

// Device are a device's facts. What is empty is not known.
type Device struct {
	Platform device.Platform
	OS       string // version alone
	Model    string
	Locale   string // "en-US" or "en_US"
	Timezone string // IANA name
	// Width and Height of the screen, physical pixels.
	Width, Height int
	Country       string // ISO 3166-1 alpha-2; empty: of the address
}

// Referrer is what a store's install referrer API said. Zero instants are not
// known; those of the device's clock are corrected with it.
type Referrer struct {
	Raw                                  string
	ClickAt, ClickServerAt               time.Time
	InstallBeginAt, InstallBeginServerAt time.Time
}

// Receipt says that a report is in the ledger.
type Receipt struct {
	ID      uid.Click // of the event
	Account link.AccountID
	App     link.AppID
	Install string
	Key     string
	At      time.Time // when it happened, as it is believed
	// ReceivedAt is our own time.
	ReceivedAt time.Time
	Flags      []string
}

// Result is what became of one report of a batch.
type Result struct {
	Receipt Receipt
	Err     error // a fault; nil: the report is in the ledger
}

package event

import (
	"encoding/json"
	"fmt"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// Kinds of what apps tell.
const (
	OpenKind     Kind = "open"     // an app was started; for the first time: an install
	InAppKind    Kind = "event"    // something happened in it
	ConsentKind  Kind = "consent"  // its user said what may be kept of him
	IdentifyKind Kind = "identify" // its user has a name in the account's own books
)

// Told is what an app, or a server that speaks for it, told. Instants are Unix
// milliseconds, zero where nobody said. Its JSON form is the ledger's.
type Told struct {
	Version    int            `json:"v"`
	Kind       Kind           `json:"type"`
	ID         uid.Click      `json:"id,string"` // of the event, ours
	At         int64          `json:"at"`        // when it happened, corrected for the device's clock
	ReceivedAt int64          `json:"received_at"`
	ClaimedAt  int64          `json:"claimed_at,omitempty"` // what was told where it was impossible and At is ReceivedAt: see ClockFlag
	Account    link.AccountID `json:"account"`
	App        link.AppID     `json:"app"`
	Dialect    link.Dialect   `json:"dialect"`
	// Install is the installation's own id, as its app tells it: at most 128 bytes.
	Install string `json:"install"`
	// Key is what a repetition of this event has, too; unique for app, Install and Kind.
	Key      string          `json:"key"`
	Platform device.Platform `json:"platform,omitempty"`
	OS       string          `json:"os,omitempty"`
	Model    string          `json:"model,omitempty"`
	Locale   string          `json:"locale,omitempty"`
	Timezone string          `json:"timezone,omitempty"`
	Width    int             `json:"width,omitempty"` // of the screen, physical pixels
	Height   int             `json:"height,omitempty"`
	Country  string          `json:"country,omitempty"`
	IPs      []string        `json:"ips,omitempty"` // as privacy allows
	// Networks are who runs the addresses, of each of IPs in their order, empty
	// where no list holds it; where privacy keeps no address, of those that
	// were. Nil: no list holds any.
	Networks []string   `json:"networks,omitempty"`
	Agent    string     `json:"ua,omitempty"`
	IDs      []DeviceID `json:"ids,omitempty"`
	User     string     `json:"user,omitempty"` // the account's own name for the person
	Consent  *Consent   `json:"consent,omitempty"`
	// Withhold names the partners, as links or the account call them, that are
	// not to be told of this person from now on: WithholdAll alone is every one,
	// WithholdNone alone none. Absent: the report does not speak of it.
	Withhold []string `json:"withhold,omitempty"`

	AppVersion string `json:"app_version,omitempty"`
	SDK        string `json:"sdk,omitempty"`
	Emulator   bool   `json:"emulator,omitempty"`
	Unsigned   bool   `json:"unsigned,omitempty"` // a secret is set, and the signature is wrong or missing

	// Of an open.
	First     bool      `json:"first,omitempty"` // the app says that it never ran before
	Referrer  *Referrer `json:"referrer,omitempty"`
	OpenedURL string    `json:"opened_url,omitempty"`
	// OpenedClick is our click id in OpenedURL.
	OpenedClick string `json:"opened_click,omitempty"`
	Clipboard   string `json:"clipboard,omitempty"`

	// Of an in-app event.
	Name     string `json:"name,omitempty"`
	Amount   string `json:"amount,omitempty"` // a decimal number, unless AmountFlag says otherwise
	Currency string `json:"currency,omitempty"`

	// Params is a JSON object: of an in-app event its own, of an open what else was told.
	Params json.RawMessage `json:"params,omitempty"`

	// Flags name what was odd and is kept all the same. A flagged amount is
	// never summed, a flagged time never credited.
	Flags []string `json:"flags,omitempty"`
}

// Words of Withhold that are no partner's name.
const (
	WithholdAll  = "all"
	WithholdNone = "none"
)

// Flags of what apps tell.
const (
	ClockFlag    = "clock"         // the told time is impossible; At is the time of receipt
	DeviceIDFlag = "device_id"     // one of IDs is no device's; it is there as it came
	AmountFlag   = "amount"        // Amount is no number, or no likely one; it is there as it came
	CurrencyFlag = "currency"      // Currency is not of ISO 4217, or missing beside an amount
	ReferrerFlag = "referrer_time" // an instant of Referrer is impossible; it is there as it came
	AddressFlag  = "address"       // an address of the device could not be read and is left out
)

// DeviceID is one name of a device.
type DeviceID struct {
	Kind  string `json:"kind"`           // as attribution names kinds: "gaid", "idfa", …
	Form  string `json:"form,omitempty"` // empty: raw; "sha1", "md5"
	Value string `json:"value"`
}

// Consent is what the report says that the person and the platform permit.
// What is empty it leaves open, as lines do that are older than an answer.
type Consent struct {
	Tracking    string `json:"tracking,omitempty"`    // "yes", "no": Apple's question
	Measurement string `json:"measurement,omitempty"` // "yes", "no": the app's own
	Advertising string `json:"advertising,omitempty"` // "yes", "no": the app's own about advertising
	LimitAds    YesNo  `json:"limit_ads,omitempty"`   // the device's switch
	Child       YesNo  `json:"child,omitempty"`
}

// YesNo is an answer that a line holds as true or false, and does not hold where
// it is empty: nobody spoke of it.
type YesNo string

// What a YesNo says.
const (
	Yes YesNo = "yes"
	No  YesNo = "no"
)

// YesNoOf is the answer of a field that may be absent.
func YesNoOf(said *bool) YesNo {
	switch {
	case said == nil:
		return ""
	case *said:
		return Yes
	}
	return No
}

// MarshalJSON never fails.
func (a YesNo) MarshalJSON() ([]byte, error) {
	switch a {
	case Yes:
		return []byte("true"), nil
	case No:
		return []byte("false"), nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON refuses what is not true, false or null.
func (a *YesNo) UnmarshalJSON(raw []byte) error {
	var said *bool
	if err := json.Unmarshal(raw, &said); err != nil {
		return err
	}
	*a = YesNoOf(said)
	return nil
}

// Referrer is what the store's install referrer API said.
type Referrer struct {
	Raw                  string `json:"raw,omitempty"`
	Click                string `json:"click,omitempty"` // our click id in Raw
	ClickAt              int64  `json:"click_at,omitempty"`
	ClickServerAt        int64  `json:"click_server_at,omitempty"`
	InstallBeginAt       int64  `json:"install_begin_at,omitempty"`
	InstallBeginServerAt int64  `json:"install_begin_server_at,omitempty"`
}

// Line returns the event as one line of the ledger, without its newline.
func (t *Told) Line() ([]byte, error) {
	t.Version = Version
	line, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", t.Kind, err)
	}
	return line, nil
}

// DecodeTold reads a line that Line wrote, or one of the documented format.
// The id, the times, the account, the app and the installation must be there.
func DecodeTold(line []byte) (Told, error) {
	var t Told
	if err := json.Unmarshal(line, &t); err != nil {
		return Told{}, fmt.Errorf("read event: %w", err)
	}
	switch t.Kind {
	case OpenKind, InAppKind, ConsentKind, IdentifyKind:
	default:
		return Told{}, fmt.Errorf("read event: got type %q", t.Kind)
	}
	if t.Version != Version {
		return Told{}, fmt.Errorf("read event: got type %q version %d", t.Kind, t.Version)
	}
	if t.ID == 0 || t.At <= 0 || t.ReceivedAt <= 0 || t.Account == 0 || t.App == 0 || t.Install == "" {
		return Told{}, fmt.Errorf("read event: id, at, received_at, account, app and install must be set")
	}
	return t, nil
}

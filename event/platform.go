package event

import (
	"encoding/json"
	"fmt"

	"waypost/internal/uid"
	"waypost/link"
)

// PlatformConversionKind is what a platform tells of advertisements itself.
const PlatformConversionKind Kind = "platform_conversion"

// PlatformConversion is a conversion that a platform has attributed itself, and
// tells without saying whose it is: nothing of it can be joined to an
// installation, a click or a person. Its JSON form is the ledger's.
type PlatformConversion struct {
	Version   int            `json:"v"`
	Kind      Kind           `json:"type"`
	ID        uid.Click      `json:"id,string"` // of the event, ours
	At        int64          `json:"at"`        // when it was received, Unix milliseconds: platforms do not say when it happened
	Account   link.AccountID `json:"account"`
	App       link.AppID     `json:"app"`
	Framework Framework      `json:"framework"`
	// FrameworkVersion is set where the framework has versions.
	FrameworkVersion string `json:"framework_version,omitempty"`
	// Key is what a repetition of this event has, too; unique for App and Framework.
	Key string `json:"key"`
	// Test tells that a device in a developer's hands sent it. It is never counted.
	Test bool `json:"test,omitempty"`

	Network      string           `json:"network"`                 // the advertising network's id, as the platform knows it
	Source       string           `json:"source,omitempty"`        // the network's number of the campaign; the fewer digits, the smaller the crowd
	SourceApp    string           `json:"source_app,omitempty"`    // the app that showed the advertisement, by its number in the store
	SourceDomain string           `json:"source_domain,omitempty"` // or the site that did
	Marketplace  string           `json:"marketplace,omitempty"`   // the store that the app came from
	Conversion   PlatformOutcome  `json:"conversion"`
	Won          bool             `json:"won,omitempty"`         // the network earned it; else it only assisted
	Sequence     int              `json:"sequence"`              // 0: the conversion itself; 1, 2: how it went on
	Interaction  PlatformInterest `json:"interaction,omitempty"` // signed by SKAdNetwork alone

	// Nobody has signed what follows.
	Value   *int   `json:"value,omitempty"`        // the app's own, 0 to 63 unless it is flagged
	Coarse  string `json:"coarse_value,omitempty"` // "low", "medium", "high" unless it is flagged
	Country string `json:"country,omitempty"`      // ISO 3166-1 alpha-2 unless it is flagged

	// Flags name what was odd and is kept all the same. It is never added up.
	Flags []string `json:"flags,omitempty"`
}

// Framework is what a platform tells conversions by.
type Framework string

// Frameworks.
const (
	SKAdNetwork      Framework = "skadnetwork"
	AdAttributionKit Framework = "adattributionkit"
)

// PlatformOutcome is what the person did.
type PlatformOutcome string

// Outcomes.
const (
	Download     PlatformOutcome = "download"
	Redownload   PlatformOutcome = "redownload"
	Reengagement PlatformOutcome = "re-engagement"
)

// PlatformInterest is what the person did with the advertisement; empty where
// the platform does not say.
type PlatformInterest string

// Interests.
const (
	ClickedAd PlatformInterest = "click"
	ViewedAd  PlatformInterest = "view"
)

// Flags of conversions of platforms.
const (
	ValueFlag       = "value"
	CoarseFlag      = "coarse_value"
	CountryFlag     = "country"
	InteractionFlag = "interaction" // it is left out
)

// LastSequence is that of the last word of a conversion.
const LastSequence = 2

// Line returns the event as one line of the ledger, without its newline.
func (c *PlatformConversion) Line() ([]byte, error) {
	c.Version, c.Kind = Version, PlatformConversionKind
	line, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", c.Kind, err)
	}
	return line, nil
}

// DecodePlatformConversion reads a line that Line wrote, or one of the
// documented format. The id, the time, the account, the app, the framework, the
// key, the network and the conversion must be there.
func DecodePlatformConversion(line []byte) (PlatformConversion, error) {
	var c PlatformConversion
	if err := json.Unmarshal(line, &c); err != nil {
		return PlatformConversion{}, fmt.Errorf("read event: %w", err)
	}
	if c.Version != Version || c.Kind != PlatformConversionKind {
		return PlatformConversion{}, fmt.Errorf("read event: got type %q version %d", c.Kind, c.Version)
	}
	if c.ID == 0 || c.At <= 0 || c.Account == 0 || c.App == 0 || c.Framework == "" || c.Key == "" || c.Network == "" || c.Conversion == "" {
		return PlatformConversion{}, fmt.Errorf("read event: id, at, account, app, framework, key, network and conversion must be set")
	}
	if c.Sequence < 0 || c.Sequence > LastSequence {
		return PlatformConversion{}, fmt.Errorf("read event: got sequence %d, there are 0 to %d", c.Sequence, LastSequence)
	}
	return c, nil
}

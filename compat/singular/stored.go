package singular

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"waypost/link"
)

// LinkType tells links of a partner from those of a source that has none.
type LinkType string

// Types of link.
const (
	PartnerLink LinkType = "partner"
	CustomLink  LinkType = "custom"
	WebToApp    LinkType = "mobile_web_to_app"
)

// Stored is the Data of a link: what its client asked for, with the defaults
// that held when it was written. App group, partner and name are in the Listing.
type Stored struct {
	LinkType      LinkType `json:"link_type"`
	SourceName    string   `json:"source_name,omitempty"` // links without a partner
	LinkSubdomain string   `json:"link_subdomain"`
	Zone          string   `json:"link_dns_zone"` // as the client named it
	Fallback      string   `json:"destination_fallback_url"`

	Android *Redirection `json:"android_redirection,omitempty"` // at least one of the two is set
	IOS     *Redirection `json:"ios_redirection,omitempty"`

	Reengagement bool `json:"enable_reengagement,omitempty"`
	CTV          bool `json:"enable_ctv,omitempty"`

	ClickDeterministicDays  int `json:"click_deterministic_days"`
	ClickProbabilisticHours int `json:"click_probabilistic_hours"`
	ViewDeterministicHours  int `json:"view_deterministic_hours"`
	ViewProbabilisticHours  int `json:"view_probabilistic_hours"`
	ClickReengagementDays   int `json:"click_reengagement_days"` // of no effect without Reengagement

	LinkParameter []Pair `json:"link_parameter,omitempty"`
	OG            *OG    `json:"og_tags,omitempty"`

	// Short is the last segment of the link's permanent short form, four
	// lower-case letters and digits; empty for links of partners, which have none.
	Short string `json:"short,omitempty"`
	// Query is the query that the long address was given, raw, without "?": the
	// partner's macros, or the deep link, then LinkParameter. The short form
	// stands for it.
	Query string `json:"query,omitempty"`
}

// Redirection is where one platform goes.
type Redirection struct {
	AppSite     link.AppID `json:"app_site_id"`
	Destination string     `json:"destination_url"`                             // where the app is not installed
	DeepLink    string     `json:"destination_deeplink_url,omitempty"`          // empty: the app is never tried
	Deferred    string     `json:"destination_deferred_deeplink_url,omitempty"` // for the first open after an install
}

// Pair is a query parameter that the client wants on the link's address.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// OG is what a preview of the link shows. All of it is set.
type OG struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
}

// Read decodes the Data of a link that has no Base.
func Read(data json.RawMessage) (Stored, error) {
	var s Stored
	if err := json.Unmarshal(data, &s); err != nil {
		return Stored{}, fmt.Errorf("read stored link: %w", err)
	}
	if s.Android == nil && s.IOS == nil {
		return Stored{}, errors.New("read stored link: it has no redirection")
	}
	return s, nil
}

// Data encodes a link for its Data.
func (s *Stored) Data() (json.RawMessage, error) {
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	enc.SetEscapeHTML(false) // addresses are full of "&", and six bytes for each would outgrow what a link may hold
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("write stored link: %w", err)
	}
	return bytes.TrimSuffix(data.Bytes(), []byte("\n")), nil
}

// Referral is the Data of a dynamic short link, whose Base is the link that it
// stands for. Its Path is the Base's, "/r_" and some letters and digits.
type Referral struct {
	Query string `json:"query"` // of the long address that was shortened, raw, without "?"
}

// ReferralPrefix begins the last segment of a dynamic short link.
const ReferralPrefix = "r_"

// ReferralLife is how long a dynamic short link stands for its query
// (dynamic short links: 30 days after creation).
const ReferralLife = 30 * 24 * time.Hour

// ReadReferral decodes the Data of a link that has a Base.
func ReadReferral(data json.RawMessage) (Referral, error) {
	var r Referral
	if err := json.Unmarshal(data, &r); err != nil {
		return Referral{}, fmt.Errorf("read stored referral: %w", err)
	}
	return r, nil
}

// Letters before an app code in a link's address. Apps in the field claim the
// paths of A, B, E and F on Android and A and C on iOS; nothing claims D. The
// letter is no part of a link.Path.
const (
	LetterBoth    = 'A' // opens the app on both systems
	LetterAndroid = 'B'
	LetterIOS     = 'C'
	LetterNone    = 'D' // has no deep link: the system must not intercept it
)

// Letter returns the letter that the link's address has: it tells which
// systems may open the app with it.
func (s *Stored) Letter() byte {
	android := s.Android != nil && s.Android.DeepLink != ""
	ios := s.IOS != nil && s.IOS.DeepLink != ""
	switch {
	case android && ios:
		return LetterBoth
	case android:
		return LetterAndroid
	case ios:
		return LetterIOS
	}
	return LetterNone
}

// AppCode returns the group's number as addresses show it: base 36 in lower
// case, at least four characters.
func AppCode(id link.AppGroupID) string {
	code := strconv.FormatInt(int64(id), 36)
	return strings.Repeat("0", max(0, 4-len(code))) + code
}

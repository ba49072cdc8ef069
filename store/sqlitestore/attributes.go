package sqlitestore

import (
	"encoding/json"
	"fmt"
	"time"

	"waypost/internal/device"
	"waypost/link"
)

// What the attributes columns hold, one type for each table. A name is never
// given a second meaning: rows outlive programs. Durations are nanoseconds.

type accountRow struct {
	Name              string                        `json:"name,omitempty"`
	Timezone          string                        `json:"timezone,omitempty"`
	Names             map[link.Dialect]string       `json:"names,omitempty"`
	RedirectAllowlist []string                      `json:"redirect_allowlist,omitempty"`
	Limits            map[link.LimitName]link.Limit `json:"limits,omitempty"`
	SDKKey            string                        `json:"sdk_key,omitempty"`
	SDKSecret         string                        `json:"sdk_secret,omitempty"`
	IPPolicy          link.IPPolicy                 `json:"ip_policy,omitempty"`
	Attribution       settingsRow                   `json:"attribution,omitzero"`
}

type agencyRow struct {
	Name string `json:"name,omitempty"`
}

type appRow struct {
	GUID         string          `json:"guid,omitempty"`
	Name         string          `json:"name,omitempty"`
	Platform     device.Platform `json:"platform,omitempty"`
	BundleID     string          `json:"bundle_id,omitempty"`
	TeamID       string          `json:"team_id,omitempty"`
	Package      string          `json:"package,omitempty"`
	Fingerprints []string        `json:"fingerprints,omitempty"`
	StoreID      string          `json:"store_id,omitempty"`
	StoreURL     string          `json:"store_url,omitempty"`
	Scheme       string          `json:"scheme,omitempty"`
	Clipboard    bool            `json:"clipboard,omitempty"`
	URL          string          `json:"url,omitempty"`
	Attribution  settingsRow     `json:"attribution,omitzero"`
}

// Times are Unix milliseconds, zero for none.
type appGroupRow struct {
	Name      string `json:"name,omitempty"`
	Archived  bool   `json:"archived,omitempty"`
	CreatedAt int64  `json:"created_at_ms,omitempty"`
	UpdatedAt int64  `json:"updated_at_ms,omitempty"`
}

type sharedDomainRow struct {
	BaseURL string `json:"base_url,omitempty"`
}

type domainRow struct {
	BaseURL string `json:"base_url,omitempty"`
	Default bool   `json:"default,omitempty"`
}

type templateRow struct {
	Name          string `json:"name,omitempty"`
	WebURL        string `json:"web_url,omitempty"`
	OGTitle       string `json:"og_title,omitempty"`
	OGDescription string `json:"og_description,omitempty"`
	OGImageURL    string `json:"og_image_url,omitempty"`
	URIScheme     string `json:"uri_scheme,omitempty"`
	MarketLinks   bool   `json:"market_links,omitempty"`
	QRForeground  string `json:"qr_foreground,omitempty"`
	QRBackground  string `json:"qr_background,omitempty"`
}

type partnerRow struct {
	Name          string           `json:"name,omitempty"`
	Kind          link.PartnerKind `json:"kind,omitempty"`
	Private       bool             `json:"private,omitempty"`
	TrackingLinks bool             `json:"tracking_links,omitempty"`
	MultipleOS    bool             `json:"multiple_os,omitempty"`
	Reengagement  bool             `json:"reengagement,omitempty"`
	CTV           bool             `json:"ctv,omitempty"`
	LinkQuery     string           `json:"link_query,omitempty"`
	LogoURL       string           `json:"logo_url,omitempty"`
}

type partnerAppRow struct {
	ClickDeterministic time.Duration `json:"click_deterministic_ns,omitempty"`
	ViewDeterministic  time.Duration `json:"view_deterministic_ns,omitempty"`
	ClickProbabilistic time.Duration `json:"click_probabilistic_ns,omitempty"`
	ViewProbabilistic  time.Duration `json:"view_probabilistic_ns,omitempty"`
	Reengagement       time.Duration `json:"reengagement_ns,omitempty"`
}

type postbackRow struct {
	On     []string `json:"on,omitempty"`
	Method string   `json:"method,omitempty"`
	URL    string   `json:"url,omitempty"`
	Secret string   `json:"secret,omitempty"`
}

type tokenRow struct {
	ActsAsAgency bool `json:"acts_as_agency,omitempty"`
}

type grantRow struct {
	Role link.Role `json:"role,omitempty"`
}

// attributeMillis is the form of an instant inside attributes.
func attributeMillis(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

// attributeInstant is the inverse of attributeMillis.
func attributeInstant(unixMilli int64) time.Time {
	if unixMilli == 0 {
		return time.Time{}
	}
	return instant(unixMilli)
}

// encode returns a row's attributes.
func encode(attributes any) (string, error) {
	text, err := json.Marshal(attributes)
	return string(text), err
}

// decode reads the attributes column of a row. Names that it does not know are
// left out: a newer program may have written them.
func decode[T any](r row, column int, thing string) (attributes T, err error) {
	if err := json.Unmarshal(r.stmt.ColumnRawText(column), &attributes); err != nil {
		return attributes, fmt.Errorf("attributes of %s: %w", thing, err)
	}
	return attributes, nil
}

package postback

import (
	"encoding/json"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/link"
)

// Message is the JSON body of a POST. Its fields are a promise:
// docs/postbacks.md describes them, and new ones may come. What is not known,
// or may not be told, is left out. Instants are Unix milliseconds.
type Message struct {
	ID             string                   `json:"id"` // the delivery's, as in Idempotency-Key
	Kind           string                   `json:"kind"`
	Postback       link.Key                 `json:"postback"`
	AccountID      link.AccountID           `json:"account_id"`
	At             int64                    `json:"at"` // when it happened
	ReceivedAt     int64                    `json:"received_at"`
	ConversionID   attribution.ConversionID `json:"conversion_id,omitempty"`
	Verdict        attribution.Verdict      `json:"verdict,omitempty"`
	Rejection      attribution.Code         `json:"rejection_reason,omitempty"`
	MatchType      attribution.Method       `json:"match_type,omitempty"`
	Reengagement   bool                     `json:"is_reengagement,omitempty"`
	Flags          []string                 `json:"flags,omitempty"`
	AppID          link.AppID               `json:"app_id,omitempty"`
	AppName        string                   `json:"app_name,omitempty"`
	BundleID       string                   `json:"bundle_id,omitempty"`
	AppVersion     string                   `json:"app_version,omitempty"`
	SDKVersion     string                   `json:"sdk_version,omitempty"`
	InstallationID string                   `json:"installation_id,omitempty"`
	InstalledAt    int64                    `json:"installed_at,omitempty"`
	User           string                   `json:"user,omitempty"` // to the account alone
	EventName      string                   `json:"event_name,omitempty"`
	Amount         string                   `json:"amount,omitempty"`
	Currency       string                   `json:"currency,omitempty"`
	EventParams    json.RawMessage          `json:"event_params,omitempty"`
	ClickID        string                   `json:"click_id,omitempty"` // ours
	PartnerClickID string                   `json:"partner_click_id,omitempty"`
	TouchKind      attribution.TouchKind    `json:"touch_kind,omitempty"`
	TouchedAt      int64                    `json:"touched_at,omitempty"`
	Partner        link.Key                 `json:"partner,omitempty"`
	PartnerID      link.PartnerID           `json:"partner_id,omitempty"`
	NetworkName    string                   `json:"network_name,omitempty"`
	Agency         string                   `json:"agency,omitempty"`
	Campaign       string                   `json:"campaign,omitempty"`
	CampaignID     string                   `json:"campaign_id,omitempty"`
	AdSetID        string                   `json:"adset_id,omitempty"`
	AdID           string                   `json:"ad_id,omitempty"`
	SiteID         string                   `json:"site_id,omitempty"`
	LinkID         link.LinkID              `json:"link_id,omitempty"`
	TrackerID      int64                    `json:"tracker_id,omitempty"`
	LinkHost       string                   `json:"link_host,omitempty"`
	LinkCode       string                   `json:"link_code,omitempty"`
	DeepLink       string                   `json:"deep_link,omitempty"`
	Parameters     map[string]string        `json:"click_parameters,omitempty"` // of the clicked URL, the first of each name
	Platform       string                   `json:"platform,omitempty"`
	OSVersion      string                   `json:"os_version,omitempty"`
	DeviceModel    string                   `json:"device_model,omitempty"`
	Language       string                   `json:"language,omitempty"`
	Country        string                   `json:"country,omitempty"`
	IP             string                   `json:"ip,omitempty"`
	UserAgent      string                   `json:"user_agent,omitempty"`
	DeviceIDs      []event.DeviceID         `json:"device_ids,omitempty"`
	// PlatformConversion is the event as the ledger has it.
	PlatformConversion *event.PlatformConversion `json:"platform_conversion,omitempty"`
}

// message is the body of the view's POST.
func (v *view) message() string {
	m := Message{ID: v.key, Kind: v.kind, Postback: v.postback.Key, AccountID: v.postback.Account, PlatformConversion: v.telling.Platform}
	v.tellConversion(&m)
	v.tellTouch(&m)
	v.tellDevice(&m)
	body, err := json.Marshal(m)
	if err != nil {
		panic("postback: a message of texts, numbers and valid JSON does not marshal: " + err.Error())
	}
	return string(body)
}

func (v *view) tellConversion(m *Message) {
	d := v.decided
	m.At, m.ReceivedAt = unixMillis(v.telling.happenedAt()), unixMillis(v.telling.madeAt())
	m.ConversionID, m.Verdict, m.Rejection = v.conversion(), d.Decision.Verdict, d.Decision.Refusal
	m.MatchType, m.Reengagement, m.Flags = v.method(), v.wonBack(), d.Flags
	m.AppID, m.AppName, m.BundleID = v.app.ID, v.app.Name, v.bundle()
	m.AppVersion, m.SDKVersion = v.told.AppVersion, v.told.SDK
	m.InstallationID, m.InstalledAt = v.install(), unixMillis(v.installedAt())
	m.EventName, m.Amount, m.Currency, m.EventParams = d.Event, d.Amount, d.Currency, v.eventParams()
	if v.postback.Partner == 0 {
		m.User = v.told.User
	}
}

func (v *view) tellTouch(m *Message) {
	m.ClickID, m.PartnerClickID = clickText(v.clickID()), v.partnerClickID()
	m.TouchKind, m.TouchedAt = v.touchKind(), unixMillis(v.clickedAt())
	m.PartnerID, m.NetworkName, m.Agency = v.source.Partner, v.networkName(), v.source.Agency
	if p := v.telling.Partner; p != nil {
		m.Partner = p.Key
	}
	m.Campaign, m.CampaignID = v.source.Campaign, v.source.CampaignID
	m.AdSetID, m.AdID, m.SiteID = v.source.AdSetID, v.source.AdID, v.source.Site
	m.LinkID, m.TrackerID, m.DeepLink = v.source.Link, v.source.Tracker, v.deepLink()
	switch {
	case v.touch != nil:
		m.LinkHost, m.LinkCode = v.touch.Host, v.touch.Code
	case v.telling.Click != nil:
		m.LinkHost, m.LinkCode, m.LinkID = v.telling.Click.Host, v.telling.Click.Code, v.telling.Click.Link
	}
	if len(v.parameters) > 0 {
		m.Parameters = make(map[string]string, len(v.parameters))
		for name := range v.parameters {
			m.Parameters[name] = v.parameters.Get(name)
		}
	}
}

func (v *view) tellDevice(m *Message) {
	m.Platform, m.OSVersion, m.DeviceModel = v.told.Platform.String(), v.told.OS, v.told.Model
	m.Language, m.Country, m.IP, m.UserAgent = v.told.Locale, v.told.Country, v.address(), v.told.Agent
	m.DeviceIDs = v.told.IDs
}

// unixMillis is 0 for no time.
func unixMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

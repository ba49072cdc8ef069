package ingest

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"waypost/attribution"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/privacy"
)

// wireCall is what every call of our own API says.
type wireCall struct {
	AppKey  string            `json:"app_key"`
	App     wireApp           `json:"app"`
	Install naming            `json:"install_uuid"`
	SentAt  scalar            `json:"sent_at"`
	SDK     string            `json:"sdk"`
	Device  wireDevice        `json:"device"`
	IDs     map[string]wireID `json:"ids"`
	ATT     wireATT           `json:"att"`
	Consent *wireConsent      `json:"consent"`
	// Withhold names partners: see Report.
	Withhold []string `json:"withhold"`
	// IP and Agent are the device's, where a server speaks for it.
	IP    string `json:"ip"`
	Agent string `json:"user_agent"`
}

type wireApp struct {
	ID        scalar `json:"id"`
	Bundle    string `json:"bundle"`
	Platform  string `json:"platform"`
	Version   string `json:"version"`
	Build     scalar `json:"build"`
	Store     string `json:"store"`
	Installer string `json:"installer"`
}

type wireDevice struct {
	OS       string     `json:"os"`
	Version  scalar     `json:"os_version"`
	Model    string     `json:"model"`
	Brand    string     `json:"brand"`
	Locale   string     `json:"locale"`
	Timezone string     `json:"timezone"`
	Screen   wireScreen `json:"screen"`
	Carrier  string     `json:"carrier"`
	MCC      scalar     `json:"mcc"`
	MNC      scalar     `json:"mnc"`
	Emulator bool       `json:"emulator"`
}

// wireScreen is in physical pixels.
type wireScreen struct {
	Width  float64 `json:"w"`
	Height float64 `json:"h"`
}

// wireID is an id as it is, or {"type":"sha1","value":"…"}.
type wireID struct {
	Form  string `json:"type"`
	Value scalar `json:"value"`
}

// UnmarshalJSON never fails: what is no id is malformed, and flagged.
func (id *wireID) UnmarshalJSON(raw []byte) error {
	type object wireID
	if json.Unmarshal(raw, (*object)(id)) != nil {
		return id.Value.UnmarshalJSON(raw)
	}
	return nil
}

type wireATT struct {
	Status scalar `json:"status"`
}

type wireConsent struct {
	Measurement       string `json:"measurement"` // "yes", "no"
	LimitAds          *bool  `json:"limit_ads"`
	Child             *bool  `json:"coppa"`
	GDPR              *bool  `json:"gdpr_applies"`
	AdUserData        *bool  `json:"ad_user_data"`
	AdPersonalization *bool  `json:"ad_personalization"`
	TCF               string `json:"tcf"`
	GPP               string `json:"gpp"`
}

type wireOpen struct {
	wireCall
	Session       naming        `json:"session_id"`
	Sequence      int64         `json:"sdk_instance_seq"`
	First         bool          `json:"is_first_launch"`
	FirstAt       scalar        `json:"first_launch_at"`
	At            scalar        `json:"at"`
	Referrer      *wireReferrer `json:"referrer"`
	OpenURL       string        `json:"open_url"`
	Clipboard     string        `json:"clipboard_token"`
	AdServices    string        `json:"adservices_token"`
	PreviousTimes wirePrevious  `json:"prev_times"`
}

type wireReferrer struct {
	API                string `json:"api"`
	Raw                string `json:"raw"`
	ClickAt            scalar `json:"click_ts"`
	ClickServer        scalar `json:"click_server_ts"`
	InstallBegin       scalar `json:"install_begin_ts"`
	InstallBeginServer scalar `json:"install_begin_server_ts"`
	InstallVersion     string `json:"install_version"`
	Instant            bool   `json:"instant"`
}

type wirePrevious struct {
	Install scalar `json:"install"`
	Update  scalar `json:"update"`
}

type wireEvents struct {
	wireCall
	Events []json.RawMessage `json:"events"`
}

type wireEvent struct {
	ID      naming          `json:"event_id"`
	Name    naming          `json:"name"`
	At      scalar          `json:"at"`
	Revenue wireRevenue     `json:"revenue"`
	Params  json.RawMessage `json:"params"`
}

type wireRevenue struct {
	Amount   scalar `json:"amount"`
	Currency string `json:"currency"`
}

type wireIdentify struct {
	wireCall
	At   scalar `json:"at"`
	User naming `json:"user_id"`
}

type wireAnswered struct {
	wireCall
	At scalar `json:"at"`
}

// systems are names of operating systems that are no names of platforms.
var systems = map[string]device.Platform{
	"ipados": device.IOS, "iphone os": device.IOS, "visionos": device.IOS, "fire os": device.FireOS, "kindle": device.FireOS,
	"osx": device.MacOS, "mac": device.MacOS, "linux": device.Web, "chromeos": device.Web, "browser": device.Web,
}

// platform reads the name of a platform or a system.
func platform(field, name string) (device.Platform, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if p, ok := systems[name]; ok {
		return p, nil
	}
	p, err := device.ParsePlatform(name)
	if err != nil {
		return p, fault.Bad(field, fault.Unknown, "%q is no platform: write ios, android, fireos, web, macos, windows or a television's", cut(name, 40))
	}
	return p, nil
}

// report reads what every call says. ignored gets ids of kinds that are not known.
func (c *wireCall) report(ignored *[]string) (Report, error) {
	r := Report{
		Dialect: link.Own, Install: string(c.Install), SDK: c.SDK, AppVersion: c.App.Version, Emulator: c.Device.Emulator, Agent: c.Agent,
		App: AppRef{Key: c.AppKey, Name: c.App.Bundle},
		Device: Device{
			OS: string(c.Device.Version), Model: c.Device.Model, Locale: c.Device.Locale, Timezone: c.Device.Timezone,
			Width: pixels(c.Device.Screen.Width), Height: pixels(c.Device.Screen.Height),
		},
	}
	var err error
	if r.SentAt, err = ParseTime("sent_at", string(c.SentAt)); err != nil {
		return r, err
	}
	if r.App.Platform, err = platform("app.platform", c.App.Platform); err != nil {
		return r, err
	}
	if r.Device.Platform, err = platform("device.os", c.Device.OS); err != nil {
		return r, err
	}
	if r.App.Platform == device.Unknown {
		r.App.Platform = r.Device.Platform
	}
	if c.App.ID != "" {
		n, err := strconv.ParseInt(string(c.App.ID), 10, 64)
		if err != nil || n <= 0 {
			return r, fault.Bad("app.id", fault.Malformed, "write the app's number, or name it by its bundle")
		}
		r.App.ID = link.AppID(n)
	}
	if c.IP != "" {
		address, err := privacy.ParseAddress(c.IP)
		if err != nil {
			return r, fault.Bad("ip", fault.Malformed, "%q is no IP address", cut(c.IP, 40))
		}
		r.Addresses = AddressList(address)
	}
	c.takeIDs(&r, ignored)
	r.Withhold = c.Withhold
	r.Consent, err = c.consent()
	return r, err
}

func pixels(n float64) int {
	if n > 0 && n <= maxScreen {
		return int(n)
	}
	return 0
}

// takeIDs reads the ids in the order of their names.
func (c *wireCall) takeIDs(r *Report, ignored *[]string) {
	for _, kind := range slices.Sorted(maps.Keys(c.IDs)) {
		id := attribution.DeviceID{Kind: attribution.IDKind(strings.ToLower(kind)), Value: string(c.IDs[kind].Value)}
		switch form := strings.ToLower(c.IDs[kind].Form); form {
		case "", "raw", "unhashed":
		default:
			id.Form = attribution.IDForm(form)
		}
		if idKinds[id.Kind] {
			r.IDs = append(r.IDs, id)
		} else if len(*ignored) < mostIgnored {
			*ignored = append(*ignored, "ids."+cut(kind, maxFact))
		}
	}
}

// consent puts the answers of platform, law and app together; nil where the
// call says nothing of them. A refusal of ad_user_data is one of measurement,
// one of ad_personalization is one of advertising.
func (c *wireCall) consent() (*event.Consent, error) {
	tracking, err := tracking(string(c.ATT.Status))
	if err != nil {
		return nil, err
	}
	if c.Consent == nil && tracking == "" {
		return nil, nil
	}
	told := event.Consent{Tracking: string(tracking)}
	if w := c.Consent; w != nil {
		told.Measurement, told.LimitAds, told.Child = strings.ToLower(w.Measurement), event.YesNoOf(w.LimitAds), event.YesNoOf(w.Child)
		lawful := w.GDPR == nil || *w.GDPR
		if told.Measurement == "" {
			told.Measurement = underLaw(w.AdUserData, lawful)
		}
		told.Advertising = underLaw(w.AdPersonalization, lawful)
	}
	return &told, nil
}

// underLaw is the answer of a field that may be absent; where the law does not
// apply, nothing is refused by it.
func underLaw(said *bool, lawful bool) string {
	answer := event.YesNoOf(said)
	if answer == event.No && !lawful {
		return ""
	}
	return string(answer)
}

// tracking reads Apple's status, by its number or its name
// (ATTrackingManager.AuthorizationStatus).
func tracking(status string) (attribution.Answer, error) {
	switch strings.ToLower(strings.ReplaceAll(status, "_", "")) {
	case "", "0", "notdetermined":
		return "", nil
	case "1", "restricted", "2", "denied":
		return attribution.No, nil
	case "3", "authorized":
		return attribution.Yes, nil
	}
	return "", fault.Bad("att.status", fault.Unknown, "write Apple's number, 0 to 3, or notDetermined, restricted, denied, authorized")
}

// report reads an open.
func (o *wireOpen) report(ignored *[]string) (r Report, err error) {
	if r, err = o.wireCall.report(ignored); err != nil {
		return r, err
	}
	r.First, r.OpenedURL, r.Clipboard, r.Key = o.First, o.OpenURL, o.Clipboard, string(o.Session)
	if r.Key == "" && o.Sequence > 0 {
		r.Key = "seq-" + strconv.FormatInt(o.Sequence, 10)
	}
	if r.At, err = ParseTime("at", string(o.At)); err != nil {
		return r, err
	}
	first, err := ParseTime("first_launch_at", string(o.FirstAt))
	if err != nil {
		return r, err
	}
	if o.First && !first.IsZero() {
		r.At = first
	}
	if o.Referrer != nil {
		if r.Referrer, err = o.Referrer.read(); err != nil {
			return r, err
		}
	}
	r.Params, err = o.extras()
	return r, err
}

func (w *wireReferrer) read() (*Referrer, error) {
	r := &Referrer{Raw: w.Raw}
	var err error
	if r.ClickAt, err = ParseTime("referrer.click_ts", string(w.ClickAt)); err != nil {
		return nil, err
	}
	if r.ClickServerAt, err = ParseTime("referrer.click_server_ts", string(w.ClickServer)); err != nil {
		return nil, err
	}
	if r.InstallBeginAt, err = ParseTime("referrer.install_begin_ts", string(w.InstallBegin)); err != nil {
		return nil, err
	}
	r.InstallBeginServerAt, err = ParseTime("referrer.install_begin_server_ts", string(w.InstallBeginServer))
	return r, err
}

// extras are what else an open tells: kept with it, judged by nobody.
func (o *wireOpen) extras() (json.RawMessage, error) {
	said := map[string]string{
		"build": string(o.App.Build), "store": o.App.Store, "installer": o.App.Installer, "brand": o.Device.Brand, "carrier": o.Device.Carrier,
		"mcc": string(o.Device.MCC), "mnc": string(o.Device.MNC), "adservices_token": o.AdServices,
		"prev_install": string(o.PreviousTimes.Install), "prev_update": string(o.PreviousTimes.Update),
	}
	if !o.First {
		said["first_launch_at"] = string(o.FirstAt)
	}
	if o.Referrer != nil {
		said["referrer_api"], said["install_version"] = o.Referrer.API, o.Referrer.InstallVersion
		if o.Referrer.Instant {
			said["instant"] = "true"
		}
	}
	if o.Consent != nil {
		said["tcf"], said["gpp"] = o.Consent.TCF, o.Consent.GPP
	}
	maps.DeleteFunc(said, func(_, text string) bool { return text == "" })
	if len(said) == 0 {
		return nil, nil
	}
	return json.Marshal(said)
}

package smartlinks

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/privacy"
)

// report translates a message. What is odd is flagged and kept; what lacks
// makes a fault that names it.
func (n *Ingest) report(m *message) (ingest.Report, error) {
	r := ingest.Report{
		Dialect: link.SmartLinks, App: ingest.AppRef{ID: m.app.ID}, Device: m.facts(), Agent: m.deviceAgent(),
		AppVersion: m.text("app_version"), SDK: m.object.loose("sdk_version"), First: m.action == actionInstall,
	}
	said, err := m.deviceIDs()
	if err != nil {
		return r, err
	}
	if r.IDs, r.Consent, err = m.permitted(said, r.Device); err != nil {
		return r, err
	}
	if r.Install, err = m.installation(r.IDs, len(said) > 0); err != nil {
		return r, err
	}
	m.readTimes(&r)
	m.readAddress(&r)
	switch m.action {
	case actionEvent:
		err = m.readEvent(&r)
	case actionIdentity:
		r.User, r.Params, err = m.identity()
	default:
		err = m.readOpen(&r)
	}
	if err == nil {
		r.Key, err = n.key(m, &r)
	}
	return r, err
}

func flag(r *ingest.Report, name string) {
	if !slices.Contains(r.Flags, name) {
		r.Flags = append(r.Flags, name)
	}
}

// installation names the installation: as its app does, else by the steadiest
// of the device's ids that may be looked at.
func (m *message) installation(ids []attribution.DeviceID, named bool) (string, error) {
	if own, err := m.object.named("kochava_device_id"); own != "" || err != nil {
		return own, err
	}
	if of := ingest.InstallOf(ids); of != "" {
		return of, nil
	}
	field := m.data.name("device_ids")
	if named {
		return "", fault.Bad(field, fault.NotAllowed, "holds no id that may be used, and kochava_device_id is empty: "+
			"send kochava_device_id or an id that is no advertising id; an IDFA needs app_tracking_transparency with att true")
	}
	return "", fault.Bad(field, fault.Missing, "is required, with one id at least, where kochava_device_id is empty")
}

// readTimes reads when it happened, by the sender's clock. A time that is none
// is flagged.
func (m *message) readTimes(r *ingest.Report) {
	r.At = m.holder("usertime").instant("usertime", r, event.ClockFlag)
	r.SentAt = m.object.instant("send_date", r, event.ClockFlag)
}

// instant reads a time; zero where there is none, flagged where it is no time.
func (o object) instant(field string, r *ingest.Report, odd string) time.Time {
	text, err := o.looseText(field)
	if err == nil && text == nil {
		return time.Time{}
	}
	var at time.Time
	if err == nil {
		at, err = ingest.ParseTime(field, *text)
	}
	if err != nil {
		flag(r, odd)
	}
	return at
}

// readAddress reads from where the device spoke. The address of the request is
// the device's only where the app itself sent it.
func (m *message) readAddress(r *ingest.Report) {
	holder := m.holder("origination_ip")
	address, err := privacy.ParseAddress(holder.loose("origination_ip"))
	switch {
	case err == nil:
		r.Addresses = ingest.AddressList(address)
	case !holder.isBlank("origination_ip"):
		flag(r, event.AddressFlag)
	case m.isSDK():
		r.Addresses = ingest.AddressList(m.address)
	}
}

// readEvent reads an in-app event.
func (m *message) readEvent(r *ingest.Report) (err error) {
	if r.Name, err = m.holder("event_name").named("event_name"); err != nil {
		return err
	}
	params := m.eventData()
	r.Amount, r.Params = amountOf(params), params.json()
	if r.Currency = m.text("currency"); r.Currency == "" {
		r.Currency = params.loose("currency")
	}
	return nil
}

// eventData returns event_data as an object. Some clients send its JSON as a
// text; whatever else it is stands under its own name.
func (m *message) eventData() object {
	raw := m.data.raw("event_data")
	if raw == nil {
		return object{}
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if inner, err := parseObject([]byte(text)); err == nil {
			return inner
		}
		if strings.TrimSpace(text) == "" {
			return object{}
		}
	}
	if params, err := parseObject(raw); err == nil {
		return params
	}
	return object{fields: map[string]json.RawMessage{"event_data": raw}}
}

// json is the object as it is kept; nil where it is empty.
func (o object) json() json.RawMessage {
	if len(o.fields) == 0 {
		return nil
	}
	text, err := json.Marshal(o.fields)
	if err != nil {
		panic("smartlinks: a JSON object has no JSON form: " + err.Error())
	}
	return text
}

// readOpen reads the start of an app: what the store and the system said of
// where its person came from, and what else was told.
func (m *message) readOpen(r *ingest.Report) (err error) {
	if r.Referrer, err = m.referrer(r); err != nil {
		return err
	}
	for _, name := range lookupNames {
		if url := m.data.loose(name); r.OpenedURL == "" && strings.Contains(url, "://") {
			r.OpenedURL = url
		}
	}
	if m.action == actionInstall {
		if r.User, _, err = m.identity(); err != nil {
			return err
		}
	}
	rest := object{fields: maps.Clone(m.data.fields)}
	maps.DeleteFunc(rest.fields, func(name string, _ json.RawMessage) bool { return isRead(name) })
	r.Params = rest.json()
	return nil
}

// readFields are those of data that are kept in places of their own, or not at
// all: addresses and ids are only kept as far as privacy permits.
var readFields = []string{"device_ids", "device_ua", "device_ver", "origination_ip", "usertime", "app_version", "os_version", "locale", "timezone",
	"disp_w", "disp_h", "device_limit_tracking", "app_tracking_transparency", "install_referrer", "conversion_data", "mac", "ssid", "bssid"}

func isRead(name string) bool {
	_, isID := idKind(name)
	return isID || slices.Contains(readFields, strings.ToLower(name)) || slices.Contains(lookupNames[:], name)
}

// identity returns the account's own name for the person, and all the names
// that were told. Several have one that is meant, by its name, or the first in
// the order of names.
func (m *message) identity() (user string, params json.RawMessage, err error) {
	var names object
	for _, field := range []string{"identity_link", "identityLink", "identity"} {
		if o, given, err := m.data.object(field); err == nil && given {
			names = o
			break
		}
	}
	if names.fields == nil && m.action == actionIdentity {
		names = object{maps.Clone(m.data.fields), m.data.at}
		maps.DeleteFunc(names.fields, func(name string, _ json.RawMessage) bool { return isRead(name) })
	}
	for _, name := range slices.Sorted(maps.Keys(names.fields)) {
		if names.loose(name) == "" || user != "" && !userNames[letters(name)] {
			continue
		}
		if user, err = names.named(name); err != nil {
			return "", nil, err
		}
		if userNames[letters(name)] {
			break
		}
	}
	if len(names.fields) == 0 {
		return "", nil, nil
	}
	return user, object{fields: map[string]json.RawMessage{"identity_link": names.json()}}.json(), nil
}

// userNames are the names under which accounts send their own id of a person,
// by their letters.
var userNames = map[string]bool{"id": true, "userid": true, "customerid": true, "customeruserid": true}

// letters keeps the ASCII letters of a text, in small ones.
func letters(text string) string {
	return strings.Map(func(c rune) rune {
		if c |= 0x20; c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, text)
}

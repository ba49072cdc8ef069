package onelink

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/privacy"
)

// Texts of the in-app events API ("Server-to-server events API", v3), which
// answers in plain text.
const (
	eventTaken        = "OK"
	eventNoToken      = "Failed to Authenticate"
	eventBadToken     = "Unauthorized"
	eventBadBody      = "Payload is missing or failed to parse"
	eventWrongApp     = "app_id does not match the authentication token"
	eventMandatory    = " is a mandatory field"
	diagnosticsHeader = "Waypost-Diagnostic"
)

// Fields of an in-app event.
const (
	fieldInstall = "appsflyer_id"
	fieldEvent   = "eventName"
	fieldValue   = "eventValue"
	fieldTime    = "eventTime"
	fieldIP      = "ip"
	fieldSharing = "sharing_filter"
)

// takeEvent is POST /inappevent/{app_id}.
func (in *Ingest) takeEvent(r *reported) (reply.Reply, error) {
	secret := strings.TrimSpace(r.Header.Get("authentication"))
	if secret == "" {
		return reply.Reply{}, fault.Bad("authentication", fault.Missing, eventNoToken)
	}
	token, account, err := in.holder(r.directory, secret, r.parts[0])
	if err != nil {
		return reply.Reply{}, err
	}
	id := r.parts[0]
	if strings.Trim(id, "0123456789") == "" {
		// An Apple id without "id": the vendor acknowledges the event and drops
		// it. So do we, but the account is told.
		in.counters.dropped.Add(1)
		in.Intake.NoteUnknown(account, history.UnknownApp, called(id))
		return plainText(http.StatusOK, eventTaken).With(diagnosticsHeader, "not recorded: the app id must be "+iosPrefix+id), nil
	}
	app := in.permitted(r.directory, token, id, anyPlatform)
	if app == nil {
		if in.lack(r.directory, token, id, anyPlatform) {
			in.Intake.NoteUnknown(account, history.UnknownApp, id)
		}
		return reply.Reply{}, &fault.Error{Kind: fault.NotFound, Field: appField, Reason: fault.Unknown, Message: eventWrongApp}
	}
	raw, err := readReport(r.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	told, err := readEvent(raw)
	if err != nil {
		return reply.Reply{}, err
	}
	told.report.App = ingest.AppRef{ID: app.ID, Account: app.Account}
	told.report.Consent = told.said.consent()
	r.handed = true
	if _, err := in.Intake.Event(r.Context(), told.report); err != nil {
		return reply.Reply{}, err
	}
	return plainText(http.StatusOK, eventTaken), nil
}

func plainText(status int, text string) reply.Reply {
	return reply.Bytes(status, "text/plain; charset=utf-8", []byte(text))
}

// refuseEvent is the table of responses of the in-app events API. Rows without
// a counterpart there: 503, and the field that is wrong.
func refuseEvent(f *fault.Error) reply.Reply {
	switch f.Kind {
	case fault.Unauthorized:
		return plainText(http.StatusUnauthorized, eventBadToken)
	case fault.NotFound:
		return plainText(http.StatusBadRequest, eventWrongApp)
	case fault.Unavailable:
		return plainText(http.StatusServiceUnavailable, "Service Unavailable")
	case fault.Invalid:
	default:
		return plainText(http.StatusInternalServerError, "Internal Server Error")
	}
	switch {
	case f.Field == bodyField && f.Message == notUTF8: // which the words alone would hide
		return plainText(http.StatusBadRequest, eventBadBody+": it "+notUTF8)
	case f.Field == bodyField && f.Reason != fault.TooLong:
		return plainText(http.StatusBadRequest, eventBadBody)
	case f.Field == "authentication":
		return plainText(http.StatusBadRequest, f.Message)
	case f.Reason == fault.Missing:
		return plainText(http.StatusBadRequest, eventFieldNamed(f.Field)+eventMandatory)
	}
	return plainText(http.StatusBadRequest, "Bad request: "+eventFieldNamed(f.Field)+": "+f.Message)
}

// eventFieldNamed gives a field of ingest the name that this API's callers know.
func eventFieldNamed(field string) string {
	switch field {
	case ingest.FieldInstall:
		return fieldInstall
	case ingest.FieldName:
		return fieldEvent
	case ingest.FieldParams:
		return fieldValue
	case ingest.FieldUser:
		return "customer_user_id"
	case ingest.FieldIDs:
		return "device ids"
	case ingest.FieldWithhold:
		return fieldSharing
	}
	return field
}

// toldEvent is an in-app event, read.
type toldEvent struct {
	report ingest.Report
	said   saidConsent
}

// readEvent reads the body of an in-app event. Values may be text, numbers or
// booleans, as clients send them.
func readEvent(raw []byte) (*toldEvent, error) {
	fields, err := parseObject(raw)
	if err != nil {
		return nil, err
	}
	text := func(name string) string { return strings.TrimSpace(looseText(fields[name])) }
	t := &toldEvent{report: ingest.Report{
		Dialect: link.OneLink, Install: text(fieldInstall), Name: text(fieldEvent), User: text("customer_user_id"),
		AppVersion: text("app_version_name"), Currency: text("eventCurrency"), Device: ingest.Device{OS: text("os")},
	}}
	r := &t.report
	for _, name := range []string{fieldInstall, fieldEvent} {
		if text(name) == "" {
			return nil, fault.Bad(name, fault.Missing, "%s%s", name, eventMandatory)
		}
	}
	if err := checkNames(fields, fieldInstall, fieldEvent, "customer_user_id"); err != nil {
		return nil, err
	}
	if r.At, err = ingest.ParseTime(fieldTime, text(fieldTime)); err != nil {
		// Odd times are kept and flagged, never refused: the event did happen.
		r.Flags = append(r.Flags, event.ClockFlag)
	}
	if ip := text(fieldIP); ip != "" {
		if r.Addresses = addressesOf(ip); r.Addresses == nil {
			r.Flags = append(r.Flags, event.AddressFlag)
		}
	}
	values, err := eventValues(fields[fieldValue])
	if err != nil {
		return nil, err
	}
	r.Amount = looseText(values[paramRevenue])
	if r.Currency == "" {
		r.Currency = looseText(values[paramCurrency])
	}
	if r.Params, err = eventParams(values, fields); err != nil {
		return nil, err
	}
	if t.said, err = readConsent(fields); err != nil {
		return nil, err
	}
	if r.Withhold, err = readSharingFilter(fields[fieldSharing]); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if id, ok := idOf(name, looseText(fields[name])); ok {
			r.IDs = append(r.IDs, id)
		}
	}
	return t, nil
}

// Members of eventValue that money is read from.
const (
	paramRevenue  = "af_revenue"
	paramCurrency = "af_currency"
)

// eventValues reads eventValue: a JSON object inside a text, or, from clients
// that forget to make it one, the object itself. Blank is none, as documented;
// any other text is kept under its own name.
func eventValues(raw json.RawMessage) (map[string]json.RawMessage, error) {
	object := []byte(strings.TrimSpace(looseText(raw)))
	if len(object) == 0 {
		return nil, nil
	}
	if object[0] == '{' {
		if depth(object) > maxDepth {
			return nil, fault.Bad(fieldValue, fault.Malformed, "the value is nested too deeply")
		}
		var values map[string]json.RawMessage
		if err := json.Unmarshal(object, &values); err == nil {
			return values, nil
		}
	}
	text, err := json.Marshal(string(object))
	if err != nil {
		return nil, err
	}
	return map[string]json.RawMessage{fieldValue: text}, nil
}

// besides are the fields of an event that no column of ours holds. They are
// kept in its params, under a name that no event of an app has.
var besides = []string{"app_store", "app_type", "bundleIdentifier", "bundle_id", "custom_data", "custom_dimension", fieldSharing}

// besidesName is where they stand.
const besidesName = "_onelink"

// eventParams are the event's own values, and what else the report said.
func eventParams(values, fields map[string]json.RawMessage) (json.RawMessage, error) {
	kept := map[string]json.RawMessage{}
	for _, name := range besides {
		if v := fields[name]; given(v) && string(v) != `""` {
			kept[name] = v
		}
	}
	if len(kept) > 0 {
		inner, err := json.Marshal(kept)
		if err != nil {
			return nil, err
		}
		values = maps.Clone(values)
		if values == nil {
			values = map[string]json.RawMessage{}
		}
		values[besidesName] = inner
	}
	if len(values) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(values); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// addressesOf reads one address; nil where the text is none.
func addressesOf(text string) []netip.Addr {
	ip, err := privacy.ParseAddress(text)
	if err != nil {
		return nil
	}
	return []netip.Addr{ip}
}

// consent is what the report says; nil where it is silent.
func (said saidConsent) consent() *event.Consent {
	if said == (saidConsent{}) {
		return nil
	}
	c := &event.Consent{Tracking: string(said.tracking), Measurement: string(said.measurement)}
	switch said.sharesID {
	case attribution.Yes:
		c.LimitAds = event.No
	case attribution.No:
		c.LimitAds = event.Yes
	}
	return c
}

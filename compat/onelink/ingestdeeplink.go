package onelink

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
)

// DeepLinkWindow is how long after its click a person's start is told where in
// the app he belongs ("Unified deep linking", work flow). Conversion data tells
// it for a day.
const (
	DeepLinkWindow   = 15 * time.Minute
	ConversionWindow = 24 * time.Hour
)

// answerIOS and answerAndroid are POST /v1.0/{ios|android}/{app_id}.
func (in *Ingest) answerIOS(r *reported) (reply.Reply, error) {
	return in.answerDeepLink(r, device.IOS)
}

func (in *Ingest) answerAndroid(r *reported) (reply.Reply, error) {
	return in.answerDeepLink(r, device.Android)
}

// answerDeepLink takes the start of an app and says which click it comes from.
// It is an open like every other: the first one installs.
func (in *Ingest) answerDeepLink(r *reported, p device.Platform) (reply.Reply, error) {
	raw, err := readReport(r.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	start, err := readStart(raw, p)
	if err != nil {
		return reply.Reply{}, err
	}
	app, err := in.signed(r.directory, r.parts[0], r.URL.Query().Get(signatureField), start.signedText, onPlatform(p))
	if err != nil {
		return reply.Reply{}, err
	}
	start.report.App = ingest.AppRef{ID: app.ID, Account: app.Account}
	start.report.Device.Platform = app.Platform
	start.report.Consent = start.said.consent()
	r.handed = true
	receipt, err := in.Intake.Open(r.Context(), start.report)
	if err != nil {
		return reply.Reply{}, err
	}
	told := in.Intake.Decided(r.Context(), receipt, ingest.DefaultWait)
	if told.Status == ingest.Pending {
		// The vendor's own answer to what takes too long. A repetition is the
		// same start, so a client that asks again loses nothing.
		return reply.Empty(http.StatusGatewayTimeout).RetryAfter(told.AskIn), nil
	}
	said, err := in.findClick(r.Context(), &told, receipt.At)
	if err != nil {
		return reply.Reply{}, err
	}
	return reply.JSON(http.StatusOK, deepLinkOf(said, start.report.First && told.Status != ingest.Reattributed)), nil
}

// findClick returns the click that a start comes from, nil where it comes from
// none that this call may tell: it is told for a quarter of an hour after the
// click, and where it is a deferred deep link, once. A call that comes too late
// leaves the link to conversion data and to others that may still tell it.
func (in *Ingest) findClick(ctx context.Context, told *ingest.Answer, at time.Time) (*toldClick, error) {
	if c := (&toldClick{told.Reengagement, told.ReengagementTouch}); c.telling(at) {
		return c, nil // the click of this very start
	}
	c := &toldClick{told.Match, told.Touch}
	if !c.telling(at) {
		return nil, nil
	}
	if told.Installation.DeepLink == "" {
		return c, nil
	}
	if err := in.Intake.TakeLink(ctx, told); err != nil || told.DeepLink == "" {
		return nil, err
	}
	return c, nil
}

// toldClick is what a start comes from.
type toldClick struct {
	match *attribution.Match
	touch *history.Touch
}

// telling reports whether a start at an instant is told of the click.
func (c *toldClick) telling(at time.Time) bool {
	return c.match != nil && c.touch != nil && c.match.Kind == attribution.Click && at.Sub(c.match.At) <= DeepLinkWindow
}

// refuseDeepLink is the table of responses of the deep-link API: 400 with a code
// and a message, 503 without a body.
func refuseDeepLink(f *fault.Error) reply.Reply {
	type refusal struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	code := "bad_request"
	switch {
	case f.Kind == fault.Unavailable:
		return reply.Empty(http.StatusServiceUnavailable)
	case f.Kind == fault.Internal:
		return reply.JSON(http.StatusInternalServerError, refusal{"internal_error", "Internal Server Error"})
	case f.Field == signatureField:
		code = "invalid_signature"
	case f.Field == appField:
		code = "unknown_app"
	case f.Reason != "":
		code = string(f.Reason)
	}
	text := "Bad Request"
	if f.Field != "" {
		text += ": " + startFieldNamed(f.Field) + ": " + f.Message
	}
	return reply.JSON(http.StatusBadRequest, refusal{code, text})
}

// startFieldNamed gives a field of ingest the name that this API's callers know.
func startFieldNamed(field string) string {
	switch field {
	case ingest.FieldInstall, ingest.FieldEventID:
		return "request_id"
	case ingest.FieldReferrer:
		return "referrers"
	case ingest.FieldParams:
		return "open_referrer and sharing_filter"
	case ingest.FieldWithhold:
		return fieldSharing
	}
	return field
}

// toldStart is the start of an app, read.
type toldStart struct {
	report     ingest.Report
	said       saidConsent
	signedText string
}

// readStart reads the body of the deep-link API ("Deep linking REST API").
func readStart(raw []byte, p device.Platform) (*toldStart, error) {
	fields, err := parseObject(raw)
	if err != nil {
		return nil, err
	}
	text := func(name string) string { return looseText(fields[name]) }
	for _, name := range []string{"timestamp", fieldIP, "is_first", "lang", "os", "type"} {
		if strings.TrimSpace(text(name)) == "" {
			return nil, fault.Bad(name, fault.Missing, "this field is mandatory")
		}
	}
	if err := checkNames(fields, "request_id"); err != nil {
		return nil, err
	}
	// The clock of the sender is asked for the signature; the start is now.
	at, err := ingest.ParseTime("timestamp", text("timestamp"))
	if err != nil {
		return nil, err
	}
	first, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text("is_first"))))
	if err != nil {
		return nil, fault.Bad("is_first", fault.Malformed, "write true or false")
	}
	s := &toldStart{signedText: text("timestamp") + text(fieldIP), report: ingest.Report{
		Dialect: link.OneLink, Install: strings.TrimSpace(text("request_id")), At: at, SentAt: at, First: first,
		Addresses: addressesOf(strings.TrimSpace(text(fieldIP))),
		Device:    ingest.Device{OS: text("os"), Model: text("type"), Locale: text("lang")},
	}}
	if s.report.Addresses == nil {
		return nil, fault.Bad(fieldIP, fault.Malformed, "%q is no address", shortened(text(fieldIP)))
	}
	if err := s.readPlatform(fields, p); err != nil {
		return nil, err
	}
	if s.report.Withhold, err = readSharingFilter(fields[fieldSharing]); err != nil {
		return nil, err
	}
	if s.report.Install == "" {
		s.report.Install = ingest.InstallOf(s.report.IDs)
	}
	if s.report.Install == "" { // nothing names the device: the start names itself
		s.report.Install = ingest.HashKey(s.signedText, text("type"), text("os"), text("lang"))
	}
	if s.report.Key = "start:" + ingest.HashKey(s.signedText); first {
		s.report.Key = "first" // asked again, it is the same start, whenever that is
	}
	s.report.Params, err = eventParams(openReferrer(fields), fields)
	return s, err
}

// readPlatform reads what only one of the platforms tells.
func (s *toldStart) readPlatform(fields map[string]json.RawMessage, p device.Platform) (err error) {
	names := []string{"idfv", "idfa"}
	if p == device.Android {
		names = []string{"gaid", "oaid"}
		if s.report.Referrer, err = readReferrers(fields["referrers"]); err != nil {
			return err
		}
	}
	for _, name := range names {
		if !given(fields[name]) {
			continue
		}
		id, err := readID(name, fields[name])
		if err != nil {
			return err
		}
		s.report.IDs = append(s.report.IDs, id)
	}
	switch status := strings.TrimSpace(looseText(fields["att_status"])); status {
	case "", "3": // not determined
	case "1":
		s.said.tracking = attribution.Yes
	case "2", "4": // denied, restricted
		s.said.tracking = attribution.No
	default:
		return fault.Bad("att_status", fault.Malformed, "write 1 to 4: authorized, denied, not determined, restricted; got %q", shortened(status))
	}
	return nil
}

// idTypes are the forms of an id in this API.
var idTypes = map[string]attribution.IDForm{"unhashed": attribution.Raw, "sha1": attribution.SHA1, "md5": attribution.MD5}

func readID(field string, raw json.RawMessage) (attribution.DeviceID, error) {
	var sent struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	if err := json.Unmarshal(raw, &sent); err != nil {
		return attribution.DeviceID{}, fault.Bad(field, fault.Malformed, `write {"type":"unhashed","value":"…"}`).Because(err)
	}
	form, ok := idTypes[sent.Type]
	if !ok {
		return attribution.DeviceID{}, fault.Bad(field, fault.Malformed, "type is unhashed, sha1 or md5, got %q", shortened(sent.Type))
	}
	id, _ := idOf(field, sent.Value)
	id.Form = form
	return id, nil
}

// readReferrers returns what a store's referrer API said: the first that names
// one of our clicks, else the first that says anything. Unknown stores are
// ignored, as documented.
func readReferrers(raw json.RawMessage) (*ingest.Referrer, error) {
	if !given(raw) {
		return nil, nil
	}
	var list []struct {
		Source string  `json:"source"`
		Value  *string `json:"value"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fault.Bad("referrers", fault.Malformed, `write [{"source":"google","value":"…"}]`).Because(err)
	}
	var first *ingest.Referrer
	for _, r := range list {
		if r.Value == nil || *r.Value == "" || r.Source != "google" && r.Source != "huawei" {
			continue
		}
		found := &ingest.Referrer{Raw: *r.Value}
		if ingest.ClickInReferrer(*r.Value) != "" {
			return found, nil
		}
		if first == nil {
			first = found
		}
	}
	return first, nil
}

func openReferrer(fields map[string]json.RawMessage) map[string]json.RawMessage {
	const name = "open_referrer"
	if !given(fields[name]) {
		return nil
	}
	return map[string]json.RawMessage{name: fields[name]}
}

// deepLink is the answer of the deep-link API.
type deepLink struct {
	Found bool `json:"found"`
	Click any  `json:"click_event"`
}

// foundClick is the click_event of one that was found. Every member is there;
// what is not known, or may not be told, is null.
type foundClick struct {
	Timestamp  string            `json:"timestamp"`
	Custom     map[string]string `json:"custom_params"`
	CampaignID *string           `json:"campaign_id"`
	Match      string            `json:"match_type"`
	Source     *string           `json:"media_source"`
	Campaign   *string           `json:"campaign"`
	Referrer   *string           `json:"click_http_referrer"`
	Sub1       *string           `json:"af_sub1"`
	Sub2       *string           `json:"af_sub2"`
	Sub3       *string           `json:"af_sub3"`
	Sub4       *string           `json:"af_sub4"`
	Sub5       *string           `json:"af_sub5"`
}

// deepLinkOf shapes what a start is told of its click; c is nil where there is
// none. A new user's app learns nothing but where he belongs.
func deepLinkOf(c *toldClick, isNew bool) deepLink {
	if c == nil {
		return deepLink{Click: struct{}{}}
	}
	said, source := saidIn(c.touch.Query), &c.match.Source
	found := foundClick{Timestamp: c.match.At.UTC().Format("2006-01-02T15:04:05.000"), Match: matchType(c.match.Method)}
	if found.Custom = said.deepLinks(); isNew {
		return deepLink{Found: true, Click: found}
	}
	found.Custom = said.custom()
	found.CampaignID, found.Source, found.Campaign = known(source.CampaignID), known(source.Name), known(source.Campaign)
	found.Referrer = said.get(paramHTTPReferrer)
	found.Sub1, found.Sub2, found.Sub3, found.Sub4, found.Sub5 = said.get(paramSub+"1"), said.get(paramSub+"2"), said.get(paramSub+"3"), said.get(paramSub+"4"), said.get(paramSub+"5")
	return deepLink{Found: true, Click: found}
}

// matchType is the vendor's word for how a touch was recognised. It has none
// for a click that an opened URL or the clipboard names: an id matches there, too.
func matchType(m attribution.Method) string {
	switch m {
	case attribution.ByReferrer, attribution.Probabilistic:
		return string(m)
	}
	return string(attribution.ByDeviceID)
}

func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

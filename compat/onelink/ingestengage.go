package onelink

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"waypost/attribution/history"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/privacy"
)

// takeClick and takeView are GET and POST /v1.0/s2s/{click|impression}/app/{platform}/{app_id}.
func (in *Ingest) takeClick(r *reported) (reply.Reply, error) { return in.takeEngagement(r, false) }
func (in *Ingest) takeView(r *reported) (reply.Reply, error)  { return in.takeEngagement(r, true) }

func (in *Ingest) takeEngagement(r *reported, view bool) (reply.Reply, error) {
	said, err := engagementParams(r.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	key := secret(r.Request)
	if key == "" && r.Method == http.MethodGet {
		key = said[paramToken]
	}
	delete(said, paramToken) // it must not stand in the ledger
	token, account, err := in.holder(r.directory, key, r.parts[1])
	if err != nil {
		return reply.Reply{}, err
	}
	platform, err := engagementPlatform(r.parts[0])
	if err != nil {
		return reply.Reply{}, err
	}
	app := in.permitted(r.directory, token, r.parts[1], onPlatform(platform))
	if app == nil {
		if in.lack(r.directory, token, r.parts[1], onPlatform(platform)) {
			in.Intake.NoteUnknown(account, history.UnknownApp, r.parts[0]+"/"+r.parts[1])
		}
		return reply.Reply{}, &fault.Error{Kind: fault.NotFound, Field: appField, Reason: fault.Unknown, Message: "no such app"}
	}
	e, err := readEngagement(said)
	if err != nil {
		return reply.Reply{}, err
	}
	e.View, e.App, e.Device.Platform = view, ingest.AppRef{ID: app.ID, Account: app.Account}, app.Platform
	r.handed = true
	if _, err := in.Intake.Engage(r.Context(), e); err != nil {
		return reply.Reply{}, err
	}
	return reply.Empty(http.StatusOK), nil
}

// paramToken is the query parameter that may hold the token of a GET.
const paramToken = "authorization"

// refuseEngagement is the table of responses of the engagements API; the
// message says beside it which field is wrong.
func refuseEngagement(f *fault.Error) reply.Reply {
	switch f.Kind {
	case fault.Invalid:
		text := "Bad Request"
		if f.Field != "" {
			text += ": " + engagementFieldNamed(f.Field) + ": " + f.Message
		}
		return reply.JSON(http.StatusBadRequest, message{text})
	case fault.Unauthorized:
		return reply.JSON(http.StatusUnauthorized, message{"Authentication failed"})
	case fault.NotFound:
		if f.Field == platformField {
			return reply.JSON(http.StatusNotImplemented, message{"Not implemented: " + f.Message})
		}
		return reply.JSON(http.StatusNotFound, message{"Application ID not found"})
	case fault.Unavailable:
		return reply.JSON(http.StatusServiceUnavailable, message{"Service unavailable"})
	}
	return reply.JSON(http.StatusInternalServerError, message{"Internal Server Error"})
}

// engagementFieldNamed gives a field of ingest the name that this API's callers know.
func engagementFieldNamed(field string) string {
	switch field {
	case ingest.FieldEventID:
		return engagementKey
	case ingest.FieldQuery:
		return "parameters"
	}
	return field
}

// platformField is the Field of faults about the platform in the path.
const platformField = "platform"

// engagementPlatforms are the names in the path. What has no app here is
// Unknown, and not implemented.
var engagementPlatforms = map[string]device.Platform{
	"android": device.Android, "ios": device.IOS, "roku": device.Roku, "tizen": device.Tizen, "webos": device.WebOS,
	"playstation": device.PlayStation, "xbox": device.Xbox,
	"smartcast": device.Unknown, "vidaa": device.Unknown, "steam": device.Unknown, "quest": device.Unknown,
	"battlenet": device.Unknown, "epic": device.Unknown, "switch": device.Unknown,
}

func engagementPlatform(name string) (device.Platform, error) {
	p, known := engagementPlatforms[name]
	switch {
	case !known:
		return p, fault.Bad(platformField, fault.Unknown, "write one of %s", strings.Join(slices.Sorted(maps.Keys(engagementPlatforms)), ", "))
	case p == device.Unknown:
		return p, &fault.Error{Kind: fault.NotFound, Field: platformField, Reason: fault.Unknown, Message: "this server has no apps of the platform " + name}
	}
	return p, nil
}

// engagementParams reads the query of a GET, or the JSON object of a POST.
// Null says no more than absence.
func engagementParams(r *http.Request) (map[string]string, error) {
	said := map[string]string{}
	if r.Method == http.MethodGet {
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, fault.Bad(ingest.FieldQuery, fault.Malformed, "percent-encode the values and join them with &").Because(err)
		}
		for name, list := range values {
			said[name] = list[len(list)-1]
		}
	} else {
		raw, err := readReport(r)
		if err != nil {
			return nil, err
		}
		fields, err := parseObject(raw)
		if err != nil {
			return nil, err
		}
		if err := checkNames(fields, engagementSource, engagementKey, "af_click_id", paramPartnerClick); err != nil {
			return nil, err
		}
		for name, value := range fields {
			if given(value) {
				said[name] = looseText(value)
			}
		}
	}
	for name, value := range said {
		if said[name] = strings.TrimSpace(value); said[name] == "" || isUnfilled(said[name]) {
			delete(said, name) // macros that the network left empty
		}
	}
	return said, nil
}

// Parameters of engagements that are no link parameter.
const (
	engagementSource   = "af_media_source"
	engagementCampaign = "af_campaign_id"
	engagementKey      = "af_request_id"
	engagementType     = "af_campaign_type"
	engagementWindow   = "af_lookback_window"
	engagementAgent    = "af_user_agent"
	engagementIDType   = "af_device_id_type"
	engagementID       = "af_device_id_value"
)

// engagementParam is one parameter of an engagement.
type engagementParam struct {
	link string         // its name on a link; empty: the same
	most int            // characters; zero: ingest's bound alone
	form *regexp.Regexp // nil: any text
	want string         // what form asks for
}

var (
	versionForm = regexp.MustCompile(`^[0-9.]+$`)
	typeForm    = regexp.MustCompile(`^(user_acquisition|retargeting)$`)
	adTypeForm  = regexp.MustCompile(`^(text|banner|interstitial|video|rewarded_video|playable|audio)$`)
	idTypeForm  = regexp.MustCompile(`^(vida|tifa|rida|lgudid|fire|advertising_id|idfa|custom)$`)
	sourceForm  = regexp.MustCompile("^[^;*!@#?$^:&~`=+’><{}%/]+$")
)

// engagementSpec is the reference of the engagements API (2026-08-16). A
// User-Agent may be longer than its 256 characters: real ones are, and ingest
// cuts them.
var engagementSpec = map[string]engagementParam{
	engagementSource:   {link: paramSource, form: sourceForm, want: "a media source without ;*!@#?$^:&~`=+’><{}%/"},
	engagementCampaign: {link: paramCampaignID, most: 64},
	engagementKey:      {},
	"af_campaign":      {link: paramCampaign, most: 256},
	paramAdSetID:       {most: 64},
	paramAdSet:         {most: 256},
	paramAdID:          {most: 64},
	paramAd:            {most: 256},
	engagementType:     {form: typeForm, want: "user_acquisition or retargeting"},
	paramAgency:        {most: 50},
	paramSite:          {most: 24},
	paramSubSite:       {most: 24},
	"af_click_id":      {link: paramPartnerClick, most: 256},
	engagementWindow:   {form: clickForm, want: "1d to 30d or 1h to 23h"},
	"af_ad_placement":  {most: 256},
	paramAdType:        {form: adTypeForm, want: "text, banner, interstitial, video, rewarded_video, playable or audio"},
	paramChannel:       {most: 64},
	"af_custom1":       {most: 256},
	"af_custom2":       {most: 256},
	"af_custom3":       {most: 256},
	"af_custom4":       {most: 256},
	"af_custom5":       {most: 256},
	paramModel:         {most: 64},
	paramOSVersion:     {most: 12, form: versionForm, want: "digits and dots"},
	engagementIDType:   {form: idTypeForm, want: "vida, tifa, rida, lgudid, fire, advertising_id, idfa or custom"},
	engagementID:       {most: 128},
	paramAddress:       {most: 64}, // 45, and brackets, a port or a zone
	engagementAgent:    {},
}

// engagementOwn are kept elsewhere than in the query.
var engagementOwn = []string{engagementKey, engagementType, engagementWindow, engagementIDType, engagementID, paramAddress, engagementAgent,
	paramModel, paramOSVersion}

// readEngagement checks the parameters and turns them into those of a link, so
// that the touch of an engagement is read as every other. Unknown ones are kept.
func readEngagement(said map[string]string) (ingest.Engagement, error) {
	for _, name := range []string{engagementSource, engagementCampaign} {
		if said[name] == "" {
			return ingest.Engagement{}, fault.Bad(name, fault.Missing, "this parameter is mandatory")
		}
	}
	names := slices.Sorted(maps.Keys(said))
	for _, name := range names {
		if err := engagementSpec[name].check(name, said[name]); err != nil {
			return ingest.Engagement{}, err
		}
	}
	e := ingest.Engagement{
		Dialect: link.OneLink, Sender: said[engagementSource], Key: keyOfEngagement(said), Agent: said[engagementAgent],
		Device: ingest.Device{OS: said[paramOSVersion], Model: said[paramModel]},
	}
	if ip := said[paramAddress]; ip != "" {
		addr, err := privacy.ParseAddress(ip)
		if err != nil {
			return e, fault.Bad(paramAddress, fault.Malformed, "%q is no IPv4 or IPv6 address", shortened(ip))
		}
		e.Address = addr
	}
	query := url.Values{}
	for _, name := range names {
		if !slices.Contains(engagementOwn, name) {
			query.Set(cmp.Or(engagementSpec[name].link, name), said[name])
		}
	}
	if said[engagementType] == "retargeting" {
		query.Set(paramRetargeting, "true")
	}
	if window := said[engagementWindow]; window != "" {
		// One parameter for both kinds: each kind of touch reads its own.
		query.Set(paramClickLookback, window)
		query.Set(paramViewLookback, window)
	}
	if err := addDevice(query, said[engagementIDType], said[engagementID]); err != nil {
		return e, err
	}
	e.Query = query.Encode()
	return e, nil
}

// keyOfEngagement is what repetitions of an engagement have in common: its
// request id, else the network's own id of the click, which may be longer than
// a key; empty where it has neither.
func keyOfEngagement(said map[string]string) string {
	id := cmp.Or(said["af_click_id"], said[paramPartnerClick])
	if said[engagementKey] != "" || id == "" {
		return said[engagementKey]
	}
	return ingest.HashKey(paramPartnerClick, id)
}

// addDevice puts the device's id under the name that it has on a link.
func addDevice(query url.Values, kind, value string) error {
	switch {
	case kind == "" && value == "":
		return nil
	case kind == "":
		return fault.Bad(engagementIDType, fault.Missing, "say what kind of id %s is", engagementID)
	case value == "":
		return fault.Bad(engagementID, fault.Missing, "%s says that there is one", engagementIDType)
	case kind == "fire":
		kind = "fire_advertising_id"
	case kind == "custom":
		kind = "custom_device_id" // no device's: kept, and matched with nothing
	}
	query.Set(kind, value)
	return nil
}

func (p engagementParam) check(name, value string) error {
	switch {
	case name == "":
		return fault.Bad(ingest.FieldQuery, fault.Malformed, "a parameter has no name")
	case hasControl(value) || !utf8.ValidString(value):
		return fault.Bad(shortened(name), fault.Malformed, "the value holds control characters or is not UTF-8")
	case p.most > 0 && utf8.RuneCountInString(value) > p.most:
		return fault.Bad(name, fault.TooLong, "at most %d characters", p.most)
	case p.form != nil && !p.form.MatchString(value):
		return fault.Bad(name, fault.Malformed, "got %q, write %s", shortened(value), p.want)
	}
	return nil
}

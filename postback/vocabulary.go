package postback

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"waypost/attribution"
)

// meaning is a value and the names by which templates of several vendors ask
// for it: {x} and {X} without their braces, (x) with its parentheses.
type meaning struct {
	names string // separated by blanks
	value func(*view) string
}

// vocabulary maps each name to its value. docs/postbacks.md tells people of
// each, which a test holds.
var vocabulary = func() map[string]func(*view) string {
	byName := map[string]func(*view) string{}
	for _, m := range meanings() {
		for name := range strings.FieldsSeq(m.names) {
			byName[name] = m.value
		}
	}
	return byName
}()

func meanings() []meaning {
	var all []meaning
	for _, part := range [][]meaning{ofTouch, ofCampaign, ofConversion, ofEvent, ofApp, ofDevice, ofIDs} {
		all = append(all, part...)
	}
	return all
}

var ofTouch = []meaning{
	{"click_id (clickid) cl", func(v *view) string { return cmp.Or(v.partnerClickID(), clickText(v.clickID())) }},
	{"partner_click_id", func(v *view) string { return v.partnerClickID() }},
	{"waypost_click_id CLID", func(v *view) string { return clickText(v.clickID()) }},
	{"click_time (click-ts)", func(v *view) string { return seconds(v.clickedAt()) }},
	{"touch_kind", func(v *view) string { return string(v.touchKind()) }},
	{"is_viewthrough IS_VIEWTHROUGH", func(v *view) string { return digit(v.touchKind() == attribution.View) }},
	{"match_type matched_by (match-type)", func(v *view) string { return string(v.method()) }},
	{"touchpoint_ip TOUCHPOINT_IP", func(v *view) string { return v.touchAddress() }},
	{"deep_link", func(v *view) string { return v.deepLink() }},
	{"referrer", func(v *view) string { return v.referrer() }},
	{"(gp_referer_click_ts)", func(v *view) string {
		if v.told.Referrer == nil {
			return ""
		}
		return millis(cmp.Or(v.told.Referrer.ClickServerAt, v.told.Referrer.ClickAt))
	}},
	{"(gp_referer_install_ts)", func(v *view) string {
		if v.told.Referrer == nil {
			return ""
		}
		return millis(cmp.Or(v.told.Referrer.InstallBeginServerAt, v.told.Referrer.InstallBeginAt))
	}},
}

var ofCampaign = []meaning{
	{"network_name NETWORK", func(v *view) string { return v.networkName() }},
	{"partner", func(v *view) string {
		if v.telling.Partner == nil {
			return ""
		}
		return string(v.telling.Partner.Key)
	}},
	{"agency", func(v *view) string { return v.source.Agency }},
	{"campaign campaign_name (campaign)", func(v *view) string { return v.source.Campaign }},
	{"campaign_id CID", func(v *view) string { return v.source.CampaignID }},
	{"adset_id GID", func(v *view) string { return v.source.AdSetID }},
	{"ad_id creative_id CREATIVE", func(v *view) string { return v.source.AdID }},
	{"site_id SITE", func(v *view) string { return v.source.Site }},
	{"pcn", func(v *view) string { return v.parameter("pcn", v.source.Campaign) }},
	{"pcid", func(v *view) string { return v.parameter("pcid", v.source.CampaignID) }},
	{"pcrid", func(v *view) string { return v.parameter("pcrid", v.source.AdID) }},
	{"psid", func(v *view) string { return v.parameter("psid", v.source.Site) }},
	{"(af_siteid)", func(v *view) string { return v.parameter("af_siteid", v.source.Site) }},
	{"link_id", func(v *view) string { return number(v.source.Link) }},
	{"tracker", func(v *view) string { return number(v.source.Tracker) }},
}

var ofConversion = []meaning{
	{"kind activity_kind", func(v *view) string { return v.kind }},
	{"delivery_id", func(v *view) string { return v.key }},
	{"conversion_id", func(v *view) string { return string(v.conversion()) }},
	{"installation_id kochava_device_id (appsflyer-device-id)", func(v *view) string { return v.install() }},
	{"installed_at install_time (install-unix-ts)", func(v *view) string { return seconds(v.installedAt()) }},
	{"installed_at_hour", func(v *view) string { return seconds(v.installedAt().Truncate(time.Hour)) }},
	{"conversion_duration", func(v *view) string {
		if v.decided.Install == "" || v.clickedAt().IsZero() {
			return ""
		}
		return strconv.FormatInt(int64(v.telling.happenedAt().Sub(v.clickedAt()).Seconds()), 10)
	}},
	{"is_reengagement IS_RE_ENG", func(v *view) string { return digit(v.wonBack()) }},
	{"(is-retargeting)", func(v *view) string { return strconv.FormatBool(v.wonBack()) }},
	{"rejection_reason (blocked-reason)", func(v *view) string { return string(v.decided.Decision.Refusal) }},
}

var ofEvent = []meaning{
	{"event_name event EVTNAME (event-name) (mapped-iae)", func(v *view) string { return v.decided.Event }},
	{"event_time UTC", func(v *view) string { return seconds(v.telling.happenedAt()) }},
	{"UTCM", func(v *view) string { return strconv.FormatInt(v.telling.happenedAt().UnixMilli(), 10) }},
	{"amount revenue revenue_float event_value AMOUNT", func(v *view) string { return v.decided.Amount }},
	{"currency", func(v *view) string { return v.decided.Currency }},
	{"event_params (event-value)", func(v *view) string { return plainJSON(v.eventParams()) }},
}

var ofApp = []meaning{
	{"app_id", func(v *view) string { return number(v.app.ID) }},
	{"app_guid", func(v *view) string { return v.app.GUID }},
	{"app_name APP_NAME (app-name)", func(v *view) string { return v.app.Name }},
	{"bundle_id LONGNAME", func(v *view) string { return v.bundle() }},
	{"store_id PUBLIC_ID", func(v *view) string { return v.storeID() }},
	{"(app-id)", func(v *view) string { return v.prefixedStoreID() }},
	{"app_version APP_VERSION (app-version-name)", func(v *view) string { return v.told.AppVersion }},
	{"sdk_version (sdk-version)", func(v *view) string { return v.told.SDK }},
}

var ofDevice = []meaning{
	{"platform os_name", func(v *view) string { return v.told.Platform.String() }},
	{"os_version OS_VERSION (os-version)", func(v *view) string { return v.told.OS }},
	{"device_model device_type (device-model)", func(v *view) string { return v.told.Model }},
	{"device_ver", func(v *view) string {
		parts := []string{v.told.Model, v.told.Platform.String(), v.told.OS}
		return strings.Trim(strings.Join(parts, "-"), "-")
	}},
	{"language (language)", func(v *view) string { return v.told.Locale }},
	{"country (country_code)", func(v *view) string { return v.told.Country }},
	{"ip ip_address EVENT_IP (ip)", func(v *view) string { return v.address() }},
	{"ATTRIBUTION_IP", func(v *view) string {
		if v.decided.Event != "" {
			return "" // the installation's address is not kept as it was
		}
		return v.address()
	}},
	{"user_agent ua (user-agent)", func(v *view) string { return v.told.Agent }},
}

var ofIDs = []meaning{
	{"gaid adid gps_adid AIFA (advertiserId)", of(attribution.GAID, attribution.Raw)},
	{"gaid_sha1 (sha1-advertiserId)", of(attribution.GAID, attribution.SHA1)},
	{"gaid_md5 (md5-advertiserId)", of(attribution.GAID, attribution.MD5)},
	{"idfa IDFA (idfa)", of(attribution.IDFA, attribution.Raw)},
	{"idfa_sha1 IFA1 (sha1-idfa)", of(attribution.IDFA, attribution.SHA1)},
	{"idfa_md5 IFA5 (md5-idfa)", of(attribution.IDFA, attribution.MD5)},
	{"idfv IDFV (idfv) (vendorid)", of(attribution.IDFV, attribution.Raw)},
	{"android_id ANDI (android-id)", of(attribution.AndroidID, attribution.Raw)},
	{"android_id_sha1 (sha1-android-id)", of(attribution.AndroidID, attribution.SHA1)},
	{"android_id_md5 (md5-android-id)", of(attribution.AndroidID, attribution.MD5)},
	{"oaid (oaid)", of(attribution.OAID, attribution.Raw)},
	{"amazon_id fire_adid", of(attribution.AmazonID, attribution.Raw)},
}

// of is a device's id of the kind, hashed as the form says unless it came so.
func of(kind attribution.IDKind, form attribution.IDForm) func(*view) string {
	return func(v *view) string {
		if id := v.deviceID(kind, form); id != "" || form == attribution.Raw {
			return id
		}
		raw := v.deviceID(kind, attribution.Raw)
		if raw == "" {
			return ""
		}
		return hashed(raw, form)
	}
}

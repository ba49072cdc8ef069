package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// kochava is what the tests read of an answer in Kochava's words.
type kochava struct {
	Success string
	Data    struct {
		Retry       int
		Device      string `json:"kochava_device_id"`
		Attribution struct {
			Network  int64  `json:"network_id"`
			Name     string `json:"network_name"`
			Campaign string `json:"app_group_campaign_name"`
			Tracker  int64  `json:"tracker_id"`
			Click    string `json:"click_id"`
			DeepLink *struct{ Destination string }
		}
	}
}

const kochavaApp = "koacme-android-tewdf"

// track sends a message in Kochava's words about a device, which must be taken.
func (s *shop) track(path, action, device, data string) (answer kochava) {
	s.Helper()
	s.p.key("", "").must(s.T, http.MethodPost, path, fmt.Sprintf(
		`{"action":%q,"kochava_app_id":%q,"kochava_device_id":%q,"sdk_version":"4.3.0","data":%s}`, action, kochavaApp, device, data), &answer)
	if answer.Success != "1" {
		s.Errorf("%s of %s is answered %+v", action, device, answer)
	}
	return answer
}

// pull asks who earned an installation until that is known.
func (s *shop) pull(device string) (answer kochava) {
	s.Helper()
	eventually(s.T, "get_attribution to have an answer", func() bool {
		answer = s.track("/track/kvquery", "get_attribution", device, "{}")
		return answer.Data.Retry == -1
	})
	return answer
}

// TestSmartLinkInstall goes the whole way in Kochava's words.
func TestSmartLinkInstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	key := s.p.key("Authentication-Key", "acme-admin-token")
	type measured struct {
		Installs int64 `json:"install_count"`
		Default  struct {
			Installs int64 `json:"install_count"`
		}
		Apps []struct {
			Routes []struct {
				ID       int64
				Installs int64 `json:"install_count"`
			}
		} `json:"routes_by_app"`
	}
	var made struct{ Data smartLink }
	key.must(t, "POST", "/v1/links", `{"app_group_id":4833,"app_group_campaign_name":"Autumn","name":"Sale","network_id":1201,
		"default":{"app_id":38581,"destination_url":"https://www.acme.test/"},"routes_by_app":[
		{"app_id":26538,"events":["_Install","Purchase"],"routes":[{"name":"a","destination_url":"https://play.google.com/store/apps/details?id=com.acme.app",
		"rules":{"platform_in":["Android"]}}]}]}`, &made)
	address, err := url.Parse(made.Data.ClickURL)
	if err != nil {
		t.Fatal(err)
	}
	referrer := s.fromPlay(address.RequestURI()+"?click_id=theirs-2&site_id=site-9", "203.0.113.21")
	install := fmt.Sprintf(`{"usertime":%d,"device_ids":{"adid":"38400000-8cf0-41bd-b23e-10b96e400002"},"origination_ip":"203.0.113.22","device_ver":"Pixel 8-Android-14","install_referrer":%q}`,
		time.Now().Unix(), referrer)
	for range 3 {
		s.track("/track/json", "install", "KD2", install)
	}
	a := s.pull("KD2").Data
	route := made.Data.Apps[0].Routes[0].ID
	if w := a.Attribution; a.Device != "KD2" || w.Network != 1201 || w.Name != "Wide Network" || w.Campaign != "Autumn" || w.Tracker != route || w.Click == "" {
		t.Errorf("get_attribution says %+v, the route is %d", a, route)
	}
	p := s.paid("/postback", "theirs-2")
	if p.query.Get("campaign") != "Autumn" || p.query.Get("gaid") != "38400000-8cf0-41bd-b23e-10b96e400002" {
		t.Errorf("the partner hears %s", p.url)
	}
	purchase := fmt.Sprintf(`{"usertime":%d,"event_name":"Purchase","event_data":{"sum":3,"currency":"USD"}}`, time.Now().Unix()+1)
	for range 2 {
		s.track("/track/json", "event", "KD2", purchase)
	}
	s.track("/track/json", "event", "KD2", `{"event_name":"Search"}`)
	if h := s.hooked("KD2", "event", "Purchase"); h.Verdict != "credited" || h.Partner != "wide" || h.Amount != "3" || h.Currency != "USD" {
		t.Errorf("of the purchase the account hears %+v", h)
	}
	if h := s.hooked("KD2", "event", "Search"); h.Verdict != "organic" || h.Partner != "" {
		t.Errorf("of an event that the link does not claim the account hears %+v", h)
	}
	s.settled()
	var shown struct{ Data measured }
	key.must(t, "GET", fmt.Sprint("/v1/links/", made.Data.ID), "", &shown)
	if d := shown.Data; d.Installs != 1 || d.Default.Installs != 0 || d.Apps[0].Routes[0].Installs != 1 {
		t.Errorf("the link shows %+v, want one install, the route's", d)
	}
	tracker := fmt.Sprintf(" %d/2", made.Data.ID)
	s.counted("group_by=metric,link,tracker", map[string]int{"clicks" + tracker: 1, "installs" + tracker: 1, "events" + tracker: 1, "organic_events": 1})
	k := s.close()
	if got := k.told("wide-install"); !maps.Equal(got, map[string]int{"install": 1}) {
		t.Errorf("of installs the partner is told %v", got)
	}
	if got := k.told("hook"); !maps.Equal(got, map[string]int{"click": 1, "install": 1, "event": 2}) {
		t.Errorf("the account is told %v", got)
	}
}

// TestSingularInstall goes the whole way in Singular's words: a partner's link
// with a deferred deep link, a session that asks for it.
func TestSingularInstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var l trackingLink
	s.p.key("Authorization", "acme-admin-token").must(t, "POST", singularLinks, `{"app_id":4833,"partner_id":1201,"link_type":"partner","tracking_link_name":"deal",
		"link_subdomain":"acme","link_dns_zone":"sng.link","destination_fallback_url":"https://www.acme.test/","android_redirection":{"app_site_id":26538,
		"destination_url":"https://play.google.com/store/apps/details?id=com.acme.app","destination_deferred_deeplink_url":"acme://deal/3"}}`, &l)
	path, _, _ := strings.Cut(l.path(t), "?")
	referrer := s.fromPlay(path+"?cl=theirs-3&pcn=Winter&pcid=c-3&_p=hand%20through", "203.0.113.31")
	ref, err := json.Marshal(map[string]any{"installReferrer": referrer, "installBeginTimestampSeconds": time.Now().Unix() + 1})
	if err != nil {
		t.Fatal(err)
	}
	launch := url.Values{
		"a": {"acme-sdk-key"}, "p": {"Android"}, "i": {"com.acme.app"}, "ip": {"203.0.113.32"}, "ve": {"14"}, "mo": {"Pixel 8"}, "install": {"true"},
		"aifa": {"38400000-8cf0-41bd-b23e-10b96e400003"}, "install_ref": {string(ref)}, "utime": {strconv.FormatInt(time.Now().Unix(), 10)}, "ddl_enabled": {"true"},
	}
	type launched struct {
		Status, Reason, DDL string

		Deferred string `json:"deferred_deeplink"`
		Passed   string `json:"deferred_passthrough"`
	}
	ask := func(v url.Values) (answer launched) {
		t.Helper()
		s.p.key("", "").must(t, "GET", "/api/v1/launch?"+v.Encode(), "", &answer)
		if answer.Status != "ok" {
			t.Errorf("a launch is answered %+v", answer)
		}
		return answer
	}
	var told launched // what is not decided in time is told to the next session that asks
	eventually(t, "the first launch to be told its deep link", func() bool {
		told = ask(launch)
		return told.DDL != ""
	})
	if told.DDL != "acme://deal/3" || told.Deferred != told.DDL || told.Passed != "hand through" {
		t.Errorf("the first launch is told %+v", told)
	}
	if got := ask(launch); got.DDL != told.DDL || got.Deferred != told.DDL {
		t.Errorf("the same launch, whose answer may have been lost, is told %+v", got)
	}
	later := maps.Clone(launch)
	later["utime"] = []string{strconv.FormatInt(time.Now().Unix()+60, 10)}
	if got := ask(later); got.DDL != "" || got.Deferred != "" {
		t.Errorf("another launch is told the deep link again: %+v", got)
	}
	other := maps.Clone(launch)
	other["aifa"], other["ip"] = []string{"38400000-8cf0-41bd-b23e-10b96e400004"}, []string{"203.0.113.33"}
	if got := ask(other); got.DDL != "" {
		t.Errorf("another device with the same referrer is told %+v", got)
	}
	if p := s.paid("/postback", "theirs-3"); p.query.Get("campaign") != "Winter" || p.query.Get("gaid") != "38400000-8cf0-41bd-b23e-10b96e400003" {
		t.Errorf("the partner hears %s", p.url)
	}
	for _, evt := range []string{"/api/v1/evt", "/api/v1/evt", "/api/v1/evt"} {
		v := url.Values{"n": {"purchase"}, "is_revenue_event": {"true"}, "amt": {"2.51"}, "cur": {"USD"}}
		for _, name := range []string{"a", "p", "i", "ip", "ve", "aifa", "utime"} {
			v[name] = launch[name]
		}
		var answer launched
		s.p.key("", "").must(t, "POST", evt+"?"+v.Encode(), "", &answer)
		if answer.Status != "ok" {
			t.Errorf("%s is answered %+v", evt, answer)
		}
	}
	if p := s.paid("/event", "theirs-3"); p.query.Get("amount") != "2.51" || p.query.Get("currency") != "USD" {
		t.Errorf("of the purchase the partner hears %s", p.url)
	}
	s.counted("group_by=metric", map[string]int{"clicks": 1, "installs": 1, "organic_installs": 1, "events": 1})
	k := s.close()
	if got := k.told("wide-install"); !maps.Equal(got, map[string]int{"install": 1}) {
		t.Errorf("of installs the partner is told %v", got)
	}
	if got := k.told("hook"); !maps.Equal(got, map[string]int{"click": 1, "install": 2, "event": 1}) {
		t.Errorf("the account is told %v", got)
	}
}

// TestAppsFlyerInstall has a partner's server report clicks and views of
// devices, which the apps on them name by their advertising ids.
func TestAppsFlyerInstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	engage := func(kind, app, more string) {
		t.Helper()
		for range 2 { // servers repeat themselves
			s.p.key("authorization", "acme-admin-token").must(t, "GET", "/v1.0/s2s/"+kind+"/app/"+app+"?af_media_source=wide_int&af_campaign_id=c-4&af_campaign=S2S&"+more, "", nil)
		}
	}
	const gaid, idfa, seen, hasty = "38400000-8cf0-41bd-b23e-10b96e400005", "DFC5A647-9043-4699-B2A5-76F03A970641",
		"38400000-8cf0-41bd-b23e-10b96e400006", "38400000-8cf0-41bd-b23e-10b96e400007"
	engage("click", "android/com.acme.app", "af_request_id=r-1&af_click_id=theirs-4&af_device_id_type=advertising_id&af_device_id_value="+gaid)
	engage("click", "ios/id1234567890", "af_request_id=r-2&af_click_id=theirs-5&af_device_id_type=idfa&af_device_id_value="+idfa)
	engage("impression", "android/com.acme.app", "af_request_id=r-3&af_click_id=theirs-6&af_device_id_type=advertising_id&af_device_id_value="+seen)
	soon := time.Now().Add(5 * time.Second).UnixMilli()
	engage("click", "android/com.acme.app", "af_request_id=r-4&af_click_id=theirs-8&af_device_id_type=advertising_id&af_device_id_value="+hasty)
	s.settled()
	// Less than ten seconds from click to start would be nobody's.
	later := time.Now().Add(15 * time.Second).UnixMilli()
	told := s.open(first("byid", "203.0.113.41", fields{"ids": fields{"gaid": gaid}, "first_launch_at": later}))
	if a := told.Attribution; a.Status != "non_organic" || a.Method != "id_matching" || a.Touch != "click" || a.Source != "wide_int" || a.Partner != 1201 || a.Campaign != "S2S" {
		t.Errorf("told %+v", told)
	}
	if p := s.paid("/postback", "theirs-4"); p.query.Get("gaid") != gaid || p.query.Get("campaign") != "S2S" {
		t.Errorf("the partner hears %s", p.url)
	}
	viewed := s.open(first("viewed", "203.0.113.42", fields{"ids": fields{"gaid": seen}, "first_launch_at": later}))
	if a := viewed.Attribution; a.Status != "non_organic" || a.Touch != "view" || a.Method != "id_matching" {
		t.Errorf("who has seen an ad is told %+v", viewed)
	}
	hashed := s.open(fields{
		"app_key": "acme-sdk-key", "app": fields{"id": 24171}, "install_uuid": "apple", "is_first_launch": true, "first_launch_at": later, "ip": "203.0.113.43",
		"device": fields{"os": "ios", "os_version": "17.5"}, "att": fields{"status": "authorized"}, "ids": fields{"idfa": idfa},
	})
	if a := hashed.Attribution; a.Status != "non_organic" || a.Method != "id_matching" || a.Partner != 1201 {
		t.Errorf("an iPhone is told %+v", hashed)
	}
	if short := s.open(first("hasty", "203.0.113.44", fields{"ids": fields{"gaid": hasty}, "first_launch_at": soon})); short.Attribution.Status != "organic" {
		t.Errorf("a click that was sent at the moment of the start earns %+v", short)
	}
	event := func() string {
		t.Helper()
		status, body := s.p.key("authentication", "acme-admin-token").call(t, "POST", "/inappevent/com.acme.app", fmt.Sprintf(
			`{"appsflyer_id":"byid","advertising_id":%q,"eventName":"purchase","eventValue":"{\"af_revenue\":\"6\"}","eventCurrency":"USD","eventTime":%q,"ip":"203.0.113.41"}`,
			gaid, time.Now().Add(20*time.Second).UTC().Format("2006-01-02 15:04:05.000")))
		return fmt.Sprint(status, " ", body)
	}
	if got := event(); got != "200 OK" {
		t.Errorf("an event is answered %s", got)
	}
	if p := s.paid("/event", "theirs-4"); p.query.Get("amount") != "6" || p.query.Get("currency") != "USD" {
		t.Errorf("of the purchase the partner hears %s", p.url)
	}
	s.counted("group_by=metric", map[string]int{"clicks": 3, "impressions": 1, "installs": 3, "organic_installs": 1, "events": 1})
	if got := s.close().told("wide-install"); !maps.Equal(got, map[string]int{"install": 2}) { // of acme-android alone
		t.Errorf("of installs the partner is told %v", got)
	}
}

func appsFlyerSign(text string) string {
	mac := hmac.New(sha256.New, []byte("acme-sdk-secret"))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// conversionData asks for an installation's in AppsFlyer's words.
func (s *shop) conversionData(install string) (status, source, value string) {
	s.Helper()
	const epoch = "1795176000000"
	req, err := http.NewRequest("GET", "http://"+s.p.api+"/install_data/v5.0/com.acme.app?device_id="+install, nil)
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("af_sig", appsFlyerSign(epoch+"\u2063"+install+"\u2063com.acme.app"))
	req.Header.Set("af_request_epoch_ms", epoch)
	resp, err := s.client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Status string `json:"af_status"`
		Source string `json:"media_source"`
		Value  string `json:"deep_link_value"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		s.Fatal(err)
	}
	return answer.Status, answer.Source, answer.Value
}

// TestAppsFlyerDeepLink asks as apps do that speak AppsFlyer's deep-link API: a
// first start is told its deep link, and its conversion data ever after, also by
// the id that its library gives it in events.
func TestAppsFlyerDeepLink(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "fruit", `{"pid":"wide","c":"fruit","deep_link_value":"apples","deep_link_sub1":"26","af_sub1":"mine"}`)
	referrer := s.fromPlay("/A1b3/fruit?clickid=theirs-7", "203.0.113.51")
	at := time.Now().UTC().Format("2006-01-02T15:04:05.000")
	const gaid = "38400000-8cf0-41bd-b23e-10b96e400051"
	ask := func(install, ip string) (found bool, custom map[string]string, match string) {
		t.Helper()
		id := gaid
		if install != "af-1" {
			id = "38400000-8cf0-41bd-b23e-10b96e400052"
		}
		body, err := json.Marshal(fields{
			"is_first": true, "gaid": fields{"type": "unhashed", "value": id}, "lang": "en-US", "os": "14", "timestamp": at, "type": "Pixel 8", "ip": ip, "request_id": install,
			"referrers": []fields{{"source": "google", "value": referrer}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Found bool
			Click struct {
				Custom map[string]string `json:"custom_params"`
				Match  string            `json:"match_type"`
			} `json:"click_event"`
		}
		eventually(t, "a start to be decided", func() bool { // 504 is the vendor's word for "not yet"
			status, text := s.p.key("", "").call(t, "POST", "/v1.0/android/com.acme.app?af_sig="+appsFlyerSign(at+ip), string(body))
			if status != http.StatusOK && status != http.StatusGatewayTimeout && status != http.StatusServiceUnavailable || status == http.StatusOK && json.Unmarshal([]byte(text), &answer) != nil {
				t.Fatalf("a start is answered %d %s", status, text)
			}
			return status == http.StatusOK
		})
		return answer.Found, answer.Click.Custom, answer.Click.Match
	}
	if found, custom, match := ask("af-1", "203.0.113.52"); !found || match != "referrer" || !maps.Equal(custom, map[string]string{"deep_link_value": "apples", "deep_link_sub1": "26"}) {
		t.Errorf("the first start is told %v %v %v", found, custom, match)
	}
	if found, custom, _ := ask("af-1", "203.0.113.52"); !found || custom["deep_link_value"] != "apples" {
		t.Errorf("the first start, whose answer was lost, is told %v %v", found, custom)
	}
	if found, custom, _ := ask("af-2", "203.0.113.53"); found {
		t.Errorf("another device is told %v", custom)
	}
	s.paid("/postback", "theirs-7")
	if status, source, value := s.conversionData("af-1"); !slices.Equal([]string{status, source, value}, []string{"Non-organic", "wide", "apples"}) {
		t.Errorf("conversion data is %s %s %s", status, source, value)
	}
	const library = "1644179019889-6748051"
	if status, text := s.p.key("authentication", "acme-admin-token").call(t, "POST", "/inappevent/com.acme.app",
		fmt.Sprintf(`{"appsflyer_id":%q,"advertising_id":%q,"eventName":"level","eventValue":""}`, library, gaid)); status != 200 {
		t.Fatalf("an event is answered %d %s", status, text)
	}
	if h := s.hooked(library, "event", "level"); h.Verdict != "credited" || h.Partner != "wide" {
		t.Errorf("of the library's event the account hears %+v", h)
	}
	if status, source, value := s.conversionData(library); !slices.Equal([]string{status, source, value}, []string{"Non-organic", "wide", "apples"}) {
		t.Errorf("conversion data by the library's id is %s %s %s", status, source, value)
	}
	if status, source, value := s.conversionData("af-2"); !slices.Equal([]string{status, source, value}, []string{"Organic", "", ""}) {
		t.Errorf("conversion data of the other device is %s %s %s", status, source, value)
	}
}

package e2e_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// reported is one request to an endpoint that takes reports.
type reported struct {
	method, path, body string
	headers            []string // names and values
}

func (r *reported) String() string { return fmt.Sprintf("%s %.300s %.300s", r.method, r.path, r.body) }

// report sends one and returns what is answered.
func (p *process) report(client *http.Client, r *reported) (int, string, error) {
	req, err := http.NewRequest(r.method, "http://"+p.api, strings.NewReader(r.body))
	if err != nil {
		return 0, "", err
	}
	req.URL.Opaque = "//" + p.api + r.path
	for i := 0; i+1 < len(r.headers); i += 2 {
		req.Header.Set(r.headers[i], r.headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// Reports that are taken, in every dialect's words; NAME is another one for
// each request.
const (
	goodOpen = `{"app_key":"acme-sdk-key","app":{"bundle":"com.acme.app","platform":"android","version":"1"},"install_uuid":"NAME","session_id":"s","is_first_launch":true,
		"first_launch_at":1,"sent_at":0,"device":{"os":"android","os_version":"14","model":"Pixel 8","locale":"de-DE","timezone":"Europe/Berlin","screen":{"w":1,"h":2}},
		"ids":{"gaid":"x","oaid":{"type":"sha1","value":"y"}},"referrer":{"raw":"a=b","click_ts":1,"install_begin_server_ts":2},"open_url":"acme://x?y=z","clipboard_token":"t",
		"att":{"status":3},"consent":{"measurement":"yes","limit_ads":false,"gdpr_applies":true,"ad_user_data":true,"tcf":"x"},"ip":"203.0.113.1","user_agent":"x","sdk":"y","prev_times":{"install":1,"update":2}}`
	goodEvents = `{"app_key":"acme-sdk-key","app":{"id":26538},"install_uuid":"NAME","sent_at":1,"events":[{"event_id":"e","name":"n","at":1,"revenue":{"amount":"1","currency":"EUR"},"params":{"a":[1]}},{"name":"m"}]}`
	goodPerson = `{"app_key":"acme-sdk-key","app":{"id":26538},"install_uuid":"NAME","at":1,"user_id":"u","consent":{"coppa":true},"att":{"status":"denied"}}`
	goodTrack  = `{"action":"install","kochava_app_id":"koacme-android-tewdf","kochava_device_id":"NAME","sdk_version":"4","nt_id":"n","send_date":"x","app_version":"1","data":{"usertime":1,"device_ids":{"adid":"x","imei":"1"},
		"device_ver":"Pixel-Android-14","device_ua":"x%20y","origination_ip":"203.0.113.1","app_tracking_transparency":{"att":true},"device_limit_tracking":false,"install_referrer":{"referrer":"a=b","install_begin_time":1},
		"identity_link":{"user_id":"x"},"event_name":"x","event_data":{"sum":1,"currency":"EUR"},"state":"resume","attempt_count":1,"disp_w":1,"path":"acme://x?ko_click_id=1"}}`
	goodLaunch = `{"a":"acme-sdk-key","p":"Android","i":"com.acme.app","n":"NAME","aifa":"38400000-8cf0-41bd-b23e-10b96e40000d","ip":"203.0.113.1","ve":"14","utime":1,"umilisec":2,"install":"true","ddl_enabled":"true",
		"install_ref":"{\"installReferrer\":\"a=b\"}","openuri":"http://acme.localhost/A03q9/xxxxx","singular_link_resolve_required":"true","e":"{\"a\":1}","amt":1,"cur":"EUR","is_revenue_event":"true","att_authorization_status":3,
		"data_sharing_options":{"limit_data_sharing":false},"custom_user_id":"u","dnt":"0","ua":"x","lc":"de"}`
	goodInApp = `{"appsflyer_id":"NAME","advertising_id":"x","customer_user_id":"u","ip":"203.0.113.1","eventName":"n","eventValue":"{\"af_revenue\":1}","eventCurrency":"USD","eventTime":"2026-01-01 00:00:00.000","aie":true,"att":3,
		"sharing_filter":["x"],"custom_data":"{}","consent_data":{"manual":{"gdpr_applies":true,"ad_user_data_enabled":true},"tcf":{"cmp_sdk_id":1,"tcstring":"x"}}}`
	goodStart = `{"is_first":true,"lang":"en-US","os":"14","timestamp":"2015-01-22T08:45:33.412","type":"x","ip":"127.0.0.1","request_id":"NAME","referrers":[{"source":"google","value":"a=b"}],
		"gaid":{"type":"sha1","value":"x"},"idfv":{"type":"unhashed","value":"x"},"att_status":1,"open_referrer":"x","sharing_filter":["x"]}`
)

// nextReport makes a report of which something is wrong, mostly.
func (a *attacker) nextReport() reported {
	shape := pick(a, []struct{ method, path, body string }{
		{"POST", "/sdk/v1/open", goodOpen}, {"POST", "/sdk/v1/open", goodOpen}, {"POST", "/sdk/v1/events", goodEvents}, {"POST", "/sdk/v1/consent", goodPerson}, {"POST", "/sdk/v1/identify", goodPerson},
		{"POST", "/track/json", goodTrack}, {"POST", "/track/json/", "[" + goodTrack + "," + goodTrack + "]"}, {"POST", "/track/kvquery", goodTrack}, {"POST", "/track/kvinit", goodTrack}, {"POST", "/token/add", goodTrack},
		{"POST", "/api/v1/launch", goodLaunch}, {"GET", "/api/v1/launch?", goodLaunch}, {"POST", "/api/v1/evt", goodLaunch}, {"GET", "/api/v2/evt?", goodLaunch}, {"POST", "/api/v2/evt", goodLaunch},
		{"POST", "/inappevent/com.acme.app", goodInApp}, {"POST", "/inappevent/" + pick(a, segments), goodInApp},
		{"POST", "/v1.0/android/com.acme.app?af_sig=" + appsFlyerSign("2015-01-22T08:45:33.412127.0.0.1"), goodStart}, {"POST", "/v1.0/ios/id1234567890?af_sig=" + appsFlyerSign("2015-01-22T08:45:33.412127.0.0.1"), goodStart},
		{"POST", "/v1.0/s2s/click/app/android/com.acme.app", `{"af_media_source":"NAME","af_campaign_id":"c","af_request_id":"r","af_lookback_window":"1d","af_device_id_type":"idfa","af_device_id_value":"x","af_ip":"203.0.113.1","af_os_version":"1"}`},
		{"GET", "/v1.0/s2s/" + pick(a, segments) + "/app/" + pick(a, segments) + "/com.acme.app" + pick(a, queries), ""}, {"GET", "/install_data/v5.0/com.acme.app?device_id=" + pick(a, segments), ""},
		{"PUT", "/track/json", goodTrack}, {"DELETE", "/sdk/v1/open", ""}, {"POST", "/sdk/v1/" + pick(a, segments), goodOpen}, {"HEAD", "/api/v1/launch?a=acme-sdk-key", ""},
	})
	r := reported{method: shape.method, path: shape.path, headers: []string{"Authorization", "acme-admin-token", "authentication", "acme-admin-token", "af_sig", "00", "af_request_epoch_ms", pick(a, segments[:5])}}
	if shape.body != "" {
		r.body = a.body(shape.body)
	}
	if head, query := strings.CutSuffix(shape.path, "?"); query { // a form's
		var all map[string]json.RawMessage
		form := url.Values{}
		if json.Unmarshal([]byte(r.body), &all) == nil {
			for name, value := range all {
				form.Set(name, strings.Trim(string(value), `"`))
			}
		}
		r.path, r.body = head+"?"+form.Encode(), ""
	}
	r.path = strings.NewReplacer(" ", "%20", "é", "%C3%A9").Replace(r.path)
	return r
}

// rubbishReports is how many are sent.
const rubbishReports = 4000

// TestRubbishReports sends what no client should to everything that takes
// reports. Nothing is answered as a fault of ours, and what comes afterwards is
// decided.
func TestRubbishReports(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	a := &attacker{Rand: rand.New(rand.NewPCG(5, 6))}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: patience}
	defer client.CloseIdleConnections()
	next := make(chan reported)
	var all sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 8 {
		all.Go(func() {
			for r := range next {
				status, body, err := s.p.report(client, &r)
				slow := status == http.StatusGatewayTimeout && strings.HasPrefix(r.path, "/v1.0/") // AppsFlyer's word for "not decided yet"
				if err != nil || status >= 500 && !slow && status != http.StatusNotImplemented {
					t.Errorf("%s: %d %.300s %v", &r, status, body, err)
				}
				mu.Lock()
				statuses[status]++
				mu.Unlock()
			}
		})
	}
	for range rubbishReports {
		next <- a.nextReport()
	}
	close(next)
	all.Wait()
	if statuses[200] < rubbishReports/20 || statuses[400] < rubbishReports/20 {
		t.Errorf("the answers are %v: the test tests too little", statuses)
	}
	if told := s.open(first("after", "203.0.113.101", nil)); told.Attribution.Status != "organic" {
		t.Errorf("an install after it all is told %+v", told)
	}
	s.settled()
	_, metrics := s.p.call(t, http.MethodGet, "/metrics", "", "")
	for _, zero := range []string{"waypost_attributed_skipped_total 0\n", "waypost_attribution_failures_total 0\n", "waypost_counted_skipped_total 0\n", "waypost_counting_failures_total 0\n"} {
		if !strings.Contains(metrics, zero) {
			t.Errorf("the metrics lack %q", zero)
		}
	}
	if log := s.p.log.String(); strings.Contains(log, "panic") {
		t.Errorf("something panicked:\n%s", log)
	}
	t.Logf("answers by status: %v", statuses)
}

// packed compresses a text.
func packed(t *testing.T, text io.Reader) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.Copy(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// spaces is a text of so many blanks.
func spaces(n int64) io.Reader { return io.LimitReader(blanks{}, n) }

type blanks struct{}

// Read fills p with blanks.
func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestUnknownAndMissing is answered as each vendor does.
func TestUnknownAndMissing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const bomb = 256 << 20
	bombed := packed(t, io.MultiReader(strings.NewReader(`{"a":"`), spaces(bomb), strings.NewReader(`"}`)))
	gzipped := []string{"Content-Encoding", "gzip"}
	f := func(r reported, status int, contains string) {
		t.Helper()
		got, body, err := s.p.report(s.client, &r)
		if err != nil || got != status || !strings.Contains(body, contains) {
			t.Errorf("%.100s: %d %.300s %v; want %d and %s", r.String(), got, body, err, status, contains)
		}
	}
	post := func(path, body string, headers ...string) reported { return reported{"POST", path, body, headers} }
	get := func(path string, headers ...string) reported { return reported{"GET", path, "", headers} }
	named := func(text, from, to string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, from, to), "NAME", "unknown")
	}
	// Our own.
	f(post("/sdk/v1/open", named(goodOpen, "acme-sdk-key", "nobodys-key")), 404, `"location":"app_key"`)
	f(post("/sdk/v1/open", named(goodOpen, "com.acme.app", "com.nobody.app")), 404, `"location":"app`)
	f(post("/sdk/v1/open", `{"app":{"id":26538},"install_uuid":"x"}`), 422, `"location":"app_key"`)
	f(post("/sdk/v1/open", `{"app_key":"acme-sdk-key","app":{"id":26538}}`), 422, `"location":"install_uuid"`)
	f(post("/sdk/v1/open", named(goodOpen, `"app":{"bundle":"com.acme.app","platform":"android"`, `"app":{"id":40002`)), 404, `"location":"app`)
	f(post("/sdk/v1/open", `{"app_key":"acme-sdk-key"`), 400, `"location":"body"`)
	f(post("/sdk/v1/open", "x", gzipped...), 400, `"location":"body"`)
	f(post("/sdk/v1/open", "{}", "Content-Encoding", "br"), 415, `"location":"Content-Encoding"`)
	f(post("/sdk/v1/events", bombed, gzipped...), 413, `"location":"body"`)
	// Kochava's: a string "0" with 400.
	f(post("/track/json", named(goodTrack, kochavaApp, "konobody")), 400, `"success":"0"`)
	f(post("/track/json", bombed, gzipped...), 413, `"success":"0"`)
	f(post("/track/json", bombed), 413, `"success":"0"`)
	f(post("/track/json", "["+strings.Repeat("{},", 1000)+"{}]"), 413, `"success":"0"`)
	f(post("/track/kvquery", named(goodTrack, kochavaApp, "konobody")), 400, `"success":"0"`)
	// Singular's: 200 with a reason.
	const device = "&aifa=38400000-8cf0-41bd-b23e-10b96e40000d&asid=38400000-8cf0-41bd-b23e-10b96e40000d"
	f(get("/api/v1/launch?a=nobodys-key&p=Android&i=com.acme.app"+device), 200, `{"status":"error","reason":"invalid SDK key`)
	f(get("/api/v1/evt?a=acme-sdk-key&p=Android&i=com.nobody.app&n=x"+device), 200, `{"status":"error","reason":"invalid app`)
	f(get("/api/v1/evt?a=acme-sdk-key&p=Android&i=com.rival.app&n=x"+device), 200, `{"status":"error","reason":"invalid app`)
	f(get("/api/v1/launch?a=acme-sdk-key&p=Android&i=com.acme.app"), 200, `{"status":"error","reason":"no device ID supplied"}`)
	f(post("/api/v1/launch", bombed, gzipped...), 200, `{"status":"error","reason":"`)
	// AppsFlyer's.
	key := []string{"authentication", "acme-admin-token"}
	f(post("/inappevent/com.nobody.app", named(goodInApp, "x", "x"), key...), 400, "app_id does not match")
	f(post("/inappevent/com.rival.app", named(goodInApp, "x", "x"), key...), 400, "app_id does not match")
	f(post("/inappevent/com.acme.app", "{}", "authentication", "nobodys-token"), 401, "Unauthorized")
	f(post("/inappevent/com.acme.app", bombed, append(gzipped, key...)...), 400, "")
	f(get("/v1.0/s2s/click/app/android/com.nobody.app?af_media_source=x&af_campaign_id=y", "authorization", "acme-admin-token"), 404, "Application ID not found")
	f(get("/v1.0/s2s/click/app/android/com.acme.app?af_media_source=x&af_campaign_id=y", "authorization", "nobodys-token"), 401, "Authentication failed")
	f(post("/v1.0/android/com.acme.app?af_sig=00", strings.Replace(goodStart, "NAME", "x", 1)), 400, `"code":"invalid_signature"`)
	// The account is shown what it does not have.
	for _, want := range []string{`"name":"com.nobody.app"`, `"name":"com.rival.app"`} {
		if status, body := s.p.call(t, "GET", "/waypost/v1/unknown-apps", "acme-read-token", ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("unknown apps are %d %s; want %s", status, body, want)
		}
	}
	if _, metrics := s.p.call(t, "GET", "/metrics", "", ""); !strings.Contains(metrics, "waypost_reports_unknown_keys_total 4\n") {
		t.Errorf("the metrics do not count two unknown keys and two tokens")
	}
	k := s.close()
	if len(k.decided) != 0 || len(k.deliveries) != 0 {
		t.Errorf("decided are %+v, told are %+v", k.decided, k.deliveries)
	}
}

// TestOddIsKeptAndFlagged tells impossible times, ids, amounts and currencies in
// every dialect: all are kept, flagged, and earn nothing.
func TestOddIsKeptAndFlagged(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "odd", `{"pid":"wide","c":"odd"}`)
	for _, install := range []string{"sound", "KD-odd"} {
		s.open(first(install, "203.0.113.111", fields{"referrer": fields{"raw": s.fromPlay("/A1b3/odd?clickid="+install, "203.0.113.111")}}))
		s.paid("/postback", install)
	}
	// Times and ids of an install.
	for name, f := range map[string]struct {
		more fields
		flag string
	}{
		"tomorrow":  {fields{"first_launch_at": time.Now().Add(24 * time.Hour).UnixMilli()}, "clock"},
		"long ago":  {fields{"first_launch_at": 915148800}, "clock"},
		"year 9999": {fields{"first_launch_at": "9999-12-31T23:59:59Z"}, "clock"},
		"bad id":    {fields{"ids": fields{"gaid": "not-an-id"}}, "device_id"},
	} {
		f.more["referrer"] = fields{"raw": s.fromPlay("/A1b3/odd?clickid="+url.QueryEscape(name), "203.0.113.112")}
		told := s.open(first(name, "203.0.113.112", f.more))
		if !slices.Equal(told.Flags, []string{f.flag}) || told.Attribution.Status != "organic" {
			t.Errorf("%s is told %+v", name, told)
		}
		if h := s.hooked(name, "install", ""); h.Verdict != "organic" || !slices.Equal(h.Flags, []string{f.flag}) {
			t.Errorf("of %s the account hears %+v", name, h)
		}
	}
	// Amounts and currencies of events, in each dialect.
	f := func(install, event string, flags ...string) {
		t.Helper()
		if h := s.hooked(install, "event", event); !slices.Equal(h.Flags, flags) || h.Install != install {
			t.Errorf("of %s %s the account hears %+v, want the flags %q", install, event, h, flags)
		}
	}
	for amount, flags := range map[string][]string{"1e30": {"amount"}, "NaN": {"amount"}, "12,50": {"amount"}, "-3": nil} {
		s.event("sound", amount, "of "+amount, fields{"revenue": fields{"amount": amount, "currency": "EUR"}})
		f("sound", "of "+amount, flags...)
	}
	s.event("sound", "c-1", "of euros", fields{"revenue": fields{"amount": "1", "currency": "Euro"}})
	f("sound", "of euros", "currency")
	s.event("sound", "p-1", "purchase", fields{"revenue": fields{"amount": "9999999999999", "currency": "ZZZ"}})
	f("sound", "purchase", "amount", "currency")
	if p := s.paid("/event", "sound"); p.query.Get("amount") != "" || p.query.Get("currency") != "" {
		t.Errorf("the partner is told of money that cannot be: %s", p.url)
	}
	s.event("sound", "t-1", "of tomorrow", fields{"at": time.Now().Add(24 * time.Hour).UnixMilli()})
	f("sound", "of tomorrow", "clock")
	if h := s.hooked("sound", "event", "of tomorrow"); h.Verdict != "organic" {
		t.Errorf("an event of tomorrow is %+v", h)
	}
	s.track("/track/json", "event", "KD-odd", `{"usertime":99999999999,"event_name":"k","event_data":{"sum":"1e40","currency":"XXX"}}`)
	f("KD-odd", "k", "amount", "currency", "clock")
	for _, path := range []string{"/api/v1/evt?a=acme-sdk-key&p=Android&i=com.acme.app&n=s&asid=KD-odd&aifa=38400000-8cf0-41bd-b23e-10b96e400021&is_revenue_event=true&amt=lots&cur=beads&utime=4000000000"} {
		status, body := s.p.call(t, "GET", path, "", "")
		if status != 200 || body != `{"status":"ok"}` {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	status, body := s.p.key("authentication", "acme-admin-token").call(t, "POST", "/inappevent/com.acme.app",
		`{"appsflyer_id":"KD-odd","advertising_id":"x","eventName":"a","eventValue":"{\"af_revenue\":\"many\"}","eventCurrency":"??","eventTime":"yesterday","ip":"999.1.1.1"}`)
	if status != 200 || body != "OK" {
		t.Errorf("an odd event in AppsFlyer's words: %d %s", status, body)
	}
	if h := s.hooked("KD-odd", "event", "a"); len(h.Flags) < 4 || h.Verdict != "organic" {
		t.Errorf("of an odd event in AppsFlyer's words the account hears %+v", h)
	}
	var singular []heard
	eventually(t, "the webhook about an odd event in Singular's words", func() bool {
		singular = s.hook.heard(func(h *heard) bool { return h.message.Event == "s" })
		return len(singular) == 1
	})
	if h := singular[0].message; !slices.Equal(h.Flags, []string{"amount", "currency", "clock", "device_id"}) {
		t.Errorf("of an odd event in Singular's words the account hears %+v", h)
	}
}

// TestBatches packs what is told together, and sends a part of it again.
func TestBatches(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(first("batch", "203.0.113.121", nil))
	batch := func(from, to int) string {
		var events []fields
		for i := from; i < to; i++ {
			events = append(events, fields{"event_id": fmt.Sprint("e-", i), "name": fmt.Sprint("n-", i)})
		}
		events = append(events, fields{"event_id": "nameless"})
		body, err := json.Marshal(said("batch", "", fields{"events": events}))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	var answer struct {
		Accepted, Refused int
		Results           []struct {
			ID, Status string
			Error      *struct{ Location string }
		}
	}
	for _, body := range []string{batch(0, 60), batch(30, 90), batch(0, 60)} {
		status, text, err := s.p.report(s.client, &reported{"POST", "/sdk/v1/events", packed(t, strings.NewReader(body)), []string{"Content-Encoding", "gzip"}})
		if err != nil || status != 200 {
			t.Fatalf("%d %s %v", status, text, err)
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Accepted != 60 || answer.Refused != 1 || answer.Results[60].Error.Location != "name" {
			t.Errorf("a batch is answered %s, %v", text, err)
		}
	}
	if status, text, _ := s.p.report(s.client, &reported{"POST", "/sdk/v1/events", batch(0, 100), nil}); status != 422 || !strings.Contains(text, `"location":"events"`) {
		t.Errorf("a batch of 101 is answered %d %s", status, text)
	}
	var list []string
	for i := range 40 {
		list = append(list, fmt.Sprintf(`{"action":"event","kochava_app_id":%q,"kochava_device_id":"batch","nt_id":"%d","data":{"event_name":"k-%d"}}`, kochavaApp, i, i))
	}
	list = append(list, `{"action":"event"}`)
	for range 2 {
		status, text, err := s.p.report(s.client, &reported{"POST", "/track/json", packed(t, strings.NewReader("["+strings.Join(list, ",")+"]")), nil})
		if err != nil || status != 200 || !strings.HasPrefix(text, `{"success":"1","errors":["[40].kochava_app_id`) {
			t.Errorf("a list is answered %d %s %v", status, text, err)
		}
	}
	s.counted("group_by=metric", map[string]int{"organic_installs": 1, "organic_events": 130})
	if got := s.close().told("hook"); got["event"] != 130 || got["install"] != 1 {
		t.Errorf("the account is told %v", got)
	}
}

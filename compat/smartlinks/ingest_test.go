package smartlinks_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/compat/smartlinks"
	"waypost/event"
	"waypost/internal/device"
	"waypost/link"
)

func TestInstallIsKeptWhole(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	got := s.keep(message("install", iosApp, `"kochava_device_id":"KD1","app_version":"4.2.0"`, `
		"device_ids":{"IDFA":"`+someIDFA+`","idfv":"`+someIDFV+`","adid":"","android_id":""},
		"device_ua":"Mozilla%2F5.0%20(iPhone%3B%20CPU%20iPhone%20OS%2018_1%20like%20Mac%20OS%20X)","device_ver":"iPhone15,3-iOS-18.1.1",
		"origination_ip":"203.0.113.77","usertime":1795175940,"locale":"de_AT","timezone":"Europe/Vienna","disp_w":1290,"disp_h":2796.0,
		"app_tracking_transparency":{"att":true,"att_time":1},"ad_services_token":"tok","mac":"aa:bb","idfa":"`+someIDFA+`",
		"install_referrer":"ko_click_id%3D9023861282613779883","identity_link":{"email":"a@b.test","User ID":"u7"}`))
	want := event.Told{
		Version: 1, Kind: event.OpenKind, ID: got.ID, At: noon.Add(-time.Minute).UnixMilli(), ReceivedAt: noon.UnixMilli(), Account: 5899, App: 24171,
		Dialect: link.SmartLinks, Install: "KD1", Key: got.Key, Platform: device.IOS, OS: "18.1.1", Model: "iPhone15,3", Locale: "de-AT", Timezone: "Europe/Vienna",
		Width: 1290, Height: 2796, IPs: []string{"203.0.113.77"}, Agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)",
		IDs:  []event.DeviceID{{Kind: "idfa", Value: strings.ToLower(someIDFA)}, {Kind: "idfv", Value: someIDFV}},
		User: "u7", Consent: &event.Consent{Tracking: "yes"}, AppVersion: "4.2.0", First: true,
		Referrer: &event.Referrer{Raw: "ko_click_id%3D9023861282613779883", Click: "9023861282613779883"},
		Params:   json.RawMessage(`{"ad_services_token":"tok","identity_link":{"email":"a@b.test","User ID":"u7"}}`),
	}
	if one, other := asJSON(t, got), asJSON(t, want); one != other {
		t.Errorf("got  %s\nwant %s", one, other)
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What the vendor's own library sends comes from the device itself.
func TestSDKSpeaksFromTheDevice(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	sdk := `"kochava_device_id":"KD1","sdk_version":"AndroidTracker 4.3.0","sdk_protocol":"20","nt_id":"n-1","send_date":"2026-11-20T13:00:00.000Z"`
	got := s.keep(message("install", androidApp, sdk, `"usertime":1795179480,"os_version":"Android 16","install_referrer":{"attempt_count":1,"referrer":"utm_source=x&ko_click_id=9023861282613779883",
		"referrer_click_time":1795175000,"install_begin_time":1795175500}`))
	if len(got.IPs) != 1 || got.IPs[0] != callerIP || got.Model != "Pixel 10 Pro" || got.OS != "16" || got.SDK != "AndroidTracker 4.3.0" || got.Key != "nt:n-1" {
		t.Errorf("got %+v", got)
	}
	if got.At != noon.Add(-2*time.Minute).UnixMilli() { // its clock is an hour fast
		t.Errorf("happened at %s", time.UnixMilli(got.At))
	}
	if r := got.Referrer; r == nil || r.Click != "9023861282613779883" || r.ClickAt != (1795175000-3600)*1000 || r.InstallBeginAt != (1795175500-3600)*1000 {
		t.Errorf("the referrer is %+v", got.Referrer)
	}
	if got := s.keep(message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"Purchase"`)); len(got.IPs) != 0 || got.Agent != "" {
		t.Errorf("a server's address or agent is taken for the device's: %+v", got)
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	f := func(action, envelope, data string, want event.Kind, holds func(e event.Told) bool) {
		t.Helper()
		s := serveIngest(t)
		if envelope == "" {
			envelope = `"kochava_device_id":"KD1"`
		}
		if want == "" {
			status, _, text := s.post("/track/json", message(action, androidApp, envelope, data))
			if status != http.StatusOK || text != `{"success":"1"}` || len(s.all()) != 0 {
				t.Errorf("%s: %d %s, left %+v", action, status, text, s.all())
			}
			return
		}
		if got := s.keep(message(action, androidApp, envelope, data)); got.Kind != want || got.Dialect != link.SmartLinks || !holds(got) {
			t.Errorf("%s: got %+v", action, got)
		}
	}
	first := func(e event.Told) bool { return e.First }
	later := func(e event.Told) bool { return !e.First }
	f("install", "", "", event.OpenKind, first)
	f("Install", "", "", event.OpenKind, first)
	f("session", "", `"state":"resume"`, event.OpenKind, later)
	f("session", "", "", event.OpenKind, later)
	f("session", "", `"state":"pause"`, "", nil)
	f("update", "", `"adid":"`+someADID+`","device_limit_tracking":"1"`, event.OpenKind, func(e event.Told) bool {
		return !e.First && len(e.IDs) == 0 && e.Consent.LimitAds == event.Yes && e.Params == nil
	})
	f("update", "", `"device_limit_tracking":false`, event.OpenKind, func(e event.Told) bool { return *e.Consent == event.Consent{LimitAds: event.No} })
	f("update", "", "", event.OpenKind, func(e event.Told) bool { return e.Consent == nil })
	f("click", "", `"url":"https://go.test/abcdefghij?ko_click_id=9023861282613779883"`, event.OpenKind, func(e event.Told) bool {
		return e.OpenedClick == "9023861282613779883" && !e.First
	})
	f("event", "", `"event_name":"Purchase","event_data":{"price":"9.90"},"currency":"eur"`, event.InAppKind, func(e event.Told) bool {
		return e.Name == "Purchase" && e.Amount == "9.9" && e.Currency == "EUR" && string(e.Params) == `{"price":"9.90"}`
	})
	f("identityLink", "", `"identity_link":{"b":"2","a":"1"}`, event.IdentifyKind, func(e event.Told) bool {
		return e.User == "1" && string(e.Params) == `{"identity_link":{"a":"1","b":"2"}}`
	})
	f("identityLink", "", `"user_id":42,"email":"a@b.test","adid":"`+someADID+`"`, event.IdentifyKind, func(e event.Told) bool {
		return e.User == "42" && string(e.Params) == `{"identity_link":{"email":"a@b.test","user_id":42}}`
	})
	f("init", "", "", "", nil)
	f("push_token_add", "", `"token":"t"`, "", nil)
	f("push_token_remove", "", `"token":"t"`, "", nil)
}

func TestInstallationIsNamed(t *testing.T) {
	t.Parallel()
	f := func(app, envelope, data, want string) {
		t.Helper()
		if got := serveIngest(t).keep(message("event", app, envelope, data+`,"event_name":"E"`)); got.Install != want {
			t.Errorf("%s %s: got %q, want %q", envelope, data, got.Install, want)
		}
	}
	f(androidApp, `"kochava_device_id":" KD1 "`, `"device_ids":{"adid":"`+someADID+`"}`, "KD1")
	f(androidApp, `"kochava_device_id":null`, `"device_ids":{"ADID":"`+strings.ToUpper(someADID)+`"}`, "gaid:"+someADID)
	f(androidApp, `"kochava_device_id":""`, `"device_ids":[{"adid":""},{"android_id":"f2cc57380588d73"}]`, "android_id:f2cc57380588d73")
	f(androidApp, "", `"adid":"`+someADID+`"`, "gaid:"+someADID)
	f(androidApp, `"device_ids":{"imei":12345678901234}`, `"x":1`, "imei:12345678901234")
	// An id that may not be looked at must not live on as a name.
	f(iosApp, "", `"device_ids":{"idfa":"`+someIDFA+`","idfv":"`+someIDFV+`"}`, "idfv:"+someIDFV)
	f(androidApp, "", `"device_limit_tracking":true,"device_ids":{"adid":"`+someADID+`","android_id":"f2cc57380588d73"}`, "android_id:f2cc57380588d73")
}

// An IDFA needs a yes wherever an app has to ask.
func TestIDFANeedsAnAnswer(t *testing.T) {
	t.Parallel()
	f := func(action, data string, kept bool, tracking string) {
		t.Helper()
		data += `,"event_name":"E","device_ids":{"idfa":"` + someIDFA + `","idfv":"` + someIDFV + `"}`
		got := serveIngest(t).keep(message(action, iosApp, "", data))
		has := slices.ContainsFunc(got.IDs, func(id event.DeviceID) bool { return id.Kind == "idfa" })
		said := ""
		if got.Consent != nil {
			said = got.Consent.Tracking
		}
		if has != kept || said != tracking || strings.Contains(strings.ToLower(asJSON(t, got)), strings.ToLower(someIDFA)) != kept {
			t.Errorf("%s %s: got %s", action, data, asJSON(t, got))
		}
	}
	yes, no := `"app_tracking_transparency":{"att":true}`, `"app_tracking_transparency":{"att":false,"att_detail":"denied"}`
	f("install", yes, true, "yes")
	f("install", `"app_tracking_transparency":{"att":"1"}`, true, "yes")
	f("install", no, false, "no")
	f("install", `"app_tracking_transparency":{}`, false, "no")
	f("install", `"device_ver":"iPhone-iOS-18.1"`, false, "no")
	f("install", `"device_ver":""`, false, "no")
	f("install", `"device_ver":"13.7"`, true, "")
	f("install", `"os_version":"iOS 12.1"`, true, "")
	f("event", yes, true, "yes")
	f("event", no, false, "no")
	f("event", `"device_ver":"iPhone-iOS-18.1"`, false, "") // nobody was asked: what was answered before holds
	f("event", `"device_limit_tracking":false`, false, "")
	f("event", `"device_ver":"iPhone-iOS-5.0"`, true, "")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := func(body string, status int, want string) {
		t.Helper()
		s := serveIngest(t)
		got, header, text := s.post("/track/json", body)
		var answer struct{ Success, Error string }
		if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Success != "0" || got != status || !strings.HasPrefix(answer.Error, want) {
			t.Errorf("%.300s\ngot  %d %s\nwant %d %s", body, got, text, status, want)
		}
		if len(s.all()) != 0 || s.refusals() != 1 || header.Get("Content-Type") != "application/json" {
			t.Errorf("%.300s: left %+v, counted %d, is %s", body, s.all(), s.refusals(), header.Get("Content-Type"))
		}
	}
	ok := `"event_name":"E","device_ids":{"adid":"` + someADID + `"}`
	f("", 400, "request body must be a JSON object")
	f("{", 400, "request body must be a JSON object")
	f(`"x"`, 400, "request body must be a JSON object")
	f("[", 400, "request body must be a JSON object, or a list of them")
	f("[]", 400, "request body must not be an empty list")
	f("["+strings.Repeat("{},", 1000)+"{}]", 413, "request body must not be a list of more than 1000")
	f("{\"action\":\"\xff\"}", 400, "request body is not UTF-8")
	f("\x1f\x8bnonsense", 400, "request body is no readable gzip")
	f(`{"x":"`+strings.Repeat("x", 1<<20)+`"}`, 413, "request body is larger than 1 MiB")
	f(`{"kochava_app_id":"`+androidApp+`","data":{}}`, 400, "action is required: install, event")
	f(message("uninstall", androidApp, "", ok), 400, "action must be install, event")
	f(`{"action":"event","data":{}}`, 400, "kochava_app_id is required")
	f(message("event", "", "", ok), 400, "kochava_app_id is required")
	f(message("event", "konobody", "", ok), 400, "kochava_app_id is not the GUID of an app")
	f(message("init", "konobody", "", ok), 400, "kochava_app_id is not the GUID of an app")
	f(`{"action":"event","kochava_app_id":"`+androidApp+`"}`, 400, "data is required: an object")
	f(`{"action":"event","kochava_app_id":"`+androidApp+`","data":[]}`, 400, "data must be an object")
	f(message("event", androidApp, "", `"device_ids":{"adid":"`+someADID+`"}`), 400, "data.event_name")
	f(message("event", androidApp, "", `"event_name":"`+strings.Repeat("x", 300)+`","adid":"`+someADID+`"`), 400, "data.event_name: at most")
	f(message("event", androidApp, "", `"event_name":"E"`), 400, "data.device_ids is required")
	f(message("event", androidApp, "", `"event_name":"E","device_ids":{"adid":"","idfa":"00000000-0000-0000-0000-000000000000"}`), 400, "data.device_ids is required")
	f(message("event", androidApp, "", `"event_name":"E","device_ids":"x"`), 400, "data.device_ids must be an object")
	f(message("event", androidApp, "", `"event_name":"E","device_ids":["x"]`), 400, "data.device_ids must be an object")
	f(message("event", iosApp, "", `"event_name":"E","device_ids":{"idfa":"`+someIDFA+`"}`), 400, "data.device_ids holds no id that may be used")
	f(message("event", androidApp, `"kochava_device_id":"`+strings.Repeat("x", 200)+`"`, ok), 400, "kochava_device_id: at most")
	f(message("event", androidApp, `"nt_id":"a\nb"`, ok), 400, "nt_id: ")
	f(message("identityLink", androidApp, "", ok[17:]), 400, "data.identity_link")
	f(message("install", androidApp, "", ok+`,"install_referrer":"`+strings.Repeat("x", 9000)+`"`), 400, "data.install_referrer: at most")
	f(message("click", androidApp, "", ok+`,"url":"a://`+strings.Repeat("x", 9000)+`"`), 400, "data.url: at most")
	f(message("install", androidApp, "", ok+`,"extra":"`+strings.Repeat("x", 17000)+`"`), 400, "data: at most")
	f(message("event", androidApp, "", ok+`,"event_data":{"x":"`+strings.Repeat("x", 17000)+`"}`), 400, "data.event_data: at most")
}

func TestUnknownAppsAreCounted(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	s.post("/track/json", message("event", "konobody", "", ""))
	s.post("/track/kvquery", message("get_attribution", "konobody", "", ""))
	if got := s.service.Stats().UnknownApps; got != 2 {
		t.Errorf("counted %d", got)
	}
}

// Apps that were set up without a GUID have the one that the Links API shows.
func TestGUIDsOfAllApps(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	for guid, app := range map[string]link.AppID{"KOACME-IOS-4FKZ131I": 24171, smartlinks.GUID(&link.App{ID: 30002, Key: "Solo Android"}): 30002} {
		if got := s.keep(message("event", guid, `"kochava_device_id":"KD1"`, `"event_name":"E"`)); got.App != app {
			t.Errorf("%s is app %d, want %d", guid, got.App, app)
		}
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	one := message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"E"`)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, one)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f := func(path, body string, headers ...string) {
		t.Helper()
		if status, header, text := s.post(path, body, headers...); status != http.StatusOK || text != `{"success":"1"}` || header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %v: %d %s", path, headers, status, text)
		}
	}
	f("/track/json", one)
	f("/track/json/", one, "Content-Type", "text/plain;charset=UTF-8", "Origin", "https://www.acme.test")
	f("//track/json", "\xef\xbb\xbf\n"+one, "Content-Type", "application/x-www-form-urlencoded")
	f("/track/json", packed.String(), "Content-Encoding", "gzip")
	f("/track/json", packed.String())
	f("/track/json", one, "Content-Encoding", "gzip")
	f("/track/kvinit", `{"kochava_app_id":"`+androidApp+`"}`)
	f("/token/add", `{"kochava_app_id":"`+androidApp+`","data":{"token":"t"}}`)
	f("/token/remove", `{"kochava_app_id":"`+androidApp+`","data":{"token":"t"}}`)
	if n := len(s.all()); n != 6 {
		t.Errorf("the ledger has %d events", n)
	}
	if status, header, text := s.send(http.MethodGet, "/track/json", ""); status != http.StatusMethodNotAllowed || header.Get("Allow") != "OPTIONS, POST" || !strings.Contains(text, `"success":"0"`) {
		t.Errorf("GET: %d %v %s", status, header, text)
	}
	if status, header, _ := s.send(http.MethodOptions, "/track/json", "", "Origin", "https://www.acme.test"); status != http.StatusNoContent ||
		header.Get("Access-Control-Allow-Methods") != "POST" || header.Get("Access-Control-Allow-Headers") == "" {
		t.Errorf("OPTIONS: %d %v", status, header)
	}
	if status, _, _ := s.post("/track", one); status != http.StatusNotFound {
		t.Errorf("another path: %d", status)
	}
	for path, owned := range map[string]bool{"/track/json": true, "/track/json/": true, "//track//kvquery": true, "/track": false, "/track/json/x": false, "/v1/links": false} {
		if smartlinks.OwnsIngest(path) != owned {
			t.Errorf("OwnsIngest(%q) is %v", path, !owned)
		}
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	one := func(name string) string {
		return message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"`+name+`"`)
	}
	f := func(body string, status int, want string, kept ...string) *ingestServer {
		t.Helper()
		s := serveIngest(t)
		if got, _, text := s.post("/track/json", body); got != status || text != want {
			t.Errorf("%s\ngot  %d %s\nwant %d %s", body, got, text, status, want)
		}
		var names []string
		for _, e := range s.all() {
			names = append(names, e.Name)
		}
		if !slices.Equal(names, kept) {
			t.Errorf("%s: kept %q, want %q", body, names, kept)
		}
		return s
	}
	f("["+one("A")+"]", 200, `{"success":"1"}`, "A")
	f("["+one("A")+","+one("B")+"]", 200, `{"success":"1"}`, "A", "B")
	mixed := f("["+one("A")+",7,"+one("")+","+one("B")+"]", 200,
		`{"success":"1","errors":["[1] must be a JSON object","[2].data.event_name: this must be there"]}`, "A", "B")
	if n := mixed.refusals(); n != 2 {
		t.Errorf("of four messages %d refusals are counted", n)
	}
	f("[7,"+one("")+"]", 400, `{"success":"0","error":"[0] must be a JSON object","errors":["[0] must be a JSON object","[1].data.event_name: this must be there"]}`)
	pull := message("get_attribution", androidApp, `"kochava_device_id":"KD1"`, "")
	f("["+one("A")+","+pull+"]", 200, `{"success":"1","errors":["[1].action must be sent by itself: its answer is about one device"]}`, "A")
}

// A ledger that fails in the middle of a list: the sender repeats all of it,
// and nothing counts twice.
func TestNothingIsLostOrCountedTwice(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	body := "[" + message("install", androidApp, `"kochava_device_id":"KD1"`, "") + "," +
		message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"A","usertime":1795175940`) + "," +
		message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"B"`) + "]"
	s.ledger.FailAfter(2, errors.New("the disk is gone"))
	if status, header, text := s.post("/track/json", body); status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.HasPrefix(text, `{"success":"0"`) {
		t.Errorf("%d %v %s", status, header, text)
	}
	if n := s.refusals(); n != 1 {
		t.Errorf("%d refusals are counted", n)
	}
	s.ledger.Fail(nil)
	for range 2 {
		if status, _, text := s.post("/track/json", body); status != http.StatusOK || text != `{"success":"1"}` {
			t.Errorf("%d %s", status, text)
		}
	}
	if all, distinct := len(s.all()), s.distinct(); all != 8 || distinct != 3 {
		t.Errorf("%d events, %d of them distinct", all, distinct)
	}
}

func TestRepetitions(t *testing.T) {
	t.Parallel()
	f := func(name, one, other string, after time.Duration, same bool) {
		t.Helper()
		s := serveIngest(t)
		first := s.keep(one)
		s.clock.Pass(after)
		if again := s.keep(other); (first.Key == again.Key) != same {
			t.Errorf("%s: keys %q and %q", name, first.Key, again.Key)
		}
	}
	event := func(envelope, data string) string {
		return message("event", androidApp, `"kochava_device_id":"KD1"`+envelope, `"event_name":"E"`+data)
	}
	plain := event("", "")
	f("at once", plain, plain, 0, true)
	f("over midnight", plain, plain, 23*time.Hour, true)
	f("the next day", plain, plain, 24*time.Hour, false)
	f("in a week, with its time", event("", `,"usertime":1795175940`), event("", `,"usertime":1795175940`), 7*24*time.Hour, true)
	f("another time", event("", `,"usertime":1795175940`), event("", `,"usertime":1795175941`), 0, false)
	f("another name", plain, message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"F"`), 0, false)
	f("another device", plain, message("event", androidApp, `"kochava_device_id":"KD2"`, `"event_name":"E"`), 0, false)
	f("other parameters", event("", `,"event_data":{"a":1}`), event("", `,"event_data":{"a":2}`), 0, false)
	f("its order of parameters", event("", `,"event_data":{"a":1,"b":2}`), event("", `,"event_data":{"b":2,"a":1}`), 0, true)
	f("its id", event(`,"nt_id":"1"`, `,"usertime":1`), event(`,"nt_id":"1"`, `,"usertime":2`), 0, true)
	f("another id", event(`,"nt_id":"1"`, ""), event(`,"nt_id":"2"`, ""), 0, false)
	long := strings.Repeat("n", 300)
	f("a long id", event(`,"nt_id":"`+long+`"`, ""), event(`,"nt_id":"`+long+`"`, `,"usertime":2`), 0, true)
	install := message("install", androidApp, `"kochava_device_id":"KD1"`, "")
	f("an install", install, message("install", androidApp, `"kochava_device_id":"KD1"`, `"battery":7`), time.Hour, true)
}

func TestOddButKept(t *testing.T) {
	t.Parallel()
	f := func(data string, flags ...string) {
		t.Helper()
		got := serveIngest(t).keep(message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"E",`+data))
		if !slices.Equal(got.Flags, flags) {
			t.Errorf("%s: flags %q, want %q", data, got.Flags, flags)
		}
		if slices.Contains(flags, event.ClockFlag) && got.At != noon.UnixMilli() {
			t.Errorf("%s: happened at %s", data, time.UnixMilli(got.At))
		}
	}
	f(`"usertime":"yesterday"`, event.ClockFlag)
	f(`"usertime":1`, event.ClockFlag)
	f(`"usertime":1895175940`, event.ClockFlag)
	f(`"usertime":[1795175940]`, event.ClockFlag)
	f(`"origination_ip":"localhost"`, event.AddressFlag)
	f(`"origination_ip":["203.0.113.8"]`, event.AddressFlag)
	f(`"origination_ip":"203.0.113.8:x"`, event.AddressFlag)
	f(`"origination_ip":null,"usertime":""`)
	f(`"device_ids":{"adid":"nonsense"}`, event.DeviceIDFlag)
	f(`"event_data":{"price":"nine"},"currency":"USD"`, event.AmountFlag)
	f(`"event_data":{"price":9},"currency":"US$"`, event.CurrencyFlag)
	f(`"event_data":{"price":9}`, event.CurrencyFlag)
	f(`"currency":"USD"`)
	f(`"disp_w":-5,"disp_h":{},"locale":[],"device_ver":7`)
}

func TestTimes(t *testing.T) {
	t.Parallel()
	f := func(usertime string) {
		t.Helper()
		got := serveIngest(t).keep(message("event", androidApp, `"kochava_device_id":"KD1"`, `"event_name":"E","usertime":`+usertime))
		if got.At != noon.Add(-time.Minute).UnixMilli() || len(got.Flags) != 0 {
			t.Errorf("%s: happened at %s, %q", usertime, time.UnixMilli(got.At).UTC(), got.Flags)
		}
	}
	f(`1795175940`)
	f(`"1795175940"`)
	f(`1795175940000`)
	f(`"1795175940000"`)
	f(`"2026-11-20T11:59:00Z"`)
	f(`"2026-11-20T12:59:00.000+01:00"`)
}

func TestFailuresOfIngest(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	s.decisions.Fail(errors.New("no such table"))
	status, header, text := s.post("/track/kvquery", message("get_attribution", androidApp, `"kochava_device_id":"KD1"`, ""))
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || header.Get("X-Request-Id") == "" || strings.Contains(text, "table") || s.refusals() != 1 {
		t.Errorf("%d %v %s, counted %d", status, header, text, s.refusals())
	}
}

package onelink_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
)

const (
	eventPath = "/inappevent/com.golden.app"
	someEvent = `{"appsflyer_id":"1234567890123-1234567","eventName":"af_purchase","eventValue":"{\"af_revenue\":\"6.50\"}","eventTime":"2026-11-20 11:00:00.123","eventCurrency":"EUR"}`
)

// sendEvent makes one call with the S2S key.
func (w *reports) sendEvent(t testing.TB, target, body string) (int, http.Header, string) {
	t.Helper()
	return send(t, w.base, "POST", target, body, "authentication", "golden-token")
}

func TestEventReachesTheLedger(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	const body = `{"appsflyer_id":"1234567890123-1234567","advertising_id":"9c9a82fb-d5de-4cd1-90c3-527441c11828","oaid":"abc-1","customer_user_id":"cu1",
		"ip":"203.0.113.9","eventName":"af_purchase","eventValue":"{\"af_revenue\":6.5,\"af_content_id\":\"15854\"}","app_version_name":"2.1","os":"14.5.1",
		"eventTime":"2026-11-20 11:00:00.123","eventCurrency":"EUR","app_store":"shop","sharing_filter":["a_int"],"custom_data":"{\"k\":1}"}`
	if status, _, text := w.sendEvent(t, eventPath, body); status != 200 || text != "OK" {
		t.Fatalf("got %d %q", status, text)
	}
	got := w.ledger.LastTold(t)
	var params map[string]any
	if err := json.Unmarshal(got.Params, &params); err != nil {
		t.Fatal(err)
	}
	wantParams := map[string]any{"af_revenue": 6.5, "af_content_id": "15854",
		"_onelink": map[string]any{"app_store": "shop", "sharing_filter": []any{"a_int"}, "custom_data": `{"k":1}`}}
	if !reflect.DeepEqual(params, wantParams) {
		t.Errorf("params %v", params)
	}
	wantIDs := []event.DeviceID{{Kind: "gaid", Value: "9c9a82fb-d5de-4cd1-90c3-527441c11828"}, {Kind: "oaid", Value: "abc-1"}}
	if got.Kind != event.InAppKind || got.Install != "1234567890123-1234567" || got.App != goldenAndroid || got.Account != 101 || got.Dialect != link.OneLink ||
		got.Name != "af_purchase" || got.Amount != "6.5" || got.Currency != "EUR" || got.User != "cu1" || got.OS != "14.5.1" || got.AppVersion != "2.1" ||
		!reflect.DeepEqual(got.IPs, []string{"203.0.113.9"}) || !reflect.DeepEqual(got.IDs, wantIDs) || len(got.Flags) != 0 ||
		got.At != time.Date(2026, 11, 20, 11, 0, 0, 123e6, time.UTC).UnixMilli() {
		t.Errorf("got %+v", got)
	}
}

// TestRepeatedEventIsOne: an event that is sent again has the key of the first.
func TestRepeatedEventIsOne(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	keys := map[string]bool{}
	for range 2 {
		w.sendEvent(t, eventPath, someEvent)
		keys[w.ledger.LastTold(t).Key] = true
	}
	if len(keys) != 1 {
		t.Errorf("got keys %v", keys)
	}
	w.sendEvent(t, eventPath, strings.Replace(someEvent, "11:00", "11:01", 1))
	if keys[w.ledger.LastTold(t).Key] {
		t.Error("another event has the key of the first")
	}
}

// TestTrap17DroppedIDIsShown: an Apple id without "id" is acknowledged and dropped, as the
// vendor does, but its account is told (spec-attribution §8).
func TestTrap17DroppedIDIsShown(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	status, header, text := w.sendEvent(t, "/inappevent/1234567890", someEvent)
	if status != 200 || text != "OK" || w.ledger.Count() != 0 {
		t.Errorf("got %d %q, %d events", status, text, w.ledger.Count())
	}
	if d := header.Get("Waypost-Diagnostic"); !strings.Contains(d, "id1234567890") {
		t.Errorf("diagnostic %q", d)
	}
	if n := w.api.Stats().Dropped; n != 1 {
		t.Errorf("dropped %d", n)
	}
	if list, err := w.service.Unknown(t.Context(), 101); err != nil || len(list) != 1 || list[0].Name != "1234567890 (write id1234567890)" {
		t.Errorf("the account is shown %+v", list)
	}
	if status, _, text := w.sendEvent(t, "/inappevent/id1234567890", someEvent); status != 200 || text != "OK" || w.ledger.LastTold(t).App != goldenIOS {
		t.Errorf("got %d %q", status, text)
	}
}

func TestEventRefusals(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	f := func(target, key, body string, status int, want string) {
		t.Helper()
		var headers []string
		if key != "" {
			headers = []string{"authentication", key}
		}
		got, _, text := send(t, w.base, "POST", target, body, headers...)
		if got != status || text != want {
			t.Errorf("%s %s: got %d %q, want %d %q", target, body, got, text, status, want)
		}
	}
	const key = "golden-token"
	f(eventPath, "", someEvent, 400, "Failed to Authenticate")
	f(eventPath, "nobody", someEvent, 401, "Unauthorized")
	f(eventPath, "golden-token-read", someEvent, 401, "Unauthorized")
	f(eventPath, "golden-token-rival", someEvent, 400, "app_id does not match the authentication token")
	f(eventPath, "golden-token-boss", someEvent, 400, "app_id does not match the authentication token")
	f("/inappevent/com.nobody", key, someEvent, 400, "app_id does not match the authentication token")
	f(eventPath, key, "", 400, "Payload is missing or failed to parse")
	f(eventPath, key, "["+someEvent+"]", 400, "Payload is missing or failed to parse")
	f(eventPath, key, `{"appsflyer_id":`, 400, "Payload is missing or failed to parse")
	f(eventPath, key, "\xff"+someEvent, 400, "Payload is missing or failed to parse: it is not UTF-8: encode its text so")
	f(eventPath, key, strings.Replace(someEvent, `":"`, `":"\ud800`, 1), 400, "Bad request: appsflyer_id: the text holds half of a surrogate pair, which is no character")
	f(eventPath, key, `{"eventName":"x","eventValue":""}`, 400, "appsflyer_id is a mandatory field")
	f(eventPath, key, `{"appsflyer_id":" ","eventName":"x","eventValue":""}`, 400, "appsflyer_id is a mandatory field")
	f(eventPath, key, `{"appsflyer_id":"1-1","eventValue":""}`, 400, "eventName is a mandatory field")
	f(eventPath, key, `{"appsflyer_id":"`+strings.Repeat("1", 129)+`","eventName":"x"}`, 400, "Bad request: appsflyer_id: at most 128 bytes, got 129")
	f(eventPath, key, `{"appsflyer_id":"1-1","eventName":"a\u0007b"}`, 400, "Bad request: eventName: the text holds control characters")
	f(eventPath, key, `{"appsflyer_id":"1-1","eventName":"x","att":7}`, 400, `Bad request: att: write 0 to 3, as ATTrackingManager has it; got "7"`)
	f(eventPath, key, `{"appsflyer_id":"1-1","eventName":"x","aie":"maybe"}`, 400, `Bad request: aie: write true or false; got "maybe"`)
	f(eventPath, key, `{"appsflyer_id":"1-1","eventName":"x","consent_data":"yes"}`, 400, `Bad request: consent_data: write {"manual":{…}} or {"tcf":{…}}`)
	for _, odd := range []string{`2`, `"maybe"`, `{}`, `[true]`} {
		got := strings.ReplaceAll(strings.Trim(odd, `"`), `"`, `\"`)
		f(eventPath, key, `{"appsflyer_id":"1-1","eventName":"x","consent_data":{"manual":{"gdpr_applies":`+odd+`,"ad_user_data_enabled":false}}}`, 400,
			`Bad request: consent_data.manual.gdpr_applies: write true or false; got "`+got+`"`)
		f(eventPath, key, `{"appsflyer_id":"1-1","eventName":"x","consent_data":{"tcf":{"gdpr_applies":`+odd+`}}}`, 400,
			`Bad request: consent_data.tcf.gdpr_applies: write true or false; got "`+got+`"`)
	}
	f(eventPath, key, `{"appsflyer_id":"1-1","eventName":"x","eventValue":"{\"a\":\"`+strings.Repeat("b", 17<<10)+`\"}"}`, 400,
		"Bad request: eventValue: at most 16384 bytes, got 17417")
	if w.ledger.Count() != 0 {
		t.Errorf("%d refused events are in the ledger", w.ledger.Count())
	}
	list, err := w.service.Unknown(t.Context(), 101)
	if err != nil || len(list) != 2 || list[0].Name != "com.nobody" || list[1].Name != "token …" {
		t.Errorf("the account is shown %+v", list)
	}
}

// TestOddEventsAreKept: an event did happen, whatever is odd about its report.
func TestOddEventsAreKept(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	f := func(more, params, amount string, flags ...string) {
		t.Helper()
		status, _, text := w.sendEvent(t, eventPath, `{"appsflyer_id":"1-1","eventName":"x"`+more+`}`)
		if status != 200 {
			t.Errorf("%s: got %d %s", more, status, text)
			return
		}
		got := w.ledger.LastTold(t)
		if string(got.Params) != params || got.Amount != amount || !reflect.DeepEqual(got.Flags, flags) {
			t.Errorf("%s: got params %s, amount %q, flags %q", more, got.Params, got.Amount, got.Flags)
		}
	}
	f(``, ``, "")
	f(`,"eventValue":""`, ``, "")
	f(`,"eventValue":" "`, ``, "")
	f(`,"eventValue":null`, ``, "")
	f(`,"eventValue":"{\"a\":\"<b>\"}"`, `{"a":"\u003cb\u003e"}`, "")
	f(`,"eventValue":{"a":1}`, `{"a":1}`, "")
	f(`,"eventValue":"bare words"`, `{"eventValue":"bare words"}`, "")
	f(`,"eventValue":7`, `{"eventValue":"7"}`, "")
	f(`,"eventValue":"{\"a\":"`, `{"eventValue":"{\"a\":"}`, "")
	f(`,"eventValue":"{\"af_revenue\":\"-3\",\"af_currency\":\"usd\"}"`, `{"af_currency":"usd","af_revenue":"-3"}`, "-3")
	f(`,"eventValue":"{\"af_revenue\":\"lots\"}","eventCurrency":"USD"`, `{"af_revenue":"lots"}`, "lots", event.AmountFlag)
	f(`,"eventValue":"{\"af_revenue\":1}","eventCurrency":"Taler"`, `{"af_revenue":1}`, "1", event.CurrencyFlag)
	f(`,"eventTime":"yesterday"`, ``, "", event.ClockFlag)
	f(`,"eventTime":"2026-01-01 00:00:00.000"`, ``, "", event.ClockFlag)
	f(`,"ip":"nowhere"`, ``, "", event.AddressFlag)
	f(`,"advertising_id":"not-one"`, ``, "", event.DeviceIDFlag)
	f(`,"advertising_id":"00000000-0000-0000-0000-000000000000"`, ``, "")
	f(`,"bundleIdentifier":"com.golden.app","app_type":""`, `{"_onelink":{"bundleIdentifier":"com.golden.app"}}`, "")
}

func TestEventConsent(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	w.decisions.Decide(history.Installation{App: goldenAndroid, ID: "said-no", Consent: attribution.Consent{Measurement: attribution.No}})
	w.decisions.Decide(history.Installation{App: goldenAndroid, ID: "limits", Consent: attribution.Consent{LimitAds: true}})
	people := 0
	f := func(install, more string, want *event.Consent, ids int) {
		t.Helper()
		if install == "new" { // each time another: what they say is remembered
			people++
			install = fmt.Sprint("new-", people)
		}
		status, _, text := w.sendEvent(t, eventPath, `{"appsflyer_id":"`+install+`","eventName":"x","ip":"203.0.113.9",
			"advertising_id":"9c9a82fb-d5de-4cd1-90c3-527441c11828","idfv":"9c9a82fb-d5de-4cd1-90c3-527441c11828"`+more+`}`)
		if status != 200 {
			t.Fatalf("%s: got %d %s", more, status, text)
		}
		if got := w.ledger.LastTold(t); !reflect.DeepEqual(got.Consent, want) || len(got.IDs) != ids {
			t.Errorf("%s: got %+v, ids %v", more, got.Consent, got.IDs)
		}
	}
	// A core with consent to purposes 1 and 7, and one without the 7th: 152 bits, then the purposes.
	const measures, doesNot = "CAAAAAAAAAAAAAAAAAAAAAAAAIKAAAAA", "CAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAA"
	f("new", ``, nil, 2)
	f("new", `,"att":0`, nil, 2)
	f("new", `,"att":3`, &event.Consent{Tracking: "yes"}, 2)
	f("new", `,"att":"Authorized"`, &event.Consent{Tracking: "yes"}, 2)
	f("new", `,"att":"Not determined"`, nil, 2)
	f("new", `,"att":2`, &event.Consent{Tracking: "no"}, 2)
	f("new", `,"aie":false`, &event.Consent{LimitAds: event.Yes}, 1)
	f("new", `,"aie":"true"`, &event.Consent{LimitAds: event.No}, 2)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":true,"ad_user_data_enabled":true}}`, &event.Consent{Measurement: "yes"}, 2)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":true,"ad_user_data_enabled":false,"ad_personalization_enabled":true}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":true}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":false}}`, nil, 2)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":false,"ad_user_data_enabled":false}}`, nil, 2)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":"yes","ad_user_data_enabled":false}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":" True ","ad_user_data_enabled":"Yes"}}`, &event.Consent{Measurement: "yes"}, 2)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":"no","ad_user_data_enabled":false}}`, nil, 2)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":true,"ad_user_data_enabled":"maybe"}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"manual":{"ad_user_data_enabled":false}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":null,"ad_user_data_enabled":2}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"manual":{"gdpr_applies":"","ad_user_data_enabled":true}}`, &event.Consent{Measurement: "yes"}, 2)
	f("new", `,"consent_data":{"manual":{}}`, nil, 2)
	f("new", `,"consent_data":{"tcf":{"tcstring":"`+doesNot+`"}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"tcf":{}}`, nil, 2)
	f("new", `,"consent_data":{"tcf":{"gdpr_applies":1,"tcstring":"`+measures+`.YAAA"}}`, &event.Consent{Measurement: "yes"}, 2)
	f("new", `,"consent_data":{"tcf":{"gdpr_applies":1,"tcstring":"`+doesNot+`"}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"tcf":{"gdpr_applies":1,"tcstring":"XXXXXXXX"}}`, &event.Consent{Measurement: "no"}, 0)
	f("new", `,"consent_data":{"tcf":{"gdpr_applies":0}}`, nil, 2)
	f("new", `,"consent_data":{"tcf":{"gdpr_applies":1,"tcstring":"`+measures+`"},"manual":{"gdpr_applies":true}}`, &event.Consent{Measurement: "no"}, 0)
	f("early", `,"aie":false`, &event.Consent{LimitAds: event.Yes}, 1)
	f("early", `,"att":3`, &event.Consent{Tracking: "yes"}, 1)
	// A word about one question does not take back the answer to another.
	f("limits", ``, nil, 1)
	f("limits", `,"att":3`, &event.Consent{Tracking: "yes"}, 1)
	f("limits", `,"consent_data":{"manual":{"gdpr_applies":true,"ad_user_data_enabled":true}}`, &event.Consent{Measurement: "yes"}, 1)
	f("limits", `,"att":3,"aie":true`, &event.Consent{Tracking: "yes", LimitAds: event.No}, 2)
	f("said-no", ``, nil, 0)
	f("said-no", `,"att":3`, &event.Consent{Tracking: "yes"}, 0)
	f("said-no", `,"consent_data":{"manual":{"gdpr_applies":true,"ad_user_data_enabled":true}}`, &event.Consent{Measurement: "yes"}, 2)
}

func TestReportsWhileTheLedgerIsDown(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	w.ledger.Fail(errLedgerDown)
	status, header, text := w.sendEvent(t, eventPath, someEvent)
	if status != 503 || text != "Service Unavailable" || header.Get("Retry-After") == "" {
		t.Errorf("got %d %q %v", status, text, header)
	}
	status, header, text = send(t, w.base, "GET", clickPath+"?"+someClick, "")
	if status != 503 || text != `{"message":"Service unavailable"}` || header.Get("Retry-After") == "" {
		t.Errorf("got %d %q %v", status, text, header)
	}
	status, header, text = w.start(t, "android/com.golden.app", someStart)
	if status != 503 || text != "" || header.Get("Retry-After") == "" {
		t.Errorf("got %d %q %v", status, text, header)
	}
}

func TestReportPaths(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	f := func(method, target string, status int, allow string) {
		t.Helper()
		got, header, _ := send(t, w.base, method, target, "", "authentication", "golden-token")
		if got != status || header.Get("Allow") != allow {
			t.Errorf("%s %s: got %d, Allow %q", method, target, got, header.Get("Allow"))
		}
	}
	f("GET", eventPath, 405, "POST")
	f("PUT", clickPath, 405, "GET, POST")
	f("GET", "/v1.0/ios/id1", 405, "POST")
	f("POST", "/install_data/v5.0/id1", 405, "GET")
	f("POST", "/inappevent", 404, "")
	f("POST", "/inappevent/a/b", 404, "")
	f("GET", "/v1.0/s2s/view/app/ios/id1", 404, "")
	f("POST", "/v1.0/windows/x", 404, "")
	f("POST", "//inappevent//com.golden.app/", 400, "")
	f("POST", "/inappevent/com%2Egolden.app", 400, "")
	f("GET", clickPath+"?x="+strings.Repeat("a", 17<<10), 400, "")
}

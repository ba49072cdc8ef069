package ingest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/internal/fault"
)

// door serves a world's API on a real socket.
func (w *world) door(wait time.Duration) *httptest.Server {
	server := httptest.NewServer(ingest.NewAPI(ingest.APIConfig{Service: w.service, Wait: wait}))
	w.t.Cleanup(server.Close)
	return server
}

// answered is an answer, read.
type answered struct {
	status int
	header http.Header
	body   map[string]any
}

// at follows names into the body.
func (a answered) at(path string) any {
	var v any = a.body
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			var n int
			if _, err := fmt.Sscan(name, &n); err != nil || n >= len(in) {
				return nil
			}
			v = in[n]
		default:
			return nil
		}
	}
	return v
}

func send(t *testing.T, server *httptest.Server, path string, body []byte, header ...string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answered{status: resp.StatusCode, header: resp.Header}
	if err := json.Unmarshal(text, &got.body); err != nil {
		t.Fatalf("POST %s answered %d %q", path, resp.StatusCode, text)
	}
	if got.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("POST %s: a page may not read the answer", path)
	}
	return got
}

const least = `{"app_key":"acme-sdk-key","app":{"bundle":"com.acme.app","platform":"android"},"install_uuid":"` + someInstall + `"`

// fullOpen says everything that an open can say.
const fullOpen = least + `,"sdk":"waypost-android/1.0","sent_at":1795262460000,"is_first_launch":true,"first_launch_at":"2026-11-21T12:00:00Z",
	"device":{"os":"Android","os_version":16,"model":"Pixel 10 Pro","brand":"google","locale":"de_DE","timezone":"Europe/Berlin","screen":{"w":1280,"h":2856},"carrier":"O2","mcc":262,"mnc":"07"},
	"ids":{"gaid":"` + someGAID + `","android_id":{"type":"md5","value":"9E107D9D372BB6826BD81D3542A419D6"},"imei":null,"app_set_id":"x"},
	"ip":"203.0.113.77","user_agent":"Dalvik/2.1.0 (Linux; U; Android 16; Pixel 10 Pro)",
	"referrer":{"api":"google","raw":"ko_click_id=9023861282613779883","click_ts":1795262400,"click_server_ts":1795176000,"install_begin_ts":0,"install_version":"4.2.0","instant":true},
	"open_url":"acme://shoe","clipboard_token":"tok","adservices_token":"abc","prev_times":{"install":1},"session_id":"s-1",
	"consent":{"gdpr_applies":true,"ad_user_data":true,"ad_personalization":true,"tcf":"CP"},"future":{"a":1}}`

func TestOpenOverTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := send(t, w.door(time.Nanosecond), "/sdk/v1/open", []byte(fullOpen))
	if got.status != 200 || got.at("attribution.status") != "pending" || got.at("ask_in_ms") != 2000.0 || got.at("deep_link.found") != false ||
		got.at("server_time") != float64(noon.UnixMilli()) || got.at("install_uuid") != someInstall || got.at("key") != "s-1" {
		t.Errorf("answered %+v", got)
	}
	if want := []any{"future", "ids.app_set_id"}; !reflect.DeepEqual(got.at("ignored"), want) {
		t.Errorf("ignored %v", got.at("ignored"))
	}
	// The device's clock is a day and a minute fast, so its times move back by that.
	const offset = -(24*60 + 1) * 60_000
	first := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	told := w.last()
	want := event.Told{
		Version: 1, Kind: event.OpenKind, ID: told.ID, At: first.UnixMilli() + offset, ReceivedAt: noon.UnixMilli(), Account: 5899, App: 26538, Dialect: "waypost",
		Install: someInstall, Key: "s-1", Platform: device.Android, OS: "16", Model: "Pixel 10 Pro", Locale: "de-DE", Timezone: "Europe/Berlin",
		Width: 1280, Height: 2856, Country: "DE", IPs: []string{someIP}, Agent: "Dalvik/2.1.0 (Linux; U; Android 16; Pixel 10 Pro)",
		IDs:     []event.DeviceID{{Kind: "android_id", Form: "md5", Value: "9e107d9d372bb6826bd81d3542a419d6"}, {Kind: "gaid", Value: someGAID}},
		Consent: &event.Consent{Measurement: "yes", Advertising: "yes"}, SDK: "waypost-android/1.0", First: true, OpenedURL: "acme://shoe", Clipboard: "tok",
		Referrer: &event.Referrer{Raw: "ko_click_id=9023861282613779883", Click: "9023861282613779883", ClickAt: 1795262400_000 + offset, ClickServerAt: 1795176000_000},
		Params: json.RawMessage(`{"adservices_token":"abc","brand":"google","carrier":"O2","install_version":"4.2.0","instant":"true","mcc":"262","mnc":"07",` +
			`"prev_install":"1","referrer_api":"google","tcf":"CP"}`),
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("got  %+v\nwant %+v", told, want)
	}
}

// TestOpenIsAnsweredWithItsDecision: an open waits for what is decided about
// it, and the deferred deep link is told once.
func TestOpenIsAnsweredWithItsDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.door(time.Minute)
	match := attribution.Match{
		Touch: 9023861282613779883, Kind: attribution.Click, Method: attribution.ByReferrer, At: noon.Add(-time.Hour),
		Source: attribution.Source{Partner: 1201, Name: "wide", Campaign: "spring", CampaignID: "c-1", AdID: "ad-1", Site: "s-1", Link: 77, Agency: "a", AdSetID: "set"},
	}
	w.decisions.Remember(match.Touch, history.Touch{Query: "deep_link_value=shoe&deep_link_value=hat&coupon=X%20Y"})
	answers := make(chan answered)
	go func() { answers <- send(t, server, "/sdk/v1/open", []byte(least+`,"is_first_launch":true}`)) }()
	w.decisions.Decide(history.Installation{
		Account: 5899, App: 26538, ID: someInstall, At: noon, Credit: &attribution.Credit{Match: match, From: noon},
		Reengagement: &attribution.Credit{Match: attribution.Match{Touch: 9023861282613779884, Method: attribution.ByOpenedURL, Source: attribution.Source{Name: "mail"}}, Until: noon.Add(time.Hour)},
		DeepLink:     "acme://shoe/7", LinkUntil: noon.Add(time.Hour),
	})
	got := <-answers
	for path, want := range map[string]any{
		"attribution.status": "non_organic", "attribution.method": "referrer", "attribution.media_source": "wide", "attribution.partner_id": 1201.0,
		"attribution.campaign": "spring", "attribution.campaign_id": "c-1", "attribution.adset_id": "set", "attribution.ad_id": "ad-1", "attribution.site_id": "s-1",
		"attribution.agency": "a", "attribution.link_id": 77.0, "attribution.touch": "click", "attribution.touch_at": float64(noon.Add(-time.Hour).UnixMilli()),
		"attribution.click_id": "9023861282613779883", "attribution.until": nil, "ask_in_ms": nil,
		"reengagement.media_source": "mail", "reengagement.until": float64(noon.Add(time.Hour).UnixMilli()), "reengagement.now": nil, "reengagement.params": nil,
		"deep_link.found": true, "deep_link.value": "acme://shoe/7", "deep_link.url": "acme://shoe/7", "deep_link.match_type": "referrer",
		"deep_link.params.deep_link_value": "shoe", "deep_link.params.coupon": "X Y", "deep_link.expires_at": float64(noon.Add(time.Hour).UnixMilli()),
	} {
		if got.at(path) != want {
			t.Errorf("%s is %v, want %v", path, got.at(path), want)
		}
	}
	again := send(t, server, "/sdk/v1/open", []byte(least+`,"is_first_launch":true}`))
	if again.at("deep_link.value") != "acme://shoe/7" || again.at("attribution.status") != "non_organic" || again.at("key") != got.at("key") {
		t.Errorf("the second time: %+v", again.body)
	}
	later := send(t, server, "/sdk/v1/open", []byte(least+`,"session_id":"s-2"}`))
	if later.at("deep_link.found") != false || later.at("attribution.status") != "non_organic" {
		t.Errorf("another open: %+v", later.body)
	}
}

// TestReengagementIsAnswered: the open that won a person back is told of the
// touch that did, and no other open is.
func TestReengagementIsAnswered(t *testing.T) {
	t.Parallel()
	own := attribution.Match{Touch: 9023861282613779883, Method: attribution.ByReferrer, Source: attribution.Source{Name: "wide"}}
	back := attribution.Match{Touch: 9023861282613779884, Method: attribution.ByOpenedURL, Source: attribution.Source{Name: "mail"}}
	f := func(session string, touch bool, want, params any) {
		t.Helper()
		w := newWorld(t)
		w.decisions.Decide(history.Installation{
			App: 26538, ID: someInstall, Credit: &attribution.Credit{Match: own}, Reengagement: &attribution.Credit{Match: back, Until: noon.Add(time.Hour)}, ReengagedBy: "s-2",
		})
		if touch {
			w.decisions.Remember(back.Touch, history.Touch{Query: "sale=now"})
		}
		got := send(t, w.door(time.Minute), "/sdk/v1/open", []byte(least+`,"session_id":"`+session+`"}`))
		if got.at("attribution.media_source") != "wide" || got.at("reengagement.media_source") != "mail" || got.at("reengagement.now") != want || got.at("reengagement.params.sale") != params {
			t.Errorf("%s: %+v", session, got.body)
		}
		open := ingest.Receipt{App: 26538, Install: someInstall, Key: session}
		answer := w.service.Answer(t.Context(), open, time.Minute)
		if (answer.Reengagement != nil) != (want == true) || (answer.ReengagementTouch != nil) != (params != nil) || answer.Match.Touch != own.Touch {
			t.Errorf("%s: answer %+v", session, answer)
		}
		if asked, err := w.service.Ask(t.Context(), 26538, someInstall, false); err != nil || asked.Reengagement != nil {
			t.Errorf("asked, got %+v, %v", asked, err)
		}
	}
	f("s-2", true, true, "now")
	f("s-2", false, true, nil)
	f("s-1", true, nil, nil)
}

// TestDecidedTakesNoLink: the deferred deep link is there for who takes it.
func TestDecidedTakesNoLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decisions.Decide(history.Installation{App: 26538, ID: someInstall, DeepLink: "shoe", LinkUntil: noon})
	open := ingest.Receipt{App: 26538, Install: someInstall, Key: "s-1"}
	first, second := w.service.Decided(t.Context(), open, time.Minute), w.service.Decided(t.Context(), open, time.Minute)
	if first.DeepLink+second.DeepLink != "" || first.Status != ingest.Organic {
		t.Errorf("decided %+v, %+v", first, second)
	}
	w.decisions.Fail(errDown)
	if err := w.service.TakeLink(t.Context(), &first); !fault.Is(err, fault.Unavailable) {
		t.Errorf("took from a store that is down: %v", err)
	}
	w.decisions.Fail(nil)
	if err := w.service.TakeLink(t.Context(), &first); err != nil || first.DeepLink != "shoe" {
		t.Errorf("took %+v, %v", first, err)
	}
	if err := w.service.TakeLink(t.Context(), &second); err != nil || second.DeepLink != "shoe" {
		t.Errorf("the same open, whose answer was lost, took %+v, %v", second, err)
	}
	open.Key = "s-2"
	if other := w.service.Answer(t.Context(), open, time.Minute); other.DeepLink != "" {
		t.Errorf("another open took %+v", other)
	}
	if asked, err := w.service.Ask(t.Context(), 26538, someInstall, true); err != nil || asked.DeepLink != "" {
		t.Errorf("a question took %+v, %v", asked, err)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	match := attribution.Match{Touch: 9023861282613779883, Method: attribution.Probabilistic}
	f := func(name string, change func(*world, *history.Installation), status string, params bool) {
		t.Helper()
		w := newWorld(t)
		w.decisions.Remember(match.Touch, history.Touch{Query: "name=Ann"})
		i := history.Installation{App: 26538, ID: someInstall, DeepLink: "shoe", LinkUntil: noon}
		change(w, &i)
		w.decisions.Decide(i)
		got := send(t, w.door(time.Minute), "/sdk/v1/open", []byte(least+`}`))
		if got.status != 200 || got.at("attribution.status") != status || (got.at("deep_link.params") != nil) != params || got.at("deep_link.url") != nil {
			t.Errorf("%s: %d %+v", name, got.status, got.body)
		}
		if (got.at("ask_in_ms") != nil) != (status == "pending") || w.ledger.Count() != 1 {
			t.Errorf("%s: %+v, %d lines", name, got.body, w.ledger.Count())
		}
	}
	credit := &attribution.Credit{Match: match}
	f("nobody earned it", func(*world, *history.Installation) {}, "organic", false)
	f("likely", func(_ *world, i *history.Installation) { i.Credit = credit }, "non_organic", false)
	f("sure", func(_ *world, i *history.Installation) {
		i.Credit = &attribution.Credit{Match: attribution.Match{Touch: match.Touch, Method: attribution.ByDeviceID}}
	}, "non_organic", true)
	f("won back", func(_ *world, i *history.Installation) { i.Credit, i.Outcome = credit, attribution.Reattribution }, "reattributed", false)
	f("a forgotten touch", func(w *world, i *history.Installation) { w.decisions.Forget(match.Touch); i.Credit = credit }, "non_organic", false)
}

// TestAnswerWaitsNoLongerThanItsBound and is pending, not an error, when the
// question fails: the open is in the ledger.
func TestAnswerWaitsNoLongerThanItsBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt, err := w.service.Open(t.Context(), someReport())
	if err != nil {
		t.Fatal(err)
	}
	if got := w.service.Answer(t.Context(), receipt, time.Millisecond); got.Status != ingest.Pending || got.AskIn <= 0 {
		t.Errorf("answered %+v", got)
	}
	w.decisions.Fail(errDown)
	if got := w.service.Answer(t.Context(), receipt, time.Minute); got.Status != ingest.Pending || got.AskIn <= 0 {
		t.Errorf("answered %+v", got)
	}
	if _, err := w.service.Ask(t.Context(), 26538, someInstall, true); !fault.Is(err, fault.Unavailable) {
		t.Errorf("asked, got %v", err)
	}
	w.decisions.Fail(nil)
	if got, err := w.service.Ask(t.Context(), 26538, someInstall, true); err != nil || got.Status != ingest.Pending {
		t.Errorf("asked, got %+v, %v", got, err)
	}
	w.decisions.Decide(history.Installation{App: 26538, ID: someInstall, DeepLink: "shoe", LinkUntil: noon})
	for _, want := range []struct {
		take bool
		link string
	}{{false, ""}, {true, "shoe"}, {true, ""}} {
		if got, err := w.service.Ask(t.Context(), 26538, someInstall, want.take); err != nil || got.Status != ingest.Organic || got.DeepLink != want.link {
			t.Errorf("asked, got %+v, %v", got, err)
		}
	}
}

func TestEventsOverTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.door(0)
	got := send(t, server, "/sdk/v1/events", []byte(least+`,"sent_at":1795176000000,"events":[
		{"event_id":"e-1","name":"purchase","at":1795175999000,"revenue":{"amount":12.50,"currency":"EUR"},"params":{"sku":"A-1"}},
		{"event_id":"e-2","at":1795175999000},
		{"event_id":"e-3","name":"level","at":"yesterday"},
		7,
		{"name":"level","at":1795175999000,"revenue":{"amount":"much"}}]}`))
	for path, want := range map[string]any{
		"results.0.event_id": "e-1", "results.0.status": "accepted", "results.0.error": nil,
		"results.1.event_id": "e-2", "results.1.status": "refused", "results.1.error.location": "name",
		"results.2.event_id": "e-3", "results.2.status": "refused", "results.2.error.location": "at",
		"results.3.status": "refused", "results.3.error.location": "event", "results.3.error.message": "the event is not the JSON object that this call takes",
		"results.4.status": "accepted", "results.4.flags.0": "amount", "results.4.flags.1": "currency",
		"accepted": 2.0, "refused": 3.0, "retry_in_ms": nil, "server_time": float64(noon.UnixMilli()),
	} {
		if got.at(path) != want {
			t.Errorf("%s is %v, want %v", path, got.at(path), want)
		}
	}
	if made, _ := got.at("results.4.event_id").(string); got.status != 200 || w.ledger.Count() != 2 || made == "" || w.last().Key != made {
		t.Errorf("answered %d, %d lines, made %q", got.status, w.ledger.Count(), made)
	}
	first, err := event.DecodeTold(w.ledger.Lines()[0])
	if err != nil || first.Kind != event.InAppKind || first.Name != "purchase" || first.Amount != "12.5" || first.Currency != "EUR" ||
		string(first.Params) != `{"sku":"A-1"}` || first.Key != "e-1" || first.At != 1795175999000 {
		t.Errorf("kept %+v, %v", first, err)
	}
}

// TestEventsAreToldAgainWhenTheLedgerWasDown: what was taken says so, the rest
// says when to try again.
func TestEventsAreToldAgainWhenTheLedgerWasDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.FailAfter(1, errDown)
	got := send(t, w.door(0), "/sdk/v1/events", []byte(least+`,"events":[{"event_id":"1","name":"a"},{"event_id":"2","name":"b"},{"event_id":"3","name":"c"}]}`))
	if got.status != 503 || got.at("results.0.status") != "accepted" || got.at("results.1.status") != "retry" || got.at("results.2.status") != "retry" ||
		got.at("results.2.event_id") != "3" || got.at("retry_in_ms") != 2000.0 || got.header.Get("Retry-After") != "2" {
		t.Errorf("answered %+v", got)
	}
	got = send(t, w.door(0), "/sdk/v1/open", []byte(least+`}`))
	if got.status != 503 || got.at("retry_in_ms") != 2000.0 || got.header.Get("Content-Type") != "application/problem+json" || w.ledger.Count() != 1 {
		t.Errorf("answered %+v", got)
	}
}

func TestConsentAndIdentifyOverTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.door(0)
	if got := send(t, server, "/sdk/v1/identify", []byte(least+`,"user_id":"u-7","at":1795176000000}`)); got.status != 200 || w.last().User != "u-7" || w.last().Kind != event.IdentifyKind {
		t.Errorf("answered %+v", got)
	}
	f := func(said string, want event.Consent) {
		t.Helper()
		got := send(t, server, "/sdk/v1/consent", []byte(least+`,`+said+`}`))
		if told := w.last(); got.status != 200 || told.Kind != event.ConsentKind || told.Consent == nil || *told.Consent != want {
			t.Errorf("%s: %+v, kept %+v", said, got, told.Consent)
		}
	}
	if got := send(t, server, "/sdk/v1/consent", []byte(least+`,"withhold":["wide"]}`)); got.status != 200 || w.last().Consent != nil || !slices.Equal(w.last().Withhold, []string{"wide"}) {
		t.Errorf("answered %+v, kept %+v", got, w.last())
	}
	f(`"consent":{"measurement":"No"}`, event.Consent{Measurement: "no"})
	f(`"consent":{"ad_user_data":false}`, event.Consent{Measurement: "no"})
	f(`"consent":{"gdpr_applies":true,"ad_user_data":true,"ad_personalization":false}`, event.Consent{Measurement: "yes", Advertising: "no"})
	f(`"consent":{"ad_personalization":true}`, event.Consent{Advertising: "yes"})
	f(`"consent":{"coppa":false,"limit_ads":false}`, event.Consent{LimitAds: event.No, Child: event.No})
	f(`"consent":{"coppa":null,"limit_ads":null}`, event.Consent{})
	f(`"consent":{"gdpr_applies":false,"ad_user_data":false,"ad_personalization":false}`, event.Consent{})
	f(`"consent":{"coppa":true,"limit_ads":true}`, event.Consent{Child: event.Yes, LimitAds: event.Yes})
	f(`"att":{"status":3}`, event.Consent{Tracking: "yes"})
	f(`"att":{"status":"denied"}`, event.Consent{Tracking: "no"})
	f(`"att":{"status":"restricted"},"consent":{"measurement":"yes"}`, event.Consent{Tracking: "no", Measurement: "yes"})
}

// TestRefusalsOverTheWire: never a 5xx, and always the field.
func TestRefusalsOverTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.door(0)
	f := func(path, body string, status int, location string) {
		t.Helper()
		got := send(t, server, path, []byte(body))
		if got.status != status || got.header.Get("Content-Type") != "application/problem+json" || got.at("status") != float64(status) || got.at("detail") == "" {
			t.Errorf("%s %s: %+v", path, body, got)
		}
		if have, _ := got.at("errors.0.location").(string); have != location {
			t.Errorf("%s %s: complains of %q, want %q: %v", path, body, have, location, got.body)
		}
	}
	for _, path := range []string{"/sdk/v1/open", "/sdk/v1/events", "/sdk/v1/consent", "/sdk/v1/identify"} {
		f(path, ``, 400, "body")
		f(path, `{"app_key":`, 400, "body")
		f(path, `[]`, 400, "body")
		f(path, least+`} {}`, 400, "body")
		f(path, `{"app_key":7}`, 422, "app_key")
		f(path, least+`,"device":{"screen":{"w":"wide"}}}`, 422, "device.screen.w")
		f(path, least+`,"sent_at":"soon"}`, 422, "sent_at")
		f(path, least+`,"sent_at":{}}`, 422, "sent_at")
		f(path, least+`,"ip":"home"}`, 422, "ip")
		f(path, least+`,"device":{"os":"toaster"}}`, 422, "device.os")
		f(path, least+`,"att":{"status":9}}`, 422, "att.status")
		f(path, `{"app":{"bundle":"com.acme.app","platform":"android"},"install_uuid":"i"}`, 422, "app_key")
		f(path, `{"app":{"id":26538},"install_uuid":"i","user_id":"u","consent":{},"events":[{"name":"n"}]}`, 422, "app_key")
		f(path, `{"app_key":"nobody","app":{"bundle":"com.acme.app","platform":"android"},"install_uuid":"i"}`, 404, "app_key")
		f(path, `{"app_key":"acme-sdk-key","app":{"bundle":"com.acme.none"},"install_uuid":"i"}`, 404, "app")
		f(path, `{"app_key":"acme-sdk-key","app":{"bundle":"com.acme.app"},"install_uuid":"i"}`, 422, "app.platform")
		f(path, `{"app_key":"acme-sdk-key","app":{"platform":"phone"},"install_uuid":"i"}`, 422, "app.platform")
		f(path, `{"app_key":"acme-sdk-key","app":{"id":"x"},"install_uuid":"i"}`, 422, "app.id")
		f(path, `{"app_key":"acme-sdk-key","app":{"id":26538}}`, 422, "install_uuid")
	}
	f("/sdk/v1/open", least+`,"at":"soon"}`, 422, "at")
	f("/sdk/v1/open", least+`,"first_launch_at":"soon"}`, 422, "first_launch_at")
	f("/sdk/v1/open", least+`,"referrer":{"click_ts":"soon"}}`, 422, "referrer.click_ts")
	f("/sdk/v1/open", least+`,"referrer":{"click_server_ts":"soon"}}`, 422, "referrer.click_server_ts")
	f("/sdk/v1/open", least+`,"referrer":{"install_begin_ts":"soon"}}`, 422, "referrer.install_begin_ts")
	f("/sdk/v1/open", least+`,"referrer":{"install_begin_server_ts":"soon"}}`, 422, "referrer.install_begin_server_ts")
	f("/sdk/v1/open", least+`,"referrer":{"raw":"`+strings.Repeat("x", 9000)+`"}}`, 422, "referrer.raw")
	f("/sdk/v1/open", least+`,"is_first_launch":"yes"}`, 422, "is_first_launch")
	f("/sdk/v1/consent", least+`}`, 422, "consent")
	f("/sdk/v1/consent", least+`,"consent":{"measurement":"perhaps"}}`, 422, "consent")
	f("/sdk/v1/identify", least+`}`, 422, "user_id")
	f("/sdk/v1/identify", least+`,"user_id":"u","at":"soon"}`, 422, "at")
	f("/sdk/v1/events", least+`}`, 422, "events")
	f("/sdk/v1/events", least+`,"events":[`+strings.Repeat(`{},`, 100)+`{}]}`, 422, "events")
	f("/sdk/v1/links", `{}`, 404, "")
	if w.ledger.Count() != 0 {
		t.Errorf("%d lines are in the ledger", w.ledger.Count())
	}
	if n := w.service.Stats().Refused[fault.Invalid]; n < 60 {
		t.Errorf("%d refusals are counted", n)
	}
}

// TestNamesInEventsThatAreNotKnown are listed with the place of their event, as
// many as of any answer.
func TestNamesInEventsThatAreNotKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := send(t, w.door(0), "/sdk/v1/events", []byte(least+`,"newer":1,"events":[{"name":"a","bogus":1,"params":{"sku":1}},{"name":"b","revenue":{"amount":1,"currency":"EUR","tax":2}}]}`))
	if want := []any{"events.0.bogus", "events.1.revenue.tax", "newer"}; !reflect.DeepEqual(got.at("ignored"), want) || got.at("accepted") != 2.0 {
		t.Errorf("ignored %v, answered %+v", got.at("ignored"), got)
	}
	got = send(t, w.door(0), "/sdk/v1/events", []byte(least+`,"events":[`+strings.TrimSuffix(strings.Repeat(`{"name":"a","bogus":1},`, 17), ",")+`]}`))
	if names, _ := got.at("ignored").([]any); len(names) != 16 {
		t.Errorf("%d names are listed, want 16", len(names))
	}
}

// TestABatchOfHundred is the most that is taken.
func TestABatchOfHundred(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := send(t, w.door(0), "/sdk/v1/events", []byte(least+`,"events":[`+strings.TrimSuffix(strings.Repeat(`{"name":"a"},`, 100), ",")+`]}`))
	if got.status != 200 || got.at("accepted") != 100.0 || w.ledger.Count() != 100 {
		t.Errorf("answered %d, accepted %v", got.status, got.at("accepted"))
	}
}

func deflated(t *testing.T, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBodies: gzip is read, bombs are not.
func TestBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.door(time.Nanosecond)
	f := func(name string, body []byte, encoding string, status int) {
		t.Helper()
		if got := send(t, server, "/sdk/v1/open", body, "Content-Encoding", encoding); got.status != status {
			t.Errorf("%s: %+v", name, got)
		}
	}
	padded := func(n int) []byte {
		body := []byte(least + `}`)
		return append(body, bytes.Repeat([]byte(" "), n-len(body))...)
	}
	f("plain", []byte(fullOpen), "", 200)
	f("identity", []byte(fullOpen), "identity", 200)
	f("gzip", deflated(t, []byte(fullOpen)), "gzip", 200)
	f("gzip by its old name", deflated(t, []byte(fullOpen)), "X-GZIP", 200)
	f("the longest", padded(ingest.MaxBody), "", 200)
	f("the longest, inflated", deflated(t, padded(ingest.MaxBody)), "gzip", 200)
	f("too long", padded(ingest.MaxBody+1), "", 413)
	f("a bomb", deflated(t, make([]byte, 64<<20)), "gzip", 413)
	f("no gzip", []byte(fullOpen), "gzip", 400)
	f("half of it", deflated(t, []byte(fullOpen))[:100], "gzip", 400)
	f("another encoding", []byte(fullOpen), "br", 415)
}

// TestKeyAndSignatureInHeaders: a wrong signature is kept and marked, never
// refused, so that who forges learns nothing.
func TestKeyAndSignatureInHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.door(time.Nanosecond)
	body := []byte(`{"app":{"id":26538},"install_uuid":"i"}`)
	packed := deflated(t, body)
	f := func(name string, body []byte, unsigned bool, header ...string) {
		t.Helper()
		got := send(t, server, "/sdk/v1/open", body, header...)
		if got.status != 200 || w.last().Unsigned != unsigned {
			t.Errorf("%s: %+v, unsigned %v", name, got, w.last().Unsigned)
		}
	}
	key := []string{ingest.KeyHeader, someKey}
	signed := func(value string, more ...string) []string {
		return slices.Concat(key, []string{ingest.SignatureHeader, value}, more)
	}
	f("the key alone", body, false, key...)
	f("signed", body, false, signed(ingest.Sign(someSecret, "1795176000", body))...)
	f("signed as it was sent", packed, false, signed(ingest.Sign(someSecret, "1795176000", packed), "Content-Encoding", "gzip")...)
	f("spaces and more parts", body, false, signed(strings.ReplaceAll(ingest.Sign(someSecret, "1", body), ",", ", v0=x , "))...)
	f("another secret", body, true, signed(ingest.Sign("guess", "1795176000", body))...)
	f("another body", body, true, signed(ingest.Sign(someSecret, "1795176000", packed))...)
	f("another time", body, true, signed(strings.Replace(ingest.Sign(someSecret, "1795176000", body), "t=1", "t=2", 1))...)
	f("no time", body, true, signed(strings.Replace(ingest.Sign(someSecret, "", body), "t=,", "", 1))...)
	f("rubbish", body, true, signed("rubbish")...)
	if got := send(t, server, "/sdk/v1/open", []byte(least+`}`), ingest.KeyHeader, "rival-key"); got.status != 422 || got.at("errors.0.location") != "app_key" {
		t.Errorf("two keys: %+v", got)
	}
	if got := send(t, server, "/sdk/v1/open", body, ingest.KeyHeader, "nobody", ingest.SignatureHeader, "t=1,v1=00"); got.status != 404 {
		t.Errorf("an unknown key with a signature: %+v", got)
	}
	f("an account without a secret", []byte(`{"app":{"id":40002},"install_uuid":"i"}`), false, ingest.KeyHeader, "rival-key", ingest.SignatureHeader, "t=1,v1=00")
}

// TestPagesMayCall: web SDKs ask first.
func TestPagesMayCall(t *testing.T) {
	t.Parallel()
	server := newWorld(t).door(0)
	f := func(method, path string, status int, header, want string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != status || !strings.Contains(resp.Header.Get(header), want) || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: %d %v", method, path, resp.StatusCode, resp.Header)
		}
	}
	f(http.MethodOptions, "/sdk/v1/open", 204, "Access-Control-Allow-Headers", "X-Waypost-Key")
	f(http.MethodOptions, "/sdk/v1/events", 204, "Access-Control-Allow-Methods", "POST")
	f(http.MethodGet, "/sdk/v1/open", 405, "Allow", "POST")
	f(http.MethodOptions, "/sdk/v1/none", 404, "Content-Type", "problem+json")
}

func TestOwns(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{"/sdk/v1": true, "/sdk/v1/open": true, "/sdk/v1/x/y": true, "/sdk/v10/open": false, "/sdk": false, "/": false} {
		if got := ingest.Owns(path); got != want {
			t.Errorf("Owns(%q) is %v", path, got)
		}
	}
}

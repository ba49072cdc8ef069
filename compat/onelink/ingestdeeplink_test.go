package onelink_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
)

const (
	startTime = "2015-01-22T08:45:33.412"
	startIP   = "127.0.0.1"
	// documentedSig is what the vendor's reference shows for this time, address and key.
	documentedSig = "ce2d1e6b4619b9e19bc6be116183b92e43aa01e182b15012a7215bdd879ec327"
	someStart     = `{"is_first":"true","lang":"en-US","os":"14","type":"Pixel 8","request_id":"inst-1"`
	foundNothing  = `{"found":false,"click_event":{}}`
)

// start asks for the deep link of a start, whose body lacks the signed fields
// and its end.
func (w *reports) start(t testing.TB, app, body string) (int, http.Header, string) {
	t.Helper()
	body += `,"timestamp":"` + startTime + `","ip":"` + startIP + `"}`
	return send(t, w.base, "POST", "/v1.0/"+app+"?af_sig="+documentedSig, body)
}

func TestStartReachesTheLedger(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	const token = "OTAyMzg2MTI4MjYxMzc3OTg4Mw=="
	status, _, text := w.start(t, "android/com.golden.app", someStart+`,"gaid":{"type":"sha1","value":"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"},
		"oaid":{"type":"unhashed","value":"oaid-7"},"sharing_filter":["a_int"],
		"referrers":[{"source":"other","value":"af_tranid=x"},{"source":"huawei","value":"utm_source=x"},{"source":"google","value":"af_tranid=`+url.QueryEscape(token)+`&pid=Email"},{"source":"google","value":null}]`)
	if status != 200 || text != foundNothing {
		t.Fatalf("got %d %s", status, text)
	}
	got := w.ledger.LastTold(t)
	wantIDs := []event.DeviceID{{Kind: "gaid", Form: "sha1", Value: "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"}, {Kind: "oaid", Value: "oaid-7"}}
	if got.Kind != event.OpenKind || !got.First || got.Install != "inst-1" || got.App != goldenAndroid || got.Key != "first" || got.OS != "14" ||
		got.Model != "Pixel 8" || got.Locale != "en-US" || !reflect.DeepEqual(got.IDs, wantIDs) || got.At != noon.UnixMilli() || len(got.Flags) != 0 ||
		got.Referrer == nil || got.Referrer.Click != "9023861282613779883" || string(got.Params) != `{"_onelink":{"sharing_filter":["a_int"]}}` {
		t.Errorf("got %+v", got)
	}
	status, _, text = w.start(t, "ios/id1234567890", someStart+`,"idfv":{"type":"unhashed","value":"9C9A82FB-D5DE-4CD1-90C3-527441C11828"},
		"idfa":{"type":"unhashed","value":"9C9A82FB-D5DE-4CD1-90C3-527441C11829"},"att_status":2,"open_referrer":"com.other","referrers":[{"source":"google","value":"ignored"}]`)
	if status != 200 || text != foundNothing {
		t.Fatalf("got %d %s", status, text)
	}
	got = w.ledger.LastTold(t)
	if got.App != goldenIOS || got.Referrer != nil || got.Consent == nil || got.Consent.Tracking != "no" || len(got.IDs) != 1 || got.IDs[0].Kind != "idfv" ||
		string(got.Params) != `{"open_referrer":"com.other"}` {
		t.Errorf("got %+v", got)
	}
}

// TestStartsHaveNames: what a repetition has too, and what only one device has.
func TestStartsHaveNames(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	f := func(body, install, key string) {
		t.Helper()
		if status, _, text := w.start(t, "android/com.golden.app", body); status != 200 {
			t.Fatalf("%s: got %d %s", body, status, text)
		}
		got, asked := w.ledger.LastTold(t), w.decisions.Awaited()
		if !strings.HasPrefix(got.Install, install) || !strings.HasPrefix(got.Key, key) || asked[len(asked)-1] != got.Key {
			t.Errorf("%s: got install %q key %q", body, got.Install, got.Key)
		}
	}
	const nameless = `"lang":"en-US","os":"14","type":"Pixel 8"`
	f(`{"is_first":true,"request_id":"i1",`+nameless, "i1", "first")
	f(`{"is_first":"false","request_id":"i1",`+nameless, "i1", "start:h:")
	f(`{"is_first":"true",`+nameless+`,"gaid":{"type":"unhashed","value":"9c9a82fb-d5de-4cd1-90c3-527441c11828"}`, "gaid:9c9a82fb", "first")
	f(`{"is_first":"true",`+nameless, "h:", "first")
}

// TestTrap18NewUsersLearnTheDeepLinkAlone: of everything that the click said
// (spec-attribution §8).
func TestTrap18NewUsersLearnTheDeepLinkAlone(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	w.decide(emailClick())
	const want = `{"found":true,"click_event":{"timestamp":"2026-11-20T11:50:00.000","custom_params":{"deep_link_sub1":"26","deep_link_sub10":"x","deep_link_value":"apples"},
		"campaign_id":null,"match_type":"referrer","media_source":null,"campaign":null,"click_http_referrer":null,
		"af_sub1":null,"af_sub2":null,"af_sub3":null,"af_sub4":null,"af_sub5":null}}`
	status, _, text := w.start(t, "android/com.golden.app", someStart)
	if status != 200 || !sameJSON(t, text, want) {
		t.Errorf("got %d %s", status, text)
	}
	// It is told the same start again, whose answer may be lost, and no other.
	if status, _, text := w.start(t, "android/com.golden.app", someStart); status != 200 || !sameJSON(t, text, want) {
		t.Errorf("again: got %d %s", status, text)
	}
	if status, _, text := w.start(t, "android/com.golden.app", strings.Replace(someStart, `"true"`, `"false"`, 1)); status != 200 || text != foundNothing {
		t.Errorf("a later start: got %d %s", status, text)
	}
}

// emailClick has earned the installation inst-1 ten minutes after it.
func emailClick() won {
	return won{
		app: goldenAndroid, install: "inst-1", clicked: 10 * time.Minute, after: 10 * time.Minute,
		query: "pid=Email&c=Spring&af_c_id=c1&deep_link_value=apples&deep_link_sub1=26&deep_link_sub10=x&deep_link_sub11=no&deep_link_sub01=no&fruit=pear" +
			"&af_sub1=s1&af_sub5=s5&http_referrer=https%3A%2F%2Fshop.test%2F&advertising_id=9c9a82fb-d5de-4cd1-90c3-527441c11828",
		deepLink: "apples", method: attribution.ByReferrer, kind: attribution.Click, outcome: attribution.NewInstall,
		source: attribution.Source{Name: "Email", Campaign: "Spring", CampaignID: "c1"},
	}
}

// TestDeepLinkOfAnOldUser: who had the app before is told everything.
func TestDeepLinkOfAnOldUser(t *testing.T) {
	t.Parallel()
	const want = `{"found":true,"click_event":{"timestamp":"2026-11-20T11:50:00.000","custom_params":{"deep_link_sub1":"26","deep_link_sub10":"x","deep_link_value":"apples",
		"deep_link_sub11":"no","deep_link_sub01":"no","fruit":"pear"},"campaign_id":"c1","match_type":"referrer","media_source":"Email","campaign":"Spring",
		"click_http_referrer":"https://shop.test/","af_sub1":"s1","af_sub2":null,"af_sub3":null,"af_sub4":null,"af_sub5":"s5"}}`
	f := func(name, body string, change func(*won)) {
		t.Helper()
		w := goldenReports(t)
		click := emailClick()
		change(&click)
		w.decide(click)
		if status, _, text := w.start(t, "android/com.golden.app", body); status != 200 || !sameJSON(t, text, want) {
			t.Errorf("%s: got %d %s", name, status, text)
		}
	}
	f("won back", someStart, func(w *won) { w.outcome = attribution.Reattribution })
	f("not the first start", strings.Replace(someStart, `"true"`, `"false"`, 1), func(*won) {})
}

// TestDeepLinkWindow: a quarter of an hour, both ends included, and for clicks
// alone (spec-attribution §8, trap 19).
func TestDeepLinkWindow(t *testing.T) {
	t.Parallel()
	f := func(name string, found bool, change func(*won)) {
		t.Helper()
		w := goldenReports(t)
		click := emailClick()
		change(&click)
		w.decide(click)
		status, _, text := w.start(t, "android/com.golden.app", someStart)
		if status != 200 || strings.HasPrefix(text, `{"found":true,`) != found || !found && text != foundNothing {
			t.Errorf("%s: got %d %s", name, status, text)
		}
	}
	f("15 minutes", true, func(w *won) { w.clicked, w.after = 15*time.Minute, 15*time.Minute })
	f("a millisecond more", false, func(w *won) { w.clicked, w.after = 15*time.Minute+time.Millisecond, 15*time.Minute })
	f("a view", false, func(w *won) { w.kind = attribution.View })
	f("without a deep link", true, func(w *won) { w.query, w.deepLink = "pid=Email", "" })
	f("another app's", false, func(w *won) { w.app = bossIOS })
}

// TestLateDeepLinkCallSpendsNothing: what this call may not tell, another may.
func TestLateDeepLinkCallSpendsNothing(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	late := emailClick()
	late.clicked, late.after = 16*time.Minute, 10*time.Minute
	w.decide(late)
	for range 2 {
		if status, _, text := w.start(t, "android/com.golden.app", someStart); status != 200 || text != foundNothing {
			t.Fatalf("got %d %s", status, text)
		}
	}
	left, err := w.service.Ask(t.Context(), goldenAndroid, "inst-1", true)
	if err != nil || left.DeepLink != "apples" {
		t.Errorf("what is left is %q, %v", left.DeepLink, err)
	}
}

// TestDeepLinkIsOver: nothing is found of a link whose time is over for
// everybody, or that somebody else was told.
func TestDeepLinkIsOver(t *testing.T) {
	t.Parallel()
	f := func(name string, do func(*reports)) {
		t.Helper()
		w := goldenReports(t)
		w.decide(emailClick())
		do(w)
		if status, _, text := w.start(t, "android/com.golden.app", someStart); status != 200 || text != foundNothing {
			t.Errorf("%s: got %d %s", name, status, text)
		}
	}
	f("taken", func(w *reports) {
		if taken, err := w.service.Ask(t.Context(), goldenAndroid, "inst-1", true); err != nil || taken.DeepLink == "" {
			t.Errorf("took %+v, %v", taken, err)
		}
	})
	f("over", func(w *reports) {
		i, _, _ := w.decisions.ReadInstallation(t.Context(), goldenAndroid, "inst-1")
		i.LinkUntil = noon.Add(-time.Millisecond)
		w.decisions.Decide(i)
	})
}

// TestReengagedStart: the start that won a person back is told the click that
// did, whole, whenever he installed; his installation's deep link stays.
func TestReengagedStart(t *testing.T) {
	t.Parallel()
	laterStart := strings.Replace(someStart, `"true"`, `"false"`, 1)
	f := func(name string, clicked time.Duration, change func(*history.Installation), want string) {
		t.Helper()
		w := goldenReports(t)
		old := emailClick()
		old.clicked = 40 * 24 * time.Hour
		w.decide(old)
		if status, _, text := w.start(t, "android/com.golden.app", laterStart); status != 200 || text != foundNothing {
			t.Fatalf("%s: before it got %d %s", name, status, text)
		}
		i, _, _ := w.decisions.ReadInstallation(t.Context(), goldenAndroid, "inst-1")
		touch := history.Touch{Query: "pid=Mail&c=Back&deep_link_value=basket&fruit=plum&af_sub1=s9"}
		touch.ID = 77
		i.Reengagement = &attribution.Credit{Match: attribution.Match{
			Touch: touch.ID, Kind: attribution.Click, Method: attribution.ByOpenedURL, At: noon.Add(-clicked), Source: attribution.Source{Name: "Mail", Campaign: "Back"},
		}}
		i.ReengagedBy = w.ledger.LastTold(t).Key
		change(&i)
		w.decisions.Decide(i, touch)
		status, _, text := w.start(t, "android/com.golden.app", laterStart)
		if status != 200 || !sameJSON(t, text, want) {
			t.Errorf("%s: got %d %s", name, status, text)
		}
	}
	const found = `{"found":true,"click_event":{"timestamp":"2026-11-20T11:45:00.000","custom_params":{"deep_link_value":"basket","fruit":"plum"},
		"campaign_id":null,"match_type":"id_matching","media_source":"Mail","campaign":"Back","click_http_referrer":null,
		"af_sub1":"s9","af_sub2":null,"af_sub3":null,"af_sub4":null,"af_sub5":null}}`
	f("this start", 15*time.Minute, func(*history.Installation) {}, found)
	f("too long after the click", 15*time.Minute+time.Millisecond, func(*history.Installation) {}, foundNothing)
	f("another start", 15*time.Minute, func(i *history.Installation) { i.ReengagedBy = "start:another" }, foundNothing)
}

func TestMatchTypes(t *testing.T) {
	t.Parallel()
	for method, want := range map[attribution.Method]string{
		attribution.ByReferrer: "referrer", attribution.ByDeviceID: "id_matching", attribution.Probabilistic: "probabilistic",
		attribution.ByOpenedURL: "id_matching", attribution.ByClipboard: "id_matching",
	} {
		w := goldenReports(t)
		click := emailClick()
		click.method = method
		w.decide(click)
		if _, _, text := w.start(t, "android/com.golden.app", someStart); !strings.Contains(text, `"match_type":"`+want+`"`) {
			t.Errorf("%s: got %s", method, text)
		}
	}
}

// TestUndecidedStart: the start is kept, and whoever asks again is answered.
func TestUndecidedStart(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	w.decisions.OrganicAt(time.Time{})
	status, header, text := w.start(t, "android/com.golden.app", someStart)
	if status != 504 || text != "" || header.Get("Retry-After") != "2" || w.ledger.Count() != 1 {
		t.Fatalf("got %d %q %v", status, text, header)
	}
	first := w.ledger.LastTold(t).Key
	w.decide(emailClick())
	if status, _, text := w.start(t, "android/com.golden.app", someStart); status != 200 || !strings.Contains(text, "apples") || w.ledger.LastTold(t).Key != first {
		t.Errorf("again: got %d %s", status, text)
	}
}

func TestStartRefusals(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	f := func(app, sig, body, code, want string) {
		t.Helper()
		status, _, text := send(t, w.base, "POST", "/v1.0/"+app+"?af_sig="+sig, body)
		var got struct{ Code, Message string }
		if err := json.Unmarshal([]byte(text), &got); err != nil || status != 400 || got.Code != code || got.Message != "Bad Request: "+want {
			t.Errorf("%s: got %d %s, want %s, %s", body, status, text, code, want)
		}
	}
	const android, fine = "android/com.golden.app", someStart + `,"timestamp":"` + startTime + `","ip":"` + startIP + `"}`
	without := func(field string) string {
		var fields map[string]any
		if err := json.Unmarshal([]byte(fine), &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, field)
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, field := range []string{"is_first", "lang", "os", "timestamp", "type", "ip"} {
		f(android, documentedSig, without(field), "missing", field+": this field is mandatory")
	}
	const badSig = "af_sig: write the HMAC-SHA256, in hex, under the account's SDK secret"
	f(android, "", fine, "invalid_signature", badSig)
	f(android, "zz", fine, "invalid_signature", badSig)
	f(android, signature("other", startTime+startIP), fine, "invalid_signature", badSig)
	f(android, signature(goldenKey, startIP+startTime), fine, "invalid_signature", badSig)
	f("ios/id555555555", signature("", startTime+startIP), fine, "invalid_signature", badSig) // an account without a secret
	f("ios/1234567890", documentedSig, fine, "unknown_app", `app_id: no such app; an Apple id begins with "id"`)
	f("ios/com.golden.app", documentedSig, fine, "unknown_app", `app_id: no such app; an Apple id begins with "id"`)
	f(android, documentedSig, "", "malformed", "request body: must be a JSON object")
	f(android, documentedSig, strings.Replace(fine, `"true"`, `"perhaps"`, 1), "malformed", "is_first: write true or false")
	f(android, documentedSig, strings.Replace(fine, startIP, "here", 1), "malformed", `ip: "here" is no address`)
	f(android, documentedSig, strings.Replace(fine, startTime, "today", 1), "malformed", `timestamp: "today" is no instant: write Unix milliseconds, or 2026-11-20T12:00:00Z`)
	f(android, documentedSig, strings.Replace(fine, "{", `{"gaid":"x",`, 1), "malformed", `gaid: write {"type":"unhashed","value":"…"}`)
	f(android, documentedSig, strings.Replace(fine, "{", `{"oaid":{"type":"sha256","value":"x"},`, 1), "malformed", `oaid: type is unhashed, sha1 or md5, got "sha256"`)
	f(android, documentedSig, strings.Replace(fine, "{", `{"referrers":"x",`, 1), "malformed", `referrers: write [{"source":"google","value":"…"}]`)
	f(android, documentedSig, strings.Replace(fine, "{", `{"att_status":9,`, 1), "malformed", `att_status: write 1 to 4: authorized, denied, not determined, restricted; got "9"`)
	f(android, documentedSig, strings.Replace(fine, "inst-1", strings.Repeat("i", 129), 1), "too_long", "request_id: at most 128 bytes, got 129")
	if w.ledger.Count() != 0 || w.api.Stats().BadSignatures != 5 {
		t.Errorf("%d refused starts are in the ledger, %+v", w.ledger.Count(), w.api.Stats())
	}
}

func sameJSON(t testing.TB, got, want string) bool {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Errorf("%s: %v", got, err)
		return false
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(g, w)
}

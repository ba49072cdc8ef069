package onelink_test

import (
	"strings"
	"testing"

	"waypost/attribution/history"
	"waypost/link"
)

// TestRefusalsAreCountedOnce: whoever refuses, and unknown apps and tokens are
// shown to the account that was meant.
func TestRefusalsAreCountedOnce(t *testing.T) {
	t.Parallel()
	const (
		token   = "golden-token"
		fine    = someStart + `,"timestamp":"` + startTime + `","ip":"` + startIP + `"}`
		stolen  = "token stol…"
		unknown = "stolen-token-1"
	)
	sigOf := func(app string) string { return signature(goldenKey, epoch+"\u2063inst-1\u2063"+app) }
	type counted struct {
		refused, apps, keys uint64
		shown               string // to the account 101
	}
	f := func(name, method, target, body, headers string, want counted) {
		t.Helper()
		w := goldenReports(t)
		_, _, text := send(t, w.base, method, target, body, strings.Fields(headers)...)
		stats := w.service.Stats()
		got := counted{apps: stats.UnknownApps, keys: stats.UnknownKeys}
		for _, n := range stats.Refused {
			got.refused += n
		}
		list, err := w.service.Unknown(t.Context(), 101)
		if err != nil || len(list) > 1 {
			t.Fatalf("%s: shown %+v, %v", name, list, err)
		}
		for _, u := range list {
			got.shown = u.Name
			if kind := history.UnknownApp; (u.Kind == kind) != (want.apps == 1) {
				t.Errorf("%s: shown as %s", name, u.Kind)
			}
		}
		if got != want {
			t.Errorf("%s: counted %+v, want %+v; answered %s", name, got, want, text)
		}
	}
	const event = "authentication " + token
	f("an event", "POST", eventPath, someEvent, event, counted{})
	f("an event that is no object", "POST", eventPath, "{", event, counted{refused: 1})
	f("an event without a token", "POST", eventPath, someEvent, "", counted{refused: 1})
	f("an event that the service refuses", "POST", eventPath, strings.Replace(someEvent, "af_purchase", strings.Repeat("n", 300), 1), event, counted{refused: 1})
	f("an unknown token", "POST", eventPath, someEvent, "authentication "+unknown, counted{1, 0, 1, stolen})
	f("an unknown token for nobody's app", "POST", "/inappevent/com.nobody", someEvent, "authentication "+unknown, counted{1, 0, 1, ""})
	f("a short token", "POST", eventPath, someEvent, "authentication nobody", counted{1, 0, 1, "token …"})
	f("a token that may only read", "POST", eventPath, someEvent, "authentication golden-token-read", counted{refused: 1})
	f("a token without the app's group", "POST", eventPath, someEvent, "authentication golden-token-boss", counted{refused: 1})
	f("an event of an unknown app", "POST", "/inappevent/com.nobody", someEvent, event, counted{1, 1, 0, "com.nobody"})
	f("an event that is dropped", "POST", "/inappevent/1234567890", someEvent, event, counted{0, 1, 0, "1234567890 (write id1234567890)"})

	f("a click", "GET", clickPath+"?"+someClick, "", "", counted{})
	f("a click without a source", "GET", clickPath, "", "", counted{refused: 1})
	f("a click that the service refuses", "GET", clickPath+"?"+someClick+"&af_request_id="+strings.Repeat("r", 129), "", "", counted{refused: 1})
	f("a click with an unknown token", "GET", clickPath+"?"+someClick, "", "Authorization "+unknown, counted{1, 0, 1, stolen})
	f("a click with a token without the app's group", "GET", clickPath+"?"+someClick, "", "Authorization golden-token-boss", counted{refused: 1})
	f("a click of an unknown app", "GET", "/v1.0/s2s/click/app/android/com.nobody?"+someClick, "", "", counted{1, 1, 0, "android/com.nobody"})
	f("a URL that is too long", "GET", clickPath+"?x="+strings.Repeat("a", 17<<10), "", "", counted{refused: 1})

	const sig = "?af_sig=" + documentedSig
	f("a start", "POST", "/v1.0/android/com.golden.app"+sig, fine, "", counted{})
	f("a start that is no object", "POST", "/v1.0/android/com.golden.app"+sig, "[]", "", counted{refused: 1})
	f("a wrong signature", "POST", "/v1.0/android/com.golden.app?af_sig=00", fine, "", counted{refused: 1})
	f("a start of an unknown app", "POST", "/v1.0/android/com.nobody"+sig, fine, "", counted{1, 1, 0, "com.nobody"})
	f("a start of nobody's app", "POST", "/v1.0/android/com.nobody?af_sig=00", fine, "", counted{1, 1, 0, ""})
	f("a start with half an id", "POST", "/v1.0/ios/1234567890?af_sig=00", fine, "", counted{1, 1, 0, "1234567890 (write id1234567890)"})
	f("a start on another platform", "POST", "/v1.0/ios/com.golden.app?af_sig=00", fine, "", counted{1, 1, 0, "com.golden.app"})

	asked := func(app string) string { return "/install_data/v5.0/" + app + "?device_id=inst-1" }
	signed := func(app string) string { return "af_request_epoch_ms " + epoch + " af_sig " + sigOf(app) }
	f("a question about nobody", "GET", asked("com.golden.app"), "", signed("com.golden.app"), counted{})
	f("a question about an unknown app", "GET", asked("com.nobody"), "", signed("com.nobody"), counted{1, 1, 0, "com.nobody"})
	f("a question with half an id", "GET", asked("1234567890"), "", "af_request_epoch_ms "+epoch, counted{1, 1, 0, "1234567890 (write id1234567890)"})
	f("a question without a time", "GET", asked("com.golden.app"), "", "", counted{refused: 1})
}

// TestUnknownTokenIsNotShownWhole, and not to whom it does not concern.
func TestUnknownTokenIsNotShownWhole(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	w.sendEvent(t, eventPath, someEvent)
	send(t, w.base, "POST", eventPath, someEvent, "authentication", "golden-tokem-secret")
	for account := link.AccountID(100); account < 110; account++ {
		list, err := w.service.Unknown(t.Context(), account)
		if err != nil || (len(list) == 1) != (account == 101) || len(list) == 1 && list[0].Name != "token gold…" {
			t.Errorf("account %d is shown %+v, %v", account, list, err)
		}
	}
}

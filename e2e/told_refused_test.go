package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"waypost/ingest"
)

// TestRefusedIsReported signs an install wrongly: nobody is paid for it, its app
// learns nothing, and the account and the partner hear of it.
func TestRefusedIsReported(t *testing.T) {
	t.Parallel()
	refused := newReceiver(t)
	s := newShop(t, `{key: wide-refused, partner: wide, on: [rejected_install, rejected_event], method: GET, url: "`+refused.URL+`/refused?click={click_id}&why={rejection_reason}"}`)
	s.p.create(t, "forged", `{"pid":"wide","c":"forged","deep_link_value":"secret"}`)
	forged := func(signature, install string) (told opened) {
		t.Helper()
		body, err := json.Marshal(first(install, "203.0.113.131", fields{"referrer": fields{"raw": s.fromPlay("/A1b3/forged?clickid="+install, "203.0.113.131")}}))
		if err != nil {
			t.Fatal(err)
		}
		if signature == "" {
			signature = ingest.Sign("acme-sdk-secret", "1795176000", body)
		}
		eventually(t, "a signed open to be decided", func() bool {
			told = opened{}
			s.p.key(ingest.SignatureHeader, signature).must(t, http.MethodPost, "/sdk/v1/open", string(body), &told)
			return told.Attribution.Status != "pending"
		})
		return told
	}
	if told := forged("t=1,v1=00", "wrong"); told.Attribution.Status != "organic" || told.Attribution.Partner != 0 || told.DeepLink.Found {
		t.Errorf("who invents an install is told %+v", told)
	}
	if told := forged("", "right"); told.Attribution.Status != "non_organic" || told.DeepLink.Value != "secret" {
		t.Errorf("a signed install is told %+v", told)
	}
	if h := s.hooked("wrong", "rejected_install", ""); h.Verdict != "refused" || h.Rejection != "incorrect_signature" {
		t.Errorf("of the refused install the account hears %+v", h)
	}
	s.paid("/postback", "right")
	for install, why := range map[string]string{"wrong": "incorrect_signature", "right": "referrer"} {
		if out, stderr, code := run(t, "explain", "install", "--data", s.data, install); code != 0 || !strings.Contains(out, why) {
			t.Errorf("explain install %s: %d %s%s; want %s", install, code, out, stderr, why)
		}
		if status, body := s.p.call(t, "GET", "/waypost/v1/installs/26538/"+install, "acme-read-token", ""); status != 200 || !strings.Contains(body, why) {
			t.Errorf("the API explains %s as %d %s; want %s", install, status, body, why)
		}
	}
	s.counted("group_by=metric", map[string]int{"clicks": 2, "installs": 1, "rejected_installs": 1, "organic_installs": 0})
	k := s.close()
	if got := k.told("wide-install"); !maps.Equal(got, map[string]int{"install": 1}) {
		t.Errorf("of installs the partner is told %v", got)
	}
	if got := k.told("wide-refused"); !maps.Equal(got, map[string]int{"rejected_install": 1}) {
		t.Errorf("of refusals the partner is told %v", got)
	}
}

// TestEventBeforeItsInstall tells of a purchase first, as an app does whose
// first start got lost on its way: it is nobody's until the install comes.
func TestEventBeforeItsInstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "early", `{"pid":"wide","c":"early"}`)
	referrer := s.fromPlay("/A1b3/early?clickid=early-1", "203.0.113.141")
	s.event("late", "e-1", "purchase", fields{"revenue": fields{"amount": 5, "currency": "USD"}})
	if h := s.hooked("late", "event", "purchase"); h.Verdict != "organic" {
		t.Errorf("an event without an installation is %+v", h)
	}
	s.open(first("late", "203.0.113.142", fields{"referrer": fields{"raw": referrer}}))
	if p := s.paid("/event", "early-1"); p.query.Get("amount") != "5" {
		t.Errorf("of the purchase the partner hears %s", p.url)
	}
	s.counted("group_by=metric", map[string]int{"installs": 1, "events": 1, "organic_events": 0})
	if got := s.close().of("late"); !slices.Equal(got, []string{"event purchase credited event inherited", "install credited install referrer"}) {
		t.Errorf("decided is %q", got)
	}
}

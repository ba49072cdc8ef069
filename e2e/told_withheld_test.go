package e2e_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// TestWithheldFromPartners: events of a person who does not want a partner to
// hear of him are told to the account alone, until he says otherwise. Reports
// come packed, as servers send them. Beside it the account hears of impressions.
func TestWithheldFromPartners(t *testing.T) {
	t.Parallel()
	seen := newReceiver(t)
	s := newShop(t, fmt.Sprintf(`{key: seen, on: [impression], method: POST, url: "%s/seen"}`, seen.URL))
	s.p.create(t, "shy", `{"pid":"wide","c":"shy"}`)
	referrer := s.fromPlay("/A1b3/shy?clickid=theirs-20", "203.0.113.91")
	s.open(first("shy", "203.0.113.92", fields{"referrer": fields{"raw": referrer}}))
	s.paid("/postback", "theirs-20")
	at := time.Now()
	purchase := func(amount, filter string) {
		t.Helper()
		at = at.Add(time.Second)
		body := fmt.Sprintf(`{"appsflyer_id":"shy","eventName":"purchase","eventValue":"{\"af_revenue\":\"%s\"}","eventCurrency":"USD","eventTime":%q%s}`,
			amount, at.UTC().Format("2006-01-02 15:04:05.000"), filter)
		status, answer, err := s.p.report(s.client, &reported{"POST", "/inappevent/com.acme.app", packed(t, strings.NewReader(body)),
			[]string{"authentication", "acme-admin-token", "Content-Encoding", "gzip"}})
		if err != nil || status != 200 || answer != "OK" {
			t.Fatalf("an event is answered %d %s, %v", status, answer, err)
		}
	}
	purchase("1", `,"sharing_filter":["wide_int","other_int"]`)
	purchase("2", ``)
	purchase("3", `,"sharing_filter":[]`)
	purchase("4", ``)
	s.settled()
	s.tell("/sdk/v1/consent", said("shy", "", fields{"withhold": []string{"all"}}), nil)
	s.settled()
	purchase("5", ``)

	s.p.key("authorization", "acme-admin-token").must(t, "GET",
		"/v1.0/s2s/impression/app/android/com.acme.app?af_media_source=wide_int&af_campaign_id=c-9&af_request_id=r-20", "", nil)
	var all []heard
	eventually(t, "the webhook about the impression", func() bool { all = seen.heard(everything); return len(all) > 0 })
	if m := all[0].message; m.Kind != "impression" || m.Touch != "view" || m.Partner != "wide" {
		t.Errorf("of the impression the account hears %+v", m)
	}
	k := s.close()
	amounts := map[string]bool{}
	for i := range k.deliveries {
		if d := &k.deliveries[i]; d.Postback == "wide-event" {
			_, query, _ := strings.Cut(d.URL, "&amount=")
			amounts[query[:1]] = true
		}
	}
	if !maps.Equal(amounts, map[string]bool{"3": true, "4": true}) {
		t.Errorf("the partner is told of %v, want 3 and 4", amounts)
	}
	if got := k.told("hook"); !maps.Equal(got, map[string]int{"click": 1, "install": 1, "event": 5}) {
		t.Errorf("the account is told %v", got)
	}
	if got := k.told("seen"); !maps.Equal(got, map[string]int{"impression": 1}) {
		t.Errorf("of impressions the account is told %v", got)
	}
}

package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/postback"
)

var signatureForm = regexp.MustCompile(`^t=([0-9]+),v1=([0-9a-f]{64})$`)

// signed reports whether a request carries the signature that
// docs/postbacks.md describes, and is fresh.
func (h *heard) signed(secret string) error {
	m := signatureForm.FindStringSubmatch(h.signature)
	if m == nil {
		return fmt.Errorf("the signature is %q", h.signature)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s %s\n%s", m[1], h.method, h.url, h.body)
	if want := hex.EncodeToString(mac.Sum(nil)); m[2] != want {
		return fmt.Errorf("the signature is %s, want %s", m[2], want)
	}
	if t, err := strconv.ParseInt(m[1], 10, 64); err != nil || time.Since(time.Unix(t, 0)).Abs() > 5*time.Minute {
		return fmt.Errorf("the signature is of %s", m[1])
	}
	return postback.Verify(secret, h.signature, postback.Request{Method: h.method, URL: h.url, Body: h.body}, time.Now())
}

// TestWebhooksAreSigned checks what the account is told of a click, an install
// and an event, as the docs say that receivers should.
func TestWebhooksAreSigned(t *testing.T) {
	t.Parallel()
	const getSecret = "another-secret"
	get := newReceiver(t)
	s := newShop(t, fmt.Sprintf(`{key: signed, partner: wide, on: [install], method: GET, url: "%s/a%%20b/{campaign}?x={click_id}&y=%%2F&raw={network_name}", secret: %s}`, get.URL, getSecret))
	s.p.create(t, "sign", `{"pid":"wide","c":"a/b & c"}`)
	referrer := s.fromPlay("/A1b3/sign?clickid=ü+1", "203.0.113.81")
	s.open(first("signer", "203.0.113.82", fields{"referrer": fields{"raw": referrer}}))
	s.event("signer", "e-1", "größe", fields{"params": fields{"emoji": "🛒 <&>"}})
	install, event := s.hooked("signer", "install", ""), s.hooked("signer", "event", "größe")
	var all []heard
	eventually(t, "the webhook about the click", func() bool {
		all = s.hook.heard(everything)
		return len(all) == 3
	})
	keys := map[string]bool{}
	for _, h := range all {
		if err := h.signed(hookSecret); err != nil {
			t.Errorf("%s: %v", h.message.Kind, err)
		}
		if h.signed("a-guess") == nil {
			t.Errorf("%s: any secret fits the signature", h.message.Kind)
		}
		if h.method != "POST" || h.path != "/hook" || h.key == "" || h.key != h.message.ID || keys[h.key] {
			t.Errorf("%s %s has the key %q, and in its body %q", h.method, h.url, h.key, h.message.ID)
		}
		keys[h.key] = true
		if m := h.message; m.Kind == "click" && (m.Click != install.Click || m.Link != install.Link || m.Partner != "wide" || m.Campaign != "a/b & c") {
			t.Errorf("of the click the account hears %+v", m)
		}
	}
	if event.Click != install.Click || event.Verdict != "credited" {
		t.Errorf("of the event the account hears %+v", event)
	}
	eventually(t, "the signed GET", func() bool { all = get.heard(everything); return len(all) > 0 })
	if h := all[0]; h.signed(getSecret) != nil || !strings.HasSuffix(h.url, "/a%20b/a%2Fb%20%26%20c?x=%C3%BC%201&y=%2F&raw=wide") {
		t.Errorf("GET %s: %v", h.url, h.signed(getSecret))
	}
}

// answering is a server that answers everything so.
func answering(t *testing.T, code int, retryAfter string) *receiver {
	t.Helper()
	r := newReceiver(t)
	r.answer = func(_ *heard, w http.ResponseWriter) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.Header().Set("Location", r.URL+"/elsewhere")
		w.WriteHeader(code)
		fmt.Fprintf(w, "answer of %d", code)
	}
	return r
}

// planned is what becomes of a delivery after its first attempt.
type planned struct {
	status   history.DeliveryStatus
	code     int
	from, to time.Duration // of the next attempt after the first; zero: there is none
	answer   string
}

// inMinute is the schedule's first pause.
func inMinute(code int, answer string) planned {
	return planned{history.Waiting, code, 48 * time.Second, 72 * time.Second, answer}
}

// check holds a delivery against the plan; it was made at an instant.
func (w *planned) check(t *testing.T, d *history.Delivery, madeAt time.Time) {
	t.Helper()
	if d.Status != w.status || d.Code != w.code || d.Attempts != 1 || !strings.Contains(d.Answer, w.answer) {
		t.Errorf("%s: %s after %d attempts, %d %q", d.Postback, d.Status, d.Attempts, d.Code, d.Answer)
	}
	slack, pause := time.Since(madeAt), d.DueAt.Sub(madeAt)
	if w.to > 0 && (pause < w.from || pause > w.to+slack) || w.to == 0 && !d.DueAt.IsZero() {
		t.Errorf("%s is due %v after it was made, want %v to %v", d.Postback, pause, w.from, w.to)
	}
}

// TestPostbacksAreTriedAgain tells servers that are down, broken, busy or gone,
// looks at what is planned for each, and has some tried again at once by hand.
func TestPostbacksAreTriedAgain(t *testing.T) {
	t.Parallel()
	// Nobody is given port 1 by chance, as he may be one that was just closed.
	urls := map[string]string{"down": "http://127.0.0.1:1"}
	receivers := map[string]*receiver{
		"broken": answering(t, 500, ""), "busy": answering(t, 429, "7200"), "hasty": answering(t, 503, "1"), "gone": answering(t, 410, ""),
		"moved": answering(t, 302, ""), "fine": answering(t, 204, ""),
	}
	for key, r := range receivers {
		urls[key] = r.URL
	}
	var more []string
	for key, url := range urls {
		more = append(more, fmt.Sprintf(`{key: %s, on: [install], method: POST, url: "%s/%s", secret: %s}`, key, url, key, hookSecret))
	}
	s := newShop(t, more...)
	began := time.Now()
	s.open(first("told", "203.0.113.91", nil))
	s.hooked("told", "install", "")
	eventually(t, "a first attempt at everybody", func() bool {
		tried := 0
		for _, d := range s.deliveries("") {
			if urls[d.Postback] != "" && d.Attempts > 0 {
				tried++
			}
		}
		return tried == len(urls)
	})
	want := map[string]planned{
		"down": inMinute(0, "refused"), "broken": inMinute(500, "answer of 500"), "hasty": inMinute(503, "answer of 503"),
		"busy": {history.Waiting, 429, 2 * time.Hour, 2 * time.Hour, "answer of 429"}, "fine": {history.Delivered, 204, 0, 0, ""},
		"gone": {history.GivenUp, 410, 0, 0, "answer of 410"}, "moved": {history.GivenUp, 302, 0, 0, "answer of 302"},
	}
	k, first := s.close(), map[string]history.Delivery{}
	if took := time.Since(began); took > inMinute(0, "").from {
		t.Skipf("it took %v until the program had ended: second attempts were due", took)
	}
	for _, d := range k.deliveries {
		if w, ok := want[string(d.Postback)]; ok {
			w.check(t, &d, began)
			first[string(d.Postback)] = d
		}
	}
	if len(first) != len(want) {
		t.Fatalf("in the outbox are %v", first)
	}
	s.wellAgain(receivers, first, "broken", "busy", "gone")
}

func everything(*heard) bool { return true }

// wellAgain lets servers answer well from now on, and has the program, which has
// ended and begins anew, tell those again at the account's wish.
func (s *shop) wellAgain(receivers map[string]*receiver, first map[string]history.Delivery, well ...string) {
	s.Helper()
	s.p = s.start()
	for _, key := range well {
		receivers[key].mu.Lock()
		receivers[key].answer = nil
		receivers[key].mu.Unlock()
		retry := fmt.Sprintf("/waypost/v1/deliveries/%d/retry", first[key].ID)
		if status, body := s.p.call(s.T, http.MethodPost, retry, "rival-admin-token", ""); status != http.StatusNotFound {
			s.Errorf("another account repeats %s: %d %s", key, status, body)
		}
		if status, body := s.p.call(s.T, http.MethodPost, retry, "acme-admin-token", ""); status != http.StatusOK {
			s.Errorf("repeating %s by hand: %d %s", key, status, body)
		}
	}
	for _, key := range well {
		var all []heard
		eventually(s.T, "a second attempt at "+key, func() bool {
			all = receivers[key].heard(everything)
			return len(all) >= 2
		})
		if all[0].key != first[key].Key || all[1].key != first[key].Key || all[0].body != all[1].body {
			s.Errorf("%s is told %+v", key, all)
		}
		if err := all[1].signed(hookSecret); err != nil {
			s.Errorf("%s: %v", key, err)
		}
	}
	for _, d := range s.close().deliveries {
		before, asked := first[string(d.Postback)]
		switch {
		case !asked:
		case !before.DueAt.IsZero() && time.Now().After(before.DueAt): // its schedule went on meanwhile
		case slices.Contains(well, string(d.Postback)):
			if d.Status != history.Delivered || d.Attempts != 2 || d.Code != 200 {
				s.Errorf("%s: %s after %d attempts, %d", d.Postback, d.Status, d.Attempts, d.Code)
			}
		case d.Status != before.Status || d.Attempts != 1:
			s.Errorf("%s: %s after %d attempts; it was not due", d.Postback, d.Status, d.Attempts)
		}
	}
}

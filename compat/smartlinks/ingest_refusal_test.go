package smartlinks_test

import (
	"net/http"
	"strings"
	"testing"

	"waypost/event"
)

// refuse sends a message that must be refused whole, with a reason that begins
// with want.
func (s *ingestServer) refuse(path, body, want string) {
	s.t.Helper()
	before := len(s.all())
	status, _, text := s.post(path, body)
	if status != http.StatusBadRequest || !strings.HasPrefix(text, `{"success":"0","error":"`+want) {
		s.t.Errorf("%s\ngot  %d %s\nwant %s", body, status, text, want)
	}
	if kept := len(s.all()) - before; kept != 0 {
		s.t.Errorf("%s\nleft %d events", body, kept)
	}
}

// What may be a no is no yes: neither an id is kept on it, nor another no
// taken back.
func TestUnreadableConsentIsRefused(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	ids := `"event_name":"E","identity_link":{"id":"u7"},"device_ids":{"adid":"` + someADID + `","android_id":"f2cc57380588d73"}`
	for _, unread := range []string{`"yes"`, `"on"`, `"no"`, `2`, `-1`, `1.0`, `["true"]`, `[]`, `{}`, `"maybe"`} {
		const want = "data.device_limit_tracking must be true or false"
		for _, action := range []string{"install", "event", "session", "update", "identityLink", "click"} {
			s.refuse("/track/json", message(action, androidApp, "", ids+`,"device_limit_tracking":`+unread), want)
		}
		s.refuse("/track/kvquery", message("get_attribution", androidApp, "", ids+`,"device_limit_tracking":`+unread), want)
		s.refuse("/track/json", message("install", androidApp, `"device_limit_tracking":`+unread, ids), want[len("data."):])
		s.refuse("/track/json", message("install", iosApp, "", ids+`,"app_tracking_transparency":{"att":`+unread+`}`),
			"data.app_tracking_transparency.att must be true or false")
	}
	for _, unread := range []string{`true`, `1`, `"denied"`, `[{"att":true}]`} {
		s.refuse("/track/json", message("install", iosApp, "", ids+`,"app_tracking_transparency":`+unread), "data.app_tracking_transparency must be an object")
	}
	f := func(envelope, data string, limits event.YesNo, adid bool) {
		t.Helper()
		got := serveIngest(t).keep(message("install", androidApp, envelope, ids+data))
		said := event.YesNo("")
		if got.Consent != nil {
			said = got.Consent.LimitAds
		}
		if said != limits || strings.Contains(asJSON(t, got), someADID) != adid {
			t.Errorf("%s %s: got %s", envelope, data, asJSON(t, got))
		}
	}
	f("", `,"device_limit_tracking":true`, event.Yes, false)
	f("", `,"device_limit_tracking":"TRUE"`, event.Yes, false)
	f("", `,"device_limit_tracking":1`, event.Yes, false)
	f("", `,"device_limit_tracking":"1"`, event.Yes, false)
	f(`"device_limit_tracking":true`, "", event.Yes, false) // where the vendor's oldest tables have it
	f("", `,"device_limit_tracking":"0"`, event.No, true)
	f("", `,"device_limit_tracking":""`, "", true)
	f("", `,"device_limit_tracking":null`, "", true)
	f("", `,"app_tracking_transparency":""`, "", true)
}

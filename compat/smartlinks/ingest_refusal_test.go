package smartlinks_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"waypost/event"
)

// refuse sends a message that must be refused whole, with a reason that begins
// with want.
func (s *ingestServer) refuse(path, body, want string) {
	s.t.Helper()
	before, counted := len(s.all()), s.refusals()
	status, _, text := s.post(path, body)
	if status != http.StatusBadRequest || !strings.HasPrefix(text, `{"success":"0","error":"`+want) {
		s.t.Errorf("%s\ngot  %d %s\nwant %s", body, status, text, want)
	}
	if kept := len(s.all()) - before; kept != 0 {
		s.t.Errorf("%s\nleft %d events", body, kept)
	}
	if n := s.refusals() - counted; n != 1 {
		s.t.Errorf("%s\ncounted %d refusals", body, n)
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

// The credit that a referrer brings must not get lost where the install is
// acknowledged. Odd times lose none.
func TestUnreadableReferrerIsRefused(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	const click, raw = "9023861282613779883", "ko_click_id=9023861282613779883&utm_source=x"
	text := func(value string) string { return asJSON(t, value) }
	install := func(envelope, data string) string {
		return message("install", androidApp, `"kochava_device_id":"KD1"`+envelope, data)
	}
	for _, none := range []string{
		`["` + raw + `"]`, `[]`, `5`, `true`, `{"referrer":["` + raw + `"]}`, `{"referrer":{"x":1}}`, `{"referrer":5}`, `{"referrer":"{\"referrer\":1}"}`,
		text(`{"referrer":"` + raw), text(`[1]`), text(`"` + raw + `"`), text(`{"referrer":["` + raw + `"]}`), text(url.QueryEscape(`{"referrer":"` + raw)), text("%7B%2"),
	} {
		for _, field := range []string{"install_referrer", "conversion_data"} {
			s.refuse("/track/json", install("", `"`+field+`":`+none), "data."+field)
		}
		s.refuse("/track/json", install(`,"install_referrer":`+none, ""), "install_referrer")
		s.refuse("/track/json", message("session", androidApp, `"kochava_device_id":"KD1"`, `"install_referrer":`+none), "data.install_referrer")
	}
	credited := func(body string, flags ...string) {
		t.Helper()
		got := s.keep(body)
		if got.Referrer == nil || got.Referrer.Click != click || !slices.Equal(got.Flags, flags) {
			t.Errorf("%s: got %s", body, asJSON(t, got))
		}
	}
	for _, good := range []string{
		text(raw), text(url.QueryEscape(raw)), text(url.QueryEscape("&" + raw)), text(" " + raw), `{"referrer":"` + raw + `"}`, text(`{"referrer":"` + raw + `"}`),
		text(url.QueryEscape(`{"referrer":"` + raw + `"}`)),
	} {
		credited(install("", `"install_referrer":`+good))
		credited(install("", `"conversion_data":`+good))
		credited(install(`,"install_referrer":`+good, ""))
	}
	credited(install("", `"install_referrer":{"status":"not_supported"},"conversion_data":"`+raw+`"`))
	credited(install("", `"install_referrer":{"referrer":"`+raw+`","referrer_click_time":"soon"}`), event.ReferrerFlag)
	credited(install("", `"install_referrer":{"referrer":"`+raw+`","referrer_click_time":[1],"install_begin_time":true}`), event.ReferrerFlag)
	for _, nothing := range []string{`""`, `null`, `{}`, `{"attempt_count":3,"referrer":""}`, `{"referrer":null,"install_begin_time":null}`} {
		if got := s.keep(install("", `"install_referrer":`+nothing)); got.Referrer != nil || len(got.Flags) != 0 {
			t.Errorf("%s: got %s", nothing, asJSON(t, got))
		}
	}
}

// Mended, two names would be one installation, one person, one message.
func TestBrokenNamesAreRefused(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	const own = `"kochava_device_id":"KD1"`
	for _, half := range []string{`"x\ud800"`, `"x\uDFFF"`, `"\udc00\ud800"`, `"\ud800\ufffd"`} {
		const want = " must be Unicode"
		for _, action := range []string{"install", "event", "identityLink"} {
			all := `"event_name":"E","identity_link":{"id":"u7"}`
			s.refuse("/track/json", message(action, androidApp, `"kochava_device_id":`+half, all), "kochava_device_id"+want)
			s.refuse("/track/json", message(action, androidApp, own+`,"nt_id":`+half, all), "nt_id"+want)
			s.refuse("/track/json", message(action, androidApp, own, all+`,"device_ids":{"android_id":`+half+`}`), "data.device_ids.android_id"+want)
			s.refuse("/track/json", message(action, androidApp, own, all+`,"device_ids":[{},{"imei":`+half+`}]`), "data.device_ids[1].imei"+want)
			s.refuse("/track/json", message(action, androidApp, own+`,"device_ids":{"imei":`+half+`}`, all), "device_ids.imei"+want)
		}
		s.refuse("/track/json", message("event", androidApp, own, `"event_name":`+half), "data.event_name"+want)
		s.refuse("/track/json", message("identityLink", androidApp, own, `"identity_link":{"id":`+half+`}`), "data.identity_link.id"+want)
		s.refuse("/track/json", message("identityLink", androidApp, own, `"id":`+half), "data.id"+want)
		s.refuse("/track/json", message("install", androidApp, own, `"identity_link":{"a":"1","user_id":`+half+`}`), "data.identity_link.user_id"+want)
		s.refuse("/track/kvquery", message("get_attribution", androidApp, `"kochava_device_id":`+half, ""), "kochava_device_id"+want)
	}
	for _, none := range []string{`["KD1"]`, `{"x":1}`, `true`} {
		s.refuse("/track/json", message("install", androidApp, `"kochava_device_id":`+none, `"adid":"`+someADID+`"`), "kochava_device_id must be a string")
		s.refuse("/track/json", message("install", androidApp, own, `"device_ids":{"adid":`+none+`}`), "data.device_ids.adid must be a string")
	}
	for text, want := range map[string]string{`"x\ufffd�"`: "x\ufffd\ufffd", `"\ud83d\ude00"`: "😀", `"\\ud800"`: `\ud800`, `7`: "7"} {
		if got := s.keep(message("install", androidApp, `"kochava_device_id":`+text, "")); got.Install != want {
			t.Errorf("%s: got %q", text, got.Install)
		}
	}
	s.keep(message("event", androidApp, own, `"event_name":"E","event_data":{"a":"x\ud800"}`)) // names nothing
}

// Addresses are read as clients, servers and proxies write them.
func TestAddresses(t *testing.T) {
	t.Parallel()
	s := serveIngest(t)
	for text, want := range map[string]string{
		"203.0.113.8": "203.0.113.8", " 203.0.113.8 ": "203.0.113.8", "203.0.113.8:443": "203.0.113.8", "::ffff:203.0.113.8": "203.0.113.8",
		"2001:db8::1": "2001:db8::1", "[2001:db8::1]": "2001:db8::1", "[2001:db8::1]:443": "2001:db8::1", "fe80::1%eth0": "fe80::1",
	} {
		got := s.keep(message("install", androidApp, `"kochava_device_id":"KD1"`, `"origination_ip":`+asJSON(t, text)))
		if !slices.Equal(got.IPs, []string{want}) || len(got.Flags) != 0 {
			t.Errorf("%q: addresses %q, flags %q", text, got.IPs, got.Flags)
		}
	}
}

package singular_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"waypost/event"
)

// TestUnreadableConsentIsRefused: what may be a no takes back no other no, and
// keeps nobody's id.
func TestUnreadableConsentIsRefused(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	said := func(path, query, body, want string) {
		t.Helper()
		before := w.ledger.Count()
		if got := ask(t, base, "POST", path+"?"+query, body); !sameJSON(got, want) {
			t.Errorf("%s %s: got %s\nwant %s", query, body, got, want)
		}
		if kept := w.ledger.Count() - before; (kept == 1) != (want == accepted) {
			t.Errorf("%s %s: %d events are kept", query, body, kept)
		}
	}
	for _, path := range []string{"/api/v1/launch", "/api/v1/evt"} {
		for _, name := range []string{"dnt", "dntoff"} {
			unread := refused("invalid argument: " + name + ": it must be 1 or 0, true or false, yes or no")
			for _, value := range []string{"on", "off", "y", "n", "t", "f", "2", "-1", "maybe", "null"} {
				said(path, android+"&n=buy&"+name+"="+value, "", unread)
			}
			said(path, android+"&n=buy", `{"`+name+`":["1"]}`, unread)
			said(path, android+"&n=buy", `{"`+name+`":{}}`, unread)
			for _, value := range []string{"1", "0", "true", "FALSE", "Yes", "no"} {
				said(path, android+"&n=buy&"+name+"="+value, "", accepted)
			}
			said(path, android+"&n=buy", `{"`+name+`":true}`, accepted)
			said(path, android+"&n=buy", `{"`+name+`":null}`, accepted)
		}
		for _, options := range []string{`{"limit_data_sharing":"yes"}`, `{"limit_data_sharing":1}`, `[]`, `{`} {
			said(path, android+"&n=buy&data_sharing_options="+url.QueryEscape(options), "",
				refused(`invalid argument: data_sharing_options: it must be a JSON object such as {"limit_data_sharing":true}`))
		}
		for _, status := range []string{"4", "denied", "-1"} {
			said(path, android+"&n=buy&att_authorization_status="+status, "", refused("invalid argument: att_authorization_status: it must be 0 to 3"))
		}
	}
	said("/api/v1/launch", android+"&dnt=no", "", accepted)
	said("/api/v1/launch", android+"&dnt=yes", "", accepted)
	said("/api/v1/launch", android+"&dnt=on", "", refused("invalid argument: dnt: it must be 1 or 0, true or false, yes or no"))
	said("/api/v1/launch", android, "", accepted)
	if e := w.last(t); slices.ContainsFunc(e.IDs, func(id event.DeviceID) bool { return id.Kind == "gaid" }) {
		t.Errorf("after a refusal the advertising id is kept: %+v", e)
	}
}

// TestUnreadableReferrerIsRefused: the credit that a referrer brings must not
// get lost where the install is acknowledged. Odd times lose none.
func TestUnreadableReferrerIsRefused(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	const id, raw = "9023861282613779883", "singular_click_id=9023861282613779883&utm_source=x"
	tell := func(text, want string) event.Told {
		t.Helper()
		before := w.ledger.Count()
		if got := ask(t, base, "POST", "/api/v1/launch", android+"&install=true&install_ref="+url.QueryEscape(text)); !sameJSON(got, want) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if kept := w.ledger.Count() - before; (kept == 1) != (want == accepted) {
			t.Fatalf("%s: %d events are kept", text, kept)
		}
		if want != accepted {
			return event.Told{}
		}
		return w.last(t)
	}
	for _, none := range []string{
		`{"referrer":"` + raw, `{`, `[1]`, `[]`, `["` + raw + `"]`, `"` + raw + `"`, `{"referrer":["` + raw + `"]}`, `{"installReferrer":{"x":"` + raw + `"}}`,
		`{"referrer":5}`, `{"referrer":true}`, `{"referrer":"{\"referrer\":\"x\"}"}`, `{"referrer":"` + raw + `"} x`,
		url.QueryEscape(`{"referrer":"` + raw), url.QueryEscape(`[1]`), url.QueryEscape(`{"referrer":"x"}`)[:20] + "%2",
	} {
		tell(none, refused(`invalid argument: install_ref: it must be the store's referrer as it is, or a JSON object such as {"referrer":"…"}`))
	}
	credited := func(text string, flags ...string) {
		t.Helper()
		if e := tell(text, accepted); e.Referrer == nil || e.Referrer.Click != id || !slices.Equal(e.Flags, flags) {
			t.Errorf("%s: got %+v", text, e)
		}
	}
	credited(raw)
	credited(url.QueryEscape(raw))
	credited(url.QueryEscape("&" + raw))
	credited(`{"referrer":"` + raw + `"}`)
	credited(` {"REFERRER" : "` + url.QueryEscape(raw) + `","clickTimestampSeconds":1795175800} `)
	credited(url.QueryEscape(`{"referrer":"` + raw + `"}`))
	credited(url.QueryEscape(url.QueryEscape(`{"referrer":"` + raw + `"}`)))
	credited(`{"referrer":"`+raw+`","clickTimestampSeconds":"soon"}`, event.ReferrerFlag)
	credited(`{"referrer":"`+raw+`","clickTimestampSeconds":"soon","installBeginTimestampSeconds":{},"installBeginTimestampServerSeconds":1}`, event.ReferrerFlag)
	for _, text := range []string{"organic", `{}`, `{"referrer":""}`, `{"referrer":null,"status":"FEATURE_NOT_SUPPORTED"}`} {
		if e := tell(text, accepted); len(e.Flags) != 0 {
			t.Errorf("%s: got %+v", text, e)
		}
	}
	if e := tell("utm_source=x", accepted); e.Referrer.Raw != "utm_source=x" {
		t.Errorf("got %+v", e)
	}
}

// TestFlagsAreToldOnce: each is counted.
func TestFlagsAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	ask(t, base, "POST", "/api/v1/launch", android+"&utime=soon&umilisec=later&ip=here&ipv6=there")
	if e := w.last(t); !slices.Equal(e.Flags, []string{event.ClockFlag, event.AddressFlag}) {
		t.Errorf("flags %q", e.Flags)
	}
}

// TestBrokenNamesAreRefused: mended, two names would be one installation, one
// person, one event.
func TestBrokenNamesAreRefused(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	const launch, evt, evt2 = "/api/v1/launch", "/api/v1/evt", "/api/v2/evt"
	f := func(path, query, body, want string) {
		t.Helper()
		before := w.ledger.Count()
		if got := ask(t, base, "POST", path+"?"+query, body); !sameJSON(got, want) {
			t.Errorf("%s?%s %s: got %s\nwant %s", path, query, body, got, want)
		}
		if kept := w.ledger.Count() - before; (kept == 1) != (want == accepted) {
			t.Errorf("%s?%s %s: %d events are kept", path, query, body, kept)
		}
	}
	broken := func(name string) string { return refused("invalid argument: " + name + ": the text is not UTF-8") }
	for _, path := range []string{launch, evt, evt2} {
		for _, text := range []string{"u8x%FFy", "u8x%FEy", "%C3", "u8x%ED%A0%80"} {
			f(path, android+"&n=buy&sdid="+text, "", broken("sdid"))
			f(path, "", android+"&n=buy&sdid="+text, broken("sdid"))
		}
		for _, name := range []string{"sing", "match_id", "andi", "oaid", "custom_user_id", "i", "a", "SDID"} {
			f(path, android+"&n=buy&sdid=u8x&"+name+"=x%FF", "", broken(strings.ToLower(name)))
			f(path, android+"&n=buy&sdid=u8x", `{"`+name+`":"x\ud800"}`, broken(strings.ToLower(name)))
			f(path, android+"&n=buy&sdid=u8x", `{"`+name+`":"\uDC00\ud800\uFFFD"}`, broken(strings.ToLower(name)))
		}
	}
	f(evt, android+"&n=x%FF", "", broken("n"))
	f(evt, android, `{"n":"x\udbff"}`, broken("n"))
	f(launch, android+"&n=My%FFApp&mo=x%FF&install_ref=utm_source%3Dx%FF", "", accepted) // they name nothing: such bytes are replaced
	f(evt, android+"&n=buy", `{"e":{"a":"x\ud800"}}`, accepted)
	named := func(query, body, want string) {
		t.Helper()
		f(launch, android+query, body, accepted)
		if got := w.last(t).Install; got != want {
			t.Errorf("%s %s: got %q, want %q", query, body, got, want)
		}
	}
	named("&sdid=u8x%C3%BFy", "", "instance:u8xÿy")
	named("&sdid=u8x%EF%BF%BD", "", "instance:u8x\ufffd")
	named("", `{"sdid":"u8x\ufffd�"}`, "instance:u8x\ufffd\ufffd")
	named("", `{"sdid":"\ud83d\ude00"}`, "instance:😀")
	named("&sdid=u8x%zz", "", "instance:u8x%zz")
}

// TestAddresses: they are read as clients, servers and proxies write them.
func TestAddresses(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	for _, path := range []string{"/api/v1/launch", "/api/v1/evt"} {
		for text, want := range map[string]string{
			"203.0.113.8": "203.0.113.8", "203.0.113.8:443": "203.0.113.8", "::ffff:203.0.113.8": "203.0.113.8",
			"2001:db8::1": "2001:db8::1", "[2001:db8::1]": "2001:db8::1", "[2001:db8::1]:443": "2001:db8::1", "fe80::1%eth0": "fe80::1",
		} {
			for _, name := range []string{"ip", "ipv6"} {
				ask(t, base, "POST", path, android+"&n=buy&"+name+"="+url.QueryEscape(text))
				if e := w.last(t); !slices.Equal(e.IPs, []string{want}) || len(e.Flags) != 0 {
					t.Errorf("%s %q: addresses %q, flags %q", name, text, e.IPs, e.Flags)
				}
			}
		}
	}
}

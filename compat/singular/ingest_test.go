package singular_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/compat/singular"
	"waypost/event"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/link"
)

const (
	phoneIDFV = "a1b2c3d4-0000-4000-9000-00000000beef"
	phoneGAID = "38400000-8cf0-41bd-b23e-10b96e40000d"
	phoneASID = "c0ffee00-1111-4222-8333-444455556666"
	iosApp    = "a=acme-sdk-key&p=iOS&i=com.acme.app&idfv=" + phoneIDFV
	android   = "a=acme-sdk-key&p=Android&i=com.acme.app&aifa=" + phoneGAID + "&asid=" + phoneASID
)

// ask makes one call and wants an answer of 200.
func ask(t testing.TB, base, method, target, body string, headers ...string) string {
	t.Helper()
	status, header, text := send(t, base, method, target, body, append([]string{"Authorization", ""}, headers...)...)
	if status != 200 || header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %s: got %d %s", method, target, status, text)
	}
	return text
}

func refused(reason string) string {
	text, err := json.Marshal(map[string]string{"status": "error", "reason": reason})
	if err != nil {
		panic(err)
	}
	return string(text)
}

const accepted = `{"status":"ok"}`

func TestIngestReasons(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	f := func(path, query, want string) {
		t.Helper()
		before, counted := w.ledger.Count(), w.refusals()
		if got := ask(t, base, "GET", path+"?"+query, ""); !sameJSON(got, want) {
			t.Errorf("%s?%s: got %s\nwant %s", path, query, got, want)
		}
		if kept := w.ledger.Count() - before; (kept == 1) != (want == accepted) || kept+int(w.refusals()-counted) != 1 {
			t.Errorf("%s?%s: %d events are kept, %d refusals counted", path, query, kept, w.refusals()-counted)
		}
	}
	const launch, evt, evt2 = "/api/v1/launch", "/api/v1/evt", "/api/v2/evt"
	f(launch, "a=acme-sdk-key&p=i%0D%0AOS", refused("invalid platform: iOS"))
	for _, path := range []string{launch, evt, evt2} {
		f(path, "", refused("missing argument: a"))
		f(path, "p=x", refused("missing argument: a"))
		f(path, "a=nobody", refused("invalid SDK key: no account has the one in a"))
		f(path, "a=acme-sdk-key", refused("missing argument: p"))
		f(path, "a=acme-sdk-key&p=", refused("missing argument: p"))
		f(path, "a=acme-sdk-key&p=com.acme.app&i=dev", refused("invalid platform: com.acme.app"))
		f(path, "a=acme-sdk-key&p="+strings.Repeat("%C3%A9", 40), refused("invalid platform: "+strings.Repeat("é", 32)))
		f(path, "a=acme-sdk-key&p=iOS", refused("missing argument: i"))
	}
	f(evt, "a=acme-sdk-key&p=iOS&i=com.acme.app", refused("missing argument: n"))
	f(evt2, "a=acme-sdk-key&p=iOS&i=com.acme.app", refused("missing argument: n"))
	f(launch, "a=acme-sdk-key&p=iOS&i=com.acme.app", refused("no device ID supplied"))
	f(evt, "a=acme-sdk-key&p=iOS&i=com.acme.app&n=buy", refused("no device ID supplied"))
	f(evt, "a=acme-sdk-key&p=iOS&i=com.acme.app&n=buy&idfa=00000000-0000-0000-0000-000000000000&custom_user_id=u", refused("no device ID supplied"))
	f(evt2, iosApp+"&n=buy", refused("no device ID supplied")) // v2 knows sdid alone
	f(evt2, "a=acme-sdk-key&p=iOS&i=com.acme.app&n=buy&sdid=unknown", refused("platform: iOS should have an sdid param"))
	f(launch, "a=acme-sdk-key&p=iOS&i=com.acme.app&idfa="+phoneIDFV, refused("platform: iOS should have an idfv param"))
	f(launch, "a=acme-sdk-key&p=ios&i=com.acme.app&idfv=nonsense", refused("platform: ios should have an idfv param"))
	f(launch, "a=acme-sdk-key&p=Android&i=com.acme.app&idfv="+phoneIDFV, refused("platform: Android should have an asid param"))
	f(launch, "a=acme-sdk-key&p=Web&i=www.acme.test&idfv="+phoneIDFV, refused("platform: Web should have an sdid param"))
	f(launch, "a=acme-sdk-key&p=CTV&i=com.acme.app&aifa="+phoneGAID, refused("platform: CTV should have an sdid param"))
	f(launch, "a=acme-sdk-key&p=iOS&i=com.acme.none&idfv="+phoneIDFV, refused("invalid app: the account has none with the identifier in i on this platform"))
	f(launch, "a=acme-sdk-key&p=iOS&i=COM.ACME.APP&idfv="+phoneIDFV, refused("invalid app: the account has none with the identifier in i on this platform"))
	f(launch, "a=acme-sdk-key&p=Web&i=www.rival.test&sdid=1234567", refused("invalid app: the account has none with the identifier in i on this platform"))
	f(launch, "a=acme-sdk-key&p=PC&i=com.acme.app&sdid=1234567", refused("invalid argument: p: the account has apps of this name on several platforms: say which"))
	f(launch, iosApp+"&att_authorization_status=4", refused("invalid argument: att_authorization_status: it must be 0 to 3"))
	f(launch, iosApp+"&data_sharing_options=no", refused(`invalid argument: data_sharing_options: it must be a JSON object such as {"limit_data_sharing":true}`))
	f(launch, iosApp+"&openuri=acme%3A%2F%2F%00", refused("invalid argument: openuri: the text holds control characters"))
	f(evt, iosApp+"&n="+strings.Repeat("x", 300), refused("invalid argument: n: at most 256 bytes, got 300"))

	f(launch, iosApp, accepted)
	f(launch, android, accepted)
	f("//api/v1//launch/", iosApp, accepted)
	f(evt, iosApp+"&n=buy", accepted)
	f(evt2, "a=acme-sdk-key&p=iOS&i=com.acme.app&n=buy&sdid=0f9d8c7b-1", accepted)
	f(launch, "a=acme-sdk-key&p=iOS&i=1234567890&idfv="+phoneIDFV, accepted)
	for _, id := range []string{"aifa=" + phoneGAID, "asid=" + phoneASID, "oaid=abc-123", "amid=" + phoneGAID, "andi=9774d56d682e5499"} {
		f(launch, "a=acme-sdk-key&p=Android&i=com.acme.app&"+id, accepted)
	}
	for _, id := range []string{"sdid=1234567", "sing=1234567", "match_id=1234567"} {
		f(launch, "a=acme-sdk-key&p=Web&i=https%3A%2F%2Fwww.acme.test%2F&"+id, accepted)
	}
	f(launch, "a=acme-sdk-key&p=web&i=acme.test&sdid=1234567", accepted)
	if got, err := w.service.Unknown(t.Context(), 5899); err != nil || len(got) != 3 || w.service.Stats().UnknownKeys != 3 {
		t.Errorf("unknown apps %+v, %v, unknown keys %d", got, err, w.service.Stats().UnknownKeys)
	}
	f(launch, "a=misspelt&p=iOS&i=com.acme.app", refused("invalid SDK key: no account has the one in a"))
	if got, err := w.service.Unknown(t.Context(), 5899); err != nil || len(got) != 4 || !slices.ContainsFunc(got, func(u history.Unknown) bool {
		return u.Kind == history.UnknownKey && u.Name == "misspelt" && u.Reports == 1
	}) {
		t.Errorf("the account is shown %+v, %v", got, err)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// TestIngestForms: the same parameters say the same in a query, a form, a JSON
// object, and spread over them.
func TestIngestForms(t *testing.T) {
	t.Parallel()
	const evt = "/api/v1/evt"
	query := android + "&n=level_up&ip=203.0.113.77&ve=16&mo=Pixel+10&lc=en_US&e=%7B%22level%22%3A%225%22%7D&umilisec=1795175940000"
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	object := map[string]any{}
	for name := range values {
		object[name] = values.Get(name)
	}
	object["e"] = map[string]string{"level": "5"}
	object["umilisec"] = 1795175940000
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	front, rest, _ := strings.Cut(query, "&n=")
	var first event.Told
	f := func(method, target, body string, headers ...string) {
		t.Helper()
		w := newIntake(t, acmeRules(t))
		if got := ask(t, w.serve(t), method, target, body, headers...); got != accepted {
			t.Fatalf("%s %s %s: %s", method, target, body, got)
		}
		got := w.last(t)
		if got.ID = 0; first.Key == "" {
			first = got
		}
		if !reflect.DeepEqual(got, first) {
			t.Errorf("%s %s %s:\ngot  %+v\nwant %+v", method, target, body, got, first)
		}
	}
	const form, plainJSON = "application/x-www-form-urlencoded", "application/json"
	f("GET", evt+"?"+query, "")
	f("POST", evt, query, "Content-Type", form)
	f("POST", evt, query)
	f("POST", evt, string(text), "Content-Type", plainJSON)
	f("POST", evt, string(text), "Content-Type", form)
	f("POST", evt, "\xef\xbb\xbf "+string(text))
	f("POST", evt+"?"+front, "n="+rest, "Content-Type", form)
	f("POST", evt+"?"+front+"&n=overridden", "n="+rest, "Content-Type", form)
	f("POST", evt+"?"+query, `{"n":null,"ve":""}`, "Content-Type", plainJSON)
	f("GET", evt+"?"+strings.Replace(query, "&n=", "&N=", 1), "")

	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	g := func(body, contentType, want string) {
		t.Helper()
		if got := ask(t, base, "POST", evt, body, "Content-Type", contentType); !sameJSON(got, want) {
			t.Errorf("%.40q: %s", body, got)
		}
	}
	g(`{"a":`, form, refused("invalid argument: request body: write a form or a JSON object in UTF-8"))
	g(`[]`, plainJSON, refused("invalid argument: request body: write a form or a JSON object in UTF-8"))
	g(`{"a":"`+"\xff"+`"}`, plainJSON, refused("invalid argument: request body: write a form or a JSON object in UTF-8"))
	g("a="+strings.Repeat("x", 1<<20), form, refused("invalid argument: request body: it is longer than 1 MiB"))
	g("%zz;&&=", form, refused("missing argument: a"))
	if w.ledger.Count() != 0 || w.refusals() != 5 {
		t.Errorf("%d events are kept, %d refusals counted", w.ledger.Count(), w.refusals())
	}
}

func TestIngestTold(t *testing.T) {
	t.Parallel()
	rules := acmeRules(t)
	w := newIntake(t, rules)
	base := w.serve(t)
	now := rules.clock.Now()
	f := func(path, query string, check func(e event.Told) bool) {
		t.Helper()
		if got := ask(t, base, "GET", path+"?"+query, ""); got != accepted {
			t.Errorf("%s?%s: %s", path, query, got)
		}
		if e := w.last(t); !check(e) || e.Dialect != link.Singular || e.Account != 5899 {
			t.Errorf("%s?%s: %+v", path, query, e)
		}
	}
	const launch, evt = "/api/v1/launch", "/api/v1/evt"
	at := func(d time.Duration) int64 { return now.Add(d).UnixMilli() }

	f(launch, iosApp+"&ve=17.5&mo=iPhone15,2&lc=de_DE&app_v=3.1&sdk=x/1&ua=Mozilla/5.0&country=de&custom_user_id=u7&install=true&umilisec=1795175940123", func(e event.Told) bool {
		return e.Kind == event.OpenKind && e.App == 24171 && e.Install == "idfv:"+phoneIDFV && e.Platform == device.IOS && e.OS == "17.5" && e.Model == "iPhone15,2" &&
			e.Locale == "de-DE" && e.AppVersion == "3.1" && e.SDK == "x/1" && e.Agent == "Mozilla/5.0" && e.Country == "DE" && e.User == "u7" && e.First &&
			e.At == 1795175940123 && e.Params == nil && len(e.Flags) == 0 && len(e.IPs) == 0 && e.Consent == nil
	})
	f(launch, android, func(e event.Told) bool {
		return e.App == 26538 && e.Install == "app_set:"+phoneASID && e.Platform == device.Android && !e.First && e.At == at(0) &&
			slices.Contains(e.IDs, event.DeviceID{Kind: "gaid", Value: phoneGAID}) && slices.Contains(e.IDs, event.DeviceID{Kind: "app_set", Value: phoneASID})
	})
	f(launch, android+"&sdid=0f9d8c7b", func(e event.Told) bool { return e.Install == "instance:0f9d8c7b" && len(e.IDs) == 3 })
	f(launch, "a=acme-sdk-key&p=Android&i=com.acme.app&amid="+phoneGAID, func(e event.Told) bool { return e.App == 26538 && e.Platform == device.FireOS })

	f(launch, iosApp+"&utime=1795175900", func(e event.Told) bool { return e.At == 1795175900000 })
	f(launch, iosApp+"&utime=1795175900&umilisec=1795175940001", func(e event.Told) bool { return e.At == 1795175940001 })
	f(launch, iosApp+"&utime=soon", func(e event.Told) bool { return e.At == at(0) && slices.Contains(e.Flags, event.ClockFlag) })
	f(launch, iosApp+"&utime=1000000000", func(e event.Told) bool {
		return e.At == at(0) && e.ClaimedAt == 1000000000000 && slices.Contains(e.Flags, event.ClockFlag)
	})

	f(launch, iosApp+"&ip=203.0.113.77", func(e event.Told) bool { return slices.Equal(e.IPs, []string{"203.0.113.77"}) })
	f(launch, iosApp+"&ip=203.0.113.77&ipv6=2001:db8::1&use_ip=true", func(e event.Told) bool {
		return slices.Equal(e.IPs, []string{"203.0.113.77", "2001:db8::1"})
	})
	f(launch, iosApp+"&use_ip=true", func(e event.Told) bool { return slices.Equal(e.IPs, []string{"198.51.100.7"}) })
	f(launch, iosApp+"&use_ip=false", func(e event.Told) bool { return len(e.IPs) == 0 })
	f(launch, iosApp+"&ip=nowhere", func(e event.Told) bool { return len(e.IPs) == 0 && slices.Contains(e.Flags, event.AddressFlag) })

	consent := func(query string, want *event.Consent) {
		t.Helper()
		f(launch, iosApp+query, func(e event.Told) bool { return reflect.DeepEqual(e.Consent, want) })
	}
	consent("&att_authorization_status=0", &event.Consent{})
	consent("&att_authorization_status=1", &event.Consent{Tracking: "no"})
	consent("&att_authorization_status=2", &event.Consent{Tracking: "no"})
	consent("&att_authorization_status=3", &event.Consent{Tracking: "yes"})
	consent("&att_authorization_status=3&data_sharing_options=%7B%22limit_data_sharing%22%3Atrue%7D", &event.Consent{Tracking: "yes", Advertising: "no"})
	consent("&data_sharing_options=%7B%22limit_data_sharing%22%3Afalse%7D", &event.Consent{Advertising: "yes"})
	consent("&data_sharing_options=%7B%7D", &event.Consent{})
	consent("&data_sharing_options=%7B%7D&dnt=1", &event.Consent{LimitAds: event.Yes})
	consent("&dnt=0", &event.Consent{LimitAds: event.No})
	consent("&dntoff=0", &event.Consent{LimitAds: event.Yes})
	consent("&dntoff=1", &event.Consent{LimitAds: event.No})
	consent("&dnt=1&dntoff=1", &event.Consent{LimitAds: event.Yes})
	consent("&dnt=0&dntoff=0", &event.Consent{LimitAds: event.Yes})
	f(launch, iosApp+"&idfa="+phoneGAID+"&att_authorization_status=2", func(e event.Told) bool {
		return !slices.Contains(e.IDs, event.DeviceID{Kind: "idfa", Value: phoneGAID}) // refused ids do not reach the ledger
	})

	f(launch, iosApp+"&cn=Carrier&c=wifi&skan_conversion_value=7&install_receipt=MIIT&fcm=token&apns_token=token&attribution_token=t&h=1&install_source=store", func(e event.Told) bool {
		return string(e.Params) == `{"c":"wifi","cn":"Carrier","install_source":"store","skan_conversion_value":"7"}`
	})
	f(evt, iosApp+"&n=share&e=%7B%22b%22%3A%7B%22c%22%3A1%7D%2C%22a%22%3A%22x%22%7D&global_properties=%7B%22plan%22%3A%22pro%22%7D&ma=Apple", func(e event.Told) bool {
		return e.Kind == event.InAppKind && e.Name == "share" && e.Amount == "" && e.Currency == "" &&
			string(e.Params) == `{"a":"x","b":{"c":1},"global_properties":{"plan":"pro"},"ma":"Apple"}`
	})
	f(evt, iosApp+"&n=share&e=plain", func(e event.Told) bool { return string(e.Params) == `{"e":"plain"}` })
	f(evt, iosApp+"&n=share&e=%7B%22a%22%3A%22"+strings.Repeat("x", 600)+"%22%7D", func(e event.Told) bool {
		return string(e.Params) == `{"a":"`+strings.Repeat("x", 500)+`"}`
	})
	f(evt, iosApp+"&n=share&purchase_receipt="+strings.Repeat("x", 40000), func(e event.Told) bool { return e.Params == nil })
}

func TestIngestRevenue(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	f := func(query, amount, currency string, flags ...string) {
		t.Helper()
		if got := ask(t, base, "GET", "/api/v1/evt?"+iosApp+"&"+query, ""); got != accepted {
			t.Errorf("%s: %s", query, got)
		}
		if e := w.last(t); e.Amount != amount || e.Currency != currency || !slices.Equal(e.Flags, flags) {
			t.Errorf("%s: got %q %q %q, want %q %q %q", query, e.Amount, e.Currency, e.Flags, amount, currency, flags)
		}
	}
	f("n=buy&amt=4.99&cur=USD", "4.99", "USD")
	f("n=buy&amt=4.99&cur=usd&is_revenue_event=true", "4.99", "USD")
	f("n=buy&amt=4.99&is_revenue_event=false&cur=EUR", "4.99", "EUR") // an amount is revenue whatever else is said
	f("n=buy&amt=0&cur=USD", "", "")
	f("n=buy&amt=-0.00&cur=USD", "", "")
	f("n=buy&cur=USD", "", "")
	f("n=buy&amt=0&cur=USD&is_revenue_event=true", "0", "USD")
	f("n=__iap__&cur=USD", "0", "USD")
	f("n=__iap__&amt=-3&cur=USD", "-3", "USD")
	f("n=buy&amt=free&cur=USD", "free", "USD", event.AmountFlag)
	f("n=buy&amt=4.99", "4.99", "", event.CurrencyFlag)
	f("n=buy&amt=4.99&cur=XXZ", "4.99", "XXZ", event.CurrencyFlag)
	f("n=__iap__&prc=1.5&q=3&cur=GBP&pn=gem&psku=g1", "4.5", "GBP")
	f("n=__iap__&prc=1.5&q=some&cur=GBP", "1.5 x some", "GBP", event.AmountFlag)
	f("n=__iap__&prc=1.5&cur=GBP", "1.5", "GBP")
	f("n=buy&r=2&pcc=JPY", "2", "JPY")
	f("n=buy&e="+url.QueryEscape(`{"is_revenue_event":true,"r":2.5,"pcc":"JPY"}`), "2.5", "JPY")
	f("n=buy&e="+url.QueryEscape(`{"pp":"2","pq":2,"pcc":"JPY"}`), "4", "JPY")
	f("n=__ADMON_USER_LEVEL_REVENUE__&e="+url.QueryEscape(`{"ad_platform":"x","ad_currency":"USD","ad_revenue":0.000123,"is_admon_revenue":true}`), "0.000123", "USD")
}

func TestIngestReferrer(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	f := func(text string, want *event.Referrer) {
		t.Helper()
		if got := ask(t, base, "POST", "/api/v1/launch", android+"&install_ref="+url.QueryEscape(text)); got != accepted {
			t.Errorf("%s: %s", text, got)
		}
		if e := w.last(t); !reflect.DeepEqual(e.Referrer, want) {
			t.Errorf("%s: got %+v, want %+v", text, e.Referrer, want)
		}
	}
	const id, raw = "9023861282613779883", "singular_click_id=9023861282613779883&utm_source=x"
	f(raw, &event.Referrer{Raw: raw, Click: id})
	f(url.QueryEscape(raw), &event.Referrer{Raw: url.QueryEscape(raw), Click: id})
	f(`{"referrer":"`+url.QueryEscape(raw)+`","referrer_source":"service","clickTimestampSeconds":1795175800,"installBeginTimestampSeconds":"1795175900"}`,
		&event.Referrer{Raw: url.QueryEscape(raw), Click: id, ClickAt: 1795175800000, InstallBeginAt: 1795175900000})
	f(`{"installReferrer":"utm_source=google-play&utm_medium=organic","referrerClickTimestampSeconds":0,"referrer_click_timestamp_server_seconds":1795175801,"install_begin_timestamp_server_seconds":1795175901}`,
		&event.Referrer{Raw: "utm_source=google-play&utm_medium=organic", ClickServerAt: 1795175801000, InstallBeginServerAt: 1795175901000})
	f(`{"referrer":null,"clickTimestampSeconds":"-1"}`, nil)
}

// TestIngestRepetition: what was sent again is the same event, whatever way it
// takes; without a time in it for an hour.
func TestIngestRepetition(t *testing.T) {
	t.Parallel()
	rules := acmeRules(t)
	w := newIntake(t, rules)
	base := w.serve(t)
	key := func(method, path, query, body string) string {
		t.Helper()
		if got := ask(t, base, method, path+"?"+query, body); got != accepted {
			t.Fatalf("%s?%s: %s", path, query, got)
		}
		return w.last(t).Key
	}
	const evt = "/api/v1/evt"
	timed := iosApp + "&n=buy&amt=1&cur=USD&umilisec=1795175940000"
	first, untimed := key("GET", evt, timed, ""), key("GET", evt, iosApp+"&n=buy", "")
	same := func(want, got string) {
		t.Helper()
		if got != want || got == "" {
			t.Errorf("got the key %q, want %q", got, want)
		}
	}
	same(first, key("GET", evt, timed, ""))
	same(first, key("POST", evt, "", timed))
	same(untimed, key("GET", evt, "n=buy&"+iosApp, ""))
	keys := []string{first, untimed, key("GET", "/api/v1/launch", timed, ""), key("GET", evt, timed+"1", ""), key("GET", evt, timed+"&x=1", "")}
	rules.clock.Pass(time.Hour)
	same(first, key("GET", evt, timed, ""))
	keys = append(keys, key("GET", evt, iosApp+"&n=buy", ""))
	slices.Sort(keys)
	if n := len(keys); len(slices.Compact(keys)) != n {
		t.Errorf("different requests share a key: %q", keys)
	}
}

// TestIngestIsKeptBeforeItIsAnswered: without the ledger nothing is ok.
func TestIngestIsKeptBeforeItIsAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := newIntake(t, acmeRules(t))
	w.config.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	base := w.serve(t)
	w.ledger.Fail(errors.New("disk on fire"))
	for _, path := range []string{"/api/v1/launch", "/api/v1/evt"} {
		status, header, body := send(t, base, "POST", path, iosApp+"&n=buy&ddl_enabled=true")
		if status != 503 || header.Get("Retry-After") == "" || !sameJSON(body, refused("temporarily unavailable, try again")) {
			t.Errorf("%s: got %d %s", path, status, body)
		}
		if id := header.Get("X-Request-Id"); id == "" || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "disk on fire") || strings.Contains(log.String(), phoneIDFV) {
			t.Errorf("%s: the log is %s", path, log.String())
		}
	}
	if len(w.decisions.Awaited()) != 0 {
		t.Error("a decision was awaited that nothing led to")
	}
	w.ledger.Fail(nil)
	if n := w.refusals(); n != 2 {
		t.Errorf("%d refusals are counted", n)
	}
	if got := ask(t, base, "POST", "/api/v1/launch", iosApp); got != accepted {
		t.Error(got)
	}
}

func TestIngestMethods(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	f := func(method string, status int) {
		t.Helper()
		got, header, body := send(t, base, method, "/api/v1/evt?"+iosApp+"&n=buy", "")
		if got != status || header.Get("Allow") != "OPTIONS, GET, POST" || status == 405 && method != "HEAD" && !sameJSON(body, refused("method not allowed; use GET or POST")) {
			t.Errorf("%s: got %d %s", method, got, body)
		}
	}
	f("PUT", 405)
	f("DELETE", 405)
	f("HEAD", 405)
	f("OPTIONS", 204)
	if w.ledger.Count() != 0 {
		t.Errorf("%d events are kept", w.ledger.Count())
	}
	for _, path := range []string{"/api/v2/launch", "/api/v1/evt/x", "/api/v1/start", "/v1/evt", "/api/v1/EVT"} {
		if singular.OwnsIngest(path) {
			t.Errorf("%s is taken for an endpoint", path)
		}
	}
}

// TestDeferredDeepLinkIsToldOneSession: the first that asks, waiting for its
// decision no longer than the bound, and the same one again.
func TestDeferredDeepLinkIsToldOneSession(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	f := func(query, want string) {
		t.Helper()
		if got := ask(t, base, "GET", "/api/v1/launch?"+iosApp+query, ""); !sameJSON(got, want) {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	f("&ddl_enabled=true", accepted) // not decided in time
	touch := history.Touch{Query: "pcn=a&_p=%7B%22x%22%3A1%7D"}
	touch.ID = 9023861282613779883
	w.decide(history.Installation{App: 24171, ID: "idfv:" + phoneIDFV, DeepLink: "acme://p/1"}, touch)
	f("", accepted)
	f("&ddl_enabled=false", accepted)
	f("&ddl_enabled=true", `{"status":"ok","ddl":"acme://p/1","deferred_deeplink":"acme://p/1","deferred_passthrough":"{\"x\":1}"}`)
	f("&ddl_enabled=true", `{"status":"ok","ddl":"acme://p/1","deferred_deeplink":"acme://p/1","deferred_passthrough":"{\"x\":1}"}`)
	f("&ddl_enabled=true&utime=1795176000", accepted)

	touch.ID, touch.Query = 9023861282613779884, "_p={PASS}"
	w.decide(history.Installation{App: 26538, ID: "app_set:" + phoneASID, DeepLink: "acme://p/2"}, touch)
	if got := ask(t, base, "POST", "/api/v1/launch", android+"&ddl_enabled=1"); !sameJSON(got, `{"status":"ok","ddl":"acme://p/2","deferred_deeplink":"acme://p/2","deferred_passthrough":"{PASS}"}`) {
		t.Error(got)
	}
	w.decisions.FailAwait(errors.New("store away"))
	f("&ddl_enabled=true&install=true", accepted) // the session is kept: it must not be sent again
}

// TestOpenedLink: a link that opened the app past its host is a click, and is
// resolved for apps that ask.
func TestOpenedLink(t *testing.T) {
	t.Parallel()
	rules := acmeRules(t)
	w := newIntake(t, rules)
	base := w.serve(t)
	id := created(t, base, customLink("x", `,"ios_redirection":{"app_site_id":24171,"destination_url":"https://apps.apple.com/x","destination_deeplink_url":"acme://p/1"},"link_parameter":{"pcn":"spring"}`))
	made := rules.store.lastWritten()
	s, err := singular.Read(made.Data)
	if err != nil {
		t.Fatal(err)
	}
	long := "http://acme.localhost:8080/C03q9/" + id
	f := func(uri, more, resolved string, clicks int, check func(c event.Click) bool) {
		t.Helper()
		w.ledger.Clear()
		want := accepted
		if resolved != "" {
			want = `{"status":"ok","resolved_singular_link":"` + resolved + `"}`
		}
		if got := ask(t, base, "POST", "/api/v1/launch", iosApp+"&openuri="+url.QueryEscape(uri)+more); !sameJSON(got, want) {
			t.Errorf("%s: got %s\nwant %s", uri, got, want)
		}
		told, found := w.ledger.All(t)
		if len(told) != 1 || len(found) != clicks {
			t.Fatalf("%s: %d opens and %d clicks are kept", uri, len(told), len(found))
		}
		if clicks == 0 {
			if told[0].OpenedURL != uri {
				t.Errorf("%s: opened by %q", uri, told[0].OpenedURL)
			}
			return
		}
		c := found[0]
		if c.Link != made.ID || c.Account != 5899 || c.Host != "acme.localhost" || c.Route != event.OpenedRoute || c.Bot != "" || !check(c) {
			t.Errorf("%s: click %+v", uri, c)
		}
		if told[0].OpenedClick != c.ID.String() || ingest.ClickInURL(told[0].OpenedURL) != c.ID.String() || !strings.HasPrefix(told[0].OpenedURL, uri[:20]) {
			t.Errorf("%s: opened by %q", uri, told[0].OpenedURL)
		}
	}
	const resolve = "&singular_link_resolve_required=true"
	whatever := func(event.Click) bool { return true }
	f(long+"?pcn=a", "", "", 1, func(c event.Click) bool {
		return c.Code == id && c.Query == "pcn=a" && c.Stored == "" && c.Platform == device.IOS
	})
	f(long+"?_p=1#x", resolve, long+"?_dl=acme%3A%2F%2Fp%2F1&_p=1", 1, whatever)
	f(long+"/"+s.Short+"?y=2", resolve, long+"?_dl=acme%3A%2F%2Fp%2F1&pcn=spring&y=2", 1, func(c event.Click) bool { return c.Stored == s.Query && c.Query == "y=2" })
	f("https://ACME.localhost/A03q9/"+id, "", "", 1, whatever)
	f(long+"?singular_click_id=9023861282613779883", "", "", 0, nil) // a host has seen that click
	f("acme://p/1?x=http://acme.localhost/C03q9/"+id, resolve, "", 0, nil)
	f("https://elsewhere.test/C03q9/"+id, resolve, "", 0, nil)
	f("http://rival.localhost/C03q9/"+id, resolve, "", 0, nil)
	f("http://acme.localhost/C03q9/none1", resolve, "", 0, nil)
	f("http://acme.localhost/i/C03q9/"+id, resolve, "", 0, nil)
	f(long+"/zzzz", resolve, "", 0, nil)

	status, _, short := send(t, base, "POST", "/api/v1/shorten_link?a=acme-sdk-key", `{"long_link":"`+long+`?pcn=refer&_p=7"}`, "Authorization", "")
	var answer struct {
		Short string `json:"short_link"`
	}
	if err := json.Unmarshal([]byte(short), &answer); err != nil || status != 200 {
		t.Fatal(short, err)
	}
	code := answer.Short[strings.LastIndex(answer.Short, "_")+1:]
	f(answer.Short, resolve, long+"?_dl=acme%3A%2F%2Fp%2F1&pcn=refer&_p=7", 1, func(c event.Click) bool { return c.Code == code && c.Stored == "pcn=refer&_p=7" })
	rules.clock.Pass(31 * 24 * time.Hour)
	f(answer.Short, resolve, long+"?_dl=acme%3A%2F%2Fp%2F1", 1, func(c event.Click) bool { return c.Code == id && c.Stored == "" })

	rules.store.broken = errors.New("store away")
	before := w.ledger.Count()
	if status, _, body := send(t, base, "POST", "/api/v1/launch", iosApp+"&openuri="+url.QueryEscape(long)); status != 503 || w.ledger.Count() != before || w.refusals() != 1 {
		t.Errorf("without the store: %d %s, %d refusals counted", status, body, w.refusals())
	}
}

// TestOpenedLinkIsClickedOnce: a session that is sent again names the same click.
func TestOpenedLinkIsClickedOnce(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	id := created(t, base, customLink("x", ""))
	for range 2 {
		ask(t, base, "POST", "/api/v1/launch", android+"&umilisec=1795175940000&openuri="+url.QueryEscape("http://acme.localhost/D03q9/"+id))
	}
	told, clicks := w.ledger.All(t)
	if len(told) != 2 || told[0].Key != told[1].Key || told[0].OpenedURL != told[1].OpenedURL || len(clicks) != 1 {
		t.Errorf("opens %+v, clicks %+v", told, clicks)
	}
}

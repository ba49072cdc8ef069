package postback

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"waypost/attribution"
	"waypost/event"
)

// told is everything that a postback with every macro, its body, and a
// parameter of the clicked URL tell.
func toldBy(t *testing.T, telling Telling) string {
	t.Helper()
	p := webhook(everything...)
	for name := range vocabulary {
		if name[0] != '(' {
			name = "{" + name + "}"
		}
		p.URL += "&v=" + name
	}
	p.URL += "&x={own}&y={af_ip}&z={to}"
	d, ok := Make(p, telling)
	if !ok {
		t.Fatal("nothing is told")
	}
	text, err := url.QueryUnescape(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToLower(text + " " + d.Body)
}

// TestForbiddenIDsAreNowhere: what the person does not permit to be told is in
// no macro and no field, in whatever text it came, and everything else is.
func TestForbiddenIDsAreNowhere(t *testing.T) {
	t.Parallel()
	const gaid, idfa, ip, agent = "38400000-8cf0-41bd-b23e-10b96e40000d", "6d92078a-8246-4ba4-ae5b-76104861e7dc", "198.51.100.7", "phone/1 (secret)"
	make := func(change func(*Telling)) Telling {
		telling := earned(attribution.Happening)
		telling.Decided.Install = "gaid:" + gaid
		telling.Decided.Conversion = attribution.ConversionID("event/26538/gaid:" + gaid + "/e-1")
		telling.Touch.DeviceIDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: strings.ToUpper(gaid)}}
		telling.Touch.Agent = agent
		telling.Touch.Query = "pid=wide&clickid=theirs-1&af_sub1=news&own=sub-" + gaid + "&af_ip=" + ip + "&to=" + url.QueryEscape("https://x.test/?a=1&d="+gaid) + "&imei=353918052107063"
		telling.Touch.DeepLink = "acme://shoes?size=9&d=" + gaid + "&ip=" + ip + "#top"
		telling.Told.Agent = agent
		telling.Told.IPs = []string{ip}
		telling.Told.Referrer = &event.Referrer{Raw: "af_tranid=x&pid=wide&advertising_id=" + gaid + "&af_ip=" + ip + "&ua=" + url.QueryEscape(agent)}
		telling.Told.Params = json.RawMessage(`{"sku":"A\u0026B","n":9,"device":"` + gaid + `","deep":{"mac1":"02:00:00:00:00:00","seen":["` + ip + `","kept"],"idfa":"` + idfa + `"}}`)
		change(&telling)
		return telling
	}
	f := func(name string, change func(*Telling), forbidden []string, kept ...string) {
		t.Helper()
		text := toldBy(t, make(change))
		for _, value := range forbidden {
			if at := strings.Index(text, strings.ToLower(value)); at >= 0 {
				t.Errorf("%s: told %s in …%s…", name, value, text[max(0, at-60):min(len(text), at+60)])
			}
		}
		for _, value := range kept {
			if !strings.Contains(text, strings.ToLower(value)) {
				t.Errorf("%s: %s is not told in %s", name, value, text)
			}
		}
	}
	always := []string{"theirs-1", "news", "af_tranid=x&pid=wide", "acme://shoes?size=9", "a&b", `"n":9`}
	refused := []string{gaid, idfa, ip, agent, "353918052107063", "02:00:00:00:00:00"}
	consent := func(c event.Consent) func(*Telling) { return func(t *Telling) { t.Told.Consent = &c } }
	f("nobody asked", func(*Telling) {}, nil, append(always, gaid, idfa, ip, agent, "353918052107063", "gaid:"+gaid, "event/26538/gaid:"+gaid+"/e-1")...)
	f("measurement refused", consent(event.Consent{Measurement: "no"}), refused, append(always, "kept", "#top")...)
	f("a child", consent(event.Consent{Child: event.Yes}), refused, always...)
	f("refused later", func(t *Telling) { t.Installation.Consent.Measurement = attribution.No }, refused, always...)
	f("ads limited", consent(event.Consent{LimitAds: event.Yes}), []string{gaid}, append(always, ip, agent, "353918052107063")...)
	f("advertising refused", consent(event.Consent{Advertising: "no"}), []string{gaid}, append(always, ip, agent)...)
	f("of an installation with a name of its own", func(t *Telling) {
		t.Decided.Install, t.Decided.Conversion = "instance:own-name", "event/26538/instance:own-name/e-1"
		consent(event.Consent{Measurement: "no"})(t)
	}, refused, append(always, "instance:own-name", "event/26538/instance:own-name/e-1")...)
	f("the device's facts of an open", func(t *Telling) {
		t.Decided.Kind, t.Decided.Decision.Outcome = attribution.Install, attribution.NewInstall
		consent(event.Consent{Measurement: "no"})(t)
	}, append(refused, "a&b", `"n":9`))
}

// TestRedactedURLs: what is left of links and queries.
func TestRedactedURLs(t *testing.T) {
	t.Parallel()
	some := forbidden{values: []string{"secret-1"}, refused: true}
	f := func(raw, want string) {
		t.Helper()
		if got := some.link(raw); got != want {
			t.Errorf("%s is told as %q, want %q", raw, got, want)
		}
	}
	f("", "")
	f("acme://shoes", "acme://shoes")
	f("acme://shoes?a=1&a=2#x?y", "acme://shoes?a=1&a=2#x?y")
	f("acme://shoes?a=SECRET-1", "acme://shoes")
	f("acme://shoes?a=1&b=%53ecret-1#top", "acme://shoes?a=1#top")
	f("acme://shoes?a=1&b=x%253Dsecret-1", "acme://shoes?a=1")
	f("acme://shoes/secret-1?a=1", "")
	f("acme://shoes/%73ecret-1", "")
	f("acme://shoes?a=1#secret-1", "")
	f("https://192.0.2.7/x?a=1", "")
	f("acme://x?u=https%3A%2F%2F192.0.2.7%2Fx&v=1.5", "acme://x?v=1.5")
	f("acme://x?gaid=other&AF_SHA1_ADVERTISING_ID=other&b=%zz", "acme://x?b=%zz")
	if got := (&forbidden{}).link("acme://x?gaid=1&ip=192.0.2.7"); got != "acme://x?gaid=1&ip=192.0.2.7" {
		t.Errorf("where nothing is forbidden: %s", got)
	}
	for i := 1; i < len(idNames); i++ {
		if idNames[i-1] >= idNames[i] {
			t.Errorf("%s stands before %s", idNames[i-1], idNames[i])
		}
	}
}

func TestPlainJSON(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"a":"A\u0026B\u003c\u003e"}`: `{"a":"A&B<>"}`, `{"a":"\\u0026\"\u00e9\n"}`: `{"a":"\\u0026\"\u00e9\n"}`, `"\\\u0026"`: `"\\&"`, ``: ``, `"\u002`: `"\u002`, `\`: `\`,
	} {
		if got := plainJSON(json.RawMessage(raw)); got != want {
			t.Errorf("%s is written %s, want %s", raw, got, want)
		}
	}
}

package smartlinks

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"waypost/link"
	"waypost/route"
)

// locate asks on a host for a path as the door cuts it.
func locate(t testing.TB, host, address, body string) (route.Place, bool) {
	t.Helper()
	path, query, _ := strings.Cut(address, "?")
	return Clicks{}.Locate(&route.Request{Site: directoryOf(t, acmeApps()).Site(host), Path: strings.Trim(path, "/"), Query: query, Body: body})
}

func TestLocateLinks(t *testing.T) {
	t.Parallel()
	f := func(host, address string, path link.Path, view bool) {
		t.Helper()
		want := route.Place{Path: path, View: view, Steady: true}
		if got, ok := locate(t, host, address, ""); !ok || got != want {
			t.Errorf("%s %s = %+v, %v; want %+v", host, address, got, ok, want)
		}
	}
	f(scriptHost, "/r796r1qs0", "//sxm.example/r796r1qs0", false)
	f(scriptHost, "/R796R1QS0?a=b", "//sxm.example/r796r1qs0", false)
	f(scriptHost, "/r796r1qs0/?&a=b", "//sxm.example/r796r1qs0", false)
	f(scriptHost, "/imp/r796r1qs0?a=b", "//sxm.example/r796r1qs0", true)
	f(scriptHost, "/imp/R796R1QS0", "//sxm.example/r796r1qs0", true)
	f("brand.example", "/r796r1qs0", "//sxm.example/r796r1qs0", false)
	f("smart.example", "/ojbq0do6xw686", "//smart.example/ojbq0do6xw686", false)
	f("smart.example", "/imp/ojbq0do6xw686", "//smart.example/ojbq0do6xw686", true)

	none := func(address string) {
		t.Helper()
		if got, ok := locate(t, scriptHost, address, ""); ok {
			t.Errorf("%s = %+v, want nothing", address, got)
		}
	}
	for _, address := range []string{
		"", "/", "/imp", "/imp/", "/v1", "/qr", "/favicon.ico", "/robots.txt", "/.well-known", "/.well-known/assetlinks.json",
		"/apple-app-site-association", "/r796r1qs", "/ojbq0do6xw6861", "/r796r1qs0/x", "/imp/r796r1qs0/x", "/IMP/r796r1qs0", "/imp/imp/r796r1qs0",
		"/r796r1qs-", "/r796r1qs%30", "/r796r1qsé", "/v1/cpi", "/track", "/v1/links-sdks", "/v1/cpi/click", "/track/impression",
	} {
		none(address)
	}
}

func TestLocateTrackers(t *testing.T) {
	t.Parallel()
	legacy := TrackerOf(scriptLink, 2).Legacy()
	id := "koacme-ios-4fkz131i" + legacy
	f := func(address string, want route.Place) {
		t.Helper()
		want.Link, want.Tracker = scriptLink, 2
		if !strings.HasSuffix(address, "="+legacy) { // which names no app
			want.Rest = cmp.Or(want.Rest, "koacme-ios-4fkz131i")
		}
		if got, ok := locate(t, "rival.example", address, ""); !ok || got != want {
			t.Errorf("%s = %+v, %v; want %+v", address, got, ok, want)
		}
	}
	f("/v1/cpi/click?campaign_id="+id+"&network_id=3881", route.Place{})
	f("/v1/cpi/click/?&network_id=1&campaign_id="+id, route.Place{})
	f("/v1/cpi/click?campaign_id?campaign_id="+id, route.Place{})
	f("/v1/cpi/click??campaign_id="+id, route.Place{})
	f("/v1/cpi/click?campaign_id={campaign}&campaign_id=%20"+id, route.Place{})
	f("/v1/cpi/click?campaign_id="+strings.ToUpper(id), route.Place{Rest: "KOACME-IOS-4FKZ131I"})
	f("/track/impression?campaign_id="+id, route.Place{View: true})
	f("/v1/cpi/click?campaign_id="+id+"&device_ua=Phone%2F1&user_agent=Other&ip_address=203.0.113.9", route.Place{Agent: "Phone/1", Address: netip.MustParseAddr("203.0.113.9")})
	f("/v1/cpi/click?campaign_id="+id+"&device_ua={ua}&user_agent=Other+Phone&ip_address=::ffff:203.0.113.9", route.Place{Agent: "Other Phone", Address: netip.MustParseAddr("203.0.113.9")})
	f("/v1/cpi/click?campaign_id="+id+"&device_ua=device_ua&user_agent=null&ip_address=%7B%7Bip%7D%7D", route.Place{})
	f("/v1/cpi/click?campaign_id="+id+"&ip_address=1.2.3&device_ua=", route.Place{})
	f("/v1/cpi/click?campaign_id="+legacy, route.Place{})

	none := func(query string) {
		t.Helper()
		if got, ok := locate(t, scriptHost, "/v1/cpi/click?"+query, ""); ok {
			t.Errorf("%s = %+v, want nothing", query, got)
		}
	}
	none("")
	none("campaign_id=")
	none("campaign_id=campaign_id")
	none("campaign_id=null")
	none("campaign_id={x}")
	none("campaign_id=abc")
	none("campaign_id=koacme-ios-4fkz131izzzzzzzzzzzzz")
	none("campaign_id=koacme" + TrackerID(0).Legacy())
	none("network_id=" + id)
	none("Campaign_ID=" + id)
}

func TestLocateLookups(t *testing.T) {
	t.Parallel()
	f := func(query, body, want string) {
		t.Helper()
		got, ok := locate(t, scriptHost, "/v1/links-sdk?"+query, body)
		if got != (route.Place{Lookup: want}) || !ok {
			t.Errorf("%q %q = %+v, %v; want %q", query, body, got, ok, want)
		}
	}
	const asked = "https://sxm.example/r796r1qs0?city=paris&x=a b"
	encoded := url.QueryEscape(asked)
	f("path="+encoded, "", asked)
	f("a=b&url="+encoded, "", asked)
	f("link="+encoded+"&c=d", "", asked)
	f("deeplink="+encoded, "", asked)
	f("deeplink=z&path="+encoded, "", asked)
	f("url=https://sxm.example/r796r1qs0?city=paris&x=a%20b", "", "https://sxm.example/r796r1qs0?city=paris&x=a%20b")
	f("url=https://sxm.example/r796r1qs0&x=y", "", "https://sxm.example/r796r1qs0")
	f("path=/r796r1qs0%3Fcity%3Dparis", "", "https://sxm.example/r796r1qs0?city=paris")
	f("path=r796r1qs0", "", "https://sxm.example/r796r1qs0")
	f("path=//sxm.example/r796r1qs0", "", "//sxm.example/r796r1qs0")
	f("path=myapp://x", "", "myapp://x")
	f("path=", `{"url":"`+asked+`"}`, asked)
	f("", `{"action":"smartlink","data":{"path":"`+asked+`"}}`, asked)
	f("", `{"path":7,"url":null,"link":" ","deeplink":"`+asked+`","data":{"path":"other"}}`, asked)
	f("", "url="+encoded, asked)
	f("", "", "")
	f("x=y", `{"data":{"data":{"path":"x"}}}`, "")
	f("", `{"data":["path"]}`, "")
	f("", `{"path":"x"`, "")
	f("", `["path"]`, "")
}

func TestAppendLookup(t *testing.T) {
	t.Parallel()
	f := func(url, deepLink, want string) {
		t.Helper()
		got := string(Clicks{}.AppendLookup([]byte("before "), url, deepLink))
		if expected := "before " + `{"destination":` + want + `,"deeplink":{"destination":` + want + `},"data":{"destination":` + want + `}}`; got != expected {
			t.Errorf("got  %s\nwant %s", got, expected)
		}
	}
	f("https://sxm.example/r796r1qs0?a=b&c=d", "myapp://p/1?x=<y>&z=1", `"myapp://p/1?x=<y>&z=1"`)
	f("https://sxm.example/nothing?a=b&c=d", "", `"https://sxm.example/nothing?a=b&c=d"`)
	f("", "my\"app://\n", `"my\"app://\n"`)
}

// A place is always whole: one thing is named, in a form that can be looked up.
func FuzzLocate(f *testing.F) {
	for _, path := range []string{"r796r1qs0", "imp/R796R1QS0", "v1/cpi/click", "track/impression", "v1/links-sdk", "imp/", "//", "é"} {
		for _, query := range []string{"", "campaign_id?campaign_id=koacme-ios-4fkz131i37b5ba4aad135&ip_address=fe80::1%25eth0", "path=https://x.test/?a=b&c", "url=%zz", "&&=&?"} {
			f.Add(path, query, `{"data":{"path":"x"}}`)
		}
	}
	site := directoryOf(f, acmeApps()).Site(scriptHost)
	f.Fuzz(func(t *testing.T, path, query, body string) {
		p, ok := Clicks{}.Locate(&route.Request{Site: site, Path: path, Query: query, Body: body})
		if !ok {
			return
		}
		named := 0
		if p.Path != "" {
			named++
			host, guid, hosted := p.Path.SplitHost()
			if !hosted || host != scriptHost || !isGUID(guid) || guid != strings.ToLower(guid) {
				t.Fatalf("path %q", p.Path)
			}
		}
		if p.Link > 0 {
			named++
			if p.Tracker < link.CatchAll || p.Tracker > link.MaxTracker+1 {
				t.Fatalf("tracker %d", p.Tracker)
			}
		}
		if p.Lookup != "" {
			named++
			if !json.Valid(Clicks{}.AppendLookup(nil, p.Lookup, "")) {
				t.Fatalf("the answer about %q is no JSON", p.Lookup)
			}
		}
		if path == lookupPath && p.Lookup == "" {
			named++ // a question without a URL
		}
		if named != 1 || p.Link < 0 || p.Address.Zone() != "" {
			t.Fatalf("%+v names %d things", p, named)
		}
	})
}

package route

import (
	"strings"
	"testing"

	"waypost/internal/device"
	"waypost/internal/macro"
	"waypost/internal/uid"
	"waypost/link"
)

var someMoment = Moment{Click: 9023861282613779883, AtMillis: 1_700_000_000_000}

// someRules are a usual link's: two stores, a web address, three parameters.
func someRules() *Rules {
	params := []Param{{Name: "pid", Value: "email"}, {Name: "c", Value: "spring_sale"}, {Name: "deep_link_value", Value: "product/123"}}
	inner := append([]Param{{Name: "af_tranid", Lead: macro.ClickToken, Value: uid.TokenPadding}}, params...)
	return &Rules{
		Name: "Acme", Link: "https://acme.example/A1b3/promo12x", Preview: &link.OpenGraph{Title: "Acme"},
		Web: &Target{URL: "https://www.acme.test/", Params: append(params, Param{Name: "shortlink", Value: "promo12x"}, Param{Name: "source_caller", Value: "api_v2"}), From: "the web address"},
		Offers: []Offer{
			{Platform: device.Android, Store: &Target{URL: "https://play.google.com/store/apps/details?id=com.acme.app", Params: []Param{{Name: "referrer", Inner: inner}}, From: "Play"}},
			{Platform: device.IOS, Store: &Target{URL: "https://apps.apple.com/us/app/acme/id1234567890", Params: []Param{{Name: "mt", Value: "8"}}, From: "the App Store"}},
			{Platform: device.Roku, Store: &Target{URL: "https://roku.test/1", From: "Roku's store"}},
		},
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	open := &Open{URI: "acme://x", From: "its scheme"}
	web := &Target{URL: "https://phone.test/", From: "its address"}
	f := func(name string, change func(*Rules), d device.Device, want Rule, kind Kind, location string) {
		t.Helper()
		r := someRules()
		change(r)
		got := Compile(r).Decide(&d)
		if at := string(got.AppendLocation(nil, someMoment)); got.Rule != want || got.Kind != kind || !strings.HasPrefix(at, location) || (location == "") != (at == "") {
			t.Errorf("%s: %s, %v, %q; want %s, %v, %q", name, got.Rule, got.Kind, at, want, kind, location)
		}
	}
	none := func(*Rules) {}
	f("android", none, device.Device{Platform: device.Android}, AndroidStore, Redirect, "https://play.google.com/")
	f("fire without an offer", none, device.Device{Platform: device.FireOS}, AndroidStore, Redirect, "https://play.google.com/")
	f("ios", none, device.Device{Platform: device.IOS}, IOSStore, Redirect, "https://apps.apple.com/")
	f("roku", none, device.Device{Platform: device.Roku}, TVStore, Redirect, "https://roku.test/")
	f("xbox", none, device.Device{Platform: device.Xbox}, Web, Redirect, "https://www.acme.test/")
	f("unheard-of platform", none, device.Device{Platform: 200}, Web, Redirect, "https://www.acme.test/")
	f("bot", none, device.Device{Platform: device.IOS, Bot: "crawler"}, BotWeb, Redirect, "https://www.acme.test/")
	f("preview", none, device.Device{Bot: "preview", Preview: true}, PreviewRule, Preview, "")
	f("web before store", func(r *Rules) { r.Offers[0].Web = web }, device.Device{Platform: device.Android}, AndroidWeb, Redirect, "https://phone.test/")
	f("app before web", func(r *Rules) { r.Offers[0].Web, r.Offers[0].Open = web, open }, device.Device{Platform: device.Android}, AndroidApp, Page, "")
	f("ios app", func(r *Rules) { r.Offers[1].Open = open }, device.Device{Platform: device.IOS}, IOSApp, Page, "")
	f("no store", func(r *Rules) { r.Offers[1].Store = nil }, device.Device{Platform: device.IOS}, Web, Redirect, "https://www.acme.test/")
	f("no web", func(r *Rules) { r.Web = nil }, device.Device{Platform: device.MacOS}, FallbackPage, Page, "")
	f("silent", func(r *Rules) { r.NoRedirect = "asked" }, device.Device{Platform: device.Android}, NoRedirect, Empty, "")
	f("silent preview", func(r *Rules) { r.NoRedirect = "asked" }, device.Device{Preview: true}, PreviewRule, Preview, "")
	f("unsafe web", func(r *Rules) { r.Web = &Target{URL: "javascript:alert(1)"} }, device.Device{}, FallbackPage, Page, "")
	f("unsafe store", func(r *Rules) { r.Offers[0].Store = &Target{URL: "https://x.test/\r\nX: y"} }, device.Device{Platform: device.Android}, Web, Redirect, "https://www.acme.test/")
	f("unsafe app", func(r *Rules) { r.Offers[0].Open = &Open{URI: "intent://x#Intent;end"} }, device.Device{Platform: device.Android}, AndroidStore, Redirect, "https://play")
}

func TestPages(t *testing.T) {
	t.Parallel()
	r := someRules()
	r.Offers[0].Open = &Open{URI: "acme://x", Intent: &Intent{Package: "com.acme.app"}}
	r.Stores = []Store{{"Android", r.Offers[0].Store}, {"Bad", &Target{URL: "data:x"}}}
	r.Web = nil
	plan := Compile(r)
	f := func(d device.Device, want ...string) {
		t.Helper()
		text, err := plan.Decide(&d).AppendPage([]byte("before"), someMoment)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range append(want, "before<!doctype html>") {
			if !strings.Contains(string(text), w) {
				t.Errorf("page for %+v lacks %q:\n%s", d, w, text)
			}
		}
		if strings.Contains(string(text), "Bad") {
			t.Errorf("page for %+v shows the unusable store", d)
		}
	}
	f(device.Device{Platform: device.Android}, `href="intent://x#Intent;scheme=acme;package=com.acme.app;S.browser_fallback_url=https%3A%2F%2Fplay`, "Get the app")
	f(device.Device{Platform: device.Windows}, `href="https://play.google.com/store/apps/details?id=com.acme.app`)
	f(device.Device{Preview: true}, `<meta property="og:url" content="https://acme.example/A1b3/promo12x">`)
	if text, err := plan.Decide(&device.Device{Platform: device.IOS}).AppendPage(nil, someMoment); err != nil || text != nil {
		t.Errorf("a redirect has the page %q, %v", text, err)
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	plan, dst := Compile(someRules()), make([]byte, 0, 1024)
	d := device.Device{Platform: device.Android, OSVersion: "14", Model: "Pixel 8"}
	if n := testing.AllocsPerRun(100, func() { dst = plan.Decide(&d).AppendLocation(dst[:0], someMoment) }); n != 0 {
		t.Errorf("Decide and AppendLocation allocate %v times, want 0", n)
	}
}

// A hundred thousand plans are kept in memory.
func TestPlanIsSmall(t *testing.T) {
	t.Parallel()
	r := someRules()
	r.Offers = r.Offers[:2]
	if size := Compile(r).Size(); size > 800 {
		t.Errorf("a usual link's plan keeps %d bytes, want at most 800", size)
	} else {
		t.Logf("a usual link's plan keeps %d bytes", size)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	r := someRules()
	r.Offers[1].Open = &Open{URI: "acme://x", From: "the app's scheme"}
	r.Offers[0].Web = &Target{URL: "file:///etc/passwd", From: "its address"}
	got, notes := Explain(r)
	if len(notes) != 1 || !strings.Contains(notes[0], "its address is ignored: it has the scheme file") {
		t.Errorf("notes %q, want one about the file scheme", notes)
	}
	if len(r.Notes) != 0 {
		t.Errorf("Explain changed the rules: %q", r.Notes)
	}
	byName := map[string]Explanation{}
	for _, e := range got {
		if e.Reason == "" || !strings.HasSuffix(e.Reason, ".") {
			t.Errorf("%s: the reason %q is no sentence", e.Visitor, e.Reason)
		}
		byName[e.Visitor] = e
	}
	for _, name := range []string{"ios", "ios in-app browser", "android", "fireos", "macos", "windows", "web", "roku", "link preview", "other bot"} {
		if byName[name].Rule == "" {
			t.Errorf("nothing is explained for %s", name)
		}
	}
	android := byName["android"]
	if android.Rule != AndroidStore || !strings.Contains(android.Location, "af_tranid%3D{click_token}%253D%253D%26pid%3Demail") || !strings.Contains(android.Reason, "Play") {
		t.Errorf("android: %+v", android)
	}
	ios := byName["ios"]
	if ios.Open != "acme://x" || ios.Next != "https://apps.apple.com/us/app/acme/id1234567890?mt=8" || !strings.Contains(ios.Reason, "the app's scheme") {
		t.Errorf("ios: %+v", ios)
	}
}

func BenchmarkDecide(b *testing.B) {
	plan, dst := Compile(someRules()), make([]byte, 0, 1024)
	d := device.Device{Platform: device.Android}
	b.ReportAllocs()
	for b.Loop() {
		dst = plan.Decide(&d).AppendLocation(dst[:0], someMoment)
	}
}

func BenchmarkCompile(b *testing.B) {
	r := someRules()
	b.ReportAllocs()
	for b.Loop() {
		Compile(r)
	}
}

package onelink

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"waypost/compat/compattest"
	"waypost/internal/device"
	"waypost/link"
	"waypost/route"
)

func acme() *link.TemplateView {
	return &link.TemplateView{
		Template: link.Template{ID: "A1b3", WebURL: "https://www.acme.test/", OG: link.OpenGraph{Title: "Acme"}},
		Group: &link.Group{AppGroup: link.AppGroup{Name: "Acme"}, Apps: []*link.App{
			{Key: "ios", Platform: device.IOS, StoreURL: "https://apps.apple.com/us/app/acme/id1234567890", Scheme: "acme"},
			{Key: "android", Platform: device.Android, Package: "com.acme.app", StoreURL: "https://play.google.com/store/apps/details?id=com.acme.app"},
		}},
		Home: &link.Domain{BaseURL: "https://acme.example"},
	}
}

func allowAcme(host string) bool { return host == "www.acme.test" }

func TestClicksRefuseBrokenData(t *testing.T) {
	t.Parallel()
	l := &link.Link{Path: "A1b3/x", Data: json.RawMessage(`{"a"`)}
	if _, err := (Clicks{}).Rules(&route.Clicked{Template: acme(), Link: l, Code: "x", Allow: allowAcme}); err == nil || !strings.Contains(err.Error(), "A1b3/x") {
		t.Errorf("Rules = %v, want an error that names the link", err)
	}
}

func TestClicksWithoutAppGroup(t *testing.T) {
	t.Parallel()
	view := acme()
	view.Group = nil
	rules, err := Clicks{}.Rules(&route.Clicked{Template: view, Query: []link.Param{{Name: "af_dp", Value: "any://x"}}, Allow: allowAcme})
	if err != nil {
		t.Fatal(err)
	}
	if got := route.Compile(rules).Decide(&device.Device{Platform: device.Android}); got.Rule != route.AndroidApp {
		t.Errorf("rule %s, want %s: no app declares a scheme, so any safe one goes", got.Rule, route.AndroidApp)
	}
}

// TestClipboard: the page of an app that looks at the clipboard leaves its
// click's token there.
func TestClipboard(t *testing.T) {
	t.Parallel()
	for _, looks := range []bool{true, false} {
		view := acme()
		view.Group.Apps[0].Clipboard = looks
		rules, err := Clicks{}.Rules(&route.Clicked{Template: view, Query: []link.Param{{Name: "af_dp", Value: "acme://x"}, {Name: "af_force_deeplink", Value: "true"}}, Allow: allowAcme})
		if err != nil {
			t.Fatal(err)
		}
		if d := route.Compile(rules).Decide(&device.Device{Platform: device.IOS}); d.Rule != route.IOSApp || d.Copies() != looks {
			t.Errorf("rule %s, copies %v, want %v", d.Rule, d.Copies(), looks)
		}
	}
}

func TestDecodeOnce(t *testing.T) {
	t.Parallel()
	f := func(value, v1, v2 string) {
		t.Helper()
		if got := decodeOnce(value, link.SourceV1); got != v1 {
			t.Errorf("v1 %q = %q, want %q", value, got, v1)
		}
		if got := decodeOnce(value, link.SourceV2); got != v2 {
			t.Errorf("v2 %q = %q, want %q", value, got, v2)
		}
	}
	same := func(value string) { t.Helper(); f(value, value, value) }
	f("https%3A%2F%2Fx.test%2F%2541", "https://x.test/%41", "https://x.test/%41")
	f("myapp%3a%2f%2fx?y=1", "myapp://x?y=1", "myapp://x?y=1")
	f("mailto%3Ax", "mailto:x", "mailto%3Ax")
	f("a%20b", "a b", "a%20b")
	f("%D0%9F", "П", "%D0%9F")
	same("https://x.test/%20")
	same("100%")
	same("a%2Gb")
	same("50%25 off")
	same("a+b%20c")
	same("")
	same("https%3A%2F%2Fx.test/%zz")
}

// visitorKinds are devices that between them get every kind of answer.
var visitorKinds = []device.Device{
	{Platform: device.IOS}, {Platform: device.Android}, {Platform: device.FireOS}, {Platform: device.Web}, {Platform: device.Roku},
	{Bot: "crawler"}, {Bot: "preview", Preview: true},
}

// Whatever a clicked URL says: no answer leaves its header, runs code, or leads
// to a host that is neither stored nor allowed.
func FuzzRulesURL(f *testing.F) {
	for _, name := range []string{"af_web_dp", "af_r", "af_dp", "af_ios_url", "af_android_url", "pid", "af_og_image", "af_ios_store_cpp"} {
		for _, value := range []string{"https://evil.test/", `https://www.acme.test\@evil.test/`, "javascript:alert(1)", "https://www.acme.test/\r\nX: y", "acme://x#Intent;end", "//evil.test", "https:evil.test", "{click_id}", "%0d%0a"} {
			f.Add(name, value, "https://www.acme.test/?a=b#c")
		}
	}
	known := map[string]bool{"www.acme.test": true, "apps.apple.com": true, "play.google.com": true, "stored.test": true}
	f.Fuzz(func(t *testing.T, name, value, other string) {
		data, err := json.Marshal(map[string]string{"pid": value, "custom": other, "af_android_url": "https://stored.test/a?x=1#y"})
		if err != nil {
			t.Skip()
		}
		query := []link.Param{{Name: name, Value: value}, {Name: "af_r", Value: other}, {Name: "af_force_deeplink", Value: "true"}}
		for _, l := range []*link.Link{nil, {Data: data, Source: link.SourceV1}} {
			rules, err := Clicks{}.Rules(&route.Clicked{Template: acme(), Link: l, Code: "code", Query: query, Allow: allowAcme})
			if err != nil {
				t.Fatal(err)
			}
			plan := route.Compile(rules)
			for i := range visitorKinds {
				d := plan.Decide(&visitorKinds[i])
				location := string(d.AppendLocation(nil, compattest.Moment))
				if location != "" {
					checkLocation(t, location, known)
				}
				text, err := d.AppendPage(nil, compattest.Moment)
				if err != nil {
					t.Fatalf("%s page: %v", d.Rule, err)
				}
				if strings.Count(string(text), "<script") > 1 || strings.Contains(strings.ToLower(string(text)), `href="javascript:`) {
					t.Fatalf("%s page runs something:\n%s", d.Rule, text)
				}
			}
			route.Explain(rules)
		}
	})
}

// Stored targets may lead anywhere, but never run code nor leave the header.
func FuzzRulesStored(f *testing.F) {
	f.Add("af_web_dp", "javascript%3Aalert(1)")
	f.Add("af_r", "https://x.test/{click_id}?a=%zz#\"<>")
	f.Add("af_dp", "acme:///?")
	f.Add("af_ios_url", "https://{click_id}.test/")
	f.Fuzz(func(t *testing.T, name, value string) {
		data, err := json.Marshal(map[string]string{name: value, "af_force_deeplink": "true"})
		if err != nil {
			t.Skip()
		}
		for _, source := range []link.Source{link.SourceV1, link.SourceV2} {
			rules, err := Clicks{}.Rules(&route.Clicked{Template: acme(), Link: &link.Link{Data: data, Source: source}, Code: "code", Allow: allowAcme})
			if err != nil {
				t.Fatal(err)
			}
			plan := route.Compile(rules)
			for i := range visitorKinds {
				d := plan.Decide(&visitorKinds[i])
				if location := string(d.AppendLocation(nil, compattest.Moment)); location != "" {
					checkLocation(t, location, nil)
				}
				if _, err := d.AppendPage(nil, compattest.Moment); err != nil {
					t.Fatalf("%s page: %v", d.Rule, err)
				}
			}
		}
	})
}

// checkLocation holds what is true of every redirect. Hosts are compared where
// known is given.
func checkLocation(t *testing.T, location string, known map[string]bool) {
	t.Helper()
	for i := range len(location) {
		if location[i] <= ' ' || location[i] >= 0x7f {
			t.Fatalf("location %q holds the byte %#x", location, location[i])
		}
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatalf("location %q does not parse: %v", location, err)
	}
	if !link.SafeScheme(link.Scheme(location)) {
		t.Fatalf("location %q has an unsafe scheme", location)
	}
	if known != nil && !known[strings.ToLower(u.Hostname())] {
		t.Fatalf("location %q leads to a host that nobody allowed", location)
	}
}

func BenchmarkRulesAndCompile(b *testing.B) {
	view := acme()
	l := &link.Link{Source: link.SourceV2, Data: json.RawMessage(`{"pid":"email","c":"spring_sale","deep_link_value":"product/123"}`)}
	b.ReportAllocs()
	var size int
	for b.Loop() {
		rules, err := Clicks{}.Rules(&route.Clicked{Template: view, Link: l, Code: "promo12x", Allow: allowAcme})
		if err != nil {
			b.Fatal(err)
		}
		size = route.Compile(rules).Size()
	}
	b.ReportMetric(float64(size), "plan-bytes")
}

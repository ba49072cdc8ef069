package route

import (
	"testing"

	"waypost/internal/macro"
)

func TestCheckTarget(t *testing.T) {
	t.Parallel()
	f := func(raw string, target, open bool) {
		t.Helper()
		if err := CheckTarget(raw); (err == nil) != target {
			t.Errorf("CheckTarget(%q) = %v, want usable: %v", raw, err, target)
		}
		if err := CheckOpen(raw); (err == nil) != open {
			t.Errorf("CheckOpen(%q) = %v, want usable: %v", raw, err, open)
		}
	}
	f("https://x.test", true, true)
	f("https://x.test/a b?q=é#f", true, true)
	f("https://x.test/100%", true, true)
	f("HTTPS://x.test/{click_id}", true, true)
	f("acme://", true, true)
	f("acme:path", true, true)
	f("acme://item:12a/", false, true) // an app may read its URI as it likes
	f("market://details?id=x", true, true)
	f("", false, false)
	f("x.test/path", false, false)
	f("//x.test/path", false, false)
	f("https:x.test", false, false)
	f("https:/x.test", false, false)
	f("https:///x.test", false, false)
	f(`https:\\x.test`, false, false)
	f(`https://x.test\@y.test/`, false, false)
	f("https://{click_id}.x.test/", false, false)
	f("https://x.test/\n", false, false)
	f(" https://x.test/", false, false)
	f("java\tscript:alert(1)", false, false)
	for _, scheme := range []string{"javascript", "JavaScript", "data", "vbscript", "file", "blob", "intent", "content", "view-source"} {
		f(scheme+":x", false, false)
		f(scheme+"://x.test/", false, false)
	}
}

func TestAppendURL(t *testing.T) {
	t.Parallel()
	f := func(raw, want string, params ...Param) {
		t.Helper()
		var build macro.Builder
		target := &Target{URL: raw, Params: params}
		if got := target.text(&build).String(); got != want {
			t.Errorf("%s with %v\n got %s\nwant %s", raw, params, got, want)
		}
	}
	a, b := Param{Name: "a", Value: "1&2"}, Param{Name: "b c", Value: "é"}
	f("https://x.test", "https://x.test?a=1%262&b%20c=%C3%A9", a, b)
	f("https://x.test/?", "https://x.test/?a=1%262", a)
	f("https://x.test/?z=1&", "https://x.test/?z=1&a=1%262", a)
	f("https://x.test/?z#f?a=1", "https://x.test/?z&a=1%262#f?a=1", a)
	f("https://x.test/?a=own", "https://x.test/?a=own&b%20c=%C3%A9", a, b)
	f("https://x.test/?b+c=own&%61=own", "https://x.test/?b+c=own&%61=own", a, b)
	f("https://x.test/#f", "https://x.test/#f")
	f("acme://x?y", "acme://x?y&a=1%262", a)
	f("https://x.test/", "https://x.test/?r=a%3D1%25262%26b%2520c%3D%25C3%25A9", Param{Name: "r", Inner: []Param{a, b}})
}

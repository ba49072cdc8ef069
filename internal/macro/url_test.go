package macro

import (
	"net/url"
	"strings"
	"testing"
)

func knows(names ...string) func(string) bool {
	return func(name string) bool {
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return false
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	f := func(raw, wantError string) {
		t.Helper()
		err := CheckURL(raw, knows("click_id", "IDFA"))
		switch {
		case wantError == "" && err != nil:
			t.Errorf("CheckURL(%q): %v, want none", raw, err)
		case wantError != "" && err == nil:
			t.Errorf("CheckURL(%q) = nil, want an error with %q", raw, wantError)
		case wantError != "" && !strings.Contains(err.Error(), wantError):
			t.Errorf("CheckURL(%q): %v, want an error with %q", raw, err, wantError)
		}
	}
	f("https://x.test/p", "")
	f("https://x.test/{click_id}?a={IDFA}#{click_id}", "")
	f("https://x.test?a={click_id}", "")
	f("http://127.0.0.1:9099/postback?click={click_id}", "")
	f("acme://open/{click_id}", "")
	f("{click_id}", "not in its scheme")
	f("{click_id}://x.test/", "not in its scheme")
	f("https://{click_id}/", "not in its scheme")
	f("https://{click_id}.x.test/", "not in its scheme")
	f("https://x.test:{click_id}/", "not in its scheme")
	f("https://user:{click_id}@x.test/", "not in its scheme")
	f("https://x.test{click_id}", "not in its scheme")
	f("https:{click_id}", "not in its scheme")
	f("https:/{click_id}", "not in its scheme")
	f("//x.test/{click_id}", "not in its scheme")
	f("/go?to=a://{click_id}", "not in its scheme")
	f(`https:\\x.test/{click_id}`, "not in its scheme")
	f(`https://x.test\{click_id}`, "not an absolute URL")
	f("https://x.test/{click_id", "without its partner")
	f("https://x.test/click_id}", "without its partner")
	f("https://x.test/{a{click_id}}", "without its partner")
	f("https://x.test/{nope}", "unknown macro {nope}")
	f("https://x.test/{}", "unknown macro {}")
	f("https://x.test/{CLICK_ID}", "unknown macro")
	f("https://x.test/\r\nX: y", "control character")
	f("https:///path", "no host")
	f("x.test/path", "not an absolute URL")
	f("", "not an absolute URL")
}

func TestBuildURL(t *testing.T) {
	t.Parallel()
	known := Vocabulary{"click_id": ClickID, "click_ms": Millis}
	var b Builder
	b.URL("https://x.test/a b/{click_id}?t={click_ms}&q=%41%z\"é{other}", known)
	text := b.Take()
	want := "https://x.test/a%20b/9023861282613779883?t=1700000000000&q=%41%25z%22%C3%A9%7Bother%7D"
	if got := string(text.Append(nil, someClick)); got != want {
		t.Errorf("filled\n got %s\nwant %s", got, want)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	values := map[string]string{"a": "x/y?z#&=% é", "b": "\r\nHost: evil", "dot": ".", "dots": "..", "empty": ""}
	lookup := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	f := func(raw, want string) {
		t.Helper()
		got, err := Expand([]byte(">"), raw, lookup)
		if want == "" {
			if err == nil || string(got) != ">" {
				t.Errorf("Expand(%q) = %s, %v; want an error and dst as it was", raw, got, err)
			}
			return
		}
		if err != nil || string(got) != ">"+want {
			t.Errorf("Expand(%q)\n got %s, %v\nwant %s", raw, got, err, want)
		}
	}
	f("https://x.test/{a}/{a}?q={a}#{a}", strings.ReplaceAll("https://x.test/_/_?q=_#_", "_", "x%2Fy%3Fz%23%26%3D%25%20%C3%A9"))
	f("https://x.test/?q={b}", "https://x.test/?q=%0D%0AHost%3A%20evil")
	f("https://x.test/?q={dots}", "https://x.test/?q=..")
	f("https://x.test/v{dot}{dot}/", "https://x.test/v../")
	f("https://x.test/./plain{empty}", "https://x.test/./plain")
	f("https://x.test/{dots}/admin", "")
	f("https://x.test/{dot}{dot}/admin", "")
	f("https://x.test/%2E{dot}/admin", "")
	f("https://x.test/{empty}{dot}", "")
	f("https://{a}/", "")
	f("https://x.test/{nope}", "")
	f("https://x.test/{a", "")
}

// Whatever the macros hold, the filled URL leads to the host it was written
// with, and each value is found again by decoding once.
func FuzzExpand(f *testing.F) {
	f.Add("https://x.test/{v}?q={v}#{v}", "a/../b?&=#@:\\\r\n")
	f.Add("https://x.test?{v}", "")
	f.Add("https://u@x.test:80/{v}", "@evil.test/")
	f.Add("acme://open/{v}", "..")
	f.Fuzz(func(t *testing.T, raw, value string) {
		if CheckURL(raw, knows("v")) != nil {
			return
		}
		written, err := url.Parse(strings.ReplaceAll(raw, "{v}", "x"))
		if err != nil {
			t.Fatalf("CheckURL accepted %q, which does not parse: %v", raw, err)
		}
		got, err := Expand(nil, raw, func(string) (string, bool) { return value, true })
		if err != nil {
			return
		}
		filled, err := url.Parse(string(got))
		if err != nil {
			t.Fatalf("%q filled with %q is %q: %v", raw, value, got, err)
		}
		if filled.Scheme != written.Scheme || filled.Host != written.Host || filled.User.String() != written.User.String() {
			t.Fatalf("%q filled with %q leaves its host: %q", raw, value, got)
		}
		if strings.Contains(value, "\n") && strings.Contains(string(got), "\n") {
			t.Fatalf("%q filled with %q holds a line feed", raw, value)
		}
	})
}

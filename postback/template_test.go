package postback

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/device"
	"waypost/internal/macro"
	"waypost/link"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	f := func(template, want string) {
		t.Helper()
		const front = "https://p.test/in"
		if got := filled(t, front+template, earned(attribution.Happening)); got != front+want {
			t.Errorf("%s\n got %s\nwant %s", template, got, front+want)
		}
	}
	f("?a={campaign}&b=(campaign)", "?a=Spring%20%26%20sun&b=Spring%20%26%20sun")
	f("/{campaign}/x", "/Spring%20%26%20sun/x")
	f("?a={nobody_knows}&b=(nor-this)&c={}", "?a=&b=&c=")
	f("?a={pid}&b=(af_sub1)&c={af_sub1}", "?a=wide&b=x%2Fy&c=x%2Fy")
	f("?a={cl?Wide%20Network}&b={cl?wide}&c={cl?WIDE}&d={cl?Other}&e={psn?Wide+Network}", "?a=theirs-1&b=theirs-1&c=theirs-1&d=&e=News")
	f("?a={NETWORK=Wide%20Network}&b={NETWORK=Other}&c={NETWORK}", "?a=1&b=0&c=wide")
	f("?a={IS_RE_ENG}&b={IS_VIEWTHROUGH}&c=(is-retargeting)", "?a=0&b=0&c=false")
	f("?a=(not a macro)&b=()&c=f(x", "?a=(not a macro)&b=()&c=f(x")
	f("?a={click_id}#{click_id}", "?a=theirs-1")
	f("?v=%41+b", "?v=%41+b")
	f("", "")
}

func TestAcmesPostback(t *testing.T) {
	t.Parallel()
	f := func(query, want string) {
		t.Helper()
		telling := earned(attribution.NewInstall)
		telling.Touch.Query = query
		d, ok := Make(toWide(acmeURL, "install"), telling)
		if !ok || d.URL != "http://127.0.0.1:9099/postback?"+want || d.Method != "GET" || d.Body != "" {
			t.Errorf("%q: got %+v, %v\nwant …%s", query, d, ok, want)
		}
	}
	const rest = "&campaign=Spring%20%26%20sun&gaid=" + someGAID
	f("pid=wide&clickid=theirs", "click=theirs"+rest)
	f("pid=wide&cl=theirs", "click=theirs"+rest)
	f("click_id=theirs", "click=theirs"+rest)
	f("pid=wide", "click="+someClick.String()+rest)
	f("clickid={CLICK_ID}", "click="+someClick.String()+rest)
	f("clickid=__CID__&%zz", "click="+someClick.String()+rest)
}

func TestMacrosOfAnApple(t *testing.T) {
	t.Parallel()
	telling := earned(attribution.NewInstall)
	telling.App = &link.App{ID: 24171, Platform: device.IOS, BundleID: "com.acme.ios", StoreID: "1234567890"}
	if got, want := filled(t, "https://p.test/{bundle_id}/{PUBLIC_ID}/(app-id)/{LONGNAME}", telling), "https://p.test/com.acme.ios/1234567890/id1234567890/com.acme.ios"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Nothing is known of an organic install but the install itself.
func TestMacrosOfAnOrganicInstall(t *testing.T) {
	t.Parallel()
	telling := organic(attribution.NewInstall)
	telling.Told, telling.Installation, telling.App = nil, nil, nil
	const template = "https://p.test/?{click_id},{CLID},{click_time},{match_type},{cl?wide},{cl?%zz},{NETWORK=},{installed_at},{conversion_duration}," +
		"{gaid},(gp_referer_click_ts),(app-id),{app_id},{ip},{psid},{touch_kind},{installation_id},{IS_VIEWTHROUGH}"
	if got, want := filled(t, template, telling), "https://p.test/?,,,,,,0,,,,,,,,,,install-1,0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A value that would climb in the path is told to nobody, and everybody sees why.
func TestDotsInThePath(t *testing.T) {
	t.Parallel()
	telling := earned(attribution.NewInstall)
	telling.Touch.Query = "up=.."
	d, ok := Make(toWide("https://p.test/a/{up}/b", "install"), telling)
	if !ok || d.Status != history.GivenUp || !d.DueAt.IsZero() || !strings.Contains(d.Answer, "dots") {
		t.Errorf("got %+v, %v", d, ok)
	}
}

// TestEveryMacroIsDocumented walks the table of docs/postbacks.md: each macro
// gives the documented value for the documented sample, and none is missing.
func TestEveryMacroIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/postbacks.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`([{(][^`]*[)}])`")
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		for _, n := range name.FindAllStringSubmatch(cells[1], -1) {
			u, err := url.Parse(filled(t, "https://p.test/?v="+n[1], earned(attribution.Happening)))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Trim(cells[3], " `")
			if want == "empty" {
				want = ""
			}
			if got := u.Query().Get("v"); got != want {
				t.Errorf("%s is %q, the document says %q", n[1], got, want)
			}
			seen[strings.Trim(n[1], "{}")] = true
		}
	}
	for name := range vocabulary {
		if !seen[name] {
			t.Errorf("docs/postbacks.md does not speak of %s", name)
		}
	}
}

// Whatever the clicked URL brought: the filled URL leads where it was written
// to, and every value is found again by decoding once.
func FuzzFill(f *testing.F) {
	f.Add("https://p.test/{x}?a={x}", "a/../b?&=#@:\\\r\n")
	f.Add("https://p.test?(x)", "")
	f.Add("http://u@127.0.0.1:9099/(x)/{x?wide}", "@evil.test/")
	f.Add("https://p.test/?q={cl?Wide%20Network}&n={NETWORK=wide}#{x}", "%41{x}(x)")
	f.Add("https://p.test/(x)..", ".")
	f.Fuzz(func(t *testing.T, template, value string) {
		telling := earned(attribution.NewInstall)
		telling.Touch.Query = url.Values{"x": {value}, "clickid": {value}}.Encode()
		v := newView(webhook("install"), &telling, "install")
		got, err := v.fill("https://p.test/?a={x}&b=(x)&c={x?wide}&d=f(x)")
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		q := u.Query()
		if u.Host != "p.test" || len(q) != 4 || q.Get("a") != value || q.Get("b") != value || q.Get("c") != value || q.Get("d") != "f"+value {
			t.Fatalf("%q became %q", value, got)
		}
		if macro.CheckURL(template, func(string) bool { return true }) != nil {
			return
		}
		written, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(template))
		if err != nil {
			return
		}
		if got, err = v.fill(template); err != nil {
			return
		}
		u, err = url.Parse(got)
		if err != nil {
			t.Fatalf("%q filled with %q is %q: %v", template, value, got, err)
		}
		if u.Scheme != written.Scheme || u.Host != written.Host || u.User.String() != written.User.String() {
			t.Fatalf("%q filled with %q leaves its host: %q", template, value, got)
		}
	})
}

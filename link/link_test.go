package link

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestParseTTL(t *testing.T) {
	t.Parallel()
	f := func(text string, want time.Duration) {
		t.Helper()
		got, err := ParseTTL(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("ParseTTL(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	const day = 24 * time.Hour
	f("10m", 10*time.Minute)
	f("20h", 20*time.Hour)
	f("14d", 14*day)
	f("25", 25*day)
	f("14D", 14*day)
	f(" 10M ", 10*time.Minute)
	f("730d", 730*day)
	for _, bad := range []string{"", "x", "d", "0", "0d", "-1d", "+1d", "1.5d", "1w", "10s", "1d1h", "99999999999999999999d", "9223372036854775807h", "１d"} {
		f(bad, 0)
	}
}

func TestCodesAndTemplates(t *testing.T) {
	t.Parallel()
	f := func(code string, asCode, asTemplate bool) {
		t.Helper()
		if got := ValidCode(code); got != asCode {
			t.Errorf("ValidCode(%q) = %v", code, got)
		}
		if got := ValidTemplateID(TemplateID(code)); got != asTemplate {
			t.Errorf("ValidTemplateID(%q) = %v", code, got)
		}
	}
	f("A1b3", true, true)
	f("my_shortlink-id", true, false)
	f(strings.Repeat("a", 32), true, true)
	f(strings.Repeat("a", 33), true, false)
	f(strings.Repeat("a", 50), true, false)
	f(strings.Repeat("a", 51), false, false)
	for _, odd := range []string{"", "a b", "a/b", "a.b", "..", "ä", "a\x00", "a%20", "a\n"} {
		f(odd, false, false)
	}
}

func TestSchemesAndHosts(t *testing.T) {
	t.Parallel()
	f := func(uri, scheme, host string, safe bool) {
		t.Helper()
		if got := Scheme(uri); got != scheme {
			t.Errorf("Scheme(%q) = %q, want %q", uri, got, scheme)
		}
		if got := Host(uri); got != host {
			t.Errorf("Host(%q) = %q, want %q", uri, got, host)
		}
		if got := SafeScheme(Scheme(uri)); got != safe {
			t.Errorf("the scheme of %q is safe: %v", uri, got)
		}
	}
	f("https://WWW.Acme.test:8443/x", "https", "www.acme.test", true)
	f("http://[::1]:80/", "http", "::1", true)
	f("acme://home", "acme", "", true)
	f("com.acme.app+x://y", "com.acme.app+x", "", true)
	f("JavaScript:alert(1)", "JavaScript", "", false)
	f(" javascript:alert(1)", "", "", false)
	f("java\tscript:alert(1)", "", "", false)
	f("data:text/html,x", "data", "", false)
	f("intent://x#Intent;end", "intent", "", false)
	f("//evil.test", "", "", false)
	f("1a:b", "", "", false)
	f("no scheme", "", "", false)
	f("", "", "", false)
}

func TestWebURLs(t *testing.T) {
	t.Parallel()
	f := func(text string, want bool) {
		t.Helper()
		if got := WebURL(text); got != want {
			t.Errorf("WebURL(%q) = %v", text, got)
		}
	}
	for _, good := range []string{
		"https://www.acme.test/a?b=c#d", "HTTP://acme.test:8080", "https://b\u00fccher.test/", "http://[::1]:80/", "https://a_b.test/x@y", "https://acme.test/%20",
	} {
		f(good, true)
	}
	for _, bad := range []string{
		"", "acme.test", "//acme.test/", "ftp://acme.test/", "acme://home", "https://", "https:///a", "https://./", "https://user@acme.test/", "https://a.test\\@b.test/",
		"https://acme.test/a b", " https://acme.test/", "https://acme.test/\u00a0", "https://a{b}.test/", "https://a%2eb!.test/", "https:acme.test", "http://[::1",
		"https://.acme.test/", "https://a..test/", "https://acme.test:0/", "https://acme.test:65536/", "https://acme.test:x/",
	} {
		f(bad, false)
	}
}

func TestLinkExpires(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	f := func(expires, now time.Time, want bool) {
		t.Helper()
		if got := (&Link{ExpiresAt: expires}).Expired(now); got != want {
			t.Errorf("a link until %v is expired at %v: %v", expires, now, got)
		}
	}
	f(at, at.Add(-time.Nanosecond), false)
	f(at, at, true)
	f(time.Time{}, at, false)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	order := []Role{Read, Write, Admin}
	for i, has := range order {
		for j, needs := range order {
			if got := has.Includes(needs); got != (i >= j) {
				t.Errorf("%s includes %s: %v", has, needs, got)
			}
		}
		if has.Includes("") || Role("").Includes(has) || Role("owner").Includes(has) {
			t.Errorf("an unknown role is compared with %s", has)
		}
	}
}

// FuzzTTL holds that every accepted duration is whole minutes and says the
// same when its unit is spelled out.
func FuzzTTL(f *testing.F) {
	for _, seed := range []string{"10m", "20h", "14d", "25", "x", "-1", "9999999999999d", "1D"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseTTL(text)
		if err != nil {
			return
		}
		if d <= 0 || d%time.Minute != 0 {
			t.Fatalf("ParseTTL(%q) = %v", text, d)
		}
	})
}

// FuzzCode holds that a valid code survives a URL unchanged and stays one segment.
func FuzzCode(f *testing.F) {
	for _, seed := range []string{"promo", "my_shortlink_id", "a/b", "..", "a%2fb", "ä", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, code string) {
		if !ValidCode(code) {
			return
		}
		u, err := url.Parse("https://x.test/A1b3/" + code)
		if err != nil || u.Path != "/A1b3/"+code || u.EscapedPath() != u.Path || u.RawQuery != "" {
			t.Fatalf("code %q makes %v, %v", code, u, err)
		}
	})
}

// FuzzScheme holds that a scheme that passes is one that browsers see, too.
func FuzzScheme(f *testing.F) {
	for _, seed := range []string{"https://x.test/", "javascript:x", "\x01javascript:x", "java\nscript:x", "a+b-c.d:e", ":", "1:2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		name := Scheme(uri)
		if name == "" {
			return
		}
		if !strings.HasPrefix(uri, name+":") {
			t.Fatalf("Scheme(%q) = %q", uri, name)
		}
		if u, err := url.Parse(name + "://x"); err != nil || !strings.EqualFold(u.Scheme, name) {
			t.Fatalf("Scheme(%q) = %q, which does not parse: %v", uri, name, err)
		}
		if SafeScheme(name) && strings.EqualFold(name, "javascript") {
			t.Fatalf("%q passes", uri)
		}
	})
}

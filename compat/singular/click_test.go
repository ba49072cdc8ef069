package singular

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"waypost/compat/compattest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

func TestLocate(t *testing.T) {
	t.Parallel()
	own := &link.Site{Domain: link.Domain{Host: "go.acme.test"}}
	f := func(site *link.Site, path string, want route.Place) {
		t.Helper()
		path, query, _ := strings.Cut(path, "?")
		got, ok := Clicks{}.Locate(&route.Request{Site: site, Path: path, Query: query})
		if got != want || ok != (want != route.Place{}) {
			t.Errorf("Locate(%q) = %+v, %v, want %+v", path, got, ok, want)
		}
	}
	const home = "//go.acme.test/03q9/k6kj"
	f(own, "A03q9/k6kj", route.Place{Path: home})
	f(own, "E03q9/k6kj", route.Place{Path: home})
	f(own, "B03q9/k6kj", route.Place{Path: home, Rest: "B"})
	f(own, "F03q9/k6kj", route.Place{Path: home, Rest: "B"})
	f(own, "C03q9/k6kj", route.Place{Path: home, Rest: "C"})
	f(own, "D03q9/k6kj", route.Place{Path: home, Rest: "D"})
	f(own, "D03Q9/K6KJ", route.Place{Path: home, Rest: "D"})
	f(own, "A03q9/k6kj/961w", route.Place{Path: home, Rest: "961w"})
	f(own, "D03q9/k6kj/961W", route.Place{Path: home, Rest: "D961w"})
	f(own, "A03q9/k6kj/r_ccc1b019cd", route.Place{Path: home + "/r_ccc1b019cd", Base: home})
	f(own, "D03q9/k6kj/R_ccc1B019cd", route.Place{Path: home + "/r_ccc1b019cd", Base: home, Rest: "D"})
	f(own, "i/A03q9/k6kj", route.Place{Path: home, View: true})
	f(own, "i/D03q9/k6kj/961w", route.Place{Path: home, Rest: "D961w", View: true})
	f(own, "i/A03q9/k6kj/r_ccc1b019cd", route.Place{Path: home + "/r_ccc1b019cd", Base: home, View: true})

	brand := &link.Site{Domain: link.Domain{Host: "brand.test", BrandOf: "go.acme.test"}}
	f(brand, "A03q9/k6kj", route.Place{Path: home})
	shown := &link.Site{Domain: link.Domain{Host: "i.acme.test", BrandOf: "go.acme.test"}}
	f(shown, "A03q9/k6kj", route.Place{Path: home, View: true})
	invite := &link.Site{Domain: link.Domain{Host: "i.acme.test"}}
	f(invite, "A03q9/k6kj", route.Place{Path: "//i.acme.test/03q9/k6kj"})

	agent, address := "Mozilla/5.0 (iPhone)", netip.MustParseAddr("203.0.113.9")
	f(own, "A03q9/k6kj?pcn=x&ip=203.0.113.9&ua=Mozilla%2F5.0+(iPhone)", route.Place{Path: home, Agent: agent, Address: address})
	f(own, "i/A03q9/k6kj?ip=::ffff:203.0.113.9&amp;ua=Mozilla/5.0%20(iPhone)", route.Place{Path: home, View: true, Agent: agent, Address: address})
	f(own, "A03q9/k6kj/961w?ip=203.0.113.9", route.Place{Path: home, Rest: "961w", Address: address})
	f(own, "A03q9/k6kj?ip={IP}&ua=$UA&ua={{user_agent}}", route.Place{Path: home})
	f(own, "A03q9/k6kj?ip=203.0.113.900&ua=&lip=203.0.113.9", route.Place{Path: home})
	f(own, "A03q9/k6kj?ip=&ip=203.0.113.9", route.Place{Path: home, Address: address})

	for _, path := range []string{
		"", "i", "A", "A03q9", "i/A03q9", "a03q9/k6kj", "G03q9/k6kj", "03q9/k6kj", "A1b3/promo", "A03q9//k6kj", "A03q9/k6kj/961w/x",
		"A03q9/k6k_j", "A03q9/k%36kj", "A03_9/k6kj", "A03q9/k6kj/r_", "A03q9/k6kj/r_a_b", "A03q9/k6kj/9-1w", "i/i/A03q9/k6kj", "I/A03q9/k6kj",
		"A03q9/é", "A0123456789abcd/k6kj", "A03q9/" + strings.Repeat("k", 33), ".well-known/assetlinks.json",
	} {
		f(own, path, route.Place{})
	}
}

func TestClicksRefuseBrokenData(t *testing.T) {
	t.Parallel()
	s := &clickScript{stored: fuzzLink, referral: "a=b"}
	f := func(url string, breakIt func(c *route.Clicked), kind fault.Kind, names string) {
		t.Helper()
		c := s.clicked(t, url)
		breakIt(c)
		for _, try := range []func(*route.Clicked) error{
			func(c *route.Clicked) error { _, err := Clicks{}.Rules(c); return err },
			func(c *route.Clicked) error { _, err := Resolve(c, "https://go.acme.test/x", device.IOS); return err },
		} {
			if err := try(c); err == nil || fault.As(err).Kind != kind || !strings.Contains(err.Error(), names) {
				t.Errorf("%s: %v, want %v about %q", url, err, kind, names)
			}
		}
	}
	f("/A03q9/k6kj", func(c *route.Clicked) { c.Link.Data = json.RawMessage(`{"a"`) }, fault.Internal, "03q9/k6kj")
	f("/A03q9/k6kj/r_ref0000001", func(c *route.Clicked) { c.Link.Data = json.RawMessage(`[]`) }, fault.Internal, "r_ref0000001")
	f("/A03q9/k6kj/r_ref0000001", func(c *route.Clicked) { c.Base.Data = json.RawMessage(`{}`) }, fault.Internal, "k6kj:")
	f("/A03q9/k6kj", func(c *route.Clicked) { c.Link = nil }, fault.NotFound, "")
	f("/A03q9/k6kj/zzzz", func(*route.Clicked) {}, fault.NotFound, "zzzz")
}

// TestPagesNameTheLinksApp: its domain may be another app's.
func TestPagesNameTheLinksApp(t *testing.T) {
	t.Parallel()
	f := func(listing *link.Listing, want string) {
		t.Helper()
		c := (&clickScript{stored: fuzzLink}).clicked(t, "/A03q9/k6kj")
		c.Link.Listing = listing
		rules, err := Clicks{}.Rules(c)
		if err != nil || rules.Name != want {
			t.Errorf("%+v: %+v, %v, want the name %s", listing, rules, err, want)
		}
	}
	f(&link.Listing{AppGroup: 11}, "Side")
	f(&link.Listing{AppGroup: 4834}, "Acme")
	f(nil, "Acme")
}

// TestClipboard: the page of an app that looks at the clipboard leaves its
// click's token there.
func TestClipboard(t *testing.T) {
	t.Parallel()
	for _, looks := range []bool{true, false} {
		s := &clickScript{stored: fuzzLink, apps: appsOfClicks(t)}
		for i := range s.apps {
			s.apps[i].Clipboard = looks && s.apps[i].ID == fuzzLink.IOS.AppSite
		}
		rules, err := Clicks{}.Rules(s.clicked(t, "/A03q9/k6kj"))
		if err != nil {
			t.Fatal(err)
		}
		if d := route.Compile(rules).Decide(&device.Device{Platform: device.IOS}); d.Rule != route.IOSApp || d.Copies() != looks {
			t.Errorf("rule %s, copies %v, want %v", d.Rule, d.Copies(), looks)
		}
	}
}

// TestExcludes: every link that opens no app on iOS is left to the browser
// there, and every other one is not.
func TestExcludes(t *testing.T) {
	t.Parallel()
	apple := strings.NewReplacer(`\*`, ".*", `\?`, ".") // Apple's wildcards, in quoted text
	f := func(address string, want bool) {
		t.Helper()
		got := slices.ContainsFunc(Clicks{}.Excludes(), func(pattern string) bool {
			return regexp.MustCompile("^" + apple.Replace(regexp.QuoteMeta(pattern)) + "$").MatchString(address)
		})
		if got != want {
			t.Errorf("%s is excluded: %v", address, got)
		}
	}
	for _, rest := range []string{"03q9/k6kj1", "03q9/k6kj1/961w", "03q9/k6kj1/r_ccc1b019cd", "123456/k6kj1"} {
		f("/A"+rest, false)
		f("/B"+rest, true)
		f("/C"+rest, false)
		f("/D"+rest, true)
		f("/E"+rest, false)
		f("/F"+rest, true)
	}
	f("/Black-Friday", false) // of other dialects
	f("/F1/x", false)
}

func TestCleanNames(t *testing.T) {
	t.Parallel()
	f := func(raw, want string) {
		t.Helper()
		if got := cleanName(raw); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", raw, got, want)
		}
	}
	f("_fallback_redirect", "_fallback_redirect")
	f("_fallback_ redirect", "_fallback_redirect")
	f(" _dl\t\n", "_dl")
	f("amp;_ios_dl", "_ios_dl")
	f("amp;amp; pcn", "pcn")
	f("amp;", "")
	f("lamp;x", "lamp;x")
}

func TestSameSite(t *testing.T) {
	t.Parallel()
	f := func(host, fallback string, want bool) {
		t.Helper()
		if got := sameSite(host, fallback); got != want {
			t.Errorf("sameSite(%q, %q) = %v", host, fallback, got)
		}
	}
	f("www.acme.test", "www.acme.test", true)
	f("acme.test", "www.acme.test", true)
	f("shop.acme.test", "www.acme.test", true)
	f("a.b.acme.test", "acme.test", true)
	f("shop.acme.co.uk", "www.acme.co.uk", true)
	f("shop.acme.test", "app.acme.test", false) // siblings might be of two owners
	f("acme.test", "app.acme.test", false)
	f("evilacme.test", "acme.test", false)
	f("acme.test.evil.test", "acme.test", false)
	f("evil.com", "www.com", false)
	f("evil.gov.uk", "www.gov.uk", false)
	f("gov.uk", "www.gov.uk", false)
	f("evil.test／.acme.test", "acme.test", false)
	f("acme.test", "", false)
	f("", "", false)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	s := &clickScript{stored: fuzzLink, referral: "_dl=myapp%3A%2F%2Finvite&_p=%7B%22u%22%3A1%7D&pcn=friends"}
	s.apps = appsOfClicks(t)
	const long = "https://go.acme.test/A03q9/k6kj"
	f := func(url string, platform device.Platform, want string) {
		t.Helper()
		got, err := Resolve(s.clicked(t, url), long, platform)
		if err != nil || got != long+want {
			t.Errorf("%s on %s:\n got %s, %v\nwant %s", url, platform, got, err, long+want)
		}
	}
	f("/A03q9/k6kj/961w", device.IOS, "?_dl=myapp%3A%2F%2Fp%2F1&pcn=spring%20sale")
	f("/A03q9/k6kj/961w", device.Android, "?_dl=myapp%3A%2F%2Fandroid&pcn=spring%20sale")
	f("/A03q9/k6kj/961w", device.FireOS, "?_dl=myapp%3A%2F%2Fandroid&pcn=spring%20sale")
	f("/A03q9/k6kj/961w", device.Web, "?pcn=spring%20sale")
	f("/A03q9/k6kj/961w?pcn=mine&_p=x%26y", device.IOS, "?_dl=myapp%3A%2F%2Fp%2F1&pcn=mine&_p=x%26y")
	f("/A03q9/k6kj/r_ref0000001", device.IOS, "?_dl=myapp%3A%2F%2Finvite&_p=%7B%22u%22%3A1%7D&pcn=friends")
	f("/A03q9/k6kj/r_ref0000001?_ios_dl=myapp%3A%2F%2F2", device.IOS, "?_dl=myapp%3A%2F%2F2&_p=%7B%22u%22%3A1%7D&pcn=friends")
	f("/A03q9/k6kj/r_ref0000001?_android_dl=https%3A%2F%2Fevil.test", device.Android, "?_dl=myapp%3A%2F%2Finvite&_p=%7B%22u%22%3A1%7D&pcn=friends")
	f("/A03q9/k6kj/r_expired", device.IOS, "?_dl=myapp%3A%2F%2Fp%2F1")
	f("/A03q9/k6kj", device.IOS, "?_dl=myapp%3A%2F%2Fp%2F1")
	f("/D03q9/k6kj", device.IOS, "")
}

func TestSource(t *testing.T) {
	t.Parallel()
	f := func(s Stored, webParams, want string) {
		t.Helper()
		if got := Source(&s, []link.Param{{Name: "utm_source", Value: "no"}, {Name: "amp;_web_params", Value: webParams}}); got != want {
			t.Errorf("%+v with %q: source %q, want %q", s, webParams, got, want)
		}
	}
	custom, web := Stored{LinkType: CustomLink, SourceName: "social"}, Stored{LinkType: WebToApp, SourceName: "x"}
	f(custom, "utm_source=fb", "social")
	f(web, "utm_source=fb&utm_campaign=y", "fb")
	f(web, "?wpcn=a&wpsrc=Google%20Ads", "Google Ads")
	f(web, "wpsrc=b&utm_source=a", "a")
	f(web, "utm_source=&wpcn=1", "Mobile Web to App")
	f(web, "", "Mobile Web to App")
}

// fuzzLink has everything that a link can have.
var fuzzLink = Stored{
	LinkType: CustomLink, SourceName: "social", Fallback: "https://www.example.com/a?b=c#d",
	Android: &Redirection{AppSite: 22, Destination: "https://play.google.com/store/apps/details?id=com.x", DeepLink: "myapp://android", Deferred: "myapp://d"},
	IOS:     &Redirection{AppSite: 21, Destination: "https://apps.apple.com/app/id1", DeepLink: "myapp://p/1"},
	OG:      &OG{"t", "d", "https://www.example.com/i.png"}, Short: "961w", Query: "_ios_dl=myapp%3A%2F%2Fp%2F1&pcn=spring+sale",
}

// FuzzLocate: whatever an address says, it must not panic, and what is found
// lies below the host that was asked.
func FuzzLocate(f *testing.F) {
	for _, seed := range []string{"A03q9/k6kj", "i/D03q9/k6kj/961w", "B03q9/k6kj/r_ccc1b019cd", "A03q9//", "i/", "", "A", "A/B/C/D", "É03q9/k6kj", "A03q9/../x"} {
		f.Add(seed)
	}
	site := &link.Site{Domain: link.Domain{Host: "go.acme.test"}}
	f.Fuzz(func(t *testing.T, path string) {
		p, ok := Clicks{}.Locate(&route.Request{Site: site, Path: path})
		if !ok {
			if p != (route.Place{}) {
				t.Fatalf("%q leads nowhere and to %+v", path, p)
			}
			return
		}
		host, rest, split := p.Path.SplitHost()
		if !split || host != "go.acme.test" || strings.ToLower(rest) != rest || strings.Count(rest, "/") > 2 {
			t.Fatalf("%q is found at %q", path, p.Path)
		}
		if p.Base != "" && !strings.HasPrefix(string(p.Path), string(p.Base)+"/"+ReferralPrefix) {
			t.Fatalf("%q is found at %q, which stands for %q", path, p.Path, p.Base)
		}
	})
}

// FuzzClickedURL: whatever a clicked URL says, no answer leaves its header, runs
// code, or leads to a host that is neither the link's nor allowed.
func FuzzClickedURL(f *testing.F) {
	for _, name := range []string{queryFallback, queryIOSRedirect, queryAndroidRedirect, queryFireRedirect, queryDeepLink, queryIOSDeepLink, queryDeferred, queryForward, queryPassthrough, " _dl", "amp;_ios_redirect", "referrer"} {
		for _, value := range []string{"https://evil.test/", `https://www.example.com\@evil.test/`, "javascript:alert(1)", "https://www.example.com/\r\nX: y", "myapp://x#Intent;end", "//evil.test", "https:evil.test",
			"{click_id}", "%0d%0a", "2", "market://details?id=com.evil", "https://a@play.google.com/store/apps/details?id=com.x", "https://evil.test／.example.com"} {
			f.Add("/A03q9/k6kj/961w", name, value, "https://www.example.com/?a=b#c")
		}
	}
	f.Add("/A03q9/k6kj/r_ref0000001", "x", "y", "z")
	s := &clickScript{stored: fuzzLink, referral: "_fallback_redirect=https%3A%2F%2Fevil.test%2F&_dl=javascript%3Ax", allow: []string{"partner.test"}}
	s.apps = appsOfClicks(f)
	visitors := []device.Device{
		{Platform: device.IOS}, {Platform: device.Android}, {Platform: device.FireOS}, {Platform: device.Web}, {Platform: device.Roku},
		{Bot: "crawler"}, {Bot: "preview", Preview: true},
	}
	f.Fuzz(func(t *testing.T, path, name, value, other string) {
		query := url.QueryEscape(name) + "=" + url.QueryEscape(value) + "&_fallback_redirect=" + url.QueryEscape(other)
		c := s.clicked(t, strings.ReplaceAll(path, "?", "")+"?"+query)
		if c == nil {
			return
		}
		rules, err := Clicks{}.Rules(c)
		if err != nil {
			if !fault.Is(err, fault.NotFound) {
				t.Fatal(err)
			}
			return
		}
		plan := route.Compile(rules)
		for i := range visitors {
			d := plan.Decide(&visitors[i])
			if location := string(d.AppendLocation(nil, compattest.Moment)); location != "" {
				checkClickTarget(t, location)
			}
			text, err := d.AppendPage(nil, compattest.Moment)
			if err != nil {
				t.Fatalf("%s page: %v", d.Rule, err)
			}
			if strings.Count(string(text), "<script") > 1 || strings.Contains(strings.ToLower(string(text)), `href="javascript:`) {
				t.Fatalf("%s page runs something:\n%s", d.Rule, text)
			}
		}
		explained, _ := route.Explain(rules)
		for _, e := range explained {
			if e.Next != "" {
				checkClickTarget(t, e.Next)
			}
		}
		for _, o := range rules.Offers {
			if o.DeepLink != "" && route.CheckOpen(o.DeepLink) != nil {
				t.Fatalf("deferred deep link %q", o.DeepLink)
			}
		}
		if long, err := Resolve(c, "https://go.acme.test/A03q9/k6kj", device.IOS); err != nil || !strings.HasPrefix(long, "https://go.acme.test/A03q9/k6kj?") || strings.ContainsAny(long, "\r\n \"<>\\") {
			t.Fatalf("long form %q, %v", long, err)
		}
	})
}

// checkClickTarget holds what is true of every target of fuzzLink.
func checkClickTarget(t *testing.T, target string) {
	t.Helper()
	for i := range len(target) {
		if target[i] <= ' ' || target[i] >= 0x7f {
			t.Fatalf("target %q holds the byte %#x", target, target[i])
		}
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatalf("target %q does not parse: %v", target, err)
	}
	host := strings.ToLower(u.Hostname())
	switch p := storeOf(target); {
	case p != nil:
		if *p != (product{"google", "com.x"}) && *p != (product{"apple", "1"}) {
			t.Fatalf("target %q leads to another's app", target)
		}
	case u.Scheme == "myapp":
	case host != "www.example.com" && host != "example.com" && !strings.HasSuffix(host, ".example.com") && host != "partner.test":
		t.Fatalf("target %q leads to a host that nobody allowed", target)
	}
}

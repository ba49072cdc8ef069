package smartlinks

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"waypost/compat/compattest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

func acmeApps() []link.App {
	return []link.App{
		{ID: 24171, GUID: "koacme-ios-4fkz131i", Key: "ios", Platform: device.IOS, StoreID: "1234567890", StoreURL: "https://apps.apple.com/us/app/acme/id1234567890", Scheme: "acme"},
		{ID: 26538, GUID: "koacme-android-tewdf", Key: "android", Platform: device.Android, Package: "com.acme.app", StoreURL: "https://play.google.com/store/apps/details?id=com.acme.app"},
		{ID: 38581, GUID: "koacme-web-j87qn6", Key: "web", Platform: device.Web, URL: "https://www.acme.test/"},
	}
}

// acmeLink is a link of the apps whose four templates are given.
func acmeLink(catchAll, destination, reengagement, path string) *link.Link {
	stored := Stored{
		Native: path != "", Path: path, Default: Default{App: 38581, Destination: catchAll},
		Apps: []App{
			{App: 24171, Routes: []Route{{Name: "iOS", Destination: destination, Reengagement: reengagement, Platforms: []string{"iOS"}}}},
			{App: 26538, Routes: []Route{{Name: "Android", Destination: destination, Platforms: []string{"android"}, NativeLink: "android"}}},
			{App: 38581, Routes: []Route{{Name: "Web", Destination: destination, Platforms: []string{"Web"}}}},
		},
	}
	return &link.Link{
		ID: scriptLink, Account: 5899, Dialect: link.SmartLinks, Code: scriptGUID, Path: link.HostPath(scriptHost, scriptGUID),
		Data: stored.Data(), Listing: &link.Listing{AppGroup: 4833},
	}
}

func plainLink() *link.Link {
	return acmeLink("https://www.acme.test/", "https://www.acme.test/r", "acme://p", "")
}

func nothingAllowed(string) bool { return false }

func TestRulesRefuse(t *testing.T) {
	t.Parallel()
	d := directoryOf(t, acmeApps())
	classic := "/v1/cpi/click?campaign_id=koacme-ios-4fkz131i" + TrackerOf(scriptLink, 2).Legacy()
	f := func(name, host, address string, change func(c *route.Clicked)) {
		t.Helper()
		c := clickedAt(t, d, host, address)
		c.Link, c.Allow = plainLink(), nothingAllowed
		if _, err := (Clicks{}).Rules(c); err != nil {
			t.Fatalf("%s: before the change: %v", name, err)
		}
		change(c)
		if rules, err := (Clicks{}).Rules(c); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %+v, %v; want a fault of kind NotFound", name, rules, err)
		}
	}
	f("gone", scriptHost, "", func(c *route.Clicked) { c.Link = nil })
	f("another dialect's", scriptHost, classic, func(c *route.Clicked) { c.Link.Dialect = link.Singular })
	f("another account's host", scriptHost, classic, func(c *route.Clicked) { c.Site = d.Site("rival.example") })
	f("another app's tracker", scriptHost, classic, func(c *route.Clicked) { c.Place.Rest = "koacme-web-j87qn6" })
	f("no app", scriptHost, classic, func(c *route.Clicked) { c.Place.Rest = "" })
	f("no such tracker", "smart.example", classic, func(c *route.Clicked) { c.Place.Tracker = 5 })
	f("no such tracker by far", "smart.example", classic, func(c *route.Clicked) { c.Place.Tracker = link.MaxTracker })

	c := clickedAt(t, d, scriptHost, "")
	c.Link = plainLink()
	c.Link.Data = json.RawMessage(`{"a"`)
	if _, err := (Clicks{}).Rules(c); err == nil || fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), string(c.Link.Path)) {
		t.Errorf("broken data: %v, want an error that names the link", err)
	}
}

func TestFixed(t *testing.T) {
	t.Parallel()
	d := directoryOf(t, acmeApps())
	f := func(l *link.Link, address string, want bool) {
		t.Helper()
		c := clickedAt(t, d, scriptHost, address)
		c.Link, c.Allow = l, nothingAllowed
		rules, err := Clicks{}.Rules(c)
		if err != nil || rules.Fixed != want {
			t.Errorf("%s at %q: fixed %v, %v; want %v", l.Data, address, rules.Fixed, err, want)
		}
	}
	f(plainLink(), "", true)
	f(plainLink(), "?a=b", true)
	f(acmeLink("https://x.test/?c={click_id}", "https://x.test/{}", "acme://{", "acme://}"), "", true)
	f(acmeLink("https://x.test/{a}", "https://x.test/", "", ""), "", false)
	f(acmeLink("https://x.test/", "https://x.test/{click_id}/{b}", "", ""), "", false)
	f(acmeLink("https://x.test/", "https://x.test/", "acme://{c}", ""), "", false)
	f(acmeLink("https://x.test/", "https://x.test/", "", "{d}"), "", false)
	// whether a redirect is wanted stands in the query
	f(plainLink(), "/v1/cpi/click?campaign_id=koacme-ios-4fkz131i"+TrackerOf(scriptLink, 2).Legacy(), false)
}

func TestArchivedLinksLeadOn(t *testing.T) {
	t.Parallel()
	c := clickedAt(t, directoryOf(t, acmeApps()), scriptHost, "")
	c.Link, c.Allow = plainLink(), nothingAllowed
	c.Link.Listing.Archived = true
	rules, err := Clicks{}.Rules(c)
	if err != nil {
		t.Fatal(err)
	}
	d := route.Compile(rules).Decide(&device.Device{Platform: device.Web})
	if got := string(d.AppendLocation(nil, compattest.Moment)); got != "https://www.acme.test/r" || d.Tracker != 4 {
		t.Errorf("an archived link leads to %q for tracker %d", got, d.Tracker)
	}
}

func TestUnknownVisitorsFollowTheWeb(t *testing.T) {
	t.Parallel()
	c := clickedAt(t, directoryOf(t, acmeApps()), scriptHost, "")
	c.Link, c.Allow = plainLink(), nothingAllowed
	rules, err := Clicks{}.Rules(c)
	if err != nil {
		t.Fatal(err)
	}
	if d := route.Compile(rules).Decide(&device.Device{}); d.Tracker != 4 {
		t.Errorf("an unknown visitor is counted for tracker %d, want the web's, 4", d.Tracker)
	}
}

// A web address without a host is no app's, though the link has one as its
// reengagement_url.
func TestNoHostIsNoApp(t *testing.T) {
	t.Parallel()
	c := clickedAt(t, directoryOf(t, acmeApps()), scriptHost, "?x=https://:80/")
	c.Link, c.Allow = acmeLink("https://www.acme.test/", "{x}", "https://www.acme.test/p", ""), nothingAllowed
	rules, err := Clicks{}.Rules(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(route.Compile(rules).Decide(&device.Device{Platform: device.Web}).AppendLocation(nil, compattest.Moment)); got != "https://www.acme.test/" {
		t.Errorf("the click leads to %s", got)
	}
}

// What stands between braces is a name, and ends no host.
func TestWhoSteers(t *testing.T) {
	t.Parallel()
	f := func(template string, want bool) {
		t.Helper()
		if got := steers(template); got != want {
			t.Errorf("steers(%q) = %v, want %v", template, got, want)
		}
	}
	f("https://www.acme.test/{x}", false)
	f("https://www.acme.test?{x}", false)
	f("https://{click_id}.acme.test/{x}", false)
	f("acme://{x}/{y}", false)
	f("https://{}/{x}", false)
	f("{x}", true)
	f("{x}://www.acme.test/", true)
	f("https:{x}", true)
	f("https://{x}.acme.test/", true)
	f("https://www.acme.test{x}", true)
	f(`https://www{a\b}`, true)
	f("https://www{a/b}", true)
	f("https://www{a?b}.test/", true)
	f("https://{click_id}{a#b}{c}/", true)
	f("https://{a/b}{c}.test/", true)
}

// TestClipboard: the page of an app that looks at the clipboard leaves its
// click's token there.
func TestClipboard(t *testing.T) {
	t.Parallel()
	for _, looks := range []bool{true, false} {
		apps := acmeApps()
		apps[0].Clipboard = looks
		c := clickedAt(t, directoryOf(t, apps), scriptHost, "")
		c.Link, c.Allow = acmeLink("https://www.acme.test/", apps[0].StoreURL, "acme://p", ""), nothingAllowed
		rules, err := Clicks{}.Rules(c)
		if err != nil {
			t.Fatal(err)
		}
		if d := route.Compile(rules).Decide(&device.Device{Platform: device.IOS}); d.Rule != route.IOSApp || d.Copies() != looks {
			t.Errorf("rule %s, copies %v, want %v", d.Rule, d.Copies(), looks)
		}
	}
}

func TestUnfilled(t *testing.T) {
	t.Parallel()
	f := func(value string, want bool) {
		t.Helper()
		if got := unfilled(value); got != want {
			t.Errorf("unfilled(%q) = %v, want %v", value, got, want)
		}
	}
	f("{gaid}", true)
	f("%{x}", true)
	f("${X_Y.z-1}", true)
	f("{{x}}", true)
	f(" {insert deeplink here} ", true)
	f("", false)
	f("{}", false)
	f("%", false)
	f("{", false)
	f("{x", false)
	f("x}", false)
	f("a{x}", false)
	f("{x}b", false)
	f(`{"id":1}`, false)
	f("{a}{b}", false)
	f("paris", false)
}

// visitorKinds are devices that between them get every kind of answer.
var visitorKinds = []device.Device{
	{Platform: device.IOS}, {Platform: device.Android}, {Platform: device.Android, Browser: "Instagram"}, {Platform: device.FireOS},
	{Platform: device.MacOS}, {Platform: device.Web}, {Platform: device.Roku}, {Bot: "crawler"}, {Bot: "preview", Preview: true},
}

// Whatever a click says: no answer leaves its header, runs code, or leads to a
// host that is neither stored nor allowed.
func FuzzMacros(f *testing.F) {
	for _, template := range []string{
		"{x}", "{x}?ko_click_id={click_id}", "{x}{y}", "https://{x}/", "https://{x}.acme.test/{y}", "https://www.acme.test/{x}/../{y}?a={x}#{y}",
		"acme://{x}/{y}", "https://www.acme.test/%zz{x}", "https://www.acm%/", "https://www.acme.test/{x/y}", "https://a%41b/", "https://www.acme.test#{", "{x}://{y}", "https:{x}", "https://www.acme.test{x}", `https://www.acme.test\{x}`, "https://www.acme.test:{x}/", "market://details?id={x}", "{{x}}",
	} {
		for _, value := range []string{
			"https://evil.test/", "//evil.test", "javascript:alert(1)", `https://www.acme.test\@evil.test/`, "https://www.acme.test/\r\nX: y",
			"acme://x#Intent;end", "https:evil.test", "{click_id}", "%0d%0a", "@evil.test/", "..", "intent://x#Intent;package=y;end", "evil.test",
		} {
			f.Add(template, value, "b")
		}
	}
	d := directoryOf(f, acmeApps())
	known := []string{"www.acme.test", "play.google.com", "apps.apple.com", "shop.acme.test"}
	stored := func(template string) string { // the host that the template names by itself
		if steers(template) {
			return ""
		}
		// Behind the host stands what clients forgot to encode.
		return link.Host("https://" + authority(strings.TrimSpace(template)))
	}
	f.Fuzz(func(t *testing.T, template, x, y string) {
		if !steers(template) && checkDestination(template) != "" && checkDeepLink(template) != "" {
			return // no link is stored with it; one that a visitor steers must not pass even so
		}
		c := &route.Clicked{
			Directory: d, Site: d.Site(scriptHost), Link: acmeLink("https://www.acme.test/", template, template, template),
			Query: []link.Param{{Name: "x", Value: x}, {Name: "y", Value: y}, {Name: "click_id", Value: x}},
			Allow: func(host string) bool { return slices.Contains(known, host) },
		}
		rules, err := Clicks{}.Rules(c)
		if err != nil {
			t.Fatal(err)
		}
		plan := route.Compile(rules)
		for i := range visitorKinds {
			dest := plan.Decide(&visitorKinds[i])
			if location := string(dest.AppendLocation(nil, compattest.Moment)); location != "" && dest.Kind == route.Redirect {
				checkLocation(t, template, location, append(known, stored(template)))
			}
			text, err := dest.AppendPage(nil, compattest.Moment)
			if err != nil {
				t.Fatalf("%s page: %v", dest.Rule, err)
			}
			if strings.Count(string(text), "<script") > 1 || strings.Contains(strings.ToLower(string(text)), `href="javascript:`) {
				t.Fatalf("%s page runs something:\n%s", dest.Rule, text)
			}
		}
		route.Explain(rules)
	})
}

// checkLocation holds what is true of every redirect.
func checkLocation(t *testing.T, template, location string, known []string) {
	t.Helper()
	for i := range len(location) {
		if location[i] <= ' ' || location[i] >= 0x7f {
			t.Fatalf("location %q holds the byte %#x", location, location[i])
		}
	}
	if !link.SafeScheme(link.Scheme(location)) {
		t.Fatalf("location %q has an unsafe scheme", location)
	}
	if isWebScheme(link.Scheme(location)) {
		u, err := url.Parse(location)
		if err != nil {
			t.Fatalf("location %q does not parse: %v", location, err)
		}
		if !slices.Contains(known, strings.ToLower(u.Hostname())) {
			t.Fatalf("%q leads to %q, a host that nobody allowed", template, location)
		}
	}
}

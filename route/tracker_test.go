package route

import (
	"slices"
	"strings"
	"testing"

	"waypost/internal/device"
	"waypost/link"
)

// measuredRules are those of a link whose parts are measured one by one.
func measuredRules() *Rules {
	return &Rules{
		Web: &Target{URL: "https://www.acme.test/", From: "the catch-all"}, Tracker: link.CatchAll, Fixed: true,
		Offers: []Offer{
			{Platform: device.IOS, Store: &Target{URL: "https://apps.apple.com/app/id1", From: "the iOS route"}, Tracker: 2, DeepLink: "product/{click_id}/a b"},
			{Platform: device.MacOS, Web: &Target{URL: "https://mac.acme.test/", From: "the Mac route"}, Tracker: 3},
			{Platform: device.Android, Tracker: 4, DeepLink: "acme://p/1"},
		},
	}
}

func TestTrackersAndDeepLinks(t *testing.T) {
	t.Parallel()
	f := func(name string, r *Rules, d device.Device, rule Rule, tracker link.Tracker, deepLink string) {
		t.Helper()
		got := Compile(r).Decide(&d)
		if told := string(got.AppendDeepLink(nil, someMoment)); got.Rule != rule || got.Tracker != tracker || told != deepLink {
			t.Errorf("%s: %s, tracker %d, deep link %q; want %s, %d, %q", name, got.Rule, got.Tracker, told, rule, tracker, deepLink)
		}
	}
	f("ios", measuredRules(), device.Device{Platform: device.IOS}, IOSStore, 2, "product/9023861282613779883/a b")
	f("an offer without a target", measuredRules(), device.Device{Platform: device.Android}, Web, 4, "acme://p/1")
	f("fire takes android's", measuredRules(), device.Device{Platform: device.FireOS}, Web, 4, "acme://p/1")
	f("a desktop of its own", measuredRules(), device.Device{Platform: device.MacOS}, Web, 3, "")
	f("another desktop", measuredRules(), device.Device{Platform: device.Windows}, Web, link.CatchAll, "")
	f("an unknown visitor", measuredRules(), device.Device{}, Web, link.CatchAll, "")
	f("a bot", measuredRules(), device.Device{Platform: device.IOS, Bot: "crawler"}, BotWeb, link.CatchAll, "")
	f("a preview", measuredRules(), device.Device{Platform: device.IOS, Bot: "preview", Preview: true}, PreviewRule, link.CatchAll, "")
	silent := measuredRules()
	silent.NoRedirect = "asked"
	f("reported", silent, device.Device{Platform: device.IOS}, NoRedirect, 2, "product/9023861282613779883/a b")
	f("reported bot", silent, device.Device{Platform: device.IOS, Bot: "crawler"}, NoRedirect, link.CatchAll, "")
	f("no trackers", someRules(), device.Device{Platform: device.IOS}, IOSStore, link.NoTracker, "")
	unsafe := measuredRules()
	unsafe.Offers[0].DeepLink = "javascript:alert(1)"
	unsafe.Offers[2].DeepLink = "a\nb"
	f("unsafe scheme", unsafe, device.Device{Platform: device.IOS}, IOSStore, 2, "")
	f("control character", unsafe, device.Device{Platform: device.Android}, Web, 4, "")
	if _, notes := Explain(unsafe); len(notes) != 2 || !strings.Contains(notes[0], "The deep link for ios is ignored") {
		t.Errorf("notes %q", notes)
	}
}

// TestClipboard: only a page that leads an iPhone to its store leaves a token,
// and only where the app looks for it.
func TestClipboard(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Offer), agent device.Device, copies bool) {
		t.Helper()
		o := Offer{Platform: device.IOS, Open: &Open{URI: "acme://x", From: "the link"}, Store: &Target{URL: "https://apps.apple.com/app/id1", From: "the store"}, Clipboard: true}
		change(&o)
		r := &Rules{Offers: []Offer{o}, Web: &Target{URL: "https://www.acme.test/", From: "the catch-all"}}
		d := Compile(r).Decide(&agent)
		page, err := d.AppendPage(nil, someMoment)
		token := someMoment.Click.Copied()
		if err != nil || d.Copies() != copies || strings.Contains(string(page), `data-copy="`+token+`"`) != copies || strings.Contains(string(page), "data-copy") != copies {
			t.Errorf("%s: copies %v, %v, page %s", name, d.Copies(), err, page)
		}
		explained, _ := Explain(r)
		if told := strings.Contains(explained[0].Reason, "clipboard"); agent.Platform == device.IOS && !agent.IsBot() && told != copies {
			t.Errorf("%s: explained by %q", name, explained[0].Reason)
		}
	}
	phone := device.Device{Platform: device.IOS}
	f("the app looks for it", func(*Offer) {}, phone, true)
	f("in a browser inside another app", func(*Offer) {}, device.Device{Platform: device.IOS, Browser: "Instagram"}, true)
	f("the app does not", func(o *Offer) { o.Clipboard = false }, phone, false)
	f("a web address", func(o *Offer) { o.Web = o.Store }, phone, false)
	f("no store", func(o *Offer) { o.Store = nil }, phone, false)
	f("no page", func(o *Offer) { o.Open = nil }, phone, false)
	f("a bot", func(*Offer) {}, device.Device{Platform: device.IOS, Bot: "crawler"}, false)
	f("a desktop", func(*Offer) {}, device.Device{Platform: device.MacOS}, false)
}

func TestDesktopsTakeTheirOffer(t *testing.T) {
	t.Parallel()
	r := measuredRules()
	r.Offers = nil
	for _, p := range []device.Platform{device.MacOS, device.Windows, device.Web, device.Unknown} {
		r.Offers = append(r.Offers, Offer{Platform: p, Web: &Target{URL: "https://own.test/" + p.String(), From: "its route"}})
	}
	plan := Compile(r)
	for _, p := range []device.Platform{device.MacOS, device.Windows, device.Web, device.Unknown} {
		got := plan.Decide(&device.Device{Platform: p})
		if to := string(got.AppendLocation(nil, someMoment)); to != "https://own.test/"+p.String() || got.Rule != Web {
			t.Errorf("%q goes to %s by %s", p, to, got.Rule)
		}
	}
	if to := string(plan.Decide(&device.Device{Platform: device.Roku}).AppendLocation(nil, someMoment)); to != "https://www.acme.test/" {
		t.Errorf("a television goes to %s", to)
	}
}

func TestReply(t *testing.T) {
	t.Parallel()
	r := measuredRules()
	r.Reply = `{"ok":true}`
	ios := device.Device{Platform: device.IOS}
	if d := Compile(r).Decide(&ios); d.Kind != Redirect || d.Reply() != "" {
		t.Errorf("a click that asks for nothing is told %v %q", d.Kind, d.Reply())
	}
	r.NoRedirect = "asked"
	for _, visitor := range []device.Device{ios, {Bot: "crawler"}, {}} {
		if d := Compile(r).Decide(&visitor); d.Kind != Told || d.Reply() != `{"ok":true}` {
			t.Errorf("%+v is told %v %q", visitor, d.Kind, d.Reply())
		}
	}
	r.Reply = ""
	if d := Compile(r).Decide(&ios); d.Kind != Empty || d.Reply() != "" {
		t.Errorf("without a reply: %v %q", d.Kind, d.Reply())
	}
}

func TestFixed(t *testing.T) {
	t.Parallel()
	if !Compile(measuredRules()).Fixed() || Compile(someRules()).Fixed() {
		t.Error("a plan is fixed where its rules are")
	}
}

func TestExplainShowsTrackersAndDeepLinks(t *testing.T) {
	t.Parallel()
	got, _ := Explain(measuredRules())
	f := func(visitor string, tracker link.Tracker, deepLink, reason string) {
		t.Helper()
		i := slices.IndexFunc(got, func(e Explanation) bool { return e.Visitor == visitor })
		if e := got[i]; e.Tracker != tracker || e.DeepLink != deepLink || !strings.Contains(e.Reason, reason) {
			t.Errorf("%s: %+v", visitor, e)
		}
	}
	f("ios", 2, "product/{click_id}/a b", "the iOS route")
	f("macos", 3, "", "The link sets the Mac route for this platform.")
	f("windows", link.CatchAll, "", "Nothing is set for this platform alone, so it is the catch-all.")
	f("other bot", link.CatchAll, "", "Bots get what desktops get")
	silent := measuredRules()
	silent.NoRedirect, silent.Reply = "asked", `{"ok":true}`
	if e, _ := Explain(silent); e[0].Kind != Told || e[0].Reply != `{"ok":true}` {
		t.Errorf("told: %+v", e[0])
	}
}

func TestDeepLinkAllocatesNothing(t *testing.T) {
	plan, dst := Compile(measuredRules()), make([]byte, 0, 1024)
	d := device.Device{Platform: device.IOS}
	if n := testing.AllocsPerRun(100, func() { dst = plan.Decide(&d).AppendDeepLink(dst[:0], someMoment) }); n != 0 {
		t.Errorf("Decide and AppendDeepLink allocate %v times, want 0", n)
	}
}

func TestBrowsersInsideOtherApps(t *testing.T) {
	t.Parallel()
	r := measuredRules()
	r.Offers = []Offer{
		{Platform: device.IOS, Store: &Target{URL: "https://apps.apple.com/app/id1"}, Open: &Open{URI: "acme://out"}, InApp: &Open{URI: "acme://in"}},
		{Platform: device.Android, Store: &Target{URL: "https://play.google.com/"}, InApp: &Open{URI: "https://www.acme.test/p", Intent: &Intent{Package: "com.acme"}}},
		{Platform: device.FireOS, Store: &Target{URL: "https://shop.test/"}, Open: &Open{URI: "acme://fire"}},
	}
	f := func(r *Rules, d device.Device, rule Rule, open string) {
		t.Helper()
		got := Compile(r).Decide(&d)
		if tried := got.open.String(); got.Rule != rule || tried != open {
			t.Errorf("%s in %q: %s %s, want %s %s", d.Platform, d.Browser, got.Rule, tried, rule, open)
		}
	}
	f(r, device.Device{Platform: device.IOS}, IOSApp, "acme://out")
	f(r, device.Device{Platform: device.IOS, Browser: "Instagram"}, IOSApp, "acme://in")
	f(r, device.Device{Platform: device.Android}, AndroidStore, "")
	f(r, device.Device{Platform: device.Android, Browser: "Instagram"}, AndroidApp,
		"intent://www.acme.test/p#Intent;scheme=https;package=com.acme;S.browser_fallback_url=https%3A%2F%2Fplay.google.com%2F;end")
	f(r, device.Device{Platform: device.FireOS, Browser: "Instagram"}, AndroidApp, "acme://fire")
	f(r, device.Device{Platform: device.MacOS, Browser: "Instagram"}, Web, "")
	f(r, device.Device{Platform: device.IOS, Browser: "Instagram", Bot: "crawler"}, BotWeb, "")
	r.Offers[0].InApp.URI = "javascript:alert(1)"
	f(r, device.Device{Platform: device.IOS, Browser: "Instagram"}, IOSApp, "acme://out")
}

func TestMacrosInAppURIs(t *testing.T) {
	t.Parallel()
	f := func(o Open, want string) {
		t.Helper()
		r := &Rules{Offers: []Offer{{Platform: device.IOS, Open: &o}}}
		d := Compile(r).Decide(&device.Device{Platform: device.IOS})
		if opened := d.open.String(); opened != want {
			t.Errorf("%+v opens %s, want %s", o, opened, want)
		}
	}
	f(Open{URI: "acme://p?c={click_id}", Macros: true}, "acme://p?c={click_id}")
	f(Open{URI: "acme://p?c={click_id}"}, "acme://p?c=%7Bclick_id%7D")
	f(Open{URI: "acme://p?c={click_id}", Macros: true, Intent: &Intent{}}, "intent://p?c={click_id}#Intent;scheme=acme;end")
}

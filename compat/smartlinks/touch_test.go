package smartlinks

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/link"
)

const (
	touchGAID = "38400000-8cf0-41bd-b23e-10b96e40000d"
	touchIDFA = "a1b2c3d4-0000-4000-9000-00000000beef"
	touchSHA1 = "0123456789abcdef0123456789abcdef01234567"
	touchMD5  = "0123456789abcdef0123456789abcdef"
)

// touchLink is a link of the network 1201 and the agency 234.
func touchLink() *link.Link {
	l := acmeLink("https://www.acme.test/", "https://www.acme.test/r", "acme://p", "")
	stored, err := Read(l.Data)
	if err != nil {
		panic(err)
	}
	stored.Apps[0].Events = []string{"_install", "Purchase"}
	stored.Apps[1].Events = []string{"_Install"}
	l.Data = stored.Data()
	l.Listing.Partner, l.Listing.Agency, l.Listing.Campaign, l.Listing.CampaignName = 1201, 234, 77, "Spring"
	return l
}

func touchDirectory(t testing.TB) *link.Directory {
	t.Helper()
	c := directoryOf(t, acmeApps()).Catalog
	c.Partners = []link.Partner{
		{ID: 1201, Account: 5899, Name: "Wide Network", Kind: link.Network, ConfiguredFor: []link.PartnerApp{
			{App: 26538, ClickDeterministic: 14 * day, ViewProbabilistic: time.Hour}, {App: 38581}}},
		{ID: 234, Account: 5899, Name: "Agency A", Kind: link.AgencyPartner},
		{ID: 1202, Account: 6001, Name: "Rival Network", Kind: link.Network},
	}
	d, err := link.NewDirectory(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// touched is what the projection makes of a click before a dialect is asked.
func touched() history.Touch {
	t := history.Touch{Dialect: link.SmartLinks}
	t.Apps = []link.AppID{24171, 26538, 38581}
	t.Source = attribution.Source{Link: scriptLink}
	return t
}

// touchBy is the touch of a click.
func touchBy(t testing.TB, tracker link.Tracker, query string, change func(l *link.Link)) history.Touch {
	t.Helper()
	l := touchLink()
	if change != nil {
		change(l)
	}
	got := touched()
	c := event.Click{Account: 5899, Dialect: link.SmartLinks, Link: scriptLink, Tracker: tracker, Query: query}
	Touches{}.Touch(&got, &c, l, touchDirectory(t))
	return got
}

func TestTouchOfEachPart(t *testing.T) {
	t.Parallel()
	f := func(tracker link.Tracker, app link.AppID, events []string, retargeting bool) {
		t.Helper()
		got := touchBy(t, tracker, "", nil)
		if !slices.Equal(got.Apps, []link.AppID{app}) || !got.Claims.Limited || !slices.Equal(got.Claims.Events, events) {
			t.Errorf("tracker %d: %v may claim %+v", tracker, got.Apps, got.Claims)
		}
		if got.Source.Tracker != int64(max(tracker, 1)) || got.Source.Link != scriptLink {
			t.Errorf("tracker %d: counted for %+v", tracker, got.Source)
		}
		if got.Retargeting != retargeting || got.CountActive != retargeting || (got.EventWindow == 365*day) != retargeting {
			t.Errorf("tracker %d: retargeting %v, active %v, window %v", tracker, got.Retargeting, got.CountActive, got.EventWindow)
		}
	}
	f(link.CatchAll, 38581, []string{"_Install"}, false)
	f(link.NoTracker, 38581, []string{"_Install"}, false)
	f(2, 24171, []string{"_Install", "Purchase"}, true)
	f(3, 26538, []string{"_Install"}, false)
	f(4, 38581, nil, false)
}

func TestTouchEarnsNothing(t *testing.T) {
	t.Parallel()
	f := func(name string, tracker link.Tracker, change func(l *link.Link)) {
		t.Helper()
		if got := touchBy(t, tracker, "device_id="+touchIDFA, change); len(got.Apps) != 0 {
			t.Errorf("%s: may be credited with %v", name, got.Apps)
		}
	}
	f("no such tracker", 5, nil)
	f("no such tracker by far", link.MaxTracker, nil)
	f("unreadable", 2, func(l *link.Link) { l.Data = []byte("[]") })
	f("another dialect's", 2, func(l *link.Link) { l.Dialect = link.Singular })
	got := touched()
	Touches{}.Touch(&got, &event.Click{Account: 5899, Tracker: 2}, nil, touchDirectory(t))
	if len(got.Apps) != 0 {
		t.Errorf("no link: may be credited with %v", got.Apps)
	}
}

func TestTouchNamesItsSource(t *testing.T) {
	t.Parallel()
	f := func(name, query string, change func(l *link.Link), want attribution.Source, owned bool) {
		t.Helper()
		want.Link, want.Tracker = scriptLink, 2
		got := touchBy(t, 2, query, change)
		if !reflect.DeepEqual(got.Source, want) || got.Owned != owned {
			t.Errorf("%s: got %+v, owned %v\nwant %+v, %v", name, got.Source, got.Owned, want, owned)
		}
	}
	wide := attribution.Source{Partner: 1201, Name: "Wide Network", Agency: "Agency A", Campaign: "Spring", CampaignID: "77"}
	f("a network and an agency", "", nil, wide, false)
	own := func(l *link.Link) { l.Listing.Partner, l.Listing.Agency = 0, 0 }
	nobody := attribution.Source{Campaign: "Spring", CampaignID: "77"}
	f("no network", "", own, nobody, true)
	f("the id for none", "", func(l *link.Link) { own(l); l.Listing.Partner = NoNetwork }, nobody, true)
	f("another account's network", "", func(l *link.Link) { own(l); l.Listing.Partner = 1202 }, nobody, true)
	f("paid for, without a network", "", func(l *link.Link) {
		own(l)
		stored, _ := Read(l.Data)
		stored.ChannelType = "paid"
		l.Data = stored.Data()
	}, nobody, false)
	f("an agency alone", "", func(l *link.Link) { l.Listing.Partner = 0 }, attribution.Source{Agency: "Agency A", Campaign: "Spring", CampaignID: "77"}, false)
	f("not listed", "", func(l *link.Link) { l.Listing = nil }, attribution.Source{}, true)

	published := wide
	published.Site, published.AdID = "pub 1", "cr"
	f("a publisher", "&site_id=pub%201&sub_site_id=s2&creative_id=cr&network_id=1202&partner_campaign_name=x", nil, published, false)
	f("nothing filled in", "site_id={site}&creative_id=creative_id", nil, wide, false)
	published.AdID = ""
	f("the first that is filled in", "site_id={site}&site_id=pub+1&site_id=pub2", nil, published, false)
}

func TestTouchNamesDevices(t *testing.T) {
	t.Parallel()
	f := func(tracker link.Tracker, query string, want ...attribution.DeviceID) {
		t.Helper()
		if got := touchBy(t, tracker, query, nil).DeviceIDs; !slices.Equal(got, want) {
			t.Errorf("%s: got %+v, want %+v", query, got, want)
		}
	}
	raw := func(kind attribution.IDKind, value string) attribution.DeviceID {
		return attribution.DeviceID{Kind: kind, Form: attribution.Raw, Value: value}
	}
	f(2, "")
	f(2, "device_id="+touchIDFA, raw(attribution.IDFA, touchIDFA))
	f(3, "device_id="+touchGAID, raw(attribution.GAID, touchGAID))
	f(4, "device_id="+touchGAID)
	f(4, "device_id="+touchGAID+"&device_id_type=ADID", raw(attribution.GAID, touchGAID))
	f(2, "device_id="+touchGAID+"&device_id_type={type}", raw(attribution.IDFA, touchGAID))
	f(2, "device_id=aabbcc&device_id_type=android_id", raw(attribution.AndroidID, "aabbcc"))
	f(2, "device_id=aabbcc&device_id_type=mac")
	f(2, "device_id="+touchSHA1+"&device_id_type=idfa&device_hash_method=SHA-1", attribution.DeviceID{Kind: attribution.IDFA, Form: attribution.SHA1, Value: touchSHA1})
	f(3, "device_id="+touchMD5+"&device_hash_method=md5", attribution.DeviceID{Kind: attribution.GAID, Form: attribution.MD5, Value: touchMD5})
	f(3, "device_id="+touchSHA1+"&device_hash_method=sha256")
	f(3, "device_id="+touchGAID+"&device_hash_method=null", raw(attribution.GAID, touchGAID))
	f(2, "device_id=device_id")
	for _, nobody := range []string{"", "{device_id}", "{{gaid}}", "%{gaid}", "${GAID}", "null", "00000000-0000-0000-0000-000000000000"} {
		f(2, "device_id="+nobody)
		f(2, "idfa="+nobody)
	}
	f(2, "idfa=idfa&adid=adid&android_id=android_id")
	f(2, "idfa="+touchIDFA+"&adid="+touchGAID+"&android_id=aabbcc", raw(attribution.IDFA, touchIDFA), raw(attribution.GAID, touchGAID), raw(attribution.AndroidID, "aabbcc"))
	f(2, "device_id="+touchIDFA+"&device_id_type=idfa&idfa="+touchIDFA, raw(attribution.IDFA, touchIDFA))
	f(2, "idfa=nonsense", raw(attribution.IDFA, "nonsense")) // kept: it accuses its source
}

func TestTouchLookbacks(t *testing.T) {
	t.Parallel()
	f := func(name string, tracker link.Tracker, change func(l *link.Link), want attribution.Lookbacks) {
		t.Helper()
		if got := touchBy(t, tracker, "", change); got.Lookbacks != want || !got.DefaultLookbacks {
			t.Errorf("%s: asks for %+v, by default %v, want %+v", name, got.Lookbacks, got.DefaultLookbacks, want)
		}
	}
	all := attribution.Lookbacks{
		ClickDeterministic: attribution.Lookback(30 * day), ClickProbabilistic: attribution.Lookback(7 * day),
		ViewDeterministic: attribution.Lookback(day), ViewProbabilistic: attribution.Lookback(day),
	}
	f("a network without windows for the app", 2, nil, all)
	f("a network set up without windows", 4, nil, all)
	f("nobody", 3, func(l *link.Link) { l.Listing.Partner = 0 }, all)
	f("a network with two windows of its own", 3, nil, attribution.Lookbacks{ClickProbabilistic: all.ClickProbabilistic, ViewDeterministic: all.ViewDeterministic})
}

// TestTouchLookbacksYield: the vendor's defaults stand back where the app or
// its account has set a window, also to none.
func TestTouchLookbacksYield(t *testing.T) {
	t.Parallel()
	c := touchDirectory(t).Catalog
	for i := range c.Apps {
		c.Apps[i].Attribution.Lookbacks = link.LookbackSettings{Click: new(day), ViewProbabilistic: new(time.Duration(0))}
	}
	for i := range c.Accounts {
		c.Accounts[i].Attribution.Lookbacks = link.LookbackSettings{View: new(time.Hour), ClickProbabilistic: new(time.Hour)}
	}
	f := func(d *link.Directory, app link.AppID, want attribution.Lookbacks) {
		t.Helper()
		if got := lookbacks(d, nil, d.App(app)); got != want {
			t.Errorf("asks for %+v, want %+v", got, want)
		}
	}
	d, err := link.NewDirectory(c)
	if err != nil {
		t.Fatal(err)
	}
	f(d, 24171, attribution.Lookbacks{})
	for i := range c.Accounts {
		c.Accounts[i].Attribution = link.AttributionSettings{}
	}
	if d, err = link.NewDirectory(c); err != nil {
		t.Fatal(err)
	}
	f(d, 24171, attribution.Lookbacks{ClickProbabilistic: defaultLookbacks.ClickProbabilistic, ViewDeterministic: defaultLookbacks.ViewDeterministic})
	f(d, 1, defaultLookbacks)
}

// Servers that report a click speak another language than its visitor.
func TestTouchStandsIn(t *testing.T) {
	t.Parallel()
	classic := "campaign_id=koacme-ios-4fkz131i" + TrackerOf(scriptLink, 2).Legacy()
	f := func(query string, locale, version, known string) {
		t.Helper()
		got := touched()
		got.Facts = attribution.Facts{Platform: device.IOS, Locale: "en-US", OSVersion: known}
		Touches{}.Touch(&got, &event.Click{Account: 5899, Tracker: 2, Query: query}, touchLink(), touchDirectory(t))
		if got.Facts.Locale != locale || got.Facts.OSVersion != version {
			t.Errorf("%s: got %+v", query, got.Facts)
		}
	}
	f(classic, "en-US", "", "")
	f("device_ua=x&language=de", "en-US", "", "")
	f(classic+"&device_ua=x", "", "", "")
	f(classic+"&device_ua={ua}&user_agent=y", "", "", "")
	f(classic+"&device_ua=x&language=de_AT&device_os_version=17.4", "de-AT", "17.4", "")
	f(classic+"&language=de&device_os_version=17.4", "de", "18.1", "18.1")
	f(classic+"&device_os_version=iOS", "en-US", "", "")
}

// What is asked for here is what the engine does: a route's claims, the click
// before the view, the windows.
func TestTouchIsDecided(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	id := attribution.DeviceID{Kind: attribution.IDFA, Form: attribution.Raw, Value: touchIDFA}
	f := func(name string, tracker link.Tracker, app link.AppID, kind attribution.TouchKind, age time.Duration, conversion attribution.Conversion, want attribution.Verdict) {
		t.Helper()
		touch := touchBy(t, tracker, "device_id="+touchIDFA+"&device_id_type=idfa", nil)
		touch.ID, touch.Kind, touch.At, touch.Account = 9023861282613779883, kind, now.Add(-age), 5899
		conversion.ID, conversion.At, conversion.Account, conversion.App, conversion.DeviceIDs = "c", now, 5899, app, []attribution.DeviceID{id}
		policy := attribution.DefaultPolicy()
		if got := attribution.Decide(&conversion, []attribution.Touchpoint{touch.Touchpoint}, &policy, now); got.Verdict != want {
			t.Errorf("%s: %s, want %s; %+v", name, got.Verdict, want, got.Rejected)
		}
	}
	install := attribution.Conversion{Kind: attribution.Install}
	f("an install that the route claims", 2, 24171, attribution.Click, 29*day, install, attribution.Credited)
	f("too long ago", 2, 24171, attribution.Click, 31*day, install, attribution.Organic)
	f("another app's", 2, 26538, attribution.Click, time.Hour, install, attribution.Organic)
	f("a view of yesterday", 2, 24171, attribution.View, 23*time.Hour, install, attribution.Credited)
	f("a view of the day before", 2, 24171, attribution.View, 25*time.Hour, install, attribution.Organic)
	f("the catch-all's app", link.CatchAll, 38581, attribution.Click, time.Hour, install, attribution.Credited)
	f("a route that claims nothing", 4, 38581, attribution.Click, time.Hour, install, attribution.Organic)
	f("an event that the route names", 2, 24171, attribution.Click, time.Hour, attribution.Conversion{Kind: attribution.InApp, Event: "Purchase"}, attribution.Credited)
	f("an event that it does not name", 2, 24171, attribution.Click, time.Hour, attribution.Conversion{Kind: attribution.InApp, Event: "Search"}, attribution.Organic)
}

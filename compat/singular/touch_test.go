package singular

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/link"
)

// touchDirectory has an account with a phone's apps, a tablet's and a television's, and a partner.
func touchDirectory(t testing.TB) *link.Directory {
	t.Helper()
	d, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{{ID: 1}},
		Apps: []link.App{
			{ID: 21, Account: 1, Platform: device.IOS}, {ID: 22, Account: 1, Platform: device.Android},
			{ID: 23, Account: 1, Platform: device.FireOS}, {ID: 24, Account: 1, Platform: device.Roku}, {ID: 25, Account: 1, Platform: device.Web},
		},
		AppGroups: []link.AppGroup{{ID: 4833, Account: 1, Apps: []link.AppID{21, 22, 23, 24, 25}}},
		Partners:  []link.Partner{{ID: 501, Account: 1, Name: "Full Network"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// touchOf is what a click of the link means.
func touchOf(t testing.TB, s *Stored, partner link.PartnerID, c event.Click) history.Touch {
	t.Helper()
	data, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	l := &link.Link{ID: 7, Account: 1, Dialect: link.Singular, Data: data, Listing: &link.Listing{AppGroup: 4833, Partner: partner}}
	var touch history.Touch
	touch.Source.Link = 7
	touch.Facts.Platform = c.Platform
	Touches{}.Touch(&touch, &c, l, touchDirectory(t))
	return touch
}

func custom(source string) *Stored {
	return &Stored{LinkType: CustomLink, SourceName: source, Fallback: "https://x.test/", Android: &Redirection{AppSite: 22}, IOS: &Redirection{AppSite: 21}}
}

func TestTouchSource(t *testing.T) {
	t.Parallel()
	f := func(s *Stored, partner link.PartnerID, stored, query string, want attribution.Source, owned bool) {
		t.Helper()
		want.Link = 7
		got := touchOf(t, s, partner, event.Click{Stored: stored, Query: query})
		if got.Source != want || got.Owned != owned {
			t.Errorf("%s %q over %q: got %+v, owned %v\nwant %+v, %v", s.LinkType, query, stored, got.Source, got.Owned, want, owned)
		}
	}
	f(custom("social"), 0, "", "", attribution.Source{Name: "social"}, true)
	f(custom("Email"), 0, "", "pcn=May%20sale&pcid=9&pscn=set&pscid=10&pcrn=ad&pcrid=11&psn=site&psid=12&pshid=h",
		attribution.Source{Name: "Email", Campaign: "May sale", CampaignID: "9", AdSetID: "10", AdID: "11", Site: "12"}, true)
	f(custom("sms"), 0, "", "amp;pcn=a&_fallback_%20redirect=x&pscn=set&pcrn=ad&pshid=h&psn=site",
		attribution.Source{Name: "sms", Campaign: "a", AdSetID: "set", AdID: "ad", Site: "h"}, true)
	f(custom("crosspromo"), 0, "pcn=stored&pcid=1", "pcn=clicked", attribution.Source{Name: "crosspromo", Campaign: "clicked", CampaignID: "1"}, true)
	f(custom("affiliates"), 0, "", "psn=site", attribution.Source{Name: "affiliates", Site: "site"}, false)
	f(custom("influencers"), 0, "", "", attribution.Source{Name: "influencers"}, false)
	f(custom("Offline Events"), 0, "", "", attribution.Source{Name: "Offline Events"}, false)

	partner := &Stored{LinkType: PartnerLink, Fallback: "https://x.test/", Android: &Redirection{AppSite: 22}}
	f(partner, 501, "", "pc=1&cr=2&s=3&pcn={CAMPAIGN_NAME}&pscid=$ADGROUP_ID&pcrn=__AD__&psn={{site}}",
		attribution.Source{Partner: 501, Name: "Full Network", CampaignID: "1", AdID: "2", Site: "3"}, false)
	f(partner, 502, "", "pcn=x", attribution.Source{Partner: 502, Campaign: "x"}, false)

	web := custom(webSource)
	web.LinkType = WebToApp
	f(web, 0, "", "", attribution.Source{Name: webSource}, false)
	f(web, 0, "", "_web_params=utm_source%3Dgoogle%26utm_campaign%3DMay%26utm_content%3Dad%26wpscid%3D5&pcid=7&wpcid=8",
		attribution.Source{Name: "google", Campaign: "May", CampaignID: "7", AdSetID: "5", AdID: "ad"}, false)
	f(web, 0, "", "_web_params=%3Fwpsrc%3Demail%26wpcn%3Da&wpcid=8", attribution.Source{Name: "email", Campaign: "a", CampaignID: "8"}, false)
}

func TestTouchDeviceIDs(t *testing.T) {
	t.Parallel()
	const id, sha1, md5 = "8C6D2E1F-0A3B-4C5D-8E9F-001122334455", "a9993e364706816aba3e25717850c26c9cd0d89d", "900150983cd24fb0d6963f7d28e17f72"
	f := func(query string, want ...attribution.DeviceID) {
		t.Helper()
		got := touchOf(t, custom("social"), 0, event.Click{Query: query}).DeviceIDs
		if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v\nwant %+v", query, got, want)
		}
	}
	one := func(name string, kind attribution.IDKind, form attribution.IDForm) {
		t.Helper()
		value := map[attribution.IDForm]string{attribution.Raw: id, attribution.SHA1: sha1, attribution.MD5: md5}[form]
		f(name+"="+value, attribution.DeviceID{Kind: kind, Form: form, Value: value})
	}
	one("idfa", attribution.IDFA, attribution.Raw)
	one("ifa1", attribution.IDFA, attribution.SHA1)
	one("ifa5", attribution.IDFA, attribution.MD5)
	one("idfv", attribution.IDFV, attribution.Raw)
	one("ifv1", attribution.IDFV, attribution.SHA1)
	one("ifv5", attribution.IDFV, attribution.MD5)
	one("aifa", attribution.GAID, attribution.Raw)
	one("aif1", attribution.GAID, attribution.SHA1)
	one("aif5", attribution.GAID, attribution.MD5)
	one("andi", attribution.AndroidID, attribution.Raw)
	one("andi1", attribution.AndroidID, attribution.SHA1)
	one("and1", attribution.AndroidID, attribution.SHA1)
	one("and5", attribution.AndroidID, attribution.MD5)
	one("oaid", attribution.OAID, attribution.Raw)
	one("amid", attribution.AmazonID, attribution.Raw)
	one("asid", attribution.AppSetID, attribution.Raw)
	one("sdid", attribution.Instance, attribution.Raw)
	// Some partners put one macro into two parameters, and hashes where raw ids go.
	f("idfa="+sha1+"&aifa="+md5, attribution.DeviceID{Kind: attribution.IDFA, Form: attribution.SHA1, Value: sha1}, attribution.DeviceID{Kind: attribution.GAID, Form: attribution.MD5, Value: md5})
	f("aifa=00000000-0000-0000-0000-000000000000&idfa={IDFA}&ifa5=$IDA&and5=&oaid=__OAID__")
	f("aifa=nonsense", attribution.DeviceID{Kind: attribution.GAID, Form: attribution.Raw, Value: "nonsense"}) // a fraud rule speaks of it
}

func TestTouchWindows(t *testing.T) {
	t.Parallel()
	s := custom("social")
	s.ClickDeterministicDays, s.ClickProbabilisticHours, s.ViewDeterministicHours, s.ViewProbabilisticHours, s.ClickReengagementDays = 14, 12, 6, 0, 3
	f := func(retargeting bool, reengagement attribution.Lookback) {
		t.Helper()
		s.Reengagement = retargeting
		got := touchOf(t, s, 0, event.Click{})
		want := attribution.Lookbacks{
			ClickDeterministic: attribution.Lookback(14 * 24 * time.Hour), ClickProbabilistic: attribution.Lookback(12 * time.Hour),
			ViewDeterministic: attribution.Lookback(6 * time.Hour), ViewProbabilistic: attribution.Never, Reengagement: reengagement,
		}
		if got.Lookbacks != want || got.Retargeting != retargeting || got.CountActive != retargeting || got.ReengagingViews {
			t.Errorf("got %+v, retargeting %v, active %v\nwant %+v, %v", got.Lookbacks, got.Retargeting, got.CountActive, want, retargeting)
		}
	}
	f(false, attribution.Never)
	f(true, attribution.Lookback(3*24*time.Hour))
}

func TestTouchApps(t *testing.T) {
	t.Parallel()
	f := func(change func(*Stored), want ...link.AppID) {
		t.Helper()
		s := custom("social")
		change(s)
		if got := touchOf(t, s, 0, event.Click{}).Apps; !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	f(func(*Stored) {}, 21, 22, 23)
	f(func(s *Stored) { s.Android = nil }, 21)
	f(func(s *Stored) { s.IOS = nil }, 22, 23)
	f(func(s *Stored) { s.CTV = true }, 21, 22, 23, 24)
}

func TestTouchFacts(t *testing.T) {
	t.Parallel()
	f := func(known attribution.Facts, query string, want attribution.Facts) {
		t.Helper()
		touch := history.Touch{}
		touch.Facts = known
		Touches{}.Touch(&touch, &event.Click{Query: query}, nil, touchDirectory(t))
		if !reflect.DeepEqual(touch.Facts, want) {
			t.Errorf("%+v with %s: got %+v, want %+v", known, query, touch.Facts, want)
		}
	}
	f(attribution.Facts{}, "p=iOS&ve=17.5&lc=en_US", attribution.Facts{Platform: device.IOS, OSVersion: "17.5", Locale: "en_US"})
	f(attribution.Facts{Platform: device.Android, OSVersion: "14", Locale: "de"}, "p=iOS&ve=17.5&lc=en_US", attribution.Facts{Platform: device.Android, OSVersion: "14", Locale: "de"})
	f(attribution.Facts{Platform: device.Android}, "ve={OS}&lc="+strings.Repeat("x", 36), attribution.Facts{Platform: device.Android})
	f(attribution.Facts{Platform: device.Web}, "p=CTV&ve=iOS+17", attribution.Facts{Platform: device.Web})
	f(attribution.Facts{Platform: device.Web}, "p=android", attribution.Facts{Platform: device.Android})
}

// TestTouchWithoutLink: a link that was deleted, or cannot be read, leaves what
// the URL says, and what others have filled in.
func TestTouchWithoutLink(t *testing.T) {
	t.Parallel()
	for _, l := range []*link.Link{nil, {Data: json.RawMessage(`{`)}, {Data: json.RawMessage(`{}`)}} {
		var touch history.Touch
		touch.Apps, touch.Source.Name = []link.AppID{9}, "known"
		Touches{}.Touch(&touch, &event.Click{Query: "pcn=a&idfv=8C6D2E1F-0A3B-4C5D-8E9F-001122334455"}, l, touchDirectory(t))
		if touch.Source.Campaign != "a" || touch.Source.Name != "known" || len(touch.DeviceIDs) != 1 || len(touch.Apps) != 1 || touch.Lookbacks != (attribution.Lookbacks{}) {
			t.Errorf("link %v: %+v", l, touch)
		}
	}
}

// TestStoredParametersReachTheTouch: what a short form stands for is in the
// click's event, and the long form has it in its own query.
func TestStoredParametersReachTheTouch(t *testing.T) {
	t.Parallel()
	stored := fuzzLink
	stored.Short, stored.Query = "961w", "pcn=stored&_p=a%20b"
	s := &clickScript{stored: stored, referral: "pcn=refer&referring_user_id=7"}
	f := func(url, want, query string) {
		t.Helper()
		c := s.clicked(t, url)
		rules, err := Clicks{}.Rules(c)
		if err != nil {
			t.Fatal(err)
		}
		_, clicked, _ := strings.Cut(url, "?")
		touch := touchOf(t, &stored, 0, event.Click{Stored: rules.Stored, Query: clicked})
		if rules.Stored != want || touch.Query != query {
			t.Errorf("%s: stands for %q, want %q; the touch has %q, want %q", url, rules.Stored, want, touch.Query, query)
		}
	}
	f("/A03q9/k6kj", "", "")
	f("/A03q9/k6kj?pcn=a", "", "pcn=a")
	f("/A03q9/k6kj/961w", stored.Query, stored.Query)
	f("/A03q9/k6kj/961w?pcn=a&x=1", stored.Query, "_p=a%20b&pcn=a&x=1")
	f("/A03q9/k6kj/r_ref0000001?x=1", "pcn=refer&referring_user_id=7", "pcn=refer&referring_user_id=7&x=1")
	f("/A03q9/k6kj/r_gone000000?x=1", "", "x=1")
}

// FuzzTouch: whatever a URL says, a touch is made of it, the same one each
// time, and nothing in it is a macro that nobody has filled.
func FuzzTouch(f *testing.F) {
	for _, seed := range []string{"pcn={A}&idfa=$B&aifa=__C__", "ifa1=%zz&p=&ve=0&lc=%00", "_web_params=%3Futm_source%3D{x}", "a;b&amp;amp;pcn=1&pcn=2", "idfa=" + strings.Repeat("0", 300)} {
		f.Add(seed, "pcn=x")
	}
	s := custom("social")
	s.LinkType = WebToApp
	f.Fuzz(func(t *testing.T, query, stored string) {
		c := event.Click{Query: query, Stored: stored}
		touch := touchOf(t, s, 0, c)
		if again := touchOf(t, s, 0, c); !reflect.DeepEqual(touch, again) {
			t.Fatalf("%q makes %+v, and then %+v", query, touch, again)
		}
		for _, id := range touch.DeviceIDs {
			if id.State() == attribution.Absent {
				t.Fatalf("%q has the absent id %+v", query, id)
			}
		}
		for _, text := range []string{touch.Source.Campaign, touch.Source.CampaignID, touch.Source.AdSetID, touch.Source.AdID, touch.Source.Site, touch.Facts.OSVersion} {
			if text != "" && unfilled(text) {
				t.Fatalf("%q has the macro %q", query, text)
			}
		}
	})
}

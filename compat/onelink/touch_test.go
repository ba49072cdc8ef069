package onelink

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/link"
)

// touchDirectory holds an account with partners, and its neighbour.
func touchDirectory(t testing.TB, policy link.IPPolicy) *link.Directory {
	t.Helper()
	d, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{{ID: 1, Key: "acme", IPPolicy: policy}, {ID: 2, Key: "rival"}},
		Apps: []link.App{
			{ID: 11, Account: 1, Platform: device.Android, Package: "com.acme.app", StoreURL: "https://play.google.com/x", Scheme: "acme"},
			{ID: 12, Account: 1, Platform: device.IOS, StoreID: "1234567890", Scheme: "acme"},
		},
		AppGroups: []link.AppGroup{{ID: 5, Account: 1, Apps: []link.AppID{11, 12}}},
		Domains:   []link.Domain{{Host: "acme.example", Account: 1, BaseURL: "https://acme.example", AppGroup: 5}},
		Templates: []link.Template{{ID: "A1b3", Account: 1, AppGroup: 5, Domain: "acme.example"}},
		Partners: []link.Partner{
			{ID: 20, Account: 2, Key: "wide", Name: "Wide"},
			{ID: 21, Account: 1, Key: "wide", Name: "Wide Network", Kind: link.Network},
			{ID: 22, Account: 1, Key: "other", Name: "Narrow", Kind: link.Network},
			{ID: 23, Account: 1, Key: "shop", Name: "Agency A", Kind: link.AgencyPartner},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func touchOf(d *link.Directory, c event.Click, l *link.Link) history.Touch {
	c.Account, c.Dialect, c.Template = 1, link.OneLink, "A1b3"
	touch := history.Touch{Query: c.Query}
	touch.Apps = []link.AppID{11, 12}
	touch.Bot = c.Bot
	Touches{}.Touch(&touch, &c, l, d)
	return touch
}

func storedLink(data string) *link.Link {
	return &link.Link{ID: 7, Path: "A1b3/x", Source: link.SourceV2, Data: json.RawMessage(data)}
}

func TestTouchNamesItsSource(t *testing.T) {
	t.Parallel()
	d := touchDirectory(t, "")
	f := func(query string, want attribution.Source) {
		t.Helper()
		if got := touchOf(d, event.Click{Query: query}, nil).Source; got != want {
			t.Errorf("%s: got %+v\nwant %+v", query, got, want)
		}
	}
	f("pid=wide&c=Spring&af_c_id=c1&af_adset=set&af_adset_id=s1&af_ad=ad&af_ad_id=a1&af_siteid=site&af_prt=Agency%20A",
		attribution.Source{Partner: 21, Name: "wide", Agency: "Agency A", Campaign: "Spring", CampaignID: "c1", AdSetID: "s1", AdID: "a1", Site: "site"})
	f("pid=Wide_INT", attribution.Source{Partner: 21, Name: "Wide_INT"})
	f("pid=narrow", attribution.Source{Partner: 22, Name: "narrow"})
	f("pid=Narrow_int", attribution.Source{Partner: 22, Name: "Narrow_int"})
	f("pid=other", attribution.Source{Partner: 22, Name: "other"})
	f("pid=Agency+A", attribution.Source{Name: "Agency A"})
	f("pid=_int", attribution.Source{Name: "_int"})
	f("pid=nobody_int", attribution.Source{Name: "nobody_int"})
	f("pid=a%2Fb", attribution.Source{Name: sourceInvalid})
	f("af_adset=set&af_ad=ad", attribution.Source{AdSetID: "set", AdID: "ad"})
	f("af_adset=set&af_adset_id={adset_id}", attribution.Source{AdSetID: "set"})
	f("af_siteid=__SITE__&c=%25%25CAMPAIGN%25%25&af_c_id=$%7Bid%7D&af_ad_id=[id]&af_prt=(agency)", attribution.Source{})
	f("", attribution.Source{})
}

func TestTouchMergesAsTheClickDid(t *testing.T) {
	t.Parallel()
	d := touchDirectory(t, "")
	l := storedLink(`{"pid":"Email","c":"stored","deep_link_value":"fruit","af_dp":"acme://stored","af_sub1":"s1","renew_ttl":"false","n":3}`)
	f := func(l *link.Link, query, want, deepLink string) {
		t.Helper()
		got := touchOf(d, event.Click{Query: query}, l)
		if got.Query != want || got.DeepLink != deepLink {
			t.Errorf("%s: got %q, %q\nwant %q, %q", query, got.Query, got.DeepLink, want, deepLink)
		}
	}
	const stored = "pid=Email&c=stored&deep_link_value=fruit&af_dp=acme%3A%2F%2Fstored&af_sub1=s1&n=3"
	f(l, "", stored, "fruit")
	f(l, "af_sub2=x%20y&af_dp=acme://url", stored+"&af_sub2=x+y", "fruit")
	f(l, "c=url&deep_link_value=pear", "pid=Email&c=url&deep_link_value=pear&af_dp=acme%3A%2F%2Fstored&af_sub1=s1&n=3", "pear")
	f(nil, "pid=x&af_dp=acme%3A%2F%2Furl", "pid=x&af_dp=acme%3A%2F%2Furl", "acme://url")
	f(nil, "pid=x&af_dp=evil%3A%2F%2Furl", "pid=x", "")
	f(nil, "pid=x&af_r=https%3A%2F%2Fevil.test", "pid=x", "")
	f(nil, "pid=x&pid=y&%zz=1&bad=%ff", "pid=y&%25zz=1&bad=%EF%BF%BD", "")
}

// TestTouchOfNothing: expired and unknown short links earn nothing, whoever
// writes parameters behind them (OneLink, "links that expire").
func TestTouchOfNothing(t *testing.T) {
	t.Parallel()
	d := touchDirectory(t, "")
	f := func(state event.State, l *link.Link, earns bool) {
		t.Helper()
		got := touchOf(d, event.Click{Code: "x", State: state, Query: "pid=wide&advertising_id=3e9a4b5c-1f2d-4e6a-8b7c-9d0e1f2a3b4c"}, l)
		if (len(got.Apps) > 0) != earns || (got.Source.Name != "") != earns || (len(got.DeviceIDs) > 0) != earns {
			t.Errorf("%s: got %+v", state, got)
		}
	}
	f(event.Live, nil, true)
	f(event.Live, storedLink(`{"c":"x"}`), true)
	f(event.Live, storedLink(`{"c"`), false)
	f(event.Expired, nil, false)
	f(event.Expired, storedLink(`{"pid":"x"}`), false)
	f(event.Gone, nil, false)
	f(event.Unread, nil, false)
}

func TestTouchNamesDevices(t *testing.T) {
	t.Parallel()
	d := touchDirectory(t, "")
	const id = "3e9a4b5c-1f2d-4e6a-8b7c-9d0e1f2a3b4c"
	const sha1, md5 = "da39a3ee5e6b4b0d3255bfef95601890afd80700", "d41d8cd98f00b204e9800998ecf84200"
	f := func(query string, want ...attribution.DeviceID) {
		t.Helper()
		if got := touchOf(d, event.Click{Query: query}, nil).DeviceIDs; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", query, got, want)
		}
	}
	raw := func(k attribution.IDKind, v string) attribution.DeviceID {
		return attribution.DeviceID{Kind: k, Form: attribution.Raw, Value: v}
	}
	f("advertising_id="+id, raw(attribution.GAID, id))
	f("gaid="+id, raw(attribution.GAID, id))
	f("Advertising_ID=+"+id, raw(attribution.GAID, id))
	f("idfa="+id+"&idfv="+id, raw(attribution.IDFA, id), raw(attribution.IDFV, id))
	f("oaid=abc123&android_id=9774d56d682e549d", raw(attribution.OAID, "abc123"), raw(attribution.AndroidID, "9774d56d682e549d"))
	f("fire_advertising_id="+id+"&amazon_aid="+id, raw(attribution.AmazonID, id), raw(attribution.AmazonID, id))
	f("imei=490154203237518", raw(attribution.IMEI, "490154203237518"))
	f("rida=r1x&tifa=t1x&lgudid=l1x&vida=v1x", raw(attribution.RokuID, "r1x"), raw(attribution.SamsungID, "t1x"), raw(attribution.LGID, "l1x"), raw(attribution.VizioID, "v1x"))
	f("sha1_advertising_id="+sha1+"&md5_idfa="+md5,
		attribution.DeviceID{Kind: attribution.GAID, Form: attribution.SHA1, Value: sha1}, attribution.DeviceID{Kind: attribution.IDFA, Form: attribution.MD5, Value: md5})
	f("md5_advertising_id=short", attribution.DeviceID{Kind: attribution.GAID, Form: attribution.MD5, Value: "short"})
	f("advertising_id=00000000-0000-0000-0000-000000000000&idfa={idfa}&oaid=")
	f("x_advertising_id=" + id + "&mac=" + id + "&sha256_idfa=" + id)
}

// A network sends hashed ids, the app raw ones: they meet all the same.
func TestTouchOfHashedIDMatchesRawInstall(t *testing.T) {
	t.Parallel()
	d := touchDirectory(t, "")
	at := time.UnixMilli(1_763_640_000_000)
	touch := touchOf(d, event.Click{Query: "pid=wide&sha1_advertising_id=" + sha1Of("3e9a4b5c-1f2d-4e6a-8b7c-9d0e1f2a3b4c")}, nil)
	touch.ID, touch.Kind, touch.At, touch.Account = 1, attribution.Click, at, 1
	policy := attribution.DefaultPolicy()
	decision := attribution.Decide(&attribution.Conversion{
		ID: "i", Kind: attribution.Install, At: at.Add(time.Hour), Account: 1, App: 11, Facts: attribution.Facts{Platform: device.Android},
		DeviceIDs: []attribution.DeviceID{{Kind: attribution.GAID, Value: "3E9A4B5C-1F2D-4E6A-8B7C-9D0E1F2A3B4C"}},
	}, []attribution.Touchpoint{touch.Touchpoint}, &policy, at.Add(2*time.Hour))
	if decision.Winner == nil || decision.Winner.Source.Name != "wide" {
		t.Errorf("got %+v", decision)
	}
}

func TestTouchAsksForWindows(t *testing.T) {
	t.Parallel()
	d := touchDirectory(t, "")
	const day = 24 * time.Hour
	type windows struct {
		click, view, events     time.Duration
		retargeting, evenActive bool
	}
	f := func(query string, want windows) {
		t.Helper()
		got := touchOf(d, event.Click{Query: query}, nil)
		lookbacks := attribution.Lookbacks{
			ClickDeterministic: attribution.Lookback(want.click), ViewDeterministic: attribution.Lookback(want.view), Reengagement: attribution.Lookback(want.click),
		}
		if got.Lookbacks != lookbacks || got.EventWindow != want.events || got.Retargeting != want.retargeting || got.CountActive != want.evenActive {
			t.Errorf("%s: got %+v %v %v %v", query, got.Lookbacks, got.EventWindow, got.Retargeting, got.CountActive)
		}
	}
	f("", windows{})
	f("af_click_lookback=7d", windows{click: 7 * day})
	f("af_click_lookback=23h&af_viewthrough_lookback=6h", windows{click: 23 * time.Hour, view: 6 * time.Hour})
	f("af_click_lookback=400d", windows{click: 400 * day}) // attribution cuts it
	for _, bad := range []string{"7", "d", "7w", "-7d", "+7d", "7.5d", "999999d", "0d", "7dd", "{window}"} {
		f("af_click_lookback="+url.QueryEscape(bad), windows{})
	}
	f("is_retargeting=true&af_reengagement_window=14d", windows{retargeting: true, events: 14 * day})
	f("is_retargeting=TRUE&af_reengagement_window=lifetime", windows{retargeting: true, events: attribution.Forever})
	f("is_retargeting=1&af_reengagement_window=36h", windows{events: 36 * time.Hour})
	f("af_reengagement_window=1000d", windows{events: 90 * day})
	f("af_reengagement_window=soon&af_inactivity_window=0d", windows{evenActive: true})
	f("af_inactivity_window=7d", windows{})
}

func TestOwnedMedia(t *testing.T) {
	t.Parallel()
	d := touchDirectory(t, "")
	f := func(query string, want bool) {
		t.Helper()
		if got := touchOf(d, event.Click{Query: query}, nil).Owned; got != want {
			t.Errorf("%s: got %v", query, got)
		}
	}
	for _, own := range []string{"pid=Email", "pid=SMS", "pid=QR_code", "pid=organic-social", "pid=af_app_invites", "pid=x&af_xp=social",
		"pid=x&af_xp=email", "pid=x&af_qr=true", "pid=Smart%20Banner"} {
		f(own, true)
	}
	for _, paid := range []string{"", "pid=x", "pid=x&af_xp=custom", "pid=wide&af_xp=qr", "pid=email_int", "pid=x_int&af_xp=email", "pid=email&af_prt=agency",
		"pid=email&af_cost_model=CPI", "pid=email&af_cost_value=1", "pid=social", "pid=x&af_qr=false"} {
		f(paid, false)
	}
}

func TestTouchThatAServerReports(t *testing.T) {
	t.Parallel()
	full := touchDirectory(t, "")
	const agent = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
	server := event.Click{Route: "no-redirect", Bot: "tool:curl", Query: "pid=wide&redirect=false&af_ip=203.0.113.7&af_lang=de_DE&af_ua=" + url.QueryEscape(agent)}
	got := touchOf(full, server, nil)
	want := attribution.Facts{Platform: device.Android, OSVersion: "14", Model: "Pixel 8", Locale: "de-DE",
		Addresses: []attribution.Address{{IP: netip.MustParseAddr("203.0.113.7")}}}
	if got.Bot != "" || got.Agent != agent || !reflect.DeepEqual(got.Facts, want) {
		t.Errorf("got %+v", got)
	}
	for _, policy := range []link.IPPolicy{link.IPTruncated, link.IPNone} {
		if got := touchOf(touchDirectory(t, policy), server, nil); got.Facts.Addresses != nil {
			t.Errorf("%s keeps %v", policy, got.Facts.Addresses)
		}
		// The event's query has been cut, and still says that a server speaks.
		cut := server
		cut.Query = "pid=wide&redirect=false&af_ip=" + map[link.IPPolicy]string{link.IPTruncated: "203.0.113.0", link.IPNone: "0.0.0.0"}[policy]
		if got := touchOf(touchDirectory(t, policy), cut, nil); got.Bot != "" || got.Facts.Addresses != nil || got.Facts.Platform != device.Unknown {
			t.Errorf("%s: got %+v", policy, got)
		}
	}
	told := server
	told.Query = "pid=wide&af_ip=%3A%3Affff%3A203.0.113.7&af_os_version=17.1&af_model=iPhone12,1"
	if got := touchOf(full, told, nil); got.Facts.OSVersion != "17.1" || got.Facts.Model != "iPhone12,1" || !got.Facts.Addresses[0].IP.Is4() {
		t.Errorf("got %+v", got.Facts)
	}
	mute := server
	mute.Query = "pid=wide&redirect=false"
	if got := touchOf(full, mute, nil); got.Bot == "" {
		t.Error("a program that names nobody became a person")
	}
	other := server
	other.Route = "web"
	if got := touchOf(full, other, nil); got.Bot == "" || got.Facts.Addresses != nil {
		t.Error("a click that was redirected is its own visitor's")
	}
}

func FuzzTouch(f *testing.F) {
	f.Add(`{"pid":"Email","af_dp":"acme://x"}`, "c=x&af_click_lookback=7d&idfa=x&af_ip=::1&redirect=false", "no-redirect", true)
	f.Add(`{`, "%zz=%&&=&a=b=c", "", false)
	d := touchDirectory(f, "")
	f.Fuzz(func(t *testing.T, data, query, rule string, long bool) {
		l := storedLink(data)
		if long {
			l = nil
		}
		got := touchOf(d, event.Click{Query: query, Route: rule}, l)
		if got.Apps == nil {
			return
		}
		values, err := url.ParseQuery(got.Query)
		if err != nil || !utf8.ValidString(got.Query) {
			t.Fatalf("query %q cannot be read: %v", got.Query, err)
		}
		for name, list := range values {
			if len(list) != 1 {
				t.Fatalf("%s comes %d times in %q", name, len(list), got.Query)
			}
		}
	})
}

func sha1Of(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

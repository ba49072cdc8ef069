package postback

import (
	"net/netip"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

const (
	someClick = uid.Click(9023861282613779883)
	someGAID  = "38400000-8cf0-41bd-b23e-10b96e40000d"
	someIDFA  = "6D92078A-8246-4BA4-AE5B-76104861E7DC"
	acmeURL   = "http://127.0.0.1:9099/postback?click={click_id}&campaign={campaign}&gaid={gaid}"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// someTouch is the click that earned what is told: docs/postbacks.md shows its values.
func someTouch() *history.Touch {
	return &history.Touch{
		Touchpoint: attribution.Touchpoint{
			ID: someClick, Kind: attribution.Click, At: noon.Add(-time.Hour), Account: 5899, Apps: []link.AppID{26538},
			Source: attribution.Source{
				Partner: 1201, Name: "wide", Agency: "agency-a", Campaign: "Spring & sun", CampaignID: "c-7",
				AdSetID: "s-2", AdID: "a-3", Site: "site-9", Link: 77, Tracker: 2,
			},
			Facts: attribution.Facts{Addresses: []attribution.Address{{IP: netip.MustParseAddr("198.51.100.7")}}},
		},
		Dialect: link.OneLink, Template: "A1b3", Code: "promo", Host: "acme.localhost", DeepLink: "acme://shoes",
		Query: "pid=wide&clickid=theirs-1&psn=News&af_sub1=x%2Fy",
	}
}

func someTold() *event.Told {
	return &event.Told{
		Kind: event.InAppKind, Account: 5899, App: 26538, Install: "install-1", Platform: device.Android, OS: "16", Model: "Pixel 10",
		Locale: "de-DE", Country: "DE", IPs: []string{"203.0.113.77"}, Agent: "okhttp/5", AppVersion: "4.2", SDK: "waypost-1.0", User: "u-1",
		IDs: []event.DeviceID{
			{Kind: "gaid", Value: someGAID}, {Kind: "idfa", Value: someIDFA}, {Kind: "idfv", Value: "ABCDEF12-8246-4BA4-AE5B-76104861E7DC"},
			{Kind: "android_id", Value: "a1b2c3d4e5f60718"}, {Kind: "oaid", Value: "oa-1"}, {Kind: "amazon", Value: "7d1f4c52-3b1a-4a7e-9d53-0c2b6a9f1e77"},
		},
		Params: []byte(`{"sku":"A&B"}`),
		Referrer: &event.Referrer{
			Raw: "af_tranid=x&pid=wide", ClickServerAt: noon.Add(-time.Hour).UnixMilli(), InstallBeginServerAt: noon.Add(-59 * time.Minute).UnixMilli(),
		},
	}
}

// earned is a conversion that the sample's click has won.
func earned(outcome attribution.Outcome) Telling {
	touch := someTouch()
	d := attribution.Decision{
		Outcome: outcome, Verdict: attribution.Credited, At: noon, Conversion: "install/26538/install-1",
		Winner: &attribution.Match{Touch: touch.ID, Kind: touch.Kind, Method: attribution.ByReferrer, At: touch.At, Source: touch.Source},
	}
	t := Telling{
		Decided: &history.Decided{
			Account: 5899, App: 26538, Install: "install-1", Conversion: "install/26538/install-1", Kind: attribution.Install,
			ReceivedAt: noon.Add(time.Second), Decision: d,
		},
		Installation: &history.Installation{Account: 5899, App: 26538, ID: "install-1", At: noon.Add(-30 * time.Minute)},
		Touch:        touch, Told: someTold(),
		App:     &link.App{ID: 26538, GUID: "koacme", Name: "Acme", Platform: device.Android, Package: "com.acme.app"},
		Partner: &link.Partner{ID: 1201, Key: "wide", Name: "Wide Network", Account: 5899},
	}
	if outcome == attribution.Happening {
		t.Decided.Conversion, t.Decided.Decision.Conversion = "event/26538/install-1/e-1", "event/26538/install-1/e-1"
		t.Decided.Kind, t.Decided.Event, t.Decided.Amount, t.Decided.Currency = attribution.InApp, "purchase", "9.99", "EUR"
		t.Decided.Decision.Winner.Method = attribution.Inherited
	}
	return t
}

// organic is the same that nobody has won.
func organic(outcome attribution.Outcome) Telling {
	t := earned(outcome)
	t.Decided.Decision.Winner, t.Decided.Decision.Verdict = nil, attribution.Organic
	t.Touch, t.Partner = nil, nil
	return t
}

// refused is an install that a rule refused to the sample's click.
func refused() Telling {
	t := earned(attribution.NewInstall)
	d := &t.Decided.Decision
	d.Winner, d.Verdict, d.Refusal = nil, attribution.Refused, attribution.DeviceFarm
	d.Rejected = []attribution.Rejection{
		{Touch: 1, Code: attribution.OutsideLookback, Method: attribution.ByDeviceID},
		{Touch: 2, Code: attribution.DeviceFarm},
		{Touch: someClick, Code: attribution.DeviceFarm, Method: attribution.ByReferrer},
	}
	return t
}

func clicked() Telling {
	return Telling{
		Click: &event.Click{
			ID: someClick, At: noon.UnixMilli(), Account: 5899, Link: 77, Host: "acme.localhost", Code: "promo", Platform: device.Android,
			OS: "16", Model: "Pixel 10", Country: "DE", IP: "203.0.113.77", Agent: "Mozilla/5.0", Query: "clickid=theirs-1&pid=wide", DeepLink: "acme://shoes",
		},
		Touch: someTouch(),
	}
}

// reported is a conversion that a platform has attributed itself.
func reported() Telling {
	value := 20
	return Telling{
		App: &link.App{ID: 24171, Name: "Acme", Platform: device.IOS, BundleID: "com.acme.app"},
		Platform: &event.PlatformConversion{
			Kind: event.PlatformConversionKind, Version: event.Version, ID: 7, At: noon.UnixMilli(), Account: 5899, App: 24171, Framework: event.SKAdNetwork, Key: "t-1/0",
			Network: "example123.skadnetwork", Source: "42", Conversion: event.Download, Won: true, Value: &value,
		},
	}
}

func toWide(url string, on ...string) *link.Postback {
	return &link.Postback{Key: "wide-install", Account: 5899, Partner: 1201, App: 26538, On: on, Method: "GET", URL: url}
}

func webhook(on ...string) *link.Postback {
	return &link.Postback{Key: "hook", Account: 5899, On: on, Method: "POST", URL: "https://hook.test/in?kind={kind}", Secret: "a-secret-of-the-hook"}
}

// filled is the template's URL, filled from the telling.
func filled(t *testing.T, url string, telling Telling) string {
	t.Helper()
	p := webhook(telling.kind())
	p.URL, p.Method = url, "GET"
	d, ok := Make(p, telling)
	if !ok || d.Status != history.Waiting {
		t.Fatalf("Make(%s) = %+v, %v", url, d, ok)
	}
	return d.URL
}

package onelink_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/compat/onelink"
	"waypost/event"
	"waypost/internal/device"
	"waypost/link"
)

const (
	clickPath = "/v1.0/s2s/click/app/android/com.golden.app"
	viewPath  = "/v1.0/s2s/impression/app/ios/id1234567890"
	someClick = "af_media_source=wide_int&af_campaign_id=c1"
	phone     = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
)

func (w *reports) engaged(t testing.TB) event.Click {
	t.Helper()
	c, err := event.DecodeClick(w.ledger.Last(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEngagementsReachTheLedger(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	full := someClick + "&af_request_id=1f0a1c1e-9f0e-4d8e-8b57-0f6f4fb4f0f1&af_campaign=Spring&af_adset=set&af_adset_id=s1&af_ad=ad&af_ad_id=a1" +
		"&af_campaign_type=retargeting&af_prt=agency&af_siteid=site&af_sub_siteid=sub&af_click_id=net-click&af_lookback_window=12h&af_ad_type=video" +
		"&af_channel=ch&af_custom1=x&af_os_version=14&af_model=Pixel+8&af_ip=203.0.113.9&af_user_agent=" + url.QueryEscape(phone) +
		"&af_device_id_type=advertising_id&af_device_id_value=9c9a82fb-d5de-4cd1-90c3-527441c11828&authorization=golden-token"
	if status, _, text := send(t, w.base, "GET", clickPath+"?"+full, "", "Authorization", ""); status != 200 || text != "" {
		t.Fatalf("got %d %q", status, text)
	}
	c := w.engaged(t)
	if c.Kind != event.ClickKind || !c.OfServer() || c.Account != 101 || c.Dialect != link.OneLink || c.Platform != device.Android ||
		c.OS != "14" || c.Model != "Pixel 8" || c.IP != "203.0.113.9" || c.Agent != phone {
		t.Errorf("got %+v", c)
	}
	if strings.Contains(c.Query, "golden-token") || strings.Contains(c.Query, "203.0.113.9") {
		t.Errorf("the query keeps what it must not: %s", c.Query)
	}
	touch := touched(c)
	want := attribution.Source{Name: "wide_int", Agency: "agency", Campaign: "Spring", CampaignID: "c1", AdSetID: "s1", AdID: "a1", Site: "site"}
	if touch.Source != want || !touch.Retargeting || len(touch.DeviceIDs) != 1 || touch.DeviceIDs[0].Kind != attribution.GAID ||
		touch.Lookbacks.ClickDeterministic != attribution.Lookback(12*time.Hour) {
		t.Errorf("got touch %+v", touch)
	}
	for _, kept := range []string{"clickid=net-click", "af_sub_siteid=sub", "af_custom1=x", "af_ad_type=video", "af_channel=ch"} {
		if !strings.Contains(touch.Query, kept) {
			t.Errorf("the touch lacks %s: %s", kept, touch.Query)
		}
	}
	if strings.Contains(touch.Query, event.AppParam) {
		t.Errorf("the touch tells our number of the app: %s", touch.Query)
	}
}

// touched reads an event as the pipeline does.
func touched(c event.Click) history.Touch {
	touch := history.Touch{Query: c.Query}
	touch.Apps = []link.AppID{goldenAndroid}
	d, err := link.NewDirectory(link.Catalog{})
	if err != nil {
		panic(err)
	}
	onelink.Touches{}.Touch(&touch, &c, nil, d)
	return touch
}

func TestImpressionByPost(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	const body = `{"af_media_source":"wide_int","af_campaign_id":17,"af_request_id":"r1","af_lookback_window":"6h","af_ip":"2001:db8::1",
		"af_device_id_type":"idfa","af_device_id_value":"9c9a82fb-d5de-4cd1-90c3-527441c11828","af_ad":null,"own":"kept","af_site_id":"{site}"}`
	if status, _, text := send(t, w.base, "POST", viewPath, body); status != 200 || text != "" {
		t.Fatalf("got %d %q", status, text)
	}
	c := w.engaged(t)
	touch := touched(c)
	if c.Kind != event.ImpressionKind || c.Platform != device.IOS || c.IP != "2001:db8::1" || touch.Source.CampaignID != "17" ||
		touch.DeviceIDs[0].Kind != attribution.IDFA || touch.Lookbacks.ViewDeterministic != attribution.Lookback(6*time.Hour) {
		t.Errorf("got %+v, touch %+v", c, touch)
	}
	if !strings.Contains(touch.Query, "own=kept") || strings.Contains(touch.Query, "af_site_id") || strings.Contains(touch.Query, "af_ad=") {
		t.Errorf("got %s", touch.Query)
	}
}

// TestRepeatedEngagementIsOne: a request id is told once.
func TestRepeatedEngagementIsOne(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	f := func(target string, events int) {
		t.Helper()
		if status, _, text := send(t, w.base, "GET", target, ""); status != 200 || text != "" || w.ledger.Count() != events {
			t.Errorf("%s: got %d %q, %d events", target, status, text, w.ledger.Count())
		}
	}
	f(clickPath+"?"+someClick+"&af_request_id=r1", 1)
	f(clickPath+"?"+someClick+"&af_request_id=r1", 1)
	f(clickPath+"?af_request_id=r1&af_campaign_id=c2&af_media_source=wide_int", 1)
	f(clickPath+"?af_request_id=r1&af_campaign_id=c1&af_media_source=other_int", 2)
	f(clickPath+"?"+someClick+"&af_request_id=r2", 3)
	f(viewPath+"?"+someClick+"&af_request_id=r1", 4)
	f(clickPath+"?"+someClick, 5)
	f(clickPath+"?"+someClick, 6)
}

// TestClickIDMakesAnEngagementOne, where no request id does.
func TestClickIDMakesAnEngagementOne(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	f := func(target, body string, events int) {
		t.Helper()
		if status, _, text := send(t, w.base, "POST", target, body); status != 200 || text != "" || w.ledger.Count() != events {
			t.Errorf("%s: got %d %q, %d events", body, status, text, w.ledger.Count())
		}
	}
	with := func(more string) string { return `{"af_media_source":"wide_int","af_campaign_id":"c1"` + more + `}` }
	long := strings.Repeat("c", 256)
	f(clickPath, with(`,"af_click_id":"c-1"`), 1)
	f(clickPath, with(`,"af_click_id":"c-1","af_campaign":"other"`), 1)
	f(clickPath, with(`,"clickid":"c-1"`), 1)
	f(clickPath, with(`,"af_click_id":"c-2"`), 2)
	f(clickPath, with(`,"af_click_id":"`+long+`"`), 3)
	f(clickPath, with(`,"af_click_id":"`+long+`"`), 3)
	f(viewPath, with(`,"af_click_id":"c-1"`), 4)
	f(clickPath, with(`,"af_click_id":"c-1","af_request_id":"r1"`), 5)
	f(clickPath, with(`,"af_click_id":"c-9","af_request_id":"r1"`), 5)
	f(clickPath, with(`,"af_request_id":"c-1"`), 6)
	f(clickPath, with(""), 7)
	f(clickPath, with(""), 8)
}

func TestEngagementRefusals(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	f := func(target, token string, status int, want string) {
		t.Helper()
		got, _, text := send(t, w.base, "GET", target, "", "Authorization", token)
		if got != status || text != `{"message":"`+want+`"}` {
			t.Errorf("%s: got %d %s, want %d %s", target, got, text, status, want)
		}
	}
	const token = "golden-token"
	f(clickPath+"?"+someClick, "", 401, "Authentication failed")
	f(clickPath+"?"+someClick+"&authorization=nobody", "", 401, "Authentication failed")
	f(clickPath+"?"+someClick, "golden-token-read", 401, "Authentication failed")
	f(clickPath+"?"+someClick, "golden-token-rival", 404, "Application ID not found")
	f(clickPath+"?"+someClick, "golden-token-boss", 404, "Application ID not found")
	f("/v1.0/s2s/click/app/ios/com.golden.app?"+someClick, token, 404, "Application ID not found")
	f("/v1.0/s2s/click/app/ios/1234567890?"+someClick, token, 404, "Application ID not found")
	f("/v1.0/s2s/click/app/steam/440?"+someClick, token, 501, "Not implemented: this server has no apps of the platform steam")
	f("/v1.0/s2s/click/app/symbian/x?"+someClick, token, 400, "Bad Request: platform: write one of android, battlenet, epic, ios, playstation, quest, roku, smartcast, steam, switch, tizen, vidaa, webos, xbox")
	f(clickPath+"?af_campaign_id=c1", token, 400, "Bad Request: af_media_source: this parameter is mandatory")
	f(clickPath+"?af_media_source=x&af_campaign_id=%20", token, 400, "Bad Request: af_campaign_id: this parameter is mandatory")
	f(clickPath+"?af_media_source=x&af_campaign_id={id}", token, 400, "Bad Request: af_campaign_id: this parameter is mandatory")
	f(clickPath+"?af_media_source=a/b&af_campaign_id=1", token, 400, "Bad Request: af_media_source: got \\\"a/b\\\", write a media source without ;*!@#?$^:&~`=+’><{}%/")
	f(clickPath+"?"+someClick+"&af_siteid="+strings.Repeat("s", 25), token, 400, "Bad Request: af_siteid: at most 24 characters")
	f(clickPath+"?"+someClick+"&af_lookback_window=31d", token, 400, `Bad Request: af_lookback_window: got \"31d\", write 1d to 30d or 1h to 23h`)
	f(clickPath+"?"+someClick+"&af_campaign_type=brand", token, 400, `Bad Request: af_campaign_type: got \"brand\", write user_acquisition or retargeting`)
	f(clickPath+"?"+someClick+"&af_ad_type=Video", token, 400, `Bad Request: af_ad_type: got \"Video\", write text, banner, interstitial, video, rewarded_video, playable or audio`)
	f(clickPath+"?"+someClick+"&af_os_version=v14", token, 400, `Bad Request: af_os_version: got \"v14\", write digits and dots`)
	f(clickPath+"?"+someClick+"&af_ip=300.1.1.1", token, 400, `Bad Request: af_ip: \"300.1.1.1\" is no IPv4 or IPv6 address`)
	f(clickPath+"?"+someClick+"&af_device_id_value=x", token, 400, "Bad Request: af_device_id_type: say what kind of id af_device_id_value is")
	f(clickPath+"?"+someClick+"&af_device_id_type=idfa", token, 400, "Bad Request: af_device_id_value: af_device_id_type says that there is one")
	f(clickPath+"?"+someClick+"&af_device_id_type=imei&af_device_id_value=1", token, 400, `Bad Request: af_device_id_type: got \"imei\", write vida, tifa, rida, lgudid, fire, advertising_id, idfa or custom`)
	f(clickPath+"?"+someClick+"&af_request_id="+strings.Repeat("r", 129), token, 400, "Bad Request: af_request_id: at most 128 bytes, got 129")
	f(clickPath+"?"+someClick+"&own="+strings.Repeat("x", 9<<10), token, 400, "Bad Request: parameters: at most 8192 bytes, got 9244")
	f(clickPath+"?"+someClick+"&a=%zz", token, 400, "Bad Request: parameters: percent-encode the values and join them with &")
	if w.ledger.Count() != 0 {
		t.Errorf("%d refused engagements are in the ledger", w.ledger.Count())
	}
	status, _, text := send(t, w.base, "POST", clickPath+"?authorization=golden-token", "{}", "Authorization", "")
	if status != 401 {
		t.Errorf("a POST's token stands in its header; got %d %s", status, text)
	}
	if status, _, text := send(t, w.base, "POST", clickPath, "[]"); status != 400 || text != `{"message":"Bad Request: request body: must be a JSON object"}` {
		t.Errorf("got %d %s", status, text)
	}
}

func TestEveryDeviceTypeOfEngagements(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	for kind, want := range map[string]attribution.IDKind{
		"vida": attribution.VizioID, "tifa": attribution.SamsungID, "rida": attribution.RokuID, "lgudid": attribution.LGID,
		"fire": attribution.AmazonID, "advertising_id": attribution.GAID, "idfa": attribution.IDFA, "custom": "",
	} {
		send(t, w.base, "GET", clickPath+"?"+someClick+"&af_device_id_value=9c9a82fb-d5de-4cd1-90c3-527441c11828&af_device_id_type="+kind, "")
		touch := touched(w.engaged(t))
		if want == "" {
			if len(touch.DeviceIDs) != 0 || !strings.Contains(touch.Query, "custom_device_id=9c9a") {
				t.Errorf("%s: got %+v", kind, touch)
			}
		} else if len(touch.DeviceIDs) != 1 || touch.DeviceIDs[0].Kind != want {
			t.Errorf("%s: got %+v", kind, touch.DeviceIDs)
		}
	}
}

// TestAddressesAsServersWriteThem: with a port, in brackets, mapped.
func TestAddressesAsServersWriteThem(t *testing.T) {
	t.Parallel()
	w := goldenReports(t)
	for text, want := range map[string]string{
		"81.2.69.160": "81.2.69.160", "81.2.69.160:443": "81.2.69.160", "::ffff:81.2.69.160": "81.2.69.160", " 81.2.69.160 ": "81.2.69.160",
		"[2001:db8::1]:443": "2001:db8::1", "fe80::1%eth0": "fe80::1",
		"[2001:0db8:0000:0000:0000:0000:0000:0001]:65535": "2001:db8::1",
	} {
		status, _, answer := send(t, w.base, "GET", clickPath+"?"+someClick+"&af_ip="+url.QueryEscape(text), "")
		if status != 200 || w.engaged(t).IP != want {
			t.Errorf("engagement of %s: got %d %s", text, status, answer)
		}
		body := someStart + `,"timestamp":"` + startTime + `","ip":"` + text + `"}`
		status, _, answer = send(t, w.base, "POST", "/v1.0/android/com.golden.app?af_sig="+signature(goldenKey, startTime+text), body)
		if told := w.ledger.LastTold(t); status != 200 || len(told.IPs) != 1 || told.IPs[0] != want {
			t.Errorf("start of %s: got %d %s", text, status, answer)
		}
		status, answer = w.sent(t, `,"ip":"`+text+`"}`)
		if told := w.ledger.LastTold(t); status != 200 || len(told.IPs) != 1 || told.IPs[0] != want || len(told.Flags) != 0 {
			t.Errorf("event of %s: got %d %s", text, status, answer)
		}
	}
}

// sent tells of an event, whose body ends in rest.
func (w *reports) sent(t testing.TB, rest string) (int, string) {
	t.Helper()
	status, _, text := w.sendEvent(t, eventPath, strings.TrimSuffix(someEvent, "}")+rest)
	return status, text
}

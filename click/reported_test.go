package click

import (
	"net/url"
	"testing"

	"waypost/event"
	"waypost/internal/device"
)

// TestServersReportClicks: redirect=false with somebody's browser, address or
// device is his click, not the program's that reports it.
func TestServersReportClicks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const (
		curl  = "curl/8.7.1"
		phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
		own   = "203.0.113.9" // the address of who asks
		gaid  = "advertising_id=38400000-8cf0-41bd-b23e-10b96e40000d"
	)
	f := func(name, agent, query string, want event.Click) {
		t.Helper()
		ctx := hotRequest("/A1b3?"+query, agent)
		ctx.Request.Header.Set("Accept-Language", "de")
		ctx.Request.Header.Set("Referer", "https://server.test/")
		s.door.Serve(ctx)
		if status := ctx.Response.StatusCode(); status == 200 && len(ctx.Response.Body()) > 0 || status != 200 && status != 302 {
			t.Errorf("%s: answered %d %q", name, status, ctx.Response.Body())
		}
		all := s.ledger.clicks(t)
		got := all[len(all)-1]
		if got.Bot != want.Bot || got.Agent != want.Agent || got.IP != want.IP || got.Platform != want.Platform || got.Language != want.Language || got.Referrer != want.Referrer {
			t.Errorf("%s: kept %+v\nwant %+v", name, got, want)
		}
	}
	const ua = "&af_ua="
	escaped := url.QueryEscape(phone)
	f("everything", curl, "redirect=false&af_ip=198.51.100.7"+ua+escaped, event.Click{Agent: phone, IP: "198.51.100.7", Platform: device.IOS})
	f("a browser alone", curl, "redirect=false"+ua+escaped, event.Click{Agent: phone, Platform: device.IOS})
	f("an address alone", curl, "redirect=false&af_ip=198.51.100.7", event.Click{IP: "198.51.100.7"})
	f("an IPv4 address in IPv6", curl, "redirect=false&af_ip=::ffff:198.51.100.7", event.Click{IP: "198.51.100.7"})
	f("a device alone", curl, "redirect=false&"+gaid, event.Click{})
	f("a device, by nobody", "", "redirect=false&"+gaid, event.Click{})
	f("in capitals", curl, "redirect=FALSE&"+gaid, event.Click{})
	f("nobody", curl, "redirect=false", event.Click{Bot: "tool:curl", Agent: curl, IP: own, Language: "de", Referrer: "https://server.test/"})
	f("a device that is none", curl, "redirect=false&advertising_id=00000000-0000-0000-0000-000000000000", event.Click{Bot: "tool:curl", Agent: curl, IP: own, Language: "de", Referrer: "https://server.test/"})
	f("an unfilled macro", curl, "redirect=false&advertising_id={gaid}", event.Click{Bot: "tool:curl", Agent: curl, IP: own, Language: "de", Referrer: "https://server.test/"})
	f("no address", curl, "redirect=false&af_ip=nowhere", event.Click{Bot: "tool:curl", Agent: curl, IP: own, Language: "de", Referrer: "https://server.test/"})
	f("a robot's browser", curl, "redirect=false"+ua+"Googlebot%2F2.1", event.Click{Bot: "crawler:Googlebot", Agent: "Googlebot/2.1"})
	f("a crawler that follows such a link", "Googlebot/2.1", "redirect=false&"+gaid, event.Click{Bot: "crawler:Googlebot", Agent: "Googlebot/2.1", IP: own, Language: "de", Referrer: "https://server.test/"})
	f("a phone of its own", phone, "redirect=false&"+gaid, event.Click{Agent: phone, IP: own, Platform: device.IOS, Language: "de", Referrer: "https://server.test/"})
	f("a redirect", curl, "af_ip=198.51.100.7&"+gaid+ua+escaped, event.Click{Bot: "tool:curl", Agent: curl, IP: own, Language: "de", Referrer: "https://server.test/"})
}

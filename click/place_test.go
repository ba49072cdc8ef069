package click

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"waypost/event"
	"waypost/internal/device"
	"waypost/link"
)

func TestImpression(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	l := s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: "p/1"})
	f := func(method string, events int, headers ...string) {
		t.Helper()
		s.ledger.clear()
		got := s.send(method, "acme.localhost/imp/guid1?pub=7", "", headers...)
		if got.status != 200 || got.kind != "image/gif" || got.cache != "no-store, private" || got.to != "" || method == "GET" && got.body != pixel {
			t.Errorf("%s %v: %+v", method, headers, got)
		}
		all := s.ledger.clicks(t)
		if len(all) != events {
			t.Errorf("%s %v: %d events, want %d", method, headers, len(all), events)
		}
		for _, c := range all {
			if c.Kind != event.ImpressionKind || c.Link != l.ID || c.Query != "pub=7" || c.Dialect != link.SmartLinks {
				t.Errorf("%s %v: %+v", method, headers, c)
			}
		}
	}
	f("GET", 1)
	f("HEAD", 0)
	f("GET", 0, "Sec-Purpose", "prefetch")
	f("GET", 1, "User-Agent", "Googlebot/2.1")
	if c := s.last(); c.Bot != "crawler:Googlebot" || c.Tracker != link.CatchAll {
		t.Errorf("the bot's is %+v", c)
	}
	f("GET", 1, "User-Agent", iosAgent)
	if c := s.last(); c.Bot != "" || c.Tracker != 2 || c.DeepLink != "p/1" || c.Route != "ios-store" {
		t.Errorf("the person's is %+v", c)
	}
	f("GET", 1, "User-Agent", "WhatsApp/2.0")
}

// TestOwnedClicksThatDoNotCount: as for templates.
func TestOwnedClicksThatDoNotCount(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	f := func(method string, status, events int, headers ...string) {
		t.Helper()
		s.ledger.clear()
		if got := s.send(method, "acme.localhost/guid1", "", headers...); got.status != status || len(s.ledger.clicks(t)) != events {
			t.Errorf("%s %v: %+v, %d events", method, headers, got, len(s.ledger.clicks(t)))
		}
	}
	f("GET", 302, 1)
	f("HEAD", 302, 0)
	f("GET", 302, 0, "Purpose", "prefetch")
	f("GET", 200, 1, "User-Agent", "facebookexternalhit/1.1")
	f("POST", 405, 0)
	f("PUT", 405, 0)
	if got := s.send("GET", "acme.localhost/guid1?quiet=1", ""); got.status != 200 || got.kind != "application/json" || got.body != `{"ok":true}` || got.cache != "no-store, private" {
		t.Errorf("a click that asks for no redirect: %+v", got)
	}
}

// TestReportedClick: a server tells whose click it was; what its own request
// says besides is not the visitor's.
func TestReportedClick(t *testing.T) {
	t.Parallel()
	s, f := newFakeSite(t)
	l := s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: "p/1", Fixed: true})
	report := func(agent, ip string) (reply, event.Click) {
		got := s.send("GET", "acme.localhost/s2s/guid1?ua="+url.QueryEscape(agent)+"&ip="+ip, "",
			"User-Agent", "Go-http-client/1.1", "Accept-Language", "en", "Referer", "https://server.test/", "Sec-CH-UA-Platform", `"Windows"`)
		return got, s.last()
	}
	for range 2 {
		got, c := report(iosAgent, "203.0.113.77")
		if got.to != "https://apps.apple.com/app/id1" || c.Link != l.ID || c.Bot != "" || c.Platform != device.IOS || c.Tracker != 2 ||
			c.IP != "203.0.113.77" || c.Agent != iosAgent || c.Language != "" || c.Referrer != "" || c.DeepLink != "p/1" {
			t.Errorf("%+v, %+v", got, c)
		}
		got, c = report(androidAgent, "2001:db8::7")
		if got.to != "https://www.acme.test/one" || c.Platform != device.Android || c.IP != "2001:db8::7" {
			t.Errorf("another visitor: %+v, %+v", got, c)
		}
		got, c = report("", "203.0.113.78")
		if got.to != "https://www.acme.test/one" || c.Bot != "tool:Go-http-client" || c.IP != "203.0.113.78" || c.Language != "" {
			t.Errorf("an address alone: %+v, %+v", got, c)
		}
	}
	if n := f.located.Load(); n != 6 {
		t.Errorf("six reports were located %d times", n)
	}
	if n := s.door.owners.spots.EstimatedSize(); n != 0 {
		t.Errorf("%d visitors' places are in memory", n)
	}
}

// TestLongDeepLinkIsLeftOut: it is told to apps, but an event has bounds.
func TestLongDeepLinkIsLeftOut(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	long := strings.Repeat("x", maxURL)
	s.own("long", fakeData{Web: "https://www.acme.test/one", Deep: long})
	s.own("longer", fakeData{Web: "https://www.acme.test/one", Deep: long + "y"})
	f := func(code, kept string) {
		t.Helper()
		s.send("GET", "acme.localhost/"+code, "", "User-Agent", iosAgent)
		if c := s.last(); c.DeepLink != kept {
			t.Errorf("%s: %d bytes are kept", code, len(c.DeepLink))
		}
	}
	f("long", long)
	f("longer", "")
	if got := s.send("GET", "acme.localhost/ask?url=https://acme.localhost/longer", "", "User-Agent", iosAgent); !strings.Contains(got.body, long+"y") {
		t.Errorf("the app is told %d bytes", len(got.body))
	}
}

func TestAppsAskAboutLinks(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	l := s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: `p/"1"`})
	promo := s.create("promo", `{"pid":"x"}`)
	const app = "Acme/1 CFNetwork/1410.0.3 Darwin/22.6.0"
	f := func(method, host, about, deep string, want link.LinkID, headers ...string) {
		t.Helper()
		s.ledger.clear()
		uri, body := host+"/ask?url="+url.QueryEscape(about), ""
		if method == "POST" {
			uri, body = host+"/ask", about
		}
		got := s.send(method, uri, body, append([]string{"User-Agent", app}, headers...)...)
		if got.status != 200 || got.kind != "application/json" || got.cache != "no-store, private" ||
			method != "HEAD" && got.body != fmt.Sprintf("{\"url\":%q,\"deep\":%q}", about, deep) {
			t.Errorf("%s about %s: %+v", method, about, got)
		}
		all := s.ledger.clicks(t)
		if len(all) > 1 || (len(all) == 1) != (want != 0) {
			t.Fatalf("%s about %s: %d events", method, about, len(all))
		}
		for _, c := range all {
			parsed, _ := url.Parse(about)
			if c.Kind != event.ClickKind || c.Link != want || c.Query != parsed.RawQuery || c.Host != parsed.Hostname() || c.Platform != device.IOS || c.Bot != "" || c.DeepLink != deep {
				t.Errorf("%s about %s: %+v", method, about, c)
			}
		}
	}
	for range 2 {
		f("GET", "acme.localhost", "https://acme.localhost/guid1?x=1", `p/"1"`, l.ID)
		f("POST", "acme.localhost", "https://acme.localhost/guid1", `p/"1"`, l.ID)
		f("POST", "shared.test", "https://mybranded.test/guid1#top", `p/"1"`, l.ID)
		f("GET", "acme.localhost", "https://acme.localhost/A1b3/promo?x=1", "", promo.ID)
		f("GET", "acme.localhost", "https://acme.localhost/guid2", "", 0)
		f("GET", "acme.localhost", "https://unknown.test/guid1", "", 0)
		f("GET", "acme.localhost", "no URL at all", "", 0)
		f("GET", "acme.localhost", "https://acme.localhost/imp/guid1", "", 0)
		f("GET", "acme.localhost", "https://acme.localhost/ask?url=x", "", 0)
		f("GET", "acme.localhost", "https://acme.localhost/.well-known/assetlinks.json", "", 0)
		f("POST", "acme.localhost", "https://acme.localhost/guid1?x="+strings.Repeat("y", 12<<10), "", 0)
		f("HEAD", "acme.localhost", "https://acme.localhost/guid1", "", 0)
		f("GET", "acme.localhost", "https://acme.localhost/guid1", `p/"1"`, 0, "Purpose", "prefetch")
	}
}

// TestAppsThatAskAreNoBots: the library that an app asks with says nothing of
// the person who uses it.
func TestAppsThatAskAreNoBots(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	f := func(agent, bot string) {
		t.Helper()
		s.send("GET", "acme.localhost/ask?url=https://acme.localhost/guid1", "", "User-Agent", agent)
		if c := s.last(); c.Bot != bot {
			t.Errorf("%s: %+v", agent, c)
		}
	}
	f("okhttp/4.9.0", "")
	f("Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ1A)", "")
	f("Googlebot/2.1", "crawler:Googlebot")
}

// TestBodies: apps may ask with a body, and nobody else gets one in.
func TestBodies(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	f := func(method, path string, size, status int) {
		t.Helper()
		got := s.send(method, "acme.localhost"+path, strings.Repeat("x", size))
		if got.status != status || status == 405 && got.allow != "GET, HEAD" {
			t.Errorf("%s %s with %d bytes: %+v, want %d", method, path, size, got, status)
		}
	}
	f("POST", "/ask", 16<<10, 200)
	f("POST", "/ask", 1, 200)
	f("POST", "/ask", 0, 404) // asks about nothing
	f("POST", "/guid1", 1, 405)
	f("POST", "/A1b3", 1, 405)
	f("POST", "/nobody", 1, 405)
	f("POST", "/.well-known/assetlinks.json", 1, 405)
	f("PUT", "/ask", 1, 405)
	// A body that is not read ends the connection, so that a client may see
	// that instead of the answer; see tooLong.
	tooLong(t, s, "POST /ask", 16<<10+1)
	tooLong(t, s, "POST /nobody", 1<<10+1)
	tooLong(t, s, "GET /guid1", 1<<10+1)
}

func tooLong(t *testing.T, s *site, line string, size int) {
	t.Helper()
	listener := fasthttputil.NewInmemoryListener()
	defer listener.Close()
	go func() { _ = s.door.Server().Serve(listener) }()
	conn, err := listener.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: acme.localhost\r\nContent-Length: %d\r\n\r\n", line, size); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 413") {
		t.Errorf("%s with %d bytes: %v %s", line, size, err, got)
	}
}

// TestReservedPathsAreNoLinks: no dialect is asked about the host's own files.
func TestReservedPathsAreNoLinks(t *testing.T) {
	t.Parallel()
	s, f := newFakeSite(t)
	for _, path := range []string{".well-known/x", ".WELL-KNOWN/x", ".well-known", "robots.txt", "favicon.ico", "apple-app-site-association/x"} {
		for _, host := range []string{"acme.localhost", "shared.test"} {
			if got := s.send("GET", host+"/"+path, ""); got.status != 404 {
				t.Errorf("%s/%s: %+v", host, path, got)
			}
		}
	}
	if n := f.located.Load(); n != 0 {
		t.Errorf("the dialect was asked %d times", n)
	}
	// A template comes before links that own paths.
	s.own("A1b3", fakeData{Web: "https://www.acme.test/shadow"})
	if got := s.send("GET", "acme.localhost/A1b3", ""); got.to != "https://www.acme.test/" {
		t.Errorf("the template: %+v", got)
	}
}

func TestAssociationFilesOfOwnedLinks(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	f := func(uri, want string) {
		t.Helper()
		got := s.send("GET", uri, "")
		if got.status != fasthttp.StatusOK || got.kind != "application/json" || got.body != want {
			t.Errorf("%s: %+v\nwant %s", uri, got, want)
		}
	}
	const files = `{"/":"/.well-known/*","exclude":true,"comment":"files of this host"}`
	const owned = `{"/":"/D*","exclude":true,"comment":"links that stay in the browser"},{"/":"/x*","exclude":true,"comment":"links that stay in the browser"},{"/":"*","comment":"links with paths of this host"}`
	const app = `"appIDs":["A1B2C3D4E5.com.acme.app"]`
	with := `{"applinks":{"apps":[],"details":[{"appID":"A1B2C3D4E5.com.acme.app","paths":["NOT /.well-known/*","/A1b3/*","/A1b3","NOT /D*","NOT /x*","*"],` +
		app + `,"components":[` + files + `,{"/":"/A1b3/*"},{"/":"/A1b3"},` + owned + `]}]}}`
	without := `{"applinks":{"apps":[],"details":[{"appID":"A1B2C3D4E5.com.acme.app","paths":["NOT /.well-known/*","NOT /D*","NOT /x*","*"],` +
		app + `,"components":[` + files + `,` + owned + `]}]}}`
	f("acme.localhost/.well-known/apple-app-site-association", with)
	f("acme.localhost/apple-app-site-association", with)
	f("boss.localhost/.well-known/apple-app-site-association", without)
	f("shared.test/.well-known/apple-app-site-association", `{"applinks":{"apps":[],"details":[]}}`)
	f("shared.test/.well-known/assetlinks.json", `[]`)
}

// FuzzAddress: whatever is asked for, the door answers, and explains as it answers.
func FuzzAddress(f *testing.F) {
	for _, uri := range []string{"/guid1", "/guid1/a?x=1", "/imp/guid1", "/t/9/guid1", "/n/1", "/s2s/guid1?ua=x&ip=::1%25eth0", "/ask?url=https://acme.localhost/ask",
		"/ask?url=acme.localhost/guid1%23", "/A1b3/x", "//", "/%zz", "/.well-known/x", "http://shared.test/guid1", "/guid1?to=%0d%0a"} {
		f.Add(uri)
	}
	s, _ := newFakeSite(f)
	s.ledger.discard = true
	s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: "p/{click_id}"})
	f.Fuzz(func(t *testing.T, uri string) {
		ctx := hotRequest(uri, iosAgent)
		s.door.Serve(ctx)
		status := ctx.Response.StatusCode()
		if status >= 500 || strings.ContainsAny(string(ctx.Response.Header.Peek("Location")), "\r\n") {
			t.Fatalf("%q is answered %s", uri, &ctx.Response)
		}
		explained := "https://acme.localhost" + uri
		if !strings.HasPrefix(uri, "/") || strings.Contains(uri, "#") || len(explained) > maxURL {
			return
		}
		_, err := s.door.Explain(t.Context(), explained)
		if status == 302 && err != nil {
			t.Fatalf("%q is answered %d and explained with %v", uri, status, err)
		}
	})
}

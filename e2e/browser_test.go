package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browser starts a Chromium that knows the hosts of this machine alone. A
// machine without one skips the test, except where CI=true.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium on this machine; CI must have one")
		}
		t.Skip("skipped: no Chromium on this machine (install chromium to check the pages in a browser)")
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("no-proxy-server", true), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("host-resolver-rules", "MAP acme.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))...)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// phone is a tab with a phone's screen that calls itself agent.
type phone struct {
	t   *testing.T
	ctx context.Context
}

func newPhone(t *testing.T, ctx context.Context, agent string) *phone {
	t.Helper()
	tab, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	// The first run opens the tab for as long as its context lives, so it has no deadline.
	if err := chromedp.Do(tab, chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch)); err != nil {
		t.Fatal(err)
	}
	b := &phone{t, tab}
	b.do(command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent}),
		// Without a screen Chromium takes the focus away when a page names a scheme that nobody knows.
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	return b
}

func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
}

func (b *phone) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for i, step := range steps {
		see(b, fmt.Sprintf("step %d", i+1), step)
	}
}

func see[T any](b *phone, what string, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return got
}

// picture keeps what the phone shows, where WAYPOST_PICTURES names a directory.
func (b *phone) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("WAYPOST_PICTURES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), see(b, "picture", chromedp.CaptureScreenshot()), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// TestTryPages visits a SmartLink and a Singular link with the phones that they
// show a page: it offers the app, fits the screen, and goes on to the store.
func TestTryPages(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<link rel="icon" href="data:,"><p id="arrived">arrived</p>`))
	}))
	t.Cleanup(store.Close)
	var smart struct{ Data smartLink }
	routes := fmt.Sprintf(`"destination_url":"%s/store?x=1","reengagement_url":"acme://spring"`, store.URL)
	p.key("Authentication-Key", "acme-admin-token").must(t, "POST", "/v1/links", `{"app_group_id":4833,"app_group_campaign_name":"C","name":"Page","default":{"app_id":38581,"destination_url":"https://www.acme.test/"},
		"routes_by_app":[{"app_id":24171,"events":[],"routes":[{"name":"i",`+routes+`,"rules":{"platform_in":["iOS"]}}]},
		{"app_id":26538,"events":[],"routes":[{"name":"a",`+routes+`,"rules":{"platform_in":["Android"]}}]}]}`, &smart)
	single := p.customLink(t, "page", fmt.Sprintf(`,"ios_redirection":{"app_site_id":24171,"destination_url":"%s/store?x=1","destination_deeplink_url":"acme://spring"}`, store.URL))
	_, port, err := net.SplitHostPort(p.links)
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, agent, rawURL, open, next string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(rawURL)
			if err != nil {
				t.Fatal(err)
			}
			u.Host = u.Hostname() + ":" + port
			newPhone(t, ctx, agent).offers(u.String(), name, open)
			newPhone(t, ctx, agent).goesOn(u.String(), store.URL+next)
		})
	}
	f("smartlink-iphone", iphone, smart.Data.ClickURL, "acme://spring", "/store?x=1")
	f("smartlink-android", pixel, smart.Data.ClickURL, "intent://spring#Intent;scheme=acme;package=com.acme.app;", "/store?x=1")
	f("singular-iphone", iphone, single.Click, "acme://spring", "/store?referrer=singular_click_id%3D")
	eventually(t, "every visit to be counted, once", func() bool {
		n := p.sum(t, "group_by=metric")
		if n > 6 {
			t.Fatalf("%d clicks are counted of 6 visits", n)
		}
		return n == 6
	})
}

// offers looks at a link's page, whose time stands still.
func (b *phone) offers(link, name, open string) {
	b.t.Helper()
	b.do(command(cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `window.setTimeout = function () { return 1; };`}),
		chromedp.Navigate(link), chromedp.WaitVisible("#open"))
	if href := see(b, "the button", chromedp.AttributeValue("#open", "href")).Value; !strings.HasPrefix(href, open) {
		b.t.Errorf("the button opens %s, want %s", href, open)
	}
	layout := see(b, "layout", chromedp.Evaluate[string](`[document.documentElement.scrollWidth <= 390, document.documentElement.scrollHeight <= 844,
		Math.min(...Array.from(document.querySelectorAll("a"), a => a.getBoundingClientRect().height)) >= 44, document.title].join(" ")`))
	if layout != "true true true Acme Group" {
		b.t.Errorf("fits in width, in height, buttons are large enough, title: %s", layout)
	}
	b.picture(name)
}

// goesOn waits until a link's page has given the app up.
func (b *phone) goesOn(link, next string) {
	b.t.Helper()
	b.do(chromedp.Navigate(link), chromedp.WaitVisible("#arrived"))
	if got := see(b, "where it went", chromedp.Evaluate[string](`location.href`)); !strings.HasPrefix(got, next) {
		b.t.Errorf("the page went on to %s, want %s", got, next)
	}
}

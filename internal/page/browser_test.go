package page

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long the browser may take for one thing; it only ends tests
// that fail.
const patience = 3 * time.Minute

// TestInBrowser checks the pages in a Chromium with a phone's screen, one tab
// after the other. A machine without Chromium skips it, except where CI=true.
func TestInBrowser(t *testing.T) {
	t.Parallel()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium on this machine; CI must have one")
		}
		t.Skip("skipped: no Chromium on this machine (install chromium to check the pages in a browser)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("no-proxy-server", true), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-features", "BackForwardCache,Translate")) // coming back must run the page's script again
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	ctx, closeBrowser := chromedp.NewContext(ctx)
	defer closeBrowser()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	for name, check := range map[string]func(*testing.T, *tab){
		"goes on when the app does not open":  goesOnWhenTheAppDoesNotOpen,
		"stays when the app opens":            staysWhenTheAppOpens,
		"tries once per visit":                triesOncePerVisit,
		"hostile values stay inert":           keepsHostileValuesInert,
		"without JavaScript":                  worksWithoutJavaScript,
		"layout":                              fitsThePhone,
		"copies a token":                      copiesAToken,
		"copies where the new way is not":     copiesWhereTheNewWayIsNot,
		"copies where the new way is refused": copiesWhereTheNewWayIsRefused,
	} {
		t.Run(name, func(t *testing.T) {
			tabCtx, closeTab := chromedp.NewContext(ctx)
			defer closeTab()
			// The first run opens the tab for as long as its context lives, so it has no deadline.
			screen := chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch)
			if err := chromedp.Do(tabCtx, screen); err != nil {
				t.Fatal(err)
			}
			check(t, &tab{t, tabCtx})
		})
	}
}

// tab is one tab of the browser; its methods end the test on an error.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for i, step := range steps {
		ask(b, fmt.Sprintf("step %d", i+1), step)
	}
}

func (b *tab) number(expression string) float64 {
	b.t.Helper()
	return ask(b, expression, chromedp.Evaluate[float64](expression))
}

func (b *tab) text(expression string) string {
	b.t.Helper()
	return ask(b, expression, chromedp.Evaluate[string](expression))
}

func ask[T any](b *tab, what string, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return got
}

// serve answers /page with the text that make returns for the server's own
// address, /next with a page that says so, and counts everything else.
func serve(t *testing.T, build func(base string) ([]byte, error)) (base string, strays *atomic.Int32) {
	t.Helper()
	strays = new(atomic.Int32)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	text, err := build(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", Policy())
		w.Header().Set("Cache-Control", "no-store, private")
		_, _ = w.Write(text)
	})
	mux.HandleFunc("/next", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<link rel="icon" href="data:,"><p id="arrived">arrived</p>`))
	})
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { strays.Add(1) })
	return server.URL, strays
}

// holdTimers makes the browser collect timers instead of running them, so that
// a test can fire them when it wants to.
const holdTimers = `window.held = {}; window.heldCount = 0;
window.setTimeout = function (f, ms) { window.heldCount++; window.held[window.heldCount] = {f: f, ms: ms}; return window.heldCount; };
window.clearTimeout = function (id) { delete window.held[id]; };`

// beforePage runs a script in every document before its own.
func (b *tab) beforePage(script string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// A Chromium without a screen takes the focus away when a page names a scheme
// that nobody knows, as if it asked the person something; a phone's does not.
func (b *tab) keepFocus() {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
}

func goesOnWhenTheAppDoesNotOpen(t *testing.T, b *tab) {
	b.keepFocus()
	for name, open := range map[string]string{
		"app scheme": `waypost-none://open?x=1"&y='</script>`,
		"intent":     "intent://open?x=1#Intent;scheme=waypost-none;package=test.none;end",
	} {
		for _, replace := range []bool{true, false} {
			base, strays := serve(t, func(base string) ([]byte, error) {
				return AppendTry(nil, Try{Name: "Acme", Open: open, Next: base + "/next?q=%22%27&x=1", Replace: replace})
			})
			b.do(chromedp.Navigate(base+"/page"), chromedp.WaitVisible("#arrived"))
			if got, want := b.text(`location.href`), base+"/next?q=%22%27&x=1"; got != want {
				t.Errorf("%s, replace %v: the page went on to %s, want %s", name, replace, got, want)
			}
			if n := strays.Load(); n > 0 {
				t.Errorf("%s: the page asked for %d other things", name, n)
			}
		}
	}
}

func staysWhenTheAppOpens(t *testing.T, b *tab) {
	base, _ := serve(t, func(base string) ([]byte, error) {
		return AppendTry(nil, Try{Name: "Acme", Open: "waypost-none://x", Next: base + "/next", Replace: true})
	})
	b.keepFocus()
	b.beforePage(holdTimers)
	f := func(name, events string, want float64) {
		t.Helper()
		b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(base+"/page"))
		if before := b.number(`Object.keys(window.held).length`); before != 1 {
			t.Errorf("%s: %v timers on arrival, want 1", name, before)
		}
		for event := range strings.FieldsSeq(events) {
			b.do(chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event("` + event + `"))`))
		}
		if after := b.number(`Object.keys(window.held).length`); after != want {
			t.Errorf("%s: %v timers are left, want %v", name, after, want)
		}
	}
	f("the system asks", "blur", 0)
	f("the person refuses", "blur focus", 1)
	f("the app opens", "pagehide", 0)
	f("the person agrees", "blur pagehide focus", 0)
	f("back from the app", "pagehide pageshow focus", 0)
}

// A page with something to copy waits for a tap, which alone may write, and
// goes on then.
func copiesAToken(t *testing.T, b *tab) {
	b.copies(t, "")
}

func copiesWhereTheNewWayIsNot(t *testing.T, b *tab) {
	b.copies(t, `Object.defineProperty(navigator, "clipboard", {value: undefined});`)
}

func copiesWhereTheNewWayIsRefused(t *testing.T, b *tab) {
	b.copies(t, `Object.defineProperty(navigator, "clipboard", {value: {writeText: function () { return Promise.reject(new Error("no")); }}});`)
}

// copies uses its tab once: a page that is being left answers nothing.
func (b *tab) copies(t *testing.T, before string) {
	t.Helper()
	const token = `waypost:a"b<c>`
	base, _ := serve(t, func(base string) ([]byte, error) {
		return AppendTry(nil, Try{Name: "Acme", Open: "waypost-none://x", Next: base + "/next?x=1", Store: true, Copy: token})
	})
	b.keepFocus()
	b.beforePage(holdTimers + before + `document.addEventListener("copy", function () { window.name = "copied " + document.activeElement.value; });`)
	b.do(chromedp.Navigate(base+"/page"), chromedp.WaitVisible("#next"))
	if n := b.number(`document.getElementById("open").click(); window.heldCount`); n != 0 {
		t.Errorf("the page would go on by itself: %v timers", n)
	}
	if before == "" {
		b.do(chromedp.Evaluate[chromedp.Void](`navigator.clipboard.writeText = function (text) { window.name = "copied " + text; return Promise.resolve(); }`))
	}
	b.do(chromedp.Click("#next"), chromedp.WaitVisible("#arrived"))
	if got, want := b.text(`location.search + " " + window.name`), "?x=1 copied "+token; got != want {
		t.Errorf("it went on with %q, want %q", got, want)
	}
}

// Someone who comes back from the store, or reloads, must not be thrown out
// again; the button still works.
func triesOncePerVisit(t *testing.T, b *tab) {
	base, _ := serve(t, func(base string) ([]byte, error) {
		return AppendTry(nil, Try{Name: "Acme", Open: "waypost-none://x", Next: base + "/next"})
	})
	b.keepFocus()
	b.beforePage(holdTimers)
	b.do(chromedp.Navigate(base + "/page"))
	first := b.number(`window.heldCount`)
	b.do(chromedp.Reload())
	reloaded := b.number(`window.heldCount`)
	pressed := b.number(`document.getElementById("open").click(); window.heldCount`)
	if first != 1 || reloaded != 0 || pressed != 1 {
		t.Errorf("timers: %v on arrival, %v after a reload, %v after the button; want 1, 0, 1", first, reloaded, pressed)
	}
	if wait := b.number(`window.held[1].ms`); wait != 800 {
		t.Errorf("the button waits %v ms, want 800", wait)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`window.held[1].f()`), chromedp.WaitVisible("#arrived"),
		chromedp.NavigateBack(), chromedp.WaitVisible("#open"))
	if again := b.number(`window.heldCount`); again != 0 {
		t.Errorf("coming back armed %v timers, want none", again)
	}
}

func keepsHostileValuesInert(t *testing.T, b *tab) {
	const evil = `</title><script>window.owned=1</script>"'><img src=/stray onerror="window.owned=1">`
	builds := map[string]func(base string) ([]byte, error){
		"try": func(base string) ([]byte, error) {
			return AppendTry(nil, Try{Name: evil, Open: "waypost-none://x?" + evil, Next: base + "/next?" + evil})
		},
		"stores": func(base string) ([]byte, error) {
			return AppendStores(nil, Stores{Name: evil, Stores: []Store{{evil, base + "/next?" + evil}}})
		},
		"preview": func(base string) ([]byte, error) {
			return AppendPreview(nil, Preview{Title: evil, Description: evil, Image: base + "/stray?" + evil, URL: base + "/next?" + evil})
		},
	}
	b.beforePage(holdTimers)
	for name, build := range builds {
		base, strays := serve(t, build)
		b.do(chromedp.Navigate(base + "/page"))
		owned, images, title := b.text(`typeof window.owned`), b.number(`document.images.length`), b.text(`document.title`)
		if owned != "undefined" || images != 0 || title != evil || strays.Load() != 0 {
			t.Errorf("%s: owned is %s, %v images, %d stray requests, title %q", name, owned, images, strays.Load(), title)
		}
	}
}

func worksWithoutJavaScript(t *testing.T, b *tab) {
	base, _ := serve(t, func(base string) ([]byte, error) {
		return AppendTry(nil, Try{Name: "Acme", Open: "waypost-none://x", Next: base + "/next", Store: true})
	})
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(base+"/page"))
	open := ask(b, "open", chromedp.AttributeValue("#open", "href"))
	label := ask(b, "label", chromedp.Text("#next"))
	if open.Value != "waypost-none://x" || label != "Get the app" {
		t.Errorf("the page offers %q and %q", open.Value, label)
	}
	b.do(chromedp.Click("#next"), chromedp.WaitVisible("#arrived"))
}

// The buttons must be large enough for a thumb and reachable by keyboard, and
// the page must fit the screen's width.
func fitsThePhone(t *testing.T, b *tab) {
	base, _ := serve(t, func(base string) ([]byte, error) {
		return AppendStores(nil, Stores{Name: strings.Repeat("Acme", 30), Stores: []Store{{"iPhone and iPad", base + "/next"}, {"Android", base + "/next"}}})
	})
	b.do(chromedp.Navigate(base + "/page"))
	height := b.number(`Math.min(...Array.from(document.querySelectorAll("a"), a => a.getBoundingClientRect().height))`)
	wide := b.number(`document.documentElement.scrollWidth`)
	b.do(chromedp.KeyEvent("\t"))
	if focused := b.text(`document.activeElement.textContent`); height < 44 || wide > 390 || focused != "iPhone and iPad" {
		t.Errorf("smallest button %v px high, page %v px wide, first stop of the tab key %q", height, wide, focused)
	}
}

package e2e_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// TestClipboard follows a person with an iPhone whose app looks at the
// clipboard: the tap on the way to the store leaves the click's token there,
// and the app's first start is credited to the click by it.
func TestClipboard(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<link rel="icon" href="data:,"><p id="arrived">arrived</p>`))
	}))
	t.Cleanup(store.Close)
	text, err := os.ReadFile("../examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const there = `store_url: "https://apps.apple.com/us/app/acme/id1234567890", scheme: acme}`
	yaml := strings.Replace(string(text), there, `store_url: "`+store.URL+`/store", scheme: acme, clipboard: true}`, 1)
	if yaml == string(text) {
		t.Fatalf("acme.yaml has no app with %s", there)
	}
	file := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &shop{T: t, data: filepath.Join(t.TempDir(), "data"), client: noRedirects()}
	t.Cleanup(s.client.CloseIdleConnections)
	s.p = s.start("--apply", file)
	s.p.create(t, "paste", `{"pid":"wide","c":"paste","af_force_deeplink":"true","af_dp":"acme://spring","deep_link_value":"spring"}`)
	_, port, err := net.SplitHostPort(s.p.links)
	if err != nil {
		t.Fatal(err)
	}

	b := newPhone(t, ctx, iphone)
	b.do(command(cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission: &cdpbrowser.PermissionDescriptor{Name: "clipboard-read"}, Setting: cdpbrowser.PermissionSettingGranted,
	}), chromedp.Navigate("http://acme.localhost:"+port+"/A1b3/paste"), chromedp.WaitVisible("#next"), chromedp.Click("#next"), chromedp.WaitVisible("#arrived"))
	if at := see(b, "where it went", chromedp.Evaluate[string](`location.href`)); !strings.HasPrefix(at, store.URL+"/store") {
		t.Fatalf("the page went on to %s", at)
	}
	copied := see(b, "the clipboard", chromedp.Evaluate[string](`navigator.clipboard.readText()`, chromedp.EvalAwaitPromise))
	if !strings.HasPrefix(copied, "waypost:") {
		t.Fatalf("the clipboard holds %q", copied)
	}

	// The phone is elsewhere by now, and nothing else names it.
	phone := func(install, text string) fields {
		return first(install, "198.51.100.77", fields{
			"app": fields{"bundle": "com.acme.app", "platform": "ios"}, "device": fields{"os": "ios", "os_version": "17.5", "model": "iPhone"}, "clipboard_token": text,
		})
	}
	told := s.open(phone("i-1", copied))
	if told.Attribution.Status != "non_organic" || told.Attribution.Method != "clipboard" || told.Attribution.Campaign != "paste" || told.Attribution.Source != "wide" {
		t.Errorf("the first start is told %+v", told)
	}
	if told := s.open(phone("i-2", "waypost:OTAyMzg2MTI4MjYxMzc3OTg4Mw")); told.Attribution.Status != "organic" {
		t.Errorf("a made-up token is told %+v", told)
	}
	s.counted("group_by=metric", map[string]int{"clicks": 1, "installs": 1, "organic_installs": 1})
}

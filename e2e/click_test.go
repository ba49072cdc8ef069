package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// TestClicksAreCountedByWhatTheyAre plays visitors of every sort and compares
// the counts.
func TestClicksAreCountedByWhatTheyAre(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	p.create(t, "promo", `{"pid":"news","c":"spring","af_web_dp":"https://www.acme.test/p?a=1"}`)
	client := noRedirects()
	defer client.CloseIdleConnections()
	get := func(method, path, agent string, want int, headers ...string) *http.Response {
		t.Helper()
		resp, body, err := p.click(client, method, "acme.localhost", path, agent, headers...)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("%s %s as %q: %d %s, want %d", method, path, agent, resp.StatusCode, body, want)
		}
		return resp
	}
	get("GET", "/A1b3/promo", pixel, 302)
	get("GET", "/A1b3/promo", iphone, 302)
	web := get("GET", "/A1b3/promo", desktop, 302)
	target, err := url.Parse(web.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(target.String(), "https://www.acme.test/p?a=1&pid=news&c=spring&") {
		t.Errorf("the desktop goes to %s (%v)", target, err)
	}
	if cache := web.Header.Get("Cache-Control"); cache != "no-store, private" {
		t.Errorf("Cache-Control is %q", cache)
	}
	// None of these counts as a person.
	get("HEAD", "/A1b3/promo", desktop, 302)
	get("GET", "/A1b3/promo", desktop, 302, "Sec-Purpose", "prefetch;prerender")
	get("GET", "/A1b3/promo", preview, 200)
	get("GET", "/A1b3/promo", robot, 302)
	get("POST", "/A1b3/promo", desktop, 405)
	// The template's long link, an unknown link and an unknown template.
	get("GET", "/A1b3?pid=x&c=y", pixel, 302)
	get("GET", "/A1b3/nosuch", pixel, 302)
	get("GET", "/nope/promo", pixel, 404)
	get("GET", "/A1b3/promo?redirect=false", pixel, 200)
	rows := func(query string) string {
		t.Helper()
		status, body := p.call(t, http.MethodGet, "/waypost/v1/counts?"+query, "acme-read-token", "")
		if status != http.StatusOK {
			t.Fatalf("counts: %d %s", status, body)
		}
		var answer struct{ Rows []map[string]any }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, r := range answer.Rows {
			platform, known := r["platform"]
			if !known {
				platform = "somewhere"
			}
			lines = append(lines, fmt.Sprintf("%v %v %v: %v", r["id"], r["metric"], platform, r["count"]))
		}
		return strings.Join(lines, "\n")
	}
	want := strings.Join([]string{
		"promo bot_clicks somewhere: 2",
		"promo clicks android: 2",
		"promo clicks ios: 1",
		"promo clicks windows: 1",
	}, "\n")
	eventually(t, "the clicks to be counted", func() bool { return p.sum(t, "group_by=metric") >= 6 })
	got := rows("group_by=link,metric,platform&template=A1b3&id=promo")
	if got != want {
		t.Errorf("counts of promo:\n%s\nwant:\n%s", got, want)
	}
	if n := p.sum(t, "group_by=metric&template=A1b3&id=-"); n != 2 {
		t.Errorf("the template alone has %d clicks, want 2: the long link and the unknown one", n)
	}
	if status, body := p.call(t, http.MethodGet, "/waypost/v1/counts?template=A1b3", "rival-admin-token", ""); status != http.StatusNotFound {
		t.Errorf("another account's counts: %d %s", status, body)
	}
}

// TestClickRenewsAndUpdateShows follows one link through its life.
func TestClickRenewsAndUpdateShows(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	p.create(t, "life", `{"pid":"x","af_web_dp":"https://www.acme.test/one"}`)
	p.mustClick(t, "/A1b3/life", desktop)
	status, body := p.call(t, http.MethodPut, "/api/v2.0/shortlinks/A1b3/life", "acme-admin-token", `{"data":{"pid":"x","af_web_dp":"https://www.acme.test/two"}}`)
	if status != http.StatusOK {
		t.Fatalf("update: %d %s", status, body)
	}
	if resp, _ := p.mustClick(t, "/A1b3/life", desktop); !strings.HasPrefix(resp.Header.Get("Location"), "https://www.acme.test/two") {
		t.Errorf("after the update the click goes to %s", resp.Header.Get("Location"))
	}
	if status, body = p.call(t, http.MethodDelete, "/api/v2.0/shortlinks/A1b3/life", "acme-admin-token", ""); status != http.StatusOK {
		t.Fatalf("delete: %d %s", status, body)
	}
	if resp, _ := p.mustClick(t, "/A1b3/life", desktop); resp.Header.Get("Location") != "https://www.acme.test/" {
		t.Errorf("after the deletion the click goes to %s", resp.Header.Get("Location"))
	}
	p.create(t, "life", `{"pid":"x","af_web_dp":"https://www.acme.test/three"}`)
	if resp, _ := p.mustClick(t, "/A1b3/life", desktop); !strings.HasPrefix(resp.Header.Get("Location"), "https://www.acme.test/three") {
		t.Errorf("after it is made again the click goes to %s", resp.Header.Get("Location"))
	}
}

func TestAssociationFiles(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	f := func(host, path string, wants ...string) {
		t.Helper()
		client := noRedirects()
		defer client.CloseIdleConnections()
		resp, body, err := p.click(client, http.MethodGet, host, path, "swcd/1.0")
		if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" || !json.Valid([]byte(body)) {
			t.Fatalf("%s%s: %v %v %s", host, path, err, resp, body)
		}
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s%s lacks %s: %s", host, path, want, body)
			}
		}
	}
	apple := []string{`"appID":"A1B2C3D4E5.com.acme.app"`, `"appIDs":["A1B2C3D4E5.com.acme.app"]`, `"/A1b3/*"`, `"NOT /.well-known/*"`}
	f("acme.localhost", "/.well-known/apple-app-site-association", apple...)
	f("acme.localhost", "/apple-app-site-association", apple...)
	f("mybranded.test", "/.well-known/apple-app-site-association", apple...)
	f("acme.localhost", "/.well-known/assetlinks.json", `"com.acme.app"`, "14:6D:E9", "handle_all_urls")
	f("rival.localhost", "/.well-known/assetlinks.json", "[]")
}

// TestRubbish sends what no client should, and expects clear refusals and a
// server that goes on.
func TestRubbish(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	p.create(t, "ok", `{"pid":"x"}`)
	client := noRedirects()
	defer client.CloseIdleConnections()
	f := func(path string, want int) {
		t.Helper()
		resp, body, err := p.click(client, http.MethodGet, "acme.localhost", path, pixel)
		if err != nil || resp.StatusCode != want {
			t.Errorf("GET %.60s: %v %v %.80s, want %d", path, err, resp, body, want)
		}
	}
	f("/A1b3/ok?"+strings.Repeat("a=b&", 1900), 302)
	f("/A1b3/ok?"+strings.Repeat("a=b&", 2100), 414)
	f("/A1b3/ok?%zz=%&=&&&%00=%0d%0a", 302)
	f("/A1b3/ok?af_r=javascript:alert(1)&af_dp=data:text/html,x", 302)
	f("/A1b3/%0d%0aSet-Cookie:x", 302)
	f("/A1b3/"+strings.Repeat("x", 4000), 302)
	f("/../../etc/passwd", 404)
	f("//A1b3//ok", 302)
	f("/", 404)
	for _, path := range []string{"/A1b3/ok?af_r=https://evil.test/", "/A1b3/ok?af_web_dp=//evil.test", "/A1b3?af_r=https://evil.test@www.acme.test.evil.test/"} {
		for _, agent := range []string{pixel, iphone, desktop} {
			resp, _, err := p.click(client, http.MethodGet, "acme.localhost", path, agent)
			if err != nil {
				t.Fatal(err)
			}
			location, err := url.Parse(resp.Header.Get("Location"))
			if err != nil || strings.HasSuffix(location.Hostname(), "evil.test") {
				t.Errorf("%s sends to %s (%v)", path, location, err)
			}
		}
	}
	if resp, _ := p.mustClick(t, "/A1b3/ok", pixel); resp.StatusCode != http.StatusFound {
		t.Errorf("after all that a click answers %d", resp.StatusCode)
	}
}

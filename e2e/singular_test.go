package e2e_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/link"
	"waypost/store/sqlitestore"
)

const singularLinks = "/api/v1/singular_links/links"

// trackingLink is what the tests read of a Singular link.
type trackingLink struct {
	ID         string `json:"tracking_link_id"`
	Name       string `json:"tracking_link_name"`
	Click      string `json:"click_tracking_link"`
	Impression string `json:"impression_tracking_link"`
	Short      string `json:"short_link"`
}

// path is the path and query of the click URL.
func (l *trackingLink) path(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(l.Click)
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

// customLink makes a link without a deep link in the account of acme.yaml; more
// is added to the body.
func (p *process) customLink(t *testing.T, name, more string) trackingLink {
	t.Helper()
	var made trackingLink
	p.key("Authorization", "acme-admin-token").must(t, "POST", singularLinks, fmt.Sprintf(`{"app_id":4833,"link_type":"custom","source_name":"email","tracking_link_name":%q,
		"link_subdomain":"acme","link_dns_zone":"sng.link","destination_fallback_url":"https://www.acme.test/",
		"android_redirection":{"app_site_id":26538,"destination_url":"https://play.google.com/store/apps/details?id=com.acme.app"}%s}`, name, more), &made)
	return made
}

// countedRow is a row of GET /waypost/v1/counts.
type countedRow struct {
	Link, Tracker, Count int
	ID, Metric, Platform string
}

type countedRows []countedRow

// name is the link's number and its tracker's.
func (r countedRow) name() string { return fmt.Sprintf("%d/%d", r.Link, r.Tracker) }

func (p *process) rows(t *testing.T, query string) countedRows {
	t.Helper()
	var answer struct{ Rows countedRows }
	p.key("Authorization", "acme-admin-token").must(t, "GET", "/waypost/v1/counts?limit=10000&"+query, "", &answer)
	return answer.Rows
}

// visitAt clicks a URL that the API showed and returns status, headers and body.
func (p *process) visitAt(t *testing.T, rawURL, agent string) (*http.Response, string) {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	client := noRedirects()
	defer client.CloseIdleConnections()
	resp, body, err := p.click(client, http.MethodGet, u.Hostname(), u.RequestURI(), agent)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// sheet is what a sheet reads before it makes links.
type sheet struct {
	Apps []struct {
		App      int    `json:"app_id"`
		Site     int    `json:"app_site_id"`
		Platform string `json:"app_platform"`
		StoreURL string `json:"store_url"`
	} `json:"available_apps"`
	Domains []struct {
		Subdomain string `json:"subdomain"`
		Zone      string `json:"dns_zone"`
	} `json:"available_domains"`
	Configured []any `json:"available_partners"`
	Partners   []any `json:"partners"`
}

// row is the link of one row.
func (s *sheet) row(t *testing.T, i int) string {
	t.Helper()
	row := map[string]any{
		"link_type": "custom", "source_name": "email", "partner_id": "", "tracking_link_name": fmt.Sprintf("row %d", i),
		"link_subdomain": s.Domains[0].Subdomain, "link_dns_zone": s.Domains[0].Zone, "destination_fallback_url": "https://www.acme.test/",
		"link_parameter":            map[string]string{"utm_source": "news", "utm_medium": "e-mail & co", "utm_content": strconv.Itoa(i)},
		"enable_reengagement":       "true",
		"click_reengagement_window": 3,
	}
	for _, app := range s.Apps {
		if app.Platform == "ios" || app.Platform == "android" {
			row["app_id"] = app.App
			row[app.Platform+"_redirection"] = map[string]any{
				"app_site_id": app.Site, "destination_url": app.StoreURL, "destination_deeplink_url": fmt.Sprintf("acme://row/%d", i),
			}
		}
	}
	body, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

const sheetRows = 200

// TestSheet works as the public tools do that make links from a sheet, one row
// after the other, draw their codes, and look at them a week later.
func TestSheet(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--apply", "../examples/acme.yaml")
	key := p.key("Authorization", "acme-admin-token")
	var s sheet
	for _, helper := range []string{"apps", "domains", "configured_partners", "all_partners"} {
		p.key("", "").must(t, "GET", "/api/v1/singular_links/"+helper+"?api_key=acme-admin-token", "", &s)
	}
	if len(s.Apps) != 3 || len(s.Domains) != 4 || s.Domains[0].Subdomain != "acme" || len(s.Configured) == 0 || len(s.Partners) == 0 {
		t.Fatalf("%+v", s)
	}
	links, byID := make([]trackingLink, sheetRows), map[string]trackingLink{}
	for i := range links {
		key.must(t, "POST", singularLinks, s.row(t, i), &links[i])
		byID[links[i].ID] = links[i]
	}
	var listed []trackingLink
	key.must(t, "GET", singularLinks+"?source_name=email&link_type=custom", "", &listed)
	for _, l := range listed {
		if l != byID[l.ID] {
			t.Errorf("listed as %+v, made as %+v", l, byID[l.ID])
		}
	}
	if len(listed) != sheetRows || len(byID) != sheetRows {
		t.Errorf("%d links are listed, %d were made", len(listed), len(byID))
	}
	want := map[string]int{}
	for i := 0; i < sheetRows; i += 19 {
		p.clickRow(t, i, &links[i], p.codeOf(t, links[i].ID), want)
		p.explainedRow(t, data, i, &links[i])
	}
	var got map[string]int
	eventually(t, "the rows' clicks to be counted", func() bool {
		got = map[string]int{}
		for _, r := range p.rows(t, "group_by=link,metric,platform") {
			got[r.ID+" "+r.Metric+" "+r.Platform] += r.Count
		}
		return maps.Equal(got, want)
	})
	if out, stderr, code := run(t, "verify", "--data", data); code != 0 {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
}

// codeOf reads a link's QR code.
func (p *process) codeOf(t *testing.T, id string) string {
	t.Helper()
	status, picture := p.call(t, "GET", singularLinks+"/"+id+"/qr?size=250", "acme-admin-token", "")
	got, err := compattest.DecodePicture([]byte(picture))
	if err != nil || status != http.StatusOK || got.Width != 250 || got.Format != "png" {
		t.Fatalf("the code of %s: %d, %+v, %v", id, status, got, err)
	}
	return got.Text
}

// clickRow sends people and programs to a row's link, and notes what is to be
// counted.
func (p *process) clickRow(t *testing.T, i int, l *trackingLink, scanned string, want map[string]int) {
	t.Helper()
	f := func(rawURL, agent string, status int, contains, counted string) {
		t.Helper()
		resp, body := p.visitAt(t, rawURL, agent)
		if said := resp.Header.Get("Location") + body; resp.StatusCode != status || !strings.Contains(said, contains) {
			t.Errorf("%s as %.60s: %d %.300s; want %d and %q", rawURL, agent, resp.StatusCode, said, status, contains)
		}
		if counted != "" {
			want[l.ID+" "+counted]++
		}
	}
	if scanned != l.Short {
		t.Errorf("row %d: the code says %s, the short link is %s", i, scanned, l.Short)
	}
	deepLink := fmt.Sprintf("acme://row/%d", i)
	f(scanned, iphone, 200, deepLink, "clicks ios")
	f(l.Click, iphone, 200, deepLink, "clicks ios")
	f(l.Click+"&_dl=acme%3A%2F%2Fother", pixel, 200, "intent://other", "clicks android")
	f(scanned+"?_fallback_redirect=https%3A%2F%2Fevil.test%2F", desktop, 302, "https://www.acme.test/?referrer=singular_click_id", "clicks windows")
	f(l.Impression, iphone, 200, "GIF89a", "impressions ios")
	f(l.Click, robot, 302, "https://www.acme.test/", "bot_clicks ")
}

// explainedRow asks both the command line and our API what a row's link does.
func (p *process) explainedRow(t *testing.T, data string, i int, l *trackingLink) {
	t.Helper()
	deepLink := fmt.Sprintf("acme://row/%d", i)
	if out, stderr, code := run(t, "explain", "--data", data, l.Click); code != 0 || !strings.Contains(out, deepLink) || !strings.Contains(out, "singular, link ") {
		t.Errorf("explain of row %d ends with %d: %s%s", i, code, out, stderr)
	}
	var said struct{ State, Dialect string }
	p.key("Authorization", "acme-read-token").must(t, "GET", "/waypost/v1/explain?url="+url.QueryEscape(l.Short), "", &said)
	if said.State != "live" || said.Dialect != "singular" {
		t.Errorf("explain of row %d: %+v", i, said)
	}
}

// TestReferral shares a link from an app, as the SDK does, until its time is
// over.
func TestReferral(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--apply", "../examples/acme.yaml")
	base := p.customLink(t, "invite", `,"ios_redirection":{"app_site_id":24171,"destination_url":"https://apps.apple.com/us/app/acme/id1234567890","destination_deeplink_url":"acme://invite"}`)
	hash := sha1.Sum([]byte("acme-sdk-secret?a=acme-sdk-key"))
	shorten := func(key, h, long string) (int, string) {
		t.Helper()
		body, err := json.Marshal(map[string]string{"long_link": long})
		if err != nil {
			t.Fatal(err)
		}
		return p.call(t, "POST", "/api/v1/shorten_link?a="+key+"&h="+h, "", string(body))
	}
	long := base.Click + "&referring_user_name=Ada&referring_user_id=7&_p=" + url.QueryEscape(`{"from":"ada"}`)
	status, body := shorten("acme-sdk-key", hex.EncodeToString(hash[:]), long)
	var made struct {
		Short string `json:"short_link"`
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != http.StatusOK || !strings.Contains(made.Short, "/"+base.ID+"/r_") {
		t.Fatalf("shorten: %d %s", status, body)
	}
	for want, call := range map[string][3]string{
		"401 signature": {"acme-sdk-key", strings.Repeat("0", 40), long}, "401 key": {"nobody", "", long},
		"404 stranger": {"acme-sdk-key", "", "http://elsewhere.test/D03q9/k6kj1"}, "404 unknown": {"acme-sdk-key", "", strings.Replace(base.Click, base.ID, "zzzzz", 1)},
		"404 twice": {"acme-sdk-key", "", made.Short}, "400 nothing": {"acme-sdk-key", "", ""},
	} {
		if status, body := shorten(call[0], call[1], call[2]); strconv.Itoa(status) != want[:3] {
			t.Errorf("shorten with %q: %d %s, want %s", call, status, body, want)
		}
	}
	resp, page := p.visitAt(t, made.Short, iphone)
	if resp.StatusCode != http.StatusOK || !strings.Contains(page, "acme://invite?_p=") {
		t.Errorf("a phone is shown %d %s", resp.StatusCode, page)
	}
	eventually(t, "the click to be counted for the link that was shared", func() bool {
		rows := p.rows(t, "group_by=link,metric")
		return len(rows) == 1 && rows[0].ID == base.ID && rows[0].Count == 1
	})
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	expire(t, data, made.Short)
	p = start(t, data)
	resp, page = p.visitAt(t, made.Short, iphone)
	if resp.StatusCode != http.StatusOK || !strings.Contains(page, "acme://invite") || strings.Contains(page, "_p=") {
		t.Errorf("after its time the short link shows %d %s, want the link that was shared without what was added", resp.StatusCode, page)
	}
	eventually(t, "that click to be counted, too", func() bool { return p.rows(t, "group_by=link,metric")[0].Count == 2 })
}

// expire ends the time of the link that a URL names, in the store of a program
// that does not run.
func expire(t *testing.T, data, rawURL string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	store, err := sqlitestore.Open(ctx, sqlitestore.Config{Path: filepath.Join(data, "waypost.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := store.ReadLink(ctx, link.HostPath(u.Hostname(), u.Path[len("/C"):]))
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(l.ExpiresAt); left > 30*24*time.Hour || left < 30*24*time.Hour-10*time.Minute {
		t.Errorf("a dynamic short link lives %v, want 30 days", left)
	}
	l.ExpiresAt = time.Now().Add(-time.Minute)
	if err := store.UpdateLink(ctx, &l); err != nil {
		t.Fatal(err)
	}
}

// TestSingularLimits: what an account may make in a day outlives a crash, and a
// refusal says when to come back.
func TestSingularLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acme, err := os.ReadFile("../examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("creates_per_day: unlimited", "creates_per_day: 3", "reads_per_minute: unlimited", "reads_per_minute: 4").Replace(string(acme))
	file, data := filepath.Join(dir, "acme.yaml"), filepath.Join(dir, "data")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	midnightIsFar(t)
	p := start(t, data, "--apply", file)
	refused := func(method, target, body string, longest time.Duration) {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+p.api+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "acme-admin-token")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		wait, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if resp.StatusCode != http.StatusTooManyRequests || err != nil || wait < 1 || time.Duration(wait)*time.Second > longest {
			t.Errorf("%s %s: %d, Retry-After %q; want 429 and at most %v", method, target, resp.StatusCode, resp.Header.Get("Retry-After"), longest)
		}
	}
	const fourth = `{"app_id":4833,"link_type":"custom","source_name":"email","tracking_link_name":"fourth","link_subdomain":"acme","link_dns_zone":"localhost",
		"destination_fallback_url":"https://www.acme.test/","android_redirection":{"app_site_id":26538,"destination_url":"https://x.test/"}}`
	var last trackingLink
	for i := range 3 {
		last = p.customLink(t, fmt.Sprint("limited ", i), "")
	}
	refused("POST", singularLinks, fourth, 24*time.Hour)
	p.kill()
	p = start(t, data)
	refused("POST", singularLinks, fourth, 24*time.Hour)
	for _, target := range []string{singularLinks, "/api/v1/singular_links/apps", "/api/v1/singular_links/domains", singularLinks} {
		p.key("Authorization", "acme-admin-token").must(t, "GET", target, "", nil)
	}
	refused("GET", "/api/v1/singular_links/all_partners", "", time.Minute)
	// No limit stops a click.
	if resp, _ := p.visitAt(t, last.Click, pixel); resp.StatusCode != http.StatusFound {
		t.Errorf("a click of a limited account answers %d", resp.StatusCode)
	}
}

// TestAssociationsKeepPlainLinksOut: links without a deep link begin with D, and
// the system never opens an app for those.
func TestAssociationsKeepPlainLinksOut(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	made := p.customLink(t, "plain", "")
	if path := made.path(t); !strings.HasPrefix(path, "/D") {
		t.Errorf("a link without a deep link is at %s", path)
	}
	_, body := p.visitAt(t, "http://acme.localhost/.well-known/apple-app-site-association", "swcd/1.0")
	var file struct {
		AppLinks struct {
			Details []struct {
				Paths      []string
				Components []struct {
					Path    string `json:"/"`
					Exclude bool
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &file); err != nil || len(file.AppLinks.Details) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	detail := file.AppLinks.Details[0]
	excluded, claimed := -1, -1
	for i, path := range detail.Paths {
		switch path {
		case "NOT /D*":
			excluded = i
		case "*":
			claimed = i
		}
	}
	if excluded < 0 || claimed < excluded || !detail.Components[excluded].Exclude || detail.Components[excluded].Path != "/D*" {
		t.Errorf("paths are %q, components %+v", detail.Paths, detail.Components)
	}
}

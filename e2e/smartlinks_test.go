package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"waypost/compat/compattest"
)

// smartLink is what the tests read of a SmartLink.
type smartLink struct {
	ID            int64
	Name          string
	ClickURL      string `json:"click_url"`
	ImpressionURL string `json:"impression_url"`
	Clicks        int64  `json:"click_count"`
	Default       smartTracker
	Apps          []struct {
		GUID   string `json:"app_guid"`
		Routes []smartTracker
	} `json:"routes_by_app"`
}

type smartTracker struct {
	ID     int64
	Name   string
	Clicks int64  `json:"click_count"`
	GUID   string `json:"app_guid"` // of the catch-all
	Legacy string `json:"legacy_tracker_id"`
}

// counts are the clicks of the link's parts: the catch-all's, then the routes'
// in their order. The whole stands behind "=".
func (l *smartLink) counts() string {
	text := fmt.Sprint(l.Default.Clicks)
	for _, app := range l.Apps {
		for _, r := range app.Routes {
			text += fmt.Sprint(" ", r.Clicks)
		}
	}
	return fmt.Sprint(text, " = ", l.Clicks)
}

// sum is what the parts have together.
func (l *smartLink) sum() int64 {
	n := l.Default.Clicks
	for _, app := range l.Apps {
		for _, r := range app.Routes {
			n += r.Clicks
		}
	}
	return n
}

// growthTeam is a team that works with SmartLinks on the built program.
type growthTeam struct {
	*testing.T
	p      *process
	data   string
	key    apiKey
	client *http.Client
	group  int64
}

func newGrowthTeam(t *testing.T) *growthTeam {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--apply", "testdata/growth.yaml")
	g := &growthTeam{T: t, p: p, data: data, key: p.key("Authentication-Key", "growth-key"), client: noRedirects()}
	t.Cleanup(g.client.CloseIdleConnections)
	return g
}

// do makes a call that must succeed and reads its data.
func do[T any](g *growthTeam, method, path, body string) T {
	g.Helper()
	var answer struct{ Data T }
	g.key.must(g.T, method, path, body, &answer)
	return answer.Data
}

func (g *growthTeam) link(id int64) smartLink {
	g.Helper()
	return do[smartLink](g, "GET", fmt.Sprint("/v1/links/", id), "")
}

// visit requests a URL as somebody who has it from the API, and returns the
// status and where it leads or what it says.
func (g *growthTeam) visit(method, rawURL, agent string, headers ...string) (int, string) {
	g.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		g.Fatal(err)
	}
	resp, body, err := g.p.click(g.client, method, u.Hostname(), u.RequestURI(), agent, headers...)
	if err != nil {
		g.Fatalf("%s %s: %v", method, rawURL, err)
	}
	return resp.StatusCode, resp.Header.Get("Location") + body
}

// goes visits a URL and wants a status and a text in the answer.
func (g *growthTeam) goes(rawURL, agent string, status int, contains string) {
	g.Helper()
	got, said := g.visit(http.MethodGet, rawURL, agent)
	if got != status || !strings.Contains(said, contains) {
		g.Errorf("%s as %.60s: %d %.300s; want %d and %q", rawURL, agent, got, said, status, contains)
	}
}

// setUp makes the group and its campaign by API, and has the operator give the
// group a host.
func (g *growthTeam) setUp() (campaign int64) {
	g.Helper()
	g.group = do[struct{ ID int64 }](g, "POST", "/v1/groups", `{"name":"Growth Group","account_id":7001,"apps":[71,72,73,74,75]}`).ID
	group := fmt.Sprint("/v1/groups/", g.group)
	do[any](g, "PUT", group, `{"name":"Growth","apps":[71,72,73,74,75,76]}`)
	file := filepath.Join(g.TempDir(), "host.yaml")
	text := fmt.Sprintf("accounts:\n  - key: growth\n    name: Growth\n    shared_domain: smart.localhost\n"+
		"    app_groups: [{key: growth, id: %d, name: Growth, apps: [ios]}]\n"+
		"    domains: [{host: go.localhost, base_url: \"http://go.localhost:8080\", app_group: growth, default: true}]\n", g.group)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.Fatal(err)
	}
	if out, stderr, code := run(g.T, "apply", "--data", g.data, "-f", file); code != 0 {
		g.Fatalf("apply ends with %d: %s%s", code, out, stderr)
	}
	type hosts struct {
		Subdomains []struct {
			Name string `json:"common_subdomain"`
		}
	}
	if h := do[hosts](g, "GET", group+"/subdomains", ""); len(h.Subdomains) != 1 || h.Subdomains[0].Name != "go" {
		g.Errorf("subdomains are %+v", h)
	}
	g.key.must(g.T, "POST", group+"/campaigns/check", `{"name":"Spring"}`, nil)
	campaign = do[struct{ ID int64 }](g, "POST", group+"/campaigns?", `{"name":"Spring"}`).ID
	if status, body := g.key.call(g.T, "POST", group+"/campaigns/check", `{"name":"spring"}`); status != http.StatusConflict {
		g.Errorf("the campaign's name is free: %d %s", status, body)
	}
	return campaign
}

// growthRoutes are routes for every platform; open is how the phones' ones open
// the app.
func growthRoutes(openIOS, openAndroid string) string {
	return `"default":{"app_id":76,"destination_url":"https://www.growth.test/"},"routes_by_app":[
		{"app_id":71,"events":["_Install"],"routes":[{"name":"iOS","destination_url":"https://apps.apple.com/us/app/growth/id71",` + openIOS + `}]},
		{"app_id":72,"events":["_Install"],"routes":[{"name":"Android","destination_url":"https://play.google.com/store/apps/details?id=com.growth.app",` + openAndroid + `}]},
		{"app_id":73,"events":[],"routes":[{"name":"Kindle","destination_url":"https://www.amazon.com/dp/B0073","rules":{"platform_in":["Kindle"]}}]},
		{"app_id":74,"events":[],"routes":[{"name":"Mac","destination_url":"https://apps.apple.com/us/app/growth/id74","rules":{"platform_in":["Macosx"]}}]},
		{"app_id":75,"events":[],"routes":[{"name":"Windows","destination_url":"https://apps.microsoft.com/detail/75","rules":{"platform_in":["Windows"]}}]},
		{"app_id":76,"events":["Trial"],"routes":[{"name":"Web","destination_url":"https://www.growth.test/{city}","rules":{"platform_in":["Web"]}}]}]`
}

func (g *growthTeam) nativeLink(campaign int64) smartLink {
	g.Helper()
	g.key.must(g.T, "POST", "/v1/links/check/name", fmt.Sprintf(`{"app_group_id":%d,"name":"Native"}`, g.group), nil)
	return do[smartLink](g, "POST", "/v1/links", fmt.Sprintf(`{"app_group_id":%d,"subdomain":"go","path":"growth://{city}","network_id":710,"app_group_campaign_id":%d,
		"network_pricing":"cpi","network_price":0.99,"custom_params":[{"key":"city","value":"paris"},{"key":"source","value":"{partner_site}"}],"name":"Native","channel_type":"paid",%s}`,
		g.group, campaign, growthRoutes(`"native_link":"ios"`, `"native_link":"android"`)))
}

func (g *growthTeam) plainLink() smartLink {
	g.Helper()
	return do[smartLink](g, "POST", "/v1/links", fmt.Sprintf(`{"app_group_id":%d,"network_id":3881,"app_group_campaign_name":"Autumn","name":"Plain",%s}`,
		g.group, growthRoutes(`"reengagement_url":"growth://home","rules":{"platform_in":["iOS"]}`, `"reengagement_url":"growth://home","rules":{"platform_in":["Android"]}`)))
}

// click comes from every platform, each as often as no other one does.
func (g *growthTeam) click(l *smartLink, phones string) {
	g.Helper()
	for times, visitor := range []struct {
		agent    string
		status   int
		contains string
	}{
		{roku, 302, "https://www.growth.test/?ko_click_id="},
		{iphone, 200, phones},
		{pixel, 200, "package=com.growth.app"},
		{kindle, 302, "https://www.amazon.com/dp/B0073"},
		{mac, 302, "https://apps.apple.com/us/app/growth/id74"},
		{desktop, 302, "https://apps.microsoft.com/detail/75"},
		{linux, 302, "https://www.growth.test/"},
	} {
		for range times + 1 {
			g.goes(l.ClickURL, visitor.agent, visitor.status, visitor.contains)
		}
	}
	// None of these is a click.
	g.goes(l.ImpressionURL, iphone, 200, "GIF89a")
	for _, r := range []struct {
		method, agent string
		headers       []string
		status        int
	}{
		{"GET", robot, nil, 302}, {"GET", preview, nil, 200}, {"HEAD", desktop, nil, 302}, {"HEAD", iphone, nil, 200},
		{"GET", desktop, []string{"Sec-Purpose", "prefetch"}, 302}, {"GET", iphone, []string{"Purpose", "prefetch"}, 200},
	} {
		if status, said := g.visit(r.method, l.ClickURL, r.agent, r.headers...); status != r.status {
			g.Errorf("%s %v as %.60s: %d %.200s, want %d", r.method, r.headers, r.agent, status, said, r.status)
		}
	}
}

// counted waits until the link has as many clicks as are wanted, and holds all
// of its numbers against those.
func (g *growthTeam) counted(id int64, want string) {
	g.Helper()
	_, text, _ := strings.Cut(want, "= ")
	total, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		g.Fatal(err)
	}
	var l smartLink
	eventually(g.T, "the clicks on the link to be counted: "+want, func() bool {
		l = g.link(id)
		return l.Clicks >= total
	})
	if got := l.counts(); got != want || l.sum() != l.Clicks {
		g.Errorf("%s has the clicks %s, want %s", l.Name, got, want)
	}
}

// TestGrowthTeam is the work of a growth team, from the group of apps to the
// archive.
func TestGrowthTeam(t *testing.T) {
	t.Parallel()
	g := newGrowthTeam(t)
	campaign := g.setUp()
	native, plain := g.nativeLink(campaign), g.plainLink()
	if !strings.HasPrefix(native.ClickURL, "http://go.localhost:8080/") || !strings.HasSuffix(native.ClickURL, "?city=paris&source={partner_site}") ||
		!strings.HasPrefix(plain.ClickURL, "http://smart.localhost:8080/") {
		t.Errorf("click URLs are %s and %s", native.ClickURL, plain.ClickURL)
	}
	scan := g.qrCodes(&native)
	g.click(&native, "growth://paris")
	g.click(&plain, "growth://home")
	g.goes(scan+"&x=1", pixel, 200, "intent://paris")
	g.goes(strings.ToUpper(native.ClickURL[:len("http://go.localhost:8080/")+9])+"?&city=rome", iphone, 200, "growth://rome")
	g.goes(native.ClickURL, linux, 302, "https://www.growth.test/paris?ko_click_id=")
	g.trackerURLs(&plain)
	g.counted(native.ID, "1 3 4 4 5 6 8 = 31")
	g.counted(plain.ID, "2 3 4 4 5 6 7 = 31")
	if got, want := g.views(), fmt.Sprintf("link %d: 2 bot_clicks, tracker 2: 1 impressions; link %d: 2 bot_clicks, tracker 2: 2 impressions", native.ID, plain.ID); got != want {
		t.Errorf("what is no click:\n got %s\nwant %s", got, want)
	}
	g.explained(&native)
	g.listed(&native, &plain)
	g.renamed(native.ID)
	g.archived(&native, &plain)
	if out, stderr, code := run(t, "verify", "--data", g.data); code != 0 || !strings.Contains(out, "no difference") {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
}

// views are the counts of what is no click, which only our own API tells.
func (g *growthTeam) views() string {
	g.Helper()
	var answer struct {
		Rows []struct {
			Link, Tracker, Count int64
			Metric               string
		}
	}
	g.p.key("Authorization", "growth-key").must(g.T, "GET", "/waypost/v1/counts?group_by=link,tracker,metric", "", &answer)
	byLink := map[int64][]string{}
	for _, r := range answer.Rows {
		switch r.Metric {
		case "impressions":
			byLink[r.Link] = append(byLink[r.Link], fmt.Sprintf("tracker %d: %d impressions", r.Tracker, r.Count))
		case "bot_clicks":
			byLink[r.Link] = append(byLink[r.Link], fmt.Sprintf("%d bot_clicks", r.Count))
		}
	}
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(byLink)) {
		slices.Sort(byLink[id])
		parts = append(parts, fmt.Sprintf("link %d: %s", id, strings.Join(byLink[id], ", ")))
	}
	return strings.Join(parts, "; ")
}

// qrCodes reads the link's code back in every format and returns its text.
func (g *growthTeam) qrCodes(l *smartLink) string {
	g.Helper()
	for query, want := range map[string]compattest.Picture{
		"": {Format: "png"}, "?format=jpg&size=300": {Format: "jpeg", Width: 300, Height: 300}, "?format=svg&size=-3": {Format: "svg"},
	} {
		_, picture := g.key.call(g.T, "GET", fmt.Sprintf("/v1/links/%d/qr%s", l.ID, query), "")
		got, err := compattest.DecodePicture([]byte(picture))
		if err != nil || got.Format != want.Format || want.Width > 0 && got.Width != want.Width || got.Text != l.ClickURL {
			g.Errorf("qr%s is %+v, %v; want %+v of %s", query, got, err, want, l.ClickURL)
		}
	}
	return l.ClickURL
}

// trackerURLs clicks what links were before: URLs of single trackers, and the
// question of an app that the system opened.
func (g *growthTeam) trackerURLs(l *smartLink) {
	g.Helper()
	base := "http://smart.localhost:8080"
	iOS, catchAll := l.Apps[0].GUID+l.Apps[0].Routes[0].Legacy, l.Default.GUID+l.Default.Legacy
	g.goes(base+"/v1/cpi/click?campaign_id="+catchAll+"&network_id=3881", linux, 302, "https://www.growth.test/?ko_click_id=")
	g.goes(base+"/v1/cpi/click?campaign_id="+iOS+"&network_id=3881&pbr=1&device_ua="+url.QueryEscape(iphone)+"&ip_address=192.0.2.7", linux, 200, `{"success":"1"}`)
	g.goes(base+"/track/impression?campaign_id="+iOS+"&network_id=3881", iphone, 200, "GIF89a")
	g.goes(base+"/v1/links-sdk?path="+url.QueryEscape(l.ClickURL), pixel, 200, `{"destination":"growth://home"`)
	g.goes(base+"/v1/cpi/click?campaign_id=konobody"+l.Default.Legacy, linux, 404, "")
	g.goes(base+"/v1/links-sdk?path="+url.QueryEscape("https://elsewhere.test/x"), pixel, 200, `{"destination":"https://elsewhere.test/x"`)
}

// explained holds the trackers of explanations against the link's order.
func (g *growthTeam) explained(l *smartLink) {
	g.Helper()
	out, stderr, code := run(g.T, "explain", "--data", g.data, l.ClickURL)
	if code != 0 {
		g.Fatalf("explain ends with %d: %s%s", code, out, stderr)
	}
	for visitor, tracker := range map[string]int{"ios": 2, "android": 3, "fireos": 4, "macos": 5, "windows": 6, "web": 7, "roku": 1} {
		_, part, _ := strings.Cut(out, "\n"+visitor+": ")
		lines, _, _ := strings.Cut(part, "\n\n")
		if !strings.Contains(lines, fmt.Sprintf("counts for tracker %d\n", tracker)) {
			g.Errorf("explain says of %s:\n%s\nwant tracker %d; all of it:\n%s", visitor, lines, tracker, out)
		}
	}
}

// listed finds the links as the lists offer it.
func (g *growthTeam) listed(native, plain *smartLink) {
	g.Helper()
	guid := strings.SplitN(strings.TrimPrefix(plain.ClickURL, "http://"), "/", 2)[1]
	for query, want := range map[string]string{
		"":                                     "Native Plain",
		"?sort=created_desc":                   "Plain Native",
		"?sort=name":                           "Native Plain",
		"?page=2&page_size=1":                  "Plain",
		"?page=3&page_size=1":                  "",
		"?search=nat":                          "Native",
		"?search=WIDE%20net":                   "Native",
		"?search=" + guid:                      "Plain",
		"?search=" + url.QueryEscape(guid[:8]): "Plain",
		"?search=" + url.QueryEscape(native.ClickURL): "Native",
		"?search=nobody": "",
		fmt.Sprint("?is_active=true&app_group_id=", g.group): "Native Plain",
		"?is_active=false":            "",
		"?advertiser_account_id=7001": "Native Plain",
		"?advertiser_account_id=1":    "",
	} {
		var names []string
		for _, l := range do[[]smartLink](g, "GET", "/v1/links"+query, "") {
			names = append(names, l.Name)
			if l.Clicks != 31 || l.sum() != 31 {
				g.Errorf("the list%s has the clicks %s of %s", query, l.counts(), l.Name)
			}
		}
		if got := strings.Join(names, " "); got != want {
			g.Errorf("the list%s is %q, want %q", query, got, want)
		}
	}
	if groups := do[[]struct {
		Links int64 `json:"smartlink_count"`
	}](g, "GET", "/v1/groups?search=grow&platform=kindle", ""); len(groups) != 1 || groups[0].Links != 2 {
		g.Errorf("the list of groups is %+v", groups)
	}
}

// renamed sends a whole reply back with another name.
func (g *growthTeam) renamed(id int64) {
	g.Helper()
	path := fmt.Sprint("/v1/links/", id)
	before := do[map[string]any](g, "GET", path, "")
	before["name"] = "Renamed"
	body, err := json.Marshal(map[string]any{"status": 200, "is_agency": false, "data": before})
	if err != nil {
		g.Fatal(err)
	}
	after := do[map[string]any](g, "PUT", path, string(body))
	for _, l := range []map[string]any{before, after} {
		delete(l, "last_updated_dttm")
	}
	if fmt.Sprint(after) != fmt.Sprint(before) {
		g.Errorf("renamed:\n got %v\nwant %v", after, before)
	}
	if again := do[map[string]any](g, "GET", path, ""); again["name"] != "Renamed" {
		g.Errorf("after the change the link is %v", again["name"])
	}
}

// archived ends the links: they go on to send people on, and count nothing.
func (g *growthTeam) archived(native, plain *smartLink) {
	g.Helper()
	group := fmt.Sprint("/v1/groups/", g.group)
	if status, body := g.key.call(g.T, "PUT", group+"/archive", ""); status != http.StatusConflict {
		g.Errorf("a group with links is archived: %d %s", status, body)
	}
	for range 2 {
		g.key.must(g.T, "PUT", fmt.Sprintf("/v1/links/%d/archive", native.ID), "", nil)
	}
	for range 5 {
		g.goes(native.ClickURL, iphone, 200, "growth://paris")
		g.goes(native.ClickURL, desktop, 302, "https://apps.microsoft.com/detail/75")
	}
	g.goes(native.ImpressionURL, iphone, 200, "GIF89a")
	g.goes("http://go.localhost:8080/v1/links-sdk?path="+url.QueryEscape(native.ClickURL), pixel, 200, `{"destination":"growth://paris"`)
	g.goes(plain.ClickURL, linux, 302, "https://www.growth.test/")
	// Events are counted in their order, so that of the last click comes last.
	g.counted(plain.ID, "2 3 4 4 5 6 8 = 32")
	g.counted(native.ID, "1 3 4 4 5 6 8 = 31")
	if status, body := g.key.call(g.T, "PUT", fmt.Sprint("/v1/links/", native.ID), `{"name":"Again"}`); status != http.StatusConflict {
		g.Errorf("an archived link is changed: %d %s", status, body)
	}
	if links := do[[]smartLink](g, "GET", "/v1/links?is_active=false", ""); len(links) != 1 || links[0].ID != native.ID {
		g.Errorf("archived are %+v", links)
	}
	g.key.must(g.T, "PUT", fmt.Sprintf("/v1/links/%d/archive", plain.ID), "", nil)
	g.key.must(g.T, "PUT", group+"/archive", "", nil)
	g.goes(plain.ClickURL, iphone, 200, "growth://home")
	g.group = do[struct{ ID int64 }](g, "POST", "/v1/groups", `{"name":"Growth","account_id":7001,"apps":[71,72]}`).ID
}

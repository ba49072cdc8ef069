package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// attack is one request of somebody who tries what happens.
type attack struct {
	method, target, token, body string
}

func (a *attack) String() string {
	return fmt.Sprintf("%s %.200s with %q %.300s", a.method, a.target, a.token, a.body)
}

// smart reports which dialect's API the attack is at.
func (a *attack) smart() bool { return strings.HasPrefix(strings.TrimLeft(a.target, "/"), "v1/") }

// junk is what stands where something else is due.
var junk = []string{
	`null`, `true`, `-1`, `0`, `1`, `1e308`, `9223372036854775808`, `0.1`, `""`, `" "`, `"x"`, `"-1"`, `"4833 OR 1=1"`, `[]`, `{}`, `[null]`, `[[[]]]`, `[{}]`,
	`{"id":1}`, `["_Install",null]`, `"\u0000"`, `"a\r\nSet-Cookie: stolen=1"`, `"javascript:alert(1)"`, `"JaVaScRiPt:alert(1)"`, `"data:text/html,x"`,
	`"https://{host}.evil.test/"`, `"https://www.acme.test@evil.test/"`, `"https://www.acme.test/{a}\r\nLocation: https://evil.test/"`, `"//evil.test/"`,
	`"{a}{b}{click_id}"`, `"intent://x#Intent;scheme=javascript;end"`, `"\ud800"`, `"𝕏\u202e"`, `"４８３３"`, `"<script>"`, `{"a":{"b":{"c":{}}}}`,
	`"` + strings.Repeat("x", 300) + `"`, `"https://x.test/` + strings.Repeat("y", 3000) + `"`,
}

// bodies are whole ones that no client sends.
var bodies = []string{
	"", "{", "}", "null", "[]", "7", `"x"`, "{}", "{}{}", "\xff\xfe", "\x00", "a=b&c=d", `{"name":"x","name":"y"}`, `{"data":{"data":{}}}`, `{"data":null}`,
	strings.Repeat("[", 20_000), strings.Repeat(`{"a":`, 20_000), `{"name":"` + strings.Repeat("x", 2<<20) + `"}`,
}

// segments stand for the number or code in a path.
var segments = []string{
	"0", "-1", "1", "2", "4833", "4900", "6001", "99999999999999999999999", "x", "check", "%00", "%2e%2e", "..%2f..", "1%0d%0aSet-Cookie:%20a", "1;2", "%ff", "é", "a b",
	"K6KJ1", strings.Repeat("9", 500),
}

// queries are put behind any path.
var queries = []string{
	"", "?", "?&&=&", "?page=-1&page_size=999999999", "?page=99999999999999999999", "?page=9223372036854775807&page_size=500", "?sort=name_desc%3Bdrop", "?sort=created_desc",
	"?search=%25", "?search=%00", "?search=" + strings.Repeat("q", 3000), "?search=a%0d%0ab", "?%zz=%zz", "?is_active=perhaps", "?is_deleted", "?account=acme",
	"?app_group_id=1,x,4833", "?vppn_app_id=30000%C30001", "?size=-99999", "?size=99999999&format=gif", "?format=svg&size=0", "?limit=-1&offset=x", "?limit=1&offset=9223372036854775807",
	"?partner_id=x,y", "?app_id=%EF%BC%94", "?api_key=nobody", "?a=nobody&h=%00", "?has_write_access=1",
}

// attacker makes requests, always the same ones in the same order.
type attacker struct {
	*rand.Rand
	smart, single string // bodies that succeed
	link          int64
	code          string
}

func pick[T any](a *attacker, from []T) T { return from[a.IntN(len(from))] }

// spoiled is a body of which one value, at any depth, is junk.
func (a *attacker) spoiled(body string) string {
	for range 1 + a.IntN(3) {
		var starts []int
		for i := range body {
			if body[i] == ':' && i > 0 && body[i-1] == '"' {
				starts = append(starts, i+1)
			}
		}
		if len(starts) == 0 {
			break
		}
		at := pick(a, starts)
		var value json.RawMessage
		dec := json.NewDecoder(strings.NewReader(body[at:]))
		if dec.Decode(&value) != nil {
			break
		}
		body = body[:at] + pick(a, junk) + body[at+int(dec.InputOffset()):]
	}
	return body
}

func (a *attacker) body(good string) string {
	switch a.IntN(6) {
	case 0:
		return pick(a, bodies)
	case 1: // one that succeeds, of a new name
		return strings.Replace(good, "NAME", fmt.Sprint("n", a.IntN(1<<30)), 1)
	}
	return a.spoiled(strings.Replace(good, "NAME", fmt.Sprint("n", a.IntN(1<<30)), 1))
}

// next makes a request of somebody with one of the tokens.
func (a *attacker) next(tokens []string) attack {
	id, code := fmt.Sprint(a.link), a.code
	if a.IntN(2) == 0 {
		id, code = pick(a, segments), pick(a, segments)
	}
	group := pick(a, []string{"4833", "4833", "4833", pick(a, segments)})
	const campaign = `{"name":"NAME","is_deleted":false}`
	shape := pick(a, []struct{ method, path, body string }{
		{"POST", "/v1/groups", `{"name":"NAME","account_id":5899,"is_active":true,"apps":[30001]}`}, {"PUT", "/v1/groups/" + group, `{"name":"NAME","apps":[24171,26538,38581]}`},
		{"GET", "/v1/groups/" + group, ""}, {"GET", "/v1/groups", ""}, {"GET", "/v1/groups/" + group + "/subdomains", ""},
		{"POST", "/v1/groups/" + group + "/campaigns", campaign}, {"POST", "/v1/groups/" + group + "/campaigns/" + id, campaign}, {"POST", "/v1/groups/" + group + "/campaigns/check", campaign},
		{"GET", "/v1/groups/" + group + "/campaigns", ""}, {"GET", "/v1/networks", ""}, {"GET", "/v1/advertisers", ""}, {"GET", "/v1/agency_networks", ""},
		{"POST", "/v1/links", a.smart}, {"POST", "/v1/links", a.smart}, {"POST", "/v1/links/check/name", a.smart}, {"PUT", "/v1/links/" + id, a.smart},
		{"PUT", "/v1/links/" + id + "/archive", campaign}, {"GET", "/v1/links/" + id, ""}, {"GET", "/v1/links/" + id + "/qr", ""}, {"GET", "/v1/links", ""},
		{"PATCH", "/v1/groups/" + group + "/campaigns/" + id, campaign}, {"DELETE", "/v1/links/" + id, ""}, {"TRACE", "/v1//links//", ""}, {"POST", "/v1/links/" + id + "/nothing", "{}"},
		{"POST", singularLinks, a.single}, {"POST", singularLinks, a.single}, {"POST", singularLinks, a.single}, {"GET", singularLinks, ""}, {"PUT", singularLinks + "/" + code, a.single},
		{"DELETE", singularLinks + "/" + pick(a, segments), ""}, {"GET", singularLinks + "/" + code + "/qr", ""}, {"GET", "/api/v1/singular_links/apps", ""}, {"GET", "/api/v1/singular_links/domains", ""},
		{"GET", "/api/v1/singular_links/configured_partners", ""}, {"GET", "/api/v1/singular_links/all_partners", ""}, {"GET", "/api/v1/singular_links/" + id, ""},
		{"POST", "/api/v1/shorten_link?a=acme-sdk-key", `{"long_link":"http://acme.localhost:8080/D03q9/` + code + `?pcn=NAME"}`}, {"PATCH", "//api/v1//singular_links/links/", ""},
	})
	made := attack{method: shape.method, target: shape.path, token: pick(a, tokens)}
	if shape.body != "" {
		made.body = a.body(shape.body)
	}
	if a.IntN(3) == 0 && !strings.Contains(made.target, "?") {
		made.target += pick(a, queries)
	}
	made.target = strings.NewReplacer(" ", "%20", "é", "%C3%A9").Replace(made.target)
	return made
}

// taken is how the program took an attack.
type taken struct {
	status int
	kind   string
	body   []byte
}

// attackAll sends the requests from several connections and looks at each answer.
func (p *process) attackAll(t *testing.T, attacks []attack, each func(*attack, taken)) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all sync.WaitGroup
	next := make(chan *attack)
	for range 8 {
		all.Go(func() {
			for a := range next {
				got, err := p.try(client, a)
				mu.Lock()
				if err != nil {
					t.Errorf("%s: %v", a, err)
				} else {
					each(a, got)
				}
				mu.Unlock()
			}
		})
	}
	for i := range attacksEach {
		next <- &attacks[i]
	}
	close(next)
	all.Wait()
}

// try sends one request. An answer must be in the dialect's shape.
func (p *process) try(client *http.Client, a *attack) (taken, error) {
	req, err := http.NewRequest(a.method, "http://"+p.api, strings.NewReader(a.body))
	if err != nil {
		return taken{}, err
	}
	req.URL.Opaque = "//" + p.api + a.target
	if a.token != "" {
		req.Header.Set("Authorization", a.token)
		req.Header.Set("Authentication-Key", a.token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return taken{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return taken{}, err
	}
	got := taken{resp.StatusCode, resp.Header.Get("Content-Type"), body}
	if resp.Header.Get("Set-Cookie") != "" || resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return got, fmt.Errorf("answers %d with the headers %v", resp.StatusCode, resp.Header)
	}
	if resp.StatusCode < 400 {
		return got, nil
	}
	var refusal struct {
		Error json.RawMessage
	}
	if err := json.Unmarshal(body, &refusal); resp.StatusCode >= 500 || err != nil || len(refusal.Error) < 3 {
		return got, fmt.Errorf("answers %d %.300s, %v", resp.StatusCode, body, err)
	}
	return got, nil
}

// world is everything that the account's APIs show, but for times and counts.
func (p *process) world(t *testing.T) string {
	t.Helper()
	var parts []string
	smart, single := p.key("Authentication-Key", "acme-admin-token"), p.key("Authorization", "acme-admin-token")
	for _, path := range []string{"/v1/groups", "/v1/groups/4833", "/v1/groups/4833/campaigns", "/v1/groups/4833/campaigns?is_deleted=true"} {
		_, body := smart.call(t, "GET", path, "")
		parts = append(parts, body)
	}
	for page := 1; ; page++ {
		_, body := smart.call(t, "GET", fmt.Sprintf("/v1/links?page_size=500&page=%d", page), "")
		parts = append(parts, body)
		if strings.Contains(body, `"data":[]`) {
			break
		}
	}
	_, body := single.call(t, "GET", singularLinks, "")
	return strings.Join(append(parts, body), "\n")
}

func newAttacker(t *testing.T, p *process) *attacker {
	t.Helper()
	a := &attacker{Rand: rand.New(rand.NewPCG(3, 4)),
		smart: `{"app_group_id":4833,"app_group_campaign_name":"C","name":"NAME","network_id":1201,"network_pricing":"cpi","network_price":0.5,"custom_params":[{"key":"k","value":"v"}],
			"default":{"app_id":38581,"destination_url":"https://www.acme.test/"},"routes_by_app":[{"app_id":24171,"events":["_Install"],"routes":[
			{"name":"r","destination_url":"https://apps.apple.com/us/app/acme/id1234567890","reengagement_url":"acme://{x}","rules":{"platform_in":["iOS"]}}]}]}`,
		single: `{"app_id":4833,"link_type":"custom","source_name":"email","tracking_link_name":"NAME","link_subdomain":"acme","link_dns_zone":"sng.link","destination_fallback_url":"https://www.acme.test/",
			"enable_reengagement":true,"click_reengagement_window":3,"click_deterministic_window":7,"enable_ctv":false,"link_parameter":{"pcn":"x"},"og_tags":{"title":"a","description":"b","image_url":"https://x.test/i"},
			"ios_redirection":{"app_site_id":24171,"destination_url":"https://apps.apple.com/us/app/acme/id1234567890","destination_deeplink_url":"acme://x"},
			"android_redirection":{"app_site_id":26538,"destination_url":"https://play.google.com/store/apps/details?id=com.acme.app"}}`,
	}
	var made struct{ Data smartLink }
	p.key("Authentication-Key", "acme-admin-token").must(t, "POST", "/v1/links", strings.Replace(a.smart, "NAME", "first", 1), &made)
	var single trackingLink
	p.key("Authorization", "acme-admin-token").must(t, "POST", singularLinks, strings.Replace(a.single, "NAME", "first", 1), &single)
	a.link, a.code = made.Data.ID, single.ID
	return a
}

// attacksEach is how often strangers try, and then those who may do something.
const attacksEach = 3000

// TestJunk tries everything on the management of SmartLinks and Singular links:
// strangers change nothing, and what a token may change is whole or not there.
func TestJunk(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--apply", "../examples/acme.yaml")
	a := newAttacker(t, p)
	made := func(tokens ...string) (list []attack) {
		for range attacksEach {
			list = append(list, a.next(tokens))
		}
		return list
	}
	before := p.world(t)
	statuses := map[int]int{}
	p.attackAll(t, made("", "nobody", "acme-read-token", "rival-admin-token", "acme-sdk-key", strings.Repeat("x", 5000)), func(a *attack, got taken) { statuses[got.status]++ })
	if after := p.world(t); after != before {
		t.Errorf("strangers changed something:\n%.2000s\nwas:\n%.2000s", after, before)
	}
	created := map[bool]int{true: 1, false: 1}
	p.attackAll(t, made("acme-admin-token", "acme-admin-token", "acme-agency-token", "bigshop-token"), func(a *attack, got taken) {
		statuses[got.status]++
		path, _, _ := strings.Cut(a.target, "?")
		if a.method == "POST" && got.status == http.StatusOK && (path == "/v1/links" || path == singularLinks) {
			created[a.smart()]++
		}
	})
	t.Logf("answered %v; made %d SmartLinks, %d Singular links", statuses, created[true], created[false])
	if statuses[200] < attacksEach/20 || statuses[400] < attacksEach/20 || statuses[403] == 0 || statuses[404] == 0 || statuses[401] == 0 {
		t.Errorf("the attack is lopsided: %v", statuses)
	}
	p.whole(t, created)
	p.unmoved(t)
	if out, stderr, code := run(t, "verify", "--data", data); code != 0 {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
}

// whole looks at everything that was made: it is listed, can be read, changed
// and clicked.
func (p *process) whole(t *testing.T, created map[bool]int) {
	t.Helper()
	smart := p.key("Authentication-Key", "acme-admin-token")
	seen := 0
	for page := 1; ; page++ {
		var list struct{ Data []json.RawMessage }
		smart.must(t, "GET", fmt.Sprintf("/v1/links?page_size=500&page=%d", page), "", &list)
		if len(list.Data) == 0 {
			break
		}
		for _, raw := range list.Data {
			seen++
			var l smartLink
			if err := json.Unmarshal(raw, &l); err != nil {
				t.Fatal(err)
			}
			path := fmt.Sprint("/v1/links/", l.ID)
			smart.must(t, "GET", path, "", nil)
			if status, body := smart.call(t, "PUT", path, string(raw)); status != http.StatusOK && status != http.StatusConflict {
				t.Errorf("PUT of what was read: %d %s", status, body)
			}
			p.harmless(t, l.ClickURL)
		}
	}
	var list []trackingLink
	p.key("Authorization", "acme-admin-token").must(t, "GET", singularLinks, "", &list)
	for i := range list {
		p.harmless(t, list[i].Click)
		p.harmless(t, list[i].Short)
	}
	if seen != created[true] || len(list) != created[false] {
		t.Errorf("%d SmartLinks and %d Singular links are listed; made were %v", seen, len(list), created)
	}
}

// harmless clicks a URL with parameters that would lead elsewhere.
func (p *process) harmless(t *testing.T, rawURL string) {
	t.Helper()
	join := "?"
	if strings.Contains(rawURL, "?") {
		join = "&"
	}
	for _, agent := range []string{iphone, linux} {
		resp, body := p.visitAt(t, rawURL+join+"host=evil.test/&x=%0d%0aSet-Cookie:a%3Db&_fallback_redirect=https://evil.test/&_ios_redirect=//evil.test", agent)
		location := resp.Header.Get("Location")
		u, err := url.Parse(location)
		if resp.StatusCode >= 500 || resp.StatusCode == 404 || resp.Header.Get("Set-Cookie") != "" || err != nil || strings.HasSuffix(u.Hostname(), "evil.test") ||
			strings.Contains(strings.ToLower(body), `href="javascript:`) {
			t.Errorf("%s as %.60s answers %d %q %v", rawURL, agent, resp.StatusCode, location, err)
		}
	}
}

// TestJunkClicks throws bytes at the addresses of links, their pixels, trackers
// and questions.
func TestJunkClicks(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--apply", "../examples/acme.yaml")
	a := newAttacker(t, p)
	var smart struct{ Data smartLink }
	p.key("Authentication-Key", "acme-admin-token").must(t, "GET", fmt.Sprint("/v1/links/", a.link), "", &smart)
	guid, _, _ := strings.Cut(strings.TrimPrefix(smart.Data.ClickURL, "http://acme.localhost:8080/"), "?")
	tracker := smart.Data.Default.GUID + smart.Data.Default.Legacy
	paths := []string{
		"/" + guid, "/imp/" + guid, "/" + strings.ToUpper(guid), "/" + guid + "/x", "/" + guid + "%00", "//" + guid + "//", "/v1/cpi/click", "/v1/cpi/click?campaign_id=" + tracker,
		"/track/impression?campaign_id=" + tracker, "/v1/links-sdk", "/v1/links-sdk?path=http://acme.localhost/" + guid, "/v1/links-sdk?url=http://acme.localhost/v1/links-sdk",
		"/C03q9/" + a.code, "/D03q9/" + a.code, "/A03q9/" + a.code + "/r_0000000000", "/i/C03q9/" + a.code, "/E03q9/" + a.code, "/C03q9/", "/C", "/C03q9/" + a.code + "/x/y/z",
		"/imp/", "/i/", "/imp/imp/" + guid, "/" + strings.Repeat("x", 7000), "/%2e%2e/%2e%2e/etc/passwd", "/" + guid + ";x=y", "/\xff\xfe", "*", "http://acme.localhost/" + guid,
		"http://evil.test/" + guid, "/.well-known/../" + guid,
	}
	tails := []string{
		"", "?", "&", "?&&&", "?x=%0d%0aSet-Cookie:%20a=b", "?x={y}", "?{x}={y}", "?x=https://evil.test/", "?x=javascript:alert(1)", "?_dl=javascript:alert(1)", "?_dl=intent://evil%23Intent;end",
		"?_fallback_redirect=https://evil.test", "?_ios_redirect=https://apps.apple.com/app/id666", "?_p=%00%ff", "?_forward_params=2&" + strings.Repeat("a=b&", 300), "?%zz=%", "?click_id=1&ko_click_id=2",
		"&device_ua=%00&ip_address=::1%25eth0", "&pbr=1&ip_address=999.1.1.1", "?amp;_ios_dl=x", "?_fallback_+redirect=https://evil.test", "?x=" + strings.Repeat("%41", 2000), "#x",
	}
	methods := []string{"GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "get"}
	posted := []string{"", "{", `{"data":{"url":"http://acme.localhost/` + guid + `"}}`, `{"path":{}}`, "path=" + strings.Repeat("x", 15<<10), "\x00\xff"}
	statuses := map[int]int{}
	for range 1500 {
		path, agent := pick(a, paths)+pick(a, tails), pick(a, []string{iphone, pixel, kindle, mac, linux, robot, preview, "", "\x7f", strings.Repeat("a", 4000)})
		status, err := p.raw(pick(a, methods), path, agent, pick(a, posted))
		if err != nil {
			t.Errorf("%.300q: %v", path, err)
		}
		statuses[status]++
	}
	t.Logf("answered %v", statuses)
	if statuses[200] == 0 || statuses[302] == 0 || statuses[404] == 0 || statuses[405] == 0 {
		t.Errorf("the attack is lopsided: %v", statuses)
	}
	p.unmoved(t)
	if out, stderr, code := run(t, "verify", "--data", data); code != 0 || !strings.Contains(out, "no difference") {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
}

// unmoved holds the program's own log against what an attack may bring about:
// nothing that an operator should look at, and no key.
func (p *process) unmoved(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN") || strings.Contains(line, "-token") {
			t.Errorf("the program says %s", line)
		}
	}
}

// raw sends a request to the links listener byte for byte and judges the answer.
func (p *process) raw(method, target, agent, body string) (int, error) {
	conn, err := net.DialTimeout("tcp", p.links, patience)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if method == "GET" || method == "HEAD" {
		body = ""
	}
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: acme.localhost\r\nUser-Agent: %s\r\nConnection: close\r\n", method, target, agent)
	if body != "" {
		request += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	_, writeErr := io.WriteString(conn, request+"\r\n"+body) // the answer may come before everything is read
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return 0, fmt.Errorf("read: %w (writing: %v)", err, writeErr)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	u, err := url.Parse(resp.Header.Get("Location"))
	if resp.StatusCode >= 500 || resp.Header.Get("Set-Cookie") != "" || err != nil || strings.HasSuffix(u.Hostname(), "evil.test") || u.Scheme == "javascript" {
		return resp.StatusCode, fmt.Errorf("answers %d with %v, %v", resp.StatusCode, resp.Header, err)
	}
	return resp.StatusCode, nil
}

package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waypost/event"
)

// appleExamples are postbacks that Apple has published, signed for the app
// 525463029, by the name of the case.
func appleExamples(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../compat/apple/testdata/exemplary/postbacks.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Name     string
		Postback json.RawMessage
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	examples := map[string]string{}
	for _, e := range list {
		examples[e.Name] = string(e.Postback)
	}
	return examples
}

// TestApplePostbacks: devices post to either listener, whatever the host is; a
// program that is killed after it said 200 has the postback; a repeated one
// counts once and is told once; none of them is an install.
func TestApplePostbacks(t *testing.T) {
	t.Parallel()
	s, hook := newShop(t), newReceiver(t)
	s.sellsAtApple(hook.URL)
	s.fromDevice("api", "", "4-web-high-tier", http.StatusOK)
	s.fromDevice("links", "acme.localhost", "4-web-low-tier", http.StatusOK)
	s.fromDevice("links", "www.example.com", "3-won", http.StatusOK)
	s.p.kill()
	s.p = s.start()
	s.fromDevice("api", "www.example.com", "4-web-high-tier", http.StatusOK)
	s.fromDevice("api", "", "3-assisted", http.StatusOK)
	s.fromDevice("api", "", "kit-developer-settings", http.StatusBadRequest) // it is no postback of SKAdNetwork
	s.settled()

	s.shows("/sums?group_by=network,source&app=24171", "acme-read-token", http.StatusOK, `"rows":[{"network":"com.example","source":"39","conversions":1,"assists":0,"updates":0},`+
		`{"network":"com.example","source":"5239","conversions":1,"assists":0,"updates":0},{"network":"example123.skadnetwork","source":"42","conversions":1,"assists":1,"updates":0}]`)
	s.shows("?limit=1", "acme-read-token", http.StatusOK, `"key":"f9ac267a-a889-44ce-b5f7-0166d11461f0/0"`, `"next_cursor"`)
	s.shows("", "rival-admin-token", http.StatusOK, `"conversions":[]`)
	s.shows("", "acme-agency-token", http.StatusForbidden)
	s.shows("", "nobody", http.StatusUnauthorized)
	if rows := s.p.rows(t, "group_by=metric"); len(rows) != 0 {
		t.Errorf("counted %+v", rows)
	}
	if all := s.toldOfPlatforms(hook, 4); !slices.Equal(all, []string{
		"6aafb7a5-0170-41b5-bbe4-fe71dedf1e28/0 42", "6aafb7a5-0170-41b5-bbe4-fe71dedf1e30/0 5239",
		"6aafb7a5-0170-41b5-bbe4-fe71dedf1e31/0 39", "f9ac267a-a889-44ce-b5f7-0166d11461f0/0 42",
	}) {
		t.Errorf("told %q", all)
	}
	if err := s.p.stop(); err != nil {
		t.Fatalf("stop: %v\n%s", err, s.p.log)
	}
	if out, stderr, code := run(t, "verify", "--data", s.data); code != 0 || strings.Contains(out, "skipped") {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
}

// sellsAtApple gives acme's app on iOS the number of Apple's examples, and has
// the account told of them.
func (s *shop) sellsAtApple(hook string) {
	s.Helper()
	file := filepath.Join(s.TempDir(), "apple.yaml")
	yaml := fmt.Sprintf(`accounts:
  - key: acme
    name: Acme Inc
    apps: [{key: acme-ios, name: Acme, platform: ios, bundle_id: com.acme.app, store_id: "525463029"}]
    postbacks: [{key: platform, on: [platform_conversion], method: POST, url: "%s/platform", secret: %s}]
`, hook, hookSecret)
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		s.Fatal(err)
	}
	if out, stderr, code := run(s.T, "apply", "--data", s.data, "-f", file); code != 0 {
		s.Fatalf("apply ends with %d: %s%s", code, out, stderr)
	}
}

// fromDevice posts one of Apple's examples to a listener, under a host or none.
func (s *shop) fromDevice(listener, host, name string, want int) {
	s.Helper()
	to := map[string]string{"api": s.p.api, "links": s.p.links}[listener]
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, "http://"+to+"/.well-known/skadnetwork/report-attribution/", strings.NewReader(appleExamples(s.T)[name]))
	if err != nil {
		s.Fatal(err)
	}
	req.Host = host
	resp, err := s.client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		s.Errorf("%s at %s of %s is answered %d", name, host, listener, resp.StatusCode)
	}
}

// shows asks our own API for conversions of platforms.
func (s *shop) shows(query, token string, want int, parts ...string) {
	s.Helper()
	status, body := s.p.call(s.T, http.MethodGet, "/waypost/v1/platform-conversions"+query, token, "")
	if status != want {
		s.Errorf("%s sees of %q: %d %s", token, query, status, body)
	}
	for _, part := range parts {
		if !strings.Contains(body, part) {
			s.Errorf("%s sees of %q: %s, want %s", token, query, body, part)
		}
	}
}

// toldOfPlatforms waits until the hook has heard of so many conversions, each
// by the key that makes two deliveries one, and returns them sorted.
func (s *shop) toldOfPlatforms(hook *receiver, n int) []string {
	s.Helper()
	told := map[string]string{}
	eventually(s.T, "webhooks of conversions", func() bool {
		for _, h := range hook.heard(everything) {
			var m struct {
				Kind   string
				App    int64                    `json:"app_id"`
				Bundle string                   `json:"bundle_id"`
				Told   event.PlatformConversion `json:"platform_conversion"`
			}
			if err := json.Unmarshal([]byte(h.body), &m); err != nil || h.signed(hookSecret) != nil || m.Kind != "platform_conversion" || m.App != 24171 || m.Bundle != "com.acme.app" {
				s.Fatalf("%v: %s", err, h.body)
			}
			told[h.key] = m.Told.Key + " " + m.Told.Source
		}
		return len(told) >= n
	})
	return slices.Sorted(maps.Values(told))
}

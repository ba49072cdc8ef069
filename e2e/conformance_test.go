package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/manifest"
	"waypost/store/sqlitestore"
)

// program plays cases of one dialect against the built program. Each case has
// a process of its own, which starts in a fifth of a second: cases then need not
// be rewritten to stand side by side in one.
type program struct{ testdata string }

func (pr program) Start(t *testing.T, given compattest.Given) compattest.Target {
	for limit, calls := range given.Limits {
		if strings.HasSuffix(limit, "per_second") && calls > 0 {
			t.Skip("its calls must lie within one second: played beside the dialect, by a clock of its own")
		}
		midnightIsFar(t)
	}
	dir := t.TempDir()
	setup, err := os.ReadFile(filepath.Join(pr.testdata, given.Setup+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := given.ApplyFile(setup)
	if err != nil {
		t.Fatal(err)
	}
	file, data := filepath.Join(dir, given.Setup+".yaml"), filepath.Join(dir, "data")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(given.Links) > 0 {
		storeLinks(t, data, file, text, given.Links)
	}
	p := start(t, data, "--apply", file)
	return compattest.Target{API: "http://" + p.api, Links: "http://" + p.links}
}

// storeLinks makes links that no API makes, such as the dashboard's and those
// whose time is over, before the program starts.
func storeLinks(t *testing.T, data, name string, text []byte, links []compattest.GivenLink) {
	t.Helper()
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	store, err := sqlitestore.Open(ctx, sqlitestore.Config{Path: filepath.Join(data, "waypost.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	rules, err := manage.New(ctx, manage.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	file, err := manifest.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rules.Apply(ctx, file); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, g := range links {
		l, err := g.Link(rules.Directory().Template(link.TemplateID(g.Template)).Account, link.OneLink, now)
		if err != nil {
			t.Fatal(err)
		}
		if taken, err := store.CreateLinks(ctx, []*link.Link{&l}, now); err != nil || taken[0] != link.Free {
			t.Fatalf("store %s: taken %v, %v", l.Path, taken, err)
		}
	}
}

// TestConformance plays every case of every dialect's API, and of OneLink's
// clicks.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{
		"onelink/testdata/exemplary", "onelink/testdata/exemplary/clicks", "onelink/testdata/supplemental",
		"smartlinks/testdata/exemplary", "smartlinks/testdata/supplemental",
		"singular/testdata/exemplary", "singular/testdata/supplemental",
	} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			dialect, _, _ := strings.Cut(dir, "/")
			compattest.Run(t, "../compat/"+dir, program{testdata: "../compat/" + dialect + "/testdata"})
		})
	}
}

// TestOneLinkFlags starts the program with every option of the dialect.
func TestOneLinkFlags(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../compat/onelink/testdata/golden.yaml",
		"--cors-origins", "https://shop.example,http://localhost:3000", "--strict-chars", "--v1-conflict-status", "400")
	f := func(path, body string, want int) {
		t.Helper()
		if status, answer := p.call(t, http.MethodPost, path, "golden-token", body); status != want {
			t.Errorf("POST %s %s: %d %s, want %d", path, body, status, answer, want)
		}
	}
	f("/shortlink/v1/A1b3?id=k", `{"data":{"pid":"x"}}`, 200)
	f("/shortlink/v1/A1b3?id=k", `{"data":{"pid":"x"}}`, 400)
	f("/api/v2.0/shortlinks/A1b3", `{"data":{"pid":"x","deep_link_value":"a/b"}}`, 400)
	f("/api/v2.0/shortlinks/A1b3", `{"data":{"pid":"x","deep_link_value":"ab"}}`, 200)
	_, answer := p.call(t, http.MethodPost, "/waypost/v1/links:batch", "golden-token", `{"links":[{"template":"A1b3","data":{"pid":"x","deep_link_value":"a/b"}}]}`)
	if !strings.Contains(answer, `"field":"deep_link_value"`) {
		t.Errorf("the bulk form answers %s", answer)
	}
	for origin, allowed := range map[string]string{"https://shop.example": "https://shop.example", "http://localhost:3000": "http://localhost:3000", "https://evil.example": ""} {
		req, err := http.NewRequest(http.MethodOptions, "http://"+p.api+"/shortlink/v1/A1b3", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != allowed || resp.StatusCode != http.StatusNoContent {
			t.Errorf("preflight from %s: %d, allowed is %q", origin, resp.StatusCode, got)
		}
	}
}

// TestClicksRenew clicks on links until their time has begun anew, which the
// API shows a moment later; one asks not to be renewed.
func TestClicksRenew(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	expiry := func(code string) time.Time {
		t.Helper()
		_, body := p.call(t, http.MethodGet, "/api/v2.0/shortlinks/A1b3/"+code, "acme-admin-token", "")
		var answer struct{ Expiry time.Time }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Expiry.IsZero() {
			t.Fatalf("read %s: %v %s", code, err, body)
		}
		return answer.Expiry
	}
	for code, text := range map[string]string{
		"v1": `{"data":{"pid":"x"},"ttl":"10m"}`, "kept": `{"data":{"pid":"x"},"ttl":"10m","renew_ttl":false}`,
	} {
		if status, body := p.call(t, http.MethodPost, "/shortlink/v1/A1b3?id="+code, "acme-admin-token", text); status != http.StatusOK {
			t.Fatalf("create %s: %d %s", code, status, body)
		}
	}
	if status, body := p.call(t, http.MethodPost, "/api/v2.0/shortlinks/A1b3", "acme-admin-token", `{"data":{"pid":"x"},"ttl":"20m","shortlink_id":"v2"}`); status != http.StatusOK {
		t.Fatalf("create v2: %d %s", status, body)
	}
	first := map[string]time.Time{"v1": expiry("v1"), "v2": expiry("v2"), "kept": expiry("kept")}
	eventually(t, "clicks to renew their links", func() bool {
		for code := range first {
			p.mustClick(t, "/A1b3/"+code, pixel)
		}
		return expiry("v1").After(first["v1"]) && expiry("v2").After(first["v2"])
	})
	for code, ttl := range map[string]time.Duration{"v1": 10 * time.Minute, "v2": 20 * time.Minute} {
		if left := time.Until(expiry(code)); left > ttl || left < ttl-5*time.Minute {
			t.Errorf("%s expires in %v; renewing it means %v from the click on", code, left, ttl)
		}
	}
	if got := expiry("kept"); !got.Equal(first["kept"]) {
		t.Errorf("the link that asked not to be renewed expires at %v, was %v", got, first["kept"])
	}
}

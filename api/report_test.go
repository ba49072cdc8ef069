package api_test

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"waypost/api"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/manifest"
	"waypost/manage/memorystore"
	"waypost/report"
	"waypost/route"
)

// soloYAML gives the account of acme.yaml a second app group, which the
// agency's tokens are not for.
const soloYAML = `
accounts:
  - key: acme
    name: Acme Inc
    app_groups: [{key: solo, name: Solo, apps: [solo-ios, solo-android]}]
    domains: [{host: solo.localhost, app_group: solo}]
    templates: [{id: Solo, name: Solo, app_group: solo, domain: solo.localhost}]
`

// oneCount answers every question with one row.
type oneCount struct{ api.Counts }

func (oneCount) SumCounts(_ context.Context, q report.Query) ([]report.Row, error) {
	return []report.Row{{Key: report.Key{Metric: cmp.Or(q.Metric, report.Clicks), Tracker: 3}, Count: 7}}, nil
}

// explained says of every URL what it names: a template, or the app group of a
// link that owns a path of a host.
type explained struct{ *manage.Service }

func (e explained) Explain(_ context.Context, rawURL string) (route.LinkExplanation, error) {
	out := route.LinkExplanation{URL: rawURL, State: "live", Dialect: link.OneLink}
	if e.Directory().Template(link.TemplateID(rawURL)) != nil {
		out.Template = link.TemplateID(rawURL)
		return out, nil
	}
	for _, g := range e.Directory().Catalog.AppGroups {
		if string(g.Key) == rawURL {
			out.Account, out.AppGroup, out.Dialect = g.Account, g.ID, link.SmartLinks
		}
	}
	return out, nil
}

// get asks an API with GET.
func get(t *testing.T) func(token, path string, query url.Values) (int, string) {
	t.Helper()
	call := serve(t)
	return func(token, path string, query url.Values) (int, string) {
		t.Helper()
		return call(http.MethodGet, token, path, query)
	}
}

// serve asks an API over a real socket, with acme.yaml and soloYAML applied.
func serve(t *testing.T, changes ...func(*api.Config)) func(method, token, path string, query url.Values) (int, string) {
	t.Helper()
	rules, err := manage.New(t.Context(), manage.Config{Store: memorystore.New()})
	if err != nil {
		t.Fatal(err)
	}
	acme, err := os.ReadFile("../examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(acme), soloYAML} {
		file, err := manifest.Parse("test.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rules.Apply(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	}
	cfg := api.Config{Rules: rules, Counts: oneCount{}, Explain: explained{rules}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	for _, change := range changes {
		change(&cfg)
	}
	server := httptest.NewServer(api.New(cfg))
	t.Cleanup(server.Close)
	return func(method, token, path string, query url.Values) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+api.Prefix+path+"?"+query.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", token)
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
}

func TestCountsAreForTheTokensAppGroups(t *testing.T) {
	t.Parallel()
	ask := get(t)
	f := func(want int, token string, account, template string) {
		t.Helper()
		query := url.Values{"group_by": {"metric"}, "account": {account}, "template": {template}}
		if status, body := ask(token, "/counts", query); status != want || (want == 200) != strings.Contains(body, `"count":7`) {
			t.Errorf("%s asks for %q: %d %s, want %d", token, template, status, body, want)
		}
	}
	f(200, "acme-read-token", "5899", "")
	f(200, "acme-read-token", "5899", "Solo")
	f(200, "acme-agency-token", "5899", "A1b3")
	f(403, "acme-agency-token", "5899", "Solo")
	f(422, "acme-agency-token", "5899", "")
	f(422, "bigshop-token", "5899", "")
	f(200, "bigshop-token", "6001", "")
	f(404, "rival-admin-token", "5899", "")
	f(401, "nobody", "5899", "")
}

// TestCountsTellTrackers: a row names the part of the link that it counts.
func TestCountsTellTrackers(t *testing.T) {
	t.Parallel()
	ask := get(t)
	for _, by := range [][]string{{"tracker,metric"}, {"tracker", "metric"}} {
		status, body := ask("acme-read-token", "/counts", url.Values{"group_by": by})
		if status != 200 || !strings.Contains(body, `"tracker":3,"metric":"clicks","count":7`) {
			t.Errorf("%q: %d %s", by, status, body)
		}
	}
	if status, body := ask("acme-read-token", "/counts", url.Values{"group_by": {"colour"}}); status != 422 || !strings.Contains(body, "tracker") {
		t.Errorf("%d %s", status, body)
	}
}

func TestCountsOfOneMetric(t *testing.T) {
	t.Parallel()
	ask := get(t)
	f := func(want int, metric, in string) {
		t.Helper()
		query := url.Values{"group_by": {"metric,tracker"}, "metric": {metric}}
		if status, body := ask("acme-read-token", "/counts", query); status != want || !strings.Contains(body, in) {
			t.Errorf("counts of %q: %d %s, want %d and %s", metric, status, body, want, in)
		}
	}
	for _, m := range report.Metrics() {
		f(200, string(m), `{"tracker":3,"metric":"`+string(m)+`","count":7}`)
	}
	f(200, "", `"metric":"clicks"`)
	f(422, "hits", `"location":"metric"`)
	f(422, "hits", `clicks, bot_clicks, impressions`)
}

func TestExplanationsAreForTheTokensAppGroups(t *testing.T) {
	t.Parallel()
	ask := get(t)
	f := func(want int, token, of string) {
		t.Helper()
		if status, body := ask(token, "/explain", url.Values{"url": {of}}); status != want || (want == 200) != strings.Contains(body, `"state":"live"`) {
			t.Errorf("%s asks about %q: %d %s, want %d", token, of, status, body, want)
		}
	}
	f(200, "acme-read-token", "A1b3")
	f(200, "acme-read-token", "acme")
	f(200, "acme-read-token", "solo")
	f(200, "acme-agency-token", "acme")
	f(404, "acme-agency-token", "solo")
	f(404, "rival-admin-token", "acme")
	f(404, "rival-admin-token", "A1b3")
	f(404, "acme-read-token", "a link without an app group")
	f(401, "nobody", "acme")
}

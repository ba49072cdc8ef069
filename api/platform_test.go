package api_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"waypost/api"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/uid"
	"waypost/pipeline"
	"waypost/store/sqlitestore"
)

// TestPlatformConversions are the account's, page by page and added up.
func TestPlatformConversions(t *testing.T) {
	t.Parallel()
	store, err := sqlitestore.Open(t.Context(), sqlitestore.Config{Path: filepath.Join(t.TempDir(), "waypost.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	value := 0
	one := func(key string, change func(*event.PlatformConversion)) event.PlatformConversion {
		c := event.PlatformConversion{
			ID: uid.ClickOf(1), At: noon.UnixMilli(), Account: 5899, App: 24171, Framework: event.SKAdNetwork, FrameworkVersion: "4.0", Key: key,
			Network: "net", Source: "42", Conversion: event.Download, Won: true,
		}
		if change != nil {
			change(&c)
		}
		return c
	}
	step := history.Step{Projection: pipeline.History, To: 1, Platform: []event.PlatformConversion{
		one("a/0", func(c *event.PlatformConversion) { c.Value = &value }), one("b/1", func(c *event.PlatformConversion) { c.Sequence, c.App = 1, 30001 }),
		one("c/0", func(c *event.PlatformConversion) { c.Account = 6001 }), one("d/0", func(c *event.PlatformConversion) { c.Test, c.Won = true, false }),
	}}
	if err := store.CommitHistory(t.Context(), step); err != nil {
		t.Fatal(err)
	}
	call := serve(t, func(c *api.Config) { c.Platform = store })
	f := func(token, path, query string, status int, parts ...string) string {
		t.Helper()
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		got, body := call(http.MethodGet, token, path, values)
		if got != status {
			t.Errorf("%s asks %s for %q: %d %s", token, path, query, got, body)
		}
		for _, part := range parts {
			if !strings.Contains(body, part) {
				t.Errorf("%s asks %s for %q: %s, want %s", token, path, query, body, part)
			}
		}
		return body
	}
	const list, sums = "/platform-conversions", "/platform-conversions/sums"
	whole := `{"id":"` + uid.ClickOf(1).String() + `","received_at":1795176000000,"app":24171,"framework":"skadnetwork","framework_version":"4.0","key":"a/0",` +
		`"network":"net","source":"42","conversion":"download","won":true,"sequence":0,"value":0}`
	if body := f("acme-read-token", list, "", 200, whole, `"key":"d/0","test":true`, `"won":false`, `"sequence":1`); strings.Contains(body, "c/0") || strings.Contains(body, "next_cursor") {
		t.Errorf("all of acme's are %s", body)
	}
	body := f("acme-read-token", list, "limit=2", 200, `"key":"d/0"`, `"key":"b/1"`, `"next_cursor":"`)
	_, rest, _ := strings.Cut(body, `"next_cursor":"`)
	next, _, _ := strings.Cut(rest, `"`)
	if body := f("acme-read-token", list, "limit=2&cursor="+next, 200, `"key":"a/0"`); strings.Contains(body, "next_cursor") || strings.Contains(body, "b/1") {
		t.Errorf("the last page is %s", body)
	}
	if body := f("acme-read-token", list, "app=30001", 200, `"key":"b/1"`); strings.Contains(body, "a/0") {
		t.Errorf("those of an app are %s", body)
	}
	f("rival-admin-token", list, "", 200, `"key":"c/0"`)

	const day = "from=2026-11-20&to=2026-11-20"
	f("acme-read-token", sums, day, 200, `"from":"2026-11-20","to":"2026-11-20","rows":[{"conversions":1,"assists":0,"updates":1}]`)
	f("acme-read-token", sums, day+"&group_by=day,app&group_by=sequence", 200,
		`"rows":[{"day":"2026-11-20","app":24171,"sequence":0,"conversions":1,"assists":0,"updates":0},{"day":"2026-11-20","app":30001,"sequence":1,"conversions":0,"assists":0,"updates":1}]`)
	f("acme-read-token", sums, day+"&group_by=value", 200, `"rows":[{"conversions":0,"assists":0,"updates":1},{"value":0,"conversions":1,"assists":0,"updates":0}]`)
	f("acme-read-token", sums, day+"&app=24171", 200, `"rows":[{"conversions":1,"assists":0,"updates":0}]`)
	f("acme-read-token", sums, "from=2026-11-21&to=2026-11-22", 200, `"rows":[]`)
	f("acme-read-token", sums, "group_by=key", 422, "group_by", "is none of day, app")
	f("acme-read-token", sums, "from=yesterday", 422, "from")
	for _, path := range []string{list, sums} {
		f("acme-agency-token", path, "", 403)
		f("nobody", path, "", 401)
		f("rival-admin-token", path, "account=5899", 404)
		f("acme-read-token", path, "limit=0", 422)
	}
	f("acme-read-token", list, "cursor=x", 422)
}

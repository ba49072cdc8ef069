package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waypost/api"
	"waypost/attribution/history"
	"waypost/link"
	"waypost/pipeline"
	"waypost/store/sqlitestore"
)

// outbox is a real store with deliveries of two accounts, the ids 1 to 4.
func outbox(t *testing.T) *sqlitestore.Store {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), sqlitestore.Config{Path: filepath.Join(t.TempDir(), "waypost.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	one := func(key string, account link.AccountID, status history.DeliveryStatus) history.Delivery {
		d := history.Delivery{Key: key, Account: account, Postback: "hook", Kind: "install", Method: "POST", URL: "https://partner.test/" + key, Body: `{"id":"1"}`, MadeAt: noon, Status: status}
		if status == history.Waiting {
			d.DueAt = noon.Add(time.Minute)
		}
		return d
	}
	failed := one("failed", 5899, history.GivenUp)
	failed.URL, failed.Attempts, failed.Code, failed.Answer = "https://user:pa@ss@partner.test/in?a=1&apiKey=s1&x%5Ftoken=s2#top", 8, 500, "sorry"
	step := history.Step{Projection: pipeline.History, To: 1, Deliveries: []history.Delivery{
		failed, one("told", 5899, history.Delivered), one("waits", 5899, history.Waiting), one("theirs", 6001, history.Waiting),
	}}
	if err := store.CommitHistory(t.Context(), step); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestDeliveriesAreTheAccounts(t *testing.T) {
	t.Parallel()
	store := outbox(t)
	call := serve(t, func(c *api.Config) { c.Deliveries = store })
	f := func(want int, token, query, keys string) {
		t.Helper()
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		status, body := call(http.MethodGet, token, "/deliveries", values)
		var got struct{ Deliveries []struct{ Key string } }
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, d := range got.Deliveries {
			text += d.Key + " "
		}
		if status != want || text != keys {
			t.Errorf("%s asks for %q: %d %s, want %d and %s", token, query, status, body, want, keys)
		}
	}
	f(200, "acme-read-token", "", "waits told failed ")
	f(200, "acme-read-token", "status=given_up", "failed ")
	f(200, "acme-read-token", "status=waiting&limit=5", "waits ")
	f(200, "acme-read-token", "limit=2", "waits told ")
	f(200, "acme-read-token", "postback=hook&status=delivered", "told ")
	f(200, "acme-read-token", "postback=other", "")
	f(422, "acme-read-token", "cursor=x", "")
	f(422, "acme-read-token", "cursor=0", "")
	f(422, "acme-read-token", "status=lost", "")
	f(422, "acme-read-token", "limit=0", "")
	f(422, "acme-read-token", "limit=1001", "")
	f(403, "acme-agency-token", "", "")
	f(404, "rival-admin-token", "account=5899", "")
	f(200, "rival-admin-token", "", "theirs ")
	f(422, "bigshop-token", "", "")
	f(403, "bigshop-token", "account=5899", "")
	f(200, "bigshop-token", "account=6001", "theirs ")
	f(401, "nobody", "", "")
}

// TestDeliveriesAreRead page by page, while new ones come.
func TestDeliveriesAreRead(t *testing.T) {
	t.Parallel()
	store := outbox(t)
	call := serve(t, func(c *api.Config) { c.Deliveries = store })
	read := func(query url.Values) (keys, next string) {
		t.Helper()
		_, body := call(http.MethodGet, "acme-read-token", "/deliveries", query)
		var got struct {
			Deliveries []struct{ Key string }
			Next       string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		for _, d := range got.Deliveries {
			keys += d.Key + " "
		}
		return keys, got.Next
	}
	keys, next := read(url.Values{"limit": {"1"}})
	if keys != "waits " || next == "" {
		t.Fatalf("the first page is %s, next %q", keys, next)
	}
	step := history.Step{Projection: pipeline.History, From: 1, To: 2, Deliveries: []history.Delivery{{Key: "new", Account: 5899, Postback: "hook", MadeAt: noon, Status: history.Delivered}}}
	if err := store.CommitHistory(t.Context(), step); err != nil {
		t.Fatal(err)
	}
	if keys, next = read(url.Values{"limit": {"1"}, "cursor": {next}}); keys != "told " || next == "" {
		t.Errorf("the second page is %s, next %q", keys, next)
	}
	if keys, next = read(url.Values{"limit": {"1"}, "cursor": {next}}); keys != "failed " || next != "" {
		t.Errorf("the last page is %s, next %q", keys, next)
	}
	if keys, next = read(url.Values{"limit": {"4"}, "postback": {"hook"}}); keys != "new waits told failed " || next != "" {
		t.Errorf("the whole page is %s, next %q", keys, next)
	}
}

func TestDeliveriesShowNoSecrets(t *testing.T) {
	t.Parallel()
	store := outbox(t)
	call := serve(t, func(c *api.Config) { c.Deliveries = store })
	_, body := call(http.MethodGet, "acme-read-token", "/deliveries", url.Values{"status": {"given_up"}})
	want := `"deliveries":[{"id":1,"key":"failed","postback":"hook","kind":"install","method":"POST","url":"https://xxxxx@partner.test/in?a=1\u0026apiKey=xxxxx\u0026x%5Ftoken=xxxxx#top",` +
		`"body":"{\"id\":\"1\"}","made_at":1795176000000,"attempts":8,"status":"given_up","code":500,"answer":"sorry"}]`
	if !strings.Contains(strings.ReplaceAll(body, "&", `\u0026`), want) {
		t.Errorf("a delivery is shown as %s, want %s", body, want)
	}
}

func TestDeliveriesAreSentAgain(t *testing.T) {
	t.Parallel()
	store := outbox(t)
	woken := 0
	now := noon.Add(time.Hour)
	call := serve(t, func(c *api.Config) {
		c.Deliveries, c.Wake, c.Now = store, func() { woken++ }, func() time.Time { return now }
	})
	f := func(want int, token string, id any, query url.Values) string {
		t.Helper()
		before := woken
		status, body := call(http.MethodPost, token, fmt.Sprintf("/deliveries/%v/retry", id), query)
		if status != want || (want == 200) != (woken == before+1) {
			t.Errorf("%s retries %v: %d %s, woken %d times, want %d", token, id, status, body, woken-before, want)
		}
		return body
	}
	f(403, "acme-read-token", 1, nil)
	f(403, "acme-agency-token", 1, nil)
	f(403, "bigshop-token", 4, url.Values{"account": {"6001"}})
	f(404, "rival-admin-token", 1, nil)
	f(404, "acme-admin-token", 4, nil)
	f(404, "acme-admin-token", 99, nil)
	f(422, "acme-admin-token", "x", nil)
	f(401, "", 1, nil)
	unfilled := history.Delivery{Key: "unfilled", Account: 5899, Postback: "hook", URL: "https://partner.test/{af_sub1}/", MadeAt: noon, Status: history.GivenUp, Answer: "a segment of dots"}
	if err := store.CommitHistory(t.Context(), history.Step{Projection: pipeline.History, From: 1, To: 2, Deliveries: []history.Delivery{unfilled}}); err != nil {
		t.Fatal(err)
	}
	f(404, "rival-admin-token", 5, nil)
	if body := f(409, "acme-admin-token", 5, nil); !strings.Contains(body, "a segment of dots") {
		t.Errorf("what cannot be sent is refused with %s", body)
	}
	if due, err := store.DueDeliveries(t.Context(), now.Add(-time.Hour), 10); err != nil || len(due) != 0 {
		t.Errorf("refused calls have made %v due (%v)", due, err)
	}
	if body := f(200, "acme-admin-token", 1, nil); !strings.Contains(body, `"status":"waiting"`) || !strings.Contains(body, `"due_at":1795179600000`) || strings.Contains(body, "pa@ss") {
		t.Errorf("it is answered with %s", body)
	}
	due, err := store.DueDeliveries(t.Context(), now, 10)
	if err != nil || len(due) != 3 || due[2].Key != "failed" {
		t.Errorf("due are %+v (%v)", due, err)
	}
}

// strangers are unknown apps of one account.
type strangers struct{}

func (strangers) Unknown(_ context.Context, account link.AccountID) ([]history.Unknown, error) {
	if account != 5899 {
		return nil, nil
	}
	return []history.Unknown{
		{Kind: history.UnknownApp, Name: "com.acme.typo", Reports: 3, LastAt: noon}, {Kind: history.UnknownKey, Name: "acme-sdk-kay", Reports: 2, LastAt: noon},
	}, nil
}

func TestUnknownAppsAreTheAccounts(t *testing.T) {
	t.Parallel()
	call := serve(t, func(c *api.Config) { c.Intake = strangers{} })
	f := func(want int, token, account, in string) {
		t.Helper()
		if status, body := call(http.MethodGet, token, "/unknown-apps", url.Values{"account": {account}}); status != want || !strings.Contains(body, in) {
			t.Errorf("%s: %d %s, want %d and %s", token, status, body, want, in)
		}
	}
	f(200, "acme-read-token", "5899", `"apps":[{"name":"com.acme.typo","reports":3,"last_at":1795176000000}],"keys":[{"name":"acme-sdk-kay","reports":2,"last_at":1795176000000}]`)
	f(200, "rival-admin-token", "6001", `"apps":[],"keys":[]`)
	f(404, "rival-admin-token", "5899", "")
	f(403, "acme-agency-token", "5899", "")
	f(422, "bigshop-token", "", "account")
	f(401, "nobody", "5899", "")
}

// TestUsageIsTheAccounts: calls are counted for the account as a whole, which
// tokens of some app groups are not for.
func TestUsageIsTheAccounts(t *testing.T) {
	t.Parallel()
	call := serve(t, func(*api.Config) {})
	f := func(want int, token, account string) {
		t.Helper()
		if status, body := call(http.MethodGet, token, "/usage", url.Values{"account": {account}}); status != want {
			t.Errorf("%s: %d %s, want %d", token, status, body, want)
		}
	}
	f(200, "acme-read-token", "5899")
	f(403, "acme-agency-token", "5899")
	f(404, "rival-admin-token", "5899")
	f(401, "nobody", "5899")
}

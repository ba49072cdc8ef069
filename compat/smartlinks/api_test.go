package smartlinks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/compat/smartlinks"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

const aLink = `{"app_group_id":4833,"app_group_campaign_name":"C","name":"Link","default":{"app_id":24171,"destination_url":"https://www.golden.test/"},
	"routes_by_app":[
		{"app_id":24171,"events":["_Install"],"routes":[
			{"name":"One","destination_url":"https://x.test/1","rules":{"platform_in":["iOS"]}},
			{"name":"Two","destination_url":"https://x.test/2","rules":{"platform_in":["Macosx"]}}]},
		{"app_id":38581,"events":[],"routes":[{"name":"Three","destination_url":"https://x.test/3","rules":{"platform_in":["Web"]}}]}]}`

// shown is what the tests read of a link.
type shown struct {
	ID      int64
	Clicks  *int64 `json:"click_count"`
	Install *int64 `json:"install_count"`
	Default struct {
		ID      int64
		Clicks  *int64 `json:"click_count"`
		Install *int64 `json:"install_count"`
		Legacy  string `json:"legacy_tracker_id"`
		GUID    string `json:"app_guid"`
	}
	Apps []struct {
		Routes []struct {
			ID     int64
			Clicks *int64 `json:"click_count"`
		}
	} `json:"routes_by_app"`
}

// send makes one call with the account's key and returns status, headers and body.
func send(t testing.TB, base, method, target, body string) (int, http.Header, string) {
	t.Helper()
	return compattest.Send(t, method, base+target, body, "Authentication-Key", "golden-key")
}

// data makes a call that must succeed and reads what it answers with.
func data[T any](t testing.TB, base, method, target, body string) T {
	t.Helper()
	status, _, text := send(t, base, method, target, body)
	var answer struct{ Data T }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, target, status, text)
	}
	return answer.Data
}

func goldenRules(t testing.TB) *manage.Service {
	t.Helper()
	return givenRules(t, compattest.Given{Setup: "golden"})
}

// What a link shows is the sum of what its parts show, and all of it people.
func TestCounts(t *testing.T) {
	t.Parallel()
	counts := &tally{}
	base := serve(t, smartlinks.Config{Rules: goldenRules(t), Counts: counts})
	made := data[shown](t, base, "POST", "/v1/links", aLink)
	if made.Clicks != nil || made.Default.Clicks != nil || made.Apps[0].Routes[0].Clicks != nil {
		t.Error("the answer to a create holds counts")
	}
	other := data[shown](t, base, "POST", "/v1/links", strings.Replace(aLink, `"Link"`, `"Other"`, 1))
	row := func(account link.AccountID, id int64, tracker link.Tracker, metric report.Metric, n int64) report.Row {
		return report.Row{Key: report.Key{Account: account, Link: link.LinkID(id), Tracker: tracker, Metric: metric}, Count: n}
	}
	counts.rows = []report.Row{
		row(5899, made.ID, 1, report.Clicks, 1), row(5899, made.ID, 2, report.Clicks, 10), row(5899, made.ID, 3, report.Clicks, 100), row(5899, made.ID, 4, report.Clicks, 1000),
		row(5899, made.ID, 1, report.BotClicks, 7), row(5899, made.ID, 1, report.Impressions, 7), row(6001, made.ID, 1, report.Clicks, 7),
		row(5899, made.ID, 2, report.Installs, 5), row(5899, other.ID, 1, report.Clicks, 3),
	}
	check := func(l shown, clicks, catchAll, installs int64, routes ...int64) {
		t.Helper()
		if *l.Clicks != clicks || *l.Default.Clicks != catchAll || *l.Install != installs {
			t.Errorf("link %d has %d clicks, %d installs, its catch-all %d clicks; want %d, %d, %d", l.ID, *l.Clicks, *l.Install, *l.Default.Clicks, clicks, installs, catchAll)
		}
		var got []int64
		for _, app := range l.Apps {
			for _, r := range app.Routes {
				got = append(got, *r.Clicks)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(routes) {
			t.Errorf("routes of link %d have %v, want %v", l.ID, got, routes)
		}
	}
	check(data[shown](t, base, "GET", fmt.Sprint("/v1/links/", made.ID), ""), 1111, 1, 5, 10, 100, 1000)
	check(data[shown](t, base, "PUT", fmt.Sprint("/v1/links/", made.ID), "{}"), 1111, 1, 5, 10, 100, 1000)
	list := data[[]shown](t, base, "GET", "/v1/links", "")
	check(list[0], 1111, 1, 5, 10, 100, 1000)
	check(list[1], 3, 3, 0, 0, 0, 0)
}

// The ids of a link's parts lead back to it.
func TestIDsLeadBack(t *testing.T) {
	t.Parallel()
	rules := goldenRules(t)
	base := serve(t, smartlinks.Config{Rules: rules, Counts: &tally{}})
	made := data[shown](t, base, "POST", "/v1/links", aLink)
	guid, id, ok := smartlinks.ParseTrackerURLID(made.Default.GUID + made.Default.Legacy)
	of, tracker := id.Split()
	if !ok || guid != "kosfadsae-ios-4fkz131i" || int64(id) != made.Default.ID || int64(of) != made.ID || tracker != link.CatchAll {
		t.Errorf("reads as %q, %d, %v: link %d, tracker %d", guid, id, ok, of, tracker)
	}
	l, err := rules.ListedLink(t.Context(), manage.Actor{Token: rules.Directory().Token(link.HashSecret("golden-key"))}, link.SmartLinks, of)
	if err != nil {
		t.Fatal(err)
	}
	host, code, ok := l.Path.SplitHost()
	if !ok || host != "smart.link" || code != l.Code || len(code) != 13 {
		t.Errorf("path %q, code %q", l.Path, l.Code)
	}
	stored, err := smartlinks.Read(l.Data)
	if err != nil {
		t.Fatal(err)
	}
	trackers := stored.Trackers()
	if len(trackers) != 4 || trackers[3].Tracker != 4 || trackers[3].App != 38581 || trackers[3].Route.Destination != "https://x.test/3?ko_click_id={click_id}" || trackers[0].Route != nil {
		t.Errorf("trackers are %+v", trackers)
	}
}

// The reply to a GET, sent back as it is, changes nothing but the time.
func TestWholeReplyIsTakenBack(t *testing.T) {
	t.Parallel()
	base := serve(t, smartlinks.Config{Rules: goldenRules(t), Counts: &tally{}})
	native := strings.NewReplacer(`"name":"Link"`, `"name":"Native","agency_network_id":234,"network_price":1.50,"path":"acme://{city}","custom_params":[{"key":"a","value":" <b>&"}]`,
		`"rules":{"platform_in":["iOS"]}`, `"native_link":"ios","rules":{"platform_in":["iOS"],"x":{"y":[1,2.50]}}`).Replace(aLink)
	for _, body := range []string{aLink, native} {
		target := fmt.Sprint("/v1/links/", data[shown](t, base, "POST", "/v1/links", body).ID)
		_, _, before := send(t, base, "GET", target, "")
		whole := data[json.RawMessage](t, base, "GET", target, "")
		for _, back := range []string{string(whole), before} {
			if status, _, text := send(t, base, "PUT", target, back); status != http.StatusOK || timeless(t, text) != timeless(t, before) {
				t.Errorf("%d\n got %s\nwant %s", status, text, before)
			}
		}
	}
}

func timeless(t testing.TB, text string) string {
	t.Helper()
	var answer struct{ Data map[string]any }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	delete(answer.Data, "last_updated_dttm")
	return fmt.Sprint(answer.Data)
}

// failing breaks what the rules answer, or panics.
type failing struct {
	*manage.Service
	err error
}

func (f failing) ListedLink(context.Context, manage.Actor, link.Dialect, link.LinkID) (link.Link, error) {
	if f.err == nil {
		panic("boom")
	}
	return link.Link{}, f.err
}

func TestFailuresOfOurs(t *testing.T) {
	t.Parallel()
	internal := errors.New("disk on fire at /var/secret")
	f := func(err error, status int, want, cause string) {
		t.Helper()
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			base := serve(t, smartlinks.Config{Rules: failing{goldenRules(t), err}, Counts: &tally{}, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
			got, header, body := send(t, base, "GET", "/v1/links/1", "")
			if text := fmt.Sprintf(`{"status":%d,"is_agency":false,"error":%q,"errors":[%[2]q]}`, status, want); got != status || body != text {
				t.Errorf("got %d %s, want %d %s", got, body, status, text)
			}
			id := header.Get("X-Request-Id")
			if id == "" || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), cause) {
				t.Errorf("request %q is not logged once with its cause: %s", id, log.String())
			}
			if retry := header.Get("Retry-After"); (retry == "5") != (status == 503) {
				t.Errorf("Retry-After is %q", retry)
			}
		})
	}
	f(internal, 500, "an unexpected error occurred on the server", "disk on fire")
	f(&fault.Error{Kind: fault.Unavailable, RetryAfter: 5 * time.Second, Err: internal}, 503, "the service is not available for the moment; try again", "disk on fire")
	f(nil, 500, "an unexpected error occurred on the server", "boom")
}

// A store of counts that fails is a failure of ours, not zeros.
func TestCountsMayFail(t *testing.T) {
	t.Parallel()
	counts := &tally{}
	base := serve(t, smartlinks.Config{Rules: goldenRules(t), Counts: counts})
	id := data[shown](t, base, "POST", "/v1/links", aLink).ID
	counts.broken = fault.New(fault.Unavailable, "away")
	for _, target := range []string{fmt.Sprint("/v1/links/", id), "/v1/links"} {
		if status, header, body := send(t, base, "GET", target, ""); status != 503 || header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", target, status, body)
		}
	}
}

// Plain links of an account without a shared domain live on their group's, and
// links of other dialects are nobody's here.
func TestWhereLinksLive(t *testing.T) {
	t.Parallel()
	rules := givenRules(t, compattest.Given{Setup: "groups"})
	base := serve(t, smartlinks.Config{Rules: rules, Counts: &tally{}})
	body := `{"app_group_id":123,"app_group_campaign_name":"C","name":"Link","default":{"app_id":24171,"destination_url":"https://x.test/"},
		"routes_by_app":[{"app_id":24171,"routes":[{"name":"r","destination_url":"https://x.test/","rules":{"platform_in":["iOS"]}}]}]}`
	if _, _, text := send(t, base, "POST", "/v1/links", body); !strings.Contains(text, `"click_url":"https://yourbrandname.smart.link/`) {
		t.Errorf("got %s", text)
	}
	actor, err := rules.Authenticate("golden-key")
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, err := rules.CreateLink(t.Context(), actor, manage.NewLink{
		Dialect: link.Singular, Host: "yourbrandname.smart.link", Data: json.RawMessage(`{}`), Listing: &link.Listing{AppGroup: 123, Name: "Foreign"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"GET /v1/links/%d", "GET /v1/links/%d/qr", "PUT /v1/links/%d", "PUT /v1/links/%d/archive"} {
		method, target, _ := strings.Cut(fmt.Sprintf(call, foreign.ID), " ")
		if status, _, text := send(t, base, method, target, "{}"); status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", method, target, status, text)
		}
	}
	if links := data[[]shown](t, base, "GET", "/v1/links", ""); len(links) != 1 {
		t.Errorf("%d links are listed, want 1", len(links))
	}
}

// A group without a host cannot have links, and says what would help.
func TestNoDomain(t *testing.T) {
	t.Parallel()
	base := serve(t, smartlinks.Config{Rules: goldenRules(t), Counts: &tally{}})
	g := data[struct{ ID int64 }](t, base, "POST", "/v1/groups", `{"name":"New","apps":[40011]}`)
	body := fmt.Sprintf(`{"app_group_id":%d,"path":"x://y","app_group_campaign_name":"C","name":"Link","default":{"app_id":40011,"destination_url":"https://x.test/"},
		"routes_by_app":[{"app_id":40011,"routes":[{"name":"r","destination_url":"https://x.test/","native_link":"ios"}]}]}`, g.ID)
	if status, _, text := send(t, base, "POST", "/v1/links", body); status != http.StatusBadRequest || !strings.Contains(text, "app_group_id must be an app group with a domain") {
		t.Errorf("%d %s", status, text)
	}
	plain := strings.Replace(body, `"native_link":"ios"`, `"rules":{"platform_in":["iOS"]}`, 1)
	if _, _, text := send(t, base, "POST", "/v1/links", plain); !strings.Contains(text, `"click_url":"https://smart.link/`) {
		t.Errorf("got %s", text)
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	f := func(path string, want bool) {
		t.Helper()
		if got := smartlinks.Owns(path); got != want {
			t.Errorf("Owns(%q) = %v", path, got)
		}
	}
	for _, path := range []string{"/v1/groups", "/v1/groups/1/archive", "//v1//links/", "/v1/links/1/qr", "/v1/advertisers", "/v1/agency_networks", "/v1/networks/x"} {
		f(path, true)
	}
	for _, path := range []string{"", "/", "/v1", "/v1/", "/v1/links-sdk", "/v1/cpi/click", "/v2/links", "/shortlink/v1/links", "/waypost/v1/links", "/api/v1/links", "/V1/links"} {
		f(path, false)
	}
}

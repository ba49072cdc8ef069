package e2e_test

import (
	"net/http"
	"testing"
	"time"
)

// TestLinkOpensTheApp past its host: the app tells which link it was opened by,
// which is the click, once, and wins the person back.
func TestLinkOpensTheApp(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "back", `{"pid":"wide","c":"awake","is_retargeting":"true","af_inactivity_window":"0d","deep_link_value":"sale"}`)
	const from = "203.0.113.91"
	s.open(first("i-1", from, nil))
	back := said("i-1", from, fields{"session_id": "s-2", "open_url": "https://acme.localhost/A1b3/back?af_sub1=x"})
	for range 2 {
		told := s.open(back)
		if told.Reengagement.Campaign != "awake" || told.Reengagement.Method != "deeplink" || !told.Reengagement.Now || told.Reengagement.Params["deep_link_value"] != "sale" || told.Reengagement.Params["af_sub1"] != "x" {
			t.Errorf("the start is told %+v", told)
		}
	}
	if h := s.hooked("i-1", "reengagement", ""); h.Verdict != "credited" || h.Campaign != "awake" || h.Match != "deeplink" {
		t.Errorf("of the re-engagement the account hears %+v", h)
	}
	want := map[string]int{"clicks": 1, "reengagements": 1, "organic_installs": 1, "sessions": 0}
	s.counted("group_by=metric", want)
	if err := s.p.stop(); err != nil {
		t.Fatal(err)
	}
	s.p = s.start()
	s.open(back)
	s.counted("group_by=metric", want)
}

// TestServerReportsAClick by clicking for the person: a library that says whose
// click it is earns him what a click does.
func TestServerReportsAClick(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.p.create(t, "told", `{"pid":"wide","c":"server"}`)
	const gaid = "38400000-8cf0-41bd-b23e-10b96e400077"
	resp, body, err := s.p.click(s.client, http.MethodGet, "acme.localhost", "/A1b3/told?redirect=false&advertising_id="+gaid, "curl/8.7.1")
	if err != nil || resp.StatusCode != http.StatusOK || body != "" {
		t.Fatalf("the server is answered %+v %q, %v", resp, body, err)
	}
	told := s.open(first("i-1", "203.0.113.92", fields{"ids": fields{"gaid": gaid}, "first_launch_at": time.Now().Add(15 * time.Second).UnixMilli()}))
	if told.Attribution.Status != "non_organic" || told.Attribution.Method != "id_matching" || told.Attribution.Campaign != "server" {
		t.Errorf("the first start is told %+v", told)
	}
	s.counted("group_by=metric", map[string]int{"clicks": 1, "bot_clicks": 0, "installs": 1})
}

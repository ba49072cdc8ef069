package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"waypost/event"
	"waypost/internal/uid"
)

// trackerRounds is few: TestNoAnsweredClickIsLost kills often.
const (
	trackerRounds      = 4
	trackerConnections = 16
)

var shownClick = regexp.MustCompile(`(?:ko|singular)_click_id=(\d{19})`)

// shownID reads the click's id out of where a SmartLink or a Singular link
// leads.
func shownID(resp *http.Response) (uid.Click, error) {
	location := resp.Header.Get("Location")
	plain, err := url.QueryUnescape(location)
	if err != nil {
		return 0, err
	}
	m := shownClick.FindStringSubmatch(plain)
	if resp.StatusCode != http.StatusFound || m == nil {
		return 0, fmt.Errorf("status %d, location %q", resp.StatusCode, location)
	}
	id, err := strconv.ParseUint(m[1], 10, 64)
	return uid.Click(id), err
}

// trackedLinks makes a SmartLink and a Singular link and returns what can be
// clicked: a name is a link's number and its tracker's.
func trackedLinks(t *testing.T, p *process) []clickable {
	t.Helper()
	var smart struct{ Data smartLink }
	p.key("Authentication-Key", "acme-admin-token").must(t, "POST", "/v1/links", `{"app_group_id":4833,"app_group_campaign_name":"Kill","name":"Kill",
		"default":{"app_id":38581,"destination_url":"https://www.acme.test/"},"routes_by_app":[
		{"app_id":26538,"events":[],"routes":[{"name":"a","destination_url":"https://play.google.com/store/apps/details?id=com.acme.app","rules":{"platform_in":["Android"]}}]},
		{"app_id":38581,"events":[],"routes":[{"name":"w","destination_url":"https://www.acme.test/w","rules":{"platform_in":["Web"]}}]}]}`, &smart)
	single := p.customLink(t, "kill", "")
	var counts countedRows
	// The first click tells the number of the Singular link, which its API does not show.
	p.mustClick(t, single.path(t), pixel)
	eventually(t, "the first click to be counted", func() bool {
		counts = p.rows(t, "group_by=link,tracker,metric")
		return len(counts) == 1
	})
	at := strings.TrimPrefix(smart.Data.ClickURL, "http://acme.localhost:8080")
	named := func(tracker int) string { return fmt.Sprintf("%d/%d", smart.Data.ID, tracker) }
	short, err := url.Parse(single.Short)
	if err != nil {
		t.Fatal(err)
	}
	return []clickable{
		{named(1), "acme.localhost", at, roku, shownID}, {named(2), "acme.localhost", at, pixel, shownID}, {named(3), "acme.localhost", at, linux, shownID},
		{counts[0].name(), "acme.localhost", single.path(t), pixel, shownID}, {counts[0].name(), "acme.localhost", short.Path, desktop, shownID},
	}
}

// TestNoTrackerLosesAClick kills the server while a SmartLink and a Singular
// link are clicked: in the end every tracker has its clicks, once.
func TestNoTrackerLosesAClick(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "--apply", "../examples/acme.yaml")
	targets := trackedLinks(t, p)
	got := &answered{ids: map[uid.Click]string{}}
	got.rounds(t, trackerRounds, func() *process {
		clickUntilKilled(t, p, got, trackerConnections, func() clickable { return targets[rand.IntN(len(targets))] })
		killed := p
		p = start(t, data)
		return killed
	})
	want := len(got.ids)
	if want < trackerRounds*trackerConnections {
		t.Fatalf("only %d clicks were answered: the test tested nothing", want)
	}
	eventually(t, "counting of what was answered", func() bool { return p.sum(t, "group_by=metric") >= int64(want) })
	p.counted(t)
	counted := map[string]int{}
	for _, r := range p.rows(t, "group_by=link,tracker,metric") {
		counted[r.name()] = r.Count
	}
	var list struct{ Data []smartLink }
	p.key("Authentication-Key", "acme-read-token").must(t, "GET", "/v1/links", "", &list)
	if l := list.Data[0]; l.sum() != l.Clicks || l.Clicks == 0 || int(l.Default.Clicks) != counted[targets[0].name] {
		t.Errorf("the SmartLink shows %s; its catch-all is counted %d times", l.counts(), counted[targets[0].name])
	}
	if err := p.stop(); err != nil {
		t.Fatalf("stop: %v\n%s", err, p.log)
	}
	stored := checkLedger(t, data, got, func(c *event.Click) string { return fmt.Sprintf("%d/%d", c.Link, c.Tracker) })
	if !maps.Equal(stored, counted) {
		t.Errorf("the ledger has %v, counted are %v", stored, counted)
	}
	if out, stderr, code := run(t, "verify", "--data", data); code != 0 {
		t.Errorf("verify ends with %d: %s%s", code, out, stderr)
	}
	t.Logf("%d answered; %v counted by tracker", want, counted)
}

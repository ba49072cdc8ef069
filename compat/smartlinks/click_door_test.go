package smartlinks

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"waypost/click"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// oneLink is a store and a ledger for a door with one link.
type oneLink struct {
	link *link.Link
	mu   sync.Mutex
	seen []string
}

func (o *oneLink) ReadLink(_ context.Context, path link.Path) (link.Link, error) {
	if path != o.link.Path {
		return link.Link{}, fault.New(fault.NotFound, "no link at %s", path)
	}
	return *o.link, nil
}

func (o *oneLink) ReadLinkByID(_ context.Context, id link.LinkID) (link.Link, error) {
	if id != o.link.ID {
		return link.Link{}, fault.New(fault.NotFound, "no link %d", id)
	}
	return *o.link, nil
}

func (o *oneLink) KnowsTargetHost(context.Context, link.AccountID, string) (bool, error) {
	return false, nil
}

func (o *oneLink) Append(line []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, string(line))
	return nil
}

// taken returns the events since it was called last.
func (o *oneLink) taken(t *testing.T) []event.Click {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var clicks []event.Click
	for _, line := range o.seen {
		c, err := event.DecodeClick([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		clicks = append(clicks, c)
	}
	o.seen = nil
	return clicks
}

// open serves the link to real sockets, and returns what sends a request there.
func (o *oneLink) open(t *testing.T) func(method, agent, address, body string) (*http.Response, string) {
	t.Helper()
	d := directoryOf(t, acmeApps())
	door, err := click.New(click.Config{Directory: func() *link.Directory { return d }, Links: o, Ledger: o, Dialects: []click.Dialect{Clicks{}}})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := door.Server()
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Shutdown() })
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(method, agent, address, body string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+listener.Addr().String()+address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = scriptHost
		req.Header.Set("User-Agent", agents[agent])
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(text)
	}
}

// worldLink leads phones to the app and everybody else to a store's page.
func worldLink() *link.Link {
	return acmeLink("https://www.acme.test/?ko_click_id={click_id}", "https://apps.apple.com/app/id1234567890", "acme://{city}", "")
}

// TestThroughTheDoor plays what browsers, partners' servers and apps send to a
// real socket.
func TestThroughTheDoor(t *testing.T) {
	t.Parallel()
	world := &oneLink{link: worldLink()}
	send := world.open(t)
	f := func(agent, address string, status int, contains string, trackers ...link.Tracker) {
		t.Helper()
		res, text := send(http.MethodGet, agent, address, "")
		if res.StatusCode != status || !strings.Contains(res.Header.Get("Location")+text, contains) {
			t.Errorf("%s %s: %d %q %q", agent, address, res.StatusCode, res.Header.Get("Location"), text)
		}
		var counted []link.Tracker
		for _, c := range world.taken(t) {
			counted = append(counted, c.Tracker)
			if c.Dialect != link.SmartLinks || c.Link != scriptLink || (c.Kind == event.ImpressionKind) != strings.Contains(address, "imp") {
				t.Errorf("%s %s: the ledger has %+v", agent, address, c)
			}
		}
		if !slices.Equal(counted, trackers) {
			t.Errorf("%s %s: counted for %v, want %v", agent, address, counted, trackers)
		}
	}
	f("linux", "/r796r1qs0", 302, "https://apps.apple.com/app/id1234567890", 4)
	f("roku", "/R796R1QS0?&a=b", 302, "https://www.acme.test/?ko_click_id=", 1)
	f("iphone", "/r796r1qs0?city=paris", 200, "acme://paris", 2)
	f("iphone", "/r796r1qs0?city=rome", 200, "acme://rome", 2)
	f("iphone", "/imp/r796r1qs0", 200, "GIF89a", 2)
	f("linux", "/r796r1qs1", 404, "")
	f("linux", "/imp/r796r1qs1", 404, "")
	id := "koacme-ios-4fkz131i" + TrackerOf(scriptLink, 2).Legacy()
	f("linux", "/v1/cpi/click?campaign_id="+id, 302, "https://apps.apple.com/app/id1234567890", 2)
	f("linux", "/v1/cpi/click?campaign_id="+id+"&pbr=1", 200, `{"success":"1"}`, 2)
	f("linux", "/v1/cpi/click?campaign_id="+id, 302, "https://apps.apple.com/app/id1234567890", 2)
	f("iphone", "/track/impression?campaign_id="+id, 200, "GIF89a", 2)
	f("linux", "/v1/cpi/click?campaign_id=x"+id, 404, "")
	f("linux", "/v1/cpi/click", 404, "")
	f("iphone", "/v1/links-sdk?path=https://sxm.example/r796r1qs0?city=paris", 200, `{"destination":"acme://paris"`, 2)
	f("iphone", "/v1/links-sdk?path=https://sxm.example/nothing00", 200, `{"destination":"https://sxm.example/nothing00"`)
	f("iphone", "/v1/links-sdk", 404, "")

	asked := `{"padding":"` + strings.Repeat("x", 4<<10) + `","data":{"url":"https://sxm.example/r796r1qs0?city=new%20york"}}`
	if res, text := send(http.MethodPost, "iphone", "/v1/links-sdk", asked); res.StatusCode != 200 || !strings.Contains(text, `"data":{"destination":"acme://new%20york"}`) {
		t.Errorf("a question in a body: %d %s", res.StatusCode, text)
	}
	if clicks := world.taken(t); len(clicks) != 1 || clicks[0].DeepLink != "acme://new%20york" {
		t.Errorf("a question in a body left %+v", clicks)
	}
}

// TestArchivedThroughTheDoor: printed codes go on to lead people on, and nothing
// of it is counted.
func TestArchivedThroughTheDoor(t *testing.T) {
	t.Parallel()
	world := &oneLink{link: worldLink()}
	world.link.Listing.Archived = true
	send := world.open(t)
	f := func(agent, address, contains string) {
		t.Helper()
		res, text := send(http.MethodGet, agent, address, "")
		if !strings.Contains(res.Header.Get("Location")+text, contains) {
			t.Errorf("%s %s: %d %q %q, want %q", agent, address, res.StatusCode, res.Header.Get("Location"), text, contains)
		}
		if clicks := world.taken(t); len(clicks) > 0 {
			t.Errorf("%s %s: the ledger has %+v", agent, address, clicks)
		}
	}
	f("linux", "/r796r1qs0", "https://apps.apple.com/app/id1234567890")
	f("iphone", "/r796r1qs0?city=paris", "acme://paris")
	f("iphone", "/imp/r796r1qs0", "GIF89a")
	f("linux", "/v1/cpi/click?campaign_id=koacme-ios-4fkz131i"+TrackerOf(scriptLink, 2).Legacy(), "https://apps.apple.com/app/id1234567890")
	f("iphone", "/v1/links-sdk?path=https://sxm.example/r796r1qs0?city=paris", `"acme://paris"`)
}

// TestReportedVisitors: the server of a partner says whose click it is, and what
// it says of its own is not kept of the visitor.
func TestReportedVisitors(t *testing.T) {
	t.Parallel()
	world := &oneLink{link: worldLink()}
	send := world.open(t)
	address := "/v1/cpi/click?campaign_id=koacme-ios-4fkz131i" + TrackerOf(scriptLink, 2).Legacy() + "&site_id=7&network_id=9&click_id=theirs" +
		"&ip_address=203.0.113.9&device_ua=" + url.QueryEscape(agents["pixel"])
	for range 2 { // what is known of a path is known of nobody in particular
		res, _ := send(http.MethodGet, "curl", address, "")
		clicks := world.taken(t)
		if res.StatusCode != 302 || len(clicks) != 1 {
			t.Fatalf("%d, and the ledger has %+v", res.StatusCode, clicks)
		}
		c := clicks[0]
		if c.IP != "203.0.113.9" || c.Agent != agents["pixel"] || c.Bot != "" || c.Platform != device.Android || c.Tracker != 2 || !strings.Contains(c.Query, "site_id=7&network_id=9&click_id=theirs") {
			t.Errorf("the ledger has %+v", c)
		}
	}
	send(http.MethodGet, "curl", strings.Split(address, "&")[0], "")
	if clicks := world.taken(t); len(clicks) != 1 || clicks[0].Bot == "" || clicks[0].IP == "203.0.113.9" {
		t.Errorf("without a visitor the ledger has %+v", clicks)
	}
}

package click

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"waypost/compat/onelink"
	"waypost/event"
	"waypost/internal/fault"
	"waypost/internal/network"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/manifest"
	"waypost/manage/memorystore"
)

// site is a door over a store in memory, with acme.yaml applied.
type site struct {
	t      testing.TB
	door   *Door
	rules  *manage.Service
	actor  manage.Actor
	ledger *memoryLedger
	store  *countingLinks
	client *fasthttp.Client
	now    time.Time
}

// memoryLedger keeps lines, or refuses them.
type memoryLedger struct {
	mu      sync.Mutex
	lines   []string
	refuse  error
	discard bool
}

func (l *memoryLedger) Append(line []byte) error {
	if l.discard {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return l.refuse
	}
	l.lines = append(l.lines, string(line))
	return nil
}

func (l *memoryLedger) clicks(t testing.TB) []event.Click {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []event.Click
	for _, line := range l.lines {
		c, err := event.DecodeClick([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// countingLinks counts reads and may refuse them.
type countingLinks struct {
	memory *memorystore.Store
	mu     sync.Mutex
	reads  int
	refuse error
	until  []time.Time // deadlines of the questions for hosts
}

// KnowsTargetHost knows one host beside those of the account's set-up.
func (c *countingLinks) KnowsTargetHost(ctx context.Context, account link.AccountID, host string) (bool, error) {
	deadline, _ := ctx.Deadline()
	c.mu.Lock()
	c.until = append(c.until, deadline)
	c.mu.Unlock()
	return account == 5899 && host == "stored.test", nil
}

func (c *countingLinks) ReadLink(ctx context.Context, path link.Path) (link.Link, error) {
	c.mu.Lock()
	c.reads++
	refuse := c.refuse
	c.mu.Unlock()
	if refuse != nil {
		return link.Link{}, refuse
	}
	return c.memory.ReadLink(ctx, path)
}

func (c *countingLinks) ReadLinkByID(ctx context.Context, id link.LinkID) (link.Link, error) {
	c.mu.Lock()
	c.reads++
	refuse := c.refuse
	c.mu.Unlock()
	if refuse != nil {
		return link.Link{}, refuse
	}
	return c.memory.ReadLinkByID(ctx, id)
}

// fail refuses to read from now on; nil reads again.
func (c *countingLinks) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = err
}

func newSite(t testing.TB, change ...func(*Config)) *site {
	t.Helper()
	s := &site{t: t, ledger: &memoryLedger{}, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	memory := memorystore.New()
	s.store = &countingLinks{memory: memory}
	clock := func() time.Time { return s.now }
	var err error
	s.rules, err = manage.New(t.Context(), manage.Config{Store: memory, Now: clock, Changed: func(p []link.Path) {
		if s.door != nil {
			s.door.Forget(p)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("../examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := manifest.Parse("acme.yaml", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.rules.Apply(t.Context(), parsed); err != nil {
		t.Fatal(err)
	}
	if s.actor, err = s.rules.Authenticate("acme-admin-token"); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Directory: s.rules.Directory, Links: s.store, Dialects: []Dialect{onelink.Clicks{}}, Ledger: s.ledger, Now: clock}
	for _, c := range change {
		c(&cfg)
	}
	if s.door, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// serve puts the door behind a real HTTP connection, in memory.
func (s *site) serve() {
	listener := fasthttputil.NewInmemoryListener()
	server := s.door.Server()
	go func() { _ = server.Serve(listener) }()
	s.t.Cleanup(func() { _ = listener.Close() })
	s.client = &fasthttp.Client{Dial: func(string) (net.Conn, error) { return listener.Dial() }}
}

func (s *site) create(code, data string) link.Link {
	s.t.Helper()
	l, _, err := s.rules.CreateLink(s.t.Context(), s.actor, manage.NewLink{
		Dialect: link.OneLink, Template: "A1b3", Code: code, Data: []byte(data), TTL: 24 * time.Hour, Renew: true, Source: link.SourceV2,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

const (
	androidAgent = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
	desktopAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)

// get clicks over the connection and returns status and Location.
func (s *site) get(uri string, headers ...string) (int, string) {
	s.t.Helper()
	if s.client == nil {
		s.serve()
	}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI("http://acme.localhost" + uri)
	req.URI().DisablePathNormalizing = true
	req.Header.SetUserAgent(desktopAgent)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if err := s.client.Do(req, resp); err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode(), string(resp.Header.Peek("Location"))
}

// TestBodyEndsTheConnection: what follows a body may have been smuggled past a
// proxy that saw another length of it, so it is not read.
func TestBodyEndsTheConnection(t *testing.T) {
	t.Parallel()
	f := func(framing string, answers int) {
		t.Helper()
		s := newSite(t)
		listener := fasthttputil.NewInmemoryListener()
		defer listener.Close()
		go func() { _ = s.door.Server().Serve(listener) }()
		conn, err := listener.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		request := "GET /A1b3 HTTP/1.1\r\nHost: acme.localhost\r\n"
		if _, err := io.WriteString(conn, request+framing+request+"Connection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if n := strings.Count(string(got), "HTTP/1.1 302"); err != nil || n != answers {
			t.Errorf("%q: %d answers, want %d (%v)\n%s", framing, n, answers, err, got)
		}
	}
	f("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1)
	f("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1)
	f("Content-Length: 4\r\n\r\nbody", 1)
	f("\r\n", 2)
}

func TestLinkIsReadOnceAndForgottenWhenChanged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.create("promo", `{"pid":"x","af_web_dp":"https://www.acme.test/one"}`)
	for range 3 {
		if status, to := s.get("/A1b3/promo"); status != 302 || !strings.HasPrefix(to, "https://www.acme.test/one") {
			t.Fatalf("got %d %s", status, to)
		}
	}
	if s.store.reads != 1 {
		t.Errorf("three clicks read the store %d times", s.store.reads)
	}
	if _, _, err := s.rules.ChangeLink(t.Context(), s.actor, "A1b3", "promo", manage.LinkChange{Data: []byte(`{"pid":"x","af_web_dp":"https://www.acme.test/two"}`)}); err != nil {
		t.Fatal(err)
	}
	if _, to := s.get("/A1b3/promo"); !strings.HasPrefix(to, "https://www.acme.test/two") {
		t.Errorf("after the change: %s", to)
	}
}

func TestUnannouncedChangeShowsWithinAMinute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.create("promo", `{"pid":"x"}`)
	s.get("/A1b3/promo")
	s.now = s.now.Add(30 * time.Second)
	s.get("/A1b3/promo")
	s.now = s.now.Add(31 * time.Second)
	s.get("/A1b3/promo")
	if s.store.reads != 2 {
		t.Errorf("the store was read %d times, want 2: at first and after a minute", s.store.reads)
	}
}

func TestMissIsRememberedUntilTheLinkIsMade(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for range 2 {
		if status, to := s.get("/A1b3/later"); status != 302 || to != "https://www.acme.test/" {
			t.Fatalf("got %d %s", status, to)
		}
	}
	if s.store.reads != 1 {
		t.Errorf("two clicks on nothing read the store %d times", s.store.reads)
	}
	s.create("later", `{"pid":"x","af_web_dp":"https://www.acme.test/now"}`)
	if _, to := s.get("/A1b3/later"); !strings.HasPrefix(to, "https://www.acme.test/now") {
		t.Errorf("after the link was made: %s", to)
	}
	states := []event.State{event.Gone, event.Gone, event.Live}
	for i, c := range s.ledger.clicks(t) {
		if c.State != states[i] || (c.Link != 0) != (c.State == event.Live) || c.Code != "later" {
			t.Errorf("click %d: %+v", i, c)
		}
	}
}

func TestExpiryIsSeenAtOnceAndRenewalToo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.create("short", `{"pid":"x","af_web_dp":"https://www.acme.test/live"}`)
	f := func(after time.Duration, want string) {
		t.Helper()
		s.now = l.CreatedAt.Add(after)
		if _, to := s.get("/A1b3/short"); !strings.HasPrefix(to, want) {
			t.Errorf("after %v the click goes to %s, want %s", after, to, want)
		}
	}
	f(0, "https://www.acme.test/live")
	f(24*time.Hour-time.Millisecond, "https://www.acme.test/live")
	f(24*time.Hour, "https://www.acme.test/")
	clicks := s.ledger.clicks(t)
	last := clicks[len(clicks)-1]
	if last.State != event.Expired || last.Link != 0 {
		t.Errorf("the click on the expired link is %+v", last)
	}
	s.door.Renewed(l.Path, s.now.Add(time.Hour))
	f(24*time.Hour+time.Second, "https://www.acme.test/live")
}

func TestPeopleAreRedirectedWhateverBreaks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.create("promo", `{"pid":"x","af_web_dp":"https://www.acme.test/one"}`)
	s.ledger.refuse = errors.New("the disk is full")
	if status, to := s.get("/A1b3/promo"); status != 302 || !strings.HasPrefix(to, "https://www.acme.test/one") {
		t.Errorf("without a ledger: %d %s", status, to)
	}
	if n := s.door.Counters().Unlogged.Load(); n != 1 {
		t.Errorf("%d clicks count as unlogged, want 1", n)
	}
	s.ledger.refuse = nil
	s.store.refuse = fault.New(fault.Unavailable, "the store is away")
	if status, to := s.get("/A1b3/other"); status != 302 || to != "https://www.acme.test/" {
		t.Errorf("without a store: %d %s", status, to)
	}
	if status, to := s.get("/A1b3/promo"); status != 302 || !strings.HasPrefix(to, "https://www.acme.test/one") {
		t.Errorf("a link in memory without a store: %d %s", status, to)
	}
	s.store.refuse = nil
	s.create("other", `{"pid":"x","af_web_dp":"https://www.acme.test/other"}`)
	if _, to := s.get("/A1b3/other"); !strings.HasPrefix(to, "https://www.acme.test/other") {
		t.Errorf("after the store came back: %s", to)
	}
}

// A URL may name many hosts; a store that hangs holds its click up once.
func TestHostsOfAClickShareTheirTime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/A1b3?af_r=https://one.test/&af_web_dp=https://two.test/&af_ios_url=https://stored.test/")
	if n := len(s.store.until); n != 3 {
		t.Fatalf("asked for %d hosts, want 3", n)
	}
	for _, until := range s.store.until {
		if until.IsZero() || until != s.store.until[0] {
			t.Errorf("the questions end at %v", s.store.until)
		}
	}
}

func TestWhatCountsAndWhatDoesNot(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	f := func(name string, want int, uri string, headers ...string) {
		t.Helper()
		before := len(s.ledger.clicks(t))
		s.get(uri, headers...)
		if got := len(s.ledger.clicks(t)) - before; got != want {
			t.Errorf("%s: %d events, want %d", name, got, want)
		}
	}
	f("a click", 1, "/A1b3")
	f("prefetch", 0, "/A1b3", "Sec-Purpose", "prefetch")
	f("old prefetch", 0, "/A1b3", "Purpose", "prefetch")
	f("Firefox's prefetch", 0, "/A1b3", "X-Moz", "prefetch")
	f("Safari's preview", 0, "/A1b3", "X-Purpose", "preview")
	f("a bot", 1, "/A1b3", "User-Agent", "Googlebot/2.1")
	f("redirect=false", 1, "/A1b3?redirect=false")
	f("unknown template", 0, "/none")
	f("association file", 0, "/.well-known/assetlinks.json")
	last := s.ledger.clicks(t)[1]
	if !strings.HasPrefix(last.Bot, "crawler:") {
		t.Errorf("the bot is stored as %+v", last)
	}
}

func TestEventHoldsWhatTheRequestSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *Config) {
		c.Country = func(a netip.Addr) string {
			if a == netip.MustParseAddr("203.0.113.9") {
				return "DE"
			}
			return ""
		}
		c.Network = func(a netip.Addr) string { return "of " + a.String() }
	})
	l := s.create("promo", `{"pid":"x"}`)
	ctx := hotRequest("/A1b3/promo?af_sub1=a%20b", androidAgent)
	ctx.Request.Header.Set("Accept-Language", "de")
	ctx.Request.Header.Set("Referer", "https://news.test/")
	s.door.Serve(ctx)
	got := s.ledger.clicks(t)[0]
	if got.ID == 0 {
		t.Error("the click has no id")
	}
	got.ID = 0
	want := event.Click{
		Kind: event.ClickKind, At: s.now.UnixMilli(), Account: 5899, Dialect: link.OneLink, Link: l.ID, Template: "A1b3", Code: "promo",
		Host: "acme.localhost", Route: "android-store", Platform: 2, OS: "14", Model: "Pixel 8", Agent: androidAgent,
		Language: "de", Referrer: "https://news.test/", Query: "af_sub1=a%20b", IP: "203.0.113.9", Country: "DE", Network: "of 203.0.113.9",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop every fourth thing")
	}
	lists := &network.Table{}
	if err := lists.Read("hosting", strings.NewReader("203.0.112.0/22\n203.0.113.9\n2001:db8::/32")); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(c *Config) { c.Network = lists.Find })
	s.ledger.discard = true
	s.create("promo", `{"pid":"news","c":"spring","deep_link_value":"product/1"}`)
	for _, agent := range []string{androidAgent, desktopAgent} {
		ctx := hotRequest("/A1b3/promo", agent)
		s.door.Serve(ctx)
		if ctx.Response.StatusCode() != fasthttp.StatusFound {
			t.Fatalf("status %d", ctx.Response.StatusCode())
		}
		n := testing.AllocsPerRun(200, func() {
			ctx.Response.Reset()
			s.door.Serve(ctx)
		})
		if n != 0 {
			t.Errorf("a click as %.30s allocates %v times", agent, n)
		}
	}
}

func hotRequest(path, agent string) *fasthttp.RequestCtx {
	ctx := &fasthttp.RequestCtx{}
	var req fasthttp.Request
	req.Header.SetMethod(fasthttp.MethodGet)
	req.SetRequestURI(path)
	req.Header.SetHost("acme.localhost:8080")
	req.Header.SetUserAgent(agent)
	req.Header.Set("Accept-Language", "de-DE,de;q=0.9")
	ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(203, 0, 113, 9), Port: 4711}, nil)
	return ctx
}

func BenchmarkServe(b *testing.B) {
	s := newSite(b)
	s.ledger.discard = true
	s.create("promo", `{"pid":"news","c":"spring","deep_link_value":"product/1"}`)
	ctx := hotRequest("/A1b3/promo", androidAgent)
	b.ReportAllocs()
	for b.Loop() {
		ctx.Response.Reset()
		s.door.Serve(ctx)
	}
}

func BenchmarkServeWithQuery(b *testing.B) {
	s := newSite(b)
	s.ledger.discard = true
	s.create("promo", `{"pid":"news","c":"spring","deep_link_value":"product/1"}`)
	ctx := hotRequest("/A1b3/promo?af_qr=true&fbclid=abc", androidAgent)
	b.ReportAllocs()
	for b.Loop() {
		ctx.Response.Reset()
		s.door.Serve(ctx)
	}
}

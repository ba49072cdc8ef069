package click

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"waypost/event"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

const iosAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"

// last returns the newest event and forgets it and all before it.
func (s *site) last() (c event.Click) {
	s.t.Helper()
	all := s.ledger.clicks(s.t)
	if len(all) != 1 {
		s.t.Errorf("there are %d events, want one", len(all))
	}
	if len(all) > 0 {
		c = all[len(all)-1]
	}
	s.ledger.clear()
	return c
}

func (l *memoryLedger) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = nil
}

func TestOwnedLinkIsClicked(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	l := s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: `a "b"/{click_id}`})
	f := func(uri, agent, to string, tracker link.Tracker, deep bool, query string) {
		t.Helper()
		got := s.send("GET", uri, "", "User-Agent", agent)
		if got.status != 302 || got.to != to || got.cache != "no-store, private" {
			t.Errorf("%s: %+v", uri, got)
		}
		c := s.last()
		want := event.Click{
			Kind: event.ClickKind, ID: c.ID, At: s.now.UnixMilli(), Account: 5899, Dialect: link.SmartLinks, Link: l.ID, Tracker: tracker,
			Code: "guid1", Host: "acme.localhost", Route: c.Route, Platform: c.Platform, OS: c.OS, Model: c.Model, Agent: agent, Query: query,
		}
		if deep {
			want.DeepLink = `a "b"/` + c.ID.String()
		}
		if strings.HasPrefix(uri, "mybranded") {
			want.Host = "mybranded.test"
		}
		if c.IP = ""; c != want {
			t.Errorf("%s: got  %+v\nwant %+v", uri, c, want)
		}
	}
	for range 2 { // from the store, and from memory
		f("acme.localhost/guid1", desktopAgent, "https://www.acme.test/one", link.CatchAll, false, "")
		f("ACME.localhost:8080/guid1/", iosAgent, "https://apps.apple.com/app/id1", 2, true, "")
		f("mybranded.test/guid1", desktopAgent, "https://www.acme.test/one", link.CatchAll, false, "")
		f("acme.localhost/guid1?to=https://shop.acme.test/x", desktopAgent, "https://shop.acme.test/x", link.CatchAll, false, "to=https://shop.acme.test/x")
		f("acme.localhost/guid1?to=https://evil.test/x", desktopAgent, "https://www.acme.test/one", link.CatchAll, false, "to=https://evil.test/x")
		f("acme.localhost/t/3/guid1", iosAgent, "https://www.acme.test/one", 3, false, "")
		f(fmt.Sprintf("acme.localhost/n/%d", l.ID), iosAgent, "https://apps.apple.com/app/id1", 2, true, "")
	}
	if s.store.reads != 2 {
		t.Errorf("the store was read %d times, want once by path and once by number", s.store.reads)
	}
}

func TestNothingIsThere(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	f := func(uri, body string) {
		t.Helper()
		got := s.send("GET", uri, "")
		if got.status != 404 || got.body != body || got.cache != "no-store, private" || got.to != "" {
			t.Errorf("%s: %+v", uri, got)
		}
	}
	f("acme.localhost/guid2", "Link not found")
	f("acme.localhost/imp/guid2", "Link not found")
	f("acme.localhost/n/12345", "Link not found")
	f("acme.localhost/n/x", "Link not found")
	f("acme.localhost/t/9/guid1", "Link not found") // the rules know no such tracker
	f("acme.localhost/nobody/x", "Application ID not found")
	f("rival.localhost/guid1", "Link not found") // acme's
	f("shared.test/", "Link not found")
	f("shared.test/guid1", "Link not found")
	f("shared.test/nobody", "Link not found")
	f("unknown.test/guid1", "Unknown link host")
	s.create("promo", `{"pid":"x"}`)
	f("acme.localhost/n/2", "Link not found") // a template's link
	if n := len(s.ledger.clicks(t)); n != 0 {
		t.Errorf("%d events", n)
	}
}

// TestNumbersStayInTheirAccount: a host of one account never answers for
// another's links, whatever numbers people try.
func TestNumbersStayInTheirAccount(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	l := s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	f := func(host string, status int) {
		t.Helper()
		if got := s.send("GET", fmt.Sprintf("%s/n/%d", host, l.ID), ""); got.status != status {
			t.Errorf("%s: %+v", host, got)
		}
	}
	f("acme.localhost", 302)
	f("boss.localhost", 302)
	f("shared.test", 302)
	f("rival.localhost", 404)
}

func TestMissesAreRememberedUntilTheLinkIsMade(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	for range 3 {
		if got := s.send("GET", "acme.localhost/later", ""); got.status != 404 {
			t.Fatalf("%+v", got)
		}
	}
	if s.store.reads != 1 {
		t.Errorf("three clicks on nothing read the store %d times", s.store.reads)
	}
	s.send("GET", "acme.localhost/n/1", "")
	s.send("GET", "acme.localhost/n/1", "")
	if s.store.reads != 2 {
		t.Errorf("two clicks on no number read the store %d times", s.store.reads-1)
	}
	l := s.own("later", fakeData{Web: "https://www.acme.test/now"})
	if got := s.send("GET", "acme.localhost/later", ""); got.to != "https://www.acme.test/now" {
		t.Errorf("after the link was made: %+v", got)
	}
	s.now = s.now.Add(1100 * time.Millisecond)
	if got := s.send("GET", fmt.Sprintf("acme.localhost/n/%d", l.ID), ""); got.to != "https://www.acme.test/now" {
		t.Errorf("by its number: %+v", got)
	}
}

// TestScannersDoNotFillTheMemory: what is not there costs an entry of a
// bounded cache and no place among the clicked paths.
func TestScannersDoNotFillTheMemory(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t, func(c *Config) { c.CacheBytes = 64 << 10 })
	for i := range 2000 {
		s.send("GET", fmt.Sprintf("acme.localhost/scan%d", i), "")
	}
	s.door.owners.links.CleanUp()
	if n := s.door.owners.links.EstimatedSize(); n > 200 {
		t.Errorf("%d paths are in memory", n)
	}
	if n := s.door.owners.spots.EstimatedSize(); n != 0 {
		t.Errorf("%d clicked paths are in memory, want none", n)
	}
}

func TestChangesOfOwnedLinksAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	l := s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	alias, _, err := s.rules.CreateAlias(t.Context(), 5899, manage.NewLink{
		Dialect: link.SmartLinks, Host: "acme.localhost", Prefix: "guid1/", Code: "a", Base: l.Path, Data: []byte(`{"p":1}`), Source: link.SourceSDK,
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(uri, to string, counts bool) {
		t.Helper()
		s.ledger.clear()
		got := s.send("GET", uri, "")
		if n := len(s.ledger.clicks(t)); got.status != 302 || !strings.HasPrefix(got.to, to) || (n == 1) != counts {
			t.Errorf("%s: %+v, %d events; want %s", uri, got, n, to)
		}
	}
	all := func(to string, counts bool) {
		t.Helper()
		for range 2 {
			f("acme.localhost/guid1", to, counts)
			f("acme.localhost/guid1?x=1", to, counts)
			f("acme.localhost/guid1/a", to, counts)
			f("acme.localhost/guid1/nosuch", to, counts)
			f(fmt.Sprintf("acme.localhost/n/%d", l.ID), to, counts)
			f(fmt.Sprintf("acme.localhost/n/%d", alias.ID), to, counts)
		}
	}
	all("https://www.acme.test/one", true)
	if _, err := s.rules.ChangeListed(t.Context(), s.actor, link.SmartLinks, l.ID, func(l *link.Link) error {
		l.Data = []byte(`{"Web":"https://www.acme.test/two"}`)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all("https://www.acme.test/two", true)
	if err := s.rules.ArchiveLink(t.Context(), s.actor, link.SmartLinks, l.ID); err != nil {
		t.Fatal(err)
	}
	all("https://www.acme.test/two", false)
	if got := s.send("GET", "acme.localhost/imp/guid1", ""); got.status != 200 || len(s.ledger.clicks(t)) != 0 {
		t.Errorf("the pixel of an archived link: %+v", got)
	}
	if err := s.rules.RemoveLink(t.Context(), s.actor, link.SmartLinks, l.ID); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"guid1", "guid1?x=1", "guid1/a", "guid1/nosuch", fmt.Sprint("n/", l.ID), fmt.Sprint("n/", alias.ID)} {
		if got := s.send("GET", "acme.localhost/"+uri, ""); got.status != 404 {
			t.Errorf("%s of a removed link: %+v", uri, got)
		}
	}
}

// TestNewConfigurationIsSeenAtOnce: what was compiled with another directory
// is compiled anew.
func TestNewConfigurationIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	s, f := newFakeSite(t)
	s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	for range 3 {
		s.send("GET", "acme.localhost/guid1", "")
	}
	if n := f.located.Load(); n != 1 {
		t.Errorf("three clicks locate the path %d times", n)
	}
	if _, err := s.rules.CreateGroup(t.Context(), s.actor, manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{30001}}); err != nil {
		t.Fatal(err)
	}
	s.send("GET", "acme.localhost/guid1", "")
	if n := f.located.Load(); n != 2 {
		t.Errorf("with another directory the path was located %d times, want 2", n)
	}
	if s.store.reads != 1 {
		t.Errorf("the store was read %d times", s.store.reads)
	}
}

func TestAliasesStandForTheirLink(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	l := s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	alias, _, err := s.rules.CreateAlias(t.Context(), 5899, manage.NewLink{
		Dialect: link.SmartLinks, Host: "acme.localhost", Prefix: "guid1/", Code: "a", Base: l.Path, Data: []byte(`{"p":1}`), TTL: time.Hour, Source: link.SourceSDK,
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(uri, to, code string) {
		t.Helper()
		got := s.send("GET", "acme.localhost/"+uri, "")
		c := s.last()
		stored := ""
		if code == "a" {
			stored = "alias=a"
		}
		if got.to != to || c.Stored != stored || c.Link != l.ID || c.Code != code || c.State != event.Live || c.Account != 5899 || c.Tracker != link.CatchAll {
			t.Errorf("%s: %+v, event %+v", uri, got, c)
		}
	}
	const with, without = "https://www.acme.test/one?alias=%7B%22p%22%3A1%7D", "https://www.acme.test/one"
	f("guid1/a", with, "a")
	f("guid1/a?x=1", with, "a")
	f("guid1/nosuch", without, "guid1")
	s.now = alias.ExpiresAt
	f("guid1/a", without, "guid1")
	f("guid1/a", without, "guid1")
	s.door.Renewed(alias.Path, s.now.Add(time.Hour))
	f("guid1/a", with, "a")
}

func TestExpiredOwnedLinkIsNotThere(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	l := link.Link{
		Account: 5899, Dialect: link.SmartLinks, Code: "short", Path: link.HostPath("acme.localhost", "short"), Source: link.SourceUI,
		Data: []byte(`{"Web":"https://www.acme.test/one"}`), TTL: time.Hour, ExpiresAt: s.now.Add(time.Hour),
	}
	if _, err := s.store.memory.CreateLinks(t.Context(), []*link.Link{&l}, s.now); err != nil {
		t.Fatal(err)
	}
	f := func(status int) {
		t.Helper()
		if got := s.send("GET", "acme.localhost/short", ""); got.status != status {
			t.Errorf("%+v, want %d", got, status)
		}
	}
	f(302)
	s.now = l.ExpiresAt
	f(404)
	s.door.Renewed(l.Path, s.now.Add(time.Hour))
	f(302)
}

// TestOwnedLinksOutliveTheStore: what is in memory goes on to hold while the
// store does not answer, and what is not is asked for again.
func TestOwnedLinksOutliveTheStore(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	s.own("guid2", fakeData{Web: "https://www.acme.test/two"})
	f := func(uri string, status int) {
		t.Helper()
		if got := s.send("GET", "acme.localhost/"+uri, ""); got.status != status {
			t.Errorf("%s: %+v, want %d", uri, got, status)
		}
	}
	f("guid1", 302)
	s.store.fail(fault.New(fault.Unavailable, "the store is away"))
	s.now = s.now.Add(2 * time.Minute)
	f("guid1", 302)
	f("guid2", 503)
	f("n/2", 503)
	s.store.fail(nil)
	f("guid2", 302)
	f("n/2", 302)
	if n := s.door.Counters().StoreErrors.Load(); n != 3 {
		t.Errorf("%d errors of the store are counted, want 3", n)
	}
}

func TestBrokenRulesStillAnswer(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	s.own("guid1", fakeData{Web: "https://www.acme.test/one"})
	if got := s.send("GET", "acme.localhost/guid1?break=1", ""); got.to != "https://www.acme.test/one" {
		t.Errorf("rules that break over the URL: %+v", got)
	}
	if _, _, err := s.rules.CreateLink(t.Context(), s.actor, manage.NewLink{
		Dialect: link.SmartLinks, Host: "acme.localhost", Code: "broken", Data: []byte(`{"Web":7}`), Source: link.SourceUI, Listing: &link.Listing{AppGroup: 4833, Name: "b"},
	}); err != nil {
		t.Fatal(err)
	}
	if got := s.send("GET", "acme.localhost/broken", ""); got.status != 200 || !strings.HasPrefix(got.kind, "text/html") {
		t.Errorf("rules that break: %+v", got)
	}
	if n := s.door.Counters().RuleErrors.Load(); n != 2 {
		t.Errorf("%d errors of rules are counted, want 2", n)
	}
	if n := len(s.ledger.clicks(t)); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

func TestOwnedHotPathAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop every fourth thing")
	}
	s, _ := newFakeSite(t)
	s.ledger.discard = true
	s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: "p/{click_id}", Fixed: true})
	for _, path := range []string{"/guid1", "/guid1?utm_source=x&fbclid=abc", "/imp/guid1"} {
		for _, agent := range []string{iosAgent, desktopAgent} {
			ctx := hotRequest(path, agent)
			s.door.Serve(ctx)
			if status := ctx.Response.StatusCode(); status != fasthttp.StatusFound && !strings.HasPrefix(path, "/imp") {
				t.Fatalf("status %d", status)
			}
			n := testing.AllocsPerRun(200, func() {
				ctx.Response.Reset()
				s.door.Serve(ctx)
			})
			if n != 0 {
				t.Errorf("%s as %.30s allocates %v times", path, agent, n)
			}
		}
	}
}

func BenchmarkServeOwned(b *testing.B) {
	s, _ := newFakeSite(b)
	s.ledger.discard = true
	s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: "p/1", Fixed: true})
	for _, path := range []string{"/guid1", "/guid1?utm_source=x&fbclid=abc"} {
		b.Run(path, func(b *testing.B) {
			ctx := hotRequest(path, iosAgent)
			b.ReportAllocs()
			for b.Loop() {
				ctx.Response.Reset()
				s.door.Serve(ctx)
			}
		})
	}
}

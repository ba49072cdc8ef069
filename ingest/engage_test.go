package ingest_test

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"waypost/attribution/history"
	"waypost/event"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

const browser = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36"

func someEngagement() ingest.Engagement {
	return ingest.Engagement{
		Dialect: link.OneLink, App: ingest.AppRef{Account: 5899, Name: "com.acme.app", Platform: device.Android}, Sender: "wide", Key: "req-1",
		Query: "pid=wide&c=spring&advertising_id=" + someGAID, Address: netip.MustParseAddr("::ffff:" + someIP), Agent: browser, Language: "de-DE",
	}
}

func TestEngagementIsAClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt, err := w.service.Engage(t.Context(), someEngagement())
	if err != nil {
		t.Fatal(err)
	}
	got, err := event.DecodeClick(w.ledger.Lines()[0])
	want := event.Click{
		Kind: event.ClickKind, ID: receipt.ID, At: noon.UnixMilli(), Account: 5899, Dialect: link.OneLink, Route: event.ServerRoute, Platform: device.Android,
		OS: "14", Model: "Pixel 8", Country: "DE", IP: someIP, Agent: browser, Language: "de-DE",
		Query: "waypost_app=26538&pid=wide&c=spring&advertising_id=" + someGAID,
	}
	if err != nil || got != want {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if !got.OfServer() {
		t.Error("nobody can tell that a server reported it")
	}
	forged := want
	forged.Host = "acme.localhost"
	if forged.OfServer() {
		t.Error("a clicked URL looks as if a server had reported it")
	}
	if params, err := url.ParseQuery(got.Query); err != nil || params.Get(event.AppParam) != "26538" {
		t.Errorf("the app is %q, %v", params, err)
	}
}

// TestEngagementsAddresses: an address inside the query is kept as the account
// says, also where a link opened the app.
func TestEngagementsAddresses(t *testing.T) {
	t.Parallel()
	f := func(app link.AppID, ip, want string) {
		t.Helper()
		w := newWorld(t)
		for _, opened := range []*ingest.Opened{nil, {Link: 7, Code: "c", Host: "h.test"}} {
			e := someEngagement()
			e.App, e.Query, e.Key, e.Opened = ingest.AppRef{ID: app}, "af_ip=203.0.113.77&c=x", "", opened
			if _, err := w.service.Engage(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			lines := w.ledger.Lines()
			got, err := event.DecodeClick(lines[len(lines)-1])
			if err != nil || got.IP != ip || !strings.HasSuffix(got.Query, want) {
				t.Errorf("app %d: kept %q and %q, %v", app, got.IP, got.Query, err)
			}
		}
	}
	f(26538, someIP, "af_ip=203.0.113.77&c=x")
	f(40002, "203.0.113.0", "af_ip=203.0.113.0&c=x")
	f(40003, "", "af_ip=0.0.0.0&c=x")
}

func TestEngagementMayBeAnImpression(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := someEngagement()
	e.View, e.Query, e.Agent, e.Address = true, "", "", netip.Addr{}
	e.Device = ingest.Device{OS: "15", Model: "SM-S911B"}
	if _, err := w.service.Engage(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	got, err := event.DecodeClick(w.ledger.Lines()[0])
	if err != nil || got.Kind != event.ImpressionKind || got.OS != "15" || got.Model != "SM-S911B" || got.Platform != device.Android || got.Query != "waypost_app=26538" || got.IP != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestEngagementSaysItsNetwork, which is the device's.
func TestEngagementSaysItsNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := someEngagement()
	e.Address = netip.MustParseAddr("::ffff:198.51.100.200")
	if _, err := w.service.Engage(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if got, err := event.DecodeClick(w.ledger.Lines()[0]); err != nil || got.Network != "hosting" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestEngagementsAreOneTouch: a repetition is not kept, has the same id after a
// restart, and two senders' ids are not confused.
func TestEngagementsAreOneTouch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	take := func(w *world, change func(*ingest.Engagement)) ingest.Receipt {
		t.Helper()
		e := someEngagement()
		change(&e)
		receipt, err := w.service.Engage(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		return receipt
	}
	plain := func(*ingest.Engagement) {}
	first := take(w, plain)
	if again := take(w, plain); again.ID != first.ID || w.ledger.Count() != 1 || w.service.Stats().Repeated != 1 {
		t.Errorf("a repetition: %+v, %d lines", again, w.ledger.Count())
	}
	if restarted := take(newWorld(t), plain); restarted.ID != first.ID {
		t.Errorf("after a restart: %+v", restarted)
	}
	for name, change := range map[string]func(*ingest.Engagement){
		"another sender": func(e *ingest.Engagement) { e.Sender = "narrow" },
		"another key":    func(e *ingest.Engagement) { e.Key = "req-2" },
		"a view":         func(e *ingest.Engagement) { e.View = true },
		"another app":    func(e *ingest.Engagement) { e.App = ingest.AppRef{ID: 24171} },
	} {
		if other := take(w, change); other.ID == first.ID {
			t.Errorf("%s has the same id", name)
		}
	}
	before := w.ledger.Count()
	keyless := func(e *ingest.Engagement) { e.Key = "" }
	one, two := take(w, keyless), take(w, keyless)
	if one.ID == two.ID || w.ledger.Count() != before+2 {
		t.Error("two reports without a key are one")
	}
}

// gated is a ledger whose lines wait for the gate.
type gated struct {
	ingesttest.Ledger
	gate    chan struct{}
	waiting atomic.Int32
}

func (g *gated) Append(line []byte) error {
	g.waiting.Add(1)
	<-g.gate
	return g.Ledger.Append(line)
}

// TestEngagementsAtOnceAreOne: while a report is being kept, equal ones wait for
// it; when it was not kept, each of them tries for itself.
func TestEngagementsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	f := func(name string, down error, lines, tries int, repeated uint64) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			const ids, callers = 5, 16
			g := &gated{gate: make(chan struct{})}
			g.Fail(down)
			d := someDirectory()
			service := ingest.New(ingest.Config{Directory: func() *link.Directory { return d }, Ledger: g, Decisions: ingesttest.NewDecisions()})
			var calls sync.WaitGroup
			for n := range ids * callers {
				calls.Go(func() {
					e := someEngagement()
					e.Key = "req-" + strconv.Itoa(n%ids)
					if _, err := service.Engage(t.Context(), e); fault.Is(err, fault.Unavailable) != (down != nil) {
						t.Errorf("%s: got %v", name, err)
					}
				})
			}
			synctest.Wait()
			if n := g.waiting.Load(); n != ids {
				t.Errorf("%s: %d lines at once", name, n)
			}
			close(g.gate)
			calls.Wait()
			if n := int(g.waiting.Load()); g.Count() != lines || n != tries || service.Stats().Repeated != repeated {
				t.Errorf("%s: %d lines of %d, %d repeated", name, g.Count(), n, service.Stats().Repeated)
			}
		})
	}
	f("kept", nil, 5, 5, 5*15)
	f("not kept", errDown, 0, 5*16, 0)
}

// TestEngagementsAreOneOverRestarts: what another process kept, the history
// knows; where that cannot be read, the click is kept.
func TestEngagementsAreOneOverRestarts(t *testing.T) {
	t.Parallel()
	before, w := newWorld(t), newWorld(t)
	first, err := before.service.Engage(t.Context(), someEngagement())
	if err != nil {
		t.Fatal(err)
	}
	w.decisions.Remember(first.ID, history.Touch{})
	for range 2 { // asked, and in memory from then on
		if again, err := w.service.Engage(t.Context(), someEngagement()); err != nil || again.ID != first.ID || w.ledger.Count() != 0 {
			t.Fatalf("got %+v, %v, %d lines", again, err, w.ledger.Count())
		}
		w.decisions.Forget(first.ID)
	}
	if w.service.Stats().Repeated != 2 {
		t.Errorf("%d repeated", w.service.Stats().Repeated)
	}
	e := someEngagement()
	e.Key = "req-2"
	w.decisions.Fail(errDown)
	if _, err := w.service.Engage(t.Context(), e); err != nil || w.ledger.Count() != 1 {
		t.Errorf("without the history: %v, %d lines", err, w.ledger.Count())
	}
}

// TestAnEngagementThatWasNotKeptIsNoRepetition when it is told again.
func TestAnEngagementThatWasNotKeptIsNoRepetition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Fail(errDown)
	if _, err := w.service.Engage(t.Context(), someEngagement()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	w.ledger.Fail(nil)
	if _, err := w.service.Engage(t.Context(), someEngagement()); err != nil || w.ledger.Count() != 1 {
		t.Errorf("got %v, %d lines", err, w.ledger.Count())
	}
}

func TestEngagementRefusals(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*ingest.Engagement), kind fault.Kind, field string) {
		t.Helper()
		w := newWorld(t)
		e := someEngagement()
		change(&e)
		if _, err := w.service.Engage(t.Context(), e); !fault.Is(err, kind) || fault.As(err).Field != field || w.ledger.Count() != 0 {
			t.Errorf("%s: got %v", name, err)
		}
	}
	f("an unknown app", func(e *ingest.Engagement) { e.App.Name = "x" }, fault.NotFound, ingest.FieldApp)
	f("a long key", func(e *ingest.Engagement) { e.Key = strings.Repeat("x", 129) }, fault.Invalid, ingest.FieldEventID)
	f("a long query", func(e *ingest.Engagement) { e.Query = strings.Repeat("x", 9000) }, fault.Invalid, ingest.FieldQuery)
	f("a line break", func(e *ingest.Engagement) { e.Query = "a=b\r\nc" }, fault.Invalid, ingest.FieldQuery)
}

// TestEngagementOfABot is kept with the reason; it earns nothing.
func TestEngagementOfABot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := someEngagement()
	e.Agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
	if _, err := w.service.Engage(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if got, err := event.DecodeClick(w.ledger.Lines()[0]); err != nil || got.Bot == "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestOpenedLinkIsItsClick: a link that opened an app past its host is clicked,
// not the app, and no server has reported it.
func TestOpenedLinkIsItsClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := someEngagement()
	e.Query, e.Opened = "pcn=a", &ingest.Opened{Link: 77, Code: "k6kj", Host: "acme.localhost", Stored: "pcn=b"}
	receipt, err := w.service.Engage(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	c, err := event.DecodeClick(w.ledger.Lines()[0])
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != receipt.ID || c.Route != event.OpenedRoute || c.Link != 77 || c.Code != "k6kj" || c.Host != "acme.localhost" || c.Stored != "pcn=b" || c.Query != "pcn=a" || c.OfServer() {
		t.Errorf("click %+v", c)
	}
}

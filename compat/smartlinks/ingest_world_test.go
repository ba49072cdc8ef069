package smartlinks_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/compat/smartlinks"
	"waypost/event"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/internal/device"
	"waypost/link"
)

// noon is the time of the servers of these tests.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	iosApp     = "koacme-ios-4fkz131i"
	androidApp = "koacme-android-tewdf"
	someIDFV   = "7a1c0b5e-3d2f-4b8a-9c6d-1e0f2a3b4c5d"
	someIDFA   = "A1B2C3D4-0000-4000-9000-00000000BEEF"
	someADID   = "38400000-8cf0-41bd-b23e-10b96e40000d"
	callerIP   = "198.51.100.9"
)

// ingestServer is the ingest API on a socket, over the core.
type ingestServer struct {
	t         testing.TB
	base      string
	ledger    *ingesttest.Ledger
	decisions *ingesttest.Decisions
	clock     *compattest.Clock
	service   *ingest.Service
}

func ingestDirectory(t testing.TB) *link.Directory {
	t.Helper()
	d, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{{ID: 5899, Key: "acme"}},
		Apps: []link.App{
			{ID: 24171, GUID: iosApp, Account: 5899, Platform: device.IOS},
			{ID: 26538, GUID: androidApp, Account: 5899, Platform: device.Android},
			{ID: 30002, Key: "Solo Android", Account: 5899, Platform: device.Android},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// undecided are decisions that nobody waits for: the vendor's apps only ask.
func undecided(t testing.TB) *ingesttest.Decisions {
	d := ingesttest.NewDecisions()
	t.Cleanup(func() {
		if keys := d.Awaited(); len(keys) != 0 {
			t.Errorf("somebody waited for the decisions of %q", keys)
		}
	})
	return d
}

func serveIngest(t testing.TB) *ingestServer {
	t.Helper()
	s := &ingestServer{t: t, ledger: &ingesttest.Ledger{}, decisions: undecided(t), clock: compattest.NewClock(noon)}
	d := ingestDirectory(t)
	s.service = ingest.New(ingest.Config{Directory: func() *link.Directory { return d }, Ledger: s.ledger, Decisions: s.decisions, Now: s.clock.Now})
	s.base = compattest.Serve(t, smartlinks.NewIngest(smartlinks.IngestConfig{
		Intake: s.service, Directory: func() *link.Directory { return d }, Now: s.clock.Now,
		Address: func(*http.Request) netip.Addr { return netip.MustParseAddr(callerIP) },
	}))
	return s
}

// all are the events since the start.
func (s *ingestServer) all() []event.Told {
	s.t.Helper()
	told, clicks := s.ledger.All(s.t)
	if len(clicks) != 0 {
		s.t.Fatalf("apps told clicks: %+v", clicks)
	}
	return told
}

// refusals is how many refused messages were counted.
func (s *ingestServer) refusals() (n uint64) {
	for _, of := range s.service.Stats().Refused {
		n += of
	}
	return n
}

// distinct counts the events that are no repetitions of others.
func (s *ingestServer) distinct() int {
	s.t.Helper()
	keys := map[[3]string]bool{}
	for _, e := range s.all() {
		keys[[3]string{string(e.Kind), e.Install, e.Key}] = true
	}
	return len(keys)
}

// post sends a body without a media type and returns the answer.
func (s *ingestServer) post(path, body string, headers ...string) (int, http.Header, string) {
	s.t.Helper()
	return s.send(http.MethodPost, path, body, headers...)
}

func (s *ingestServer) send(method, path, body string, headers ...string) (int, http.Header, string) {
	s.t.Helper()
	return compattest.Send(s.t, method, s.base+path, body, append([]string{"User-Agent", "Dalvik/2.1.0 (Linux; U; Android 16; Pixel 10 Pro Build/BP4A)"}, headers...)...)
}

// keep sends one message, which must be taken, and returns its event.
func (s *ingestServer) keep(body string) event.Told {
	s.t.Helper()
	before := len(s.all())
	if status, _, text := s.post("/track/json", body); status != http.StatusOK || text != `{"success":"1"}` {
		s.t.Fatalf("%s\n%d %s", body, status, text)
	}
	after := s.all()
	if len(after) != before+1 {
		s.t.Fatalf("%s\nleft %d events", body, len(after)-before)
	}
	return after[before]
}

// message writes a message: the envelope's fields beside action and app, and data.
func message(action, app, envelope, data string) string {
	if envelope != "" {
		envelope = "," + envelope
	}
	return `{"action":"` + action + `","kochava_app_id":"` + app + `"` + envelope + `,"data":{` + data + `}}`
}

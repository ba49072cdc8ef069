package ingest_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/ingest"
	"waypost/internal/fault"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	f := func(text string, want time.Time) {
		t.Helper()
		if got, err := ingest.ParseTime("at", text); err != nil || !got.Equal(want) {
			t.Errorf("ParseTime(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	f("1795176000", noon)
	f("1795176000000", noon)
	f(" 1795176000.5 ", noon.Add(500*time.Millisecond))
	f("1.795176e9", noon)
	f("2026-11-20T12:00:00Z", noon)
	f("946684800", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	f("4102444799", time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC))
	f("4102444800", time.Date(1970, 2, 17, 11, 34, 4, 800e6, time.UTC)) // no clock shows 2100
	f("315532800000", time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC))
	f("2026-11-20T13:00:00.250+01:00", noon.Add(250*time.Millisecond))
	f("2026-11-20 12:00:00.000", noon)
	f("2026-11-20 12:00:00", noon)
	f("2026-11-20T12:00:00", noon)
	for _, none := range []string{"", "0", "-1", "null", "  "} {
		f(none, time.Time{})
	}
	for _, bad := range []string{"soon", "-5", "1e300", "NaN", "{}", "20.11.2026", "2026-13-01 00:00:00", strings.Repeat("9", 400)} {
		if got, err := ingest.ParseTime("at", bad); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "at" || len(err.Error()) > 200 {
			t.Errorf("ParseTime(%q) = %v, %v", bad, got, err)
		}
	}
}

// TestAddressBehind: a proxy's word counts only where it is trusted.
func TestAddressBehind(t *testing.T) {
	t.Parallel()
	f := func(trusted, want string, forwarded ...string) {
		t.Helper()
		var prefixes []netip.Prefix
		if trusted != "" {
			prefixes = append(prefixes, netip.MustParsePrefix(trusted), netip.MustParsePrefix("10.0.0.0/8"))
		}
		address := ingest.AddressBehind(prefixes)
		got := make(chan netip.Addr, 1)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- address(r) }))
		defer server.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range forwarded {
			req.Header.Add("X-Forwarded-For", line)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if a := <-got; a.String() != want {
			t.Errorf("behind %q with %q: %s, want %s", trusted, forwarded, a, want)
		}
	}
	f("", "127.0.0.1")
	f("", "127.0.0.1", "203.0.113.7")
	f("127.0.0.0/8", "203.0.113.7", "203.0.113.7")
	f("127.0.0.0/8", "203.0.113.7", "198.51.100.1, 203.0.113.7, 10.1.2.3")
	f("127.0.0.0/8", "203.0.113.7", "198.51.100.1", "203.0.113.7:4711")
	f("127.0.0.0/8", "2001:db8::1", "[2001:db8::1]:443")
	f("127.0.0.0/8", "203.0.113.7", "::ffff:203.0.113.7")
	f("127.0.0.0/8", "127.0.0.1", "rubbish")
	f("127.0.0.0/8", "127.0.0.1")
}

func TestInstallOf(t *testing.T) {
	t.Parallel()
	f := func(want string, ids ...attribution.DeviceID) {
		t.Helper()
		if got := ingest.InstallOf(ids); got != want {
			t.Errorf("InstallOf(%v) = %q, want %q", ids, got, want)
		}
	}
	gaid := attribution.DeviceID{Kind: attribution.GAID, Value: " " + strings.ToUpper(someGAID)}
	f("")
	f("gaid:"+someGAID, gaid)
	f("gaid:"+someGAID, gaid, attribution.DeviceID{Kind: attribution.IDFV, Value: "00000000-0000-0000-0000-000000000000"})
	f("idfv:"+someIDFA, gaid, attribution.DeviceID{Kind: attribution.IDFV, Value: someIDFA})
	f("instance:X-1", gaid, attribution.DeviceID{Kind: attribution.Instance, Value: "X-1"})
	f("", attribution.DeviceID{Kind: attribution.GAID, Value: "rubbish"})
	long := func(end string) attribution.DeviceID {
		return attribution.DeviceID{Kind: attribution.Instance, Value: strings.Repeat("ab", 63) + end}
	}
	one, other := ingest.InstallOf([]attribution.DeviceID{long("1")}), ingest.InstallOf([]attribution.DeviceID{long("2")})
	if one == other || len(one) > 128 || !strings.HasPrefix(one, "instance:") {
		t.Errorf("long ids become %q and %q", one, other)
	}
}

// TestHashKeyKeepsPartsApart: parts that read the same when joined are not the same.
func TestHashKeyKeepsPartsApart(t *testing.T) {
	t.Parallel()
	keys := map[string]bool{}
	for _, parts := range [][]string{{}, {""}, {"ab"}, {"a", "b"}, {"", "ab"}, {"a1:b"}, {"a", "", "b"}} {
		key := ingest.HashKey(parts...)
		if keys[key] || key != ingest.HashKey(parts...) || len(key) > 64 {
			t.Errorf("HashKey(%q) = %s", parts, key)
		}
		keys[key] = true
	}
}

// TestLongestReportFitsTheLedger: everything at its bound is still one line
// that can be read back.
func TestLongestReportFitsTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := func(n int) string { return strings.Repeat("é", n/2) }
	r := someReport()
	r.Install, r.Key, r.User, r.Clipboard = long(128), long(128), long(256), long(256)
	r.AppVersion, r.SDK, r.Agent, r.OpenedURL = long(1000), long(1000), long(4000), long(8192)
	r.Device = ingest.Device{OS: long(1000), Model: long(1000), Locale: long(1000), Timezone: long(1000), Width: 1 << 30, Height: -1, Country: "Germany"}
	r.Referrer = &ingest.Referrer{Raw: long(8192)}
	for n := range 40 {
		r.Addresses = append(r.Addresses, netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}))
	}
	for n := range 128 {
		r.Withhold = append(r.Withhold, long(124)+strconv.Itoa(n))
	}
	if _, err := w.service.Open(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	told := w.last()
	if !slices.Equal(told.Withhold, r.Withhold) {
		t.Errorf("kept the partners %q", told.Withhold)
	}
	if len(told.AppVersion) != 64 || len(told.Agent) != 1024 || len(told.Model) != 64 || told.Width != 0 || told.Country != "" || len(told.IPs) != 8 ||
		told.OpenedURL != r.OpenedURL || told.Referrer.Raw != r.Referrer.Raw || told.Kind != event.OpenKind {
		t.Errorf("kept %+v", told)
	}
}

// FuzzOpen: no body makes the API fail, and what it keeps can be read back.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{
		fullOpen, least + `}`, `{}`, `null`, `[]`, `7`, `{"ids":{"gaid":7}}`, `{"APP_KEY":"acme-sdk-key"}`, least + `,"ids":{"gaid":{"type":"sha1"}}}`,
		least + `,"events":[{"name":"a","at":-1,"revenue":{"amount":1e5}},null,[]]}`, least + `,"consent":null,"att":{"status":2},"user_id":"\ud800"}`,
		least + `,"sent_at":1e18,"at":"9999-12-31T23:59:59Z"}`, "{\"app_key\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newWorld(t)
		server := w.door(time.Nanosecond)
		for _, call := range []string{"open", "events", "consent", "identify"} {
			before := w.ledger.Count()
			got := send(t, server, "/sdk/v1/"+call, body)
			if got.status >= 500 {
				t.Fatalf("%s answered %d %v", call, got.status, got.body)
			}
			if kept := w.ledger.Count() - before; got.status != 200 && kept != 0 || got.status == 200 && call != "events" && kept != 1 {
				t.Fatalf("%s answered %d and kept %d", call, got.status, kept)
			}
		}
		for _, line := range w.ledger.Lines() {
			told, err := event.DecodeTold(line)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if offset := time.Duration(told.At-told.ReceivedAt) * time.Millisecond; offset < -30*24*time.Hour || offset > 5*time.Minute {
				t.Fatalf("believes a time %v from now", offset)
			}
		}
	})
}

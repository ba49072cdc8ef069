package click

import (
	"bytes"
	"os"
	"testing"

	"github.com/valyala/fasthttp"

	"waypost/manage/manifest"
)

// keep changes what the site's first account keeps of addresses.
func (s *site) keep(policy string) {
	s.t.Helper()
	file, err := os.ReadFile("../examples/acme.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	line := []byte("    timezone: UTC\n")
	if !bytes.Contains(file, line) {
		s.t.Fatalf("acme.yaml has no %q", line)
	}
	parsed, err := manifest.Parse("acme.yaml", bytes.Replace(file, line, []byte("    privacy: {ip: "+policy+"}\n"), 1))
	if err == nil {
		_, err = s.rules.Apply(s.t.Context(), parsed)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestAddressesInQueries: what servers write into a clicked URL of a visitor's address is kept as the account says, in the query and where it goes on into
// the deep link. The person is sent where the URL says.
func TestAddressesInQueries(t *testing.T) {
	t.Parallel()
	f := func(policy, ip, query, deepLink string) {
		t.Helper()
		s, _ := newFakeSite(t)
		s.keep(policy)
		s.create("promo", `{"pid":"x"}`)
		s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: "shoes?ip=198.51.100.77&x=1", Fixed: true})
		s.door.Serve(hotRequest("/A1b3/promo?af_ip=198.51.100.77&c=1.2.3.4", androidAgent))
		s.door.Serve(hotRequest("/guid1?ip_address=198.51.100.77&c=1.2.3.4", iosAgent))
		for i, got := range s.ledger.clicks(t) {
			if want := []string{"af_ip", "ip_address"}[i] + "=" + query + "&c=1.2.3.4"; got.IP != ip || got.Query != want {
				t.Errorf("%s: ip %q, query %q; want %q", policy, got.IP, got.Query, want)
			}
			if want := []string{"", "shoes?ip=" + deepLink + "&x=1"}[i]; got.DeepLink != want {
				t.Errorf("%s: deep link %q, want %q", policy, got.DeepLink, want)
			}
		}
	}
	f("full", "203.0.113.9", "198.51.100.77", "198.51.100.77")
	f("truncated", "203.0.113.0", "198.51.100.0", "198.51.100.0")
	f("none", "", "0.0.0.0", "0.0.0.0")
}

func TestPrivateHotPathAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop every fourth thing")
	}
	s, _ := newFakeSite(t)
	s.ledger.discard = true
	s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: "p/{click_id}?x=1", Fixed: true})
	for _, policy := range []string{"truncated", "none"} {
		s.keep(policy)
		for _, path := range []string{"/guid1", "/guid1?utm_source=x&fbclid=abc"} {
			ctx := hotRequest(path, iosAgent)
			s.door.Serve(ctx)
			if status := ctx.Response.StatusCode(); status != fasthttp.StatusFound {
				t.Fatalf("status %d", status)
			}
			n := testing.AllocsPerRun(200, func() {
				ctx.Response.Reset()
				s.door.Serve(ctx)
			})
			if n != 0 {
				t.Errorf("%s, %s allocates %v times", policy, path, n)
			}
		}
	}
}

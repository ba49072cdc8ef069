package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNetworkLists: a click through a hosting provider is flagged, an install
// through one earns nobody anything, and both are told to who asks why.
func TestNetworkLists(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if err := s.p.stop(); err != nil {
		t.Fatal(err)
	}
	hosting, relay := filepath.Join(t.TempDir(), "hosting.txt"), filepath.Join(t.TempDir(), "egress-ip-ranges.csv")
	for file, text := range map[string]string{
		hosting: "# providers\n203.0.113.160/28\n2001:db8:a::/48\n", relay: "203.0.113.168/31,DE,DE-BE,Berlin,\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.p = s.start("--network-lists", "hosting="+hosting+",relay="+relay)
	s.p.create(t, "hosted", `{"pid":"wide","c":"hosted"}`)
	f := func(install, clicked, opened, status, why string) {
		t.Helper()
		referrer := s.fromPlay("/A1b3/hosted?clickid="+install, clicked)
		told := s.open(first(install, opened, fields{"referrer": fields{"raw": referrer}}))
		if told.Attribution.Status != status {
			t.Errorf("%s is told %+v, want %s", install, told, status)
		}
		out, stderr, code := run(t, "explain", "install", "--data", s.data, install)
		flagged := strings.Contains(out, "flag: anonymous_")
		if code != 0 || why != "" && !strings.Contains(out, "flag: "+why) || why == "" && flagged {
			t.Errorf("explain install %s: %d %s%s; want %q", install, code, out, stderr, why)
		}
		if code, body := s.p.call(t, "GET", "/waypost/v1/installs/26538/"+install, "acme-read-token", ""); code != 200 || strings.Contains(body, "anonymous_") != (why != "") || !strings.Contains(body, why) {
			t.Errorf("the API explains %s as %d %s; want %q", install, code, body, why)
		}
	}
	const home = "203.0.113.150"
	f("from-home", home, home, "non_organic", "")
	f("clicked-there", "203.0.113.161", home, "non_organic", "anonymous_touch")
	f("clicked-there-6", "2001:db8:a::7", home, "non_organic", "anonymous_touch")
	f("relayed", "203.0.113.169", home, "non_organic", "")
	f("installed-there", home, "203.0.113.162", "organic", "anonymous_traffic")
}

package privacy_test

import (
	"strings"
	"testing"

	"waypost/link"
	"waypost/privacy"
)

func TestAppendQuery(t *testing.T) {
	t.Parallel()
	f := func(query, truncated, none string) {
		t.Helper()
		for policy, want := range map[link.IPPolicy]string{link.IPFull: query, "": query, link.IPTruncated: truncated, link.IPNone: none, "some": none} {
			if got := string(privacy.AppendQuery([]byte("q?"), policy, []byte(query))); got != "q?"+want {
				t.Errorf("%s of %s: got %s, want %s", policy, query, got, want)
			}
		}
	}
	same := func(query string) { t.Helper(); f(query, query, query) }
	f("ip=203.0.113.77", "ip=203.0.113.0", "ip=0.0.0.0")
	f("a=1&ip=203.0.113.77&&b=%zz&", "a=1&ip=203.0.113.0&&b=%zz&", "a=1&ip=0.0.0.0&&b=%zz&")
	f("IP_address=203.0.113.77&af_ip=198.51.100.9", "IP_address=203.0.113.0&af_ip=198.51.100.0", "IP_address=0.0.0.0&af_ip=0.0.0.0")
	f("remoteAddr=203.0.113.77", "remoteAddr=203.0.113.0", "remoteAddr=0.0.0.0")
	f("%69%70=2%303.0.113.77", "%69%70=203.0.113.0", "%69%70=0.0.0.0")
	f("ipv6=2001%3Adb8%3A1%3A2%3A%3A9", "ipv6=2001:db8:1::", "ipv6=0.0.0.0")
	f("ip=%5B2001:db8:1:2::9%5D:443", "ip=2001:db8:1::", "ip=0.0.0.0")
	f("ip=::ffff:203.0.113.77", "ip=203.0.113.0", "ip=0.0.0.0")
	f("ip=203.0.113.77:8080", "ip=203.0.113.0", "ip=0.0.0.0")
	f("ip=+203.0.113.77%20", "ip=203.0.113.0", "ip=0.0.0.0")
	f("ip=un+known%2C203.0.113.77,198.51.100.9", "ip=un+known,203.0.113.0,198.51.100.0", "ip=un+known,0.0.0.0,0.0.0.0")
	same("")
	same("&&")
	same("ip")
	same("ip=")
	same("=203.0.113.77")
	same("ip={ip}")
	same("ip=300.1.2.3")
	same("ip=%zz203.0.113.77")
	same("zip=12345&ship=no")
	same("version=1.2.3.4&ve=10.0.0.1") // no name of an address
	same("ip=" + strings.Repeat("1", 300))
}

func TestAppendURL(t *testing.T) {
	t.Parallel()
	f := func(rawURL, want string) {
		t.Helper()
		if got := string(privacy.AppendURL([]byte("u:"), link.IPTruncated, []byte(rawURL))); got != "u:"+want {
			t.Errorf("%s: got %s, want %s", rawURL, got, want)
		}
		if got := string(privacy.AppendURL(nil, link.IPFull, []byte(rawURL))); got != rawURL {
			t.Errorf("full of %s: got %s", rawURL, got)
		}
	}
	f("", "")
	f("acme://shoes", "acme://shoes")
	f("acme://shoes?ip=203.0.113.77&x=1#ip=203.0.113.77", "acme://shoes?ip=203.0.113.0&x=1#ip=203.0.113.77")
	f("acme://shoes#?ip=203.0.113.77", "acme://shoes#?ip=203.0.113.77")
	f("acme://shoes?", "acme://shoes?")
}

// Not parallel: AllocsPerRun counts the allocations of the whole process.
func TestAppendQueryAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 256)
	query := []byte("pid=news&c=spring&af_sub1=a%20b&ve=10.0.0.1&p")
	for _, policy := range []link.IPPolicy{link.IPFull, link.IPTruncated, link.IPNone} {
		if n := testing.AllocsPerRun(100, func() { buf = privacy.AppendURL(privacy.AppendQuery(buf[:0], policy, query), policy, query) }); n != 0 {
			t.Errorf("%s: %v allocations", policy, n)
		}
	}
}

// FuzzAppendQuery: full keeps every byte, and what was cut once stays as it is.
func FuzzAppendQuery(f *testing.F) {
	for _, seed := range []string{"ip=203.0.113.77", "a&ip=1.2.3.4,x&", "%69p=%5B::1%5D:1", "ip=%", "ip=fe80::1%25eth0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if got := string(privacy.AppendQuery(nil, link.IPFull, []byte(query))); got != query {
			t.Fatalf("full: %q of %q", got, query)
		}
		for _, policy := range []link.IPPolicy{link.IPTruncated, link.IPNone} {
			once := privacy.AppendQuery(nil, policy, []byte(query))
			if twice := privacy.AppendQuery(nil, policy, once); string(twice) != string(once) {
				t.Fatalf("%s: %q, then %q", policy, once, twice)
			}
		}
	})
}

package click

import (
	"net"
	"net/netip"
	"testing"

	"github.com/valyala/fasthttp"
)

// TestAddressBehindProxies: whoever is no trusted proxy may have invented what
// stands before him.
func TestAddressBehindProxies(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	})
	f := func(peer, want string, lines ...string) {
		t.Helper()
		var req fasthttp.Request
		hotRequest("/A1b3", desktopAgent).Request.CopyTo(&req)
		for _, line := range lines {
			req.Header.Add("X-Forwarded-For", line)
		}
		ctx := &fasthttp.RequestCtx{}
		ctx.Init(&req, &net.TCPAddr{IP: net.ParseIP(peer), Port: 4711}, nil)
		s.door.Serve(ctx)
		clicks := s.ledger.clicks(t)
		if got := clicks[len(clicks)-1].IP; got != want {
			t.Errorf("%s says %q: the visitor is %q, want %q", peer, lines, got, want)
		}
	}
	f("203.0.113.9", "203.0.113.9")
	f("203.0.113.9", "203.0.113.9", "6.6.6.6")
	f("10.0.0.1", "10.0.0.1")
	f("10.0.0.1", "203.0.113.9", "203.0.113.9")
	f("10.0.0.1", "203.0.113.9", "6.6.6.6, 203.0.113.9, 10.0.0.7")
	f("10.0.0.1", "203.0.113.9", "6.6.6.6", "203.0.113.9")
	f("10.0.0.1", "203.0.113.9", "6.6.6.6, 203.0.113.9", "10.0.0.7,10.0.0.8")
	f("10.0.0.1", "10.0.0.7", "10.0.0.7")
	f("10.0.0.1", "10.0.0.1", "unknown")
	f("10.0.0.1", "10.0.0.7", "6.6.6.6, unknown, 10.0.0.7")
	f("10.0.0.1", "203.0.113.9", "203.0.113.9:5678")
	f("10.0.0.1", "203.0.113.9", "::ffff:203.0.113.9")
	f("10.0.0.1", "2001:470::1", "[2001:470::1]:5678")
	f("2001:db8::1", "2001:470::1", "2001:470::1")
}

package postback

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"waypost/internal/outbound"
)

// guard decides which addresses may be dialled. A partner chooses what his
// host's name resolves to, so the address is judged at each dial, after DNS.
type guard struct {
	resolver *net.Resolver // nil: the system's
	// own are networks of the operator that any configured host may lead to.
	own []netip.Prefix
	// named tells that the postback's own URL names the host, so that it may
	// be an address, or a name, of a private network.
	named bool
}

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if err := outbound.CheckHost(host); err != nil {
		return nil, err
	}
	d := net.Dialer{
		Timeout: attemptTimeout, KeepAlive: 30 * time.Second, Resolver: g.resolver,
		ControlContext: func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return fmt.Errorf("dial %s: %w", resolved, err)
			}
			return g.check(host, at.Addr())
		},
	}
	return d.DialContext(ctx, network, address)
}

// check says why an address that host resolved to may not be dialled, or nil.
func (g *guard) check(host string, ip netip.Addr) error {
	ip = ip.Unmap()
	if outbound.IsPublic(ip) || slices.ContainsFunc(g.own, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return nil
	}
	if err := outbound.CheckAddress(ip); err != nil {
		return fmt.Errorf("%s leads to %s: %w", host, ip, err)
	}
	if g.named && (isLiteral(host, ip) || isInternal(host)) {
		return nil
	}
	return fmt.Errorf("%s leads to %s, which is no public address; a private one must stand in the postback's URL itself", host, ip)
}

func isLiteral(host string, ip netip.Addr) bool {
	literal, err := netip.ParseAddr(host)
	return err == nil && literal.Unmap() == ip
}

// isInternal reports whether a name means something inside a private network
// only, so that no stranger chooses where it leads: names of one label and
// those under the suffixes of RFC 6761, RFC 6762, RFC 8375 and ICANN's .internal.
func isInternal(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return true
	}
	for _, suffix := range []string{".localhost", ".local", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

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
	if err := checkHost(host); err != nil {
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
	switch {
	case isPublic(ip):
	case slices.ContainsFunc(g.own, func(p netip.Prefix) bool { return p.Contains(ip) }):
	case g.named && isPrivate(ip) && (isLiteral(host, ip) || isInternal(host)):
	default:
		return fmt.Errorf("%s leads to %s, which is no public address; a private one must stand in the postback's URL itself", host, ip)
	}
	return nil
}

// checkHost refuses numbers that some resolvers read as addresses: 2130706433,
// 0x7f.1, 127.1 and their like (URL Standard, "ends in a number").
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if last == "" || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(strings.ToLower(last), "0x") {
		return fmt.Errorf("%q is neither a host name nor an address of four decimal numbers", host)
	}
	return nil
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

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

// isPrivate reports whether an operator's own services may live there. Link-local
// addresses are not among them: clouds hand out credentials on one.
func isPrivate(ip netip.Addr) bool {
	return ip.IsPrivate() || ip.IsLoopback() || carrierNAT.Contains(ip)
}

// special are networks that are not the public Internet (IANA's special-purpose
// registries), beside those that netip knows.
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global is all of IPv6 that is given out for the public Internet; what embeds
// IPv4 addresses (64:ff9b::/96, ::/96) lies outside of it.
var global = netip.MustParsePrefix("2000::/3")

func isPublic(ip netip.Addr) bool {
	if ip.Zone() != "" || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is6() && !global.Contains(ip) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

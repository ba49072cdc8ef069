// Package privacy cuts what happened down to what may be kept of the people
// involved. It does no I/O and keeps nothing.
package privacy

import (
	"net/netip"
	"strings"

	"waypost/link"
)

// Prefixes that a truncated address keeps. A /24 and a /48 are what an access
// provider hands to a district or a site: enough for a country, too little for
// a household.
const (
	bits4 = 24
	bits6 = 48
)

// AppendAddress appends the visitor's address as the policy lets events keep
// it: whole, with the host part zero, or nothing. An IPv4 address that came
// mapped into IPv6 is IPv4; a zone is left out, because it names an interface
// of our own machine. A policy that is not known keeps nothing. It allocates
// nothing beyond growing dst.
func AppendAddress(dst []byte, policy link.IPPolicy, ip netip.Addr) []byte {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() {
		return dst
	}
	switch policy {
	case link.IPFull, "":
		return ip.AppendTo(dst)
	case link.IPTruncated:
		bits := bits6
		if ip.Is4() {
			bits = bits4
		}
		cut, err := ip.Prefix(bits)
		if err != nil { // the bits fit both kinds of address, so this is none
			return dst
		}
		return cut.Addr().AppendTo(dst)
	}
	return dst
}

// ParseAddress reads an address as clients, servers and proxies write it: with
// a port or brackets, perhaps, and IPv4 perhaps mapped into IPv6, of which it
// returns the IPv4. A zone is dropped.
func ParseAddress(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return addr.Unmap().WithZone(""), err
}

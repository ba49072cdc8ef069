package ingest

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"waypost/privacy"
)

// AddressBehind returns who a request came from. A proxy's word in
// X-Forwarded-For counts only where the operator trusts the proxy; the last
// address of the chain that is no trusted proxy is the caller, because
// everything before it may be invented.
func AddressBehind(trusted []netip.Prefix) func(*http.Request) netip.Addr {
	trusts := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return func(r *http.Request) netip.Addr {
		at, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return netip.Addr{}
		}
		peer := at.Addr().Unmap()
		if !trusts(peer) {
			return peer
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, hop := range slices.Backward(hops) {
			addr, err := privacy.ParseAddress(hop)
			if err != nil {
				return peer
			}
			if peer = addr; !trusts(peer) {
				return peer
			}
		}
		return peer
	}
}

// Package outbound says which URLs, hosts and addresses may be called from
// here. It does no I/O: what a name leads to is judged when it is dialled.
package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckURL says why a URL can never be called, whatever its host's name leads
// to, or nil. The reason does not hold the URL's path and query.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("this is no http or https URL with a host, such as https://example.com/path")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("there is no port %s; it must be 1 to 65535, or left out", port)
		}
	}
	return CheckHost(u.Hostname())
}

// CheckHost says why a host, an address or a name, can never be called, or nil.
func CheckHost(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		return CheckAddress(ip)
	}
	if isNumber(host) {
		return fmt.Errorf("%q is neither a host name nor an address of four decimal numbers such as 10.0.0.5", host)
	}
	if !isName(host) {
		return fmt.Errorf("%q is no host name; it must be words of up to 63 letters, digits and hyphens with single dots between them", host)
	}
	return nil
}

// isNumber reports whether some resolvers read a host as an address: 2130706433,
// 0x7f.1, 127.1 and their like (URL Standard, "ends in a number"). Digits and
// dots beyond ASCII become those of ASCII before a name is asked for.
func isNumber(host string) bool {
	last := strings.TrimSuffix(host, ".")
	if n := strings.LastIndexAny(last, ".\u3002\uff0e\uff61"); n >= 0 {
		_, dot := utf8.DecodeRuneInString(last[n:])
		last = last[n+dot:]
	}
	if strings.TrimFunc(last, unicode.IsNumber) == "" || strings.HasPrefix(strings.ToLower(last), "0x") {
		return true
	}
	return !isASCII(last) && strings.IndexFunc(last, unicode.IsNumber) == 0
}

// isName reports whether a resolver can ask for a name (RFC 1035 §2.3.4). It
// takes the underscores that some names have. How long a name beyond ASCII is
// tells only its encoding.
func isName(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if isASCII(host) && len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || isASCII(label) && len(label) > 63 || strings.ContainsFunc(label, notInName) {
			return false
		}
	}
	return true
}

func notInName(r rune) bool {
	return r <= unicode.MaxASCII && r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// CheckAddress says why an address is never called, or nil for those that are
// public or private.
func CheckAddress(ip netip.Addr) error {
	ip = ip.Unmap()
	switch {
	case IsPublic(ip) || isPrivate(ip):
		return nil
	case ip.IsUnspecified():
		return fmt.Errorf("%s is never called: it names no machine; this one is 127.0.0.1 or localhost", ip)
	case ip.IsLinkLocalUnicast():
		return fmt.Errorf("%s is never called: it is link-local, where clouds hand out credentials; "+
			"a host is a name, or an address that is public, private or loopback", ip)
	}
	return fmt.Errorf("%s is never called: it is of special purpose; a host is a name, or an address that is public, private or loopback", ip)
}

// IsPublic reports whether an address is of the public Internet.
func IsPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.Zone() != "" || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is6() && !global.Contains(ip) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// isPrivate reports whether an operator's own services may live there. Link-local
// addresses are not among them: clouds hand out credentials on one.
func isPrivate(ip netip.Addr) bool {
	return ip.IsPrivate() || ip.IsLoopback() || carrierNAT.Contains(ip)
}

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

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

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

package attribution

import (
	"net/netip"
	"slices"

	"waypost/internal/device"
)

// Facts are what one side knows of the device. What is empty is not known and
// never counts, neither for nor against a match. Values that are known to be
// frozen ("Android 10; K", Safari's 18_6) must be left empty by who fills them;
// internal/device does.
type Facts struct {
	Platform  device.Platform
	OSVersion string
	Model     string
	Locale    string // "en-US": the first tag alone
	Timezone  string // IANA name
	Screen    Screen
	Country   string // ISO 3166-1, two capitals
	// Addresses from which the device spoke: usually one, sometimes one of each family.
	Addresses []Address
}

// Screen is a size in physical pixels, whichever way the device is held.
type Screen struct {
	Width, Height int
}

// Address is an Internet address and what is known of its network.
type Address struct {
	IP netip.Addr
	// Cut tells that privacy took the host part away. Such an address is
	// a district's, not a device's, and matches nothing.
	Cut     bool
	Network Network
}

// Network is who runs an address.
type Network string

// Networks. The empty one is not known.
const (
	Residential Network = "residential"
	Cellular    Network = "cellular" // many people behind one address
	Hosting     Network = "hosting"
	VPN         Network = "vpn"
	Tor         Network = "tor"
	Relay       Network = "relay" // iCloud Private Relay: browsers only, apps are not relayed
)

// Networks lists those that have a name.
func Networks() []Network { return []Network{Residential, Cellular, Hosting, VPN, Tor, Relay} }

// hides reports whether people use the network to be somewhere else. Private
// Relay is no sign of that: it is on by default for many.
func (n Network) hides() bool {
	return n == Hosting || n == VPN || n == Tor
}

// sharedSpace is RFC 6598: the inside of a carrier's NAT. dsLite is RFC 6333.
var (
	sharedSpace = netip.MustParsePrefix("100.64.0.0/10")
	dsLite      = netip.MustParsePrefix("192.0.0.0/24")
)

// bits6 is how much of an IPv6 address is the household's: devices change the
// rest by themselves (RFC 8981).
const bits6 = 64

// place is where on the Internet the device is: the whole IPv4 address, or the
// /64 of an IPv6 address. It is not ok for addresses that say nothing about
// where the device is.
func (a Address) place() (p netip.Prefix, ok bool) {
	ip := a.IP.Unmap().WithZone("")
	if a.Cut || a.Network.hides() || a.Network == Relay || !ip.IsGlobalUnicast() || ip.IsPrivate() ||
		sharedSpace.Contains(ip) || dsLite.Contains(ip) {
		return p, false
	}
	bits := bits6
	if ip.Is4() {
		bits = ip.BitLen()
	}
	p, err := ip.Prefix(bits)
	return p, err == nil
}

// places are the distinct usable places of the device.
func (f *Facts) places() []netip.Prefix {
	found := make([]netip.Prefix, 0, len(f.Addresses))
	for _, a := range f.Addresses {
		if p, ok := a.place(); ok && !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	return found
}

// through reports whether one of the addresses belongs to such a network.
func (f *Facts) through(is func(Network) bool) bool {
	return slices.ContainsFunc(f.Addresses, func(a Address) bool { return is(a.Network) })
}

func isCellular(n Network) bool { return n == Cellular }

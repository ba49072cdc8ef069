package simulate

import (
	"fmt"
	"net/netip"
	"time"

	"waypost/attribution"
	"waypost/internal/device"
)

// line is a way into the Internet.
type line struct {
	v4 netip.Addr
	v6 netip.Addr // zero: none
}

// person is somebody with a phone.
type person struct {
	id             int
	platform       device.Platform
	model          phone
	version        string // as the system tells an app
	locale         string
	home, carrier  *line
	vpn            *line // nil: none
	adID           string
	tracking       attribution.Answer
	relayed        bool // Private Relay is on
	withoutConsent bool
	lateReports    bool          // his first report reaches the server late
	clock          time.Duration // by which his phone is fast in what attribution sees of it; less than zero: slow
	had            time.Duration // so long ago he had the app for the first time; zero: never
}

// phone is a model.
type phone struct {
	name   string
	screen attribution.Screen
}

var iPhones = []weighted[phone]{
	{14, phone{"iPhone14,5", attribution.Screen{Width: 1170, Height: 2532}}},
	{18, phone{"iPhone15,4", attribution.Screen{Width: 1179, Height: 2556}}},
	{22, phone{"iPhone16,1", attribution.Screen{Width: 1179, Height: 2556}}},
	{26, phone{"iPhone17,1", attribution.Screen{Width: 1206, Height: 2622}}},
	{20, phone{"iPhone18,1", attribution.Screen{Width: 1206, Height: 2622}}},
}

var androids = []weighted[phone]{
	{22, phone{"SM-A556B", attribution.Screen{Width: 1080, Height: 2340}}},
	{18, phone{"SM-S931B", attribution.Screen{Width: 1080, Height: 2340}}},
	{14, phone{"SM-A165F", attribution.Screen{Width: 1080, Height: 2340}}},
	{10, phone{"Pixel 9", attribution.Screen{Width: 1080, Height: 2424}}},
	{8, phone{"Pixel 10", attribution.Screen{Width: 1080, Height: 2424}}},
	{12, phone{"2409BRN2CA", attribution.Screen{Width: 720, Height: 1640}}},
	{9, phone{"24117RN76O", attribution.Screen{Width: 1080, Height: 2400}}},
	{7, phone{"CPH2695", attribution.Screen{Width: 1080, Height: 2372}}},
}

var iosVersions = []weighted[string]{{6, "18.5"}, {9, "18.6.2"}, {8, "18.7.1"}, {10, "26.1"}, {17, "26.2"}, {20, "26.3.1"}, {30, "26.4"}}
var androidVersions = []weighted[string]{{12, "13"}, {22, "14"}, {33, "15"}, {33, "16"}}
var locales = []weighted[string]{{72, "de-DE"}, {8, "en-US"}, {4, "en-GB"}, {6, "tr-TR"}, {3, "ru-RU"}, {3, "pl-PL"}, {2, "ar-SA"}, {2, "de-AT"}}

// populate settles people in households of one to four and gives each a
// carrier's address that from 5 to 250 of them share.
func (b *builder) populate(n int) {
	for range 4 {
		b.vpn = append(b.vpn, &line{v4: netip.AddrFrom4([4]byte{185, 1, 1, byte(len(b.vpn))})})
	}
	for range 8 {
		b.relay = append(b.relay, &line{v4: netip.AddrFrom4([4]byte{172, 224, 1, byte(len(b.relay))})})
	}
	var home, carrier *line
	inHome, onCarrier, homes, carriers := 0, 0, 0, 0
	for i := range n {
		if inHome == 0 {
			homes++
			home, inHome = &line{v4: netip.AddrFrom4([4]byte{91, byte(homes >> 16), byte(homes >> 8), byte(homes)})}, 1+b.random.IntN(4)
			if b.chance(0.5) {
				home.v6 = network6(0x2003, homes)
			}
		}
		if onCarrier == 0 {
			carriers++
			carrier = &line{v4: netip.AddrFrom4([4]byte{80, 187, byte(carriers >> 8), byte(carriers)})}
			onCarrier = some(b.random, []weighted[int]{{3, 5}, {3, 20}, {2, 80}, {1, 250}})
		}
		inHome, onCarrier = inHome-1, onCarrier-1
		b.people = append(b.people, b.person(i, home, carrier))
	}
	// Neighbours in a house are not neighbours at the carrier.
	b.random.Shuffle(n, func(i, k int) {
		b.people[i].carrier, b.people[k].carrier = b.people[k].carrier, b.people[i].carrier
	})
}

// network6 is the /64 of a household.
func network6(block uint16, n int) netip.Addr {
	return netip.AddrFrom16([16]byte{byte(block >> 8), byte(block), 0, 1, 0, byte(n >> 16), byte(n >> 8), byte(n)})
}

func (b *builder) person(id int, home, carrier *line) person {
	p := person{id: id, home: home, carrier: carrier, platform: device.Android, locale: some(b.random, locales)}
	p.model, p.version = some(b.random, androids), some(b.random, androidVersions)
	if b.chance(0.4) {
		p.platform, p.model, p.version = device.IOS, some(b.random, iPhones), some(b.random, iosVersions)
		p.tracking = some(b.random, []weighted[attribution.Answer]{{25, attribution.Yes}, {75, attribution.No}})
		p.relayed = b.chance(0.15)
	}
	p.adID = fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", b.random.Uint32(), b.random.IntN(1<<16), b.random.IntN(1<<12), b.random.IntN(1<<12), b.random.Int64N(1<<48))
	if b.chance(0.03) {
		p.vpn = b.vpn[b.random.IntN(len(b.vpn))]
	}
	p.withoutConsent, p.lateReports = b.chance(0.03), b.chance(0.01)
	if !p.lateReports { // those say when they sent, and have their clocks corrected
		p.clock = b.clock()
	}
	if b.chance(0.10) {
		p.had = b.between(day, 200*day)
	}
	return p
}

// clock is how fast a phone is where nothing corrects it: its app, or the
// server that reports for it, does not tell when it sent. Most phones ask their
// network for the time.
func (b *builder) clock() time.Duration {
	switch some(b.random, []weighted[string]{{952, "right"}, {10, "fast"}, {10, "very fast"}, {10, "slow"}, {10, "very slow"}, {8, "month"}}) {
	case "fast":
		return b.between(10*time.Second, clockSkew)
	case "very fast":
		return b.between(clockSkew, 3*day)
	case "slow":
		return -b.between(10*time.Second, clockSkew)
	case "very slow": // half of them by less than the way from a click to an open often takes
		return -b.between(clockSkew, some(b.random, []weighted[time.Duration]{{1, time.Hour}, {1, 3 * day}}))
	case "month": // an empty battery
		return -b.between(oldestReport, 700*day)
	}
	return 0
}

// What docs/attribution.md says that clocks may be off by, and the window of
// re-installations. The truth does not ask the policy that is measured by it.
const (
	clockSkew     = 5 * time.Minute
	oldestReport  = 30 * day
	fastest       = 10 * time.Second // from a click to a first open
	reattribution = 90 * day
)

// where is the line that the person is on; later, after so long, it may be another.
func (b *builder) where(p *person) *line {
	if p.vpn != nil {
		return p.vpn
	}
	if b.chance(0.4) {
		return p.carrier
	}
	return p.home
}

func (b *builder) later(p *person, was *line, after time.Duration) *line {
	moved := 0.5
	switch {
	case after < 10*time.Minute:
		moved = 0.1
	case after < time.Hour:
		moved = 0.3
	}
	if b.chance(moved) {
		return b.where(p)
	}
	return was
}

// fromBrowser is the address of a request: one family, the newer one mostly.
// The rest of a /64 changes all the time.
func (b *builder) fromBrowser(p *person, l *line) []attribution.Address {
	if p.relayed && b.chance(0.9) {
		egress := attribution.Address{IP: b.relay[b.random.IntN(len(b.relay))].v4}
		if b.chance(0.5) { // half of the operators know the egress ranges
			egress.Network = attribution.Relay
		}
		return []attribution.Address{egress}
	}
	if l.v6.IsValid() && b.chance(0.7) {
		return []attribution.Address{{IP: b.inside(l.v6)}}
	}
	return []attribution.Address{{IP: l.v4}}
}

// fromApp is what the server sees of an app, which in half of the cases speaks
// over both families.
func (b *builder) fromApp(l *line) []attribution.Address {
	from := []attribution.Address{{IP: l.v4}}
	if l.v6.IsValid() && b.chance(0.5) {
		from = append(from, attribution.Address{IP: b.inside(l.v6)})
	}
	return from
}

func (b *builder) inside(network netip.Addr) netip.Addr {
	raw := network.As16()
	for i := 8; i < 16; i++ {
		raw[i] = byte(b.random.IntN(256))
	}
	return netip.AddrFrom16(raw)
}

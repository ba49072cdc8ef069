package device

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
)

// ways is how many agents share one set of the cache. A new agent displaces
// one of its own set that was not asked for lately.
const ways = 8

// longestCached is the longest agent that is remembered, bytes. Longer ones are
// rare, mostly hostile, and would let a stranger choose how much memory is held.
const longestCached = 1024

// Detector remembers what it parsed. To find one takes no lock and no allocation;
// memory is bounded by the size given to NewDetector, about 600 bytes an agent.
// It is not one of the general caches because to find one must not cost more than
// the parts of a redirect around it: 30 ns here on one core, 60 ns in otter.
type Detector struct {
	seed maphash.Seed
	mask uint64 // sets - 1
	sets []set
	keys sync.Pool // *[]byte, to join an agent and its hints
}

type set struct {
	way  [ways]atomic.Pointer[parsed]
	hand atomic.Uint32 // the way where the search for a victim goes on
}

// parsed is immutable but for used.
type parsed struct {
	hash    uint64
	key     string // owned
	plain   Device
	desktop *Device     // the same agent when the hint says that its system is Android
	used    atomic.Bool // since the hand passed last
}

// NewDetector returns a Detector that remembers at least size agents, rounded
// up to a power of two.
func NewDetector(size int) *Detector {
	sets := 1
	if size > ways {
		sets = 1 << bits.Len(uint(size-1)/ways)
	}
	d := &Detector{seed: maphash.MakeSeed(), mask: uint64(sets - 1), sets: make([]set, sets)}
	d.keys.New = func() any { return new([]byte) }
	return d
}

// Detect is Parse with a memory. The Device is shared: nobody may change it.
// The bytes of ua and h are not kept.
func (d *Detector) Detect(ua []byte, h Hints) *Device {
	if len(ua) > longestCached || len(h.PlatformVersion)+len(h.Model) > 2*modelLimit {
		device := Parse(string(ua), h)
		return &device
	}
	if len(h.PlatformVersion)|len(h.Model) != 0 {
		return d.detectHinted(ua, h)
	}
	p := d.find(ua, ua, h)
	if p.desktop != nil && string(unquoted(h.Platform)) == "Android" {
		return p.desktop
	}
	return &p.plain
}

// detectHinted is for the few requests that carry a version or model: they are
// remembered under agent and hints together.
func (d *Detector) detectHinted(ua []byte, h Hints) *Device {
	key := d.keys.Get().(*[]byte)
	*key = append((*key)[:0], ua...)
	for _, hint := range [...][]byte{h.Platform, h.PlatformVersion, h.Model} {
		*key = append(append(*key, '\n'), hint...)
	}
	p := d.find(*key, ua, h)
	d.keys.Put(key)
	return &p.plain
}

func (d *Detector) find(key, ua []byte, h Hints) *parsed {
	hash := maphash.Bytes(d.seed, key)
	s := &d.sets[hash&d.mask]
	for i := range s.way {
		p := s.way[i].Load()
		if p != nil && p.hash == hash && p.key == string(key) {
			if !p.used.Load() {
				p.used.Store(true)
			}
			return p
		}
	}
	p := &parsed{hash: hash, key: string(key)}
	agent := p.key[:len(ua)]
	if len(key) == len(ua) {
		p.plain = Parse(agent, Hints{})
		if p.plain.Platform == Web || p.plain.Platform == Unknown {
			desktop := p.plain
			desktop.apply(Hints{Platform: []byte("Android")})
			p.desktop = &desktop
		}
	} else {
		p.plain = Parse(agent, h)
	}
	s.put(p)
	return p
}

// put stores p in a free way, else in the first that was not used since the
// hand passed it. Two that put at once may displace one more than needed.
func (s *set) put(p *parsed) {
	for i := range s.way {
		if s.way[i].CompareAndSwap(nil, p) {
			return
		}
	}
	for range 2 * ways {
		w := &s.way[s.hand.Add(1)%ways]
		if old := w.Load(); old == nil || !old.used.Swap(false) {
			w.Store(p)
			return
		}
	}
}

package simulate

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/internal/uid"
)

// store finds candidates by key, as a real one does.
type store struct {
	touches []attribution.Touchpoint
	at      map[uid.Click]int
	under   map[attribution.Key][]int // places in touches, the newest first
}

func newStore(touches []attribution.Touchpoint) *store {
	s := &store{touches: slices.Clone(touches), at: map[uid.Click]int{}, under: map[attribution.Key][]int{}}
	slices.SortFunc(s.touches, func(a, b attribution.Touchpoint) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID))
	})
	for i := range s.touches {
		s.at[s.touches[i].ID] = i
		for _, k := range s.touches[i].Keys() {
			s.under[k] = append(s.under[k], i)
		}
	}
	return s
}

// find returns what was there by now.
func (s *store) find(lookups []attribution.Lookup, now time.Time) []attribution.Touchpoint {
	var found []attribution.Touchpoint
	seen := map[int]bool{}
	for _, l := range lookups {
		under := s.under[l.Key]
		if l.Until.After(now) {
			l.Until = now
		}
		first, _ := slices.BinarySearchFunc(under, l.Until, func(i int, until time.Time) int { return until.Compare(s.touches[i].At) })
		taken := 0
		for _, i := range under[first:] {
			if s.touches[i].At.Before(l.Since) || taken == attribution.MaxPerKey {
				break
			}
			taken++
			if !seen[i] {
				seen[i] = true
				found = append(found, s.touches[i])
			}
		}
	}
	return found
}

// Run decides the day's installs one after the other.
func (w *World) Run(p *attribution.Policy) Report {
	s := newStore(w.Touches)
	near := w.neighbourhoods()
	report := Report{Methods: map[attribution.Method]*Count{}, Why: map[attribution.Code]int{}}
	for i := range w.Conversions {
		c, now := w.Conversions[i], w.Truths[i].ReceivedAt
		c.Neighbours = near.others(&c, w.Truths[i].Device, now)
		d := attribution.Decide(&c, s.find(c.Lookups(p), now), p, now)
		if d.Winner != nil {
			s.touches[s.at[d.Winner.Touch]].UsedBy = c.ID
		}
		report.add(w, &w.Truths[i], &d)
	}
	return report
}

// neighbourhood is who opened the app from where. IPv6 is kept by its /64.
type neighbourhood map[netip.Prefix][]open

func (w *World) neighbourhoods() neighbourhood {
	n := neighbourhood{}
	for _, o := range w.opens {
		for _, p := range prefixes(o.from) {
			n[p] = append(n[p], o)
		}
	}
	return n
}

// others counts the other devices that opened the app from the same address in
// the day before, as far as the device's clock tells, up to now.
func (n neighbourhood) others(c *attribution.Conversion, device int, now time.Time) int {
	seen := map[int]bool{}
	until := c.At
	if until.After(now) {
		until = now
	}
	for _, p := range prefixes(c.Facts.Addresses) {
		for _, o := range n[p] {
			if o.device != device && !o.at.After(until) && c.At.Sub(o.at) <= day {
				seen[o.device] = true
			}
		}
	}
	return len(seen)
}

func prefixes(from []attribution.Address) []netip.Prefix {
	all := make([]netip.Prefix, len(from))
	for i, a := range from {
		bits := 64
		if a.IP.Is4() {
			bits = 32
		}
		all[i] = netip.PrefixFrom(a.IP, bits).Masked()
	}
	return all
}

package ingest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"waypost/event"
	"waypost/internal/fault"
	"waypost/link"
)

// Stats are what was taken and refused since the start of the process.
type Stats struct {
	Taken       map[event.Kind]uint64 // by kind, clicks and impressions of servers among them
	Refused     map[fault.Kind]uint64
	Flagged     map[string]uint64 // by flag
	UnknownKeys uint64            // SDK keys of no account
	UnknownApps uint64
	Repeated    uint64 // clicks and impressions of servers that were told before
}

// UnknownApp is an app that reports named and the account does not have.
type UnknownApp struct {
	Name   string
	Count  uint64
	LastAt time.Time
}

// mostUnknown bounds what is remembered of one account's unknown apps: anybody
// who knows a public key can invent names.
const mostUnknown = 32

// longestUnknown cuts an invented name, bytes.
const longestUnknown = 128

type counters struct {
	unknownKeys, unknownApps, repeated atomic.Uint64

	mu      sync.Mutex // guards what follows
	taken   map[event.Kind]uint64
	refused map[fault.Kind]uint64
	flagged map[string]uint64
	unknown map[link.AccountID][]UnknownApp
}

func (c *counters) take(kind event.Kind, flags []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken == nil {
		c.taken, c.flagged = map[event.Kind]uint64{}, map[string]uint64{}
	}
	c.taken[kind]++
	for _, f := range flags {
		c.flagged[f]++
	}
}

func (c *counters) refuse(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[fault.Kind]uint64{}
	}
	c.refused[fault.As(err).Kind]++
}

func (c *counters) unknownApp(account link.AccountID, name string, now time.Time) {
	c.unknownApps.Add(1)
	if account == 0 {
		return
	}
	name = cut(name, longestUnknown)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unknown == nil {
		c.unknown = map[link.AccountID][]UnknownApp{}
	}
	list := c.unknown[account]
	at := slices.IndexFunc(list, func(u UnknownApp) bool { return u.Name == name })
	if at < 0 && len(list) == mostUnknown {
		oldest := slices.MinFunc(list, func(a, b UnknownApp) int { return a.LastAt.Compare(b.LastAt) })
		at = slices.Index(list, oldest)
		list[at] = UnknownApp{Name: name}
	} else if at < 0 {
		list, at = append(list, UnknownApp{Name: name}), len(list)
	}
	list[at].Count++
	list[at].LastAt = now
	c.unknown[account] = list
}

// Refuse counts what a dialect refused before the service saw it, and returns it.
func (s *Service) Refuse(err error) error {
	s.counters.refuse(err)
	return err
}

// Stats returns the counters for metrics.
func (s *Service) Stats() Stats {
	c := &s.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	stats := Stats{
		Taken: map[event.Kind]uint64{}, Refused: map[fault.Kind]uint64{}, Flagged: map[string]uint64{},
		UnknownKeys: c.unknownKeys.Load(), UnknownApps: c.unknownApps.Load(), Repeated: c.repeated.Load(),
	}
	maps.Copy(stats.Taken, c.taken)
	maps.Copy(stats.Refused, c.refused)
	maps.Copy(stats.Flagged, c.flagged)
	return stats
}

// UnknownApps lists the apps that reports with the account's key named and it
// does not have, the latest first; at most 32.
func (s *Service) UnknownApps(account link.AccountID) []UnknownApp {
	s.counters.mu.Lock()
	list := slices.Clone(s.counters.unknown[account])
	s.counters.mu.Unlock()
	slices.SortFunc(list, func(a, b UnknownApp) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), strings.Compare(a.Name, b.Name))
	})
	return list
}

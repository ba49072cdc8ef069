package ingest

import (
	"maps"
	"sync"
	"sync/atomic"

	"waypost/event"
	"waypost/internal/fault"
)

// Stats are what was taken and refused since the start of the process.
type Stats struct {
	Taken       map[event.Kind]uint64 // by kind, clicks and impressions of servers among them
	Refused     map[fault.Kind]uint64
	Flagged     map[string]uint64 // by flag
	UnknownKeys uint64            // SDK keys and tokens of no account
	UnknownApps uint64
	Repeated    uint64 // clicks and impressions of servers that were told before
}

type counters struct {
	unknownKeys, unknownApps, repeated atomic.Uint64

	mu      sync.Mutex // guards what follows
	taken   map[event.Kind]uint64
	refused map[fault.Kind]uint64
	flagged map[string]uint64
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

package ingest

import (
	"sync"
	"time"

	"waypost/attribution"
	"waypost/link"
)

// permitted remembers what people have just said, for as long as it may not be
// decided yet: an app that is told no sends its open in the same second. Two
// generations, each replaced when full.
type permitted struct {
	mu       sync.Mutex // guards the maps
	now, old map[person]answered
}

type person struct {
	app     link.AppID
	install string
}

type answered struct {
	consent attribution.Consent
	at      time.Time
}

const (
	// permittedFor is longer than deciding takes unless it stands still. Another
	// process may know better after it.
	permittedFor = time.Minute
	// mostPermitted is how many people a generation holds: a few megabytes.
	mostPermitted = 16 << 10
)

// hear adds what a report that is in the ledger says to what is remembered, or
// decided where nothing is. Reports that were made at the same time add up.
func (p *permitted) hear(who person, m *making) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, ok := p.find(who, m.now)
	if !ok {
		before = m.decided
	}
	if p.now == nil || len(p.now) >= mostPermitted {
		p.old, p.now = p.now, map[person]answered{}
	}
	p.now[who] = answered{m.after(before), m.now}
}

// of returns what the person said within permittedFor, if anything.
func (p *permitted) of(who person, now time.Time) (attribution.Consent, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(who, now)
}

// find is for who holds mu.
func (p *permitted) find(who person, now time.Time) (attribution.Consent, bool) {
	a, ok := p.now[who]
	if !ok {
		a, ok = p.old[who]
	}
	return a.consent, ok && now.Sub(a.at) <= permittedFor
}

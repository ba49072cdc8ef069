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

func (p *permitted) add(who person, c attribution.Consent, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil || len(p.now) >= mostPermitted {
		p.old, p.now = p.now, map[person]answered{}
	}
	p.now[who] = answered{c, now}
}

// of returns what the person said within permittedFor, if anything.
func (p *permitted) of(who person, now time.Time) (attribution.Consent, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.now[who]
	if !ok {
		a, ok = p.old[who]
	}
	return a.consent, ok && now.Sub(a.at) <= permittedFor
}

package ingest

import (
	"cmp"
	"sync"

	"waypost/attribution"
	"waypost/link"
)

// permitted remembers what people have said for as long as it is not decided:
// an app that is told no sends its open in the same second, and deciding may be
// hours behind. It holds two generations, and each is replaced when full. Where
// that drops what is not decided, the history has to come so far before it is
// asked about anybody.
type permitted struct {
	mu       sync.Mutex // guards what is below
	now, old generation
	// forgotten is behind everything that was dropped before it was decided.
	forgotten uint64
	most      int // of a generation
}

// generation is what some people have said, and a mark behind all of it.
type generation struct {
	said map[person]heard
	mark uint64
}

type person struct {
	app     link.AppID
	install string
}

// heard is what somebody has said since it was last decided. A Child of No was
// said in a report about consent: others do not count.
type heard struct {
	attribution.Said
	mark uint64 // behind the event that says it
}

// mostPermitted is how many people a generation holds: some megabytes.
const mostPermitted = 32 << 10

// hear adds what a report that is in the ledger says to what is not decided
// yet. Reports that were made at the same time add up.
func (p *permitted) hear(who person, said attribution.Said, d Decisions) {
	mark := d.Mark()
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.find(who, d)
	if p.now.said == nil || len(p.now.said) >= p.most {
		if !d.HasPassed(p.old.mark) {
			p.forgotten = max(p.forgotten, p.old.mark)
		}
		p.old, p.now = p.now, generation{said: map[person]heard{}}
	}
	p.now.mark = max(p.now.mark, mark)
	p.now.said[who] = heard{attribution.Said{
		Tracking: cmp.Or(said.Tracking, before.Tracking), Measurement: cmp.Or(said.Measurement, before.Measurement),
		Advertising: cmp.Or(said.Advertising, before.Advertising), LimitAds: cmp.Or(said.LimitAds, before.LimitAds), Child: cmp.Or(said.Child, before.Child),
	}, mark}
}

// of returns what the person has said that is not decided yet, and what has to
// be decided before anybody knows what he said before.
func (p *permitted) of(who person, d Decisions) (said attribution.Said, forgotten uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(who, d).Said, p.forgotten
}

// find is for who holds mu.
func (p *permitted) find(who person, d Decisions) heard {
	h, ok := p.now.said[who]
	if !ok {
		h = p.old.said[who]
	}
	if d.HasPassed(h.mark) {
		return heard{}
	}
	return h
}

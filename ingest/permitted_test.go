package ingest

import (
	"fmt"
	"testing"

	"waypost/attribution"
	"waypost/ingest/ingesttest"
)

// TestNothingIsForgottenBeforeItIsDecided: where memory is too small for what is
// not decided, deciding has to come so far before anybody is known to have said
// nothing.
func TestNothingIsForgottenBeforeItIsDecided(t *testing.T) {
	t.Parallel()
	d := ingesttest.NewDecisions()
	p := permitted{most: 3}
	who := func(n int) person { return person{7, fmt.Sprint(n)} }
	no := attribution.Said{Measurement: attribution.No}
	known := func(name string, n int, said attribution.Said, settled bool) {
		t.Helper()
		got, forgotten := p.of(who(n), d)
		if got != said || d.HasPassed(forgotten) != settled {
			t.Errorf("%s: %d has said %+v, and %d is forgotten", name, n, got, forgotten)
		}
	}
	for n := range 6 {
		p.hear(who(n), no, d)
	}
	for n := range 6 {
		known("full", n, no, true)
	}
	p.hear(who(6), no, d)
	known("more", 0, attribution.Said{}, false)
	known("more", 3, no, false)
	known("more", 6, no, false)
	if held := len(p.now.said) + len(p.old.said); held > 2*p.most {
		t.Errorf("%d are held", held)
	}
	d.Pass()
	known("decided", 0, attribution.Said{}, true)
	known("decided", 6, attribution.Said{}, true)
	for n := range 20 {
		p.hear(who(n), no, d)
		d.Pass()
	}
	known("decided as it is told", 0, attribution.Said{}, true)
	p.hear(who(1), attribution.Said{Tracking: attribution.Yes, Child: attribution.Yes}, d)
	p.hear(who(1), attribution.Said{Tracking: attribution.No}, d)
	known("bit by bit", 1, attribution.Said{Tracking: attribution.No, Child: attribution.Yes}, true)
}

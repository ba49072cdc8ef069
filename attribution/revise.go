package attribution

import "time"

// Revise decides again after a touch came late: a partner's own report, days
// behind the click that it speaks of. The first decision stands unless the
// policy allows updates and the conversion is recent enough; what was told to
// partners is never rewritten in silence, so a change is marked Late. It
// reports whether the winner changed.
func Revise(before *Decision, c *Conversion, touches []Touchpoint, p *Policy, now, late time.Time) (Decision, bool) {
	if p.Updates <= 0 || late.Sub(before.At) > p.Updates {
		return *before, false
	}
	after := Decide(c, touches, p, now)
	if after.Verdict == before.Verdict && sameTouch(after.Winner, before.Winner) {
		return *before, false
	}
	after.Late = true
	return after, true
}

func sameTouch(a, b *Match) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Touch == b.Touch
}

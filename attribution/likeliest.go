package attribution

import (
	"cmp"
	"slices"
)

// likeliest leaves of the touches that are perhaps the conversion's those of
// one visitor, who must be likely enough and well ahead of every other. In
// doubt it leaves none: an organic install is a smaller error than a wrong credit.
func (j *judge) likeliest(alike []candidate) []candidate {
	if len(alike) == 0 {
		return nil
	}
	rules, told := &j.policy.Likeness, &j.decision.Likeness
	slices.SortFunc(alike, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.match.Score, a.match.Score), better(a, b))
	})
	best := alike[0]
	told.Candidates, told.Best, told.Code = len(alike), best.match.Score, Matched
	var own, others []candidate
	for _, c := range alike {
		if c.touch == best.touch || sameVisitor(best.touch, c.touch) {
			own = append(own, c)
		} else {
			others = append(others, c)
			told.Next = max(told.Next, c.match.Score)
		}
	}
	switch {
	// A list as long as the bound may have been cut, and what was cut may have been the one.
	case j.conversion.Neighbours+1 > rules.MostNeighbours, j.visitors > rules.MostNeighbours, len(alike) >= MaxPerKey:
		told.Code = Crowded
	case best.match.Score < rules.least(best.match.Signals):
		told.Code = LowScore
	case len(others) > 0 && told.Best-told.Next < rules.Margin:
		told.Code = Ambiguous
	}
	if told.Code != Matched {
		j.rejectCandidates(alike, told.Code)
		return nil
	}
	j.rejectCandidates(others, Outscored)
	eligible, weak := own[:0:0], own[:0:0]
	for _, c := range own {
		if c.match.Score >= rules.least(c.match.Signals) {
			eligible = append(eligible, c)
		} else {
			weak = append(weak, c)
		}
	}
	j.rejectCandidates(weak, LowScore)
	return eligible
}

// least is the score that a match of these signals needs.
func (l *Likeness) least(signals []Signal) Score {
	if evidence(signals) >= l.StrongEvidence && score(signals, 0) == full {
		return l.LeastStrong
	}
	return l.Least
}

func (j *judge) rejectCandidates(all []candidate, code Code) {
	for i := range all {
		j.reject(&all[i].match, code)
	}
}

// sameVisitor reports whether two touches are one person's for all that
// matters: the same cookie, or no word against it and the same browser on the
// same errand. Should these be two people after all, the credit goes to the
// same place.
func sameVisitor(a, b *Touchpoint) bool {
	if a.Visitor != "" && b.Visitor != "" {
		return a.Visitor == b.Visitor
	}
	return a.Agent != "" && a.Agent == b.Agent && a.Source == b.Source
}

// findNearby leaves the touches from one of the conversion's addresses in the
// day before it, whether they may be the conversion's person's or not. It looks
// no further than Lookups does, so that it does not matter which key found a touch.
func (j *judge) findNearby(touches []*Touchpoint) []*Touchpoint {
	var found []*Touchpoint
	for _, t := range touches {
		age := j.at.Sub(t.At)
		if !j.excludesApp(t) && t.Bot == "" && age >= -j.policy.ClockSkew && age <= maxProbabilisticClick && j.sharesPlace(t) {
			found = append(found, t)
		}
	}
	return found
}

// findUsed leaves the touches that have earned another conversion.
func (j *judge) findUsed(touches []*Touchpoint) []*Touchpoint {
	var found []*Touchpoint
	for _, t := range touches {
		if j.isUsed(t) {
			found = append(found, t)
		}
	}
	return found
}

// countVisitors counts whose the touches nearby are: each further visitor shows
// that the address is shared. It does not count beyond what makes it crowded.
func (j *judge) countVisitors(nearby []*Touchpoint) int {
	var visitors []*Touchpoint
	for _, t := range nearby {
		if !slices.ContainsFunc(visitors, func(v *Touchpoint) bool { return sameVisitor(v, t) }) {
			visitors = append(visitors, t)
		}
		if len(visitors) > max(j.policy.Likeness.MostNeighbours, 1) {
			break
		}
	}
	return len(visitors)
}

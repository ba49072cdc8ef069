// Package attribution decides who earned a conversion, and says why. It does
// no I/O and never looks at the clock: equal input, equal decision, whatever
// the order in which touchpoints are handed in. A store finds the candidates
// by Conversion.Lookups and Touchpoint.Keys, never by scanning.
package attribution

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"waypost/internal/uid"
)

// Decide credits the conversion to one of the touches, or to none. The policy
// is the app's own. now is when the report of the conversion was received;
// a replay hands in the same time again.
func Decide(c *Conversion, touches []Touchpoint, p *Policy, now time.Time) Decision {
	j := newJudge(c, p, now)
	j.judgeConversion()
	if j.decision.Verdict == Refused {
		j.rejectAll(touches, j.decision.Refusal)
		return j.conclude(nil)
	}
	if c.Kind == InApp && j.inherit() {
		j.rejectAll(touches, Outscored)
		j.askOfInherited()
		return j.conclude(nil)
	}
	once := distinct(touches)
	nearby := j.findNearby(once)
	j.visitors, j.used, j.flooders = j.countVisitors(nearby), j.findUsed(nearby), j.findFlooders(once)
	known, alike := j.admit(once)
	eligible := append(j.sinceReferrer(known), j.likeliest(alike)...)
	slices.SortFunc(eligible, better)
	return j.conclude(eligible)
}

// judge holds one hearing.
type judge struct {
	conversion *Conversion
	policy     *Policy
	at         time.Time // of the conversion, as it is judged
	reinstall  bool
	places     []netip.Prefix // where the conversion came from
	usable     []DeviceID
	ids        map[Key]bool  // of usable
	withheld   Code          // why nothing may be matched by likeness
	uncredited Code          // why no touch may be credited at all
	visitors   int           // who touched from one of the conversion's addresses
	used       []*Touchpoint // from there that have earned another conversion
	flooders   map[flooder]bool
	cameAt     time.Time // when the click that led to the store was, which may not be credited any more
	decision   Decision
}

// candidate is a touch that is still in the running.
type candidate struct {
	touch *Touchpoint
	match Match
}

func newJudge(c *Conversion, p *Policy, now time.Time) *judge {
	j := &judge{conversion: c, policy: p, at: c.At, places: c.Facts.places(), usable: c.usableIDs(), ids: map[Key]bool{}}
	for _, k := range c.IdentityKeys() {
		j.ids[k] = true
	}
	if c.At.After(now.Add(p.ClockSkew)) || c.At.Before(now.Add(-p.OldestReport)) {
		j.at = now
	}
	j.reinstall = c.Kind == Install && c.Past != nil && j.at.Sub(c.Past.At) <= p.Reattribution
	if j.withheld = p.withholds(c); c.Kind != Install {
		j.withheld = NotForOpens
	}
	j.decision = Decision{
		Version: Version, Conversion: c.ID, At: j.at, Outcome: j.outcome(false), Verdict: Organic,
		Likeness: Likelihood{Code: NoCandidate},
	}
	if j.withheld != "" {
		j.decision.Likeness.Code = j.withheld
	}
	return j
}

// outcome is what the conversion is when somebody, or nobody, earned it.
func (j *judge) outcome(won bool) Outcome {
	switch {
	case j.conversion.Kind == InApp:
		return Happening
	case j.conversion.Kind == Open && won:
		return Reengagement
	case j.conversion.Kind == Open:
		return Session
	case j.reinstall && won:
		return Reattribution
	case j.reinstall:
		return Reinstall
	}
	return NewInstall
}

// distinct returns the touches the newest first, each once.
func distinct(touches []Touchpoint) []*Touchpoint {
	sorted := make([]*Touchpoint, len(touches))
	for i := range touches {
		sorted[i] = &touches[i]
	}
	slices.SortFunc(sorted, func(a, b *Touchpoint) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID))
	})
	seen := make(map[uid.Click]bool, len(sorted))
	return slices.DeleteFunc(sorted, func(t *Touchpoint) bool {
		again := seen[t.ID]
		seen[t.ID] = true
		return again
	})
}

// admit sorts the touches into those that name the conversion and those that
// are perhaps alike, and rejects the others.
func (j *judge) admit(touches []*Touchpoint) (known, alike []candidate) {
	for _, t := range touches {
		m := j.match(t)
		code := j.excludes(t, &m)
		if code == "" {
			code = j.accuses(t, &m)
		}
		switch {
		case code != "":
			j.reject(&m, code)
			j.heedReferrer(t, &m, code)
		case m.Method == Probabilistic:
			alike = append(alike, candidate{t, m})
		default:
			known = append(known, candidate{t, m})
		}
	}
	return known, alike
}

// match says how the touch is joined to the conversion. The method is empty
// where nothing joins them.
func (j *judge) match(t *Touchpoint) Match {
	m := Match{Touch: t.ID, Kind: t.Kind, At: t.At, Source: t.Source, Claims: t.Claims}
	if method, ok := j.recognise(t); ok {
		m.Method = method
	} else if j.sharesPlace(t) {
		m.Method = Probabilistic
	}
	window := windowFor(j.conversion.Kind, t.Kind, m.Method)
	m.Lookback, m.LookbackOf, _ = j.policy.lookback(t, window)
	return m
}

func (j *judge) sharesPlace(t *Touchpoint) bool {
	return slices.ContainsFunc(t.Facts.Addresses, func(a Address) bool {
		p, ok := a.place()
		return ok && slices.Contains(j.places, p)
	})
}

// better orders eligible touches: clicks before views, what is known before
// what is likely, the last touch, the better method, and at last the id, so
// that no two are equal.
func better(a, b candidate) int {
	return cmp.Or(
		cmp.Compare(viewRank(a.match.Kind), viewRank(b.match.Kind)),
		cmp.Compare(likelyRank(a.match.Method), likelyRank(b.match.Method)),
		b.match.At.Compare(a.match.At),
		cmp.Compare(a.match.Method.rank(), b.match.Method.rank()),
		cmp.Compare(a.match.Touch, b.match.Touch),
	)
}

func viewRank(k TouchKind) int {
	if k == Click {
		return 0
	}
	return 1
}

func likelyRank(m Method) int {
	if m == Probabilistic {
		return 1
	}
	return 0
}

func (j *judge) reject(m *Match, code Code) {
	j.decision.Rejected = append(j.decision.Rejected, Rejection{Touch: m.Touch, At: m.At, Method: m.Method, Score: m.Score, Code: code})
}

func (j *judge) rejectAll(touches []Touchpoint, code Code) {
	for _, t := range distinct(touches) {
		m := j.match(t)
		j.reject(&m, code)
	}
}

// conclude names the winner and puts everything into an order that does not
// depend on how it was found.
func (j *judge) conclude(eligible []candidate) Decision {
	d := &j.decision
	if len(eligible) > 0 {
		if code := j.blocked(&eligible[0].match); code != "" {
			d.Verdict, d.Refusal = Refused, code
			for i := range eligible {
				j.reject(&eligible[i].match, code)
			}
			eligible = nil
		}
	} else if d.Verdict == Organic {
		if code := j.blocked(nil); code != "" {
			d.Verdict, d.Refusal = Refused, code
		}
	}
	if len(eligible) > 0 {
		winner := eligible[0]
		d.Winner, d.Verdict, d.Outcome = &winner.match, Credited, j.outcome(true)
		d.EventsUntil = j.eventsUntil(winner.touch)
		for _, c := range eligible[1:] {
			d.Assists = append(d.Assists, c.match)
		}
	}
	slices.SortFunc(d.Rejected, func(a, b Rejection) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Touch, b.Touch))
	})
	slices.SortFunc(d.Flags, func(a, b Flag) int {
		return cmp.Or(cmp.Compare(a.Touch, b.Touch), cmp.Compare(a.Code, b.Code))
	})
	d.Flags = slices.Compact(d.Flags)
	return *d
}

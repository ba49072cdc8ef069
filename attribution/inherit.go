package attribution

import "time"

// inherit credits an in-app event to what its person's installation and last
// re-engagement earned. While a re-engagement's window is open it comes first,
// and the installation's source is kept beside it. It reports whether anybody
// earned the event.
func (j *judge) inherit() bool {
	c := j.conversion
	install := j.claims(c.InstallCredit)
	again := j.claims(c.Reengagement)
	switch {
	case j.uncredited != "":
		return false
	case again != nil:
		j.decision.Winner, j.decision.Secondary = again, install
	case install != nil:
		j.decision.Winner = install
	default:
		return false
	}
	j.decision.Verdict = Credited
	return true
}

// askOfInherited asks the account's rules that refuse conversions about an
// event that somebody has inherited.
func (j *judge) askOfInherited() {
	d := &j.decision
	if code := j.blocked(d.Winner); code != "" {
		j.reject(d.Winner, code)
		d.Winner, d.Secondary, d.Verdict, d.Refusal = nil, nil, Refused, code
	}
}

// claims returns the credit's match where it covers the event; nil otherwise.
func (j *judge) claims(c *Credit) *Match {
	if !c.covers(j.at) || !c.Match.Claims.Allows(j.conversion.Event) {
		return nil
	}
	m := c.Match
	m.Method = Inherited
	m.Signals = nil
	return &m
}

// eventsUntil is how long events follow the conversion that the touch won. A
// new installation's credit has no end.
func (j *judge) eventsUntil(t *Touchpoint) time.Time {
	from := j.at
	switch j.outcome(true) {
	case Reengagement:
		from = t.At
	case Reattribution:
	default:
		return time.Time{}
	}
	window := j.policy.EventWindow
	if t.EventWindow != 0 {
		window = t.EventWindow
	}
	if window >= Forever {
		return time.Time{}
	}
	return from.Add(window)
}

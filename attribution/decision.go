package attribution

import (
	"time"

	"waypost/internal/uid"
)

// Version names the algorithm. A change that may decide any history
// differently raises it, so that a stored decision says what made it.
const Version = 3

// Method is how a touch was recognised as the conversion's.
type Method string

// Methods, the best first.
const (
	ByReferrer    Method = "referrer"    // the store's install referrer names the click
	ByOpenedURL   Method = "deeplink"    // the URL that opened the app names the click
	ByClipboard   Method = "clipboard"   // the token on the clipboard
	ByDeviceID    Method = "id_matching" // a device id, raw or hashed
	Probabilistic Method = "probabilistic"
	Inherited     Method = "inherited" // an event follows what its installation or re-engagement earned
)

func (m Method) rank() int {
	switch m {
	case ByReferrer:
		return 0
	case ByOpenedURL:
		return 1
	case ByClipboard:
		return 2
	case ByDeviceID:
		return 3
	}
	return 4
}

// Verdict is what became of a conversion. Every conversion has exactly one.
type Verdict string

// Verdicts.
const (
	Credited Verdict = "credited"
	Organic  Verdict = "organic"
	Refused  Verdict = "refused" // fraud: counted nowhere but in reports of fraud
)

// Outcome is what the conversion turned out to be.
type Outcome string

// Outcomes.
const (
	NewInstall    Outcome = "install"
	Reinstall     Outcome = "reinstall"     // the device had the app and nobody won it back: no new install
	Reattribution Outcome = "reattribution" // a retargeting touch won a reinstall
	Reengagement  Outcome = "reengagement"  // a retargeting touch won a person back
	Session       Outcome = "session"       // an open that nobody earned
	Happening     Outcome = "event"
)

// Decision is what attribution concluded, with its reasons. Equal input gives
// an equal Decision.
type Decision struct {
	Version    int
	Conversion ConversionID
	Outcome    Outcome
	Verdict    Verdict
	At         time.Time // of the conversion, as it was judged
	Winner     *Match    // nil unless credited
	// Secondary is the installation's own source, where an event is credited to a re-engagement.
	Secondary *Match
	// Assists are the other eligible touches, in the order in which they would have won.
	Assists []Match
	// Rejected are the touches that could not win, the newest first, each with the rule that said so.
	Rejected []Rejection
	// Flags are what looked odd without deciding anything.
	Flags []Flag
	// Refusal is the rule that refused the conversion; empty unless refused.
	Refusal Code
	// Likeness says how the probabilistic match went.
	Likeness Likelihood
	// EventsUntil is how long in-app events follow a re-engagement or re-attribution; zero: no end of its own.
	EventsUntil time.Time
	// Late tells that a touch that came after the first decision changed it.
	Late bool
}

// Match is a touch that was eligible.
type Match struct {
	Touch    uid.Click
	Kind     TouchKind
	Method   Method
	At       time.Time
	Lookback time.Duration // inside of which it was
	// LookbackOf is who asked for it; empty in decisions of programs that did not say.
	LookbackOf Level
	Source     Source
	Claims     Claims
	Score      Score    // of a probabilistic match; zero for others
	Signals    []Signal // what it was made of
}

// Rejection is a touch that could not win.
type Rejection struct {
	Touch  uid.Click
	At     time.Time
	Method Method // empty: it was not recognised
	Score  Score
	Code   Code
}

// Flag is something odd. Touch is zero where the conversion itself is odd.
type Flag struct {
	Code  Code
	Touch uid.Click
}

// Likelihood is how the probabilistic match went.
type Likelihood struct {
	// Code is Matched, or why there is no match.
	Code       Code
	Candidates int   // touches that were compared
	Best, Next Score // of the two best visitors
}

// MostContributors is how many assists vendors' reports show.
const MostContributors = 3

// Contributors are the assists that reports show, the newest first.
func (d *Decision) Contributors() []Match {
	return d.Assists[:min(len(d.Assists), MostContributors)]
}

// Counts reports whether the conversion counts as an install.
func (d *Decision) Counts() bool { return d.Outcome == NewInstall && d.Verdict != Refused }

// DeepLink is the click whose deferred deep link the app may still get, where
// the conversion came within the given time of it. How long that is depends on
// who asks: a quarter of an hour for one vendor's deep-link call, a day for its
// conversion data.
func (d *Decision) DeepLink(within time.Duration) (click uid.Click, ok bool) {
	if d.Winner == nil || d.Winner.Kind != Click || d.At.Sub(d.Winner.At) > within {
		return 0, false
	}
	return d.Winner.Touch, true
}

// Credit is what events inherit of the decision; nil where nobody earned it.
func (d *Decision) Credit() *Credit {
	if d.Winner == nil {
		return nil
	}
	c := &Credit{Match: *d.Winner, From: d.At, Until: d.EventsUntil}
	if d.Outcome == Reengagement {
		c.From = d.Winner.At
	}
	return c
}

package attribution

import (
	"slices"
	"time"

	"waypost/internal/device"
)

// excludes says why the touch is not eligible; empty: it is, so far.
func (j *judge) excludes(t *Touchpoint, m *Match) Code {
	c := j.conversion
	switch {
	case j.excludesApp(t):
		return OtherApp
	case m.Method == "":
		return NotRecognised
	case m.Method == Probabilistic && !surelySamePlatform(t.Facts.Platform, c.Facts.Platform), !samePlatform(t.Facts.Platform, c.Facts.Platform):
		return PlatformMismatch
	case !j.claimed(t):
		return NotClaimed
	case c.Kind != InApp && j.isUsed(t) && (m.Method == Probabilistic || !t.MultiUse), c.Kind == Install && m.Method == Probabilistic && j.isUsedUp(t):
		return AlreadyUsed
	case m.Method == Probabilistic && j.withheld != "":
		return j.withheld
	}
	if code := j.outside(t, m); code != "" {
		return code
	}
	if code := j.notWonBack(t, m); code != "" {
		return code
	}
	if m.Method == Probabilistic {
		return j.unlikely(t, m)
	}
	return ""
}

// isUsed reports whether the touch has earned another conversion.
func (j *judge) isUsed(t *Touchpoint) bool { return t.UsedBy != "" && t.UsedBy != j.conversion.ID }

// isUsedUp reports whether a touch of the same visitor has earned another
// conversion, however it was recognised there. What is left of his clicks is no
// sign of somebody else.
func (j *judge) isUsedUp(t *Touchpoint) bool {
	return slices.ContainsFunc(j.used, func(u *Touchpoint) bool { return sameVisitor(u, t) })
}

func (j *judge) excludesApp(t *Touchpoint) bool {
	return t.Account != j.conversion.Account || !slices.Contains(t.Apps, j.conversion.App)
}

// claimed reports whether the touch's route may claim the conversion. Events
// follow their installation; only a route that names the event claims it for itself.
func (j *judge) claimed(t *Touchpoint) bool {
	switch j.conversion.Kind {
	case InApp:
		return t.Claims.Limited && t.Claims.Allows(j.conversion.Event)
	case Install:
		return t.Claims.Allows(InstallEvent)
	}
	return true
}

// outside bounds the touch in time. Both ends of a lookback belong to it. The
// device's clock may be off by the skew, the server's are not.
func (j *judge) outside(t *Touchpoint, m *Match) Code {
	age := j.at.Sub(t.At)
	_, _, ok := j.policy.lookback(t, windowFor(j.conversion.Kind, t.Kind, m.Method))
	if shared := j.policy.Likeness.SharedLookback; m.Method == Probabilistic && shared < m.Lookback && j.isShared(t) {
		m.Lookback, m.LookbackOf = shared, OfSharedAddress
	}
	switch {
	case age < -j.policy.ClockSkew:
		return AfterConversion
	case !ok || age > m.Lookback:
		return OutsideLookback
	}
	return ""
}

// isShared reports whether several people are known to be behind the address.
func (j *judge) isShared(t *Touchpoint) bool {
	return j.conversion.Neighbours > 0 || j.visitors > 1 || t.Facts.through(isCellular) || j.conversion.Facts.through(isCellular)
}

// unlikely says why the touch may not be matched by likeness. It fills in what
// the match is made of. Whether it is good enough is known when it has been
// compared with the others.
func (j *judge) unlikely(t *Touchpoint, m *Match) Code {
	if j.conversion.Facts.Platform == device.IOS && !j.policy.permitsOnIOS(j.conversion, t) {
		return PlatformForbids
	}
	if j.isOtherDevice(t) {
		return OtherDevice
	}
	signals, veto := liken(&t.Facts, &j.conversion.Facts)
	if veto != "" {
		return veto
	}
	m.Signals, m.Score = signals, score(signals, j.at.Sub(t.At))
	switch known, rules := evidence(signals), &j.policy.Likeness; {
	case known == 0, j.isShared(t) && known < rules.SharedEvidence:
		return ThinEvidence
	case known < rules.ThinEvidence && j.at.Sub(t.At) > rules.ThinLookback:
		return ThinEvidence
	}
	return ""
}

// notWonBack says why the touch may not win somebody who has the app already.
func (j *judge) notWonBack(t *Touchpoint, m *Match) Code {
	c := j.conversion
	if !j.reinstall && c.Kind != Open {
		return ""
	}
	switch {
	case !t.Retargeting:
		return NotRetargeting
	case c.Past != nil && t.At.Before(c.Past.At):
		return BeforeInstall
	}
	if c.Kind != Open {
		return ""
	}
	return j.notReengaged(t)
}

func (j *judge) notReengaged(t *Touchpoint) Code {
	c := j.conversion
	switch {
	case t.Kind == View && !t.ReengagingViews:
		return ViewOfOpen
	case c.Past != nil && !t.CountActive && j.at.Sub(lastSeen(c.Past)) < j.policy.Inactivity:
		return NotInactive
	case c.Reengagement != nil && c.Reengagement.Match.Touch != t.ID && c.Reengagement.Match.Source.Link == t.Source.Link &&
		j.at.Sub(c.Reengagement.From) < j.policy.ReengagementGap:
		return TooSoonAgain
	}
	return ""
}

func lastSeen(p *PastInstall) time.Time {
	if p.LastActiveAt.After(p.At) {
		return p.LastActiveAt
	}
	return p.At
}

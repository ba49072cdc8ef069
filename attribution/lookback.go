package attribution

import "time"

// Lookback is how far before a conversion a touchpoint may lie. Zero: not
// said, the next one decides. Negative: such touches earn nothing.
type Lookback time.Duration

// Never is the Lookback that no touchpoint is inside of.
const Never Lookback = -1

// Lookbacks are the windows that a link, a partner, an app or an account asks for.
type Lookbacks struct {
	ClickDeterministic Lookback
	ViewDeterministic  Lookback
	ClickProbabilistic Lookback
	ViewProbabilistic  Lookback
	Reengagement       Lookback
}

const day = 24 * time.Hour

// Bounds of what may be asked for. Longer windows are cut to them, not refused.
const (
	least                 = time.Minute
	maxClick              = 30 * day
	maxView               = day
	maxProbabilisticClick = day // accuracy falls off fast; beyond a day it is a guess
	maxProbabilisticView  = 6 * time.Hour
	maxReengagement       = 30 * day
)

// defaultLookbacks hold where nobody asks for anything.
var defaultLookbacks = Lookbacks{
	ClickDeterministic: Lookback(7 * day),
	ViewDeterministic:  Lookback(day),
	ClickProbabilistic: Lookback(day),
	ViewProbabilistic:  Never,
	Reengagement:       Lookback(7 * day),
}

// window is one of the five, and the most that it may be.
type window struct {
	of   func(*Lookbacks) Lookback
	most time.Duration
}

var (
	clickWindow             = window{func(l *Lookbacks) Lookback { return l.ClickDeterministic }, maxClick}
	viewWindow              = window{func(l *Lookbacks) Lookback { return l.ViewDeterministic }, maxView}
	probabilisticWindow     = window{func(l *Lookbacks) Lookback { return l.ClickProbabilistic }, maxProbabilisticClick}
	probabilisticViewWindow = window{func(l *Lookbacks) Lookback { return l.ViewProbabilistic }, maxProbabilisticView}
	reengagementWindow      = window{func(l *Lookbacks) Lookback { return l.Reengagement }, maxReengagement}
)

func windowFor(k ConversionKind, t TouchKind, m Method) window {
	switch {
	case k == Open && t == Click:
		return reengagementWindow
	case t == Click && m == Probabilistic:
		return probabilisticWindow
	case t == Click:
		return clickWindow
	case m == Probabilistic:
		return probabilisticViewWindow
	}
	return viewWindow
}

// Level is who asked for a lookback.
type Level string

// Levels, the first that says something decides.
const (
	OfLink    Level = "link"
	OfPartner Level = "partner"
	OfApp     Level = "app"
	OfAccount Level = "account"
	OfDefault Level = "default"
	// OfSharedAddress is no level of its own: an address that others are known
	// to use has cut what was asked for.
	OfSharedAddress Level = "shared_address"
)

// lookback is what the link asks for, else its partner, else the app, else its
// account, else the default, cut to what may be, and who asked for it; not ok
// where the answer is Never.
func (p *Policy) lookback(t *Touchpoint, w window) (d time.Duration, of Level, ok bool) {
	partner, ofTouch := p.Partners[t.Source.Partner], OfLink
	if t.DefaultLookbacks {
		ofTouch = OfDefault
	}
	for _, level := range []struct {
		asks *Lookbacks
		name Level
	}{{&t.Lookbacks, ofTouch}, {&partner, OfPartner}, {&p.App, OfApp}, {&p.Account, OfAccount}, {&defaultLookbacks, OfDefault}} {
		if asked := w.of(level.asks); asked != 0 {
			return min(max(time.Duration(asked), least), w.most), level.name, asked > 0
		}
	}
	return 0, OfDefault, false
}

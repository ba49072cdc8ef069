package attribution

import "time"

// Lookback is how far before a conversion a touchpoint may lie. Zero: not
// said, the next one decides. Negative: such touches earn nothing.
type Lookback time.Duration

// Never is the Lookback that no touchpoint is inside of.
const Never Lookback = -1

// Lookbacks are the windows that a link, a partner or an app asks for.
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

// lookback is what the link asks for, else its partner, else the app, else
// the default, cut to what may be; not ok where the answer is Never.
func (p *Policy) lookback(t *Touchpoint, w window) (d time.Duration, ok bool) {
	partner := p.Partners[t.Source.Partner]
	for _, level := range []*Lookbacks{&t.Lookbacks, &partner, &p.App, &defaultLookbacks} {
		if asked := w.of(level); asked != 0 {
			return min(max(time.Duration(asked), least), w.most), asked > 0
		}
	}
	return 0, false
}

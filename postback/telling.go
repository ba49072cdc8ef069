// Package postback tells partners and accounts what happened: it fills their
// URLs, signs, schedules, sends and records. Making deliveries is pure (Make,
// Outbox, Settle); Sender talks to the Internet, and Runner empties the outbox.
package postback

import (
	"slices"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/uid"
	"waypost/link"
)

// Kinds of what can be told, as link.Postback.On names them. On may also hold
// NamedEvent and an in-app event's name. The outcomes of attribution are the
// other kinds: install, reinstall, reattribution, reengagement, session, event.
const (
	KindClick           = "click"               // to the account alone
	KindImpression      = "impression"          // to the account alone
	KindPlatform        = "platform_conversion" // one that a platform attributed itself; to the account alone
	KindUpdate          = "attribution_update"  // a late touch changed a decision; to the account alone
	KindRejectedInstall = "rejected_install"
	KindRejectedEvent   = "rejected_event"
	NamedEvent          = "event:"
)

// Telling is one thing that happened, with everything that may be told of it.
// One of Decided, Click, an impression's too, and Platform is set; the others
// may be nil where nothing is known.
type Telling struct {
	Decided      *history.Decided
	Installation *history.Installation
	// Touch is the click itself, or what earned the conversion (see TouchToTell).
	Touch *history.Touch
	Told  *event.Told // what the app, or a server for it, said
	Click *event.Click
	// Platform is a conversion that a platform has attributed itself.
	Platform *event.PlatformConversion

	// Outbox finds these in its directory.
	App     *link.App     // nil for a click
	Partner *link.Partner // of the touch
}

// TouchToTell is the touch that a Telling of the decision needs: the winner,
// or the touch that would have won a conversion that was refused, which its
// partner is told of. It is not ok where there is none.
func TouchToTell(d *attribution.Decision) (touch uid.Click, ok bool) {
	if d.Winner != nil {
		return d.Winner.Touch, true
	}
	if d.Verdict != attribution.Refused {
		return 0, false
	}
	for _, r := range d.Rejected { // the newest first
		if r.Code == d.Refusal && r.Method != "" {
			return r.Touch, true
		}
	}
	return 0, false
}

// kind is what happened; empty for what is told to nobody.
func (t *Telling) kind() string {
	if t.Platform != nil {
		return KindPlatform
	}
	if t.Decided == nil {
		switch c := t.Click; {
		case c == nil || c.Bot != "":
			return ""
		case c.Kind == event.ImpressionKind:
			return KindImpression
		}
		return KindClick
	}
	d := &t.Decided.Decision
	if d.Verdict != attribution.Refused {
		return string(d.Outcome)
	}
	switch d.Outcome {
	case attribution.NewInstall, attribution.Reinstall, attribution.Reattribution:
		return KindRejectedInstall
	case attribution.Happening:
		return KindRejectedEvent
	}
	return ""
}

// kindFor is what the postback tells of it; empty where it tells nothing. An
// account that was told of the first decision is told of an update; the
// partner who earns late was told of nothing yet.
func (t *Telling) kindFor(p *link.Postback) string {
	kind := t.kind()
	if kind == "" || !t.concerns(p) {
		return ""
	}
	if t.Decided != nil && t.Decided.Decision.Late && p.Partner == 0 {
		kind = KindUpdate
	}
	for _, word := range p.On {
		name, named := strings.CutPrefix(word, NamedEvent)
		if word == kind || named && kind == string(attribution.Happening) && name == t.Decided.Event {
			return kind
		}
	}
	return ""
}

// concerns reports whether the postback is about such things. Partners are
// told of what they earned, and of what was refused them; the account of all.
func (t *Telling) concerns(p *link.Postback) bool {
	if p.Account != t.account() || p.App != 0 && !t.isOf(p.App) {
		return false
	}
	return p.Partner == 0 || t.Decided != nil && p.Partner == t.source().Partner && !t.withheld()
}

// withheld reports whether the person's word keeps the partner of the touch
// from being told: the report's own, else the last one of the installation.
// Partners are known by key, by name, and as the link spells them.
func (t *Telling) withheld() bool {
	var from []string
	if t.Installation != nil {
		from = t.Installation.Withhold
	}
	if t.Told != nil && len(t.Told.Withhold) > 0 {
		from = t.Told.Withhold
	}
	spelled := t.source().Name
	return slices.ContainsFunc(from, func(name string) bool {
		switch {
		case name == event.WithholdNone:
			return false
		case name == event.WithholdAll, spelled != "" && strings.EqualFold(name, spelled):
			return true
		}
		p := t.Partner
		return p != nil && (strings.EqualFold(name, p.Name) || strings.EqualFold(name, string(p.Key)))
	})
}

func (t *Telling) account() link.AccountID {
	switch {
	case t.Decided != nil:
		return t.Decided.Account
	case t.Platform != nil:
		return t.Platform.Account
	}
	return t.Click.Account
}

func (t *Telling) isOf(app link.AppID) bool {
	switch {
	case t.Decided != nil:
		return t.Decided.App == app
	case t.Platform != nil:
		return t.Platform.App == app
	}
	if t.Touch != nil {
		for _, a := range t.Touch.Apps {
			if a == app {
				return true
			}
		}
	}
	return false
}

// touch is what earned it, or the click itself; nil where nothing did. A touch
// that was handed in and earned nothing is not told.
func (t *Telling) touch() *history.Touch {
	if t.Touch == nil {
		return nil
	}
	id := uid.Click(0)
	if t.Decided == nil {
		id = t.Click.ID
	} else if earned, ok := TouchToTell(&t.Decided.Decision); ok {
		id = earned
	}
	if t.Touch.ID != id {
		return nil
	}
	return t.Touch
}

// source is who sent the touch.
func (t *Telling) source() attribution.Source {
	if w := t.winner(); w != nil {
		return w.Source
	}
	if touch := t.touch(); touch != nil {
		return touch.Source
	}
	return attribution.Source{}
}

func (t *Telling) winner() *attribution.Match {
	if t.Decided == nil {
		return nil
	}
	return t.Decided.Decision.Winner
}

// madeAt is when the ledger had it, so that a replay makes an equal delivery.
func (t *Telling) madeAt() time.Time {
	switch {
	case t.Decided == nil:
		return t.happenedAt()
	case t.Decided.ReceivedAt.IsZero():
		return t.Decided.Decision.At.UTC()
	}
	return t.Decided.ReceivedAt.UTC()
}

// happenedAt is when it happened.
func (t *Telling) happenedAt() time.Time {
	switch {
	case t.Decided != nil:
		return t.Decided.Decision.At.UTC()
	case t.Platform != nil:
		return time.UnixMilli(t.Platform.At).UTC()
	}
	return time.UnixMilli(t.Click.At).UTC()
}

package event

import (
	"waypost/internal/device"
	"waypost/link"
)

// Tally is what counting needs of a click or an impression.
type Tally struct {
	View     bool // an impression
	At       int64
	Account  link.AccountID
	Link     link.LinkID
	Tracker  link.Tracker
	Template link.TemplateID
	Route    string
	Platform device.Platform
	Country  string
	Bot      bool
}

// Tally cuts the click down to what counting needs.
func (c *Click) Tally() Tally {
	return Tally{
		View: c.Kind == ImpressionKind, At: c.At, Account: c.Account, Link: c.Link, Tracker: c.Tracker, Template: c.Template,
		Route: c.Route, Platform: c.Platform, Country: c.Country, Bot: c.Bot != "",
	}
}

// DecodeTally reads what counting needs of a click's line. Lines that
// AppendJSON wrote are scanned for that alone; all others go through
// DecodeClick. The texts are copies.
func DecodeTally(line []byte) (Tally, error) {
	if t, ok := scanTally(line); ok {
		return t, nil
	}
	c, err := DecodeClick(line)
	return c.Tally(), err
}

// scanTally gives up on anything that AppendJSON would not have written in
// the fields that it reads: escapes, nested values, missing fields.
func scanTally(line []byte) (t Tally, ok bool) {
	kind, _, ok := scanLine(line, t.set)
	t.View = kind == ImpressionKind
	return t, ok && t.At > 0 && t.Account != 0
}

func (t *Tally) set(name, value []byte) bool {
	switch string(name) {
	case "at":
		return setInt(&t.At, value)
	case "account":
		return setInt((*int64)(&t.Account), value)
	case "link":
		return setInt((*int64)(&t.Link), value)
	case "tracker":
		return setTracker(&t.Tracker, value)
	case "v", "type": // given once more
		return false
	case "bot":
		t.Bot = len(value) > 2
		return value[0] == '"'
	}
	plain, ok := plainText(value)
	switch string(name) {
	case "template":
		t.Template = link.TemplateID(plain)
	case "route":
		t.Route = string(plain)
	case "country":
		t.Country = string(plain)
	case "platform":
		p, err := device.ParsePlatform(string(plain))
		t.Platform = p
		return ok && err == nil
	default:
		return isLower(name)
	}
	return ok
}

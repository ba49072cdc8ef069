package event

import (
	"bytes"
	"strconv"
	"unicode/utf8"

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
// AppendJSON wrote are scanned without the cost of a full decoding, which
// matters because every click is read back once; all others go through
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
	rest, ok := bytes.CutPrefix(line, []byte(clickHead))
	if !ok {
		if rest, ok = bytes.CutPrefix(line, []byte(impressionHead)); !ok {
			return t, false
		}
		t.View = true
	}
	id := bytes.IndexByte(rest, '"')
	if id <= 0 || id+1 >= len(rest) {
		return t, false
	}
	rest = rest[id+1:]
	for len(rest) > 2 && rest[0] == ',' && rest[1] == '"' {
		end := bytes.IndexByte(rest[2:], '"')
		if end < 0 || len(rest) < end+5 || rest[end+3] != ':' {
			return t, false
		}
		name := rest[2 : 2+end]
		var value []byte
		if value, rest, ok = scanValue(rest[end+4:]); !ok || !t.set(name, value) {
			return t, false
		}
	}
	return t, len(rest) == 1 && rest[0] == '}' && t.At > 0 && t.Account != 0
}

// scanValue cuts a string, with its quotes, or a number off the front.
func scanValue(rest []byte) (value, after []byte, ok bool) {
	if len(rest) == 0 {
		return nil, nil, false
	}
	if rest[0] != '"' {
		end := bytes.IndexAny(rest, ",}")
		if end <= 0 || rest[0] == '{' || rest[0] == '[' {
			return nil, nil, false
		}
		return rest[:end], rest[end:], true
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[:i+1], rest[i+1:], true
		}
	}
	return nil, nil, false
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
		return t.setTracker(value)
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

// isLower keeps the scan away from names that encoding/json, which folds
// case, would read as one of ours.
func isLower(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}

func setInt(dst *int64, value []byte) bool {
	n, err := strconv.ParseInt(string(value), 10, 64)
	*dst = n
	return err == nil
}

func (t *Tally) setTracker(value []byte) bool {
	n, err := strconv.ParseUint(string(value), 10, 8)
	t.Tracker = link.Tracker(n)
	return err == nil && t.Tracker <= link.MaxTracker
}

// plainText is the inside of a quoted string that holds no escape, and no
// broken UTF-8 for encoding/json to mend.
func plainText(value []byte) ([]byte, bool) {
	if len(value) < 2 || value[0] != '"' || bytes.IndexByte(value, '\\') >= 0 || !utf8.Valid(value) {
		return nil, false
	}
	return value[1 : len(value)-1], true
}

package event

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// Every click is read back more than once, and encoding/json takes several
// times as long as all the rest. So lines that AppendJSON wrote are scanned;
// what it would not have written is left to encoding/json.

// scanLine hands the fields of a click's line to set, but for the envelope and
// the id. It is not ok where set refuses one, or where the line is not as
// AppendJSON writes them.
func scanLine(line []byte, set func(name, value []byte) bool) (kind Kind, id []byte, ok bool) {
	kind = ClickKind
	rest, ok := bytes.CutPrefix(line, []byte(clickHead))
	if !ok {
		kind = ImpressionKind
		if rest, ok = bytes.CutPrefix(line, []byte(impressionHead)); !ok {
			return kind, nil, false
		}
	}
	end := bytes.IndexByte(rest, '"')
	if end <= 0 || end+1 >= len(rest) || !isDigits(rest[:end]) {
		return kind, nil, false
	}
	id, rest = rest[:end], rest[end+1:]
	for len(rest) > 2 && rest[0] == ',' && rest[1] == '"' {
		end := bytes.IndexByte(rest[2:], '"')
		if end < 0 || len(rest) < end+5 || rest[end+3] != ':' {
			return kind, id, false
		}
		name := rest[2 : 2+end]
		var value []byte
		if value, rest, ok = scanValue(rest[end+4:]); !ok || !set(name, value) {
			return kind, id, false
		}
	}
	return kind, id, len(rest) == 1 && rest[0] == '}'
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
	return err == nil && isDigits(value)
}

func setTracker(dst *link.Tracker, value []byte) bool {
	n, err := strconv.ParseUint(string(value), 10, 8)
	*dst = link.Tracker(n)
	return err == nil && *dst <= link.MaxTracker && isDigits(value)
}

// isDigits keeps the scan away from numbers that JSON writes otherwise.
func isDigits(value []byte) bool {
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(value) > 0 && value[0] != '0'
}

// plainText is the inside of a quoted string that holds no escape, no control
// character, which JSON forbids, and no broken UTF-8 for encoding/json to mend.
func plainText(value []byte) ([]byte, bool) {
	if len(value) < 2 || value[0] != '"' || !utf8.Valid(value) {
		return nil, false
	}
	for _, c := range value {
		if c < ' ' || c == '\\' {
			return nil, false
		}
	}
	return value[1 : len(value)-1], true
}

// clickScan reads a whole click.
type clickScan struct {
	Click
	// whole is the line as text, which the click's texts are parts of, so that
	// there is one copy and not twenty.
	whole string
	line  []byte
}

// scanClick gives up on escapes, too.
func scanClick(line []byte) (Click, bool) {
	s := clickScan{whole: string(line), line: line}
	kind, id, ok := scanLine(line, s.set)
	if !ok {
		return Click{}, false
	}
	s.Kind = kind
	n, err := strconv.ParseUint(string(id), 10, 64)
	s.ID = uid.Click(n)
	return s.Click, err == nil && s.check() == nil
}

func (s *clickScan) set(name, value []byte) bool {
	c := &s.Click
	switch string(name) {
	case "at":
		return setInt(&c.At, value)
	case "account":
		return setInt((*int64)(&c.Account), value)
	case "link":
		return setInt((*int64)(&c.Link), value)
	case "tracker":
		return setTracker(&c.Tracker, value)
	case "clipboard":
		c.Clipboard = string(value) == "true"
		return c.Clipboard
	case "v", "type", "id": // given once more
		return false
	}
	plain, ok := plainText(value)
	if !ok {
		return false
	}
	at := cap(s.line) - cap(plain) // where it stands in the line
	text := s.whole[at : at+len(plain)]
	switch string(name) {
	case "dialect":
		c.Dialect = link.Dialect(text)
	case "template":
		c.Template = link.TemplateID(text)
	case "code":
		c.Code = text
	case "state":
		c.State = State(text)
	case "host":
		c.Host = text
	case "route":
		c.Route = text
	case "deep_link":
		c.DeepLink = text
	case "platform":
		p, err := device.ParsePlatform(text)
		c.Platform = p
		return err == nil
	case "os":
		c.OS = text
	case "model":
		c.Model = text
	case "browser":
		c.Browser = text
	case "bot":
		c.Bot = text
	case "country":
		c.Country = text
	case "ip":
		c.IP = text
	case "network":
		c.Network = text
	case "ua":
		c.Agent = text
	case "lang":
		c.Language = text
	case "ref":
		c.Referrer = text
	case "query":
		c.Query = text
	case "stored":
		c.Stored = text
	default:
		return isLower(name)
	}
	return true
}

package event

import (
	"strconv"
	"unicode/utf8"

	"waypost/link"
)

// How the lines of each kind begin.
const (
	clickHead      = `{"v":1,"type":"click","id":"`
	impressionHead = `{"v":1,"type":"impression","id":"`
)

// AppendJSON appends the click as one line without its newline. It allocates
// nothing beyond growing dst: encoding/json costs several times as much, and
// this runs once for every redirect.
func (c *Click) AppendJSON(dst []byte) []byte {
	head := clickHead
	if c.Kind == ImpressionKind {
		head = impressionHead
	}
	dst = append(dst, head...)
	dst = c.ID.Append(dst)
	dst = append(dst, `","at":`...)
	dst = strconv.AppendInt(dst, c.At, 10)
	dst = append(dst, `,"account":`...)
	dst = strconv.AppendInt(dst, int64(c.Account), 10)
	dst = appendField(dst, `,"dialect":`, string(c.Dialect))
	if c.Link != 0 {
		dst = append(dst, `,"link":`...)
		dst = strconv.AppendInt(dst, int64(c.Link), 10)
	}
	if c.Tracker != link.NoTracker {
		dst = append(dst, `,"tracker":`...)
		dst = strconv.AppendUint(dst, uint64(c.Tracker), 10)
	}
	dst = appendField(dst, `,"template":`, string(c.Template))
	dst = appendField(dst, `,"code":`, c.Code)
	dst = appendField(dst, `,"state":`, string(c.State))
	dst = appendField(dst, `,"host":`, c.Host)
	dst = append(dst, `,"route":`...)
	dst = appendString(dst, c.Route)
	dst = appendField(dst, `,"deep_link":`, c.DeepLink)
	if c.Clipboard {
		dst = append(dst, `,"clipboard":true`...)
	}
	dst = appendField(dst, `,"platform":`, c.Platform.String())
	dst = appendField(dst, `,"os":`, c.OS)
	dst = appendField(dst, `,"model":`, c.Model)
	dst = appendField(dst, `,"browser":`, c.Browser)
	dst = appendField(dst, `,"bot":`, c.Bot)
	dst = appendField(dst, `,"country":`, c.Country)
	dst = appendField(dst, `,"ip":`, c.IP)
	dst = appendField(dst, `,"network":`, c.Network)
	dst = appendField(dst, `,"ua":`, c.Agent)
	dst = appendField(dst, `,"lang":`, c.Language)
	dst = appendField(dst, `,"ref":`, c.Referrer)
	dst = appendField(dst, `,"query":`, c.Query)
	dst = appendField(dst, `,"stored":`, c.Stored)
	return append(dst, '}')
}

// appendField appends a name, which is written with its comma and colon, and a
// value; an empty value is left out.
func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, name...)
	return appendString(dst, value)
}

// appendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD, as encoding/json has it, so that every reader can read the line.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	plain := 0 // start of the run that needs no escape
	for i := 0; i < len(s); {
		c := s[i]
		if plainByte[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[plain:i]...)
				dst = append(dst, `\ufffd`...)
				plain = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[plain:i]...)
		dst = appendEscape(dst, c)
		i++
		plain = i
	}
	dst = append(dst, s[plain:]...)
	return append(dst, '"')
}

// plainByte holds the bytes that stand for themselves in a JSON string.
var plainByte = func() (plain [256]bool) {
	for c := byte(0x20); c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

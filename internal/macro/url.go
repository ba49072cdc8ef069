package macro

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Vocabulary names the holes that a URL may have.
type Vocabulary map[string]Hole

// URL appends a URL, or a part of one, that is already encoded: a {macro} of
// the vocabulary becomes a hole; what may not stand in a URL, other braces
// among it, is percent-encoded; everything else stays. It does not look where
// the macros stand: see Authority.
func (b *Builder) URL(s string, known Vocabulary) {
	plain := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '{' {
			if name, _, closed := strings.Cut(s[i+1:], "}"); closed && known[name] != None {
				b.Literal(s[plain:i])
				b.Hole(known[name])
				i += len(name) + 1
				plain = i + 1
				continue
			}
		}
		if inURL(s, i) {
			continue
		}
		b.Literal(s[plain:i])
		b.escape(s[i])
		plain = i + 1
	}
	b.Literal(s[plain:])
}

// inURL reports whether s[i] may stand in a URL as it is. A percent sign may
// where two hexadecimal digits follow.
func inURL(s string, i int) bool {
	switch c := s[i]; c {
	case '%':
		return i+2 < len(s) && hexDigit(s[i+1]) && hexDigit(s[i+2])
	case '"', '<', '>', '\\', '^', '`', '{', '|', '}':
		return false
	default:
		return c > ' ' && c < 0x7f
	}
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// Authority returns the length of the part of a URL in which no macro may
// stand: scheme, userinfo, host and port. Where a URL has no "://" that is all
// of it, because what fills the hole could then begin an authority.
func Authority(raw string) int {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found || strings.ContainsAny(scheme, "/?#\\") {
		return len(raw)
	}
	if n := strings.IndexAny(rest, "/?#\\"); n >= 0 {
		return len(raw) - len(rest) + n
	}
	return len(raw)
}

// CheckURL says why a URL that holds {macros} cannot be used, or nil. Macros
// may stand in the path, the query and the fragment, so that no value can send
// a request to another host; their names must be known; braces must be
// balanced.
func CheckURL(raw string, known func(name string) bool) error {
	if n := strings.IndexFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7f }); n >= 0 {
		return fmt.Errorf("the URL holds a control character at position %d", n+1)
	}
	front := Authority(raw)
	if strings.ContainsAny(raw[:front], "{}") {
		return errors.New("a macro may stand in the path, query or fragment of a URL, not in its scheme, host or port")
	}
	var plain strings.Builder // the URL with a harmless word for each macro
	for rest := raw; rest != ""; {
		n := strings.IndexAny(rest, "{}")
		if n < 0 {
			plain.WriteString(rest)
			break
		}
		name, after, closed := strings.Cut(rest[n+1:], "}")
		if rest[n] == '}' || !closed || strings.Contains(name, "{") {
			return errors.New("the URL has a brace without its partner; macros look like {click_id}, other braces are written %7B and %7D")
		}
		if !known(name) {
			return fmt.Errorf("the URL holds the unknown macro {%s}", name)
		}
		plain.WriteString(rest[:n])
		plain.WriteByte('x')
		rest = after
	}
	u, err := url.Parse(plain.String())
	if err != nil || u.Scheme == "" {
		return errors.New("this is not an absolute URL such as https://example.com/path")
	}
	if u.Host == "" && (u.Scheme == "http" || u.Scheme == "https") {
		return errors.New("the URL names no host")
	}
	return nil
}

// Expand appends a URL that CheckURL accepted with its macros filled. A value
// is percent-encoded once, so it stays one value of the path, query or fragment
// it stands in. Where the path's segment would become "." or "..", which
// servers read as a step up, Expand fails, as it does for a name that lookup
// does not know.
func Expand(dst []byte, raw string, lookup func(name string) (value string, ok bool)) ([]byte, error) {
	start, front := len(dst), Authority(raw)
	if strings.ContainsAny(raw[:front], "{}") {
		return dst, errors.New("expand URL: a macro stands in its scheme, host or port")
	}
	dst = append(dst, raw[:front]...)
	path := len(dst)
	for rest := raw[front:]; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		dst = append(dst, before...)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return dst[:start], errors.New("expand URL: a macro is not closed")
		}
		value, ok := lookup(name)
		if !ok {
			return dst[:start], fmt.Errorf("expand URL: unknown macro {%s}", name)
		}
		dst = appendEscaped(dst, value)
		rest = tail
	}
	if stepsUp(raw[front:], string(dst[path:])) {
		return dst[:start], errors.New("expand URL: a value would make a path segment of dots")
	}
	return dst, nil
}

// appendEscaped percent-encodes all but unreserved characters.
func appendEscaped(dst []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; unreserved(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// stepsUp reports whether filling the macros gave the path a dot segment that
// it did not have before.
func stepsUp(before, after string) bool {
	return dotSegments(after) > dotSegments(before)
}

func dotSegments(s string) int {
	if n := strings.IndexAny(s, "?#"); n >= 0 {
		s = s[:n]
	}
	count := 0
	for segment := range strings.SplitSeq(s, "/") {
		segment = strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
		if segment == "." || segment == ".." {
			count++
		}
	}
	return count
}

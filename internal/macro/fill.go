package macro

import (
	"errors"
	"strings"
)

// Cut cuts s around its first {macro}: a name between two braces that holds
// none. found is false where there is none; before is then s.
func Cut(s string) (before, name, after string, found bool) {
	for i := 0; i < len(s); i++ {
		if s[i] != '{' {
			continue
		}
		n := strings.IndexAny(s[i+1:], "{}")
		if n < 0 {
			break
		}
		if n > 0 && s[i+1+n] == '}' {
			return s[:i], s[i+1 : i+1+n], s[i+n+2:], true
		}
	}
	return s, "", "", false
}

// Fill returns a URL with its macros filled, wherever they stand. A value is
// percent-encoded once, so it stays one value of the part that it stands in; in
// the host, where such an encoding may not stand, it can still name another
// host, which is for the caller to judge. A name that lookup does not know
// stays as it is, in its braces. Where a segment would become "." or "..",
// which servers read as a step up, Fill fails.
func Fill(raw string, lookup func(name string) (value string, ok bool)) (string, error) {
	var filled []byte
	for rest := raw; ; {
		before, name, after, found := Cut(rest)
		filled = append(filled, before...)
		if !found {
			break
		}
		if value, ok := lookup(name); ok {
			filled = appendEscaped(filled, value)
		} else {
			filled = append(append(append(filled, '{'), name...), '}')
		}
		rest = after
	}
	if stepsUp(raw, string(filled)) {
		return "", errors.New("fill URL: a value would make a path segment of dots")
	}
	return string(filled), nil
}

package attribution

import (
	"net/url"
	"slices"
	"strings"
)

// maxReferrer is longer than any referrer that a store passes on, bytes.
const maxReferrer = 8192

// ReferrerParams reads a store's install referrer leniently: stores, browsers
// and apps hand it on encoded never, once or twice, and some write "-" for "=".
// What cannot be read is left out. The first of two values stands.
func ReferrerParams(raw string) map[string]string {
	params := map[string]string{}
	if len(raw) > maxReferrer {
		return params
	}
	for range 2 { // twice is the most that has been seen
		if strings.ContainsRune(raw, '=') {
			break
		}
		plain, err := url.QueryUnescape(raw)
		if err != nil {
			break
		}
		raw = plain
	}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			name, value, ok = strings.Cut(pair, "-")
		}
		name, err := url.QueryUnescape(name)
		if err != nil || !ok || name == "" {
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil {
			continue
		}
		if _, twice := params[name]; !twice {
			params[name] = value
		}
	}
	return params
}

// heedReferrer notes the click that the referrer of an install names although
// it was rejected. One that is too old, or has earned another install, led to
// the store all the same. One that a fraud rule rejects did not, nor did one
// that came after the install; and one that was never in the running, of another
// platform or a route that claims no installs, say, is as if it were not there.
func (j *judge) heedReferrer(t *Touchpoint, m *Match, code Code) {
	if t.Bot == "" && j.conversion.Kind == Install && m.Method == ByReferrer && (code == OutsideLookback || code == AlreadyUsed) && m.At.After(j.cameAt) {
		j.cameAt = m.At
	}
}

// sinceReferrer rejects what came before the click that led to the store: it
// led elsewhere.
func (j *judge) sinceReferrer(known []candidate) []candidate {
	return slices.DeleteFunc(known, func(c candidate) bool {
		before := c.match.At.Before(j.cameAt)
		if before {
			j.reject(&c.match, ReferrerDecides)
		}
		return before
	})
}

package attribution

import (
	"net/url"
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

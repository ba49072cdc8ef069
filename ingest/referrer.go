package ingest

import (
	"net/url"
	"strings"
)

// ReferrerJSON tells a store's referrer, which is a query, from a text that
// begins as JSON does, encoded up to twice more than it should be, and returns
// that without its encoding; empty for a query. Not ok: it is encoded, and cannot
// be decoded.
func ReferrerJSON(text string) (object string, ok bool) {
	for range 2 {
		if !strings.HasPrefix(text, "%") {
			break
		}
		plain, err := url.QueryUnescape(text)
		if err != nil {
			return "", false
		}
		text = strings.TrimSpace(plain)
	}
	if OpensJSON(text) {
		return text, true
	}
	return "", true
}

// OpensJSON reports whether a text begins as JSON does and as no query can.
func OpensJSON(text string) bool {
	return text != "" && strings.ContainsRune(`{["`, rune(text[0]))
}

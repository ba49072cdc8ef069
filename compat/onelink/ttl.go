package onelink

import (
	"time"

	"waypost/link"
)

const day = 24 * time.Hour

// Lives of a link (OneLink API, "TTL"). A value that is invalid or above the
// version's maximum becomes the default, not the maximum.
const (
	defaultTTL = 31 * day
	maxTTLV1   = 31 * day
	maxTTLV2   = 730 * day
)

// cappedTTL returns the life that a version gives a link for the text of its
// ttl, which may be empty.
func cappedTTL(text string, most time.Duration) time.Duration {
	ttl, err := link.ParseTTL(text)
	if err != nil || ttl > most {
		return defaultTTL
	}
	return ttl
}

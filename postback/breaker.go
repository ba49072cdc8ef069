package postback

import (
	"net/http"
	"time"
)

const (
	// trips is how many attempts in a row a host may leave without a proper
	// answer before it is left alone for a while.
	trips = 5
	// firstRest and longestRest bound that while; it doubles with each failed probe.
	firstRest   = 30 * time.Second
	longestRest = 10 * time.Minute
)

// breaker is how a host is doing. The zero breaker trusts it. Hosts that do
// well have none, so that their number is bounded by those in trouble.
type breaker struct {
	failures int // in a row
	rest     time.Duration
	until    time.Time // when the host may be tried again; zero: now
}

// strained reports whether an answer tells that the host itself is in trouble.
// One that refuses what it was told is not.
func strained(a Answer) bool {
	return a.Code == 0 && !a.Final || a.Code >= 500 || a.Code == http.StatusTooManyRequests
}

// fail notes an attempt that ended now. Attempts that were under way when the
// host was given its rest do not prolong it.
func (b *breaker) fail(now time.Time) {
	b.failures++
	if b.failures < trips || now.Before(b.until) {
		return
	}
	b.rest = min(max(2*b.rest, firstRest), longestRest)
	b.until = now.Add(b.rest)
}

// resting reports whether the host is left alone now.
func (b *breaker) resting(now time.Time) bool { return b != nil && now.Before(b.until) }

// room is how many attempts the host may have at once: a single probe after a rest.
func (b *breaker) room(usually int) int {
	if b != nil && b.failures >= trips {
		return 1
	}
	return usually
}

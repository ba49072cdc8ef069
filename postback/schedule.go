package postback

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"waypost/attribution/history"
)

// offsets are when attempts are made, counted from the first.
var offsets = []time.Duration{
	0, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

const (
	// jitter is how far, as a share, a pause may be from the schedule's, so
	// that what failed together does not come back together.
	jitter = 0.2
	// longestPause bounds what a receiver's Retry-After can ask for.
	longestPause = 24 * time.Hour
	// mostAnswer is how much of an answer is kept, bytes.
	mostAnswer = 2 << 10
)

// Answer is what came of an attempt.
type Answer struct {
	Code       int    // HTTP status; zero: there was no answer
	Text       string // the answer's first 2 KiB, or why there was none
	RetryAfter time.Duration
	Final      bool // no further attempt can succeed
}

// ok reports whether the receiver has it.
func (a Answer) ok() bool { return a.Code >= 200 && a.Code < 300 }

// again reports whether another attempt may succeed.
func (a Answer) again() bool {
	switch a.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return !a.Final
	}
	return !a.Final && (a.Code == 0 || a.Code >= 500)
}

// Settle returns the delivery after an attempt that ended now. random is at
// least 0 and below 1. One that somebody made due again, after all attempts
// were made, has that one more.
func Settle(d history.Delivery, a Answer, now time.Time, random float64) history.Delivery {
	d.Attempts++
	d.Code, d.Answer, d.DueAt = a.Code, clean(a.Text), time.Time{}
	switch {
	case a.ok():
		d.Status = history.Delivered
	case !a.again() || d.Attempts >= len(offsets):
		d.Status = history.GivenUp
	default:
		pause := spread(offsets[d.Attempts]-offsets[d.Attempts-1], random)
		d.Status, d.DueAt = history.Waiting, now.Add(max(pause, min(a.RetryAfter, longestPause)))
	}
	return d
}

func spread(pause time.Duration, random float64) time.Duration {
	return time.Duration(float64(pause) * (1 - jitter + 2*jitter*random))
}

// clean makes an answer a text that every store takes.
func clean(answer string) string {
	answer = strings.ReplaceAll(answer[:min(len(answer), mostAnswer)], "\x00", "?")
	if !utf8.ValidString(answer) {
		answer = strings.ToValidUTF8(answer, "?")
	}
	return answer
}

// parseRetryAfter reads seconds or a date (RFC 9110 §10.2.3); zero for anything else.
func parseRetryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if n, err := strconv.ParseUint(header, 10, 32); err == nil {
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}

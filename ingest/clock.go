package ingest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"waypost/event"
	"waypost/internal/fault"
)

// What of the past and the future is believed, after the correction.
const (
	oldestReport = 30 * 24 * time.Hour
	clockSlack   = 5 * time.Minute
	// oldestReferrer is Google's: it keeps a referrer for 90 days.
	oldestReferrer = 90 * 24 * time.Hour
)

// clock tells the sender's time in ours.
type clock struct {
	now, sentAt time.Time
	offset      time.Duration // from the sender's clock to ours
	lost        bool          // the sender's time of sending is impossible: nothing is known of its clock
}

// newClock compares the sender's time of sending with ours. The time that the
// report was on its way goes into the offset; it is far below clockSlack.
func newClock(now, sentAt time.Time) clock {
	switch {
	case sentAt.IsZero():
		return clock{now: now}
	case !isInstant(sentAt):
		return clock{now: now, sentAt: sentAt, lost: true}
	}
	return clock{now, sentAt, now.Sub(sentAt), false}
}

// correct returns when something happened. What is impossible happened now and
// is not ok. A time that nobody told is now, and so is that of sending, whatever
// its unit.
func (c clock) correct(at time.Time) (corrected time.Time, ok bool) {
	if at.IsZero() || at.Location() == unitUnknown && at.Equal(c.sentAt) {
		return c.now, true
	}
	if c.lost {
		return c.now, false
	}
	corrected = at.Add(c.offset)
	if !isInstant(at) || corrected.Before(c.now.Add(-oldestReport)) || corrected.After(c.now.Add(clockSlack)) {
		return c.now, false
	}
	return corrected, true
}

// isInstant keeps out years that no clock of a phone shows, before differences
// of times can overflow, and times that nobody can read.
func isInstant(t time.Time) bool {
	return t.Year() >= 1970 && t.Year() < 2100 && t.Location() != unitUnknown
}

// millis is the ledger's form of an instant, zero for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// referrer takes over what the store said, with the device's instants
// corrected; ok is false where one is impossible.
func (c clock) referrer(r *Referrer) (told *event.Referrer, ok bool) {
	own := func(t time.Time) time.Time {
		if t.IsZero() || !isInstant(t) {
			return t
		}
		return t.Add(c.offset)
	}
	instants := []time.Time{own(r.ClickAt), r.ClickServerAt, own(r.InstallBeginAt), r.InstallBeginServerAt}
	ok = !slices.ContainsFunc(instants, func(t time.Time) bool {
		return !t.IsZero() && (t.Before(c.now.Add(-oldestReferrer)) || t.After(c.now.Add(clockSlack)))
	})
	return &event.Referrer{
		Raw: r.Raw, Click: ClickInReferrer(r.Raw),
		ClickAt: millis(instants[0]), ClickServerAt: millis(instants[1]),
		InstallBeginAt: millis(instants[2]), InstallBeginServerAt: millis(instants[3]),
	}, ok
}

// A number is Unix seconds from a day before the year 2000, to have it in every
// time zone, and milliseconds from where seconds would be the year 2100. Below
// that it is of a clock that was reset to 1970 and counts milliseconds, or of one
// that shows the last century and counts seconds.
const (
	secondsFrom = 946684800 - 24*60*60
	millisFrom  = 4102444800
)

// unitUnknown marks instants whose unit cannot be told, so that they are apart
// from each other and from none, and no clock is corrected by them.
var unitUnknown = time.FixedZone("unit unknown", 0)

// layouts are the forms in which instants are written, without a zone in UTC.
var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05Z07:00"}

// ParseTime reads an instant as senders write it: Unix seconds or milliseconds,
// with a fraction or not, RFC 3339, or "2026-11-20 12:00:00.000" in UTC. Empty
// text, "null", zero and -1 are no instant. Numbers that may be either unit are
// read as seconds, and are impossible in a Report. The fault names the field.
func ParseTime(field, text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	switch text {
	case "", "0", "-1", "null":
		return time.Time{}, nil
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < 1e16 {
		switch {
		case n < secondsFrom:
			return time.UnixMilli(int64(n * 1000)).In(unitUnknown), nil
		case n < millisFrom:
			n *= 1000
		}
		return time.UnixMilli(int64(n)).UTC(), nil
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fault.Bad(field, fault.Malformed, "%q is no instant: write Unix milliseconds, or 2026-11-20T12:00:00Z", cut(text, 40))
}

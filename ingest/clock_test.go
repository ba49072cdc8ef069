package ingest_test

import (
	"slices"
	"testing"
	"time"

	"waypost/event"
)

// TestClockResetTo1970: in its first days its milliseconds read like seconds of
// the last century, a thousand times as far apart.
func TestClockResetTo1970(t *testing.T) {
	t.Parallel()
	f := func(name, times string, at time.Time, claimed int64, flagged bool) {
		t.Helper()
		w := newWorld(t)
		got := send(t, w.door(time.Nanosecond), "/sdk/v1/open", []byte(least+`,"is_first_launch":true,`+times+`}`))
		told := w.last()
		if got.status != 200 || told.At != at.UnixMilli() || told.ClaimedAt != claimed || slices.Contains(told.Flags, event.ClockFlag) != flagged {
			t.Errorf("%s: at %s, claimed %d, flags %q; want %s, %d", name, time.UnixMilli(told.At).UTC(), told.ClaimedAt, told.Flags, at, claimed)
		}
	}
	ago := noon.Add(-10 * time.Second)
	f("ten minutes after it", `"sent_at":600000,"first_launch_at":590000`, noon, 590_000_000, true)
	f("eleven days after it", `"sent_at":946598399,"first_launch_at":946588399`, noon, 946588399_000, true)
	f("written as text", `"sent_at":"1970-01-01T00:10:00Z","first_launch_at":"1970-01-01T00:09:50Z"`, ago, 0, false)
	f("the time of sending alone is unclear", `"sent_at":600000,"first_launch_at":1795175990`, noon, 1795175990_000, true)
	f("the other time alone is", `"sent_at":1795176000,"first_launch_at":590000`, noon, 590_000_000, true)
	f("nothing but the time of sending", `"sent_at":600000`, noon, 0, false)
	f("the time of sending twice", `"sent_at":600000,"first_launch_at":600000`, noon, 0, false)
	f("two months after it", `"sent_at":5184000000,"first_launch_at":5183990000`, ago, 0, false)
	f("reset to 1980", `"sent_at":315532810000,"first_launch_at":315532800000`, ago, 0, false)
	f("reset to 2000, in seconds", `"sent_at":946684810,"first_launch_at":946684800`, ago, 0, false)
	f("a year that no clock shows", `"sent_at":4200000000000,"first_launch_at":1795175990000`, noon, 1795175990_000, true)
}

// TestUnclearTimesStayApart: two events that a clock of unknown unit tells apart
// are two, and a repetition is one.
func TestUnclearTimesStayApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.door(0)
	send(t, server, "/sdk/v1/events", []byte(least+`,"events":[{"name":"a","at":590000},{"name":"a","at":590001},{"name":"a","at":590000}]}`))
	told, _ := w.ledger.All(t)
	if len(told) != 3 || told[0].Key == told[1].Key || told[0].Key != told[2].Key {
		t.Errorf("kept %+v", told)
	}
}

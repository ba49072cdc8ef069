package report

import (
	"maps"
	"testing"
	"time"
)

func TestDays(t *testing.T) {
	t.Parallel()
	f := func(at time.Time, want string) {
		t.Helper()
		d := DayOf(at.UnixMilli())
		if d.String() != want {
			t.Errorf("DayOf(%v) = %s, want %s", at, d, want)
		}
		if back, err := ParseDay(want); err != nil || back != d {
			t.Errorf("ParseDay(%s) = %d, %v; want %d", want, back, err, d)
		}
	}
	f(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), "2026-11-20")
	f(time.Date(2026, 11, 20, 23, 59, 59, 999e6, time.UTC), "2026-11-20")
	f(time.Date(2026, 11, 21, 0, 30, 0, 0, time.FixedZone("CET", 3600)), "2026-11-20")
	f(time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), "1969-12-31")
	for _, bad := range []string{"", "2026-13-01", "2026-1-1", "yesterday"} {
		if d, err := ParseDay(bad); err == nil {
			t.Errorf("ParseDay(%q) = %v", bad, d)
		}
	}
}

func TestCountsAdd(t *testing.T) {
	t.Parallel()
	a, b := Key{Route: "a"}, Key{Route: "b"}
	got := Counts{a: 1}
	got.Add(Counts{a: 1, b: 2})
	if !maps.Equal(got, Counts{a: 2, b: 2}) {
		t.Errorf("got %+v", got)
	}
}

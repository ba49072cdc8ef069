package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

var usageTests = map[string]func(*testing.T, Store){
	"limit":             testUsageLimit,
	"months":            testUsageMonths,
	"read":              testReadUsage,
	"concurrent takers": testUsageConcurrent,
}

func dayOf(text string) report.Day {
	day, err := report.ParseDay(text)
	if err != nil {
		panic(err)
	}
	return day
}

func (t f) take(s Store, u report.Usage, limit link.Limit, used int64, ok bool) {
	t.Helper()
	gotUsed, gotOK, err := s.TakeUsage(t.Context(), u, limit)
	t.ok(err)
	t.is(gotOK, ok, "taken: %+v of %d", u, limit)
	t.is(gotUsed, used, "used: %+v of %d", u, limit)
}

func testUsageLimit(tt *testing.T, s Store) {
	t := f{tt}
	u := report.Usage{Account: 1, Name: "writes", Day: dayOf("2026-11-20"), Calls: 1}
	t.take(s, u, 0, 0, false) // zero allows nothing
	t.take(s, u, 3, 1, true)
	u.Calls = 3
	t.take(s, u, 3, 1, false) // all or nothing
	u.Calls = 2
	t.take(s, u, 3, 3, true) // up to the limit itself
	u.Calls = 1
	t.take(s, u, 3, 3, false)
	t.take(s, u, 2, 3, false) // a limit that was lowered
	t.take(s, u, link.Unlimited, 4, true)
	u.Calls = 0
	t.take(s, u, 4, 4, true)
	u.Calls = 1
	u.Account = 2
	t.take(s, u, 1, 1, true) // accounts and names have counters of their own
	u.Account, u.Name = 1, "reads"
	t.take(s, u, 1, 1, true)
	u.Calls = -1
	_, _, err := s.TakeUsage(t.Context(), u, 1)
	t.kind(err, fault.Invalid)
}

func testUsageMonths(tt *testing.T, s Store) {
	t := f{tt}
	u := report.Usage{Account: 1, Name: "writes", Calls: 1}
	for _, c := range []struct {
		day  string
		used int64
		ok   bool
	}{
		{"2026-11-30", 1, true}, {"2026-11-01", 2, true}, {"2026-11-15", 2, false},
		{"2026-12-01", 1, true}, {"2026-12-31", 2, true}, {"2026-12-31", 2, false},
		{"2027-01-01", 1, true}, {"2026-10-31", 1, true},
		{"2028-02-29", 1, true}, {"2028-02-01", 2, true}, {"2028-02-28", 2, false}, {"2028-03-01", 1, true},
	} {
		u.Day = dayOf(c.day)
		t.take(s, u, 2, c.used, c.ok)
	}
}

func testReadUsage(tt *testing.T, s Store) {
	t := f{tt}
	for _, u := range []report.Usage{
		{Account: 1, Name: "b", Day: 20_001, Calls: 2}, {Account: 1, Name: "b", Day: 20_000, Calls: 1}, {Account: 1, Name: "b", Day: 20_000, Calls: 4},
		{Account: 1, Name: "a", Day: 20_002, Calls: 3}, {Account: 1, Name: "a", Day: 19_999, Calls: 9}, {Account: 1, Name: "a", Day: 20_003, Calls: 9},
		{Account: 2, Name: "a", Day: 20_001, Calls: 9},
	} {
		_, _, err := s.TakeUsage(t.Context(), u, link.Unlimited)
		t.ok(err)
	}
	got, err := s.ReadUsage(t.Context(), 1, 20_000, 20_002)
	t.ok(err)
	t.is(got, []report.Usage{
		{Account: 1, Name: "a", Day: 20_002, Calls: 3}, {Account: 1, Name: "b", Day: 20_000, Calls: 5}, {Account: 1, Name: "b", Day: 20_001, Calls: 2},
	}, "usage")
	got, err = s.ReadUsage(t.Context(), 3, 0, 30_000)
	t.ok(err)
	t.is(len(got), 0, "usage of an account without any")
}

// testUsageConcurrent: takers of different sizes on two days of a month never
// exceed the limit together, and what is stored is what was granted.
func testUsageConcurrent(tt *testing.T, s Store) {
	t := f{tt}
	const limit = 300
	first := report.DayOf(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC).UnixMilli())
	var granted, highest atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 20 {
				u := report.Usage{Account: 1, Name: "writes", Day: first - report.Day(i%2), Calls: int64(1 + i%3)}
				used, ok, err := s.TakeUsage(t.Context(), u, limit)
				if err != nil {
					t.Error(err)
					return
				}
				if ok {
					granted.Add(u.Calls)
				}
				for old := highest.Load(); used > old && !highest.CompareAndSwap(old, used); old = highest.Load() {
				}
			}
		})
	}
	wg.Wait()
	stored, err := s.ReadUsage(t.Context(), 1, first-1, first)
	t.ok(err)
	var sum int64
	for _, u := range stored {
		sum += u.Calls
	}
	t.is(sum, granted.Load(), "stored against granted")
	if sum > limit || highest.Load() > limit || sum < limit-2 {
		t.Fatalf("granted %d, highest sum %d, limit %d", sum, highest.Load(), limit)
	}
}

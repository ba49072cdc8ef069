package manage_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/memorystore"
	"waypost/report"
)

const creates report.UsageName = "singular.creates"

var allowance = manage.Allowance{Account: 5899, Usage: creates, PerDay: link.SingularPerDay, PerMonth: link.SingularPerMonth}

// spending has acme's limits of the Singular API set.
func spending(t *testing.T, store *memorystore.Store, day, month string) *fixture {
	t.Helper()
	f := newFixtureOver(t, store, nil)
	f.apply("creates_per_day: unlimited, creates_per_month: unlimited", "creates_per_day: "+day+", creates_per_month: "+month)
	return f
}

func (f *fixture) spend() error {
	return f.Spend(f.t.Context(), allowance, func() error { return nil })
}

func (f *fixture) spent() (calls int64) {
	f.t.Helper()
	counters, err := f.Usage(f.t.Context(), f.admin(), 5899, report.DayOf(start.UnixMilli()), report.DayOf(start.UnixMilli())+300)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, c := range counters {
		if c.Name == creates {
			calls += c.Calls
		}
	}
	return calls
}

func TestSpendPerDay(t *testing.T) {
	t.Parallel()
	store := memorystore.New()
	f := spending(t, store, "2", "unlimited")
	failed := errors.New("no such link")
	for range 5 { // what fails costs nothing
		if err := f.Spend(t.Context(), allowance, func() error { return failed }); err != failed {
			t.Fatalf("got %v", err)
		}
	}
	for range 2 {
		if err := f.spend(); err != nil {
			t.Fatal(err)
		}
	}
	ran := false
	err := f.Spend(t.Context(), allowance, func() error { ran = true; return nil })
	refused(t, err, fault.Quota, "", "")
	if got := fault.As(err).RetryAfter; got != 30*time.Second || ran {
		t.Errorf("retry after %v, want the 30s that the day has left; ran: %v", got, ran)
	}
	other := allowance
	other.Account = 6001
	if err := f.Spend(t.Context(), other, func() error { return nil }); err != nil {
		t.Errorf("another account: %v", err)
	}
	// A process that starts over remembers.
	again := spending(t, store, "2", "unlimited")
	refused(t, again.spend(), fault.Quota, "", "")
	f.pass(30 * time.Second)
	if err := f.spend(); err != nil || f.spent() != 3 {
		t.Errorf("the next day: %v, %d calls are counted, want 3", err, f.spent())
	}
}

func TestSpendPerMonth(t *testing.T) {
	t.Parallel()
	f := spending(t, memorystore.New(), "2", "3")
	f.pass(30 * time.Second) // the first of December
	for day := range 2 {
		for range 2 - day {
			if err := f.spend(); err != nil {
				t.Fatal(err)
			}
		}
		err := f.spend()
		refused(t, err, fault.Quota, "", "")
		if got, want := fault.As(err).RetryAfter, []time.Duration{24 * time.Hour, 30 * 24 * time.Hour}[day]; got != want {
			t.Errorf("on day %d retry after %v, want %v", day+1, got, want)
		}
		f.pass(24 * time.Hour)
	}
	refused(t, f.spend(), fault.Quota, "", "")
	f.pass(29 * 24 * time.Hour)
	if err := f.spend(); err != nil {
		t.Errorf("the next month: %v", err)
	}
}

func TestSpendNothingAndEverything(t *testing.T) {
	t.Parallel()
	refused(t, spending(t, memorystore.New(), "0", "unlimited").spend(), fault.Quota, "", "")
	refused(t, spending(t, memorystore.New(), "unlimited", "0").spend(), fault.Quota, "", "")
	f := spending(t, memorystore.New(), "unlimited", "unlimited")
	for range 3 {
		if err := f.spend(); err != nil {
			t.Fatal(err)
		}
	}
	if f.spent() != 3 {
		t.Errorf("%d calls are counted, want 3 without a limit, too", f.spent())
	}
	nobody := allowance
	nobody.Account = 1
	refused(t, f.Spend(t.Context(), nobody, func() error { return nil }), fault.NotFound, "account", fault.Unknown)
}

func TestSpendCountsEveryCaller(t *testing.T) {
	t.Parallel()
	f := spending(t, memorystore.New(), "20", "unlimited")
	var done, refusals atomic.Int64
	var inside crossing
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 5 {
				err := f.Spend(context.Background(), allowance, func() error {
					done.Add(1)
					inside.pass()
					return nil
				})
				if fault.Is(err, fault.Quota) {
					refusals.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if inside.met.Load() > 0 {
		t.Errorf("%d calls met another", inside.met.Load())
	}
	if done.Load() != 20 || refusals.Load() != 20 || f.spent() != 20 {
		t.Errorf("%d ran, %d were refused, %d are counted, want 20 of each", done.Load(), refusals.Load(), f.spent())
	}
}

// TestSpendInTurn: callers who ask for turns get them without a limit, too.
func TestSpendInTurn(t *testing.T) {
	t.Parallel()
	f := spending(t, memorystore.New(), "unlimited", "unlimited")
	al := allowance
	al.InTurn = true
	var inside crossing
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			if err := f.Spend(context.Background(), al, func() error { inside.pass(); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if inside.met.Load() > 0 || f.spent() != 8 {
		t.Errorf("%d calls met another, %d are counted, want 8", inside.met.Load(), f.spent())
	}
}

// attentive is a store that writes nothing for those who have left.
type attentive struct{ manage.Store }

func (s *attentive) TakeUsage(ctx context.Context, u report.Usage, limit link.Limit) (int64, bool, error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	return s.Store.TakeUsage(ctx, u, limit)
}

// A caller who hangs up when his link is made has made it.
func TestSpendCountsThoseWhoLeave(t *testing.T) {
	t.Parallel()
	f := newFixtureOver(t, memorystore.New(), func(s manage.Store) manage.Store { return &attentive{s} })
	ctx, leave := context.WithCancel(t.Context())
	if err := f.Spend(ctx, allowance, func() error { leave(); return nil }); err != nil || f.spent() != 1 {
		t.Errorf("%v, %d calls are counted", err, f.spent())
	}
}

// forgetful is a store that cannot count.
type forgetful struct {
	manage.Store
	broken error
}

func (s *forgetful) TakeUsage(context.Context, report.Usage, link.Limit) (int64, bool, error) {
	return 0, false, s.broken
}

func TestSpendSaysWhenItCannotCount(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk")
	f := newFixtureOver(t, memorystore.New(), func(s manage.Store) manage.Store { return &forgetful{s, broken} })
	ran := false
	err := f.Spend(t.Context(), allowance, func() error { ran = true; return nil })
	if !errors.Is(err, broken) || !ran {
		t.Errorf("got %v, ran: %v", err, ran)
	}
	blindly := newFixtureOver(t, memorystore.New(), func(s manage.Store) manage.Store { return &blind{s, broken} })
	blindly.apply("creates_per_day: unlimited", "creates_per_day: 5")
	ran = false
	err = blindly.Spend(t.Context(), allowance, func() error { ran = true; return nil })
	if !errors.Is(err, broken) || ran {
		t.Errorf("got %v, ran: %v", err, ran)
	}
}

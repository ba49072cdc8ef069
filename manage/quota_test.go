package manage_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

const limitsYAML = `
accounts:
  - key: acme
    name: Acme Inc
    limits:
      onelink: {monthly_writes: 5, v1_per_second: 3, qr_per_second: 0}
      singular: {creates_per_minute: 2}
`

func limited(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	if _, err := f.Apply(t.Context(), parsed(t, "limits.yaml", limitsYAML)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTakeRate(t *testing.T) {
	t.Parallel()
	f := limited(t)
	for round := range 3 { // after each pause exactly three calls pass within a second
		for call := range 3 {
			if err := f.TakeRate(5899, link.OneLinkV1PerSecond); err != nil {
				t.Fatalf("round %d, call %d: %v", round, call, err)
			}
			f.pass(300 * time.Millisecond)
		}
		err := f.TakeRate(5899, link.OneLinkV1PerSecond)
		refused(t, err, fault.RateLimited, "", "")
		if got := fault.As(err).RetryAfter; got != 100*time.Millisecond {
			t.Errorf("retry after %v, want the 100ms that the window has left", got)
		}
		f.pass(100 * time.Millisecond)
	}
	if err := f.TakeRate(6001, link.OneLinkV1PerSecond); err != nil {
		t.Errorf("another account: %v", err)
	}
	if err := f.TakeRate(5899, link.OneLinkV2PerSecond); err != nil {
		t.Errorf("another limit: %v", err)
	}
	refused(t, f.TakeRate(5899, link.OneLinkQRPerSecond), fault.RateLimited, "", "")
	refused(t, f.TakeRate(1, link.OneLinkV1PerSecond), fault.NotFound, "account", fault.Unknown)
	for range 10_000 {
		if err := f.TakeRate(5899, link.SmartLinksPerSecond); err != nil {
			t.Fatalf("unlimited: %v", err)
		}
	}
}

func TestTakeRatePerMinute(t *testing.T) {
	t.Parallel()
	f := limited(t)
	for range 2 {
		if err := f.TakeRate(5899, link.SingularPerMinute); err != nil {
			t.Fatal(err)
		}
	}
	f.pass(59 * time.Second)
	refused(t, f.TakeRate(5899, link.SingularPerMinute), fault.RateLimited, "", "")
	f.pass(time.Second)
	if err := f.TakeRate(5899, link.SingularPerMinute); err != nil {
		t.Error(err)
	}
}

func TestTakeRateWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	f := limited(t)
	for range 3 {
		if err := f.TakeRate(5899, link.OneLinkV1PerSecond); err != nil {
			t.Fatal(err)
		}
	}
	f.pass(-time.Hour)
	if err := f.TakeRate(5899, link.OneLinkV1PerSecond); err != nil {
		t.Errorf("the account would be shut out for an hour: %v", err)
	}
}

func TestTakeRateCountsEveryCaller(t *testing.T) {
	t.Parallel()
	f := newFixture(t) // 500 per second
	var passed atomic.Int64
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 100 {
				if f.TakeRate(5899, link.OneLinkV1PerSecond) == nil {
					passed.Add(1)
				}
			}
		})
	}
	callers.Wait()
	if passed.Load() != 500 {
		t.Errorf("%d calls passed, want exactly 500", passed.Load())
	}
}

func TestTakeCalls(t *testing.T) {
	t.Parallel()
	f := limited(t)
	const v1, v2 report.UsageName = "onelink.v1", "onelink.v2"
	take := func(usage report.UsageName, n int64) error {
		return f.TakeCalls(t.Context(), 5899, usage, link.OneLinkMonthlyWrites, n)
	}
	remaining := func(usage report.UsageName) int64 {
		t.Helper()
		left, err := f.RemainingCalls(t.Context(), 5899, usage, link.OneLinkMonthlyWrites)
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	if err := take(v1, 4); err != nil {
		t.Fatal(err)
	}
	err := take(v1, 2) // all or none
	refused(t, err, fault.Quota, "", "")
	if got := fault.As(err).RetryAfter; got != 30*time.Second {
		t.Errorf("retry after %v, want the 30s to the first of December, UTC", got)
	}
	if remaining(v1) != 1 || remaining(v2) != 5 {
		t.Errorf("remaining %d and %d, want 1 and 5", remaining(v1), remaining(v2))
	}
	if err := take(v1, 1); err != nil {
		t.Error(err)
	}
	refused(t, take(v1, 1), fault.Quota, "", "")
	refused(t, take(v1, -1), fault.Invalid, "calls", fault.Malformed)
	if err := take(v1, 0); err != nil {
		t.Error(err)
	}
	f.pass(30 * time.Second) // a new month
	if remaining(v1) != 5 || take(v1, 5) != nil || remaining(v1) != 0 {
		t.Error("a new month does not begin anew")
	}
	left, err := f.RemainingCalls(t.Context(), 5899, v1, link.SingularPerMonth)
	if err != nil || left != manage.UnlimitedCalls {
		t.Errorf("unlimited: %d, %v", left, err)
	}
	_, err = f.RemainingCalls(t.Context(), 1, v1, link.OneLinkMonthlyWrites)
	refused(t, err, fault.NotFound, "account", fault.Unknown)
}

// A limit that was lowered below what is used leaves nothing, not less.
func TestRemainingCallsIsNeverNegative(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.TakeCalls(t.Context(), 5899, "onelink.v1", link.OneLinkMonthlyWrites, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Apply(t.Context(), parsed(t, "limits.yaml", limitsYAML)); err != nil {
		t.Fatal(err)
	}
	left, err := f.RemainingCalls(t.Context(), 5899, "onelink.v1", link.OneLinkMonthlyWrites)
	if err != nil || left != 0 {
		t.Errorf("remaining %d, %v", left, err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	today := report.DayOf(start.UnixMilli())
	for range 2 {
		if err := f.TakeCalls(t.Context(), 5899, "onelink.v1", link.OneLinkMonthlyWrites, 2); err != nil {
			t.Fatal(err)
		}
		f.pass(time.Minute) // the second is tomorrow's, and next month's
	}
	got, err := f.Usage(t.Context(), f.actor("acme-read-token"), 5899, today-manage.MaxUsageDays+2, today+1)
	want := []report.Usage{{Account: 5899, Name: "onelink.v1", Day: today, Calls: 2}, {Account: 5899, Name: "onelink.v1", Day: today + 1, Calls: 2}}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = f.Usage(t.Context(), f.actor("acme-agency-token"), 5899, today, today)
	if !fault.Is(err, fault.Forbidden) {
		t.Errorf("a token of some app groups: %v", err)
	}
	_, err = f.Usage(t.Context(), f.actor("rival-admin-token"), 5899, today, today)
	refused(t, err, fault.NotFound, "account", fault.Unknown)
	_, err = f.Usage(t.Context(), f.admin(), 5899, today, today-1)
	refused(t, err, fault.Invalid, "to", fault.Malformed)
	_, err = f.Usage(t.Context(), f.admin(), 5899, today-manage.MaxUsageDays, today)
	refused(t, err, fault.Invalid, "to", fault.TooLong)
}

package manage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

// UnlimitedCalls is what RemainingCalls answers where there is no limit: the
// largest whole number that every JSON reader keeps exactly.
const UnlimitedCalls int64 = 1<<53 - 1

// MaxUsageDays is the longest range that Usage reads.
const MaxUsageDays = 400

// rates counts calls in windows that begin with the first call after the last
// window ended. So after a pause exactly the limit passes within a window, as
// clients measure it; across the end of a window up to twice the limit may
// pass. Windows live in memory: a restart begins new ones.
type rates struct {
	mu      sync.Mutex
	windows map[rateKey]*rateWindow // bounded by accounts times limits
}

type rateKey struct {
	account link.AccountID
	name    link.LimitName
}

type rateWindow struct {
	end   time.Time
	calls link.Limit
}

// ratePeriod returns the length of the window that a limit counts in.
func ratePeriod(name link.LimitName) time.Duration {
	if name == link.SingularPerMinute || name == link.SingularReadPerMinute {
		return time.Minute
	}
	return time.Second
}

// TakeRate counts one call against a limit per second (or per minute where the
// limit's name says so), or refuses it: RateLimited, with the time until the
// window ends.
func (s *Service) TakeRate(account link.AccountID, name link.LimitName) error {
	owner, err := s.account(account)
	if err != nil {
		return err
	}
	limit := owner.Limit(name)
	if limit == link.Unlimited {
		return nil
	}
	wait := s.rates.take(rateKey{account, name}, limit, ratePeriod(name), s.Now())
	if wait == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.RateLimited, RetryAfter: wait, Message: fmt.Sprintf("more calls than %d per %v", limit, ratePeriod(name))}
}

// take returns zero when the call may pass, else how long the window lasts.
func (r *rates) take(key rateKey, limit link.Limit, period time.Duration, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.windows[key]
	if w == nil {
		if r.windows == nil {
			r.windows = map[rateKey]*rateWindow{}
		}
		w = &rateWindow{}
		r.windows[key] = w
	}
	// The second half ends a window that a clock set back would keep for hours.
	if !now.Before(w.end) || w.end.Sub(now) > period {
		w.end, w.calls = now.Add(period), 0
	}
	if w.calls >= limit {
		return w.end.Sub(now)
	}
	w.calls++
	return 0
}

// account returns the account with the id; doors have it from a template or a
// token, so its absence means that it went away meanwhile.
func (s *Service) account(id link.AccountID) (*link.Account, error) {
	if a := s.Directory().Account(id); a != nil {
		return a, nil
	}
	return nil, &fault.Error{Kind: fault.NotFound, Field: "account", Reason: fault.Unknown, Message: "no such account"}
}

// TakeCalls counts n calls of today and returns when that is on stable
// storage, or refuses them all: Quota, with the time until the next month of
// UTC begins.
func (s *Service) TakeCalls(ctx context.Context, account link.AccountID, usage report.UsageName, name link.LimitName, n int64) error {
	owner, err := s.account(account)
	if err != nil || n == 0 {
		return err
	}
	if n < 0 {
		return fault.Bad("calls", fault.Malformed, "must not be negative")
	}
	now, limit := s.now(), owner.Limit(name)
	_, ok, err := s.Store.TakeUsage(ctx, report.Usage{Account: account, Name: usage, Day: report.DayOf(now.UnixMilli()), Calls: n}, limit)
	if err != nil {
		return fmt.Errorf("count calls of account %d: %w", account, err)
	}
	if !ok {
		return spent("month", limit, nextMonth(now).Sub(now))
	}
	return nil
}

func thisMonth(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func nextMonth(now time.Time) time.Time { return thisMonth(now).AddDate(0, 1, 0) }

// RemainingCalls returns how many calls the month (UTC) has left, never less
// than zero; UnlimitedCalls where there is no limit.
func (s *Service) RemainingCalls(ctx context.Context, account link.AccountID, usage report.UsageName, name link.LimitName) (int64, error) {
	owner, err := s.account(account)
	if err != nil {
		return 0, err
	}
	limit := owner.Limit(name)
	if limit == link.Unlimited {
		return UnlimitedCalls, nil
	}
	now := s.now()
	from, to := report.DayOf(thisMonth(now).UnixMilli()), report.DayOf(nextMonth(now).UnixMilli())-1
	counters, err := s.Store.ReadUsage(ctx, account, from, to)
	if err != nil {
		return 0, fmt.Errorf("read calls of account %d: %w", account, err)
	}
	left := int64(limit)
	for _, c := range counters {
		if c.Name == usage {
			left -= c.Calls
		}
	}
	return max(left, 0), nil
}

// Usage returns the account's counters from a day to a day, both included.
// NotFound for an account that the actor's token does not open, Forbidden where
// the token is limited to app groups, because calls are counted for the account as
// a whole; Invalid for a range that runs backwards or over MaxUsageDays.
func (s *Service) Usage(ctx context.Context, a Actor, account link.AccountID, from, to report.Day) ([]report.Usage, error) {
	if err := s.WholeAccount(a, account, link.Read); err != nil {
		return nil, err
	}
	if to < from {
		return nil, fault.Bad("to", fault.Malformed, "must not be before from")
	}
	if int64(to)-int64(from) >= MaxUsageDays {
		return nil, fault.Bad("to", fault.TooLong, "must be less than %d days after from", MaxUsageDays)
	}
	counters, err := s.Store.ReadUsage(ctx, account, from, to)
	if err != nil {
		return nil, fmt.Errorf("read usage of account %d: %w", account, err)
	}
	return counters, nil
}

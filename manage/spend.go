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

// Allowance is what an account may do a day and a month of one thing, and the
// counter that both limits read.
type Allowance struct {
	Account          link.AccountID
	Usage            report.UsageName
	PerDay, PerMonth link.LimitName
	// InTurn lets the account's calls take turns where neither limit is set, too:
	// for callers who keep a limit of their own while they run.
	InTurn bool
}

// turns lets calls of one account that are counted against a limit go one
// after the other, so that none passes between another's check and count.
type turns struct {
	mu    sync.Mutex
	locks map[link.AccountID]*sync.Mutex // bounded by the accounts
}

func (t *turns) of(account link.AccountID) *sync.Mutex {
	t.mu.Lock()
	defer t.mu.Unlock()
	lock := t.locks[account]
	if lock == nil {
		if t.locks == nil {
			t.locks = map[link.AccountID]*sync.Mutex{}
		}
		lock = &sync.Mutex{}
		t.locks[account] = lock
	}
	return lock
}

// Spend runs do where the allowance has a call left, and counts the call when
// do has succeeded: what is refused or fails costs nothing. Its error is do's
// own; or Quota, with the time until the next day or month of UTC begins, and
// then do did not run; or that of counting, and then do has run. Calls are
// counted in the store, a process that dies in between has one uncounted. Where
// a limit is set, or al.InTurn, the account's calls take turns.
func (s *Service) Spend(ctx context.Context, al Allowance, do func() error) error {
	owner, err := s.account(al.Account)
	if err != nil {
		return err
	}
	perDay, perMonth := owner.Limit(al.PerDay), owner.Limit(al.PerMonth)
	limited := perDay != link.Unlimited || perMonth != link.Unlimited
	if limited || al.InTurn {
		turn := s.turns.of(al.Account)
		turn.Lock()
		defer turn.Unlock()
	}
	if limited {
		if err := s.checkAllowance(ctx, al, perDay, perMonth); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	// A caller who leaves now does not get his call for nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countWithin)
	defer cancel()
	today := report.DayOf(s.now().UnixMilli())
	if _, _, err := s.Store.TakeUsage(ctx, report.Usage{Account: al.Account, Name: al.Usage, Day: today, Calls: 1}, link.Unlimited); err != nil {
		return fmt.Errorf("count a call of account %d: %w", al.Account, err)
	}
	return nil
}

// countWithin bounds the writing of one counter.
const countWithin = 10 * time.Second

// checkAllowance refuses a call that one of the limits does not allow.
func (s *Service) checkAllowance(ctx context.Context, al Allowance, perDay, perMonth link.Limit) error {
	now := s.now()
	today, first := report.DayOf(now.UnixMilli()), report.DayOf(thisMonth(now).UnixMilli())
	counters, err := s.Store.ReadUsage(ctx, al.Account, first, today)
	if err != nil {
		return fmt.Errorf("read calls of account %d: %w", al.Account, err)
	}
	var month, day link.Limit
	for _, c := range counters {
		if c.Name != al.Usage {
			continue
		}
		month += link.Limit(c.Calls)
		if c.Day == today {
			day += link.Limit(c.Calls)
		}
	}
	switch {
	case perMonth != link.Unlimited && month >= perMonth:
		return spent("month", perMonth, nextMonth(now).Sub(now))
	case perDay != link.Unlimited && day >= perDay:
		return spent("day", perDay, (today + 1).Time().Sub(now))
	}
	return nil
}

func spent(period string, limit link.Limit, wait time.Duration) error {
	return &fault.Error{Kind: fault.Quota, RetryAfter: wait, Message: fmt.Sprintf("the %s's %d calls are spent", period, limit)}
}

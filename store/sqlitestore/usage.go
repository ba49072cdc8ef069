package sqlitestore

import (
	"context"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

// TakeUsage adds calls to a day's counter unless the sum of the day's month
// would exceed the limit.
func (s *Store) TakeUsage(ctx context.Context, u report.Usage, limit link.Limit) (used int64, ok bool, err error) {
	if u.Calls < 0 {
		return 0, false, fault.Bad("calls", fault.Malformed, "a usage counter only grows; got %d", u.Calls)
	}
	first, last := month(u.Day)
	err = s.write(ctx, "take usage", 1, func(c *conn) error {
		used, err = c.integer("SELECT sum(calls) FROM usage WHERE account = ? AND name = ? AND day BETWEEN ? AND ?",
			int64(u.Account), string(u.Name), int64(first), int64(last))
		if err != nil {
			return err
		}
		ok = limit == link.Unlimited || used+u.Calls <= int64(limit)
		if !ok {
			return nil
		}
		used += u.Calls
		_, err = c.run(`INSERT INTO usage (account, name, day, calls) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET calls = calls + excluded.calls`,
			int64(u.Account), string(u.Name), int64(u.Day), u.Calls)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	return used, ok, nil
}

// month returns the first and the last day of the month (UTC) that d is in.
func month(d report.Day) (first, last report.Day) {
	t := d.Time()
	start := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return report.DayOf(start.UnixMilli()), report.DayOf(start.AddDate(0, 1, 0).UnixMilli()) - 1
}

// ReadUsage returns the account's counters of the days from and to and those
// between, by name and day.
func (s *Store) ReadUsage(ctx context.Context, account link.AccountID, from, to report.Day) (list []report.Usage, err error) {
	err = s.read(ctx, "read usage", func(c *conn) error {
		return c.each("SELECT name, day, calls FROM usage WHERE account = ? AND day BETWEEN ? AND ? ORDER BY name, day", func(r row) error {
			list = append(list, report.Usage{Account: account, Name: report.UsageName(r.text(0)), Day: report.Day(r.int(1)), Calls: r.int(2)})
			return nil
		}, int64(account), int64(from), int64(to))
	})
	return list, err
}

package sqlitestore

import (
	"context"

	"waypost/attribution/history"
	"waypost/link"
)

// AddUnknown adds the reports of unknown names to what is kept of them, and
// keeps the newest of each account and kind, most at most. LastAt never goes back.
func (s *Store) AddUnknown(ctx context.Context, more []history.Unknown, most int) error {
	type owner struct {
		account link.AccountID
		kind    history.UnknownKind
	}
	return s.write(ctx, "add unknown names", len(more), func(c *conn) error {
		owners := map[owner]bool{}
		for _, u := range more {
			owners[owner{u.Account, u.Kind}] = true
			if _, err := c.run(`INSERT INTO unknown_names (account, kind, name, reports, last_at) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET reports = reports + excluded.reports, last_at = max(last_at, excluded.last_at)`,
				int64(u.Account), string(u.Kind), u.Name, u.Reports, u.LastAt.UnixMilli()); err != nil {
				return err
			}
		}
		for o := range owners {
			if _, err := c.run(`DELETE FROM unknown_names WHERE account = ?1 AND kind = ?2 AND name NOT IN
				(SELECT name FROM unknown_names WHERE account = ?1 AND kind = ?2 ORDER BY last_at DESC, name LIMIT ?3)`,
				int64(o.account), string(o.kind), int64(most)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ListUnknown returns what is kept of the account's unknown names, the newest first.
func (s *Store) ListUnknown(ctx context.Context, account link.AccountID) (found []history.Unknown, err error) {
	err = s.read(ctx, "list unknown names", func(c *conn) error {
		found = nil
		return c.each("SELECT kind, name, reports, last_at FROM unknown_names WHERE account = ? ORDER BY last_at DESC, name, kind", func(r row) error {
			found = append(found, history.Unknown{
				Account: account, Kind: history.UnknownKind(r.text(0)), Name: r.text(1), Reports: r.int(2), LastAt: instant(r.int(3)),
			})
			return nil
		}, int64(account))
	})
	return found, err
}

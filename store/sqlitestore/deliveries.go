package sqlitestore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/link"
)

const deliveryColumns = "id, key, account, postback, kind, method, url, body, made_at, due_at, attempts, status, code, answer"

// addDelivery leaves out a delivery whose key is there: it was made before, by
// a run of the ledger that has been thrown away since.
func addDelivery(c *conn, d *history.Delivery) error {
	_, err := c.run(`INSERT INTO deliveries (key, account, postback, kind, method, url, body, made_at, due_at, attempts, status, code, answer)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		d.Key, int64(d.Account), string(d.Postback), d.Kind, d.Method, d.URL, d.Body, attributeMillis(d.MadeAt), nullMillis(d.DueAt),
		int64(d.Attempts), string(d.Status), int64(d.Code), d.Answer)
	return err
}

func scanDelivery(r row) history.Delivery {
	d := history.Delivery{
		ID: r.int(0), Key: r.text(1), Account: link.AccountID(r.int(2)), Postback: link.Key(r.text(3)), Kind: r.text(4), Method: r.text(5),
		URL: r.text(6), Body: r.text(7), MadeAt: attributeInstant(r.int(8)), Attempts: int(r.int(10)), Status: history.DeliveryStatus(r.text(11)),
		Code: int(r.int(12)), Answer: r.text(13),
	}
	if !r.null(9) {
		d.DueAt = instant(r.int(9))
	}
	return d
}

func (s *Store) deliveries(ctx context.Context, attempt, query string, args ...any) (found []history.Delivery, err error) {
	err = s.read(ctx, attempt, func(c *conn) error {
		found = nil
		return c.each(query, func(r row) error {
			found = append(found, scanDelivery(r))
			return nil
		}, args...)
	})
	return found, err
}

const (
	nextHost = "SELECT host FROM deliveries WHERE due_at IS NOT NULL AND host >= ? ORDER BY host LIMIT 1"
	dueOf    = "SELECT " + deliveryColumns + " FROM deliveries WHERE host = ? AND due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?"
)

// DueDeliveries returns deliveries whose next attempt is due, the longest
// overdue first, of each host most at most; of the hosts except none.
func (s *Store) DueDeliveries(ctx context.Context, now time.Time, most int, except ...string) (found []history.Delivery, err error) {
	err = s.read(ctx, "find due deliveries", func(c *conn) error {
		found = nil
		for from := ""; ; {
			host := ""
			more, err := c.first(nextHost, func(r row) { host = r.text(0) }, from)
			if err != nil || !more {
				return err
			}
			from = host + "\x00" // no text is between
			if slices.Contains(except, host) {
				continue
			}
			if err := c.each(dueOf, func(r row) error {
				found = append(found, scanDelivery(r))
				return nil
			}, host, now.UnixMilli(), int64(most)); err != nil {
				return err
			}
		}
	})
	slices.SortFunc(found, func(a, b history.Delivery) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
	})
	return found, err
}

// SaveAttempt writes what an attempt has changed: DueAt, Attempts, Status, Code
// and Answer of the delivery with the ID; NotFound when there is none. Where the
// delivery was made due again meanwhile it stays so. It returns when it is due.
func (s *Store) SaveAttempt(ctx context.Context, d history.Delivery, a history.Attempt) (dueAt time.Time, err error) {
	err = s.write(ctx, "save an attempt", 1, func(c *conn) error {
		stored, err := deliveryOf(c, d.ID)
		if err != nil {
			return err
		}
		if a.Outlived(stored.DueAt) {
			d.DueAt, d.Status = stored.DueAt, stored.Status
		}
		dueAt = d.DueAt
		_, err = c.run("UPDATE deliveries SET due_at = ?, attempts = ?, status = ?, code = ?, answer = ? WHERE id = ?",
			nullMillis(d.DueAt), int64(d.Attempts), string(d.Status), int64(d.Code), d.Answer, d.ID)
		return err
	})
	return dueAt, err
}

func deliveryOf(c *conn, id int64) (d history.Delivery, err error) {
	there, err := c.first("SELECT "+deliveryColumns+" FROM deliveries WHERE id = ?", func(r row) { d = scanDelivery(r) }, id)
	if err == nil && !there {
		err = fault.New(fault.NotFound, "there is no delivery %d", id)
	}
	return d, err
}

// ListDeliveries returns an account's deliveries that the filter chooses, the
// newest first.
func (s *Store) ListDeliveries(ctx context.Context, account link.AccountID, f history.DeliveryFilter) ([]history.Delivery, error) {
	query, args := "SELECT "+deliveryColumns+" FROM deliveries WHERE account = ?", []any{int64(account)}
	for _, c := range []struct {
		chosen    bool
		condition string
		arg       any
	}{
		{f.Status != "", " AND status = ?", string(f.Status)},
		{f.Postback != "", " AND postback = ?", string(f.Postback)},
		{f.Before != 0, " AND id < ?", f.Before},
	} {
		if c.chosen {
			query, args = query+c.condition, append(args, c.arg)
		}
	}
	return s.deliveries(ctx, "list deliveries", query+" ORDER BY id DESC LIMIT ?", append(args, int64(f.Limit))...)
}

// CountWaiting returns how many deliveries wait for an attempt, no more than most.
func (s *Store) CountWaiting(ctx context.Context, most int) (n int64, err error) {
	err = s.read(ctx, "count waiting deliveries", func(c *conn) error {
		n, err = c.integer("SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE due_at IS NOT NULL LIMIT ?)", int64(most))
		return err
	})
	return n, err
}

// RetryDelivery makes an account's delivery due at once, whatever became of it,
// and returns it. NotFound when the account has no such delivery, Conflict when
// it can never be sent.
func (s *Store) RetryDelivery(ctx context.Context, account link.AccountID, id int64, now time.Time) (d history.Delivery, err error) {
	err = s.write(ctx, "retry a delivery", 1, func(c *conn) error {
		d, err = deliveryOf(c, id)
		switch {
		case err != nil:
			return err
		case d.Account != account:
			return fault.New(fault.NotFound, "there is no delivery %d", id)
		case d.Unfilled():
			return fault.New(fault.Conflict, "delivery %d cannot be sent, its URL is not filled: %s", id, d.Answer)
		}
		d.DueAt, d.Status = instant(now.UnixMilli()), history.Waiting
		_, err = c.run("UPDATE deliveries SET due_at = ?, status = ? WHERE id = ?", now.UnixMilli(), string(d.Status), id)
		return err
	})
	return d, err
}

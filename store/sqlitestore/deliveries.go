package sqlitestore

import (
	"context"
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

// DueDeliveries returns deliveries whose next attempt is due, the longest
// overdue first, most at most.
func (s *Store) DueDeliveries(ctx context.Context, now time.Time, most int) ([]history.Delivery, error) {
	return s.deliveries(ctx, "find due deliveries",
		"SELECT "+deliveryColumns+" FROM deliveries WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?", now.UnixMilli(), int64(most))
}

// SaveAttempt writes what an attempt has changed: DueAt, Attempts, Status, Code
// and Answer of the delivery with the ID; NotFound when there is none.
func (s *Store) SaveAttempt(ctx context.Context, d history.Delivery) error {
	return s.write(ctx, "save an attempt", 1, func(c *conn) error {
		changed, err := c.run("UPDATE deliveries SET due_at = ?, attempts = ?, status = ?, code = ?, answer = ? WHERE id = ?",
			nullMillis(d.DueAt), int64(d.Attempts), string(d.Status), int64(d.Code), d.Answer, d.ID)
		if err == nil && changed == 0 {
			err = fault.New(fault.NotFound, "there is no delivery %d", d.ID)
		}
		return err
	})
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

// CountWaiting returns how many deliveries wait for an attempt, no more than
// most, and when the first of them is due; the zero time when none waits.
func (s *Store) CountWaiting(ctx context.Context, most int) (n int64, first time.Time, err error) {
	err = s.read(ctx, "count waiting deliveries", func(c *conn) error {
		n, first = 0, time.Time{}
		_, err := c.first("SELECT count(*), min(due_at) FROM (SELECT due_at FROM deliveries WHERE due_at IS NOT NULL ORDER BY due_at LIMIT ?)", func(r row) {
			if n = r.int(0); n > 0 {
				first = instant(r.int(1))
			}
		}, int64(most))
		return err
	})
	return n, first, err
}

// RetryDelivery makes an account's delivery due at once, whatever became of it;
// NotFound when the account has no such delivery. It returns the delivery.
func (s *Store) RetryDelivery(ctx context.Context, account link.AccountID, id int64, now time.Time) (d history.Delivery, err error) {
	err = s.write(ctx, "retry a delivery", 1, func(c *conn) error {
		changed, err := c.run("UPDATE deliveries SET due_at = ?, status = ? WHERE id = ? AND account = ?", now.UnixMilli(), string(history.Waiting), id, int64(account))
		if err != nil {
			return err
		}
		if changed == 0 {
			return fault.New(fault.NotFound, "there is no delivery %d", id)
		}
		_, err = c.first("SELECT "+deliveryColumns+" FROM deliveries WHERE id = ?", func(r row) { d = scanDelivery(r) }, id)
		return err
	})
	return d, err
}

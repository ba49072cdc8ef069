package sqlitestore

import (
	"context"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/link"
)

func saveDecided(c *conn, d *history.Decided, body string) error {
	_, err := c.run(`INSERT INTO decisions (app, install, conversion, at, attributes) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (app, install, conversion) DO UPDATE SET at = excluded.at, attributes = excluded.attributes`,
		int64(d.App), d.Install, string(d.Conversion), d.Decision.At.UnixMilli(), body)
	return err
}

func scanDecided(r row, d *history.Decided) error {
	d.Conversion = attribution.ConversionID(r.text(0))
	body, err := decode[decidedRow](r, 1, "a decision")
	body.fill(d)
	return err
}

// ReadDecided returns a conversion with its decision; not ok when there is none.
func (s *Store) ReadDecided(ctx context.Context, app link.AppID, install string, id attribution.ConversionID) (d history.Decided, ok bool, err error) {
	err = s.read(ctx, "read a decision", func(c *conn) error {
		d, ok = history.Decided{App: app, Install: install}, false
		return c.each("SELECT conversion, attributes FROM decisions WHERE app = ? AND install = ? AND conversion = ?", func(r row) error {
			ok = true
			return scanDecided(r, &d)
		}, int64(app), install, string(id))
	})
	return d, ok, err
}

// ListDecided returns an installation's conversions, the newest first, most at most.
func (s *Store) ListDecided(ctx context.Context, app link.AppID, install string, most int) (found []history.Decided, err error) {
	err = s.read(ctx, "list decisions", func(c *conn) error {
		found = nil
		return c.each("SELECT conversion, attributes FROM decisions WHERE app = ? AND install = ? ORDER BY at DESC, conversion LIMIT ?", func(r row) error {
			d := history.Decided{App: app, Install: install}
			err := scanDecided(r, &d)
			found = append(found, d)
			return err
		}, int64(app), install, int64(most))
	})
	return found, err
}

// EachDecided calls fn for every conversion, by app, installation and
// conversion, as of one instant. fn must not wait.
func (s *Store) EachDecided(ctx context.Context, fn func(history.Decided) error) error {
	return s.readAtOnce(ctx, "read the decisions", func(c *conn) error {
		return c.each("SELECT conversion, attributes, app, install FROM decisions ORDER BY app, install, conversion", func(r row) error {
			d := history.Decided{App: link.AppID(r.int(2)), Install: r.text(3)}
			if err := scanDecided(r, &d); err != nil {
				return err
			}
			return fn(d)
		})
	})
}

package sqlitestore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

// historyRows is a step with its rows encoded, which is done before the
// transaction begins: everybody waits for that.
type historyRows struct {
	step          *history.Step
	touches       []encodedTouch
	earned        []string
	installations []string
	decided       []string
	sites         []encodedSite
	platform      [][]byte
}

func encodeHistory(s *history.Step) (rows historyRows, err error) {
	rows.step = s
	for i := range s.Touches {
		t, err := encodeTouch(&s.Touches[i])
		if err != nil {
			return rows, err
		}
		rows.touches = append(rows.touches, t)
	}
	for i := range s.Earned {
		text, err := encode(rowOfTouch(&s.Earned[i].Touch))
		if err != nil {
			return rows, err
		}
		rows.earned = append(rows.earned, text)
	}
	for i := range s.Installations {
		text, err := encode(rowOfInstallation(&s.Installations[i]))
		if err != nil {
			return rows, err
		}
		rows.installations = append(rows.installations, text)
	}
	for i := range s.Decided {
		text, err := encode(rowOfDecided(&s.Decided[i]))
		if err != nil {
			return rows, err
		}
		rows.decided = append(rows.decided, text)
	}
	rows.sites = encodeSites(s.Sites)
	rows.platform, err = encodePlatform(s.Platform)
	return rows, err
}

// CommitHistory writes a step and moves the projection's place from Step.From
// to Step.To; Conflict when the projection does not stand at From.
func (s *Store) CommitHistory(ctx context.Context, step history.Step) error {
	if step.To < step.From || step.To == step.From && !step.Empty() {
		return fault.Bad("to", fault.Malformed, "a step leads forward; got %d to %d", step.From, step.To)
	}
	rows, err := encodeHistory(&step)
	if err != nil {
		return s.failure("encode a step of the history", err)
	}
	size := 3*len(step.Touches) + len(step.Installations) + len(step.Decided) + len(step.Counts) + len(step.Deliveries) + len(rows.sites) + len(step.Platform)
	var fresh map[words]int64
	err = s.write(ctx, "commit a step of the history", size, func(c *conn) error {
		fresh = map[words]int64{}
		p, err := readPlace(c, step.Projection)
		if err != nil {
			return err
		}
		if p.at != step.From {
			return fault.New(fault.Conflict, "projection %q stands at %d, not at %d", step.Projection, p.at, step.From)
		}
		if err := s.writeHistory(c, &rows, fresh); err != nil {
			return err
		}
		p.at = step.To
		return p.save(c, step.Projection)
	})
	if err == nil {
		s.series.add(fresh)
	}
	return err
}

func (s *Store) writeHistory(c *conn, rows *historyRows, fresh map[words]int64) error {
	step := rows.step
	if err := fileTouches(c, rows.touches); err != nil {
		return err
	}
	for i, e := range step.Earned {
		breathe(i)
		if _, err := c.run("INSERT OR REPLACE INTO earned_touches (id, conversion, body) VALUES (?, ?, ?)", int64(e.Touch.ID), string(e.Conversion), rows.earned[i]); err != nil {
			return err
		}
	}
	for i := range step.Installations {
		breathe(i)
		if err := saveInstallation(c, &step.Installations[i], rows.installations[i]); err != nil {
			return err
		}
	}
	for i := range step.Decided {
		breathe(i)
		if err := saveDecided(c, &step.Decided[i], rows.decided[i]); err != nil {
			return err
		}
	}
	if err := saveOrphans(c, step.Orphans, step.Adopted); err != nil {
		return err
	}
	if err := s.addHistoryCounts(c, step.Counts, fresh); err != nil {
		return err
	}
	if err := addSites(c, rows.sites); err != nil {
		return err
	}
	for i := range step.Platform {
		breathe(i)
		if err := addPlatform(c, &step.Platform[i], rows.platform[i]); err != nil {
			return err
		}
	}
	for i := range step.Deliveries {
		if err := addDelivery(c, &step.Deliveries[i]); err != nil {
			return err
		}
	}
	if step.ForgetBefore.IsZero() {
		return nil
	}
	// More than the step adds, so that nothing piles up.
	return forget(c, step.ForgetBefore, 1000+4*len(rows.touches)+len(rows.sites))
}

func saveOrphans(c *conn, orphans, adopted []history.Orphan) error {
	for _, o := range orphans {
		_, err := c.run("INSERT OR REPLACE INTO orphans (app, install, conversion, received_at, line) VALUES (?, ?, ?, ?, ?)",
			int64(o.App), o.Install, string(o.Conversion), o.ReceivedAt.UnixMilli(), o.Line)
		if err != nil {
			return err
		}
	}
	for _, o := range adopted {
		if _, err := c.run("DELETE FROM orphans WHERE app = ? AND install = ? AND conversion = ?", int64(o.App), o.Install, string(o.Conversion)); err != nil {
			return err
		}
	}
	return nil
}

const addHistoryCount = `INSERT INTO history_counts (account, day, link, series, n) VALUES (?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET n = n + excluded.n`

// addHistoryCounts adds counts, and removes cells that a revised decision has
// emptied: a replay that decides so at once never makes them.
func (s *Store) addHistoryCounts(c *conn, counts report.Counts, fresh map[words]int64) error {
	if err := s.addCells(c, addHistoryCount, counts, fresh); err != nil {
		return err
	}
	for key, n := range counts {
		if n >= 0 {
			continue
		}
		series, err := s.series.find(c, wordsOf(&key), fresh)
		if err != nil {
			return err
		}
		_, err = c.run("DELETE FROM history_counts WHERE account = ? AND day = ? AND link = ? AND series = ? AND n = 0",
			int64(key.Account), int64(key.Day), int64(key.Link), series)
		if err != nil {
			return err
		}
	}
	return nil
}

// forget removes touches of buckets that ended before an instant, orphans
// received before it, and what was counted of sites on days that ended before
// it, most of each at most.
func forget(c *conn, before time.Time, most int) error {
	bucket := bucketOf(before.UnixMilli())
	first, err := c.integer("SELECT min(bucket) FROM touch_keys")
	if err == nil && first < bucket {
		_, err = c.run(`DELETE FROM touch_keys WHERE bucket = ?1 AND (key, at, touch) IN
			(SELECT key, at, touch FROM touch_keys WHERE bucket = ?1 ORDER BY key, at, touch LIMIT ?2)`, first, int64(most))
	}
	if err != nil {
		return err
	}
	_, err = c.run("DELETE FROM touches WHERE n IN (SELECT n FROM touches WHERE n < ? ORDER BY n LIMIT ?)", bucket<<bucketShift, int64(most))
	if err != nil {
		return err
	}
	_, err = c.run("DELETE FROM orphans WHERE (app, install, conversion) IN (SELECT app, install, conversion FROM orphans WHERE received_at < ? ORDER BY received_at LIMIT ?)",
		before.UnixMilli(), int64(most))
	if err != nil {
		return err
	}
	_, err = c.run("DELETE FROM site_counts WHERE (day, site, series) IN (SELECT day, site, series FROM site_counts WHERE day < ? ORDER BY day, site, series LIMIT ?)",
		int64(report.DayOf(before.UnixMilli())), int64(most))
	return err
}

// RewindHistory moves the projection's place back to where a ledger ends that
// has lost events; what was decided stays. It does nothing when the place is
// not beyond.
func (s *Store) RewindHistory(ctx context.Context, name report.Projection, to uint64) error {
	return s.write(ctx, "rewind the history", 1, func(c *conn) error {
		p, err := readPlace(c, name)
		if err != nil || p.at <= to {
			return err
		}
		p.at = to
		return p.save(c, name)
	})
}

// ResetHistory removes everything that the projection has made of the ledger
// and sets its place to 0. Deliveries, and which deferred deep links were
// handed out, stay.
func (s *Store) ResetHistory(ctx context.Context, name report.Projection) error {
	const whole = largeRows + 1
	return s.write(ctx, "reset the history", whole, func(c *conn) error {
		for _, table := range []string{"touches", "touch_keys", "earned_touches", "installations", "installation_keys", "decisions", "orphans", "history_counts", "site_counts", "platform_conversions"} {
			if _, err := c.run("DELETE FROM " + table); err != nil {
				return err
			}
		}
		p, err := readPlace(c, name)
		if err != nil {
			return err
		}
		p.at = 0
		return p.save(c, name)
	})
}

// ReadOrphan returns one of those that came before their installation; not ok
// when it is not there.
func (s *Store) ReadOrphan(ctx context.Context, app link.AppID, install string, id attribution.ConversionID) (o history.Orphan, ok bool, err error) {
	err = s.read(ctx, "read an orphan", func(c *conn) error {
		ok = false
		return c.each("SELECT received_at, line FROM orphans WHERE app = ? AND install = ? AND conversion = ?", func(r row) error {
			ok = true
			o = history.Orphan{App: app, Install: install, Conversion: id, ReceivedAt: instant(r.int(0)), Line: r.blob(1)}
			return nil
		}, int64(app), install, string(id))
	})
	return o, ok, err
}

// ListOrphans returns what came before its installation, the oldest first.
func (s *Store) ListOrphans(ctx context.Context, app link.AppID, install string) (found []history.Orphan, err error) {
	err = s.read(ctx, "list orphans", func(c *conn) error {
		found = nil
		return c.each("SELECT conversion, received_at, line FROM orphans WHERE app = ? AND install = ?", func(r row) error {
			found = append(found, history.Orphan{
				App: app, Install: install, Conversion: attribution.ConversionID(r.text(0)), ReceivedAt: instant(r.int(1)), Line: r.blob(2),
			})
			return nil
		}, int64(app), install)
	})
	slices.SortFunc(found, func(a, b history.Orphan) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.Conversion, b.Conversion))
	})
	return found, err
}

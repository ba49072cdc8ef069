package sqlitestore

import (
	"cmp"
	"context"
	"runtime"
	"slices"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

const (
	addCount = `INSERT INTO counts (account, day, link, series, n) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET n = n + excluded.n`
	addBaseline = `INSERT INTO baseline (account, day, link, series, n) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET n = n + excluded.n`
)

// place is a row of the projections.
type place struct {
	at, trimmed uint64
	counts      bool // the projection owns the counts
}

func readPlace(c *conn, name report.Projection) (p place, err error) {
	_, err = c.first("SELECT place, trimmed, counts FROM projections WHERE name = ?", func(r row) {
		p = place{uint64(r.int(0)), uint64(r.int(1)), r.int(2) != 0}
	}, string(name))
	return p, err
}

func (p place) save(c *conn, name report.Projection) error {
	_, err := c.run("INSERT OR REPLACE INTO projections (name, place, trimmed, counts) VALUES (?, ?, ?, ?)",
		string(name), int64(p.at), int64(p.trimmed), p.counts)
	return err
}

// own makes the projection the one whose steps hold counts. Two of them would
// count every batch twice.
func (p *place) own(c *conn, step *report.Step) error {
	if p.counts || len(step.Counts) == 0 {
		return nil
	}
	owner, err := c.text("SELECT name FROM projections WHERE counts = 1")
	if err != nil {
		return err
	}
	if owner != "" {
		return fault.New(fault.Conflict, "the counts belong to projection %q, not to %q", owner, step.Projection)
	}
	p.counts = true
	return nil
}

// Place returns the sequence up to which a projection has committed the ledger.
func (s *Store) Place(ctx context.Context, name report.Projection) (uint64, error) {
	p, err := s.place(ctx, name)
	return p.at, err
}

// TrimmedTo returns the sequence up to which the projection's batches have
// left the ledger.
func (s *Store) TrimmedTo(ctx context.Context, name report.Projection) (uint64, error) {
	p, err := s.place(ctx, name)
	return p.trimmed, err
}

func (s *Store) place(ctx context.Context, name report.Projection) (p place, err error) {
	err = s.read(ctx, "read the place of a projection", func(c *conn) error {
		p, err = readPlace(c, name)
		return err
	})
	return p, err
}

// CommitStep adds the step's counts, applies its renewals and moves the
// projection's place from Step.From to Step.To; Conflict when the projection
// does not stand at From. The first projection that brings counts owns them.
func (s *Store) CommitStep(ctx context.Context, step report.Step) (renewed []report.Renewed, err error) {
	if err := checkStep(&step); err != nil {
		return nil, err
	}
	var fresh map[words]int64
	err = s.write(ctx, "commit a step", len(step.Counts)+len(step.Renewals), func(c *conn) error {
		fresh, renewed = map[words]int64{}, nil
		p, err := readPlace(c, step.Projection)
		if err != nil {
			return err
		}
		if p.at != step.From {
			return fault.New(fault.Conflict, "projection %q stands at %d, not at %d", step.Projection, p.at, step.From)
		}
		if err := p.own(c, &step); err != nil {
			return err
		}
		if err := s.addCells(c, addCount, step.Counts, fresh); err != nil {
			return err
		}
		if renewed, err = renew(c, step.Renewals); err != nil {
			return err
		}
		p.at = step.To
		return p.save(c, step.Projection)
	})
	if err != nil {
		return nil, err
	}
	s.series.add(fresh)
	return renewed, nil
}

// CommitTrim adds the counts of batches that are about to leave the ledger to
// the baseline and moves the trimmed place from Step.From to Step.To. Conflict
// when the projection's trimmed place is not From, or when the projection has
// not consumed the ledger up to To.
func (s *Store) CommitTrim(ctx context.Context, step report.Step) error {
	if err := checkStep(&step); err != nil {
		return err
	}
	var fresh map[words]int64
	err := s.write(ctx, "commit a trim", len(step.Counts), func(c *conn) error {
		fresh = map[words]int64{}
		p, err := readPlace(c, step.Projection)
		if err != nil {
			return err
		}
		if p.trimmed != step.From {
			return fault.New(fault.Conflict, "projection %q is trimmed to %d, not to %d", step.Projection, p.trimmed, step.From)
		}
		if step.To > p.at {
			return fault.New(fault.Conflict, "projection %q stands at %d: it still needs what is trimmed up to %d", step.Projection, p.at, step.To)
		}
		if err := p.own(c, &step); err != nil {
			return err
		}
		if err := s.addCells(c, addBaseline, step.Counts, fresh); err != nil {
			return err
		}
		p.trimmed = step.To
		return p.save(c, step.Projection)
	})
	if err == nil {
		s.series.add(fresh)
	}
	return err
}

// checkStep refuses steps that could be committed twice.
func checkStep(step *report.Step) error {
	empty := len(step.Counts) == 0 && len(step.Renewals) == 0
	if step.To < step.From || (step.To == step.From && !empty) {
		return fault.Bad("to", fault.Malformed, "a step leads forward; got %d to %d", step.From, step.To)
	}
	return nil
}

// ResetProjection sets the projection back to its trimmed place. When it owns
// the counts they become the baseline again, and replaying the ledger from
// there makes them whole.
func (s *Store) ResetProjection(ctx context.Context, name report.Projection) error {
	const whole = largeRows + 1 // rewrites every count
	return s.write(ctx, "reset a projection", whole, func(c *conn) error {
		p, err := readPlace(c, name)
		if err != nil {
			return err
		}
		if p.counts {
			if _, err := c.run("DELETE FROM counts"); err != nil {
				return err
			}
			if _, err := c.run("INSERT INTO counts (account, day, link, series, n) SELECT account, day, link, series, n FROM baseline ORDER BY account, day, link, series"); err != nil {
				return err
			}
		}
		p.at = p.trimmed
		return p.save(c, name)
	})
}

type cell struct {
	account, day, link, series, n int64
}

// addCells adds counts to a table in the order of its key, so that
// neighbouring cells meet the same page.
func (s *Store) addCells(c *conn, statement string, counts report.Counts, fresh map[words]int64) error {
	cells := make([]cell, 0, len(counts))
	for key, n := range counts {
		if n == 0 {
			continue
		}
		series, err := s.series.find(c, wordsOf(&key), fresh)
		if err != nil {
			return err
		}
		cells = append(cells, cell{int64(key.Account), int64(key.Day), int64(key.Link), series, n})
	}
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.day, b.day), cmp.Compare(a.link, b.link), cmp.Compare(a.series, b.series))
	})
	for i, x := range cells {
		breathe(i)
		if _, err := c.run(statement, x.account, x.day, x.link, x.series, x.n); err != nil {
			return err
		}
	}
	return nil
}

// breathe lets others run between rows. On one processor a step of ten thousand
// rows would otherwise hold up every redirect for the scheduler's whole slice
// of 10 ms again and again.
func breathe(row int) {
	if row%32 == 31 {
		runtime.Gosched()
	}
}

// renew moves expiries forward under report.Renewal's conditions: the link
// renews, was live at the click, and was not changed after it. A query and an
// update cost less than one update that returns its row.
func renew(c *conn, renewals []report.Renewal) ([]report.Renewed, error) {
	var moved []report.Renewed
	ordered := slices.SortedStableFunc(slices.Values(renewals), func(a, b report.Renewal) int { return cmp.Compare(a.Link, b.Link) })
	for i, r := range ordered {
		breathe(i)
		var path string
		var expires int64
		at := r.At.UnixMilli()
		found, err := c.first(`SELECT path, ?2 + ttl FROM links
			WHERE id = ?1 AND renew AND expires_at > ?2 AND updated_at <= ?2 AND expires_at < ?2 + ttl`,
			func(r row) { path, expires = r.text(0), r.int(1) }, int64(r.Link), at)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		if _, err := c.run("UPDATE links SET expires_at = ? WHERE id = ?", expires, int64(r.Link)); err != nil {
			return nil, err
		}
		moved = append(moved, report.Renewed{Path: link.Path(path), ExpiresAt: instant(expires)})
	}
	return moved, nil
}

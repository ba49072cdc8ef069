package sqlitestore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"waypost/internal/fault"
	"waypost/link"
)

const (
	intoLinks = ` INTO links
	(path, account, dialect, template, code, source, brand, ttl, renew, expires_at, created_at, updated_at, data, base) VALUES `
	linkValues = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertLink = "INSERT" + intoLinks + linkValues + " ON CONFLICT (path) DO NOTHING"
)

// insertRun inserts runLength links and stops before the first whose path is
// in use. A statement of eight rows costs two thirds of eight statements;
// longer ones cost more again.
var insertRun = "INSERT OR FAIL" + intoLinks + strings.Repeat(linkValues+", ", runLength-1) + linkValues

const runLength = 8

const selectLink = `SELECT l.id, l.path, l.account, l.dialect, l.template, l.code, l.source, l.brand, l.ttl, l.renew,
	l.expires_at, l.created_at, l.updated_at, l.data, l.base,
	s.app_group, s.archived, i.partner, i.agency, i.campaign, i.identity, i.name, c.name
	FROM links l LEFT JOIN listings i ON i.link = l.id LEFT JOIN shelves s ON s.id = i.shelf LEFT JOIN campaigns c ON c.id = i.campaign `

// outcome is what has become of one new link.
type outcome struct {
	id       int64 // zero where it was not inserted
	campaign link.CampaignID
	taken    link.Taken
}

// CreateLinks inserts links whose paths are free or expired at now, and whose
// identities are free. Times are kept as whole milliseconds.
func (s *Store) CreateLinks(ctx context.Context, links []*link.Link, now time.Time) (taken []link.Taken, err error) {
	listed := slices.ContainsFunc(links, func(l *link.Link) bool { return l.Listing != nil })
	order := pathOrder(links)
	var made []outcome
	err = s.write(ctx, "create links", len(links), func(c *conn) (err error) {
		if listed {
			made, err = createInTurn(c, links, now.UnixMilli())
		} else {
			made, err = createLinks(c, links, order, now.UnixMilli())
		}
		if err != nil {
			return err
		}
		for i, l := range links {
			if made[i].id == 0 {
				continue
			}
			if err := s.hosts.remember(c, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	taken = make([]link.Taken, len(links))
	for i, l := range links {
		if taken[i] = made[i].taken; made[i].id == 0 {
			continue
		}
		l.ID = link.LinkID(made[i].id)
		if l.Listing != nil {
			l.Listing.Campaign = made[i].campaign
		}
		s.hosts.stored(l)
	}
	return taken, nil
}

// createLinks inserts links without a listing in the given order.
func createLinks(c *conn, links []*link.Link, order []int, now int64) ([]outcome, error) {
	made := make([]outcome, len(links))
	var earliest int64 // id of the first link that this call has inserted
	for len(order) > 0 {
		if len(order) >= runLength {
			inserted, err := insertMany(c, links, order[:runLength])
			if err != nil {
				return nil, err
			}
			last := c.db.LastInsertRowID()
			for k, i := range order[:inserted] {
				made[i].id = last - int64(inserted-1-k)
			}
			if inserted > 0 && earliest == 0 {
				earliest = made[order[0]].id
			}
			if order = order[inserted:]; inserted == runLength {
				continue
			}
		}
		one, err := createLink(c, links[order[0]], now, earliest)
		if err != nil {
			return nil, err
		}
		if made[order[0]] = one; earliest == 0 {
			earliest = one.id
		}
		order = order[1:]
	}
	return made, nil
}

// insertMany inserts the links up to the first whose path is in use, with ids
// that follow each other.
func insertMany(c *conn, links []*link.Link, order []int) (inserted int, err error) {
	args := make([]any, 0, runLength*14)
	for _, i := range order {
		args = appendLink(args, links[i])
	}
	_, err = c.run(insertRun, args...)
	if err != nil && !errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) {
		return 0, err
	}
	return int(c.db.Changes()), nil
}

// appendLink appends the values of insertLink.
func appendLink(args []any, l *link.Link) []any {
	return append(args, string(l.Path), int64(l.Account), string(l.Dialect), string(l.Template), l.Code, string(l.Source), l.Brand,
		ttlMillis(l.TTL), l.Renew, nullMillis(l.ExpiresAt), l.CreatedAt.UnixMilli(), l.UpdatedAt.UnixMilli(), []byte(l.Data), string(l.Base))
}

// pathOrder returns the links' indexes in the order of their paths, equal paths
// as they stand: so a bulk call meets every page of the index once.
func pathOrder(links []*link.Link) []int {
	order := make([]int, len(links))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(links[a].Path, links[b].Path) })
	return order
}

// createLink inserts a link without a listing.
func createLink(c *conn, l *link.Link, now, earliest int64) (outcome, error) {
	for range 2 {
		changed, err := c.run(insertLink, appendLink(nil, l)...)
		if err != nil {
			return outcome{}, err
		}
		if changed > 0 {
			return outcome{id: c.db.LastInsertRowID()}, nil
		}
		old, free, err := pathHolder(c, l.Path, now, earliest)
		if err != nil || !free {
			return outcome{taken: link.PathTaken}, err
		}
		if _, err := removeLink(c, old); err != nil {
			return outcome{}, err
		}
	}
	return outcome{taken: link.PathTaken}, nil
}

// pathHolder returns the link at a path, or zero, and whether a new one may
// take its place. Ids grow, so what has at least the id earliest is of the same
// call and keeps its path, expired or not.
func pathHolder(c *conn, path link.Path, now, earliest int64) (id int64, free bool, err error) {
	free = true
	_, err = c.first("SELECT id, coalesce(expires_at <= ?2, 0) FROM links WHERE path = ?1", func(r row) {
		id = r.int(0)
		free = r.int(1) != 0 && (earliest == 0 || id < earliest)
	}, string(path), now)
	return id, free, err
}

// ReadLink returns the link at a path, expired or not.
func (s *Store) ReadLink(ctx context.Context, path link.Path) (link.Link, error) {
	return s.readLink(ctx, selectLink+"WHERE l.path = ?", string(path))
}

const selectByID = selectLink + "WHERE l.id = ?"

// ReadLinkByID returns the link with an id, expired or not; NotFound when it is gone.
func (s *Store) ReadLinkByID(ctx context.Context, id link.LinkID) (link.Link, error) {
	return s.readLink(ctx, selectByID, int64(id))
}

func (s *Store) readLink(ctx context.Context, query string, key any) (l link.Link, err error) {
	err = s.read(ctx, "read link", func(c *conn) error {
		found, err := c.first(query, func(r row) { l = scanLink(r) }, key)
		if err == nil && !found {
			err = linkGone()
		}
		return err
	})
	return l, err
}

func linkGone() error { return fault.New(fault.NotFound, "there is no such link") }

func scanLink(r row) link.Link {
	l := link.Link{
		ID: link.LinkID(r.int(0)), Path: link.Path(r.text(1)), Account: link.AccountID(r.int(2)), Dialect: link.Dialect(r.text(3)),
		Template: link.TemplateID(r.text(4)), Code: r.text(5), Source: link.Source(r.text(6)), Brand: r.text(7),
		TTL: time.Duration(r.int(8)) * time.Millisecond, Renew: r.int(9) != 0,
		CreatedAt: instant(r.int(11)), UpdatedAt: instant(r.int(12)), Data: json.RawMessage(r.blob(13)),
		Base: link.Path(r.text(14)),
	}
	if !r.null(10) {
		l.ExpiresAt = instant(r.int(10))
	}
	if !r.null(15) {
		l.Listing = &link.Listing{
			AppGroup: link.AppGroupID(r.int(15)), Archived: r.int(16) != 0, Partner: link.PartnerID(r.int(17)), Agency: link.PartnerID(r.int(18)),
			Campaign: link.CampaignID(r.int(19)), Identity: r.text(20), Name: r.text(21), CampaignName: r.text(22),
		}
	}
	return l
}

// UpdateLink replaces everything of the link with l.ID but its id, account,
// template, code and path.
func (s *Store) UpdateLink(ctx context.Context, l *link.Link) error {
	var campaign link.CampaignID
	err := s.write(ctx, "update link", 1, func(c *conn) (err error) {
		if campaign, err = updateLink(c, l); err != nil {
			return err
		}
		return s.hosts.remember(c, l)
	})
	if err != nil {
		return err
	}
	if l.Listing != nil {
		l.Listing.Campaign = campaign
	}
	s.hosts.stored(l)
	return nil
}

func updateLink(c *conn, l *link.Link) (link.CampaignID, error) {
	kept := *l // with what stays
	if l.Listing != nil {
		found, err := c.first("SELECT account, code, path FROM links WHERE id = ?", func(r row) {
			kept.Account, kept.Code, kept.Path = link.AccountID(r.int(0)), r.text(1), link.Path(r.text(2))
		}, int64(l.ID))
		if err == nil && !found {
			err = linkGone()
		}
		if err != nil {
			return 0, err
		}
		holder, err := identityHolder(c, l.Listing, l.ID)
		if err == nil && holder != 0 {
			err = nameTaken("another link that is not archived has what must be this link's alone")
		}
		if err != nil {
			return 0, err
		}
	}
	changed, err := c.run(`UPDATE links SET dialect = ?, source = ?, brand = ?, ttl = ?, renew = ?, expires_at = ?,
		created_at = ?, updated_at = ?, data = ?, base = ? WHERE id = ?`,
		string(l.Dialect), string(l.Source), l.Brand, ttlMillis(l.TTL), l.Renew, nullMillis(l.ExpiresAt),
		l.CreatedAt.UnixMilli(), l.UpdatedAt.UnixMilli(), []byte(l.Data), string(l.Base), int64(l.ID))
	if err != nil {
		return 0, err
	}
	if changed == 0 {
		return 0, linkGone()
	}
	if l.Listing == nil {
		return 0, unlist(c, int64(l.ID))
	}
	return relist(c, &kept)
}

// nameTaken refuses what would have the name of another.
func nameTaken(message string) *fault.Error {
	return &fault.Error{Kind: fault.Conflict, Field: "name", Reason: fault.Taken, Message: message}
}

// DeleteLink removes a link for good. Its counts stay.
func (s *Store) DeleteLink(ctx context.Context, id link.LinkID) error {
	return s.write(ctx, "delete link", 1, func(c *conn) error {
		removed, err := removeLink(c, int64(id))
		if err == nil && !removed {
			err = linkGone()
		}
		return err
	})
}

// removeLink removes a link with its listing, if there is one.
func removeLink(c *conn, id int64) (removed bool, err error) {
	if err := unlist(c, id); err != nil {
		return false, err
	}
	changed, err := c.run("DELETE FROM links WHERE id = ?", id)
	return changed > 0, err
}

// SweepLinks removes up to most links that expired before the instant, the
// longest expired first, and returns their paths in that order.
func (s *Store) SweepLinks(ctx context.Context, before time.Time, most int) (paths []link.Path, err error) {
	err = s.write(ctx, "sweep links", most, func(c *conn) error {
		paths = nil
		var ids []int64
		err := c.each("SELECT id, path FROM links WHERE expires_at < ? ORDER BY expires_at, id LIMIT ?", func(r row) error {
			ids, paths = append(ids, r.int(0)), append(paths, link.Path(r.text(1)))
			return nil
		}, before.UnixMilli(), int64(max(0, most)))
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := removeLink(c, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return paths, nil
}

func instant(unixMilli int64) time.Time { return time.UnixMilli(unixMilli).UTC() }

// nullMillis is NULL for "never".
func nullMillis(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UnixMilli()
}

// ttlMillis rounds up: a TTL below a millisecond must not become "never".
func ttlMillis(ttl time.Duration) int64 {
	return int64((ttl + time.Millisecond - 1) / time.Millisecond)
}

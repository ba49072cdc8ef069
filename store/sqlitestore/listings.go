package sqlitestore

import (
	"bytes"

	"waypost/link"
)

const saveListing = `INSERT INTO listings
	(link, shelf, archived, code, partner, agency, campaign, identity, name, name_key, search, created_at, updated_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (link) DO UPDATE SET shelf = excluded.shelf, archived = excluded.archived, code = excluded.code,
	partner = excluded.partner, agency = excluded.agency, campaign = excluded.campaign, identity = excluded.identity,
	name = excluded.name, name_key = excluded.name_key, search = excluded.search,
	created_at = excluded.created_at, updated_at = excluded.updated_at`

// createInTurn inserts links, some of them listed, as they stand: the first of
// two with one path or one identity wins.
func createInTurn(c *conn, links []*link.Link, now int64) ([]outcome, error) {
	made := make([]outcome, len(links))
	var earliest int64
	for i, l := range links {
		breathe(i)
		create := createLink
		if l.Listing != nil {
			create = createListed
		}
		one, err := create(c, l, now, earliest)
		if err != nil {
			return nil, err
		}
		if made[i] = one; earliest == 0 {
			earliest = one.id
		}
	}
	return made, nil
}

// createListed inserts a link with its listing. It changes nothing before it
// knows that both the path and the identity are free.
func createListed(c *conn, l *link.Link, now, earliest int64) (outcome, error) {
	old, free, err := pathHolder(c, l.Path, now, earliest)
	if err != nil || !free {
		return outcome{taken: link.PathTaken}, err
	}
	holder, err := identityHolder(c, l.Listing, 0)
	if err != nil || (holder != 0 && holder != old) {
		return outcome{taken: link.IdentityTaken}, err
	}
	if old != 0 {
		if _, err := removeLink(c, old); err != nil {
			return outcome{}, err
		}
	}
	if _, err := c.run(insertLink, appendLink(nil, l)...); err != nil {
		return outcome{}, err
	}
	stored := *l
	stored.ID = link.LinkID(c.db.LastInsertRowID())
	campaign, search, err := list(c, &stored, now)
	if err != nil {
		return outcome{}, err
	}
	return outcome{id: int64(stored.ID), campaign: campaign}, addGrams(c, &stored, search)
}

// identityHolder returns the link other than self that has a listing's
// identity, or zero.
func identityHolder(c *conn, l *link.Listing, self link.LinkID) (int64, error) {
	if l.Archived || l.Identity == "" {
		return 0, nil
	}
	return c.integer("SELECT link FROM listings WHERE identity = ? AND archived = 0 AND identity <> '' AND link <> ?", l.Identity, int64(self))
}

// list writes the listing of a stored link and finds or makes its campaign.
func list(c *conn, l *link.Link, now int64) (campaign link.CampaignID, search []byte, err error) {
	campaign, err = settleCampaign(c, l, now)
	if err != nil {
		return 0, nil, err
	}
	shelf, err := findShelf(c, l)
	if err != nil {
		return 0, nil, err
	}
	search = searchText(l.Listing.Name, string(l.Path))
	_, err = c.run(saveListing, int64(l.ID), shelf, l.Listing.Archived, l.Code, int64(l.Listing.Partner), int64(l.Listing.Agency), int64(campaign),
		l.Listing.Identity, l.Listing.Name, fold(l.Listing.Name), search, l.CreatedAt.UnixMilli(), l.UpdatedAt.UnixMilli())
	return campaign, search, err
}

// relist replaces the listing of a stored link, or gives it one.
func relist(c *conn, l *link.Link) (link.CampaignID, error) {
	var before []byte
	found, err := c.first("SELECT search FROM listings WHERE link = ?", func(r row) { before = r.blob(0) }, int64(l.ID))
	if err != nil {
		return 0, err
	}
	campaign, search, err := list(c, l, l.UpdatedAt.UnixMilli())
	if err != nil || (found && bytes.Equal(before, search)) {
		return campaign, err
	}
	if found {
		if err := dropGrams(c, int64(l.ID)); err != nil {
			return 0, err
		}
	}
	return campaign, addGrams(c, l, search)
}

// unlist removes the listing of a link, if there is one.
func unlist(c *conn, id int64) error {
	changed, err := c.run("DELETE FROM listings WHERE link = ?", id)
	if err != nil || changed == 0 {
		return err
	}
	return dropGrams(c, id)
}

func addGrams(c *conn, l *link.Link, search []byte) error {
	_, err := c.run("INSERT INTO listing_search (rowid, grams) VALUES (?, ?)", int64(l.ID), grams(l.Account, search))
	return err
}

func dropGrams(c *conn, id int64) error {
	_, err := c.run("DELETE FROM listing_search WHERE rowid = ?", id)
	return err
}

// findShelf returns the shelf that a link stands on, made if need be.
func findShelf(c *conn, l *link.Link) (int64, error) {
	args := []any{int64(l.Account), int64(l.Listing.AppGroup), string(l.Dialect), l.Listing.Archived}
	id, err := c.integer("SELECT id FROM shelves WHERE account = ? AND app_group = ? AND dialect = ? AND archived = ?", args...)
	if err != nil || id != 0 {
		return id, err
	}
	_, err = c.run("INSERT INTO shelves (account, app_group, dialect, archived) VALUES (?, ?, ?, ?)", args...)
	return c.db.LastInsertRowID(), err
}

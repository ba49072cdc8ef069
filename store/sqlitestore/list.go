package sqlitestore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"waypost/internal/fault"
	"waypost/link"
)

// Bounds of the ways to a page of links.
const (
	// fewLinks that may be picked are looked at one by one.
	fewLinks = 1000
	// walkPerLink is how many links are looked at for each that the page and
	// what comes before it need, within the bounds of a walk.
	walkPerLink           = 100
	leastWalk, mostOfWalk = 2000, 50_000
	// mostShelves are merged in their order; SQLite merges up to 500.
	mostShelves = 400
)

// ListLinks returns the listed links that the filter picks, in its order.
func (s *Store) ListLinks(ctx context.Context, f link.Filter) (links []link.Link, err error) {
	if f.Offset < 0 || f.Limit < 0 {
		return nil, fault.Bad("offset", fault.Malformed, "offset and limit are not negative; got %d and %d", f.Offset, f.Limit)
	}
	err = s.readAtOnce(ctx, "list links", func(c *conn) error {
		links = nil
		ids, err := pickLinks(c, &f)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := c.first(selectByID, func(r row) { links = append(links, scanLink(r)) }, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return links, nil
}

// pickLinks returns the ids of the page that the filter asks for.
//
// Links stand ordered on their shelves, so a page of all of them is read from
// there. A filter that picks some is answered in one of two ways: many picked
// links are soon met walking along the shelves, few are found by an index and
// put in order.
func pickLinks(c *conn, f *link.Filter) ([]int64, error) {
	q, err := newListQuery(c, f)
	if err != nil || len(q.shelves) == 0 {
		return nil, err
	}
	if len(q.sources) == 0 {
		return q.read(c, q.walk("", f.Limit, f.Offset))
	}
	if f.Limit > 0 && !q.exact {
		few, err := q.fewFound(c)
		if err != nil {
			return nil, err
		}
		if !few {
			if ids, done, err := q.walkAlong(c); done || err != nil {
				return ids, err
			}
		}
	}
	return q.read(c, q.found())
}

// shelf is a row of shelves: links that no caller may see in part.
type shelf struct {
	id      int64
	account link.AccountID
}

// listQuery is a filter in SQL.
type listQuery struct {
	filter    *link.Filter
	shelves   []shelf
	key       string   // the column of the order
	condition string   // what listings i must fulfil beside their shelf
	sources   []string // queries that together find the links that may fulfil it; none when all do
	exact     bool     // the sources find no more than the caller named
	atOnce    bool     // the sources find all before they tell the first
	args      []any    // of condition and sources, by number
}

func newListQuery(c *conn, f *link.Filter) (*listQuery, error) {
	q := &listQuery{filter: f, condition: "true"}
	switch f.Order {
	case link.ByCreated:
		q.key = "i.created_at"
	case link.ByUpdated:
		q.key = "i.updated_at"
	case link.ByName:
		q.key = "i.name_key"
	default:
		return nil, fault.Bad("order", fault.Unknown, "%d is no order of links", f.Order)
	}
	if err := q.findShelves(c); err != nil {
		return nil, err
	}
	q.pickPartners()
	if err := q.search(c); err != nil {
		return nil, err
	}
	q.pickCodes()
	q.pickIdentity()
	return q, nil
}

// findShelves finds the shelves that the filter's scopes, groups, dialect and
// Active leave.
func (q *listQuery) findShelves(c *conn) error {
	f, seen := q.filter, map[int64]bool{}
	for _, scope := range f.Scopes {
		err := c.each("SELECT id, app_group, dialect, archived FROM shelves WHERE account = ?", func(r row) error {
			group := link.AppGroupID(r.int(1))
			if seen[r.int(0)] ||
				(len(scope.Groups) > 0 && !slices.Contains(scope.Groups, group)) ||
				(len(f.Groups) > 0 && !slices.Contains(f.Groups, group)) ||
				(f.Dialect != "" && f.Dialect != link.Dialect(r.text(2))) ||
				(f.Active != nil && *f.Active == (r.int(3) != 0)) {
				return nil
			}
			seen[r.int(0)] = true
			q.shelves = append(q.shelves, shelf{r.int(0), scope.Account})
			return nil
		}, int64(scope.Account))
		if err != nil {
			return err
		}
	}
	return nil
}

func (q *listQuery) shelfList() string { return shelfNumbers(q.shelves) }

func shelfNumbers(shelves []shelf) string {
	ids := make([]int64, len(shelves))
	for i, s := range shelves {
		ids[i] = s.id
	}
	return numbers(ids)
}

// and adds a condition and makes the sources the way to the links that may
// fulfil it.
func (q *listQuery) and(condition string, sources ...string) {
	q.condition += " AND (" + condition + ")"
	q.sources = sources
}

// bind returns the place of a value in the query's text.
func (q *listQuery) bind(value any) string {
	q.args = append(q.args, value)
	return fmt.Sprint("?", len(q.args))
}

func (q *listQuery) pickPartners() {
	if len(q.filter.Partners) == 0 {
		return
	}
	ids := numbers(q.filter.Partners)
	q.and("i.partner IN ("+ids+")",
		fmt.Sprintf("SELECT link FROM listings INDEXED BY listings_partner WHERE partner IN (%s) AND shelf IN (%s)", ids, q.shelfList()))
}

func (q *listQuery) pickCodes() {
	if len(q.filter.Codes) == 0 {
		return
	}
	places := make([]string, len(q.filter.Codes))
	for i, code := range q.filter.Codes {
		places[i] = q.bind(code)
	}
	list := strings.Join(places, ",")
	q.and("i.code IN ("+list+")", "SELECT link FROM listings WHERE code IN ("+list+")")
	q.exact = true
}

func (q *listQuery) pickIdentity() {
	if q.filter.Identity == "" {
		return
	}
	same := "identity = " + q.bind(q.filter.Identity) + " AND archived = 0 AND identity <> ''" // as listings_identity has it
	q.and("i."+strings.ReplaceAll(same, "AND ", "AND i."), "SELECT link FROM listings WHERE "+same)
	q.exact = true
}

// order returns the end of a query: its order and its page.
func (q *listQuery) order(key string, limit, offset int) string {
	direction := ""
	if q.filter.Descending {
		direction = " DESC"
	}
	if limit == 0 {
		limit = -1
	}
	return fmt.Sprintf(" ORDER BY %s%s, link%s LIMIT %d OFFSET %d", key, direction, direction, limit, offset)
}

// walk returns the query that goes along the shelves in their order; extra are
// columns beside the link.
func (q *listQuery) walk(extra string, limit, offset int) string {
	columns := "SELECT i.link AS link, " + q.key + " AS k" + extra + " FROM listings i WHERE i.shelf "
	if len(q.shelves) > mostShelves {
		return columns + "IN (" + q.shelfList() + ")" + q.order("k", limit, offset)
	}
	arms := make([]string, len(q.shelves))
	for i, s := range q.shelves {
		arms[i] = columns + fmt.Sprint("= ", s.id)
	}
	return strings.Join(arms, " UNION ALL ") + q.order("k", limit, offset)
}

// found returns the query for the page of what the sources find.
func (q *listQuery) found() string {
	return fmt.Sprintf("SELECT i.link AS link FROM (%s) f CROSS JOIN listings i ON i.link = f.link WHERE i.shelf IN (%s) AND %s",
		strings.Join(q.sources, " UNION "), q.shelfList(), q.condition) + q.order(q.key, q.filter.Limit, q.filter.Offset)
}

// walkAlong looks at a bounded number of links in their order. It is done when
// it has met all of the page, or the last link.
func (q *listQuery) walkAlong(c *conn) (page []int64, done bool, err error) {
	f := q.filter
	wanted := f.Offset + f.Limit
	most := min(max(wanted*walkPerLink, leastWalk), mostOfWalk)
	seen, met := 0, 0
	err = q.each(c, q.walk(", "+q.condition, most, 0), func(r row) bool {
		seen++
		if r.int(2) != 0 {
			if met++; met > f.Offset {
				page = append(page, r.int(0))
			}
		}
		return met < wanted
	})
	return page, met == wanted || seen < most, err
}

// fewFound reports whether the sources find few links only, as far as that is
// cheap to know.
func (q *listQuery) fewFound(c *conn) (bool, error) {
	if q.atOnce {
		return false, nil
	}
	found := 0
	err := q.each(c, strings.Join(q.sources, " UNION ALL ")+fmt.Sprint(" LIMIT ", fewLinks+1), func(row) bool {
		found++
		return true
	})
	return found <= fewLinks, err
}

// read returns the links of a query.
func (q *listQuery) read(c *conn, text string) (ids []int64, err error) {
	err = q.each(c, text, func(r row) bool {
		ids = append(ids, r.int(0))
		return true
	})
	return ids, err
}

// each calls fn for the rows of a query until it returns false. There are too
// many texts to keep them all prepared.
func (q *listQuery) each(c *conn, text string, fn func(row) bool) error {
	stmt, _, err := c.db.Prepare(text)
	if err != nil {
		return err
	}
	defer stmt.Close()
	// A text that holds a part of the query needs but the first parameters.
	if err := bind(stmt, q.args[:stmt.BindCount()]); err != nil {
		return err
	}
	for stmt.Step() {
		if !fn(row{stmt}) {
			return stmt.Reset()
		}
	}
	return stmt.Err()
}

// CountListed returns how many listed links of a dialect that are not archived
// each of the app groups has; groups without any are left out.
func (s *Store) CountListed(ctx context.Context, d link.Dialect, groups []link.AppGroupID) (counts map[link.AppGroupID]int64, err error) {
	err = s.readAtOnce(ctx, "count listed links", func(c *conn) error {
		counts = map[link.AppGroupID]int64{}
		for _, group := range groups {
			n, err := c.integer("SELECT sum(links) FROM shelves WHERE app_group = ? AND dialect = ? AND archived = 0", int64(group), string(d))
			if err != nil {
				return err
			}
			if n > 0 {
				counts[group] = n
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

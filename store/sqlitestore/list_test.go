package sqlitestore

import (
	"fmt"
	"strings"
	"testing"

	"waypost/link"
)

// lister returns the query of a filter over three shelves of two accounts.
func lister(t *testing.T, c *conn, f link.Filter) *listQuery {
	t.Helper()
	f.Scopes = []link.Scope{{Account: 1}, {Account: 2}}
	q, err := newListQuery(c, &f)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestListPlans: pages are read along the indexes of the orders, without
// sorting, and what is picked is found by an index.
func TestListPlans(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	for i, group := range []link.AppGroupID{1, 2, 3} {
		links := benchListed(2)
		for _, l := range links {
			l.Account, l.Listing.AppGroup, l.Listing.Name = link.AccountID(1+i/2), group, "Quixotic"
		}
		if _, err := s.CreateLinks(t.Context(), links, benchNow); err != nil {
			t.Fatal(err)
		}
	}
	plan := func(c *conn, q *listQuery, text string) string {
		var lines []string
		stmt, _, err := c.db.Prepare("EXPLAIN QUERY PLAN " + text)
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		for stmt.Step() {
			lines = append(lines, stmt.ColumnText(3))
		}
		return strings.Join(lines, "\n")
	}
	err := s.read(t.Context(), "plan", func(c *conn) error {
		for order, index := range map[link.Order]string{link.ByCreated: "listings_created", link.ByUpdated: "listings_updated", link.ByName: "listings_name"} {
			for _, descending := range []bool{false, true} {
				q := lister(t, c, link.Filter{Order: order, Descending: descending})
				text := plan(c, q, q.walk("", 25, 100))
				if strings.Count(text, "SEARCH i USING COVERING INDEX "+index+" (shelf=?)") != 3 || strings.Contains(text, "TEMP B-TREE") {
					t.Errorf("order %d:\n%s", order, text)
				}
			}
		}
		for _, p := range []struct {
			filter link.Filter
			uses   string
		}{
			{link.Filter{Search: "quix"}, "SCAN listing_search VIRTUAL TABLE INDEX"},
			{link.Filter{Partners: []link.PartnerID{5, 6}}, "SEARCH listings USING COVERING INDEX listings_partner (partner=? AND shelf=?)"},
			{link.Filter{SearchPartners: []link.PartnerRef{{Account: 1, ID: 5}}}, "SEARCH listings USING COVERING INDEX listings_agency (agency=? AND shelf=?)"},
			{link.Filter{Codes: []string{"a", "b"}}, "SEARCH listings USING COVERING INDEX listings_code (code=?)"},
		} {
			q := lister(t, c, p.filter)
			text := plan(c, q, q.found())
			if !strings.Contains(text, p.uses) || !strings.Contains(text, "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)") || strings.Contains(text, "SCAN listings") || strings.Contains(text, "SCAN i") {
				t.Errorf("%+v:\n%s", p.filter, text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWaysAgree: walking along the shelves, in arms or at once, and looking up
// what the sources find give one page.
func TestWaysAgree(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	links := benchListed(1900)
	for i, l := range links { // names, unlike those of other tests' links, that hold what is searched
		l.Listing.Name = fmt.Sprintf("%s newsletter %s %d", []string{"Spring", "Summer", "Autumn", "Winter"}[i%4], []string{"mail", "push", "poster"}[i%3], i)
		l.Listing.Partner = link.PartnerID(1 + i%30)
	}
	if _, err := s.CreateLinks(t.Context(), links, benchNow); err != nil {
		t.Fatal(err)
	}
	err := s.read(t.Context(), "agree", func(c *conn) error {
		for _, f := range []link.Filter{
			{Search: "AUTUMN", Limit: 10, Offset: 5}, {Search: "push 1", Limit: 2000}, {Search: "s", Limit: 3, Descending: true},
			{Partners: []link.PartnerID{3, 4}, Limit: 7, Offset: 9, Order: link.ByName}, {Search: "zz", Limit: 10, Order: link.ByUpdated},
		} {
			q := lister(t, c, f)
			walked, done, err := q.walkAlong(c)
			if err != nil || !done {
				return fmt.Errorf("the walk ended early: %w", err)
			}
			found, err := q.read(c, q.found())
			if err != nil {
				return err
			}
			all, err := q.read(c, q.walk("", 0, 0))
			if err != nil {
				return err
			}
			for len(q.shelves) <= mostShelves {
				q.shelves = append(q.shelves, shelf{-int64(len(q.shelves)), 1}) // holds nothing
			}
			atOnce, err := q.read(c, q.walk("", 0, 0))
			if err != nil {
				return err
			}
			if fmt.Sprint(walked) != fmt.Sprint(found) || fmt.Sprint(all) != fmt.Sprint(atOnce) || len(all) != 1900 {
				t.Errorf("%+v: walked %v, found %v; all %d and %d", f, walked, found, len(all), len(atOnce))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNothingLeft: what belongs to listings goes with them.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	links := benchListed(30)
	for i, l := range links[:10] {
		l.ExpiresAt = benchNow.AddDate(0, 0, -1-i)
	}
	if _, err := s.CreateLinks(t.Context(), links, benchNow); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SweepLinks(t.Context(), benchNow, 100); err != nil {
		t.Fatal(err)
	}
	for i, l := range links[10:] {
		var err error
		if l.Listing.Name = "Renamed"; i%2 == 0 {
			err = s.UpdateLink(t.Context(), l)
		}
		if err == nil {
			err = s.DeleteLink(t.Context(), l.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	err := s.read(t.Context(), "look", func(c *conn) error {
		for _, query := range []string{
			"SELECT count(*) FROM links", "SELECT count(*) FROM listings", "SELECT sum(abs(links)) FROM shelves",
			"SELECT count(*) FROM listing_search WHERE listing_search MATCH '1g*'",
		} {
			if n, err := c.integer(query); err != nil || n != 0 {
				t.Errorf("%s: %d, %v", query, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

package sqlitestore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"waypost/attribution"
	"waypost/attribution/history"
)

// Series of site_counts. A number is never given a second meaning.
const (
	siteClicks        = 0
	siteInstalls      = 1
	siteReengagements = 2
	siteWithinHour    = 3
	siteNewDevices    = 4
	siteTimes         = 16 // and on: a bucket of times each
)

// siteSeries is what was counted of a site on a day, by series.
type siteSeries [siteTimes + len(attribution.Times{})]int64

// siteBytes is how much of a hash stands for a site: nobody finds two sites
// with one of this length.
const siteBytes = 16

func hashSite(d *history.SiteDay) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%q/%q", d.App, d.Partner, d.Source, d.Site))
	return sum[:siteBytes]
}

// encodedSite is a row of site_counts.
type encodedSite struct {
	day    int64
	site   []byte
	series int64
	n      int64
}

// encodeSites returns the rows of what is not zero, in the table's order.
func encodeSites(counts []history.SiteCount) (rows []encodedSite) {
	for i := range counts {
		c := &counts[i]
		day, site := int64(c.Day), hashSite(&c.SiteDay)
		for series, n := range seriesOf(&c.SiteTraffic) {
			if n != 0 {
				rows = append(rows, encodedSite{day, site, int64(series), n})
			}
		}
	}
	slices.SortFunc(rows, func(a, b encodedSite) int {
		return cmp.Or(cmp.Compare(a.day, b.day), bytes.Compare(a.site, b.site), cmp.Compare(a.series, b.series))
	})
	return rows
}

// seriesOf is what was counted by series.
func seriesOf(t *attribution.SiteTraffic) (n siteSeries) {
	n[siteClicks], n[siteInstalls], n[siteReengagements] = t.Clicks, t.Installs, t.Reengagements
	n[siteWithinHour], n[siteNewDevices] = t.WithinHour, t.NewDevices
	copy(n[siteTimes:], t.Times[:])
	return n
}

// siteTraffic is the inverse of seriesOf.
func siteTraffic(n *siteSeries) (t attribution.SiteTraffic) {
	t.Clicks, t.Installs, t.Reengagements = n[siteClicks], n[siteInstalls], n[siteReengagements]
	t.WithinHour, t.NewDevices = n[siteWithinHour], n[siteNewDevices]
	copy(t.Times[:], n[siteTimes:])
	return t
}

func addSites(c *conn, rows []encodedSite) error {
	for i, r := range rows {
		breathe(i)
		_, err := c.run("INSERT INTO site_counts (day, site, series, n) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n", r.day, r.site, r.series, r.n)
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadSites returns what was counted for each site and day, in their order;
// zero where nothing was, or it is forgotten.
func (s *Store) ReadSites(ctx context.Context, asked []history.SiteDay) (found []attribution.SiteTraffic, err error) {
	if len(asked) == 0 {
		return nil, nil
	}
	err = s.readAtOnce(ctx, "read what was counted of sites", func(c *conn) error {
		found = make([]attribution.SiteTraffic, len(asked))
		for i := range asked {
			var n siteSeries
			err := c.each("SELECT series, n FROM site_counts WHERE day = ? AND site = ?", func(r row) error {
				if series := r.int(0); series >= 0 && series < int64(len(n)) { // others are a later program's
					n[series] = r.int(1)
				}
				return nil
			}, int64(asked[i].Day), hashSite(&asked[i]))
			if err != nil {
				return err
			}
			found[i] = siteTraffic(&n)
		}
		return nil
	})
	return found, err
}

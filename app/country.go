package app

import (
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// countries looks addresses up in a database that the operator provides.
type countries struct{ db *maxminddb.Reader }

// openCountries opens a MaxMind database; without a path nothing is looked up.
func openCountries(path string) (*countries, error) {
	if path == "" {
		return &countries{}, nil
	}
	db, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the country database: %w; give --geoip a MaxMind DB file (GeoLite2-Country.mmdb or alike)", err)
	}
	var country string
	if err := db.Lookup(netip.MustParseAddr("192.0.2.1")).DecodePath(&country, "country", "iso_code"); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("cannot use %s: it holds no country.iso_code: %w", path, err)
	}
	return &countries{db}, nil
}

// lookUp returns the function for the door, or nil without a database.
func (c *countries) lookUp() func(netip.Addr) string {
	if c.db == nil {
		return nil
	}
	return func(a netip.Addr) string {
		var country string
		// An address that the database does not hold leaves country empty.
		if err := c.db.Lookup(a).DecodePath(&country, "country", "iso_code"); err != nil {
			return ""
		}
		return country
	}
}

func (c *countries) close() error {
	if c.db == nil {
		return nil
	}
	return c.db.Close()
}

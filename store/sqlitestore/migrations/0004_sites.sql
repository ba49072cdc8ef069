-- What was counted of each site of a partner, by app and day of clicks: see sites.go for the series. Days come first, so
-- that new rows lie close together, and old ones go together.
CREATE TABLE site_counts (
    day    INTEGER NOT NULL, -- of the click, days since 1970
    site   BLOB NOT NULL,    -- the first 128 bits of the SHA-256 of app, partner, source and site
    series INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (day, site, series)
) STRICT, WITHOUT ROWID;

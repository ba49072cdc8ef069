-- Links that own a path of a host: listed by name, in campaigns, measured per tracker.
-- Zero stands for "none" in the listings' references, as in the counts'.

ALTER TABLE links ADD COLUMN base TEXT NOT NULL DEFAULT '';

CREATE TABLE shared_domains (
    host       TEXT PRIMARY KEY,
    attributes TEXT NOT NULL
) STRICT;
ALTER TABLE accounts ADD COLUMN shared_domain TEXT REFERENCES shared_domains (host);

-- The apps that archived groups have let go of.
CREATE TABLE archived_group_apps (
    app_group INTEGER NOT NULL REFERENCES app_groups (id),
    app       INTEGER NOT NULL REFERENCES apps (id),
    position  INTEGER NOT NULL,
    PRIMARY KEY (app_group, app)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL,
    app_group  INTEGER NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL, -- the name without its case
    deleted    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX campaigns_name ON campaigns (app_group, name_key) WHERE deleted = 0;
CREATE INDEX campaigns_created ON campaigns (app_group, created_at);

-- What callers are let see is always a set of shelves, so the orders below serve every one of them.
CREATE TABLE shelves (
    id        INTEGER PRIMARY KEY,
    account   INTEGER NOT NULL,
    app_group INTEGER NOT NULL,
    dialect   TEXT NOT NULL,
    archived  INTEGER NOT NULL,
    links     INTEGER NOT NULL DEFAULT 0 -- how many, kept by the triggers on listings
) STRICT;
CREATE UNIQUE INDEX shelves_words ON shelves (account, app_group, dialect, archived);
CREATE INDEX shelves_group ON shelves (app_group, dialect, archived);

CREATE TABLE listings (
    link       INTEGER PRIMARY KEY REFERENCES links (id) ON DELETE CASCADE,
    shelf      INTEGER NOT NULL,
    archived   INTEGER NOT NULL, -- the shelf's, for listings_identity
    code       TEXT NOT NULL,
    partner    INTEGER NOT NULL,
    agency     INTEGER NOT NULL,
    campaign   INTEGER NOT NULL,
    identity   TEXT NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL, -- the name without its case
    search     BLOB NOT NULL, -- name and path without their case, a byte FF between them
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX listings_identity ON listings (identity) WHERE archived = 0 AND identity <> '';
CREATE INDEX listings_created ON listings (shelf, created_at);
CREATE INDEX listings_updated ON listings (shelf, updated_at);
CREATE INDEX listings_name ON listings (shelf, name_key);
CREATE INDEX listings_code ON listings (code);
CREATE INDEX listings_partner ON listings (partner, shelf);
CREATE INDEX listings_agency ON listings (agency, shelf) WHERE agency <> 0;

CREATE TRIGGER listings_insert AFTER INSERT ON listings BEGIN
    UPDATE shelves SET links = links + 1 WHERE id = NEW.shelf;
END;
CREATE TRIGGER listings_delete AFTER DELETE ON listings BEGIN
    UPDATE shelves SET links = links - 1 WHERE id = OLD.shelf;
END;
CREATE TRIGGER listings_move AFTER UPDATE OF shelf ON listings WHEN OLD.shelf <> NEW.shelf BEGIN
    UPDATE shelves SET links = links - 1 WHERE id = OLD.shelf;
    UPDATE shelves SET links = links + 1 WHERE id = NEW.shelf;
END;

-- The links that hold three characters in a row, by account. No trigger refers to it: a program without FTS5 must
-- be able to remove links. What it leaves here belongs to no listing and is never found.
CREATE VIRTUAL TABLE listing_search USING fts5 (grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');

ALTER TABLE series ADD COLUMN tracker INTEGER NOT NULL DEFAULT 0;
DROP INDEX series_words;
CREATE UNIQUE INDEX series_words ON series (template, metric, route, platform, country, tracker);

-- Waypost's first schema. Times are Unix milliseconds, days are counted from the Unix epoch.
-- NULL stands for "none" in references and for "never" in expiries.

PRAGMA application_id = 1466005872; -- "Wayp": tells our files from any other SQLite database

-- Configuration. Identity and relations are columns, everything else is one JSON object.

CREATE TABLE accounts (
    id         INTEGER PRIMARY KEY,
    key        TEXT NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_key ON accounts (key) WHERE key <> '';

CREATE TABLE agencies (
    id         INTEGER PRIMARY KEY,
    key        TEXT NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX agencies_key ON agencies (key) WHERE key <> '';

CREATE TABLE apps (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts (id),
    key        TEXT NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX apps_key ON apps (account, key) WHERE key <> '';

CREATE TABLE app_groups (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts (id),
    key        TEXT NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX app_groups_key ON app_groups (account, key) WHERE key <> '';

-- An app is in one group only.
CREATE TABLE app_group_apps (
    app       INTEGER PRIMARY KEY REFERENCES apps (id),
    app_group INTEGER NOT NULL REFERENCES app_groups (id),
    position  INTEGER NOT NULL
) STRICT;
CREATE INDEX app_group_apps_group ON app_group_apps (app_group, position);

CREATE TABLE domains (
    host       TEXT PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts (id),
    app_group  INTEGER REFERENCES app_groups (id),
    brand_of   TEXT REFERENCES domains (host),
    attributes TEXT NOT NULL
) STRICT;

CREATE TABLE templates (
    id         TEXT PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts (id),
    app_group  INTEGER REFERENCES app_groups (id),
    domain     TEXT REFERENCES domains (host),
    attributes TEXT NOT NULL
) STRICT;

CREATE TABLE partners (
    account    INTEGER NOT NULL REFERENCES accounts (id),
    id         INTEGER NOT NULL,
    key        TEXT NOT NULL,
    attributes TEXT NOT NULL,
    PRIMARY KEY (account, id)
) STRICT;
CREATE UNIQUE INDEX partners_key ON partners (account, key) WHERE key <> '';

CREATE TABLE partner_apps (
    account    INTEGER NOT NULL,
    partner    INTEGER NOT NULL,
    app        INTEGER NOT NULL REFERENCES apps (id),
    position   INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    PRIMARY KEY (account, partner, app),
    FOREIGN KEY (account, partner) REFERENCES partners (account, id)
) STRICT;

CREATE TABLE postbacks (
    account    INTEGER NOT NULL REFERENCES accounts (id),
    key        TEXT NOT NULL,
    partner    INTEGER,
    app        INTEGER REFERENCES apps (id),
    attributes TEXT NOT NULL,
    PRIMARY KEY (account, key),
    FOREIGN KEY (account, partner) REFERENCES partners (account, id)
) STRICT;

CREATE TABLE tokens (
    id         INTEGER PRIMARY KEY,
    account    INTEGER REFERENCES accounts (id),
    agency     INTEGER REFERENCES agencies (id),
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL,
    attributes TEXT NOT NULL,
    CHECK ((account IS NULL) <> (agency IS NULL))
) STRICT;
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE UNIQUE INDEX tokens_account ON tokens (account, name) WHERE account IS NOT NULL;
CREATE UNIQUE INDEX tokens_agency ON tokens (agency, name) WHERE agency IS NOT NULL;

CREATE TABLE token_grants (
    token      INTEGER NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    account    INTEGER NOT NULL REFERENCES accounts (id),
    attributes TEXT NOT NULL,
    PRIMARY KEY (token, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE token_grant_groups (
    token          INTEGER NOT NULL,
    grant_position INTEGER NOT NULL,
    position       INTEGER NOT NULL,
    app_group      INTEGER NOT NULL REFERENCES app_groups (id),
    PRIMARY KEY (token, grant_position, position),
    FOREIGN KEY (token, grant_position) REFERENCES token_grants (token, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Links. AUTOINCREMENT because counts outlive links: an id is never given twice.
-- Without a foreign key to accounts, which are never removed: it would cost a look-up for every insert.

CREATE TABLE links (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    path       TEXT NOT NULL,
    account    INTEGER NOT NULL,
    dialect    TEXT NOT NULL,
    template   TEXT NOT NULL,
    code       TEXT NOT NULL,
    source     TEXT NOT NULL,
    brand      TEXT NOT NULL,
    ttl        INTEGER NOT NULL,
    renew      INTEGER NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    data       BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX links_path ON links (path);
CREATE INDEX links_expiry ON links (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE target_hosts (
    account INTEGER NOT NULL,
    host    TEXT NOT NULL,
    PRIMARY KEY (account, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage (
    account INTEGER NOT NULL,
    name    TEXT NOT NULL,
    day     INTEGER NOT NULL,
    calls   INTEGER NOT NULL,
    PRIMARY KEY (account, name, day)
) STRICT, WITHOUT ROWID;

-- Counts. The words of a count repeat in thousands of rows, so each combination of them stands once, in series.

CREATE TABLE series (
    id       INTEGER PRIMARY KEY,
    template TEXT NOT NULL,
    metric   TEXT NOT NULL,
    route    TEXT NOT NULL,
    platform TEXT NOT NULL,
    country  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX series_words ON series (template, metric, route, platform, country);

CREATE TABLE counts (
    account INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    link    INTEGER NOT NULL,
    series  INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (account, day, link, series)
) STRICT, WITHOUT ROWID;
CREATE INDEX counts_link ON counts (link) WHERE link <> 0;

-- Counts of the batches that the ledger no longer holds.
CREATE TABLE baseline (
    account INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    link    INTEGER NOT NULL,
    series  INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (account, day, link, series)
) STRICT, WITHOUT ROWID;

-- One projection owns the counts.
CREATE TABLE projections (
    name    TEXT PRIMARY KEY,
    place   INTEGER NOT NULL,
    trimmed INTEGER NOT NULL,
    counts  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX projections_counts ON projections (counts) WHERE counts = 1;

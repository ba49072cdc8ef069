-- What is remembered between events: touchpoints by their keys, installations, decisions, deliveries.
-- Keys are the first 64 bits of their hash. Whoever finds two under one compares what they stand for.

-- Time is cut into buckets of four days, so that new rows lie close together whatever their keys are, and old ones
-- go together.
CREATE TABLE touches (
    n    INTEGER PRIMARY KEY, -- the bucket, shifted by 40 bits, plus a number within it in the ledger's order
    body TEXT NOT NULL
) STRICT;

CREATE TABLE touch_keys (
    bucket INTEGER NOT NULL,
    key    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    touch  INTEGER NOT NULL,
    PRIMARY KEY (bucket, key, at, touch)
) STRICT, WITHOUT ROWID;

-- Touches that have earned something. They stay when the others go.
CREATE TABLE earned_touches (
    id         INTEGER PRIMARY KEY, -- of the click
    conversion TEXT NOT NULL,       -- the last one
    body       TEXT NOT NULL
) STRICT;

CREATE TABLE installations (
    id         INTEGER PRIMARY KEY,
    app        INTEGER NOT NULL,
    install    TEXT NOT NULL,
    deep_link  TEXT NOT NULL,
    link_until INTEGER NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX installations_install ON installations (app, install);

-- Device keys stand at the installation's first start, addresses at the hour of its last sign of life.
CREATE TABLE installation_keys (
    key          INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    installation INTEGER NOT NULL,
    PRIMARY KEY (key, at, installation)
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
    id         INTEGER PRIMARY KEY,
    app        INTEGER NOT NULL,
    install    TEXT NOT NULL,
    conversion TEXT NOT NULL,
    at         INTEGER NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX decisions_conversion ON decisions (app, install, conversion);

CREATE TABLE orphans (
    app         INTEGER NOT NULL,
    install     TEXT NOT NULL,
    conversion  TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    line        BLOB NOT NULL,
    PRIMARY KEY (app, install, conversion)
) STRICT, WITHOUT ROWID;
CREATE INDEX orphans_received ON orphans (received_at);

-- As counts, of the projection that decides.
CREATE TABLE history_counts (
    account INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    link    INTEGER NOT NULL,
    series  INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (account, day, link, series)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_counts_link ON history_counts (link) WHERE link <> 0;

-- The two tables below are not made from the ledger alone: a replay leaves them as they are.

CREATE TABLE handed_links (
    app     INTEGER NOT NULL,
    install TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (app, install)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT NOT NULL,
    account  INTEGER NOT NULL,
    postback TEXT NOT NULL,
    kind     TEXT NOT NULL,
    method   TEXT NOT NULL,
    url      TEXT NOT NULL,
    body     TEXT NOT NULL,
    made_at  INTEGER NOT NULL,
    due_at   INTEGER, -- NULL: never again
    attempts INTEGER NOT NULL,
    status   TEXT NOT NULL,
    code     INTEGER NOT NULL,
    answer   TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX deliveries_key ON deliveries (key);
CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_account ON deliveries (account, id);
CREATE INDEX deliveries_status ON deliveries (account, status, id);

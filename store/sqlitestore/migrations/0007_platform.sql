-- Conversions that platforms told of themselves, made of the ledger. What a query asks for has a column; the line has all.

CREATE TABLE platform_conversions (
    n            INTEGER PRIMARY KEY, -- in the ledger's order
    account      INTEGER NOT NULL,
    day          INTEGER NOT NULL,
    app          INTEGER NOT NULL,
    framework    TEXT NOT NULL,
    key          TEXT NOT NULL,
    test         INTEGER NOT NULL,
    network      TEXT NOT NULL,
    source       TEXT NOT NULL,
    conversion   TEXT NOT NULL,
    won          INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    interaction  TEXT NOT NULL,
    value        INTEGER, -- NULL: none, or a flagged one
    coarse_value TEXT NOT NULL,
    country      TEXT NOT NULL,
    line         BLOB NOT NULL -- the ledger's
) STRICT;
CREATE UNIQUE INDEX platform_conversions_key ON platform_conversions (app, framework, key);
CREATE INDEX platform_conversions_day ON platform_conversions (account, day);
CREATE INDEX platform_conversions_account ON platform_conversions (account, n);

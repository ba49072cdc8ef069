-- Names of apps, and SDK keys, that reports gave and nobody has: the newest of each account.

CREATE TABLE unknown_names (
    account INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL,
    reports INTEGER NOT NULL,
    last_at INTEGER NOT NULL, -- Unix milliseconds
    PRIMARY KEY (account, kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_postback ON deliveries (account, postback, id);

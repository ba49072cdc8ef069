-- The key of the open that a deferred deep link was told: it is told the same again. Empty: no open's.

ALTER TABLE handed_links ADD COLUMN key TEXT NOT NULL DEFAULT '';

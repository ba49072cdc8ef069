-- Whom a delivery goes to, so that those of one host are found apart from the others'. postback.hostOf reads URLs in the same way.

ALTER TABLE deliveries ADD COLUMN authority TEXT NOT NULL GENERATED ALWAYS AS (lower(substr(substr(url, instr(url, '://') + 3), 1,
    instr(replace(replace(substr(url, instr(url, '://') + 3), '?', '/'), '#', '/') || '/', '/') - 1))) VIRTUAL;
ALTER TABLE deliveries ADD COLUMN host TEXT NOT NULL GENERATED ALWAYS AS (substr(authority, instr(authority, '@') + 1)) VIRTUAL;
CREATE INDEX deliveries_host ON deliveries (host, due_at, id) WHERE due_at IS NOT NULL;

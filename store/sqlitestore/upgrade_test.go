package sqlitestore

import (
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"waypost/internal/device"
	"waypost/link"
	"waypost/report"
)

// firstStatements are what a program of the first schema writes.
const firstStatements = `
	INSERT INTO accounts (id, key, attributes) VALUES (1, 'acme', '{"name":"Acme"}')
		ON CONFLICT (id) DO UPDATE SET key = excluded.key, attributes = excluded.attributes;
	INSERT OR IGNORE INTO apps (id, account, key, attributes) VALUES (11, 1, 'ios', '{}');
	INSERT INTO app_groups (id, account, key, attributes) VALUES (21, 1, 'group', '{"name":"Group"}')
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, key = excluded.key, attributes = excluded.attributes;
	DELETE FROM app_group_apps WHERE app_group = 21;
	INSERT INTO app_group_apps (app, app_group, position) VALUES (11, 21, 0);
	INSERT INTO links (path, account, dialect, template, code, source, brand, ttl, renew, expires_at, created_at, updated_at, data) VALUES
		('A1b3/one', 1, 'onelink', 'A1b3', 'one', 'v2', '', 0, 0, NULL, 1795176000000, 1795176000001, CAST('{"pid":"mail"}' AS BLOB)),
		('A1b3/two', 1, 'onelink', 'A1b3', 'two', 'v2', '', 1000, 1, 1795176001000, 1795176000000, 1795176000000, CAST('{}' AS BLOB))
		ON CONFLICT (path) DO NOTHING;
	INSERT INTO series (template, metric, route, platform, country) VALUES ('A1b3', 'clicks', 'ios_store', 'ios', 'DE');
	INSERT INTO counts (account, day, link, series, n) VALUES (1, 20000, 1, last_insert_rowid(), 7)
		ON CONFLICT DO UPDATE SET n = n + excluded.n;
	INSERT OR REPLACE INTO projections (name, place, trimmed, counts) VALUES ('counts', 5, 0, 1);
	UPDATE links SET dialect = 'onelink', source = 'v2', brand = '', ttl = 0, renew = 0, expires_at = NULL, created_at = 1795176000000,
		updated_at = 1795176000001, data = CAST('{"pid":"mail"}' AS BLOB) WHERE id = 1;
	DELETE FROM links WHERE path = 'A1b3/two' AND expires_at <= 1795176009999 AND (0 = 0 OR id < 0);`

// raw runs fn on a database as a program without FTS5 opens it.
func raw(t *testing.T, path string, fn func(db *sqlite3.Conn) error) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF"); err != nil {
		t.Fatal(err)
	}
	if err := fn(db); err != nil {
		t.Fatal(err)
	}
}

// first makes a database of the first schema, with a link and its clicks.
func first(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "waypost.db")
	list, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	raw(t, path, func(db *sqlite3.Conn) error {
		if err := db.Exec(list[0].sql + "CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT"); err != nil {
			return err
		}
		stmt, _, err := db.Prepare("INSERT INTO schema_migrations (number, name, checksum) VALUES (?, ?, ?)")
		if err != nil {
			return err
		}
		defer stmt.Close()
		if err := bind(stmt, []any{list[0].number, list[0].name, list[0].checksum}); err != nil {
			return err
		}
		if err := stmt.Exec(); err != nil {
			return err
		}
		return db.Exec(firstStatements)
	})
	return path
}

// TestUpgrade: a database of the first schema answers as before, and takes what is new.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{Path: first(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	old, err := s.ReadLink(t.Context(), "A1b3/one")
	if err != nil || old.ID != 1 || string(old.Data) != `{"pid":"mail"}` || old.Base != "" || old.Listing != nil {
		t.Fatalf("%+v, %v", old, err)
	}
	clicks := report.Key{Account: 1, Template: "A1b3", Link: 1, Metric: report.Clicks, Route: "ios_store", Day: 20_000, Platform: device.IOS, Country: "DE"}
	tracked := clicks
	tracked.Tracker = link.CatchAll
	if _, err := s.CommitStep(t.Context(), report.Step{Projection: "counts", From: 5, To: 6, Counts: report.Counts{clicks: 1, tracked: 2}}); err != nil {
		t.Fatal(err)
	}
	got := report.Counts{}
	err = s.EachCount(t.Context(), false, func(k report.Key, n int64) error {
		got[k] = n
		return nil
	})
	if want := (report.Counts{clicks: 8, tracked: 2}); err != nil || !maps.Equal(got, want) {
		t.Errorf("counts %+v, want %+v, %v", got, want, err)
	}
	catalog, err := s.LoadCatalog(t.Context())
	if err != nil || len(catalog.AppGroups) != 1 || len(catalog.AppGroups[0].Apps) != 1 || catalog.AppGroups[0].Archived || !catalog.AppGroups[0].CreatedAt.IsZero() {
		t.Errorf("%+v, %v", catalog.AppGroups, err)
	}
	old.Listing = &link.Listing{AppGroup: 21, Name: "Listed now"}
	if err := s.UpdateLink(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	links, err := s.ListLinks(t.Context(), link.Filter{Scopes: []link.Scope{{Account: 1}}, Search: "listed"})
	if err != nil || len(links) != 1 || links[0].ID != 1 {
		t.Errorf("%+v, %v", links, err)
	}
}

// TestUpgradeOfDeliveries: those of before migration 8 are found by their hosts.
func TestUpgradeOfDeliveries(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	list, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	err = s.write(t.Context(), "undo the migration, and do it again", 1, func(c *conn) error {
		return c.db.Exec(`DROP INDEX deliveries_host; ALTER TABLE deliveries DROP COLUMN host; ALTER TABLE deliveries DROP COLUMN authority;
			INSERT INTO deliveries (key, account, postback, kind, method, url, body, made_at, due_at, attempts, status, code, answer) VALUES
			('a', 1, 'p', 'install', 'GET', 'https://one.test/in', '', 1, 1, 0, 'waiting', 0, ''), ('b', 1, 'p', 'install', 'GET', 'https://two.test/in', '', 1, 2, 0, 'waiting', 0, '');` +
			list[7].sql)
	})
	if err != nil {
		t.Fatal(err)
	}
	if due, err := s.DueDeliveries(t.Context(), time.UnixMilli(2), 1, "one.test"); err != nil || len(due) != 1 || due[0].Key != "b" {
		t.Errorf("%+v, %v", due, err)
	}
}

// TestPreviousProgram: the statements of the program of the first schema run on
// the present one, and harm nothing that it does not know.
func TestPreviousProgram(t *testing.T) {
	t.Parallel()
	s := open(t)
	listed, kept := benchListed(1)[0], benchListed(1)[0]
	listed.Listing.AppGroup, kept.Listing.AppGroup = 21, 21
	if _, err := s.CreateLinks(t.Context(), []*link.Link{listed, kept}, benchNow); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, s.path, func(db *sqlite3.Conn) error {
		if err := db.Exec(firstStatements); err != nil {
			return err
		}
		return db.Exec("UPDATE links SET expires_at = 9 WHERE id = 1; DELETE FROM links WHERE id = 1; PRAGMA quick_check('app_groups')")
	})
	again, err := Open(t.Context(), Config{Path: s.path})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for _, search := range []string{"", "newsletter", "go."} {
		links, err := again.ListLinks(t.Context(), link.Filter{Scopes: []link.Scope{{Account: 1}}, Search: search, Limit: 10})
		if err != nil || len(links) != 1 || links[0].ID != kept.ID {
			t.Errorf("search %q: %d links, %v", search, len(links), err)
		}
	}
	counts, err := again.CountListed(t.Context(), link.SmartLinks, []link.AppGroupID{21})
	if err != nil || counts[21] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
	if got, err := again.ReadLink(t.Context(), "A1b3/one"); err != nil || got.Base != "" || !got.UpdatedAt.Equal(time.UnixMilli(1795176000001)) {
		t.Errorf("%+v, %v", got, err)
	}
}

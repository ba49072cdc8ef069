package sqlitestore

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// The schema as numbered steps, forward only. A step that has been released is
// never edited: its checksum is stored where it ran.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks a database file as Waypost's ("Wayp", SQLite's header).
const applicationID = 0x57617970

type migration struct {
	number   int64
	name     string // of the file
	checksum string
	sql      string
}

func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var list []migration
	for i, path := range names {
		name := strings.TrimPrefix(path, "migrations/")
		number, err := strconv.ParseInt(name[:4], 10, 64)
		if err != nil || number != int64(i+1) {
			return nil, fmt.Errorf("migration %s does not have the number %04d", name, i+1)
		}
		text, err := migrationFiles.ReadFile(path)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		list = append(list, migration{number, name, hex.EncodeToString(sum[:]), string(text)})
	}
	return list, nil
}

// checkOwner refuses a database that another program has made.
func checkOwner(c *conn) error {
	id, err := c.integer("PRAGMA application_id")
	if err != nil {
		return err
	}
	tables, err := c.integer("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	if id == applicationID || (id == 0 && tables == 0) {
		return nil
	}
	return errors.New("this is a database of another program: give --data a folder of its own")
}

// migrate runs the steps that the database lacks, each in a transaction.
func migrate(c *conn) error {
	list, err := migrations()
	if err != nil {
		return err
	}
	const table = `CREATE TABLE IF NOT EXISTS schema_migrations
		(number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT`
	if err := c.db.Exec(table); err != nil {
		return err
	}
	done, err := matchMigrations(c, list)
	if err != nil {
		return err
	}
	for _, m := range list[done:] {
		if err := m.apply(c); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return nil
}

func (m *migration) apply(c *conn) error {
	if err := c.db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := c.db.Exec(m.sql)
	if err == nil {
		_, err = c.run("INSERT INTO schema_migrations (number, name, checksum) VALUES (?, ?, ?)", m.number, m.name, m.checksum)
	}
	if err == nil {
		err = c.db.Exec("COMMIT")
	}
	if err != nil && !c.db.GetAutocommit() {
		err = errors.Join(err, c.db.Exec("ROLLBACK"))
	}
	return err
}

// matchMigrations tells how many of the steps the database has, and refuses
// one with steps that this program does not know.
func matchMigrations(c *conn, list []migration) (done int, err error) {
	const query = "SELECT number, name, checksum FROM schema_migrations ORDER BY number"
	err = c.each(query, func(r row) error {
		name := r.text(1)
		if done >= len(list) {
			return fmt.Errorf("a newer waypost has made its schema (%s): run that version or a later one", name)
		}
		if want := list[done]; r.int(0) != want.number || r.text(2) != want.checksum {
			return fmt.Errorf("its schema differs from this program's (%s where %s is expected): run the waypost that made it, or restore a backup", name, want.name)
		}
		done++
		return nil
	})
	return done, err
}

// checkHealth reads the small tables in full and the ends of the large ones: a
// cut or overwritten file shows at start, whatever its size, within milliseconds.
func checkHealth(c *conn) error {
	tables := []string{"accounts", "agencies", "tokens", "token_grants", "apps", "app_groups", "app_group_apps", "archived_group_apps",
		"domains", "shared_domains", "templates", "partners", "postbacks", "campaigns", "shelves", "projections"}
	for _, table := range tables {
		verdict, err := c.text("PRAGMA quick_check('" + table + "')")
		if err != nil {
			return err
		}
		if verdict != "ok" {
			return fmt.Errorf("table %s is damaged (%s): %s", table, strings.TrimSpace(verdict), restoreAdvice)
		}
	}
	probes := []string{
		"SELECT length(data) FROM links ORDER BY id LIMIT 1",
		"SELECT length(data) FROM links ORDER BY id DESC LIMIT 1",
		"SELECT id FROM links INDEXED BY links_path ORDER BY path DESC LIMIT 1",
		"SELECT length(search) FROM listings ORDER BY link DESC LIMIT 1",
		"SELECT n FROM counts ORDER BY account DESC, day DESC, link DESC, series DESC LIMIT 1",
	}
	for _, probe := range probes {
		if _, err := c.integer(probe); err != nil {
			return err
		}
	}
	return nil
}

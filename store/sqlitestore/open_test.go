package sqlitestore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"waypost/link"
)

// alter runs SQL on a closed database, past the store.
func alter(t *testing.T, path, sql string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(sql); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// made returns the path of a closed database that Open has made.
func made(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "waypost.db")
	s, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateLinks(t.Context(), benchLinks(2000), benchNow); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		path func(t *testing.T) string
		says []string // every refusal also names the path
	}{
		{"a folder that is not there", func(t *testing.T) string { return filepath.Join(t.TempDir(), "none", "waypost.db") }, []string{"folder must exist", "--data"}},
		{"a newer schema", func(t *testing.T) string {
			path := made(t)
			alter(t, path, "INSERT INTO schema_migrations (number, name, checksum) VALUES (9999, '9999_later.sql', '')")
			return path
		}, []string{"newer waypost", "9999_later.sql"}},
		{"a changed migration", func(t *testing.T) string {
			path := made(t)
			alter(t, path, "UPDATE schema_migrations SET checksum = 'other'")
			return path
		}, []string{"differs", "0001_begin.sql"}},
		{"another program's database", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "waypost.db")
			alter(t, path, "CREATE TABLE theirs (x)")
			return path
		}, []string{"another program", "--data"}},
		{"no database", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "waypost.db")
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database\n", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, []string{"damaged or no database", "backup"}},
		{"a cut file", func(t *testing.T) string {
			path := made(t)
			if err := os.Truncate(path, 200<<10); err != nil {
				t.Fatal(err)
			}
			return path
		}, []string{"damaged", "backup"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := c.path(t)
			s, err := Open(t.Context(), Config{Path: path})
			if err == nil {
				t.Fatal("opened", s.Close())
			}
			for _, words := range append(c.says, path) {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q does not say %q", err, words)
				}
			}
		})
	}
}

func TestOpenAgain(t *testing.T) {
	t.Parallel()
	path := made(t)
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(path + suffix); !os.IsNotExist(err) {
			t.Errorf("%s stays after Close: %v", suffix, err)
		}
	}
	for _, sync := range []bool{false, true} {
		s, err := Open(t.Context(), Config{Path: path, Sync: sync})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ReadLinkByID(t.Context(), 2000); err != nil {
			t.Error(err)
		}
		want := int64(1) // NORMAL
		if sync {
			want = 2 // FULL
		}
		err = s.write(t.Context(), "look", 1, func(c *conn) error {
			level, err := c.integer("PRAGMA synchronous")
			if level != want {
				t.Errorf("synchronous is %d with Sync %t", level, sync)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPermissions: the files hold secrets.
func TestPermissions(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	if _, err := s.CreateLinks(t.Context(), benchLinks(1), benchNow); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(s.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", suffix, mode)
		}
	}
}

// TestTwoStores: nothing is shared between two stores of a process.
func TestTwoStores(t *testing.T) {
	t.Parallel()
	a, b := open(t), open(t)
	defer a.Close()
	defer b.Close()
	links := benchLinks(1)
	if _, err := a.CreateLinks(t.Context(), links, benchNow); err != nil {
		t.Fatal(err)
	}
	if known, err := b.KnowsTargetHost(t.Context(), 1, "www.acme.test"); err != nil || known {
		t.Errorf("the other store knows the host: %t, %v", known, err)
	}
	taken, err := b.CreateLinks(t.Context(), []*link.Link{links[0]}, benchNow)
	if err != nil || taken[0] != link.Free {
		t.Errorf("the other store has the path: %v, %v", taken, err)
	}
}

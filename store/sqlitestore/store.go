// Package sqlitestore keeps everything but the ledger in one SQLite database:
// configuration, links, usage, counts and the places of the projections. It
// stores only; the rules are in manage. One goroutine writes and commits for
// all callers at once, readers have connections of their own.
package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// Config says where the database is and how it is written.
type Config struct {
	Path string // of the database file; made when absent, its folder is not
	// Sync waits for the disk at every commit, so that acknowledged writes
	// survive a loss of power. Without it they survive the end of the process.
	Sync   bool
	Logger *slog.Logger // nil: nothing is logged
}

// Store is an open database. Its methods may be called from many goroutines.
type Store struct {
	path    string
	log     *slog.Logger
	writer  *writer
	readers *readers
	hosts   hostMemory
	series  seriesMemory

	closing sync.Once
	closed  error // what closing has returned
}

// Sizes of SQLite's page caches, per connection, in KiB. They fill as pages
// are used. A larger cache for the writer saves reads of pages that the
// operating system has in memory anyway, and costs more: a commit after a page
// was split walks the cache's whole table (60 MiB: 65 µs of processor time for
// a create, 15 MiB: 44, 6 MiB: 45).
const (
	writerCacheKiB = 15 << 10
	readerCacheKiB = 8 << 10
)

// checkpointPages is the length of the write-ahead log, in pages of 4 KiB, at
// which a commit moves it into the database file: 32 MiB. Random codes touch
// random index pages, so a longer log writes each page less often.
const checkpointPages = 8192

// Open opens the database, makes it when it is not there, and brings its
// schema up to date. Its errors are for the operator.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: open %s: %w", cfg.Path, err)
	}
	s := newStore(path, cfg.Logger)
	if err := touch(path); err != nil {
		return nil, fmt.Errorf("sqlitestore: open %s: %w (the folder must exist and be writable for the user that runs waypost; --data names another)", path, err)
	}
	c, err := openWriter(ctx, path, cfg.Sync)
	if err != nil {
		return nil, s.openError(err)
	}
	s.writer = startWriter(c)
	if err := s.Ping(ctx); err != nil {
		return nil, s.openError(errors.Join(err, s.Close()))
	}
	s.log.Debug("database open", "path", path, "sync", cfg.Sync)
	return s, nil
}

func newStore(path string, log *slog.Logger) *Store {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Store{path: path, log: log, readers: newReaders(path)}
}

// touch makes the database file if it is absent, readable for its owner alone:
// it holds secrets.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// protect does the same for the files beside it, which the driver makes
// readable for everybody. They stay until the store is closed.
func protect(path string) error {
	return errors.Join(os.Chmod(path+"-wal", 0o600), os.Chmod(path+"-shm", 0o600))
}

func openWriter(ctx context.Context, path string, sync bool) (*conn, error) {
	c, err := openConn(path, sqlite3.OPEN_READWRITE, writerCacheKiB)
	if err != nil {
		return nil, err
	}
	c.db.SetInterrupt(ctx)
	err = prepareWriter(c, sync)
	if err == nil {
		err = protect(path)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.db.SetInterrupt(context.Background())
	return c, nil
}

func prepareWriter(c *conn, sync bool) error {
	if err := checkOwner(c); err != nil {
		return err
	}
	mode, err := c.text("PRAGMA journal_mode = WAL")
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("its file system cannot keep a write-ahead log (journal mode %q): put the data folder on a local disk", mode)
	}
	level := "NORMAL"
	if sync {
		level = "FULL"
	}
	setup := fmt.Sprintf("PRAGMA synchronous = %s; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = %d; PRAGMA journal_size_limit = %d",
		level, checkpointPages, checkpointPages*4096)
	if err := c.db.Exec(setup); err != nil {
		return err
	}
	if err := migrate(c); err != nil {
		return err
	}
	return checkHealth(c)
}

// Ping reports whether the database can be read.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, "ping", func(c *conn) error {
		_, err := c.integer("SELECT count(*) FROM schema_migrations")
		return err
	})
}

// Close ends the writes that are under way, moves the write-ahead log into the
// database file and closes it. Calls that come later fail; closing again does
// nothing and returns the same.
func (s *Store) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Store) close() error {
	s.writer.stop()
	err := errors.Join(s.readers.close(), s.writer.conn.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"), s.writer.conn.close())
	if err != nil {
		return fmt.Errorf("sqlitestore: close %s: %w", s.path, err)
	}
	return nil
}

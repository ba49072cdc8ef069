package sqlitestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"waypost/internal/fault"
)

const (
	restoreAdvice = "stop waypost, copy the data folder away and restore the last backup; 'waypost verify' then tells what the ledger can repair"
	fullAdvice    = "the disk that holds the database is full: free some space, writes then work again by themselves"
)

var errClosed = errors.New("the store is closed")

// advice says in the operator's words what an SQLite error means and what to
// change; it is empty for errors that no operator can mend.
func (s *Store) advice(err error) string {
	switch {
	case errors.Is(err, sqlite3.FULL):
		return fullAdvice
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB):
		return "the database is damaged or no database: " + restoreAdvice
	case errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.PERM):
		return "the database and its folder must be writable for the user that runs waypost, on a disk that is not mounted read-only"
	case errors.Is(err, sqlite3.CANTOPEN):
		return "the database and its folder must be readable and writable for the user that runs waypost"
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED):
		return "another process holds the database: end it, or give --data another folder"
	case errors.Is(err, sqlite3.IOERR) && s.noRoom():
		return fullAdvice
	case errors.Is(err, sqlite3.IOERR):
		return "the disk that holds the database fails: look at the system's log"
	}
	return ""
}

// noRoom tries whether the folder takes a small file. The driver reports a
// full disk as any failure of the disk (ncruces/go-sqlite3 v0.35.2, osWriteAt).
func (s *Store) noRoom() bool {
	f, err := os.CreateTemp(filepath.Dir(s.path), ".waypost-room-*")
	if err == nil {
		_, err = f.Write(make([]byte, 64<<10))
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// openError is what Open returns to the operator.
func (s *Store) openError(err error) error {
	if words := s.advice(err); words != "" {
		return fmt.Errorf("sqlitestore: open %s: %w (%s)", s.path, err, words)
	}
	return fmt.Errorf("sqlitestore: open %s: %w", s.path, err)
}

// failure wraps the error of an attempt, once. Refusals pass as they are. What
// may pass by itself (a full disk, a busy database) is Unavailable, so that
// clients try again.
func (s *Store) failure(attempt string, err error) error {
	if err == nil {
		return nil
	}
	if _, refused := errors.AsType[*fault.Error](err); refused {
		return err
	}
	words := s.advice(err)
	if words == "" {
		err = fmt.Errorf("sqlitestore: %s: %w", attempt, err)
	} else {
		err = fmt.Errorf("sqlitestore: %s in %s: %w (%s)", attempt, s.path, err, words)
	}
	for _, passing := range []error{sqlite3.FULL, sqlite3.BUSY, sqlite3.IOERR, errClosed} {
		if errors.Is(err, passing) {
			return fault.New(fault.Unavailable, "the store does not answer now").Because(err)
		}
	}
	return err
}

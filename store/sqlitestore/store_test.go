package sqlitestore

import (
	"path/filepath"
	"testing"

	"waypost/store/storetest"
)

var _ storetest.Store = (*Store)(nil)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t) })
}

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "waypost.db")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

package sqlitestore

import (
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"waypost/attribution"
)

// TestPlansAreKept: the plan of a query is made once, whatever its parameters are.
func TestPlansAreKept(t *testing.T) {
	t.Parallel()
	s := open(t)
	defer s.Close()
	at := time.UnixMilli(1_795_176_000_000)
	err := s.readers.do(t.Context(), func(c *conn) error {
		for i := range 10 {
			since := at.Add(time.Duration(i) * time.Hour)
			if _, err := findNumbers(c, &attribution.Lookup{Key: attribution.Key{App: 7, Value: since.String()}, Since: since, Until: since.Add(time.Hour)}); err != nil {
				return err
			}
		}
		if len(c.statements) == 0 {
			t.Error("no statement was prepared")
		}
		for text, stmt := range c.statements {
			if n := stmt.Status(sqlite3.STMTSTATUS_REPREPARE, false); n != 0 {
				t.Errorf("%s was planned %d times again", text, n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

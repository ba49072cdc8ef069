package sqlitestore

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
)

// conn is one connection with its prepared statements, by their text. One
// goroutine uses it at a time. Only texts from a fixed set go through run,
// each and first: every one of them stays prepared.
type conn struct {
	db         *sqlite3.Conn
	statements map[string]*sqlite3.Stmt
}

// row is the current row of a statement; it is valid inside the callback that
// gets it.
type row struct{ stmt *sqlite3.Stmt }

func (r row) int(column int) int64   { return r.stmt.ColumnInt64(column) }
func (r row) text(column int) string { return r.stmt.ColumnText(column) }
func (r row) blob(column int) []byte { return r.stmt.ColumnBlob(column, nil) }
func (r row) null(column int) bool   { return r.stmt.ColumnType(column) == sqlite3.NULL }

// busyMilliseconds is how long a connection waits for another process that
// holds the database: a second command, a backup.
const busyMilliseconds = 5000

func openConn(path string, flags sqlite3.OpenFlag, cacheKiB int) (*conn, error) {
	db, err := sqlite3.OpenFlags(path, flags)
	if err != nil {
		return nil, err
	}
	// A plan that heeds the values of parameters is made anew whenever they
	// change, which took longer than most of our queries.
	if _, err := db.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true); err != nil {
		return nil, errors.Join(fmt.Errorf("keep the plans of queries: %w", err), db.Close())
	}
	setup := fmt.Sprintf("PRAGMA busy_timeout = %d; PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF",
		busyMilliseconds, cacheKiB)
	err = db.Exec(setup)
	if err == nil {
		err = fts5.Register(db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &conn{db: db, statements: map[string]*sqlite3.Stmt{}}, nil
}

func (c *conn) close() error {
	var err error
	for _, stmt := range c.statements {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, c.db.Close())
}

func (c *conn) statement(sql string) (*sqlite3.Stmt, error) {
	if stmt := c.statements[sql]; stmt != nil {
		return stmt, nil
	}
	stmt, _, err := c.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	c.statements[sql] = stmt
	return stmt, nil
}

// bind sets the parameters of a statement. It takes the types that the tables
// hold, and nil.
func bind(stmt *sqlite3.Stmt, args []any) error {
	for i, arg := range args {
		var err error
		switch v := arg.(type) {
		case int64:
			err = stmt.BindInt64(i+1, v)
		case string:
			err = stmt.BindText(i+1, v)
		case []byte:
			err = stmt.BindBlob(i+1, v)
		case bool:
			err = stmt.BindBool(i+1, v)
		case nil:
			err = stmt.BindNull(i + 1)
		default:
			err = fmt.Errorf("parameter %d has type %T", i+1, arg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// run executes a statement that returns no rows and tells how many it changed.
func (c *conn) run(sql string, args ...any) (changed int64, err error) {
	stmt, err := c.statement(sql)
	if err != nil {
		return 0, err
	}
	if err := bind(stmt, args); err != nil {
		return 0, err
	}
	if err := stmt.Exec(); err != nil {
		return 0, err
	}
	return c.db.Changes(), nil
}

// each calls fn for every row of a query until it fails.
func (c *conn) each(sql string, fn func(row) error, args ...any) error {
	stmt, err := c.statement(sql)
	if err != nil {
		return err
	}
	return scan(stmt, fn, args)
}

func scan(stmt *sqlite3.Stmt, fn func(row) error, args []any) (err error) {
	if err := bind(stmt, args); err != nil {
		return err
	}
	for err == nil && stmt.Step() {
		err = fn(row{stmt})
	}
	if err == nil {
		err = stmt.Err() // stands only until Reset
	}
	if failed := stmt.Reset(); err == nil {
		err = failed
	}
	return err
}

// first calls fn for the first row of a query and tells whether there is one.
func (c *conn) first(sql string, fn func(row), args ...any) (found bool, err error) {
	err = c.each(sql, func(r row) error {
		if !found {
			found = true
			fn(r)
		}
		return nil
	}, args...)
	return found, err
}

// integer returns the only value of a query, zero when it is NULL or absent.
func (c *conn) integer(sql string, args ...any) (n int64, err error) {
	_, err = c.first(sql, func(r row) { n = r.int(0) }, args...)
	return n, err
}

func (c *conn) text(sql string, args ...any) (s string, err error) {
	_, err = c.first(sql, func(r row) { s = r.text(0) }, args...)
	return s, err
}

package sqlitestore

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// readers are the connections that queries use. They are opened as they are
// needed, the one used last is used first, so a quiet store has one.
type readers struct {
	path  string
	slots chan struct{} // as many as there may be connections

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

func newReaders(path string) *readers {
	return &readers{path: path, slots: make(chan struct{}, min(max(4, runtime.GOMAXPROCS(0)), 16))}
}

// do runs fn with a connection. Statements that are under way when ctx ends are
// interrupted.
func (p *readers) do(ctx context.Context, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
	default:
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-p.slots }()
	c, err := p.take()
	if err != nil {
		return err
	}
	defer p.put(c)
	c.db.SetInterrupt(ctx)
	err = fn(c)
	if errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (p *readers) take() (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return c, nil
	}
	return openConn(p.path, sqlite3.OPEN_READONLY, readerCacheKiB)
}

func (p *readers) put(c *conn) {
	c.db.SetInterrupt(context.Background())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// close waits for the queries under way and closes every connection.
func (p *readers) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for range cap(p.slots) {
		p.slots <- struct{}{}
		defer func() { <-p.slots }()
	}
	var err error
	for _, c := range p.idle {
		err = errors.Join(err, c.close())
	}
	p.idle = nil
	return err
}

// read runs fn with a connection for queries and wraps its error.
func (s *Store) read(ctx context.Context, attempt string, fn func(*conn) error) error {
	return s.failure(attempt, s.readers.do(ctx, fn))
}

// readAtOnce is read whose queries all see the database as of one instant.
func (s *Store) readAtOnce(ctx context.Context, attempt string, fn func(*conn) error) error {
	return s.read(ctx, attempt, func(c *conn) (err error) {
		if err := c.db.Exec("BEGIN"); err != nil {
			return err
		}
		defer func() {
			c.db.SetInterrupt(context.Background()) // the end is not for ctx to stop
			if end := c.db.Exec("COMMIT"); err == nil {
				err = end
			}
		}()
		return fn(c)
	})
}

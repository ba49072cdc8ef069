package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Bounds of one transaction. A write of more than largeRows rows has a
// transaction of its own and takes turns with the small ones, so that a bulk
// call does not make the others wait for more than itself.
const (
	groupWrites = 512
	largeRows   = 512
)

// write is one caller's wish. Whoever moves state away from waiting owns it.
type write struct {
	// run makes the changes. It may run again after a rollback, so it sets its
	// results anew each time and keeps nothing else.
	run   func(*conn) error
	state atomic.Int32
	err   error         // valid after done
	done  chan struct{} // closed once the outcome is certain
}

const (
	waiting = iota
	taken
	abandoned // its caller has left before it was taken; it is never run
)

// writer owns the only connection that writes. Its goroutine takes all waiting
// writes, runs them in one transaction, commits and wakes their callers: a
// group costs one commit.
type writer struct {
	conn     *conn // used by the goroutine alone until ended
	small    chan *write
	large    chan *write
	stopOnce sync.Once
	stopping chan struct{}
	ended    chan struct{}
}

func startWriter(c *conn) *writer {
	w := &writer{
		conn: c, small: make(chan *write, 4*groupWrites), large: make(chan *write, 16),
		stopping: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.loop()
	return w
}

// stop lets the queued writes finish and ends the goroutine.
func (w *writer) stop() {
	w.stopOnce.Do(func() { close(w.stopping) })
	<-w.ended
}

// write runs fn inside a transaction, on the writer's goroutine, and returns
// when it is committed, or has failed and left nothing. A caller that leaves
// while its write is queued withdraws it. rows is about how many rows fn touches.
func (s *Store) write(ctx context.Context, attempt string, rows int, fn func(*conn) error) error {
	return s.failure(attempt, s.writer.do(ctx, rows, fn))
}

func (w *writer) do(ctx context.Context, rows int, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	job := &write{run: fn, done: make(chan struct{})}
	queue := w.small
	if rows > largeRows {
		queue = w.large
	}
	select {
	case <-w.stopping:
		return errClosed
	default:
	}
	select {
	case queue <- job:
	case <-w.stopping:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	var left error
	select {
	case <-job.done:
		return job.err
	case <-ctx.Done():
		left = ctx.Err()
	case <-w.ended:
		left = errClosed
	}
	if job.state.CompareAndSwap(waiting, abandoned) {
		return left
	}
	<-job.done
	return job.err
}

func (w *writer) loop() {
	defer close(w.ended)
	group := make([]*write, 0, groupWrites)
	for {
		// With both queues full the choice is random: large and small writes alternate.
		select {
		case job := <-w.small:
			group = w.gather(append(group[:0], job))
		case job := <-w.large:
			group = append(group[:0], job)
		case <-w.stopping:
			for job := w.next(); job != nil; job = w.next() {
				w.commit(append(group[:0], job))
			}
			return
		}
		w.commit(group)
		clear(group)
	}
}

// next returns a queued write, or nil.
func (w *writer) next() *write {
	select {
	case job := <-w.small:
		return job
	case job := <-w.large:
		return job
	default:
		return nil
	}
}

// gather adds the small writes that wait. It first lets callers run that the
// last commit has woken: their next writes join this group, which doubles it.
func (w *writer) gather(group []*write) []*write {
	runtime.Gosched()
	for len(group) < groupWrites {
		select {
		case job := <-w.small:
			group = append(group, job)
		default:
			return group
		}
	}
	return group
}

// commit brings every write of the group that still has a caller to an end.
func (w *writer) commit(group []*write) {
	live := group[:0]
	for _, job := range group {
		if job.state.CompareAndSwap(waiting, taken) {
			live = append(live, job)
		}
	}
	if len(live) == 0 {
		return
	}
	if again := w.transact(live); again {
		// One failed half-way and took the transaction with it. The others
		// are innocent: each gets a transaction of its own.
		for i := range live {
			w.transact(live[i : i+1])
		}
	}
	for _, job := range live {
		close(job.done)
	}
}

// transact runs the writes in one transaction and sets their errors. It asks to
// run them again one by one when one of several failed after it had changed
// something. Most refusals come before the first change and cost nothing.
func (w *writer) transact(group []*write) (again bool) {
	db := w.conn.db
	if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		setErrors(group, fmt.Errorf("begin: %w", err))
		return false
	}
	for _, job := range group {
		before := db.TotalChanges()
		job.err = job.run(w.conn)
		if job.err == nil || (db.TotalChanges() == before && !db.GetAutocommit()) {
			continue
		}
		if err := w.rollback(); err != nil {
			job.err = errors.Join(job.err, err)
		}
		return len(group) > 1
	}
	if err := db.Exec("COMMIT"); err != nil {
		setErrors(group, fmt.Errorf("commit: %w", errors.Join(err, w.rollback())))
	}
	return false
}

// rollback ends the transaction if SQLite has not ended it by itself, as it
// does for some errors of the disk.
func (w *writer) rollback() error {
	if w.conn.db.GetAutocommit() {
		return nil
	}
	return w.conn.db.Exec("ROLLBACK")
}

// setErrors fails the writes that had succeeded until now.
func setErrors(group []*write, err error) {
	for _, job := range group {
		if job.err == nil {
			job.err = err
		}
	}
}

// Package eventlog is the durable ledger: what Append has returned for is on
// stable storage, in one order, until Trim forgets it. Lines are opaque here.
//
// Many producers wait for one write: a single goroutine packs the lines that
// arrived meanwhile into one JetStream message (a batch), publishes it, and
// wakes their producers on the ack. The server is embedded, without a port, or
// an external cluster. docs/decisions/0002-ledger.md says what is promised.
package eventlog

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"waypost/internal/fault"
)

// Log is an open ledger, safe for any number of goroutines.
type Log struct {
	cfg    Config
	server server
	sender sender
	limit  int // bytes of one batch

	mu     sync.Mutex // guards the fields down to closed
	open   *batch     // takes lines; never nil
	full   []*batch   // closed for lines, waiting for the commit loop, oldest first
	queued int        // bytes in open and full
	free   []*batch   // spare batches
	busy   bool       // the commit loop works or has been told to
	room   chan struct{}
	down   error // non-nil while the ledger does not answer: Append returns it at once
	closed bool

	wake    chan struct{} // one token: there is something to commit
	done    chan struct{} // closed when the commit loop has ended
	stop    context.CancelFunc
	stopped context.Context // ends with Close
	mending sync.WaitGroup

	news     signal // a batch was committed
	count    counters
	appended atomic.Uint64 // the newest batch that was acked; written by the commit loop alone
}

// Open opens the ledger, making it if it is new. Its errors are for operators:
// they say what was attempted on which path or address, and what to change.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	cfg = cfg.withDefaults()
	srv, err := openServer(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return newLog(cfg, srv, srv), nil
}

func newLog(cfg Config, srv server, snd sender) *Log {
	l := &Log{
		cfg: cfg, server: srv, sender: snd, limit: min(maxBatch, srv.maxPayload()-headerRoom),
		wake: make(chan struct{}, 1), done: make(chan struct{}), room: make(chan struct{}),
	}
	l.stopped, l.stop = context.WithCancel(context.Background())
	l.open = l.newBatch()
	go l.commitLoop()
	return l
}

// Append returns when the line is on stable storage, or an error and the line
// may or may not be. It waits at most about MaxWait, and not at all while the
// ledger is known to be down. The line holds no newline and is copied.
func (l *Log) Append(line []byte) error {
	if err := l.check(line); err != nil {
		return err
	}
	l.mu.Lock()
	if !l.fits(len(line)) { // also when down or closed
		if err := l.waitForRoom(len(line)); err != nil { // returns with the lock held
			l.mu.Unlock()
			l.count.failed.Add(1)
			return err
		}
	}
	b := l.put(line)
	l.start()
	return l.wait(b) // unlocks
}

// start tells the commit loop that there is work. The lock is held. It never
// blocks: whoever sets busy owns the only token.
func (l *Log) start() {
	if !l.busy {
		l.busy = true
		l.wake <- struct{}{}
	}
}

func (l *Log) check(line []byte) error {
	switch {
	case len(line) == 0:
		return fault.Bad("line", fault.Missing, "an event must not be empty")
	case len(line) > l.limit:
		return fault.Bad("line", fault.TooLong, "an event of %d bytes is longer than the ledger's limit of %d", len(line), l.limit)
	case bytes.IndexByte(line, '\n') >= 0:
		return fault.Bad("line", fault.Malformed, "an event must not contain a newline")
	}
	return nil
}

// fits reports whether a line may be put now. The lock is held.
func (l *Log) fits(n int) bool {
	return l.down == nil && !l.closed && (l.queued+n < l.cfg.QueueBytes || l.queued == 0)
}

// waitForRoom waits until the queue has room for n bytes. The lock is held on
// entry and on return.
func (l *Log) waitForRoom(n int) error {
	var deadline *time.Timer
	for {
		switch {
		case l.closed:
			return fault.New(fault.Unavailable, "the ledger is closed")
		case l.down != nil:
			return l.down
		case l.fits(n):
			return nil
		}
		if deadline == nil {
			deadline = time.NewTimer(l.cfg.MaxWait)
			defer deadline.Stop()
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
			l.mu.Lock()
		case <-deadline.C:
			l.mu.Lock()
			return &fault.Error{Kind: fault.Unavailable, RetryAfter: l.cfg.MaxWait,
				Message: fmt.Sprintf("the ledger's queue of %d bytes stayed full for %v", l.cfg.QueueBytes, l.cfg.MaxWait)}
		}
	}
}

// Close commits everything appended before it, then stops the server.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.done
		return nil
	}
	l.closed = true
	l.makeRoom() // those who wait for room are refused
	l.start()
	l.mu.Unlock()
	<-l.done
	l.stop()
	l.mending.Wait()
	return l.server.close()
}

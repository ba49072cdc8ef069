package eventlog

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"waypost/internal/fault"
)

// sender makes one attempt to store a batch and returns its sequence. Sending
// the same id again within the server's duplicate window stores nothing new
// and returns the first sequence. errDown means that waiting longer is no use.
type sender interface {
	send(id uint64, payload []byte, wait time.Duration) (seq uint64, err error)
}

// errDown marks an attempt's failure as the server's last word.
var errDown = errors.New("the ledger's server cannot store")

// commitLoop stores one batch after the other. One is in flight at a time:
// while it is, the next one fills, so that batches grow with the load, and the
// order of sequences is the order of Appends even when an attempt is repeated.
func (l *Log) commitLoop() {
	defer close(l.done)
	var id uint64
	for range l.wake {
		for {
			l.gather()
			l.mu.Lock()
			b := l.take()
			closed := l.closed
			l.mu.Unlock()
			if b == nil {
				if closed {
					return
				}
				break
			}
			id++
			l.commit(id, b)
		}
	}
}

// gather lets producers that can run join the batch first, until one round of
// them brings nothing more. On one processor that makes batches twice as long
// as a single round does, and a batch costs the same whatever its length.
func (l *Log) gather() {
	before := -1
	for range maxRounds {
		runtime.Gosched()
		l.mu.Lock()
		queued := l.queued
		l.mu.Unlock()
		if queued == before {
			return
		}
		before = queued
	}
}

// maxRounds bounds the wait of the first producer of a batch where others
// never stop to come.
const maxRounds = 8

func (l *Log) commit(id uint64, b *batch) {
	began := time.Now()
	size, lines := len(b.buf), b.lines
	seq, err := l.store(id, b.buf)
	if err == nil {
		l.appended.Store(max(l.appended.Load(), seq)) // a repetition has the first one's
		l.count.stored(lines, size, time.Since(began))
	} else {
		l.count.failed.Add(uint64(lines))
	}
	l.mu.Lock()
	l.queued -= size
	if l.queued+size >= l.cfg.QueueBytes {
		l.makeRoom()
	}
	if err != nil {
		l.fail(err)
	}
	l.mu.Unlock()
	b.finish(err)
	if err == nil {
		l.news.send()
	}
}

// store sends the batch until it is acked, the server is down for good, or
// MaxWait has passed. The id makes a repetition harmless: the server keeps the
// ids of the last dedupeWaits×MaxWait, and none is sent after one MaxWait. (An
// expected last sequence would do for one process, but several may write to an
// external stream.)
func (l *Log) store(id uint64, payload []byte) (seq uint64, err error) {
	deadline := time.Now().Add(l.cfg.MaxWait)
	for {
		seq, err := l.sender.send(id, payload, l.cfg.MaxWait/resendAfter)
		if err == nil {
			return seq, nil
		}
		left := time.Until(deadline)
		if errors.Is(err, errDown) || left <= 0 {
			return 0, &fault.Error{Kind: fault.Unavailable, RetryAfter: l.cfg.MaxWait,
				Message: fmt.Sprintf("the ledger %s did not store a batch", l.server.place()), Err: err}
		}
		l.count.resent.Add(1)
		select { // a refusal comes at once; do not spin on it
		case <-time.After(min(left, l.cfg.MaxWait/(4*resendAfter))):
		case <-l.stopped.Done():
		}
	}
}

// fail tells everyone who waits, lets further Appends fail at once, and starts
// to mend. The lock is held.
func (l *Log) fail(err error) {
	for {
		b := l.take()
		if b == nil {
			break
		}
		l.busy = true
		l.count.failed.Add(uint64(b.lines))
		l.queued -= len(b.buf)
		b.finish(err)
	}
	l.busy = true // this is the commit loop: it looks again before it rests
	l.makeRoom()
	if l.down != nil {
		return
	}
	l.down = err
	l.cfg.Logger.Error("the ledger is down: events go unlogged until it answers", "ledger", l.server.place(), "err", err)
	l.mending.Go(l.mend)
}

// mend brings the server back, however long that takes.
func (l *Log) mend() {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	began, said := time.Now(), ""
	for {
		err := l.server.mend(l.stopped)
		if err == nil {
			break
		}
		if l.stopped.Err() != nil {
			return
		}
		if text := err.Error(); text != said {
			said = text
			l.cfg.Logger.Warn("the ledger is still down", "ledger", l.server.place(), "err", err)
		}
		select {
		case <-tick.C:
		case <-l.stopped.Done():
			return
		}
	}
	l.cfg.Logger.Info("the ledger is back", "ledger", l.server.place(), "after", time.Since(began).Round(time.Millisecond))
	l.mu.Lock()
	l.down = nil
	l.mu.Unlock()
}

package eventlog

import (
	"sync"
	"sync/atomic"
)

// batch is one message in the making. The fields but refs belong to whoever
// holds Log.mu while it is open, then to the commit loop.
type batch struct {
	buf   []byte // lines with a newline between them
	lines int
	err   error
	acked sync.Cond    // its lock is a handOver: waiting begins with Log.mu held and ends without
	refs  atomic.Int32 // waiters that have not read err yet
}

// handOver lets a batch's waiters go without each taking Log.mu again. All of
// them wait before the batch is taken from the queue, since they begin under
// the lock; and it is broadcast once, so none needs to look at a condition.
// Unlike a channel for each batch it allocates nothing, at the same speed.
type handOver struct{ mu *sync.Mutex }

func (h handOver) Unlock() { h.mu.Unlock() }
func (h handOver) Lock()   {}

// spares bounds the batches kept for reuse; spareBytes the buffer each may keep.
const spares, spareBytes = 8, 1 << 20

// newBatch returns an empty open batch. The lock is held (or the log is new).
func (l *Log) newBatch() *batch {
	var b *batch
	if n := len(l.free); n > 0 {
		b, l.free = l.free[n-1], l.free[:n-1]
	} else {
		b = new(batch)
		b.acked.L = handOver{&l.mu}
	}
	return b
}

// put adds a line that fits to the open batch. The lock is held.
func (l *Log) put(line []byte) *batch {
	b := l.open
	if len(b.buf) > 0 && len(b.buf)+1+len(line) > l.limit {
		l.full = append(l.full, b)
		b = l.newBatch()
		l.open = b
	}
	if len(b.buf) > 0 {
		b.buf = append(b.buf, '\n')
		l.queued++
	}
	b.buf = append(b.buf, line...)
	l.queued += len(line)
	b.lines++
	b.refs.Add(1)
	return b
}

// take returns the oldest batch with lines, or nil after which the next Append
// must tell the loop. The lock is held.
func (l *Log) take() *batch {
	if len(l.full) > 0 {
		b := l.full[0]
		l.full = append(l.full[:0], l.full[1:]...)
		return b
	}
	if l.open.lines == 0 {
		l.busy = false
		return nil
	}
	b := l.open
	l.open = l.newBatch()
	return b
}

// finish makes the result known to all waiters. b is theirs from here on.
func (b *batch) finish(err error) {
	b.err = err
	b.refs.Add(0) // orders the write above before the waiters' reads
	b.acked.Broadcast()
}

// wait returns b's result when it is known. The lock is held on entry and not
// on return. The last waiter gives b back.
func (l *Log) wait(b *batch) error {
	b.acked.Wait()
	b.refs.Load()
	err := b.err
	if b.refs.Add(-1) == 0 {
		b.lines, b.err, b.buf = 0, nil, b.buf[:0]
		if cap(b.buf) <= spareBytes {
			l.mu.Lock()
			if len(l.free) < spares {
				l.free = append(l.free, b)
			}
			l.mu.Unlock()
		}
	}
	return err
}

// makeRoom wakes those who wait for room. The lock is held.
func (l *Log) makeRoom() {
	close(l.room)
	l.room = make(chan struct{})
}

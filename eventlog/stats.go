package eventlog

import (
	"sync"
	"sync/atomic"
	"time"
)

// Stats counts what this process has done with the ledger since it opened it.
type Stats struct {
	Appended   uint64        // lines acked
	Failed     uint64        // lines whose Append returned an error (Invalid ones apart)
	Batches    uint64        // messages acked
	Bytes      uint64        // bytes of lines acked
	Resent     uint64        // attempts repeated because an ack did not come
	CommitTime time.Duration // total time from a batch's closing to its ack
	Slowest    time.Duration // longest of these
	Queued     int           // bytes waiting now
	Down       error         // why Append fails at once, or nil
}

type counters struct {
	appended, failed, batches, bytes, resent atomic.Uint64
	commit, slowest                          atomic.Int64 // nanoseconds
}

// stored is called by the commit loop alone.
func (c *counters) stored(lines, size int, took time.Duration) {
	c.appended.Add(uint64(lines))
	c.bytes.Add(uint64(size))
	c.batches.Add(1)
	c.commit.Add(int64(took))
	if int64(took) > c.slowest.Load() {
		c.slowest.Store(int64(took))
	}
}

// Stats returns the counters; it costs a few loads and no I/O.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	queued, down := l.queued, l.down
	l.mu.Unlock()
	c := &l.count
	return Stats{
		Appended: c.appended.Load(), Failed: c.failed.Load(), Batches: c.batches.Load(), Bytes: c.bytes.Load(),
		Resent: c.resent.Load(), CommitTime: time.Duration(c.commit.Load()), Slowest: time.Duration(c.slowest.Load()),
		Queued: queued, Down: down,
	}
}

// signal wakes every goroutine that waits for something to have happened.
type signal struct {
	waiting atomic.Bool // spares the sender the lock when nobody waits
	mu      sync.Mutex
	ch      chan struct{}
}

// wait returns a channel that the next send closes. The caller looks at the
// state it waits for after this call, else it may miss a send.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
		s.waiting.Store(true)
	}
	return s.ch
}

func (s *signal) send() {
	if !s.waiting.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
		s.waiting.Store(false)
	}
}

// Package ingesttest holds what stands behind an ingest.Service in tests: a
// ledger in memory that can be broken, and decisions that a test makes.
package ingesttest

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"waypost/event"
)

// Ledger keeps lines in memory. The zero value is empty and works.
type Ledger struct {
	mu    sync.Mutex
	lines [][]byte
	down  error // nil: it works
	room  int   // lines that fit in before it goes down
}

// Append keeps a line, or fails as Fail and FailAfter say.
func (l *Ledger) Append(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down != nil && l.room <= 0 {
		return l.down
	}
	l.room--
	l.lines = append(l.lines, bytes.Clone(line))
	return nil
}

// Fail makes every Append fail with err from now on; nil mends it.
func (l *Ledger) Fail(err error) {
	l.FailAfter(0, err)
}

// FailAfter makes Append fail with err as soon as it has kept so many more lines.
func (l *Ledger) FailAfter(lines int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down, l.room = err, lines
}

// Clear forgets every line.
func (l *Ledger) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = nil
}

// Lines are all that were kept, the oldest first.
func (l *Ledger) Lines() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// Count is how many lines were kept.
func (l *Ledger) Count() int {
	return len(l.Lines())
}

// Last is the newest line, which must be there.
func (l *Ledger) Last(t testing.TB) []byte {
	t.Helper()
	lines := l.Lines()
	if len(lines) == 0 {
		t.Fatal("nothing is in the ledger")
	}
	return lines[len(lines)-1]
}

// LastTold is the newest line, which must be what an app told.
func (l *Ledger) LastTold(t testing.TB) event.Told {
	t.Helper()
	told, err := event.DecodeTold(l.Last(t))
	if err != nil {
		t.Fatal(err)
	}
	return told
}

// All are the lines by their kind: what apps told, and clicks. Any other line
// is a mistake.
func (l *Ledger) All(t testing.TB) (told []event.Told, clicks []event.Click) {
	t.Helper()
	for _, line := range l.Lines() {
		if c, err := event.DecodeClick(line); err == nil {
			clicks = append(clicks, c)
			continue
		}
		one, err := event.DecodeTold(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		told = append(told, one)
	}
	return told, clicks
}

// Package eventlogtest opens ledgers for tests, and holds the suite that every
// way of running one must pass.
package eventlogtest

import (
	"testing"
	"time"

	"waypost/eventlog"
)

// Open returns an embedded ledger in a directory of its own, closed with the test.
func Open(t testing.TB) *eventlog.Log {
	t.Helper()
	return OpenWith(t, eventlog.Config{Dir: t.TempDir()})
}

// OpenWith opens a ledger and closes it with the test. Where the configuration
// does not say how long an Append may wait, it is as long as no slow machine
// needs.
func OpenWith(t testing.TB, cfg eventlog.Config) *eventlog.Log {
	t.Helper()
	if cfg.MaxWait == 0 {
		cfg.MaxWait = time.Minute
	}
	l, err := eventlog.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Lines appends lines one by one.
func Lines(t testing.TB, l *eventlog.Log, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if err := l.Append([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
}

// All reads every line from a sequence to the end of the ledger, and returns
// the newest sequence read.
func All(t testing.TB, l *eventlog.Log, from uint64) (lines []string, last uint64) {
	t.Helper()
	r, err := l.Read(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		b, ok, err := r.TryNext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return lines, last
		}
		if age := time.Since(b.At); age < -time.Minute || age > time.Hour {
			t.Fatalf("batch %d says that it was stored %v ago", b.Seq, age)
		}
		last = b.Seq
		for line := range b.Lines() {
			lines = append(lines, string(line))
		}
	}
}

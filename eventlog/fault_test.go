package eventlog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waypost/internal/fault"
)

// flaky lets attempts fail, kept or not kept, as plan says; then all succeed.
type flaky struct {
	sender
	mu   sync.Mutex
	plan []string
}

var errInjected = errors.New("injected")

func (f *flaky) send(id uint64, payload []byte, wait time.Duration) (uint64, error) {
	f.mu.Lock()
	step := "ok"
	if len(f.plan) > 0 {
		step, f.plan = f.plan[0], f.plan[1:]
	}
	f.mu.Unlock()
	switch step {
	case "not kept":
		return 0, errInjected
	case "down":
		return 0, fmt.Errorf("%w: %w", errDown, errInjected)
	}
	seq, err := f.sender.send(id, payload, wait)
	switch {
	case err == nil && step == "kept":
		return 0, errInjected
	case err == nil && step == "kept, down":
		return 0, fmt.Errorf("%w: %w", errDown, errInjected)
	}
	return seq, err
}

// ample is a MaxWait that no machine exceeds by being slow.
const ample = 20 * time.Second

// hung bounds what must end by itself; it only ends tests that fail.
const hung = 2 * time.Minute

func openFlaky(t *testing.T, wait time.Duration, plan ...string) (*Log, *flaky) {
	t.Helper()
	cfg := Config{Dir: t.TempDir(), MaxWait: wait}.withDefaults()
	srv, err := openServer(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{sender: srv, plan: plan}
	l := newLog(cfg, srv, f)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, f
}

func readAll(t *testing.T, l *Log) (lines []string) {
	t.Helper()
	r, err := l.Read(t.Context(), 0)
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
			return lines
		}
		for line := range b.Lines() {
			lines = append(lines, string(line))
		}
	}
}

// TestLostAcks proves that a batch whose attempts fail is stored once, whether
// or not the failed attempts were kept.
func TestLostAcks(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string][]string{
		"not kept": {"ok", "not kept"}, "kept": {"ok", "kept"},
		"kept twice": {"ok", "kept", "kept"}, "mixed": {"ok", "not kept", "kept", "not kept"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, _ := openFlaky(t, ample, plan...)
			want := []string{"a", "b", "c"}
			for n, line := range want {
				if err := l.Append([]byte(line)); err != nil {
					t.Fatal(err)
				}
				if last := l.LastAppended(); last != uint64(n+1) {
					t.Errorf("after batch %d the last one is %d", n+1, last)
				}
			}
			if got := readAll(t, l); !slices.Equal(got, want) {
				t.Fatalf("got %q", got)
			}
			if s := l.Stats(); s.Resent != uint64(len(plan)-1) || s.Failed != 0 || s.Appended != 3 {
				t.Fatalf("%+v", s)
			}
		})
	}
}

// TestDown proves that a server that cannot store fails everyone at once, comes
// back, and that the failed line is there at most once.
func TestDown(t *testing.T) {
	t.Parallel()
	for step, kept := range map[string]bool{"down": false, "kept, down": true} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			l, _ := openFlaky(t, ample, "ok", step)
			if err := l.Append([]byte("before")); err != nil {
				t.Fatal(err)
			}
			err := l.Append([]byte("lost?"))
			if !fault.Is(err, fault.Unavailable) || !errors.Is(err, errInjected) || !strings.Contains(err.Error(), l.cfg.Dir) {
				t.Fatalf("got %v", err)
			}
			untilUp(t, l, "after")
			want := []string{"before", "after"}
			if kept {
				want = []string{"before", "lost?", "after"}
			}
			if got := readAll(t, l); !slices.Equal(got, want) {
				t.Fatalf("got %q", got)
			}
		})
	}
}

// untilUp appends a line until that succeeds; each refusal must be at once.
func untilUp(t *testing.T, l *Log, line string) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		tried := time.Now()
		err := l.Append([]byte(line))
		if err == nil {
			return time.Since(began)
		}
		if !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		if waited := time.Since(tried); waited > l.cfg.MaxWait {
			t.Fatalf("an Append on a ledger that is down waited %v", waited)
		}
		if time.Since(began) > hung {
			t.Fatalf("the ledger stays down: %v", err)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// TestSilence proves the bound on waiting when attempts fail for ever, also
// for those who wait behind the failing batch and for room in the queue: they
// all return, however often the ledger comes back in between to fail again.
func TestSilence(t *testing.T) {
	t.Parallel()
	l, _ := openFlaky(t, 200*time.Millisecond, slices.Repeat([]string{"not kept"}, 100_000)...)
	l.cfg.QueueBytes = 10
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := l.Append([]byte("123456")); !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if s := l.Stats(); s.Failed != 50 || s.Appended != 0 || s.Queued != 0 {
		t.Errorf("%+v", s)
	}
}

// instant stores nothing and answers at once.
type instant struct{ sender }

func (instant) send(uint64, []byte, time.Duration) (uint64, error) { return 1, nil }

// TestAppendAllocations holds that an Append allocates nothing itself. What one
// publish allocates in the client and the server is shared by its batch.
func TestAppendAllocations(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}.withDefaults()
	srv, err := openServer(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := newLog(cfg, srv, instant{srv})
	defer l.Close()
	line := testLine(300)
	if got := testing.AllocsPerRun(2000, func() {
		if err := l.Append(line); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("%v allocations per Append", got)
	}
}

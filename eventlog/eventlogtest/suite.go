package eventlogtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waypost/eventlog"
	"waypost/internal/fault"
)

// Run runs the suite. config returns a new, empty ledger's configuration;
// opening the same one twice, after a Close, finds the same ledger.
func Run(t *testing.T, config func(t *testing.T) eventlog.Config) {
	for name, check := range map[string]func(*testing.T, eventlog.Config){
		"empty": empty, "one after the other": inOrder, "many at once": atOnce, "long lines": longLines,
		"refused lines": refused, "reopen": reopen, "trim": trim, "ahead": ahead, "waiting": waiting,
		"close drains": closeDrains, "many small batches": smallBatches,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, config(t))
		})
	}
}

func empty(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	if lines, _ := All(t, l, 0); len(lines) != 0 {
		t.Fatalf("a new ledger holds %q", lines)
	}
	if lines, _ := All(t, l, 1); len(lines) != 0 {
		t.Fatalf("a new ledger holds %q", lines)
	}
	s, err := l.State(t.Context())
	if err != nil || s.First != 0 || s.Last != 0 || s.Batches != 0 {
		t.Fatalf("state of a new ledger: %+v, %v", s, err)
	}
}

func inOrder(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	want := []string{`{"a":1}`, `{"b":2}`, "x", `{"c":3}`}
	Lines(t, l, want...)
	got, last := All(t, l, 0)
	if !slices.Equal(got, want) || last != 4 {
		t.Fatalf("got %q up to %d", got, last)
	}
	if got, _ := All(t, l, 3); !slices.Equal(got, want[2:]) {
		t.Fatalf("from 3: %q", got)
	}
	if got, _ := All(t, l, 5); len(got) != 0 {
		t.Fatalf("from the end: %q", got)
	}
	s, err := l.State(t.Context())
	if err != nil || s.First != 1 || s.Last != 4 || s.Batches != 4 || s.Bytes == 0 || s.FirstAt.IsZero() {
		t.Fatalf("%+v, %v", s, err)
	}
}

// atOnce proves that each line is there once, each producer's in its order,
// and that they share batches.
func atOnce(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	const producers, each = 64, 50
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				if err := l.Append(fmt.Appendf(nil, "%d %d", p, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	lines, last := All(t, l, 0)
	var next [producers]int
	for _, line := range lines {
		var p, i int
		if _, err := fmt.Sscan(line, &p, &i); err != nil {
			t.Fatal(err)
		}
		if next[p] != i {
			t.Fatalf("producer %d: line %d where %d was due", p, i, next[p])
		}
		next[p]++
	}
	if len(lines) != producers*each {
		t.Fatalf("%d lines of %d", len(lines), producers*each)
	}
	s := l.Stats()
	if s.Appended != producers*each || s.Batches != last || s.Failed != 0 || s.Queued != 0 || s.CommitTime <= 0 {
		t.Fatalf("%+v after batch %d", s, last)
	}
	if last >= producers*each {
		t.Fatalf("%d batches for %d lines: producers do not share them", last, producers*each)
	}
}

func longLines(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	var want []string
	var wg sync.WaitGroup
	for i := range 24 {
		line := strings.Repeat(string(rune('a'+i)), 200_000) // three do not fit into one batch
		want = append(want, line)
		wg.Go(func() {
			if err := l.Append([]byte(line)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, _ := All(t, l, 0)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("%d lines of %d, or others", len(got), len(want))
	}
}

func refused(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	for name, line := range map[string]string{"empty": "", "newline": "a\nb", "too long": strings.Repeat("x", 1<<20)} {
		if err := l.Append([]byte(line)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, _ := All(t, l, 0); len(got) != 0 {
		t.Errorf("stored %q", got)
	}
}

func reopen(t *testing.T, cfg eventlog.Config) {
	var want []string
	for round := range 3 {
		l := OpenWith(t, cfg)
		line := fmt.Sprintf("round %d", round)
		want = append(want, line)
		Lines(t, l, line)
		if got, last := All(t, l, 0); !slices.Equal(got, want) || last != uint64(round+1) {
			t.Fatalf("round %d: %q up to %d", round, got, last)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Append([]byte("late")); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("append after close: %v", err)
		}
	}
}

func trim(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	Lines(t, l, "a", "b", "c", "d", "e")
	reading, err := l.Read(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	if err := l.Trim(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if got, _ := All(t, l, 0); !slices.Equal(got, []string{"d", "e"}) {
		t.Fatalf("after the trim: %q", got)
	}
	var gap *eventlog.GapError
	if _, err := l.Read(t.Context(), 2); !errors.As(err, &gap) || gap.From != 2 || gap.To != 3 {
		t.Fatalf("reading what is trimmed: %v", err)
	}
	if _, err := reading.Next(t.Context()); !errors.As(err, &gap) || gap.From != 1 || gap.To != 3 {
		t.Fatalf("reading on where it is trimmed: %v", err)
	}
	if err := l.Trim(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	s, err := l.State(t.Context())
	if err != nil || s.First != 0 || s.Last != 5 || s.Batches != 0 {
		t.Fatalf("all trimmed: %+v, %v", s, err)
	}
	if _, err := l.Read(t.Context(), 5); !errors.As(err, &gap) {
		t.Fatalf("reading what is trimmed: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = OpenWith(t, cfg) // an empty ledger keeps its place
	Lines(t, l, "f")
	if got, last := All(t, l, 6); !slices.Equal(got, []string{"f"}) || last != 6 {
		t.Fatalf("after the trim: %q up to %d", got, last)
	}
}

func ahead(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	Lines(t, l, "a")
	var far *eventlog.AheadError
	if _, err := l.Read(t.Context(), 3); !errors.As(err, &far) || far.Last != 1 {
		t.Fatalf("got %v", err)
	}
}

func waiting(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	r, err := l.Read(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20 {
			if err := l.Append(fmt.Appendf(nil, "%d", i)); err != nil {
				t.Error(err)
			}
		}
	})
	for n := 0; n < 20; {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for line := range b.Lines() {
			if string(line) != fmt.Sprint(n) {
				t.Fatalf("got %s for %d", line, n)
			}
			n++
		}
	}
	wg.Wait()
	if _, ok, err := r.TryNext(t.Context()); ok || err != nil {
		t.Fatalf("at the end: %v, %v", ok, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("at the end: %v", err)
	}
}

// closeDrains proves that an Append which returned nil before or during Close
// is kept, and that one which was refused is not.
func closeDrains(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	Lines(t, l, "first")
	var mu sync.Mutex
	acked := []string{"first"}
	var wg sync.WaitGroup
	started := make(chan struct{}, 32)
	for p := range 32 {
		wg.Go(func() {
			for i := 0; ; i++ {
				line := fmt.Sprintf("%d %d", p, i)
				if err := l.Append([]byte(line)); err != nil {
					if !fault.Is(err, fault.Unavailable) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				acked = append(acked, line)
				mu.Unlock()
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 32 {
		<-started
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	got, _ := All(t, OpenWith(t, cfg), 0)
	slices.Sort(got)
	slices.Sort(acked)
	if !slices.Equal(got, acked) {
		t.Fatalf("%d lines kept, %d acknowledged", len(got), len(acked))
	}
}

// smallBatches reads over several requests' worth of batches.
func smallBatches(t *testing.T, cfg eventlog.Config) {
	l := OpenWith(t, cfg)
	var want []string
	for i := range 700 {
		want = append(want, fmt.Sprint(i))
	}
	Lines(t, l, want...)
	if got, last := All(t, l, 0); !slices.Equal(got, want) || last != 700 {
		t.Fatalf("%d lines up to %d", len(got), last)
	}
}

package eventlog

import (
	"context"
	"errors"
	"testing"
	"time"
)

// waiting is Wait in a goroutine.
func waiting(ctx context.Context, l *Log, after uint64) <-chan error {
	done := make(chan error, 1)
	go func() { done <- l.Wait(ctx, after) }()
	return done
}

func result(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(hung):
		t.Fatal("Wait does not return")
		return nil
	}
}

// TestWait returns at once for what is there, by itself for what comes, and
// with its context.
func TestWait(t *testing.T) {
	t.Parallel()
	l, _ := openFlaky(t, ample)
	comes := waiting(t.Context(), l, 0)
	if err := l.Append([]byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := result(t, comes); err != nil {
		t.Fatal(err)
	}
	if err := result(t, waiting(t.Context(), l, 0)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	never := waiting(ctx, l, 1)
	cancel()
	if err := result(t, never); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// TestWaitTellsOfALedgerThatEndsTooEarly rather than wait until new events
// have taken the numbers of lost ones.
func TestWaitTellsOfALedgerThatEndsTooEarly(t *testing.T) {
	t.Parallel()
	l, _ := openFlaky(t, 5*time.Second) // Wait looks for so long, too
	if err := l.Append([]byte("a")); err != nil {
		t.Fatal(err)
	}
	err := result(t, waiting(t.Context(), l, 9))
	if ahead, ok := errors.AsType[*AheadError](err); !ok || ahead.From != 10 || ahead.Last != 1 {
		t.Fatalf("got %v", err)
	}
}

// TestWaitSurvivesAnOutage of the ledger.
func TestWaitSurvivesAnOutage(t *testing.T) {
	t.Parallel()
	l, _ := openFlaky(t, ample, "down")
	comes := waiting(t.Context(), l, 0)
	if err := l.Append([]byte("refused")); err == nil {
		t.Fatal("stored while down")
	}
	untilUp(t, l, "a")
	if err := result(t, comes); err != nil {
		t.Fatal(err)
	}
}

package eventlog_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"waypost/eventlog"
	"waypost/eventlog/eventlogtest"
)

// childDir is set in the environment of the process that TestKill kills.
const childDir = "WAYPOST_EVENTLOG_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := appendForever(dir, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// appendForever appends from 64 goroutines and prints each line once it is acked.
func appendForever(dir, round string) error {
	// The wait is for a machine whose disk stalls: an Append that fails ends the child.
	l, err := eventlog.Open(context.Background(), eventlog.Config{Dir: dir, MaxWait: time.Minute})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, 64)
	for p := range 64 {
		wg.Go(func() {
			for i := 0; ; i++ {
				line := fmt.Appendf(nil, "%s/%d/%d", round, p, i)
				if err := l.Append(line); err != nil {
					failed <- err
					return
				}
				if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	return <-failed
}

// TestKill proves that what was acked before SIGKILL is there, exactly once.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acked := map[string]bool{}
	for round := range 5 {
		for _, line := range killOnce(t, dir, round) {
			acked[line] = true
		}
		l := eventlogtest.OpenWith(t, eventlog.Config{Dir: dir})
		lines, _ := eventlogtest.All(t, l, 1)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(lines)
		if unique := len(slices.Compact(slices.Clone(lines))); unique != len(lines) {
			t.Fatalf("round %d: %d of %d lines are there twice", round, len(lines)-unique, len(lines))
		}
		for line := range acked {
			if _, ok := slices.BinarySearch(lines, line); !ok {
				t.Fatalf("round %d: %s was acknowledged and is lost", round, line)
			}
		}
		t.Logf("round %d: %d acknowledged, %d kept", round, len(acked), len(lines))
	}
}

// killOnce runs a child until a random moment after its first ack.
func killOnce(t *testing.T, dir string, round int) (acked []string) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, fmt.Sprint(round))
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if len(acked) == 0 {
			time.AfterFunc(rand.N(300*time.Millisecond), func() { _ = child.Process.Kill() })
		}
		acked = append(acked, lines.Text())
	}
	err = child.Wait()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed but ended: %v", err)
	}
	if n := len(acked); n > 0 && len(acked[n-1]) < len("0/0/0") {
		acked = acked[:n-1] // the kill cut the last line
	}
	return acked
}

package sqlitestore

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"waypost/link"
	"waypost/report"
)

// TestKill lets a child process write from many goroutines, kills it after a
// number of acknowledgements, and looks for every acknowledged write. Rounds
// share the database, so that recovery meets what earlier kills have left.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waypost.db")
	var paths []link.Path
	var steps uint64
	for round := range 5 {
		acknowledged, step := killRound(t, path, 200+300*round)
		paths, steps = append(paths, acknowledged...), max(steps, step)
		s, err := Open(t.Context(), Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if _, err := s.ReadLink(t.Context(), p); err != nil {
				t.Fatalf("round %d: acknowledged link %s: %v", round, p, err)
			}
		}
		place, err := s.Place(t.Context(), "counts")
		if err != nil || place < steps {
			t.Fatalf("round %d: place %d, %v; acknowledged %d", round, place, err, steps)
		}
		rows, err := s.SumCounts(t.Context(), report.Query{Account: 1})
		var counted int64 // nothing where no step was committed before the kill
		for _, r := range rows {
			counted += r.Count
		}
		if err != nil || len(rows) > 1 || counted != int64(place) {
			t.Fatalf("round %d: counts %v, %v; the place is %d", round, rows, err, place)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killRound returns the paths of acknowledged links and the last acknowledged step.
func killRound(t *testing.T, path string, lines int) (paths []link.Path, step uint64) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(executable)
	child.Env = append(os.Environ(), killVariable+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for range lines {
		if !scanner.Scan() {
			t.Errorf("the child ended by itself: %v", scanner.Err())
			break
		}
		text := scanner.Text()
		if place, ok := strings.CutPrefix(text, "step "); ok {
			if _, err := fmt.Sscan(place, &step); err != nil {
				t.Errorf("line %q: %v", text, err)
			}
			continue
		}
		paths = append(paths, link.Path(text))
	}
	if err := child.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := child.Wait(); err == nil {
		t.Error("the child was not killed")
	}
	return paths, step
}

const killVariable = "WAYPOST_KILL_CHILD"

// killChild writes until it is killed and tells each write after its
// acknowledgement, one line with one call.
func killChild(path string) {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
	ctx := context.Background()
	s, err := Open(ctx, Config{Path: path})
	fail(err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				links := benchLinks(1)
				_, err := s.CreateLinks(ctx, links, benchNow)
				fail(err)
				_, err = os.Stdout.WriteString(string(links[0].Path) + "\n")
				fail(err)
			}
		})
	}
	wg.Go(func() {
		at, err := s.Place(ctx, "counts")
		fail(err)
		for ; ; at++ {
			_, err := s.CommitStep(ctx, report.Step{Projection: "counts", From: at, To: at + 1, Counts: report.Counts{report.Key{Account: 1}: 1}})
			fail(err)
			_, err = fmt.Fprintf(os.Stdout, "step %d\n", at+1)
			fail(err)
		}
	})
	wg.Wait()
}

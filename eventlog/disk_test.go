package eventlog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
)

// tinyDisk mounts a tmpfs of a few MiB.
func tinyDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatalf("mount: %v: %s", err, out)
		}
		t.Skipf("a full disk is tested where this user may mount a tmpfs: %v: %s", err, out)
	}
	t.Cleanup(func() {
		// Lazily: a process that another test is starting may hold our files
		// until it runs its own program.
		if out, err := exec.Command("umount", "--lazy", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// TestDiskFull fills the disk under a running ledger, frees it, and proves that
// appends fail at once meanwhile, work again, and that nothing acked is lost.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := tinyDisk(t)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "log"), MaxWait: ample})
	if err != nil {
		t.Fatal(err)
	}
	var acked []string
	for i := 0; ; i++ {
		line := fmt.Sprintf("%d %s", i, testLine(20_000))
		if err = l.Append([]byte(line)); err != nil {
			break
		}
		acked = append(acked, line)
	}
	if !fault.Is(err, fault.Unavailable) || len(acked) < 50 {
		t.Fatalf("after %d lines: %v", len(acked), err)
	}
	for range 100 {
		began := time.Now()
		if err := l.Append([]byte("refused")); err == nil {
			t.Fatal("stored on a full disk")
		}
		if took := time.Since(began); took > l.cfg.MaxWait {
			t.Fatalf("an Append on a full disk waited %v", took)
		}
	}
	if l.Stats().Down == nil {
		t.Error("Stats does not say that the ledger is down")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	t.Logf("back %v after the disk had room", untilUp(t, l, "after"))
	checkKept := func(l *Log) {
		got := readAll(t, l)
		if got[len(got)-1] != "after" {
			t.Errorf("ends with %.20s", got[len(got)-1])
		}
		if n := len(acked); len(got) < n+1 || len(got) > n+2 || !slices.Equal(got[:n], acked) {
			t.Errorf("%d lines kept of %d acked, or others", len(got), n)
		}
	}
	checkKept(l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err = Open(t.Context(), l.cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkKept(l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpenWords proves that what stops a start is said, with what to change.
func TestOpenWords(t *testing.T) {
	t.Parallel()
	expect := func(t *testing.T, cfg Config, words ...string) {
		t.Helper()
		l, err := Open(t.Context(), cfg)
		if err == nil {
			_ = l.Close()
			t.Fatal("it opened")
		}
		for _, word := range append(words, cfg.Dir, cfg.URL) {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not say %q", err, word)
			}
		}
	}
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		dir := tinyDisk(t)
		if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 8<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, Config{Dir: dir}, "the disk is full", "--data")
	})
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, Config{Dir: filepath.Join(file, "log")}, "is a file")
	})
	t.Run("not writable", func(t *testing.T) {
		t.Parallel()
		if os.Getuid() == 0 {
			dir := tinyDisk(t)
			if out, err := exec.Command("mount", "-o", "remount,ro", dir).CombinedOutput(); err != nil {
				t.Fatalf("remount: %v: %s", err, out)
			}
			expect(t, Config{Dir: dir}, "read-only")
			return
		}
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		expect(t, Config{Dir: dir}, "may not write")
	})
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		expect(t, Config{URL: "nats://127.0.0.1:1", MaxWait: 100 * time.Millisecond}, "NATS server")
	})
}

func TestServerVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"2.9.10": false, "2.10.29": false, "2.11.0": true, "2.15.2": true, "3.0.0": true, "": false, "x": false} {
		if got := readsInBatches(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}

// filled makes a closed ledger of n batches and returns its newest block.
func filled(t *testing.T, n int) (Config, string) {
	t.Helper()
	cfg := Config{Dir: t.TempDir(), MaxWait: ample}
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := l.Append(fmt.Appendf(nil, "%d %s", i, testLine(500))); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	blocks, err := filepath.Glob(filepath.Join(cfg.Dir, "jetstream/*/streams/*/msgs/*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatal("no blocks", err)
	}
	return cfg, blocks[len(blocks)-1]
}

// TestDamage changes a closed ledger's files. What no kill explains must stop
// the start and leave every file as it was.
func TestDamage(t *testing.T) {
	t.Parallel()
	const batches = 100
	flip := func(where float64) func(string) error {
		return func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for i := range 8 {
				data[int(where*float64(len(data)-1))+i-7] ^= 0xff
			}
			return os.WriteFile(path, data, 0o600)
		}
	}
	cut := func(bytes int64) func(string) error {
		return func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, info.Size()-bytes)
		}
	}
	for name, damage := range map[string]func(string) error{
		"middle flipped": flip(0.5), "start flipped": flip(0.02), "last batch flipped": flip(1),
		"last batch torn": cut(100), "half gone": cut(25_000), "block gone": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, block := filled(t, batches)
			if err := damage(block); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, cfg.Dir)
			if l, err := Open(t.Context(), cfg); err == nil {
				_ = l.Close()
				t.Fatal("it opened")
			} else if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), cfg.Dir) {
				t.Fatalf("got %v", err)
			}
			after := snapshot(t, cfg.Dir)
			for path, data := range before {
				if now, ok := after[path]; !ok || !bytes.Equal(now, data) {
					t.Errorf("%s was changed", path)
				}
			}
			acceptLoss(t, cfg, batches)
		})
	}
}

// acceptLoss opens the damaged ledger and proves that new batches take no old
// number, and that reading over the hole is an error.
func acceptLoss(t *testing.T, cfg Config, batches uint64) {
	t.Helper()
	cfg.AcceptLoss = true
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Append([]byte("new")); err != nil {
		t.Fatal(err)
	}
	r, err := l.Read(t.Context(), batches+1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := r.Next(t.Context())
	if err != nil || string(b.data) != "new" {
		t.Fatalf("batch %d: %.20q, %v", b.Seq, b.data, err)
	}
}

func snapshot(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(path, damagedDir) {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// TestTorn proves that a record cut by a kill is cut off, kept aside, and does
// not stop the start, and that a power loss is survived with its numbers kept.
func TestTorn(t *testing.T) {
	t.Parallel()
	cfg, path := filled(t, 10)
	block, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 200)
	if _, err := block.ReadAt(head, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := block.Write(head); err != nil { // the beginning of a record whose end never came
		t.Fatal(err)
	}
	block.Close()
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, l); len(got) != 10 {
		t.Fatalf("%d lines", len(got))
	}
	if err := l.Append([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if kept, _ := filepath.Glob(filepath.Join(cfg.Dir, damagedDir, "*")); len(kept) != 1 {
		t.Errorf("kept aside: %q", kept)
	}

	// As after a power loss: another boot's mark, further than the files.
	mark := fmt.Sprintf(markFormat, 20, "00000000-0000-0000-0000-000000000000", "open")
	if err := os.WriteFile(filepath.Join(cfg.Dir, markFile), []byte(mark), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Append([]byte("after the power loss")); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, l); len(got) != 12 || got[11] != "after the power loss" {
		t.Fatalf("%d lines: %.40q", len(got), got)
	}
	if s, err := l.State(t.Context()); err != nil || s.Last != 21 {
		t.Fatalf("%+v, %v: the numbers 12 to 20 must not be given again", s, err)
	}
}

package sqlitestore

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFileSystemFull fills a real file system, a small one in memory. Mounting
// takes rights that a developer's account lacks; TestDiskFull needs none.
func TestFileSystemFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatalf("mount: %v", err)
		}
		t.Skipf("a tmpfs cannot be mounted here: %v", err)
	}
	defer func() {
		// Detached, because a process that another test is starting may hold
		// copies of our files until it runs its own program.
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	s, err := Open(t.Context(), Config{Path: filepath.Join(dir, "waypost.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	failed := fillUp(t, s)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	recovered(t, s, failed)
}

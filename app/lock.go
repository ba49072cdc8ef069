package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ErrInUse says that another process owns the data directory.
var ErrInUse = errors.New("the data directory is in use")

// lockData makes the data directory and takes its lock, which the kernel
// releases when the process ends, however it ends.
func lockData(c Config) (*os.File, error) {
	if _, err := os.Stat(c.storePath()); c.MustExist && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is no data directory of waypost: name the one of its server with --data", c.Data)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data directory: %w; choose a writable one with --data", err)
	}
	f, err := os.OpenFile(c.lockPath(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot use the data directory: %w; choose a writable one with --data", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner, _ := os.ReadFile(c.lockPath())
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: process %s works in %s; stop it, or choose another directory with --data",
				ErrInUse, strings.TrimSpace(string(owner)), c.Data)
		}
		return nil, fmt.Errorf("cannot lock %s: %w", c.lockPath(), err)
	}
	// The number is for people who read the message above; the lock does not depend on it.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}

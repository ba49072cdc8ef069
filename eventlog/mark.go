package eventlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mark is a small file with the last acked sequence, written after every ack
// but never synced: it outlives a killed process, and so tells whether the
// block files still hold everything that this boot of the machine has acked.
type mark struct {
	file  *os.File
	seq   uint64 // what the file said when it was opened
	boot  string // the boot it was written in
	clean bool   // the ledger was closed properly
	text  [20]byte
}

const (
	markFile   = "acked"
	markFormat = "%020d %-36s %-5s\n"
)

// bootID differs after each start of the machine; empty where unknown.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(id))
}

func openMark(dir string) (*mark, error) {
	path := filepath.Join(dir, markFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open the ledger's mark: %w", err)
	}
	m := &mark{file: f}
	text, err := os.ReadFile(path)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read the ledger's mark: %w", err)
	}
	var state string
	if len(text) > 0 {
		if _, err := fmt.Sscanf(string(text), "%d %s %s", &m.seq, &m.boot, &state); err != nil {
			f.Close()
			return nil, fmt.Errorf("%w: the mark %s is unreadable: %w", errDamaged, path, err)
		}
	}
	m.clean = state == "clean"
	return m, nil
}

// sameBoot reports whether the machine has run since the mark was written, so
// that all writes before it must be there.
func (m *mark) sameBoot() bool { return m.boot == bootID() && m.boot != "unknown" }

func (m *mark) begin(seq uint64) error { return m.write(seq, "open") }

func (m *mark) write(seq uint64, state string) error {
	m.seq = seq
	if _, err := m.file.WriteAt(fmt.Appendf(nil, markFormat, seq, bootID(), state), 0); err != nil {
		return fmt.Errorf("write the ledger's mark: %w", err)
	}
	return nil
}

// set notes an acked sequence. A failure is ignored: an older mark promises
// less, and the ledger's own write has just succeeded on the same disk.
func (m *mark) set(seq uint64) {
	m.seq = seq
	for i, n := len(m.text)-1, seq; i >= 0; i, n = i-1, n/10 {
		m.text[i] = byte('0' + n%10)
	}
	_, _ = m.file.WriteAt(m.text[:], 0)
}

// end notes a clean stop.
func (m *mark) end() error {
	err := m.write(m.seq, "clean")
	if err == nil {
		err = m.file.Sync()
	}
	if cerr := m.file.Close(); err == nil {
		err = cerr
	}
	return err
}

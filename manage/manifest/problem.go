package manifest

import (
	"fmt"
	"slices"
	"strings"

	"waypost/internal/fault"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	File string
	Line int    // 0: not known
	Path string // "accounts[0].apps[1].bundle_id"; empty for the file as a whole
	Text string // what is wrong and what would be right; never holds a secret
}

// String returns the problem as compilers write theirs.
func (p Problem) String() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Path != "" {
		place += ": " + p.Path
	}
	return place + ": " + p.Text
}

// maxProblems keeps the answer to a hopeless file readable.
const maxProblems = 20

// Problems is the error of Parse and Resolve: in the order of their lines, at
// most twenty.
type Problems []Problem

// Error lists the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p), len(p)+1)
	for i := range p {
		lines[i] = p[i].String()
	}
	if len(p) == maxProblems {
		lines = append(lines, "there may be more: only the first 20 problems are shown")
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes the list an Invalid fault for whoever asks for its kind.
func (p Problems) Unwrap() error { return fault.New(fault.Invalid, "%s", p.Error()) }

// findings collects problems. A path is reported once: what follows from a
// wrong value is noise.
type findings struct {
	file *File
	list Problems
	seen map[string]bool
}

func newFindings(f *File) *findings { return &findings{file: f, seen: map[string]bool{}} }

func (f *findings) add(path, format string, args ...any) {
	f.addAt(f.file.Line(path), path, format, args...)
}

func (f *findings) addAt(line int, path, format string, args ...any) {
	if f.full() || f.seen[path] {
		return
	}
	f.seen[path] = true
	f.list = append(f.list, Problem{File: f.file.Name, Line: line, Path: path, Text: fmt.Sprintf(format, args...)})
}

func (f *findings) full() bool { return len(f.list) >= maxProblems }

// err returns the problems, or nil when there are none.
func (f *findings) err() error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b Problem) int { return a.Line - b.Line })
	return f.list
}

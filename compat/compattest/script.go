package compattest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Script is one file that tells where visitors of one link go: sections that
// set it up, which the dialect reads, and "clicks". In these a line is a visitor
// and the address that he clicks, and the lines behind it, each after a tab, are
// his answer; a line that begins with "#" is for the reader.
//
// Need, Read, Text and Words take one section each. A section that nothing has
// taken is an error in the end, so that no part of a script can go unplayed.
type Script struct {
	Clicks   []ScriptClick
	sections map[string][]byte
	taken    map[string]bool
	err      error // the first that was found
}

// ScriptClick is one visitor of a script.
type ScriptClick struct {
	Line             int // in its section, from 1
	Visitor, Address string
	Want             string
}

// Answers renders what one click of a script is answered with.
type Answers func(t *testing.T, c ScriptClick) string

// RunScripts plays every script of testdata/redirects. start takes the sections
// of one and returns what answers its clicks.
func RunScripts(t *testing.T, start func(s *Script) Answers) {
	t.Helper()
	files, err := filepath.Glob("testdata/redirects/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(caseName(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ParseScript(text)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			answers := start(s)
			if err := s.Err(); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, c := range s.Clicks {
				if got := answers(t, c); got != c.Want {
					t.Errorf("%s, clicks line %d: %s %s\ngot\n%swant\n%s", file, c.Line, c.Visitor, c.Address, indent(got), indent(c.Want))
				}
			}
		})
	}
}

// ParseScript reads a script and its clicks; the other sections wait for who
// takes them.
func ParseScript(text []byte) (*Script, error) {
	archive := txtar.Parse(text)
	if len(bytes.TrimSpace(archive.Comment)) == 0 {
		return nil, errors.New("the script does not say what it shows")
	}
	s := &Script{sections: map[string][]byte{}, taken: map[string]bool{}}
	for _, f := range archive.Files {
		if _, twice := s.sections[f.Name]; twice {
			return nil, fmt.Errorf("section %q twice", f.Name)
		}
		s.sections[f.Name] = f.Data
	}
	clicks, _ := s.take("clicks")
	return s, s.parseClicks(string(clicks))
}

func (s *Script) parseClicks(text string) error {
	for n, line := range strings.Split(text, "\n") {
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t"):
			if len(s.Clicks) == 0 {
				return fmt.Errorf("clicks line %d comes before any visitor", n+1)
			}
			s.Clicks[len(s.Clicks)-1].Want += line[1:] + "\n"
		default:
			visitor, address, _ := strings.Cut(line, " ")
			s.Clicks = append(s.Clicks, ScriptClick{Line: n + 1, Visitor: visitor, Address: address})
		}
	}
	if len(s.Clicks) == 0 {
		return errors.New("there are no clicks")
	}
	return nil
}

// Need decodes the JSON of a section that every script has.
func (s *Script) Need(name string, into any) {
	if !s.Read(name, into) {
		s.fail(fmt.Errorf("section %q is missing", name))
	}
}

// Read decodes the JSON of a section and reports whether there is one. Fields
// that into does not have are an error.
func (s *Script) Read(name string, into any) bool {
	data, ok := s.take(name)
	if !ok {
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			return true
		}
		err = errors.New("something follows the value")
	}
	s.fail(fmt.Errorf("section %q: %w", name, err))
	return true
}

// Text returns a section without the white space around it; empty where there
// is none.
func (s *Script) Text(name string) string {
	data, _ := s.take(name)
	return strings.TrimSpace(string(data))
}

// Words returns the words of a section; none where there is no such section.
func (s *Script) Words(name string) []string {
	return strings.Fields(s.Text(name))
}

// Err returns the first thing that was wrong with a section, also that nothing
// took it.
func (s *Script) Err() error {
	for name := range s.sections {
		if !s.taken[name] {
			s.fail(fmt.Errorf("unknown section %q", name))
		}
	}
	return s.err
}

func (s *Script) take(name string) (data []byte, ok bool) {
	s.taken[name] = true
	data, ok = s.sections[name]
	return data, ok
}

func (s *Script) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// caseName is the name of a txtar file without its folder and ending.
func caseName(file string) string {
	return strings.TrimSuffix(filepath.Base(file), ".txtar")
}

func indent(text string) string {
	return "\t" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n\t") + "\n"
}

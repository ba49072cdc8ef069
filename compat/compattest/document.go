package compattest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Document is a page that names cases and tests as its evidence.
type Document struct {
	Path, Text string
}

// ReadDocument reads a page, which must be there.
func ReadDocument(t testing.TB, path string) Document {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Document{path, string(text)}
}

// CheckCases holds the names of cases against the files that the patterns
// match: each that is named exists, each that exists is named. In the document
// named, a regular expression such as "supplemental/", stands before a list of
// names with commas between them.
func (d Document) CheckCases(named string, patterns ...string) error {
	exists := map[string]bool{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("list cases: %w", err)
		}
		for _, f := range files {
			exists[caseName(f)] = true
		}
	}
	list, err := regexp.Compile(named + `([a-z0-9-]+(?:, [a-z0-9-]+)*)`)
	if err != nil {
		return fmt.Errorf("names of cases: %w", err)
	}
	var wrong []error
	told := map[string]bool{}
	for _, m := range list.FindAllStringSubmatch(d.Text, -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			told[name] = true
			if !exists[name] {
				wrong = append(wrong, fmt.Errorf("%s names %s%s, which does not exist", d.Path, named, name))
			}
		}
	}
	for name := range exists {
		if !told[name] {
			wrong = append(wrong, fmt.Errorf("%s does not name %s%s", d.Path, named, name))
		}
	}
	return errors.Join(wrong...)
}

var testName = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")

// CheckTests looks for every test that the document names in the Go files that
// the patterns match.
func (d Document) CheckTests(patterns ...string) error {
	var source strings.Builder
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("list tests: %w", err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return fmt.Errorf("read tests: %w", err)
			}
			source.Write(text)
		}
	}
	var wrong []error
	for _, m := range testName.FindAllStringSubmatch(d.Text, -1) {
		if !strings.Contains(source.String(), "\nfunc "+m[1]+"(t *testing.T)") {
			wrong = append(wrong, fmt.Errorf("%s names %s, which does not exist", d.Path, m[1]))
		}
	}
	return errors.Join(wrong...)
}

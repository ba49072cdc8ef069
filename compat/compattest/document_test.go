package compattest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waypost/compat/compattest"
)

// folder makes a folder of files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDocumentsAreHeldAgainstCases(t *testing.T) {
	t.Parallel()
	cases := filepath.Join(folder(t, map[string]string{"one.txtar": "", "two-b.txtar": "", "note.md": ""}), "*.txtar")
	f := func(text, want string) {
		t.Helper()
		err := compattest.Document{Path: "d.md", Text: text}.CheckCases("supplemental/(?:reports/)?", cases)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	f("see supplemental/one, two-b", "")
	f("see supplemental/one. And supplemental/reports/two-b", "")
	f("see supplemental/one", "does not name supplemental/(?:reports/)?two-b")
	f("see supplemental/one, two-b, three", "three, which does not exist")
	f("see exemplary/one, two-b", "does not name")
}

func TestDocumentsAreHeldAgainstTests(t *testing.T) {
	t.Parallel()
	tests := filepath.Join(folder(t, map[string]string{
		"a_test.go": "package a\n\nfunc TestOne(t *testing.T) {}\n", "b_test.go": "package b\n\nfunc TestTwo(t *testing.T) {}\n// TestFour is gone\n",
	}), "*_test.go")
	f := func(text, want string) {
		t.Helper()
		err := compattest.Document{Path: "d.md", Text: text}.CheckTests(tests)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	f("`TestOne` and `TestTwo`, not TestThree", "")
	f("`TestOne` and `TestThree`", "d.md names TestThree, which does not exist")
	f("`TestFour`", "TestFour")
}

package waypost_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentsPointAtWhatExists resolves every relative link of every document.
func TestDocumentsPointAtWhatExists(t *testing.T) {
	t.Parallel()
	target := regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)]*)?\)`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".md") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range target.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s points at %s, which does not exist", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestArchitectureNamesEveryPackage keeps the table of ARCHITECTURE.md whole.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > 150 {
		t.Errorf("ARCHITECTURE.md has %d lines, 150 are allowed", n)
	}
	for pkg := range imports {
		if last := pkg[strings.LastIndexByte(pkg, '/')+1:]; !strings.Contains(string(text), last) {
			t.Errorf("ARCHITECTURE.md does not speak of %s", pkg)
		}
	}
}

// TestFilesStaySmall holds the caps of the house rules, and that every package
// says what it is for.
func TestFilesStaySmall(t *testing.T) {
	t.Parallel()
	told := map[string]bool{} // by folder: some file has the package's comment
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		lines := func(n ast.Node) int { return files.Position(n.End()).Line - files.Position(n.Pos()).Line + 1 }
		if n := files.File(file.Pos()).LineCount(); n > 600 {
			t.Errorf("%s has %d lines, 600 are allowed", path, n)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && lines(f) > 80 {
				t.Errorf("%s: %s has %d lines, 80 are allowed", path, f.Name.Name, lines(f))
			}
		}
		told[filepath.Dir(path)] = told[filepath.Dir(path)] || file.Doc != nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, ok := range told {
		if !ok {
			t.Errorf("no file of %s has a comment that says what the package is for", dir)
		}
	}
}

package waypost_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"waypost/compat/compattest"
)

// TestTrapsHaveTests holds docs/traps.md against the code: every trap names its
// tests, and each is in the folder that is named with it.
func TestTrapsHaveTests(t *testing.T) {
	t.Parallel()
	page := compattest.ReadDocument(t, "docs/traps.md")
	proof := regexp.MustCompile("^(`Test[A-Za-z0-9]+`(?:, `Test[A-Za-z0-9]+`)*) in (the root|`[a-z0-9/]+`)$")
	traps := 0
	for line := range strings.Lines(page.Text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| ") || len(cells) != 2 || strings.TrimSpace(cells[0]) == "trap" {
			continue
		}
		traps++
		for named := range strings.SplitSeq(strings.TrimSpace(cells[1]), "; ") {
			m := proof.FindStringSubmatch(named)
			if m == nil {
				t.Errorf("%s: %q names no tests in a folder", page.Path, named)
				continue
			}
			folder := strings.Trim(strings.TrimPrefix(m[2], "the root"), "`")
			row := compattest.Document{Path: page.Path, Text: m[1]}
			if err := row.CheckTests(filepath.Join(folder, "*_test.go")); err != nil {
				t.Error(err)
			}
		}
	}
	if traps < 16 {
		t.Errorf("%s has %d traps, 16 are known", page.Path, traps)
	}
}

// eachFile parses the Go files of the program, tests or others.
func eachFile(t *testing.T, tests bool, look func(path string, files *token.FileSet, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") != tests {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		look(filepath.ToSlash(path), files, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// called is the name of the method or function that is called: "WriteHeader", "Error".
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// lateHeaders are where a function sets a header after it has sent the status.
func lateHeaders(file *ast.File) (late []token.Pos) {
	for _, decl := range file.Decls {
		var sent token.Pos
		ast.Inspect(decl, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name := called(call); name == "WriteHeader" && sent == token.NoPos {
				sent = call.Pos()
			} else if name == "Header" && len(call.Args) == 0 && sent != token.NoPos && call.Pos() > sent {
				late = append(late, call.Pos())
			}
			return true
		})
	}
	return late
}

// TestHeadersComeBeforeTheStatus: replies are values that one place writes,
// headers first. Of what answers without it, nothing sets a header afterwards.
func TestHeadersComeBeforeTheStatus(t *testing.T) {
	t.Parallel()
	mayWrite := []string{"internal/reply/reply.go", "app/health.go", "app/control.go"}
	eachFile(t, false, func(path string, files *token.FileSet, file *ast.File) {
		for _, at := range lateHeaders(file) {
			t.Errorf("%s: a header is set after the status line", files.Position(at))
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && called(call) == "WriteHeader" && !slices.Contains(mayWrite, path) {
				t.Errorf("%s: writes a reply itself; internal/reply does", files.Position(call.Pos()))
			}
			return true
		})
	})
	const wrong = `package p
	func f(w http.ResponseWriter) { w.WriteHeader(200); w.Header().Set("A", "b") }`
	file, err := parser.ParseFile(token.NewFileSet(), "wrong.go", wrong, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(lateHeaders(file)) != 1 {
		t.Error("a header after the status line is not found")
	}
}

// TestHandlersAreAskedOverSockets: no test hands a handler a request that it has
// made up, which no client may be able to send, or reads an answer that was never sent.
func TestHandlersAreAskedOverSockets(t *testing.T) {
	t.Parallel()
	eachFile(t, true, func(path string, files *token.FileSet, file *ast.File) {
		for _, decl := range file.Decls {
			var made, served token.Pos
			ast.Inspect(decl, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				selector, _ := call.Fun.(*ast.SelectorExpr)
				of := ""
				if selector != nil {
					if x, ok := selector.X.(*ast.Ident); ok {
						of = x.Name
					}
				}
				switch name := called(call); {
				case of == "httptest" && name == "NewRecorder":
					t.Errorf("%s: an answer is read from a recorder", files.Position(call.Pos()))
				case of == "httptest" && strings.HasPrefix(name, "NewRequest"):
					made = call.Pos()
				case name == "ServeHTTP":
					served = call.Pos()
				}
				return true
			})
			if made != token.NoPos && served != token.NoPos {
				t.Errorf("%s: a request that was made up is served", files.Position(made))
			}
		}
	})
}

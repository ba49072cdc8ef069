package onelink

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"waypost/compat/compattest"
)

const document = "../../docs/compat/onelink.md"

// TestDocumentNamesEveryRule reads the constants from their source, so that a
// new rule cannot stay out of the table.
func TestDocumentNamesEveryRule(t *testing.T) {
	t.Parallel()
	d := compattest.ReadDocument(t, document)
	file, err := parser.ParseFile(token.NewFileSet(), "../../route/rules.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Rule" {
			return true
		}
		for _, value := range spec.Values {
			name, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if !strings.Contains(d.Text, "\n| `"+name+"` | ") {
				t.Errorf("%s has no row for the rule %s", d.Path, name)
			}
		}
		return true
	})
	if rows := len(regexp.MustCompile("(?m)^\\| `[a-z][a-z-]+` \\| ").FindAllString(d.Text, -1)); found == 0 || rows != found {
		t.Errorf("%d rules, %d rows of them", found, rows)
	}
}

// TestDocumentNamesCases holds the names of cases against the files: each that
// is named exists, each supplemental one is named.
func TestDocumentNamesCases(t *testing.T) {
	t.Parallel()
	if err := compattest.ReadDocument(t, document).CheckCases("supplemental/", "testdata/supplemental/*.txtar"); err != nil {
		t.Error(err)
	}
}

// TestDocumentNamesTests looks for every test that the document names.
func TestDocumentNamesTests(t *testing.T) {
	t.Parallel()
	if err := compattest.ReadDocument(t, document).CheckTests("*_test.go", "../../e2e/*_test.go"); err != nil {
		t.Error(err)
	}
}

package singular

import (
	"testing"

	"waypost/compat/compattest"
)

const document = "../../docs/compat/singular.md"

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

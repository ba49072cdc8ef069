package apple

import (
	"testing"

	"waypost/compat/compattest"
)

// TestDocumentNamesTests looks for every test that the document names.
func TestDocumentNamesTests(t *testing.T) {
	t.Parallel()
	document := compattest.ReadDocument(t, "../../docs/compat/apple.md")
	if err := document.CheckTests("*_test.go", "../../click/*_test.go", "../../pipeline/*_test.go", "../../e2e/*_test.go"); err != nil {
		t.Error(err)
	}
}

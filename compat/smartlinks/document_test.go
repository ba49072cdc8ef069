package smartlinks_test

import (
	"testing"

	"waypost/compat/compattest"
)

const document = "../../docs/compat/smartlinks.md"

// TestDocumentNamesCases holds the names of cases and scripts against the
// files: each that is named exists, each of ours is named.
func TestDocumentNamesCases(t *testing.T) {
	t.Parallel()
	d := compattest.ReadDocument(t, document)
	if err := d.CheckCases("supplemental/(?:reports/)?", "testdata/supplemental/*.txtar", "testdata/supplemental/reports/*.txtar"); err != nil {
		t.Error(err)
	}
	if err := d.CheckCases("redirects/", "testdata/redirects/*.txtar"); err != nil {
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

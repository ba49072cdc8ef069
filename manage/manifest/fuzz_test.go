package manifest_test

import (
	"errors"
	"testing"

	"waypost/link"
	"waypost/manage/manifest"
)

// FuzzParse holds that no text makes Parse or Resolve panic, that a refusal
// is a bounded list of problems, and that what is accepted resolves against an
// empty store to something that loads and then stays as it is.
func FuzzParse(f *testing.F) {
	f.Add([]byte(acme(f)))
	f.Add([]byte(moreYAML))
	f.Add([]byte(atelier(f)))
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := manifest.Parse("f.yaml", src)
		if err != nil {
			checkProblems(t, err)
			return
		}
		plan, err := manifest.Resolve(file, link.Catalog{})
		if err != nil {
			checkProblems(t, err)
			return
		}
		if _, err := link.NewDirectory(plan.Merged); err != nil {
			t.Fatalf("accepted, but does not load: %v", err)
		}
		again, err := manifest.Resolve(file, plan.Merged)
		if err != nil || !again.Empty() {
			t.Fatalf("applied twice: %+v, %v", again.Things, err)
		}
	})
}

func checkProblems(t *testing.T, err error) {
	t.Helper()
	var problems manifest.Problems
	if !errors.As(err, &problems) || len(problems) == 0 || len(problems) > 20 || err.Error() == "" {
		t.Fatalf("got %#v", err)
	}
}

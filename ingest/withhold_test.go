package ingest_test

import (
	"slices"
	"testing"
)

// TestWithhold: what a report says of partners is kept in one form.
func TestWithhold(t *testing.T) {
	t.Parallel()
	f := func(said, want []string) {
		t.Helper()
		w := newWorld(t)
		r := someReport()
		r.Withhold = said
		if _, err := w.service.Event(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := w.last().Withhold; !slices.Equal(got, want) {
			t.Errorf("%q is kept as %q, want %q", said, got, want)
		}
	}
	f(nil, nil)
	f([]string{}, []string{"none"})
	f([]string{""}, []string{"none"})
	f([]string{"None"}, []string{"none"})
	f([]string{"a", " b ", "a", ""}, []string{"a", "b"})
	f([]string{"a", "None"}, []string{"a"})
	f([]string{"a", "ALL"}, []string{"all"})
}

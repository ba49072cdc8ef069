package manage_test

import (
	"testing"

	"waypost/manage"
	"waypost/manage/memorystore"
)

// BenchmarkCreateLinks is the cost of the rules for one link of a bulk call,
// over a store that costs next to nothing.
func BenchmarkCreateLinks(b *testing.B) {
	s, err := manage.New(b.Context(), manage.Config{Store: memorystore.New()})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Apply(b.Context(), acme(b)); err != nil {
		b.Fatal(err)
	}
	a, err := s.Authenticate("acme-admin-token")
	if err != nil {
		b.Fatal(err)
	}
	asked := make([]manage.NewLink, 1000)
	for i := range asked {
		asked[i] = wish("")
	}
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(asked) {
		results, err := s.CreateLinks(b.Context(), a, asked)
		if err != nil || results[0].Err != nil {
			b.Fatal(results[0].Err, err)
		}
	}
}

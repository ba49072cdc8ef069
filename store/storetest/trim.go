package storetest

import (
	"testing"

	"waypost/internal/fault"
	"waypost/report"
)

var trimTests = map[string]func(*testing.T, Store){
	"baseline and reset": testTrim,
	"reset of nothing":   testResetNothing,
}

func testTrim(tt *testing.T, s Store) {
	t := f{tt}
	a, b, c := key(1, 20_000), key(2, 20_000), key(3, 20_001)
	first, second, third := report.Counts{a: 1, b: 2}, report.Counts{a: 10, c: 1}, report.Counts{c: 5}
	all := report.Counts{a: 11, b: 2, c: 6}
	t.step(s, 0, 10, first)
	t.step(s, 10, 20, second)
	t.step(s, 20, 30, third)
	trim := func(from, to uint64, cells report.Counts) error {
		return s.CommitTrim(t.Context(), report.Step{Projection: counts, From: from, To: to, Counts: cells})
	}
	t.kind(trim(10, 20, second), fault.Conflict)
	t.ok(trim(0, 10, first))
	t.kind(trim(0, 10, first), fault.Conflict)
	t.kind(trim(10, 31, second), fault.Conflict) // the projection has not been there
	t.place(s, counts, 30, 10)
	t.sameCounts(s, true, first)
	t.sameCounts(s, false, all)
	t.ok(trim(10, 20, second))
	t.place(s, counts, 30, 20)
	trimmed := report.Counts{a: 11, b: 2, c: 1}
	t.sameCounts(s, true, trimmed)

	t.ok(s.ResetProjection(t.Context(), counts))
	t.place(s, counts, 20, 20)
	t.sameCounts(s, false, trimmed)
	t.sameCounts(s, true, trimmed)
	t.step(s, 20, 30, third) // the replay of what the ledger still holds
	t.sameCounts(s, false, all)
	t.place(s, counts, 30, 20)
}

func testResetNothing(tt *testing.T, s Store) {
	t := f{tt}
	t.ok(s.ResetProjection(t.Context(), "never ran"))
	t.place(s, "never ran", 0, 0)
	cells := report.Counts{key(1, 1): 1}
	t.step(s, 0, 9, cells)
	t.ok(s.ResetProjection(t.Context(), counts)) // nothing was trimmed: from the beginning
	t.place(s, counts, 0, 0)
	t.sameCounts(s, false, nil)
	t.step(s, 0, 9, cells)
	t.sameCounts(s, false, cells)
}

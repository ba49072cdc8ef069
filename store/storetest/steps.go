package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

var stepTests = map[string]func(*testing.T, Store){
	"exactly once":            testExactlyOnce,
	"one owner of counts":     testOneOwner,
	"steps that lead nowhere": testBadSteps,
	"every dimension":         testCells,
	"large":                   testLargeStep,
	"reading is interrupted":  testInterrupted,
}

// counts is the projection that owns the counts in these tests.
const counts report.Projection = "counts"

// key returns a cell that differs from the others by its link and its day.
func key(link int, day report.Day) report.Key {
	return report.Key{
		Account: 1, Template: "A1b3", Link: newID(link), Metric: report.Clicks, Route: "ios_store", Day: day, Platform: device.IOS, Country: "DE",
	}
}

func (t f) step(s Store, from, to uint64, cells report.Counts) {
	t.Helper()
	_, err := s.CommitStep(t.Context(), report.Step{Projection: counts, From: from, To: to, Counts: cells})
	t.ok(err)
}

func (t f) counts(s Store, baseline bool) report.Counts {
	t.Helper()
	got := report.Counts{}
	t.ok(s.EachCount(t.Context(), baseline, func(k report.Key, n int64) error {
		if _, twice := got[k]; twice {
			return fmt.Errorf("cell %+v comes twice", k)
		}
		got[k] = n
		return nil
	}))
	return got
}

func (t f) sameCounts(s Store, baseline bool, want report.Counts) {
	t.Helper()
	if got := t.counts(s, baseline); !maps.Equal(got, want) {
		t.Fatalf("counts (baseline %t) are %+v, want %+v", baseline, got, want)
	}
}

func (t f) place(s Store, name report.Projection, place, trimmed uint64) {
	t.Helper()
	got, err := s.Place(t.Context(), name)
	t.ok(err)
	t.is(got, place, "place of %s", name)
	got, err = s.TrimmedTo(t.Context(), name)
	t.ok(err)
	t.is(got, trimmed, "trimmed place of %s", name)
}

func testExactlyOnce(tt *testing.T, s Store) {
	t := f{tt}
	t.place(s, counts, 0, 0)
	a, b := key(1, 20_000), key(2, 20_000)
	t.step(s, 0, 10, report.Counts{a: 1, b: 2})
	t.step(s, 10, 15, report.Counts{a: 5})
	for _, from := range []uint64{0, 9, 11, 20} {
		_, err := s.CommitStep(t.Context(), report.Step{Projection: counts, From: from, To: 30, Counts: report.Counts{a: 100}})
		t.kind(err, fault.Conflict)
	}
	t.place(s, counts, 15, 0)
	t.sameCounts(s, false, report.Counts{a: 6, b: 2})
	_, err := s.CommitStep(t.Context(), report.Step{Projection: "other", From: 15, To: 30})
	t.kind(err, fault.Conflict)
	_, err = s.CommitStep(t.Context(), report.Step{Projection: "other", From: 0, To: 30})
	t.ok(err)
	t.place(s, "other", 30, 0)
	t.place(s, counts, 15, 0)
	t.step(s, 15, 1<<62, nil)
	t.place(s, counts, 1<<62, 0)
}

func testOneOwner(tt *testing.T, s Store) {
	t := f{tt}
	cells := report.Counts{key(1, 1): 1}
	t.step(s, 0, 1, cells)
	_, err := s.CommitStep(t.Context(), report.Step{Projection: "other", To: 1, Counts: cells})
	t.kind(err, fault.Conflict)
	t.place(s, "other", 0, 0)
	_, err = s.CommitStep(t.Context(), report.Step{Projection: "other", To: 1})
	t.ok(err)
	t.kind(s.CommitTrim(t.Context(), report.Step{Projection: "other", To: 1, Counts: cells}), fault.Conflict)
	t.ok(s.ResetProjection(t.Context(), "other"))
	t.place(s, "other", 0, 0)
	t.place(s, counts, 1, 0)
	t.sameCounts(s, false, cells) // another projection's reset leaves them
}

func testBadSteps(tt *testing.T, s Store) {
	t := f{tt}
	t.step(s, 0, 5, nil)
	t.step(s, 5, 5, nil) // nothing read, nothing done
	for _, step := range []report.Step{
		{Projection: counts, From: 5, To: 4},
		{Projection: counts, From: 5, To: 5, Counts: report.Counts{key(1, 1): 1}}, // could be committed twice
	} {
		_, err := s.CommitStep(t.Context(), step)
		t.kind(err, fault.Invalid)
		t.kind(s.CommitTrim(t.Context(), step), fault.Invalid)
	}
	t.sameCounts(s, false, nil)
}

// testCells: every part of a key tells cells apart.
func testCells(tt *testing.T, s Store) {
	t := f{tt}
	base := key(7, 20_000)
	cells := report.Counts{base: 1}
	for i, change := range []func(*report.Key){
		func(k *report.Key) { k.Account = 2 }, func(k *report.Key) { k.Template = "a1b3" }, func(k *report.Key) { k.Link = 0 },
		func(k *report.Key) { k.Metric = report.BotClicks }, func(k *report.Key) { k.Route = "web" }, func(k *report.Key) { k.Day = -1 },
		func(k *report.Key) { k.Platform = device.Unknown }, func(k *report.Key) { k.Tracker = link.CatchAll }, func(k *report.Key) { k.Tracker = link.MaxTracker }, func(k *report.Key) { k.Country = "" },
	} {
		k := base
		change(&k)
		cells[k] = int64(10 + i)
	}
	for i, p := range device.Platforms() {
		k := base
		k.Platform, k.Day = p, 30_000
		cells[k] = int64(100 + i)
	}
	t.step(s, 0, 1, cells)
	t.step(s, 1, 2, cells)
	want := report.Counts{}
	want.Add(cells)
	want.Add(cells)
	t.sameCounts(s, false, want)
}

func testLargeStep(tt *testing.T, s Store) {
	t := f{tt}
	cells := report.Counts{}
	for i := range 10_000 {
		k := key(i%4000, report.Day(20_000+i%3))
		k.Route = fmt.Sprint("route-", i%5)
		cells[k]++
	}
	t.step(s, 0, 1, cells)
	t.sameCounts(s, false, cells)
}

func testInterrupted(tt *testing.T, s Store) {
	t := f{tt}
	cells := report.Counts{}
	for i := range 5000 {
		cells[key(i, 1)] = 1
	}
	t.step(s, 0, 1, cells)
	wrong := errors.New("wrong")
	err := s.EachCount(t.Context(), false, func(report.Key, int64) error { return wrong })
	if !errors.Is(err, wrong) {
		t.Fatalf("got %v, want the callback's error", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	seen := 0
	err = s.EachCount(ctx, false, func(report.Key, int64) error {
		seen++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || seen == len(cells) {
		t.Fatalf("got %v after %d cells, want an interruption", err, seen)
	}
	t.sameCounts(s, false, cells) // the connection is whole
}

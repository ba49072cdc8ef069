package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

var sumTests = map[string]func(*testing.T, Store){
	"every grouping against arithmetic": testSums,
	"limit, order and nothing":          testSumEdges,
}

// scattered returns many cells of two accounts.
func scattered() report.Counts {
	rnd := rand.New(rand.NewPCG(1, 2))
	cells := report.Counts{}
	pick := func(words ...string) string { return words[rnd.IntN(len(words))] }
	for range 600 {
		cells[report.Key{
			Account: link.AccountID(1 + rnd.IntN(2)), Template: link.TemplateID(pick("A1b3", "Zz", "a1b3")), Link: newID(rnd.IntN(6)),
			Metric: report.Metric(pick("clicks", "bot_clicks")), Route: pick("ios_store", "web", "android_store"), Day: report.Day(20_000 + rnd.IntN(5)),
			Platform: device.Platform(rnd.IntN(5)), Country: pick("", "DE", "FR", "GB"), Tracker: link.Tracker(rnd.IntN(4)),
		}] += int64(1 + rnd.IntN(9))
	}
	return cells
}

// testSums compares all 256 groupings under every restriction with sums made here.
func testSums(tt *testing.T, s Store) {
	t := f{tt}
	cells := scattered()
	t.step(s, 0, 1, cells)
	zero, three := newID(0), newID(3)
	queries := []report.Query{
		{Account: 1}, {Account: 2, From: 20_001, To: 20_003}, {Account: 1, From: 20_004}, {Account: 1, To: 20_000},
		{Account: 1, Links: []link.LinkID{1, 3, 4}, Metric: report.Clicks}, {Account: 2, Links: []link.LinkID{0, 5}, From: 20_001, To: 20_002},
		{Account: 1, Link: &three, Links: []link.LinkID{2, 3}}, {Account: 1, Metric: report.BotClicks, Template: "Zz"}, {Account: 1, Links: []link.LinkID{77}},
		{Account: 1, Template: "A1b3"}, {Account: 1, Link: &three}, {Account: 2, Link: &zero}, {Account: 2, Link: &three, Template: "Zz", From: 20_002, To: 20_002},
	}
	all := report.Dimensions()
	for mask := range 1 << len(all) {
		for i, q := range queries {
			q.GroupBy = nil
			for bit, d := range all {
				if mask>>bit&1 == 1 {
					q.GroupBy = append(q.GroupBy, d)
				}
			}
			if mask%2 == 1 {
				slices.Reverse(q.GroupBy) // the order is the caller's
			}
			got, err := s.SumCounts(t.Context(), q)
			t.ok(err)
			want := sum(cells, q)
			if !slices.Equal(got, want) {
				t.Fatalf("query %d by %v: got %d rows, want %d; first got %+v", i, q.GroupBy, len(got), len(want), got[:min(2, len(got))])
			}
		}
	}
}

// sum answers a query the slow way.
func sum(cells report.Counts, q report.Query) []report.Row {
	sums := map[report.Key]int64{}
	for k, n := range cells {
		if k.Account != q.Account || k.Day < q.From || (q.To != 0 && k.Day > q.To) || (q.Link != nil && k.Link != *q.Link) || (q.Template != "" && k.Template != q.Template) ||
			(len(q.Links) > 0 && !slices.Contains(q.Links, k.Link)) || (q.Metric != "" && k.Metric != q.Metric) {
			continue
		}
		var group report.Key
		for _, d := range q.GroupBy {
			switch d {
			case report.ByTemplate:
				group.Template = k.Template
			case report.ByLink:
				group.Link = k.Link
			case report.ByTracker:
				group.Tracker = k.Tracker
			case report.ByMetric:
				group.Metric = k.Metric
			case report.ByRoute:
				group.Route = k.Route
			case report.ByDay:
				group.Day = k.Day
			case report.ByPlatform:
				group.Platform = k.Platform
			case report.ByCountry:
				group.Country = k.Country
			}
		}
		sums[group] += n
	}
	var rows []report.Row
	for k, n := range sums {
		rows = append(rows, report.Row{Key: k, Count: n})
	}
	slices.SortFunc(rows, func(a, b report.Row) int {
		for _, d := range q.GroupBy {
			if c := compareBy(d, &a.Key, &b.Key); c != 0 {
				return c
			}
		}
		return 0
	})
	return rows
}

func compareBy(d report.Dimension, a, b *report.Key) int {
	switch d {
	case report.ByTemplate:
		return cmp.Compare(a.Template, b.Template)
	case report.ByLink:
		return cmp.Compare(a.Link, b.Link)
	case report.ByTracker:
		return cmp.Compare(a.Tracker, b.Tracker)
	case report.ByMetric:
		return cmp.Compare(a.Metric, b.Metric)
	case report.ByRoute:
		return cmp.Compare(a.Route, b.Route)
	case report.ByDay:
		return cmp.Compare(a.Day, b.Day)
	case report.ByPlatform:
		return cmp.Compare(a.Platform.String(), b.Platform.String())
	}
	return cmp.Compare(a.Country, b.Country)
}

func testSumEdges(tt *testing.T, s Store) {
	t := f{tt}
	rows, err := s.SumCounts(t.Context(), report.Query{Account: 1})
	t.ok(err)
	t.is(len(rows), 0, "rows of nothing")
	t.step(s, 0, 1, report.Counts{key(1, 10): 1, key(2, 11): 2, key(3, 12): 3})
	rows, err = s.SumCounts(t.Context(), report.Query{Account: 1, GroupBy: []report.Dimension{report.ByDay}, Limit: 2})
	t.ok(err)
	t.is(rows, []report.Row{{Key: report.Key{Day: 10}, Count: 1}, {Key: report.Key{Day: 11}, Count: 2}}, "rows")
	rows, err = s.SumCounts(t.Context(), report.Query{GroupBy: []report.Dimension{report.ByDay}})
	t.ok(err)
	t.is(len(rows), 0, "rows without an account") // never those of all accounts
	for _, d := range []report.Dimension{"account", "", "day; DROP TABLE counts", "n"} {
		_, err = s.SumCounts(t.Context(), report.Query{Account: 1, GroupBy: []report.Dimension{d}})
		t.kind(err, fault.Invalid)
	}
	t.is(fmt.Sprint(len(t.counts(s, false))), "3", "cells")
}

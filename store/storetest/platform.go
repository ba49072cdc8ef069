package storetest

import (
	"fmt"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/pipeline"
	"waypost/report"
)

// platform is a conversion that a platform told of, on a day.
func platform(key string, day int, change func(*event.PlatformConversion)) event.PlatformConversion {
	c := event.PlatformConversion{
		Version: event.Version, Kind: event.PlatformConversionKind, ID: uid.Click(1_000_000_000_000_000_000 + uint64(day)), At: now.Add(time.Duration(day) * 24 * time.Hour).UnixMilli(),
		Account: 1, App: 7, Framework: event.SKAdNetwork, Key: key, Network: "net", Source: "42", Conversion: event.Download, Won: true,
	}
	if change != nil {
		change(&c)
	}
	return c
}

func (t f) platformSums(s Store, q report.PlatformQuery) string {
	t.Helper()
	rows, err := s.SumPlatformConversions(t.Context(), q)
	t.ok(err)
	text := ""
	for _, r := range rows {
		value := "-"
		if r.Value != nil {
			value = fmt.Sprint(*r.Value)
		}
		text += fmt.Sprintf("%d|%d|%s|%s|%s|%s|%s|%d|%s|%s|%s=%d,%d,%d ", r.Day, r.App, r.Framework, r.Network, r.Source, r.Conversion, r.Interaction, r.Sequence, value,
			r.CoarseValue, r.Country, r.Conversions, r.Assists, r.Updates)
	}
	return text
}

// testPlatformConversions: each is kept once and comes back whole; sums are of
// those that are no developer's, by every dimension.
func testPlatformConversions(tt *testing.T, s Store) {
	t := f{tt}
	listed := func(account link.AccountID, app link.AppID, before int64, limit int) (keys string, next int64) {
		t.Helper()
		found, next, err := s.ListPlatformConversions(t.Context(), account, app, before, limit)
		t.ok(err)
		for _, c := range found {
			keys += c.Key + " "
		}
		return keys, next
	}
	whole := filled[event.PlatformConversion](0)
	whole.Version, whole.Kind, whole.ID, whole.Account, whole.Sequence = event.Version, event.PlatformConversionKind, 1<<60, 3, event.LastSequence
	t.history(s, history.Step{Platform: []event.PlatformConversion{whole}})
	found, next, err := s.ListPlatformConversions(t.Context(), 3, 0, 0, 10)
	t.ok(err)
	t.equal(found, []event.PlatformConversion{whole}, "whole")
	t.is(next, 0, "pages")
	t.is(t.platformSums(s, report.PlatformQuery{Account: 3}), "", "sums of a developer's device")

	value, flagged := 63, 64
	first := platform("a/0", 0, func(c *event.PlatformConversion) { c.Value, c.Interaction, c.Country = &value, event.ClickedAd, "DE" })
	t.history(s, history.Step{Platform: []event.PlatformConversion{
		first, platform("a/1", 0, func(c *event.PlatformConversion) { c.Sequence, c.Coarse = 1, "low" }), first,
	}})
	again := first
	again.ID, again.At, again.Won = 5, first.At+1, false
	t.history(s, history.Step{Platform: []event.PlatformConversion{
		again,
		platform("a/0", 1, func(c *event.PlatformConversion) { c.Framework = event.AdAttributionKit }),
		platform("a/0", 1, func(c *event.PlatformConversion) { c.App, c.Won = 9, false }),
		platform("b/0", 2, func(c *event.PlatformConversion) {
			c.Value, c.Coarse, c.Country, c.Flags = &flagged, "x", "Germany", []string{event.ValueFlag, event.CoarseFlag, event.CountryFlag}
		}),
		platform("c/0", 2, func(c *event.PlatformConversion) { c.Account = 2 }),
		platform("d/0", 2, func(c *event.PlatformConversion) { c.Test = true }),
	}})
	keys, next := listed(1, 0, 0, 3)
	t.is(keys, "d/0 b/0 a/0 ", "the first page")
	keys, next = listed(1, 0, next, 3)
	t.is(keys, "a/0 a/1 a/0 ", "the second page")
	t.is(next, 0, "a page behind the last")
	keys, _ = listed(1, 9, 0, 10)
	t.is(keys, "a/0 ", "of an app")
	keys, _ = listed(2, 0, 0, 10)
	t.is(keys, "c/0 ", "of another account")

	knows := func(app link.AppID, f event.Framework, key string, want bool) {
		t.Helper()
		known, err := s.KnowsPlatformConversion(t.Context(), app, f, key)
		t.ok(err)
		t.is(known, want, "knows %d %s %s", app, f, key)
	}
	knows(7, event.SKAdNetwork, "a/1", true)
	knows(7, event.AdAttributionKit, "a/1", false)
	knows(9, event.SKAdNetwork, "a/1", false)
	knows(7, event.SKAdNetwork, "a/2", false)

	t.sumPlatforms(s)
	t.ok(s.ResetHistory(t.Context(), pipeline.History))
	t.is(t.platformSums(s, report.PlatformQuery{Account: 1}), "", "after a reset")
}

// sumPlatforms holds sums of what testPlatformConversions has kept.
func (t f) sumPlatforms(s Store) {
	t.Helper()
	day := report.DayOf(now.UnixMilli())
	all := report.PlatformQuery{Account: 1}
	t.is(t.platformSums(s, all), "0|0||||||0|-||=3,1,1 ", "all")
	t.is(t.platformSums(s, report.PlatformQuery{Account: 1, App: 9}), "0|0||||||0|-||=0,1,0 ", "of an app")
	t.is(t.platformSums(s, report.PlatformQuery{Account: 1, From: day + 1, To: day + 1}), "0|0||||||0|-||=1,1,0 ", "of a day")
	t.is(t.platformSums(s, report.PlatformQuery{Account: 4}), "", "of nobody")
	by := func(d ...report.PlatformDimension) string {
		t.Helper()
		q := all
		q.GroupBy = d
		return t.platformSums(s, q)
	}
	t.is(by(report.PlatformDay), fmt.Sprintf("%d|0||||||0|-||=1,0,1 %d|0||||||0|-||=1,1,0 %d|0||||||0|-||=1,0,0 ", day, day+1, day+2), "by day")
	t.is(by(report.PlatformApp, report.PlatformFramework), "0|7|adattributionkit|||||0|-||=1,0,0 0|7|skadnetwork|||||0|-||=2,0,1 0|9|skadnetwork|||||0|-||=0,1,0 ", "by app and framework")
	t.is(by(report.PlatformNetwork, report.PlatformSource, report.PlatformConversion), "0|0||net|42|download||0|-||=3,1,1 ", "by network, source and conversion")
	t.is(by(report.PlatformValue, report.PlatformCountry), "0|0||||||0|-||=2,1,1 0|0||||||0|63||DE=1,0,0 ", "by value and country; what is flagged is none")
	t.is(by(report.PlatformSequence, report.PlatformCoarseValue), "0|0||||||0|-||=3,1,0 0|0||||||1|-|low|=0,0,1 ", "by sequence and coarse value")
	t.is(by(report.PlatformInteraction), "0|0||||||0|-||=2,1,1 0|0|||||click|0|-||=1,0,0 ", "by interaction")
	limited := all
	limited.GroupBy, limited.Limit = []report.PlatformDimension{report.PlatformDay}, 1
	t.is(t.platformSums(s, limited), fmt.Sprintf("%d|0||||||0|-||=1,0,1 ", day), "one row")
	_, err := s.SumPlatformConversions(t.Context(), report.PlatformQuery{Account: 1, GroupBy: []report.PlatformDimension{"line"}})
	t.kind(err, fault.Invalid)
	for _, d := range report.PlatformDimensions() {
		_, err := s.SumPlatformConversions(t.Context(), report.PlatformQuery{Account: 1, GroupBy: []report.PlatformDimension{d}})
		t.ok(err)
	}
}

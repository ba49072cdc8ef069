package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/pipeline"
	"waypost/report"
)

// testHistoryCounts: both projections' counts are found by one query, and
// neither is in the way of the other.
func testHistoryCounts(tt *testing.T, s Store) {
	t := f{tt}
	clicked, installed := key(7, 20_000), key(7, 20_000)
	installed.Metric, installed.Tracker = report.Installs, 3
	organic := installed
	organic.Metric, organic.Link, organic.Tracker = report.OrganicEvents, 0, 0
	t.step(s, 0, 1, report.Counts{clicked: 10})
	t.history(s, history.Step{Counts: report.Counts{installed: 2, organic: 1}})
	t.history(s, history.Step{Counts: report.Counts{installed: 1, organic: -1}})
	sum := func(q report.Query) string {
		q.Account = 1
		rows, err := s.SumCounts(t.Context(), q)
		t.ok(err)
		text := ""
		for _, r := range rows {
			text += fmt.Sprintf("%s/%d/%d=%d ", r.Key.Metric, r.Key.Link, r.Key.Tracker, r.Count)
		}
		return text
	}
	id := newID(7)
	byMetric := []report.Dimension{report.ByMetric}
	t.is(sum(report.Query{GroupBy: byMetric}), "clicks/0/0=10 installs/0/0=3 ", "by metric")
	t.is(sum(report.Query{Link: &id, GroupBy: byMetric}), "clicks/0/0=10 installs/0/0=3 ", "of a link, by metric")
	t.is(sum(report.Query{Metric: report.Installs, GroupBy: []report.Dimension{report.ByLink, report.ByTracker}}), fmt.Sprintf("/%d/3=3 ", id), "installs by tracker")
	t.is(sum(report.Query{Links: []link.LinkID{id, 99}, Metric: report.Clicks, GroupBy: []report.Dimension{report.ByLink}}), fmt.Sprintf("/%d/0=10 ", id), "clicks of links")
	t.is(sum(report.Query{Metric: report.OrganicEvents}), "", "what was taken back")
	t.sameCounts(s, false, report.Counts{clicked: 10})
	t.ok(s.ResetProjection(t.Context(), counts))
	t.is(sum(report.Query{GroupBy: byMetric}), "installs/0/0=3 ", "after a reset of the clicks'")
}

func testHandedLinks(tt *testing.T, s Store) {
	t := f{tt}
	with := func(id, deepLink string) history.Installation {
		return history.Installation{Account: 1, App: 7, ID: id, At: now, LastActiveAt: now, DeepLink: deepLink, LinkUntil: now.Add(time.Hour)}
	}
	step := history.Step{Installations: []history.Installation{with("a", "product/12"), with("b", ""), with("c", "late"), with("d", "raced"), with("e", "again")}}
	t.history(s, step)
	takeBy := func(key string, app link.AppID, id string, at time.Time) string {
		t.Helper()
		deepLink, ok, err := s.TakeDeepLink(t.Context(), app, id, key, at)
		t.ok(err)
		return fmt.Sprint(deepLink, " ", ok)
	}
	take := func(app link.AppID, id string, at time.Time) string { t.Helper(); return takeBy("", app, id, at) }
	handed := func(app link.AppID, id string) string {
		t.Helper()
		at, ok, err := s.ReadHandedLink(t.Context(), app, id)
		t.ok(err)
		if !ok {
			return "no"
		}
		return at.Sub(now).String()
	}
	t.is(handed(7, "c"), "no", "handed out before")
	t.is(take(7, "c", now.Add(time.Hour+time.Millisecond)), " false", "after its time")
	t.is(take(7, "c", now.Add(time.Hour)), "late true", "at its last moment")
	t.is(take(9, "a", now), " false", "another app's")
	t.is(take(7, "b", now), " false", "none")
	t.is(take(7, "a", now), "product/12 true", "once")
	t.is(take(7, "a", now), " false", "twice")
	t.is(takeBy("s-1", 7, "a", now), " false", "by an open that comes later")
	t.is(takeBy("s-1", 7, "e", now.Add(time.Second)), "again true", "by an open")
	t.is(takeBy("s-1", 7, "e", now.Add(time.Hour)), "again true", "by the same open")
	t.is(takeBy("s-1", 7, "e", now.Add(time.Hour+time.Millisecond)), " false", "by the same open after its time")
	t.is(takeBy("s-2", 7, "e", now.Add(time.Second)), " false", "by another open")
	t.is(take(7, "e", now.Add(time.Second)), " false", "by no open, after one")
	t.is(handed(7, "e"), "1s", "handed out")
	t.is(handed(9, "e"), "no", "another app's")
	var taking sync.WaitGroup
	won := make([]bool, 8)
	for i := range won {
		taking.Go(func() {
			_, ok, err := s.TakeDeepLink(t.Context(), 7, "d", fmt.Sprint("s-", i), now)
			won[i] = ok && err == nil
		})
	}
	taking.Wait()
	n := 0
	for _, ok := range won {
		if ok {
			n++
		}
	}
	t.is(n, 1, "callers at once that get it")
	t.ok(s.ResetHistory(t.Context(), pipeline.History))
	t.is(take(7, "a", now), " false", "after a reset")
	t.history(s, step)
	t.is(take(7, "a", now), " false", "after a replay")
	t.is(takeBy("s-1", 7, "e", now), "again true", "by the same open after a replay")
}

func testDeliveries(tt *testing.T, s Store) {
	t := f{tt}
	waiting := func(most int, want int64) {
		t.Helper()
		n, err := s.CountWaiting(t.Context(), most)
		t.ok(err)
		t.equal(n, want, "how many wait")
	}
	waiting(10, 0)
	newOne := func(key string, account link.AccountID, due time.Time) history.Delivery {
		return history.Delivery{Key: key, Account: account, Postback: "p", Kind: "install", Method: "GET", URL: "https://partner.test/" + key, MadeAt: now, DueAt: due, Status: history.Waiting}
	}
	a, b, c := newOne("a", 1, now.Add(time.Second)), newOne("b", 1, now), newOne("c", 2, now.Add(time.Hour))
	given := newOne("d", 1, time.Time{})
	given.Status, given.Answer = history.GivenUp, "no such macro"
	t.history(s, history.Step{Deliveries: []history.Delivery{a, b, c, given}})
	waiting(10, 3)
	waiting(2, 2)
	keys := func(list []history.Delivery, err error) string {
		t.Helper()
		t.ok(err)
		text := ""
		for _, d := range list {
			text += d.Key
		}
		return text
	}
	t.is(keys(s.DueDeliveries(t.Context(), now.Add(time.Minute), 10)), "ba", "due")
	t.is(keys(s.DueDeliveries(t.Context(), now.Add(time.Minute), 1)), "b", "one of them")
	t.is(keys(s.DueDeliveries(t.Context(), now.Add(-time.Millisecond), 10)), "", "before")
	t.is(keys(s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 10})), "dba", "of the account")
	t.is(keys(s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 2})), "db", "two of them")
	t.is(keys(s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 10, Status: history.GivenUp})), "d", "given up")

	list, err := s.DueDeliveries(t.Context(), now, 1)
	t.ok(err)
	tried := list[0]
	tried.Attempts, tried.Status, tried.Code, tried.Answer, tried.DueAt = 1, history.Delivered, 200, "ok", time.Time{}
	attempt := history.Attempt{DueAt: now, BeganAt: now.Add(time.Millisecond)}
	_, err = s.SaveAttempt(t.Context(), tried, attempt)
	t.ok(err)
	t.is(keys(s.DueDeliveries(t.Context(), now.Add(time.Hour), 10)), "ac", "due after an attempt")
	waiting(10, 2)
	list, err = s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 10, Status: history.Delivered})
	t.ok(err)
	t.equal(list, []history.Delivery{tried}, "delivered")
	_, err = s.SaveAttempt(t.Context(), history.Delivery{ID: 1 << 40}, attempt)
	t.kind(err, fault.NotFound)

	_, err = s.RetryDelivery(t.Context(), 2, tried.ID, now)
	t.kind(err, fault.NotFound)
	_, err = s.RetryDelivery(t.Context(), 1, list[0].ID+2, now) // the one that could not be filled
	t.kind(err, fault.Conflict)
	again, err := s.RetryDelivery(t.Context(), 1, tried.ID, now.Add(time.Minute))
	t.ok(err)
	tried.Status, tried.DueAt = history.Waiting, now.Add(time.Minute)
	t.equal(again, tried, "to be tried again")
	t.is(keys(s.DueDeliveries(t.Context(), now.Add(time.Minute), 10)), "ab", "due after that")

	a.URL = "https://changed.test"
	t.history(s, history.Step{Deliveries: []history.Delivery{a, b, newOne("e", 1, now)}})
	t.is(keys(s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 10})), "edba", "each key once")
	list, err = s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 10})
	t.ok(err)
	t.is(list[3].URL, "https://partner.test/a", "what is there stays")
}

// testDeliveriesOfHosts: each host has its share, and may be left out.
func testDeliveriesOfHosts(tt *testing.T, s Store) {
	t := f{tt}
	var all []history.Delivery
	for i, url := range []string{
		"https://one.test/a?x=https://two.test/", "https://ONE.test?b", "http://u:p@one.test#c", "https://one.test", "https://one.test:8443/e", "https://two.test/f", "",
	} {
		all = append(all, history.Delivery{
			Key: string(rune('a' + i)), Account: 1, Postback: "p", Kind: "install", URL: url, MadeAt: now, DueAt: now.Add(time.Duration(-i) * time.Second), Status: history.Waiting,
		})
	}
	t.history(s, history.Step{Deliveries: all})
	due := func(want string, most int, except ...string) {
		t.Helper()
		list, err := s.DueDeliveries(t.Context(), now, most, except...)
		t.ok(err)
		text := ""
		for _, d := range list {
			text += d.Key
		}
		t.is(text, want, "due of each host, %d at most, but for %v", most, except)
	}
	due("gfedcba", 4)
	due("gfed", 1)
	due("gfedc", 2)
	due("gfe", 4, "one.test")
	due("gdc", 2, "one.test:8443", "two.test")
	due("fe", 1, "one.test", "")
}

// testRetryDuringAttempt: what is made due again while an attempt is under way
// is due when that has ended, whatever came of it; a retry before it is not.
func testRetryDuringAttempt(tt *testing.T, s Store) {
	t := f{tt}
	read := func() history.Delivery {
		t.Helper()
		list, err := s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 1})
		t.ok(err)
		return list[0]
	}
	t.history(s, history.Step{Deliveries: []history.Delivery{{Key: "a", Account: 1, Postback: "p", URL: "https://p.test", MadeAt: now, DueAt: now, Status: history.Waiting}}})
	save := func(d history.Delivery, a history.Attempt, want time.Time) {
		t.Helper()
		for range 2 { // the first answer may have been lost
			due, err := s.SaveAttempt(t.Context(), d, a)
			t.ok(err)
			t.equal(due, want, "due after the attempt")
		}
	}
	d := read()
	attempt := history.Attempt{DueAt: d.DueAt, BeganAt: now.Add(time.Second)}
	_, err := s.RetryDelivery(t.Context(), 1, d.ID, now.Add(time.Second-time.Millisecond))
	t.ok(err)
	d.Attempts, d.Status, d.Code, d.Answer, d.DueAt = 1, history.Waiting, 500, "sorry", now.Add(time.Minute)
	save(d, attempt, d.DueAt)
	t.equal(read(), d, "a retry that the attempt has answered")

	for _, status := range []history.DeliveryStatus{history.Delivered, history.GivenUp, history.Waiting} {
		was := read()
		began := was.DueAt
		retried := began.Add(time.Second)
		_, err = s.RetryDelivery(t.Context(), 1, d.ID, retried)
		t.ok(err)
		d.Attempts, d.Status, d.Code, d.Answer, d.DueAt = was.Attempts+1, status, 200, "ok", time.Time{}
		if status == history.Waiting {
			d.DueAt = retried.Add(time.Hour)
		}
		save(d, history.Attempt{DueAt: was.DueAt, BeganAt: began}, retried)
		d.Status, d.DueAt = history.Waiting, retried
		t.equal(read(), d, "retried while an attempt was under way that ended as "+string(status))
	}
}

func testDeliveryPages(tt *testing.T, s Store) {
	t := f{tt}
	var all []history.Delivery
	for i, of := range []struct {
		account  link.AccountID
		postback link.Key
		status   history.DeliveryStatus
	}{
		{1, "p", history.Waiting}, {1, "p", history.Waiting}, {2, "p", history.Waiting}, {1, "p", history.GivenUp}, {1, "q", history.GivenUp},
	} {
		all = append(all, history.Delivery{Key: string(rune('a' + i)), Account: of.account, Postback: of.postback, Kind: "install", MadeAt: now, Status: of.status})
	}
	t.history(s, history.Step{Deliveries: all})
	page := func(want string, f history.DeliveryFilter) (last int64) {
		t.Helper()
		f.Limit = 2
		list, err := s.ListDeliveries(t.Context(), 1, f)
		t.ok(err)
		text := ""
		for _, d := range list {
			text, last = text+d.Key, d.ID
		}
		t.is(text, want, "page of %+v", f)
		return last
	}
	behind := page("ed", history.DeliveryFilter{})
	behind = page("ba", history.DeliveryFilter{Before: behind})
	page("", history.DeliveryFilter{Before: behind})
	behind = page("db", history.DeliveryFilter{Postback: "p"})
	page("a", history.DeliveryFilter{Postback: "p", Before: behind})
	page("e", history.DeliveryFilter{Postback: "q"})
	page("", history.DeliveryFilter{Postback: "q", Status: history.Waiting})
	page("", history.DeliveryFilter{Postback: "P"})
	behind = page("ed", history.DeliveryFilter{Status: history.GivenUp})
	page("ba", history.DeliveryFilter{Status: history.Waiting, Before: behind})
	page("d", history.DeliveryFilter{Status: history.GivenUp, Postback: "p"})
}

package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/pipeline"
	"waypost/report"
)

// History is what the projection that decides conversions, and those who tell
// its decisions, need.
type History interface {
	pipeline.HistoryStore
	// DueDeliveries returns deliveries whose next attempt is due, the longest
	// overdue first, of each host most at most; of the hosts except none.
	DueDeliveries(ctx context.Context, now time.Time, most int, except ...string) ([]history.Delivery, error)
	// SaveAttempt writes DueAt, Attempts, Status, Code and Answer of the
	// delivery with the ID; NotFound when there is none. DueAt and Status stay
	// where a.Outlived says so. It returns when the delivery is due.
	SaveAttempt(ctx context.Context, d history.Delivery, a history.Attempt) (time.Time, error)
	// ListDeliveries returns an account's deliveries that the filter chooses, the
	// newest first.
	ListDeliveries(ctx context.Context, account link.AccountID, f history.DeliveryFilter) ([]history.Delivery, error)
	// CountWaiting returns how many deliveries wait for an attempt, most at most.
	CountWaiting(ctx context.Context, most int) (int64, error)
	// RetryDelivery makes a delivery due at once and returns it; NotFound when
	// the account has no such delivery, Conflict when it is Unfilled.
	RetryDelivery(ctx context.Context, account link.AccountID, id int64, now time.Time) (history.Delivery, error)
	// ListPlatformConversions returns an account's conversions that platforms told
	// of, those that came last first, limit at most, and where the next page
	// begins, 0 after the last. Zero app: all of them.
	ListPlatformConversions(ctx context.Context, account link.AccountID, app link.AppID, before int64, limit int) (found []event.PlatformConversion, next int64, err error)
	// SumPlatformConversions adds them up, ordered by what the query groups by.
	SumPlatformConversions(ctx context.Context, q report.PlatformQuery) ([]report.PlatformRow, error)
	// AddUnknown adds the reports of unknown names to what is kept of them, and
	// keeps the newest of each account and kind, most at most.
	AddUnknown(ctx context.Context, more []history.Unknown, most int) error
	// ListUnknown returns what is kept of the account's unknown names, the newest first.
	ListUnknown(ctx context.Context, account link.AccountID) ([]history.Unknown, error)
}

var historyTests = map[string]func(*testing.T, Store){
	"exactly once":               testHistoryOnce,
	"everything comes back":      testHistoryWhole,
	"touches by key":             testTouchesByKey,
	"the newest under a key":     testNewestTouches,
	"used touches":               testEarned,
	"forgetting":                 testForgetting,
	"installations by key":       testInstallationsByKey,
	"decisions":                  testDecisions,
	"orphans":                    testOrphans,
	"sites":                      testSites,
	"conversions of platforms":   testPlatformConversions,
	"counts beside the clicks'":  testHistoryCounts,
	"deep links are handed once": testHandedLinks,
	"deliveries":                 testDeliveries,
	"deliveries of hosts":        testDeliveriesOfHosts,
	"retry during an attempt":    testRetryDuringAttempt,
	"pages of deliveries":        testDeliveryPages,
	"unknown names":              testUnknown,
	"reset":                      testResetHistory,
	"rewind":                     testRewindHistory,
}

func (t f) history(s Store, step history.Step) {
	t.Helper()
	place, err := s.Place(t.Context(), pipeline.History)
	t.ok(err)
	step.Projection, step.From = pipeline.History, place
	if step.To == 0 {
		step.To = place + 1
	}
	t.ok(s.CommitHistory(t.Context(), step))
}

func (t f) equal(got, want any, what string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		t.Fatalf("%s:\n%s\nwant\n%s", what, g, w)
	}
}

// touchFrom returns a click from an address.
func touchFrom(ip string, at time.Time, apps ...link.AppID) history.Touch {
	id := uid.NewClick()
	return history.Touch{Touchpoint: attribution.Touchpoint{
		ID: id, Kind: attribution.Click, At: at, Account: 1, Apps: apps, ClickID: id.String(),
		Facts: attribution.Facts{Platform: device.Android, Addresses: []attribution.Address{{IP: netip.MustParseAddr(ip)}}},
	}}
}

func addressKey(app link.AppID, ip string) attribution.Key {
	return attribution.Key{App: app, Kind: attribution.AddressKey, Value: ip + "/32"}
}

// find returns the ids of touches under one key.
func (t f) find(s Store, k attribution.Key, since, until time.Time) (ids []uid.Click) {
	t.Helper()
	found, err := s.FindTouches(t.Context(), []attribution.Lookup{{Key: k, Since: since, Until: until}})
	t.ok(err)
	t.is(len(found), 1, "lists for one lookup")
	for _, x := range found[0] {
		ids = append(ids, x.ID)
	}
	return ids
}

func idsOf(touches ...history.Touch) (ids []uid.Click) {
	for _, x := range touches {
		ids = append(ids, x.ID)
	}
	return ids
}

func testHistoryOnce(tt *testing.T, s Store) {
	t := f{tt}
	a := touchFrom("203.0.113.7", now, 7)
	t.history(s, history.Step{To: 10, Touches: []history.Touch{a}})
	for _, from := range []uint64{0, 9, 11} {
		b := touchFrom("203.0.113.7", now, 7)
		err := s.CommitHistory(t.Context(), history.Step{Projection: pipeline.History, From: from, To: 20, Touches: []history.Touch{b}})
		t.kind(err, fault.Conflict)
	}
	for _, step := range []history.Step{
		{Projection: pipeline.History, From: 10, To: 9},
		{Projection: pipeline.History, From: 10, To: 10, Touches: []history.Touch{a}}, // could be committed twice
	} {
		t.kind(s.CommitHistory(t.Context(), step), fault.Invalid)
	}
	t.equal(t.find(s, addressKey(7, "203.0.113.7"), now, now), idsOf(a), "touches")
	t.place(s, pipeline.History, 10, 0)
	t.place(s, counts, 0, 0)
}

// filled returns a value of the type in which no field is zero, so that a
// field which a store loses shows.
func filled[T any](n int) T {
	var v T
	fillValue(reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fillValue(v reflect.Value, n *int) {
	*n++
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		*at = time.UnixMilli(1_763_640_000_000 + int64(*n)).UTC()
		return
	case *device.Platform:
		*at = device.Android
		return
	case *[]byte:
		*at = []byte(`{"v":1}`)
		return
	case *netip.Addr:
		*at = netip.AddrFrom4([4]byte{203, 0, 113, byte(*n)})
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text-", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(1<<63 + uint64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillValue(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fillValue(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), n)
		}
	default:
		panic("storetest: no value for " + v.Type().String())
	}
}

// testHistoryWhole: nothing of a noun gets lost, and nothing changes.
func testHistoryWhole(tt *testing.T, s Store) {
	t := f{tt}
	touch := filled[history.Touch](0)
	touch.Bot = "" // bots are not filed
	touch.UsedBy, touch.Traffic = "", attribution.Traffic{}
	bare := history.Touch{Touchpoint: attribution.Touchpoint{ID: 5, Kind: attribution.View, At: now, Account: 1, Apps: []link.AppID{7}, ClickID: "5"}}
	installation := filled[history.Installation](100)
	empty := history.Installation{Account: 1, App: 7, ID: "empty", At: now, LastActiveAt: now}
	decided := filled[history.Decided](200)
	plain := history.Decided{App: 7, Install: "empty", Conversion: "c", Decision: attribution.Decision{At: now}}
	orphan := filled[history.Orphan](300)
	delivery := filled[history.Delivery](400)
	t.history(s, history.Step{
		Touches: []history.Touch{touch, bare}, Installations: []history.Installation{installation, empty}, Decided: []history.Decided{decided, plain},
		Orphans: []history.Orphan{orphan}, Deliveries: []history.Delivery{delivery},
	})
	for _, want := range []history.Touch{touch, bare} {
		got, ok, err := s.ReadTouch(t.Context(), want.ID, want.At)
		t.ok(err)
		t.is(ok, true, "touch is there")
		t.equal(got, want, "touch")
	}
	for _, want := range []history.Installation{installation, empty} {
		got, ok, err := s.ReadInstallation(t.Context(), want.App, want.ID)
		t.ok(err)
		t.is(ok, true, "installation is there")
		t.equal(got, want, "installation")
	}
	for _, want := range []history.Decided{decided, plain} {
		got, ok, err := s.ReadDecided(t.Context(), want.App, want.Install, want.Conversion)
		t.ok(err)
		t.is(ok, true, "decision is there")
		t.equal(got, want, "decision")
	}
	orphans, err := s.ListOrphans(t.Context(), orphan.App, orphan.Install)
	t.ok(err)
	t.equal(orphans, []history.Orphan{orphan}, "orphans")
	deliveries, err := s.ListDeliveries(t.Context(), delivery.Account, history.DeliveryFilter{Limit: 10})
	t.ok(err)
	delivery.ID = deliveries[0].ID
	t.equal(deliveries, []history.Delivery{delivery}, "deliveries")
}

func testTouchesByKey(tt *testing.T, s Store) {
	t := f{tt}
	const ip, other = "203.0.113.7", "203.0.113.8"
	a, b := touchFrom(ip, now, 7, 9), touchFrom(other, now, 7)
	b.DeviceIDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: "38400000-8cf0-4bd0-9a1e-10b96e40000d"}}
	b.ClickID, b.ClipboardToken = "a partner's", "token"
	old := touchFrom(ip, now.Add(-20*24*time.Hour), 7)
	bot := touchFrom(ip, now, 7)
	bot.Bot = "tool:curl"
	t.history(s, history.Step{Touches: []history.Touch{old, a, bot}})
	t.history(s, history.Step{Touches: []history.Touch{b}})
	since := now.Add(-31 * 24 * time.Hour)
	f := func(k attribution.Key, want ...history.Touch) {
		t.Helper()
		t.equal(t.find(s, k, since, now), idsOf(want...), k.String())
	}
	f(addressKey(7, ip), a, old)
	f(addressKey(9, ip), a)
	f(addressKey(7, other), b)
	f(addressKey(8, ip))
	f(attribution.Key{App: 7, Kind: attribution.ClickKey, Value: a.ID.String()}, a)
	f(attribution.Key{App: 7, Kind: attribution.ClickKey, Value: "a partner's"}, b)
	f(attribution.Key{App: 9, Kind: attribution.ClickKey, Value: "a partner's"})
	f(attribution.Key{App: 7, Kind: attribution.ClipboardKey, Value: "token"}, b)
	for _, k := range b.Keys() {
		f(k, b)
	}
	k := addressKey(7, ip)
	t.equal(t.find(s, k, old.At, old.At), idsOf(old), "both ends belong to the span")
	t.equal(t.find(s, k, old.At.Add(time.Millisecond), now.Add(-time.Millisecond)), idsOf(), "nothing outside of it")
	found, err := s.FindTouches(t.Context(), []attribution.Lookup{{Key: k, Since: now, Until: now}, {Key: addressKey(7, other), Since: now, Until: now}})
	t.ok(err)
	t.is(len(found), 2, "lists")
	t.equal([][]uid.Click{idsOf(found[0]...), idsOf(found[1]...)}, [][]uid.Click{idsOf(a), idsOf(b)}, "each lookup its own")
	if _, ok, err := s.ReadTouch(t.Context(), a.ID, now.Add(time.Millisecond)); ok || err != nil {
		t.Fatalf("a touch at another time: %v, %v", ok, err)
	}
}

// testNewestTouches: a crowded key gives the newest, and of equal age those
// that were committed later.
func testNewestTouches(tt *testing.T, s Store) {
	t := f{tt}
	const ip = "203.0.113.7"
	var all []history.Touch
	for i := range 2 * attribution.MaxPerKey {
		all = append(all, touchFrom(ip, now.Add(time.Duration(i/2)*12*time.Hour), 7))
	}
	t.history(s, history.Step{Touches: all[:100]})
	t.history(s, history.Step{Touches: all[100:]})
	last := all[len(all)-1].At
	var want []history.Touch
	for i := range attribution.MaxPerKey {
		want = append(want, all[len(all)-1-i])
	}
	t.equal(t.find(s, addressKey(7, ip), now, last), idsOf(want...), "the newest")
	t.equal(t.find(s, addressKey(7, ip), now, now), idsOf(all[1], all[0]), "the oldest")
}

func testEarned(tt *testing.T, s Store) {
	t := f{tt}
	a, b := touchFrom("203.0.113.7", now, 7), touchFrom("203.0.113.7", now.Add(time.Second), 7)
	t.history(s, history.Step{Touches: []history.Touch{a, b}, Earned: []history.Earned{{Touch: a, Conversion: "install/1"}}})
	used := func() string {
		found, err := s.FindTouches(t.Context(), []attribution.Lookup{{Key: addressKey(7, "203.0.113.7"), Since: now, Until: now.Add(time.Hour)}})
		t.ok(err)
		read, ok, err := s.ReadTouch(t.Context(), a.ID, a.At)
		t.ok(err)
		return fmt.Sprintf("%q %q %v %q", found[0][0].UsedBy, found[0][1].UsedBy, ok, read.UsedBy)
	}
	t.is(used(), `"" "install/1" true "install/1"`, "used by")
	t.history(s, history.Step{Earned: []history.Earned{{Touch: a, Conversion: "install/2"}}})
	t.is(used(), `"" "install/2" true "install/2"`, "used by the last")
}

// testForgetting: what is older goes by and by, what is younger or has earned
// something stays.
func testForgetting(tt *testing.T, s Store) {
	t := f{tt}
	const ip = "203.0.113.7"
	old, used, young := touchFrom(ip, now, 7), touchFrom(ip, now, 7), touchFrom(ip, now.Add(30*24*time.Hour), 7)
	orphan := history.Orphan{App: 7, Install: "i", Conversion: "old", ReceivedAt: now, Line: []byte("{}")}
	kept := orphan
	kept.Conversion, kept.ReceivedAt = "young", now.Add(30*24*time.Hour)
	t.history(s, history.Step{
		Touches: []history.Touch{old, used, young}, Earned: []history.Earned{{Touch: used, Conversion: "c"}}, Orphans: []history.Orphan{orphan, kept},
	})
	t.history(s, history.Step{ForgetBefore: now}) // nothing is older
	t.equal(t.find(s, addressKey(7, ip), now, young.At), idsOf(young, used, old), "touches")
	for range 10 { // by and by
		t.history(s, history.Step{ForgetBefore: now.Add(20 * 24 * time.Hour)})
	}
	t.equal(t.find(s, addressKey(7, ip), now, young.At), idsOf(young), "touches that are left")
	for _, x := range []struct {
		touch history.Touch
		want  bool
	}{{old, false}, {used, true}, {young, true}} {
		_, ok, err := s.ReadTouch(t.Context(), x.touch.ID, x.touch.At)
		t.ok(err)
		t.is(ok, x.want, "touch is there")
	}
	left, err := s.ListOrphans(t.Context(), 7, "i")
	t.ok(err)
	t.equal(left, []history.Orphan{kept}, "orphans that are left")
}

func testInstallationsByKey(tt *testing.T, s Store) {
	t := f{tt}
	device := attribution.Key{App: 7, Kind: attribution.DeviceKey, Value: "gaid:sha1:x"}
	other := attribution.Key{App: 7, Kind: attribution.DeviceKey, Value: "gaid:sha1:y"}
	here, there := addressKey(7, "203.0.113.7"), addressKey(7, "203.0.113.8")
	newOne := func(id string, at time.Time, identity, address attribution.Key) history.Installation {
		return history.Installation{Account: 1, App: 7, ID: id, At: at, LastActiveAt: at, Identity: []attribution.Key{identity}, Address: []attribution.Key{address}}
	}
	a, b := newOne("a", now, device, here), newOne("b", now.Add(time.Hour), device, there)
	c := newOne("c", now.Add(2*time.Hour), other, here)
	t.history(s, history.Step{Installations: []history.Installation{a, b, c}})
	f := func(since time.Time, most int, want string, keys ...attribution.Key) {
		t.Helper()
		found, err := s.FindInstallations(t.Context(), keys, since, most)
		t.ok(err)
		got := ""
		for _, under := range found {
			for _, i := range under {
				got += i.ID
			}
			got += "."
		}
		t.is(got, want, "since %s, %d at most", since, most)
	}
	f(time.Time{}, 10, "ba.c.", device, other)
	f(time.Time{}, 1, "b.c.", device, other)
	f(now.Add(time.Millisecond), 10, "b.", device)
	f(time.Time{}, 10, "ca.b.", here, there)
	f(now.Add(30*time.Minute), 10, "ca.", here) // the hour counts
	f(now.Add(time.Hour), 10, "c.", here)
	f(now, 10, ".", addressKey(8, "203.0.113.7"))
	a.LastActiveAt, a.Address = now.Add(5*time.Hour), []attribution.Key{there}
	a.Identity = append(a.Identity, other)
	t.history(s, history.Step{Installations: []history.Installation{a}})
	f(time.Time{}, 10, "c.ab.", here, there)
	f(time.Time{}, 10, "ba.ca.", device, other)
	got, ok, err := s.ReadInstallation(t.Context(), 7, "a")
	t.ok(err)
	t.is(ok, true, "a is there")
	t.equal(got, a, "a as it is now")
	if _, ok, err := s.ReadInstallation(t.Context(), 9, "a"); ok || err != nil {
		t.Fatalf("another app's: %v, %v", ok, err)
	}
}

func testDecisions(tt *testing.T, s Store) {
	t := f{tt}
	newOne := func(app link.AppID, install, conversion string, at time.Time) history.Decided {
		d := history.Decided{Account: 1, App: app, Install: install, Conversion: attribution.ConversionID(conversion), Kind: attribution.InApp}
		d.Decision.At = at
		return d
	}
	a, b, c := newOne(7, "i", "a", now), newOne(7, "i", "b", now.Add(time.Second)), newOne(9, "i", "a", now)
	t.history(s, history.Step{Decided: []history.Decided{b, a, c}})
	list := func(most int) []history.Decided {
		found, err := s.ListDecided(t.Context(), 7, "i", most)
		t.ok(err)
		return found
	}
	t.equal(list(10), []history.Decided{b, a}, "the newest first")
	t.equal(list(1), []history.Decided{b}, "one")
	a.Decision.Late, a.Decision.At = true, now.Add(time.Minute)
	t.history(s, history.Step{Decided: []history.Decided{a}})
	t.equal(list(10), []history.Decided{a, b}, "revised")
	var all []history.Decided
	t.ok(s.EachDecided(t.Context(), func(d history.Decided) error { all = append(all, d); return nil }))
	t.equal(all, []history.Decided{a, b, c}, "every one")
	if _, ok, err := s.ReadDecided(t.Context(), 7, "j", "a"); ok || err != nil {
		t.Fatalf("another installation's: %v, %v", ok, err)
	}
}

func testOrphans(tt *testing.T, s Store) {
	t := f{tt}
	newOne := func(conversion string, at time.Time) history.Orphan {
		return history.Orphan{App: 7, Install: "i", Conversion: attribution.ConversionID(conversion), ReceivedAt: at, Line: []byte(`{"v":1}`)}
	}
	a, b, c := newOne("a", now.Add(time.Second)), newOne("b", now), newOne("c", now)
	t.history(s, history.Step{Orphans: []history.Orphan{c, a, b}})
	list := func(app link.AppID, install string) []history.Orphan {
		found, err := s.ListOrphans(t.Context(), app, install)
		t.ok(err)
		return found
	}
	t.equal(list(7, "i"), []history.Orphan{b, c, a}, "orphans")
	t.is(len(list(9, "i"))+len(list(7, "j")), 0, "others")
	t.history(s, history.Step{Adopted: []history.Orphan{{App: 7, Install: "i", Conversion: "c"}, {App: 9, Install: "i", Conversion: "a"}}})
	t.equal(list(7, "i"), []history.Orphan{b, a}, "orphans that are left")
	b.ReceivedAt, b.Line = now.Add(time.Minute), []byte(`{"v":2}`)
	t.history(s, history.Step{Orphans: []history.Orphan{b}})
	t.equal(list(7, "i"), []history.Orphan{a, b}, "orphans after one was replaced")
	got, ok, err := s.ReadOrphan(t.Context(), 7, "i", "b")
	t.ok(err)
	t.is(ok, true, "orphan is there")
	t.equal(got, b, "orphan")
	for _, other := range []history.Orphan{{App: 9, Install: "i", Conversion: "b"}, {App: 7, Install: "j", Conversion: "b"}, {App: 7, Install: "i", Conversion: "c"}} {
		_, ok, err := s.ReadOrphan(t.Context(), other.App, other.Install, other.Conversion)
		t.ok(err)
		t.is(ok, false, "another orphan is there")
	}
}

func testResetHistory(tt *testing.T, s Store) {
	t := f{tt}
	touch := touchFrom("203.0.113.7", now, 7)
	cell := key(7, 20_000)
	installed := cell
	installed.Metric = report.Installs
	t.step(s, 0, 3, report.Counts{cell: 5})
	step := history.Step{
		Touches: []history.Touch{touch}, Earned: []history.Earned{{Touch: touch, Conversion: "c"}}, Counts: report.Counts{installed: 1},
		Installations: []history.Installation{{Account: 1, App: 7, ID: "i", At: now, LastActiveAt: now}},
		Decided:       []history.Decided{{App: 7, Install: "i", Conversion: "c"}}, Orphans: []history.Orphan{{App: 7, Install: "j", Conversion: "c", ReceivedAt: now, Line: []byte("{}")}},
		Deliveries: []history.Delivery{{Key: "k", Account: 1, Status: history.Waiting, MadeAt: now, DueAt: now}},
		Sites:      []history.SiteCount{{SiteDay: history.SiteDay{App: 7, Site: "s", Day: 20_000}, SiteTraffic: attribution.SiteTraffic{Clicks: 1}}},
	}
	t.history(s, step)
	t.ok(s.ResetHistory(t.Context(), pipeline.History))
	t.place(s, pipeline.History, 0, 0)
	t.place(s, counts, 3, 0)
	_, touched, err := s.ReadTouch(t.Context(), touch.ID, now)
	t.ok(err)
	_, installation, err := s.ReadInstallation(t.Context(), 7, "i")
	t.ok(err)
	_, decided, err := s.ReadDecided(t.Context(), 7, "i", "c")
	t.ok(err)
	orphans, err := s.ListOrphans(t.Context(), 7, "j")
	t.ok(err)
	t.is(fmt.Sprint(touched, installation, decided, len(orphans)), "false false false 0", "what is left")
	t.is(len(t.find(s, addressKey(7, "203.0.113.7"), now, now)), 0, "touches that are left")
	t.equal(t.sites(s, step.Sites[0].SiteDay), []attribution.SiteTraffic{{}}, "sites that are left")
	rows, err := s.SumCounts(t.Context(), report.Query{Account: 1, GroupBy: []report.Dimension{report.ByMetric}})
	t.ok(err)
	t.is(fmt.Sprintf("%d %s", len(rows), rows[0].Key.Metric), "1 clicks", "counts that are left")
	deliveries, err := s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 10})
	t.ok(err)
	t.is(len(deliveries), 1, "deliveries that are left")
	t.history(s, step)
	deliveries, err = s.ListDeliveries(t.Context(), 1, history.DeliveryFilter{Limit: 10})
	t.ok(err)
	t.is(len(deliveries), 1, "deliveries after a replay")
}

func testRewindHistory(tt *testing.T, s Store) {
	t := f{tt}
	touch := touchFrom("203.0.113.7", now, 7)
	t.history(s, history.Step{To: 10, Touches: []history.Touch{touch}})
	t.ok(s.RewindHistory(t.Context(), pipeline.History, 20))
	t.place(s, pipeline.History, 10, 0)
	t.ok(s.RewindHistory(t.Context(), pipeline.History, 4))
	t.place(s, pipeline.History, 4, 0)
	t.equal(t.find(s, addressKey(7, "203.0.113.7"), now, now), idsOf(touch), "what was made stays")
}

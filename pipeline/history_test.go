package pipeline

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/report"
	"waypost/store/sqlitestore"
)

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// happen appends a random past: few devices, addresses and ids, so that much
// of it collides, is repeated, and comes in the wrong order.
func (p *past) happen(n int) {
	p.Helper()
	r := p.random
	var clicks []event.Click
	var told []event.Told
	var passed time.Duration
	for range n {
		if passed += time.Duration(r.IntN(14)) * time.Minute; r.IntN(25) == 0 {
			passed += 30 * time.Hour
		}
		at := noon.Add(passed - time.Duration(r.IntN(3))*time.Duration(r.IntN(60*60))*time.Second)
		switch {
		case r.IntN(2) == 0:
			clicks = append(clicks, p.touched(at, func(c *event.Click) { p.vary(c) }))
		case len(told) > 0 && r.IntN(6) == 0:
			p.tell(pick(r, told...))
		default:
			kind := pick(r, event.OpenKind, event.OpenKind, event.InAppKind, event.InAppKind, event.ConsentKind, event.IdentifyKind)
			told = append(told, p.told(kind, fmt.Sprint("device-", r.IntN(10)), at, func(t *event.Told) { p.varyTold(t, clicks) }))
		}
	}
}

func (p *past) vary(c *event.Click) {
	r := p.random
	c.IP, c.Kind = pick(r, "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.0"), pick(r, event.ClickKind, event.ClickKind, event.ImpressionKind)
	c.Query = pick(r, "", "pid=network", "pid=a%ffb&owned", "retargeting", "retargeting", "retargeting&owned", "claims=purchase", "claims=_Install")
	c.Query += pick(r, "", "&gaid="+someGAID, "&gaid="+otherGAID)
	c.Query += pick(r, "", "&site=one", "&site=two")
	c.Network = pick(r, "", "", "", "hosting", "cellular")
	c.DeepLink, c.Agent = pick(r, "", "product/12"), pick(r, "one", "two")
	if r.IntN(3) == 0 {
		c.Platform, c.OS, c.Model = device.IOS, "26.1", "iPhone"
	}
}

func (p *past) varyTold(t *event.Told, clicks []event.Click) {
	r := p.random
	t.First, t.IPs = r.IntN(2) == 0, []string{pick(r, "203.0.113.1", "203.0.113.2", "203.0.113.3")}
	t.Dialect = pick(r, link.OneLink, link.Own)
	t.Name, t.User = pick(r, "login", "purchase"), pick(r, "", "ada")
	if r.IntN(3) == 0 {
		t.App, t.Platform, t.OS, t.Model = iosApp, device.IOS, "26.1", "iPhone"
	}
	if r.IntN(3) == 0 {
		t.IDs = []event.DeviceID{{Kind: pick(r, "gaid", "idfv"), Value: pick(r, someGAID, otherGAID)}}
	}
	if r.IntN(4) == 0 && len(clicks) > 0 {
		t.Referrer = &event.Referrer{Click: pick(r, clicks...).ID.String()}
	}
	if r.IntN(4) == 0 && len(clicks) > 0 {
		t.First, t.OpenedURL = false, "acme://open?af_tranid="+clicks[len(clicks)-1].ID.String()
	}
	if r.IntN(8) == 0 || t.Kind == event.ConsentKind {
		t.Consent = &event.Consent{Measurement: pick(r, "yes", "no")}
	}
	t.Unsigned = r.IntN(20) == 0
	if r.IntN(20) == 0 {
		t.Flags = []string{event.ClockFlag}
	}
	if r.IntN(8) == 0 {
		t.Networks = []string{pick(r, "vpn", "cellular")}
	}
	if r.IntN(10) == 0 {
		t.ReceivedAt += int64(time.Duration(r.IntN(9*24)) * time.Hour / time.Millisecond)
	}
}

// deliverAll is an outbox that tells everything.
func deliverAll(n News) []history.Delivery {
	d := history.Delivery{Account: 1, Status: history.Waiting, MadeAt: noon, DueAt: noon}
	if n.Click != nil {
		d.Key, d.Body = n.Click.ID.String(), fmt.Sprint(n.Touch.ID)
		return []history.Delivery{d}
	}
	d.Key = fmt.Sprint(n.Decided.Conversion, n.Decided.Decision.Late)
	d.Body = fmt.Sprint(n.Decided.Decision.Explain(), n.Touch != nil, n.Installation != nil, n.Told.Key)
	return []history.Delivery{d}
}

// TestHistories: random pasts come to the same end whatever the size of the
// steps, and wherever the process dies between and in them; and again when the
// history is made anew.
func TestHistories(t *testing.T) {
	t.Parallel()
	methods := map[attribution.Method]int{}
	outcomes := map[attribution.Outcome]int{}
	late, sites := 0, 0
	for n := range 6 {
		p := newPast(t)
		p.outbox = deliverAll
		if n%2 == 0 { // few clicks of a site tell something
			p.policy = new(attribution.DefaultPolicy())
			p.policy.Fraud.OutlierInstalls, p.policy.Fraud.SiteClicks, p.policy.Fraud.SiteRate = 1, 3, 400_000
		}
		p.happen(300)
		a := p.catchUp()
		want := p.everything(p.store)
		p.ok(p.store.EachDecided(t.Context(), func(d history.Decided) error {
			outcomes[d.Decision.Outcome]++
			if d.Decision.Late {
				late++
			}
			if w := d.Decision.Winner; w != nil {
				methods[w.Method]++
			}
			return nil
		}))
		sites += len(p.sites(p.store))
		for _, size := range []int{1, 2, 17} {
			if got := p.stumble(size); got != want {
				t.Fatalf("with steps of %d:\n%s\nwant\n%s", size, got, want)
			}
		}
		p.ok(a.Rebuild(t.Context()))
		p.ok(a.CatchUp(t.Context()))
		if got := p.everything(p.store); got != want {
			t.Fatalf("made anew:\n%s\nwant\n%s", got, want)
		}
		p.sumsUp()
	}
	// Pasts in which nothing happens would prove nothing.
	for _, m := range []attribution.Method{attribution.ByReferrer, attribution.ByDeviceID, attribution.Inherited} {
		if methods[m] == 0 {
			t.Errorf("nothing is credited by %s, but %v", m, methods)
		}
	}
	for _, o := range []attribution.Outcome{attribution.NewInstall, attribution.Reinstall, attribution.Happening} {
		if outcomes[o] == 0 {
			t.Errorf("no %s, but %v", o, outcomes)
		}
	}
	if sites == 0 {
		t.Error("nothing is counted of sites")
	}
	t.Log(methods, outcomes, late, sites)
}

// stumble makes the history in another store, in steps of another size, by a
// process that dies before, after and in the midst of commits.
func (p *past) stumble(size int) string {
	p.Helper()
	s := p.another()
	faulty := faultyHistory{HistoryStore: s, decide: func() outcome {
		return pick(p.random, kept, kept, failedNotKept, failedButKept)
	}}
	last := p.state().Last
	for reached := uint64(0); reached < last; {
		a := p.attributor(func(cfg *AttributorConfig) { cfg.Store = faulty })
		a.stepEvents = 1 + p.random.IntN(size)
		for range p.random.IntN(8) {
			_, _ = a.step(p.Context())
		}
		a.dropReader() // the process dies
		var err error
		reached, err = s.Place(p.Context(), History)
		p.ok(err)
	}
	return p.everything(s)
}

// faultyHistory is a store whose commits come out as decide says.
type faultyHistory struct {
	HistoryStore
	decide func() outcome
}

func (f faultyHistory) CommitHistory(ctx context.Context, s history.Step) error {
	o := f.decide()
	if o == failedNotKept {
		return errInjected
	}
	if err := f.HistoryStore.CommitHistory(ctx, s); err != nil || o == kept {
		return err
	}
	return errInjected
}

// sumsUp fails unless the counts are those of the decisions, counted one by one.
func (p *past) sumsUp() {
	p.Helper()
	want := map[report.Metric]int64{}
	p.ok(p.store.EachDecided(p.Context(), func(d history.Decided) error {
		if m := countedAs(&d.Decision); m != "" {
			want[m]++
		}
		return nil
	}))
	rows, err := p.store.SumCounts(p.Context(), report.Query{Account: 1, GroupBy: []report.Dimension{report.ByMetric}})
	p.ok(err)
	got := map[report.Metric]int64{}
	for _, r := range rows {
		got[r.Key.Metric] = r.Count
	}
	if !maps.Equal(got, want) {
		p.Fatalf("counts are %v, decisions %v", got, want)
	}
}

// TestRebuildKeepsWhatLeftTheHouse: deliveries that were sent are not due
// again, and a deferred deep link is not told twice.
func TestRebuildKeepsWhatLeftTheHouse(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.outbox = deliverAll
	c := p.touched(noon, func(c *event.Click) { c.DeepLink = "product/12" })
	p.told(event.OpenKind, "device-1", noon.Add(time.Minute), came(c))
	a := p.catchUp()
	take := func() bool {
		_, ok, err := a.TakeDeepLink(t.Context(), androidApp, "device-1", "", noon.Add(time.Hour))
		p.ok(err)
		return ok
	}
	if !take() {
		t.Fatal("no deep link")
	}
	due := func() []history.Delivery {
		found, err := p.store.DueDeliveries(t.Context(), noon, 10)
		p.ok(err)
		return found
	}
	before := due()
	if len(before) != 2 {
		t.Fatalf("%d deliveries", len(before))
	}
	for _, d := range before {
		attempt := history.Attempt{DueAt: d.DueAt, BeganAt: d.DueAt}
		d.Status, d.DueAt, d.Attempts, d.Code = history.Delivered, time.Time{}, 1, 200
		_, err := p.store.SaveAttempt(t.Context(), d, attempt)
		p.ok(err)
	}
	p.ok(a.Rebuild(t.Context()))
	if _, ok, err := a.ReadInstallation(t.Context(), androidApp, "device-1"); ok || err != nil {
		t.Errorf("answered in the midst of a rebuild: %v, %v", ok, err)
	}
	p.ok(a.CatchUp(t.Context()))
	p.credited(p.decided("device-1", attribution.Install, ""), c, attribution.ByReferrer)
	if n := len(due()); n > 0 || take() {
		t.Errorf("%d deliveries are due again", n)
	}
}

// TestRebuildNeedsTheWholeLedger: decisions are not thrown away that cannot be
// made again.
func TestRebuildNeedsTheWholeLedger(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.happen(20)
	a := p.catchUp()
	before := p.everything(p.store)
	p.ok(p.ledger.Trim(t.Context(), 5))
	p.speaks(a.Rebuild(t.Context()), "begins with batch 6")
	if p.everything(p.store) != before {
		t.Error("decisions are gone")
	}
}

// TestNothingIsTrimmedThatIsNotDecided.
func TestNothingIsTrimmedThatIsNotDecided(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.happen(40)
	c := p.counter(func(cfg *Config) { cfg.MaxBytes = 1; cfg.Others = []report.Projection{History} })
	p.ok(c.CatchUp(t.Context()))
	p.ok(c.Trim(t.Context()))
	if first := p.state().First; first != 1 {
		t.Fatalf("the ledger begins with batch %d, and nothing was decided", first)
	}
	p.catchUp()
	p.ok(c.Trim(t.Context()))
	if s := p.state(); s.Batches > 1 {
		t.Errorf("the ledger still holds batches %d to %d", s.First, s.Last)
	}
}

// TestBeginsAfterATrim: a ledger that was trimmed before the projection began
// is read from its oldest batch, and not before the counting says that this is right.
func TestBeginsAfterATrim(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.touched(noon, nil)
	p.touched(noon, nil)
	c := p.touched(noon, nil)
	p.told(event.OpenKind, "device-1", noon.Add(time.Minute), came(c))
	p.ok(p.ledger.Trim(t.Context(), 2))
	a := p.attributor()
	p.speaks(a.CatchUp(t.Context()), "1 to 2", "waypost verify --repair")
	counter := p.counter()
	_, err := counter.Verify(t.Context(), true)
	p.ok(err)
	p.ok(a.CatchUp(t.Context()))
	p.credited(p.decided("device-1", attribution.Install, ""), c, attribution.ByReferrer)
	if lag, err := a.Lag(t.Context()); lag != 0 || err != nil {
		t.Errorf("lag %d, %v", lag, err)
	}
}

// TestLedgerEndsTooEarly: what came anew is decided though its numbers were
// those of events that the ledger has lost.
func TestLedgerEndsTooEarly(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	c := p.touched(noon, nil)
	p.told(event.OpenKind, "device-1", noon.Add(time.Minute), came(c))
	p.catchUp()
	p.ok(p.store.CommitHistory(t.Context(), history.Step{Projection: History, From: 2, To: 50})) // of a ledger that is lost
	a := p.attributor()
	p.logged("it has lost events")
	d := p.touched(noon, nil)
	p.told(event.OpenKind, "device-2", noon.Add(time.Minute), came(d))
	p.ok(a.CatchUp(t.Context()))
	p.credited(p.decided("device-1", attribution.Install, ""), c, attribution.ByReferrer)
	p.credited(p.decided("device-2", attribution.Install, ""), d, attribution.ByReferrer)
}

// TestForgets touches that nothing can be credited to any more, and those
// alone: one that has earned something is known as long as what it earned.
func TestForgets(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	now := time.Now()
	old := p.touched(now.Add(-40*24*time.Hour), nil)
	p.told(event.OpenKind, "device-1", now.Add(-40*24*time.Hour+time.Minute), came(old))
	lost := p.touched(now.Add(-40*24*time.Hour), nil)
	young := p.touched(now.Add(-30*24*time.Hour), nil)
	p.catchUp()
	f := func(c event.Click, want bool) {
		t.Helper()
		_, ok, err := p.store.ReadTouch(t.Context(), c.ID, instant(c.At))
		p.ok(err)
		if ok != want {
			t.Errorf("touch %s is there: %v, want %v", c.ID, ok, want)
		}
	}
	p.touched(now, nil)
	p.catchUp()
	f(old, true)
	f(lost, false)
	f(young, true)
	p.told(event.InAppKind, "device-1", now, func(t *event.Told) { t.Name = "login" })
	p.catchUp()
	p.credited(p.decided("device-1", attribution.InApp, "login"), old, attribution.Inherited)
}

// TestReadingAheadLosesNothing, however much is held ready when more is read.
func TestReadingAheadLosesNothing(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	for range 30 {
		p.touched(noon, nil)
	}
	reader, err := p.ledger.Read(t.Context(), 1)
	p.ok(err)
	in := incoming{reader: reader}
	defer in.close()
	next := uint64(1)
	for next <= p.state().Last {
		in.readAhead(t.Context(), p.random.IntN(9))
		for range p.random.IntN(5) {
			b, ok, err := in.next(t.Context())
			p.ok(err)
			if !ok {
				break
			}
			if b.seq != next || len(b.lines) != 1 || b.lines[0].click == nil {
				t.Fatalf("batch %d after %d: %+v", b.seq, next-1, b.lines)
			}
			next++
		}
	}
}

// TestOddLines neither stop the deciding nor are passed in silence.
func TestOddLines(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	for _, line := range []string{"{}", "nonsense", `{"v":1,"type":"open","id":"1"}`, `{"v":1,"type":"future"}`, `{"v":1,"type":"event"`} {
		p.ok(p.ledger.Append([]byte(line)))
	}
	c := p.touched(noon, nil)
	p.told(event.OpenKind, "device-1", noon.Add(time.Minute), came(c))
	a := p.catchUp()
	p.credited(p.decided("device-1", attribution.Install, ""), c, attribution.ByReferrer)
	if got := a.Progress(); got.Skipped != 5 || got.Events != 7 || got.Reached != 7 {
		t.Errorf("progress %+v", got)
	}
	p.logged("nothing is decided of them")
	counter := p.counter()
	p.ok(counter.CatchUp(t.Context()))
	if got := counter.Progress(); got.Skipped != 3 { // what apps tell is none of its business
		t.Errorf("the counting skipped %d lines", got.Skipped)
	}
}

// TestTouchersAreNotTwo for one dialect.
func TestTouchersAreNotTwo(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	_, err := NewAttributor(t.Context(), AttributorConfig{Store: p.store, Ledger: p.ledger, Touchers: []Toucher{queryToucher{}, queryToucher{}}})
	p.speaks(err, "onelink")
}

var _ HistoryStore = (*sqlitestore.Store)(nil)

// TestAheadIsAsTheStore: what a step finds before its commit is what it finds after.
func TestAheadIsAsTheStore(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	key := attribution.Key{App: androidApp, Kind: attribution.AddressKey, Value: "203.0.113.7/32"}
	touches := make([]history.Touch, 3*attribution.MaxPerKey)
	for i := range touches {
		touches[i] = history.Touch{Touchpoint: attribution.Touchpoint{
			ID: uid.NewClick(), Kind: attribution.Click, At: noon.Add(time.Duration(p.random.IntN(20)-10) * 24 * time.Hour), Account: 1, Apps: append(touches[0].Apps, androidApp),
			Facts: attribution.Facts{Addresses: addresses([]string{"203.0.113.7"}, nil)},
		}}
	}
	asked := []attribution.Lookup{{Key: key, Since: noon.Add(-6 * 24 * time.Hour), Until: noon.Add(9 * 24 * time.Hour)}}
	var want []uid.Click
	for committed := 0; committed <= len(touches); committed += 16 {
		s := p.another()
		p.ok(s.CommitHistory(t.Context(), history.Step{Projection: History, To: 1, Touches: touches[:committed]}))
		h := newAhead(s)
		for _, t := range touches[committed:] {
			h.addTouch(t)
		}
		lists, err := h.findLists(t.Context(), asked)
		p.ok(err)
		found := h.candidates(lists)
		var ids []uid.Click
		for _, t := range found {
			ids = append(ids, t.ID)
		}
		if want == nil {
			want = ids
		}
		if len(ids) != attribution.MaxPerKey || !slices.Equal(ids, want) {
			t.Fatalf("with %d of %d committed: %v, want %v", committed, len(touches), ids, want)
		}
	}
}

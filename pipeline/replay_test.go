package pipeline

import (
	"maps"
	"path/filepath"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
	"waypost/store/sqlitestore"
)

// replay decides the ledger anew in a store of its own.
func (p *past) replay(a *Attributor) Replay {
	p.Helper()
	scratch, err := sqlitestore.Open(p.Context(), sqlitestore.Config{Path: filepath.Join(p.TempDir(), "scratch.db")})
	p.ok(err)
	defer func() { p.ok(scratch.Close()) }()
	r, err := a.Replay(p.Context(), scratch)
	p.ok(err)
	return r
}

// TestReplayComesToTheSame: the ledger comes to what was decided, however the
// steps lay and however often the process was started anew; nothing is told by
// comparing.
func TestReplayComesToTheSame(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.happen(600)
	for range 3 {
		a := p.attributor()
		a.stepEvents = 1 + p.random.IntN(100)
		_, err := a.step(t.Context())
		p.ok(err)
	}
	told := map[link.AppID]int{}
	p.outbox = func(n News) []history.Delivery {
		if n.Decided != nil {
			told[n.Decided.App]++
		}
		return nil
	}
	a := p.catchUp()
	r := p.replay(a)
	once := told[androidApp]
	if len(r.Differences) != 0 || r.More != 0 || r.Decisions < 100 || r.Redecided || once == 0 {
		t.Fatalf("%d decisions, differences %+v", r.Decisions, r.Differences)
	}
	all := 0
	p.ok(p.store.EachDecided(t.Context(), func(history.Decided) error { all++; return nil }))
	if all != r.Decisions {
		t.Errorf("%d decisions were compared of %d", r.Decisions, all)
	}
	p.told(event.OpenKind, "one more", noon.Add(1000*24*time.Hour), first)
	if r = p.replay(a); len(r.Differences) != 0 || r.Decisions != all+1 {
		t.Errorf("with one that is not decided yet: %+v", r)
	}
	if told[androidApp] != once+1 {
		t.Errorf("told %d decisions, then %d", once, told[androidApp])
	}
}

// TestReplayFindsDifferences: a decision that was changed, one that is missing,
// one too many, and one that other settings come to.
func TestReplayFindsDifferences(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	click := p.touched(noon, func(c *event.Click) { c.Query = "pid=bad" })
	for _, install := range []string{"changed", "odd"} {
		p.told(event.OpenKind, install, noon.Add(time.Hour), first)
	}
	p.told(event.OpenKind, "won", noon.Add(3*time.Hour), came(click))
	a := p.catchUp()
	if r := p.replay(a); len(r.Differences) != 0 || r.Decisions != 3 {
		t.Fatalf("%+v", r)
	}
	changed, odd, extra := p.decided("changed", attribution.Install, ""), p.decided("odd", attribution.Install, ""), p.decided("odd", attribution.Install, "")
	changed.Decision.Verdict, changed.Decision.Refusal = attribution.Refused, attribution.DeviceFarm
	odd.Decision.Version++
	extra.Install = "extra"
	p.told(event.OpenKind, "missing", noon.Add(4*time.Hour), first)
	p.ok(p.store.CommitHistory(t.Context(), history.Step{Projection: History, From: p.state().Last - 1, To: p.state().Last, Decided: []history.Decided{changed, odd, extra}}))
	p.says(link.AttributionSettings{}, link.AttributionSettings{UserRules: []link.UserRule{
		{Name: "bad", Conditions: []link.RuleCondition{{Attribute: "media_source", Values: []string{"bad"}}}},
	}})
	r := p.replay(p.attributor())
	got := map[string]string{}
	for _, d := range r.Differences {
		if d.App != androidApp || d.Conversion != attribution.ConversionID("install/7/"+d.Install) && d.Install != "extra" {
			t.Errorf("the difference %+v", d)
		}
		got[d.Install] = d.Got + " | " + d.Want
	}
	want := map[string]string{
		"changed": "install, refused by device_farm | install, organic",
		"odd":     "install, organic | install, organic, for other reasons",
		"extra":   "install, organic | ",
		"missing": " | install, organic",
		"won":     "install, credited to click " + click.ID.String() + " by referrer | install, organic",
	}
	if !maps.Equal(got, want) || r.Decisions != 5 || r.More != 0 {
		t.Errorf("%d decisions, differences %q", r.Decisions, got)
	}
}

// TestReplayNeedsTheWholeLedger: what it no longer holds cannot be compared.
func TestReplayNeedsTheWholeLedger(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.happen(20)
	a := p.catchUp()
	p.ok(p.ledger.Trim(t.Context(), 5))
	_, err := a.Replay(t.Context(), p.store)
	p.speaks(err, "begins with batch 6")
}

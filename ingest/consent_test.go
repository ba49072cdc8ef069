package ingest_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/internal/fault"
)

// TestLedgerHoldsWhatWasSaid, and nothing that only holds as long as nobody says
// otherwise: another report may be on its way.
func TestLedgerHoldsWhatWasSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decisions.Decide(history.Installation{App: 26538, ID: someInstall, Consent: attribution.Consent{Tracking: attribution.No, Measurement: attribution.Yes, Child: true}})
	r := someReport()
	r.Consent = &event.Consent{LimitAds: event.Yes}
	if _, err := w.service.Open(t.Context(), r); err != nil || *w.last().Consent != *r.Consent {
		t.Errorf("an open keeps %+v, %v", w.last().Consent, err)
	}
}

// TestAnswersHoldUntilTakenBack: what is said holds at once, and whatever else
// is said after it, before it is decided as well as later.
func TestAnswersHoldUntilTakenBack(t *testing.T) {
	t.Parallel()
	type step struct {
		kind event.Kind
		says event.Consent
	}
	const all = "gaid,idfa,android_id"
	f := func(name, want string, before attribution.Consent, steps ...step) {
		t.Helper()
		w := newWorld(t)
		w.decisions.Decide(history.Installation{App: 26538, ID: someInstall, Consent: before})
		for _, s := range steps {
			r := someReport()
			r.Consent = &s.says
			var err error
			switch s.kind {
			case event.ConsentKind:
				_, err = w.service.Consent(t.Context(), r)
			case event.OpenKind:
				_, err = w.service.Open(t.Context(), r)
			default:
				_, err = w.service.Event(t.Context(), r)
			}
			if err != nil || *w.last().Consent != s.says {
				t.Fatalf("%s: the ledger holds %+v, %v; said was %+v", name, w.last().Consent, err, s.says)
			}
		}
		r := someReport()
		r.IDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: someGAID}, {Kind: attribution.IDFA, Value: someIDFA}, {Kind: attribution.AndroidID, Value: "9774d56d682e549c"}}
		if _, err := w.service.Event(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, id := range w.last().IDs {
			kinds = append(kinds, id.Kind)
		}
		if got := strings.Join(kinds, ","); got != want {
			t.Errorf("%s: kept are %q, want %q", name, got, want)
		}
	}
	consent := func(c event.Consent) step { return step{event.ConsentKind, c} }
	open := func(c event.Consent) step { return step{event.OpenKind, c} }
	happening := func(c event.Consent) step { return step{event.InAppKind, c} }
	agreed, allowed := event.Consent{Measurement: "yes"}, event.Consent{Tracking: "yes"}
	nobody := attribution.Consent{}

	refused := consent(event.Consent{Measurement: "no"})
	f("no, and an open", "", nobody, refused, open(allowed))
	f("no, and two opens and an event", "", nobody, refused, open(allowed), open(allowed), happening(allowed))
	f("no after yes, and an open", "", attribution.Consent{Measurement: attribution.Yes}, refused, open(allowed))
	f("no, and a yes", all, nobody, refused, open(allowed), open(agreed))
	f("no in an open, and an event", "", nobody, open(event.Consent{Measurement: "no"}), happening(allowed))

	child := consent(event.Consent{Child: event.Yes})
	f("a child, and an open", "android_id", nobody, child, open(agreed))
	f("a child, and an open that knows better", "android_id", nobody, child, open(event.Consent{Child: event.No}))
	f("a child, and another answer", "android_id", nobody, child, consent(agreed))
	f("a child, and grown up", all, nobody, child, open(agreed), consent(event.Consent{Child: event.No}))
	f("decided a child, and grown up", all, attribution.Consent{Child: true}, consent(event.Consent{Child: event.No}))

	limits := consent(event.Consent{LimitAds: event.Yes})
	f("limits, and an open", "android_id", nobody, limits, open(agreed))
	f("decided to limit, and an open", "android_id", attribution.Consent{LimitAds: true}, open(agreed))
	f("decided to limit, and another answer", "android_id", attribution.Consent{LimitAds: true}, consent(agreed), happening(allowed))
	f("limits, and does not any more", all, nobody, limits, open(event.Consent{LimitAds: event.No}))
	f("decided to limit, and does not any more", all, attribution.Consent{LimitAds: true}, open(event.Consent{LimitAds: event.No}), open(agreed))

	noAdvertising := consent(event.Consent{Advertising: "no"})
	f("no advertising, and an open", "android_id", nobody, noAdvertising, open(agreed))
	f("no advertising, and the switch is off", "android_id", nobody, noAdvertising, open(event.Consent{LimitAds: event.No}))
	f("the switch is on, and advertising is agreed to", "android_id", nobody, limits, consent(event.Consent{Advertising: "yes"}))
	f("decided no advertising, and an open", "android_id", attribution.Consent{Advertising: attribution.No}, open(agreed))
	f("no advertising, and a yes", all, nobody, noAdvertising, open(agreed), consent(event.Consent{Advertising: "yes"}))
}

// busyLedger lets something happen while the first line is on its way to it.
type busyLedger struct {
	ingest.Ledger
	meanwhile func()
}

func (l *busyLedger) Append(line []byte) error {
	if happen := l.meanwhile; happen != nil {
		l.meanwhile = nil
		happen()
	}
	return l.Ledger.Append(line)
}

// TestReportsAtTheSameTimeAddUp: an open that was judged before the person said
// no, and comes after it, takes nothing back.
func TestReportsAtTheSameTimeAddUp(t *testing.T) {
	t.Parallel()
	var busy *busyLedger
	w := newWorld(t, func(c *ingest.Config) {
		busy = &busyLedger{Ledger: c.Ledger}
		c.Ledger = busy
	})
	w.decisions.Decide(history.Installation{App: 26538, ID: someInstall, Consent: attribution.Consent{Measurement: attribution.Yes}})
	busy.meanwhile = func() {
		r := someReport()
		r.Consent = &event.Consent{Measurement: "no"}
		if _, err := w.service.Consent(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	r := someReport()
	r.Consent = &event.Consent{Tracking: "yes"}
	if _, err := w.service.Open(t.Context(), r); err != nil || w.ledger.Count() != 2 || *w.last().Consent != (event.Consent{Tracking: "yes"}) {
		t.Errorf("the open is kept as %+v, %v", w.last().Consent, err)
	}
	r = someReport()
	r.IDs = []attribution.DeviceID{{Kind: attribution.GAID, Value: someGAID}}
	if _, err := w.service.Event(t.Context(), r); err != nil || len(w.last().IDs) > 0 {
		t.Errorf("after it, %v is kept, %v", w.last().IDs, err)
	}
}

// TestWhatCannotMatterIsNotAsked: a report whose own answers, or those that were
// just told, decide what is kept needs nobody to say what was said before; every
// other one that brings something personal does.
func TestWhatCannotMatterIsNotAsked(t *testing.T) {
	t.Parallel()
	type report = ingest.Report
	f := func(name string, asks bool, change func(*report), told ...event.Consent) {
		t.Helper()
		w := newWorld(t)
		for _, c := range told {
			r := someReport()
			r.Consent = &c
			if _, err := w.service.Consent(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		before := w.ledger.Count()
		w.decisions.Fail(ingesttest.ErrBehind)
		r := someReport()
		change(&r)
		_, err := w.service.Open(t.Context(), r)
		f := fault.As(err)
		if asks && (f.Kind != fault.Unavailable || f.RetryAfter <= 0 || w.ledger.Count() != before) || !asks && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	says := func(c event.Consent, change func(*report)) func(*report) {
		return func(r *report) { r.Consent = &c; change(r) }
	}
	id := func(kind attribution.IDKind, value string) func(*report) {
		return func(r *report) { r.IDs = []attribution.DeviceID{{Kind: kind, Value: value}} }
	}
	gaid, androidID := id(attribution.GAID, someGAID), id(attribution.AndroidID, "9774d56d682e549c")
	address := func(r *report) { r.Addresses = []netip.Addr{netip.MustParseAddr(someIP)} }
	user := func(r *report) { r.User = "ada" }
	agent := func(r *report) { r.Agent = phoneAgent }
	yes, no := event.Consent{Measurement: "yes"}, event.Consent{Measurement: "no"}
	full := event.Consent{Tracking: "yes", Measurement: "yes", Advertising: "yes", LimitAds: event.No}

	f("nothing personal", false, func(*report) {})
	f("an answer and nothing else", false, says(yes, func(*report) {}))
	for name, change := range map[string]func(*report){"an advertising id": gaid, "an id": androidID, "an address": address, "a name": user, "an agent": agent} {
		f(name, true, change)
		f(name+", and no", false, says(no, change))
		f(name+", after no", false, change, no)
		f(name+", and something else", true, says(event.Consent{Tracking: "no"}, change))
	}
	f("an id, and yes", false, says(yes, androidID))
	f("an address, and yes", false, says(yes, address))
	f("an address, after yes", false, address, yes)
	f("an advertising id, and yes", true, says(yes, gaid))
	f("an advertising id, and yes to all, of a child perhaps", true, says(full, gaid))
	f("an advertising id, after yes to all", false, gaid, event.Consent{Tracking: "yes", Measurement: "yes", Advertising: "yes", LimitAds: event.No, Child: event.No})
	f("an advertising id, and limited", false, says(event.Consent{Measurement: "yes", LimitAds: event.Yes}, gaid))
}

// TestRefusalsAreTakenWhateverIsBehind: who refuses is heard at once, and what he
// refuses is not kept, nor guessed when he is silent again.
func TestRefusalsAreTakenWhateverIsBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decisions.Fail(ingesttest.ErrBehind)
	refusal := someReport()
	refusal.Consent, refusal.Addresses = &event.Consent{Measurement: "no"}, []netip.Addr{netip.MustParseAddr(someIP)}
	if _, err := w.service.Consent(t.Context(), refusal); err != nil || len(w.last().IPs) > 0 {
		t.Fatalf("the refusal is kept as %+v, %v", w.last(), err)
	}
	w.pass(24 * time.Hour)
	r := someReport()
	r.IDs, r.Addresses = []attribution.DeviceID{{Kind: attribution.GAID, Value: someGAID}}, refusal.Addresses
	if _, err := w.service.Open(t.Context(), r); err != nil || len(w.last().IDs)+len(w.last().IPs) > 0 {
		t.Errorf("the open is kept as %+v, %v", w.last(), err)
	}
	r.Install = "another"
	if _, err := w.service.Open(t.Context(), r); !fault.Is(err, fault.Unavailable) {
		t.Errorf("another's open: %v", err)
	}
}

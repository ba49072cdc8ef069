package pipeline

import (
	"fmt"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
)

// TestAnswersStayWithTheInstallation: what a report leaves open is as it was
// said before, whoever reports, and that the person is a child only a report
// about consent takes back.
func TestAnswersStayWithTheInstallation(t *testing.T) {
	t.Parallel()
	type report struct {
		kind event.Kind
		says event.Consent
		how  func(*event.Told)
	}
	f := func(name string, want attribution.Consent, reports ...report) {
		for _, atOnce := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " in one step: ", atOnce), func(t *testing.T) {
				t.Parallel()
				p := newPast(t)
				p.told(event.OpenKind, "device-1", noon, first)
				for n, r := range reports {
					if !atOnce {
						p.catchUp()
					}
					p.told(r.kind, "device-1", noon.Add(time.Duration(n+1)*time.Minute), func(t *event.Told) {
						t.Consent = &r.says
						if r.kind == event.InAppKind {
							t.Name = "login"
						}
						if r.how != nil {
							r.how(t)
						}
					})
				}
				p.catchUp()
				i, ok, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1")
				p.ok(err)
				if !ok || i.Consent != want {
					t.Errorf("consent %+v, want %+v", i.Consent, want)
				}
			})
		}
	}
	agreed, allowed := event.Consent{Measurement: "yes"}, event.Consent{Tracking: "yes"}
	consent := func(c event.Consent) report { return report{kind: event.ConsentKind, says: c} }
	open := func(c event.Consent) report { return report{kind: event.OpenKind, says: c} }
	login := func(c event.Consent) report { return report{kind: event.InAppKind, says: c} }
	refused := consent(event.Consent{Measurement: "no"})
	f("no, and an open", attribution.Consent{Tracking: attribution.Yes, Measurement: attribution.No}, refused, open(allowed))
	child := consent(event.Consent{Child: event.Yes})
	f("a child, and an open", attribution.Consent{Tracking: attribution.Yes, Child: true}, child, open(allowed))
	f("a child, and an event", attribution.Consent{Tracking: attribution.Yes, Child: true}, child, login(allowed))
	f("a child, and another answer", attribution.Consent{Measurement: attribution.Yes, Child: true}, child, consent(agreed))
	f("a child, and an open that knows better", attribution.Consent{Child: true}, child, open(event.Consent{Child: event.No}))
	f("a child by an open, and grown up", attribution.Consent{}, open(event.Consent{Child: event.Yes}), consent(event.Consent{Child: event.No}))
	forbids := consent(event.Consent{LimitAds: event.Yes, Advertising: "no"})
	kept := attribution.Consent{Measurement: attribution.Yes, Advertising: attribution.No, LimitAds: true}
	f("limits, and an open", kept, forbids, open(agreed))
	f("limits, and an event", kept, forbids, login(agreed))
	f("limits, and another answer", kept, forbids, consent(agreed))
	f("limits, and switched off", attribution.Consent{Advertising: attribution.No}, forbids, open(event.Consent{LimitAds: event.No}))
	again := func(c event.Consent, how func(*event.Told)) report {
		return report{event.OpenKind, c, func(t *event.Told) { first(t); t.Key = "again"; how(t) }}
	}
	f("no, by another first open", attribution.Consent{Measurement: attribution.No}, again(event.Consent{Measurement: "no"}, func(*event.Told) {}))
	f("yes, by an unsigned first open", attribution.Consent{Measurement: attribution.No}, refused, again(agreed, func(t *event.Told) { t.Unsigned = true }))
	f("no, after a first open that is told again", attribution.Consent{Measurement: attribution.No}, again(agreed, func(*event.Told) {}), refused, again(agreed, func(*event.Told) {}))
}

// TestNewsOfNobodyKnowsTheAnswers: what happens before the first open is told
// as the person permitted until then.
func TestNewsOfNobodyKnowsTheAnswers(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	var heard []News
	p.outbox = func(n News) []history.Delivery {
		heard = append(heard, n)
		return nil
	}
	p.told(event.ConsentKind, "device-1", noon, func(t *event.Told) { t.Consent = &event.Consent{Measurement: "no", LimitAds: event.Yes} })
	told := p.told(event.InAppKind, "device-1", noon.Add(time.Minute), func(t *event.Told) { t.Name, t.Consent = "login", &event.Consent{Tracking: "yes"} })
	p.catchUp()
	if len(heard) != 1 || heard[0].Told == nil || heard[0].Told.ID != told.ID || *heard[0].Told.Consent != (event.Consent{Tracking: "yes", Measurement: "no", LimitAds: event.Yes}) {
		t.Fatalf("heard is %+v", heard)
	}
}

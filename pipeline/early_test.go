package pipeline

import (
	"fmt"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
)

// TestSaidBeforeTheFirstOpen: what a person permits, and his name, hold for the
// installation that comes within seven days, and for its first decision.
func TestSaidBeforeTheFirstOpen(t *testing.T) {
	t.Parallel()
	const address = "203.0.113.7"
	no := func(t *event.Told) { t.Consent = &event.Consent{Measurement: "no"} }
	yes := func(t *event.Told) { t.Consent = &event.Consent{Measurement: "yes"} }
	f := func(name string, before func(*past), open func(*event.Told), likely bool, want attribution.Consent, user string) {
		for _, atOnce := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " in one step: ", atOnce), func(t *testing.T) {
				t.Parallel()
				p := newPast(t)
				before(p)
				if !atOnce {
					p.catchUp()
				}
				c := p.touched(noon, func(c *event.Click) { c.IP = address })
				p.told(event.OpenKind, "device-1", noon.Add(5*time.Minute), func(t *event.Told) {
					first(t)
					t.IPs = []string{address}
					if open != nil {
						open(t)
					}
				})
				a := p.catchUp()
				d := p.decided("device-1", attribution.Install, "")
				if likely {
					p.credited(d, c, attribution.Probabilistic)
				} else {
					p.verdict(d, attribution.Organic, attribution.NewInstall)
				}
				i, ok, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1")
				p.ok(err)
				if !ok || i.Consent != want || i.User != user {
					t.Errorf("consent %+v of %q, want %+v of %q", i.Consent, i.User, want, user)
				}
				permitted, err := a.ReadConsent(t.Context(), androidApp, "device-1", noon)
				p.ok(err)
				if permitted != want {
					t.Errorf("it permits %+v, want %+v", permitted, want)
				}
				left, err := p.store.ListOrphans(t.Context(), androidApp, "device-1")
				p.ok(err)
				if len(left) > 0 {
					t.Errorf("%d orphans are left", len(left))
				}
			})
		}
	}
	say := func(kind event.Kind, at time.Duration, change func(*event.Told)) func(*past) {
		return func(p *past) { p.told(kind, "device-1", noon.Add(at), change) }
	}
	all := func(said ...func(*past)) func(*past) {
		return func(p *past) {
			for _, s := range said {
				s(p)
			}
		}
	}
	refused := attribution.Consent{Measurement: attribution.No}
	f("nothing", func(*past) {}, nil, true, attribution.Consent{}, "")
	f("no", say(event.ConsentKind, -time.Hour, no), nil, false, refused, "")
	f("no, by an event", say(event.InAppKind, -time.Hour, no), nil, false, refused, "")
	f("no, unsigned", say(event.ConsentKind, -time.Hour, func(t *event.Told) { no(t); t.Unsigned = true }), nil, true, attribution.Consent{}, "")
	f("no, and yes", all(say(event.ConsentKind, -2*time.Hour, no), say(event.ConsentKind, -time.Hour, yes)), nil, true, attribution.Consent{Measurement: attribution.Yes}, "")
	f("no, and something else", all(say(event.ConsentKind, -2*time.Hour, no), say(event.ConsentKind, -time.Hour, func(t *event.Told) { t.Consent = &event.Consent{Tracking: "yes"} })),
		nil, false, attribution.Consent{Measurement: attribution.No, Tracking: attribution.Yes}, "")
	f("no, and the open says yes", say(event.ConsentKind, -time.Hour, no), yes, true, attribution.Consent{Measurement: attribution.Yes}, "")
	f("a child, and the open does not know", say(event.ConsentKind, -time.Hour, func(t *event.Told) { t.Consent = &event.Consent{Child: event.Yes} }), yes, false,
		attribution.Consent{Measurement: attribution.Yes, Child: true}, "")
	f("a child, and an event does not know", all(say(event.ConsentKind, -2*time.Hour, func(t *event.Told) { t.Consent = &event.Consent{Child: event.Yes} }), say(event.InAppKind, -time.Hour, yes)), nil, false,
		attribution.Consent{Measurement: attribution.Yes, Child: true}, "")
	f("a child, and an answer about something else", all(say(event.ConsentKind, -2*time.Hour, func(t *event.Told) { t.Consent = &event.Consent{Child: event.Yes} }), say(event.ConsentKind, -time.Hour, yes)), nil, false,
		attribution.Consent{Measurement: attribution.Yes, Child: true}, "")
	f("a child, and grown up", all(say(event.ConsentKind, -2*time.Hour, func(t *event.Told) { t.Consent = &event.Consent{Child: event.Yes} }),
		say(event.ConsentKind, -time.Hour, func(t *event.Told) { t.Consent = &event.Consent{Child: event.No} })), nil, true, attribution.Consent{}, "")
	f("limits, no advertising, and the open says yes to measurement", say(event.ConsentKind, -time.Hour, func(t *event.Told) { t.Consent = &event.Consent{LimitAds: event.Yes, Advertising: "no"} }), yes, true,
		attribution.Consent{Measurement: attribution.Yes, Advertising: attribution.No, LimitAds: true}, "")
	f("no, seven days ago", say(event.ConsentKind, 5*time.Minute-7*24*time.Hour, no), nil, false, refused, "")
	f("no, too long ago", say(event.ConsentKind, 4*time.Minute-7*24*time.Hour, no), nil, true, attribution.Consent{}, "")
	name := func(t *event.Told) { t.User = "ada" }
	f("a name", all(say(event.IdentifyKind, -2*time.Hour, func(t *event.Told) { t.User = "eve" }), say(event.IdentifyKind, -time.Hour, name)), nil, true, attribution.Consent{}, "ada")
	f("a name, and the open has another", say(event.IdentifyKind, -time.Hour, name), func(t *event.Told) { t.User = "bob" }, true, attribution.Consent{}, "bob")
	f("a name, then no", all(say(event.IdentifyKind, -2*time.Hour, name), say(event.ConsentKind, -time.Hour, no)), nil, false, refused, "")
	f("another installation's no", func(p *past) { p.told(event.ConsentKind, "device-2", noon.Add(-time.Hour), no) }, nil, true, attribution.Consent{}, "")
}

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

// TestReadConsentBeforeTheFirstOpen: what was said is known as soon as it is decided.
func TestReadConsentBeforeTheFirstOpen(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.told(event.ConsentKind, "device-1", noon, func(t *event.Told) { t.Consent = &event.Consent{Measurement: "no"} })
	a := p.catchUp()
	f := func(install string, now time.Time, want attribution.Consent) {
		t.Helper()
		got, err := a.ReadConsent(t.Context(), androidApp, install, now)
		p.ok(err)
		if got != want {
			t.Errorf("%s permits %+v, want %+v", install, got, want)
		}
	}
	f("device-1", noon.Add(7*24*time.Hour), attribution.Consent{Measurement: attribution.No})
	f("device-1", noon.Add(7*24*time.Hour+time.Second), attribution.Consent{})
	f("device-2", noon, attribution.Consent{})
}

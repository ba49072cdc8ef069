package pipeline

import (
	"fmt"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/event"
)

// TestSaidBeforeTheFirstOpen: what a person permits, and his name, hold for the
// installation that comes within seven days, and for its first decision.
func TestSaidBeforeTheFirstOpen(t *testing.T) {
	t.Parallel()
	const address = "203.0.113.7"
	no := func(t *event.Told) { t.Consent = &event.Consent{Measurement: "no"} }
	yes := func(t *event.Told) { t.Consent = &event.Consent{Measurement: "yes"} }
	child := func(t *event.Told) { t.Consent = &event.Consent{Child: event.Yes} }
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
				permitted, err := a.ReadConsent(t.Context(), androidApp, "device-1", 0, noon)
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
	f("a child, and the open does not know", say(event.ConsentKind, -time.Hour, child), yes, false, attribution.Consent{Measurement: attribution.Yes, Child: true}, "")
	f("a child, and an event does not know", all(say(event.ConsentKind, -2*time.Hour, child), say(event.InAppKind, -time.Hour, yes)), nil, false, attribution.Consent{Measurement: attribution.Yes, Child: true}, "")
	f("a child, and an answer about something else", all(say(event.ConsentKind, -2*time.Hour, child), say(event.ConsentKind, -time.Hour, yes)), nil, false, attribution.Consent{Measurement: attribution.Yes, Child: true}, "")
	f("a child, and grown up", all(say(event.ConsentKind, -2*time.Hour, child), say(event.ConsentKind, -time.Hour, func(t *event.Told) { t.Consent = &event.Consent{Child: event.No} })), nil, true, attribution.Consent{}, "")
	f("limits, no advertising, and the open says yes to measurement", say(event.ConsentKind, -time.Hour, func(t *event.Told) { t.Consent = &event.Consent{LimitAds: event.Yes, Advertising: "no"} }), yes, true, attribution.Consent{Measurement: attribution.Yes, Advertising: attribution.No, LimitAds: true}, "")
	f("no, seven days ago", say(event.ConsentKind, 5*time.Minute-7*24*time.Hour, no), nil, false, refused, "")
	f("no, too long ago", say(event.ConsentKind, 4*time.Minute-7*24*time.Hour, no), nil, true, attribution.Consent{}, "")
	name := func(t *event.Told) { t.User = "ada" }
	f("a name", all(say(event.IdentifyKind, -2*time.Hour, func(t *event.Told) { t.User = "eve" }), say(event.IdentifyKind, -time.Hour, name)), nil, true, attribution.Consent{}, "ada")
	f("a name, and the open has another", say(event.IdentifyKind, -time.Hour, name), func(t *event.Told) { t.User = "bob" }, true, attribution.Consent{}, "bob")
	f("a name, then no", all(say(event.IdentifyKind, -2*time.Hour, name), say(event.ConsentKind, -time.Hour, no)), nil, false, refused, "")
	f("another installation's no", func(p *past) { p.told(event.ConsentKind, "device-2", noon.Add(-time.Hour), no) }, nil, true, attribution.Consent{}, "")
}

// TestReadConsentBeforeTheFirstOpen: what was said is known as soon as it is decided.
func TestReadConsentBeforeTheFirstOpen(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.told(event.ConsentKind, "device-1", noon, func(t *event.Told) { t.Consent = &event.Consent{Measurement: "no"} })
	a := p.catchUp()
	f := func(install string, now time.Time, want attribution.Consent) {
		t.Helper()
		got, err := a.ReadConsent(t.Context(), androidApp, install, 0, now)
		p.ok(err)
		if got != want {
			t.Errorf("%s permits %+v, want %+v", install, got, want)
		}
	}
	f("device-1", noon.Add(7*24*time.Hour), attribution.Consent{Measurement: attribution.No})
	f("device-1", noon.Add(7*24*time.Hour+time.Second), attribution.Consent{})
	f("device-2", noon, attribution.Consent{})
}

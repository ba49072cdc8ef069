package pipeline

import (
	"testing"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/link"
)

// TestEventsJoinTheirInstallation: in a dialect whose calls name an installation
// differently, an event is its device's newest installation's.
func TestEventsJoinTheirInstallation(t *testing.T) {
	t.Parallel()
	of := func(gaid string) func(*event.Told) {
		return func(t *event.Told) {
			t.Dialect, t.Name = link.OneLink, "purchase"
			t.IDs = []event.DeviceID{{Kind: "gaid", Value: gaid}}
		}
	}
	also := func(changes ...func(*event.Told)) func(*event.Told) {
		return func(t *event.Told) {
			for _, change := range changes {
				change(t)
			}
		}
	}
	f := func(name string, bySteps bool, change func(*event.Told), want bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			p.told(event.OpenKind, "device-0", noon.Add(-time.Hour), also(first, of(someGAID)))
			c := p.touched(noon, func(c *event.Click) { c.Query = "gaid=" + someGAID + "&retargeting" })
			p.told(event.OpenKind, "device-1", noon.Add(time.Minute), also(of(someGAID), came(c)))
			if bySteps {
				p.catchUp()
			}
			e := p.told(event.InAppKind, "device-7", noon.Add(time.Hour), change)
			if bySteps {
				p.catchUp()
			}
			p.tell(e) // once more
			a := p.catchUp()
			d := p.decided("device-7", attribution.InApp, "purchase")
			i, ok, err := a.ReadInstallation(t.Context(), e.App, "device-7")
			p.ok(err)
			if !want {
				if p.verdict(d, attribution.Organic, attribution.Happening); ok {
					t.Errorf("it is %+v", i)
				}
				return
			}
			p.credited(d, c, attribution.Inherited)
			if !ok || i.ID != "device-1" || !i.LastActiveAt.Equal(noon.Add(time.Hour)) {
				t.Errorf("it is %+v, %v", i, ok)
			}
			// Its name is known from now on, without a device.
			later := p.told(event.InAppKind, "device-7", noon.Add(2*time.Hour), func(t *event.Told) { t.Dialect, t.Name = link.OneLink, "again" })
			p.ok(a.CatchUp(t.Context()))
			p.credited(p.decided(later.Install, attribution.InApp, "again"), c, attribution.Inherited)
			if got := p.sums()["events/0"]; got != 2 {
				t.Errorf("%d events are counted: %v", got, p.sums())
			}
			all := p.everything(p.store)
			p.ok(a.Rebuild(t.Context()))
			p.ok(a.CatchUp(t.Context()))
			if p.everything(p.store) != all {
				t.Error("a replay makes something else")
			}
		})
	}
	f("in one step", false, of(someGAID), true)
	f("in steps", true, of(someGAID), true)
	f("another device", true, of(otherGAID), false)
	f("no device", true, also(of(someGAID), func(t *event.Told) { t.IDs = nil }), false)
	f("no leave to track", true, also(of(someGAID), func(t *event.Told) { t.Consent = &event.Consent{LimitAds: event.Yes} }), false)
	f("a dialect with one name", true, also(of(someGAID), func(t *event.Told) { t.Dialect = link.Own }), false)
}

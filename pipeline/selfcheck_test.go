package pipeline

import (
	"fmt"
	"hash/crc32"
	"testing"
	"time"

	"waypost/event"
)

// TestLikenessChecks: installs that a referrer joins to their click are compared
// with what likeness alone would have found, and decided as ever.
func TestLikenessChecks(t *testing.T) {
	t.Parallel()
	checked := func(among int) string { // an installation that is among those looked at, or not
		for n := 0; ; n++ {
			if name := fmt.Sprint("device-", n); (crc32.ChecksumIEEE([]byte(name))%checkedOneIn == 0) == (among == 0) {
				return name
			}
		}
	}
	f := func(name string, install string, change func(p *past, c *event.Click, t *event.Told), want LikenessChecks) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			told := event.Told{}
			clicked := p.touched(noon, func(c *event.Click) {
				c.IP = "203.0.113.7"
				if change != nil {
					change(p, c, &told)
				}
			})
			p.told(event.OpenKind, install, noon.Add(5*time.Minute), func(t *event.Told) {
				first(t)
				t.IPs, t.Consent = []string{"203.0.113.7"}, told.Consent
				t.Referrer = &event.Referrer{Click: clicked.ID.String()}
			})
			a := p.catchUp()
			if d := p.decided(install, "install", ""); d.Decision.Winner == nil || d.Decision.Winner.Touch != clicked.ID {
				t.Errorf("decided: %q", d.Decision.Explain())
			}
			if got := a.LikenessChecks(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	f("the same visitor", checked(0), nil, LikenessChecks{Right: 1})
	f("not looked at", checked(1), nil, LikenessChecks{})
	f("from another address", checked(0), func(_ *past, c *event.Click, _ *event.Told) { c.IP = "203.0.113.8" }, LikenessChecks{Nothing: 1})
	f("somebody else came from there", checked(0), func(p *past, c *event.Click, _ *event.Told) {
		c.IP = "203.0.113.8"
		p.touched(noon.Add(time.Minute), func(other *event.Click) { other.IP = "203.0.113.7" })
	}, LikenessChecks{Wrong: 1})
	f("may not be compared", checked(0), func(_ *past, _ *event.Click, t *event.Told) {
		t.Consent = &event.Consent{Measurement: "no"}
	}, LikenessChecks{})
}

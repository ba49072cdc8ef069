package pipeline

import (
	"fmt"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/uid"
	"waypost/link"
)

// TestFloodedDevice: clicks of a device that many sources share out among
// themselves are a flood all the same, also those that fill the list of
// candidates.
func TestFloodedDevice(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	var clicks []event.Click
	for n := range 100 {
		clicks = append(clicks, p.touched(noon.Add(time.Duration(n)*time.Minute), func(c *event.Click) { c.Query = fmt.Sprintf("pid=source-%d&gaid=%s", n, someGAID) }))
	}
	p.told(event.OpenKind, "device-1", noon.Add(3*time.Hour), func(t *event.Told) {
		t.First, t.IDs = true, []event.DeviceID{{Kind: "gaid", Value: someGAID}}
	})
	p.catchUp()
	d := p.decided("device-1", attribution.Install, "")
	p.verdict(d, attribution.Organic, attribution.NewInstall)
	for n, c := range clicks[100-attribution.MaxPerKey:] {
		if got := rejected(d, c); got != attribution.ClickFlood {
			t.Fatalf("of 100 clicks the one of minute %d is rejected by %q", 100-attribution.MaxPerKey+n, got)
		}
	}
}

// TestCrowdReachesTheLimits: every candidate at a crowded address sees as many
// before it as the rule asks for, wherever steps begin.
func TestCrowdReachesTheLimits(t *testing.T) {
	t.Parallel()
	const ip, all = "203.0.113.7", 700
	f := func(network attribution.Network, least int) {
		t.Helper()
		p := newPast(t)
		var touches []history.Touch
		for n := range all {
			touches = append(touches, history.Touch{Touchpoint: attribution.Touchpoint{
				ID: uid.NewClick(), Kind: attribution.Click, At: noon.Add(time.Duration(n) * 4 * time.Second), Account: 1, Apps: []link.AppID{androidApp}, Agent: "one",
				Facts: attribution.Facts{Addresses: addresses([]string{ip}, []string{string(network)})},
			}})
		}
		asked := []attribution.Lookup{{
			Key:   attribution.Key{App: androidApp, Kind: attribution.AddressKey, Value: ip + "/32"},
			Since: noon.Add(-24 * time.Hour), Until: noon.Add(24 * time.Hour),
		}}
		a, want := p.attributor(), ""
		for _, committed := range []int{all, all - 30, all / 2, 0} {
			s := p.another()
			p.ok(s.CommitHistory(t.Context(), history.Step{Projection: History, To: 1, Touches: touches[:committed]}))
			h := hearing{a, newAhead(s), p.directory}
			for _, touch := range touches[committed:] {
				h.ahead.addTouch(touch)
			}
			found, err := h.findCandidates(t.Context(), androidApp, asked, noon.Add(-rememberFor))
			p.ok(err)
			got := ""
			for i, touch := range found {
				if touch.Traffic.AgentClicks < least {
					t.Errorf("%q: candidate %d sees %d clicks before it, want %d", network, i, touch.Traffic.AgentClicks, least)
				}
				got += fmt.Sprint(touch.ID, touch.Traffic.AgentClicks, " ")
			}
			if want == "" {
				want = got
			}
			if got != want || len(found) != attribution.MaxPerKey {
				t.Fatalf("%q, with %d committed: %d candidates %s, want %s", network, committed, len(found), got, want)
			}
		}
	}
	f("", 50)
	f(attribution.Cellular, 500)
}

package pipeline

import (
	"testing"
	"time"

	"waypost/attribution"
	"waypost/event"
)

// TestAClickWinsOnePersonBack: the click of a re-engagement is used like that
// of an install. Whoever opens his app with it afterwards is not won back.
func TestAClickWinsOnePersonBack(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.told(event.OpenKind, "device-1", noon, first)
	p.told(event.OpenKind, "device-2", noon, first)
	at := noon.Add(20 * 24 * time.Hour)
	c := p.touched(at, func(c *event.Click) { c.Query = "retargeting" })
	with := func(t *event.Told) { t.OpenedClick = c.ID.String() }
	p.told(event.OpenKind, "device-1", at.Add(time.Minute), with)
	p.told(event.OpenKind, "device-2", at.Add(2*time.Minute), with)
	p.catchUp()
	won := p.decided("device-1", attribution.Open, "")
	p.credited(won, c, attribution.ByOpenedURL)
	p.verdict(won, attribution.Credited, attribution.Reengagement)
	p.counts(map[string]int64{"organic_installs/0": 2, "reengagements/0": 1, "sessions/0": 1})
	found, err := p.store.FindTouches(t.Context(), []attribution.Lookup{{
		Key: attribution.Key{App: androidApp, Kind: attribution.ClickKey, Value: c.ID.String()}, Since: noon, Until: at.Add(time.Hour),
	}})
	p.ok(err)
	if len(found[0]) != 1 || found[0][0].UsedBy != won.Conversion {
		t.Errorf("touches %+v, want one that %s has used", found[0], won.Conversion)
	}
}

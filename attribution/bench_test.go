package attribution

import (
	"testing"
	"time"

	"waypost/internal/uid"
)

// BenchmarkDecide decides with every list of candidates at its bound. How many
// touches the store holds beside them does not matter.
func BenchmarkDecide(b *testing.B) {
	c := someInstall()
	c.DeviceIDs = []DeviceID{{Kind: GAID, Value: someGAID}, {Kind: AndroidID, Value: "9774d56d682e549d"}}
	c.OpenedClickID = "1"
	var touches []Touchpoint
	for id := uid.Click(1); id <= uid.Click(MaxPerKey*len(c.Lookups(new(DefaultPolicy())))); id++ {
		touches = append(touches, someTouch(id, time.Duration(id)*time.Minute).with(func(t *Touchpoint) {
			if id%2 == 0 {
				t.DeviceIDs = c.DeviceIDs
			}
		}))
	}
	p := DefaultPolicy()
	for b.Loop() {
		Decide(c, touches, &p, noon)
	}
	b.ReportMetric(float64(len(touches)), "candidates")
}

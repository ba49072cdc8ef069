package event

import (
	"bytes"
	"testing"

	"waypost/internal/device"
	"waypost/link"
)

func TestTallyReadsWhatTheClickHolds(t *testing.T) {
	t.Parallel()
	f := func(name string, c Click, fast bool) {
		t.Helper()
		line := c.AppendJSON(nil)
		got, err := DecodeTally(line)
		if err != nil || got != c.Tally() {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.Tally())
		}
		if _, ok := scanTally(line); ok != fast {
			t.Errorf("%s: scanned without decoding: %v, want %v", name, ok, fast)
		}
	}
	f("full", fullClick(), true)
	f("least", Click{ID: 1, At: 1, Account: 1, Route: "web"}, true)
	f("an impression", fullView(), true)
	f("the last tracker", Click{ID: 1, At: 1, Account: 1, Tracker: link.MaxTracker}, true)
	bot := fullClick()
	bot.Bot, bot.Platform = "crawler:Googlebot", device.Unknown
	f("bot", bot, true)
	odd := fullClick()
	odd.Agent, odd.Query = `a "quoted\" agent`, "\n\x00{}[]"
	f("escapes where nobody looks", odd, true)
	odd.Route = `a"b`
	f("escapes in a field that is read", odd, false)
}

func TestTallyRefusesForeignLines(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "{}", `{"v":1,"type":"impression","id":"1","at":1,"account":1,"tracker":64}`, `{"v":1,"type":"click","id":"1"`, `{"v":1,"type":"click","id":"1","at":x,"account":1}`,
		`{"v":1,"type":"click","id":"1","at":01,"account":1}`, `{"v":1,"type":"click","id":"1","at":1,"account":+1}`, `{"v":1,"type":"click","id":"x","at":1,"account":1}`} {
		if got, err := DecodeTally([]byte(line)); err == nil {
			t.Errorf("DecodeTally(%q) = %+v, want an error", line, got)
		}
	}
}

func FuzzDecodeTally(f *testing.F) {
	c := fullClick()
	f.Add(c.AppendJSON(nil))
	view := fullView()
	f.Add(view.AppendJSON(nil))
	f.Add([]byte(`{"v":1,"type":"click","id":"1","at":1,"account":1,"tracker":3,"type":"impression"}`))
	f.Add(bytes.Replace(c.AppendJSON(nil), []byte(`"route":"`), []byte("\"route\":\"\xff"), 1))
	f.Add([]byte(`{"v":1,"type":"click","id":"1","at":1,"account":1,"route":"web","future":{"a":[1]}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		fast, ok := scanTally(line)
		slow, err := DecodeClick(line)
		if ok && err == nil && fast != slow.Tally() {
			t.Fatalf("scanned %+v, decoded %+v", fast, slow.Tally())
		}
	})
}

func BenchmarkDecodeTally(b *testing.B) {
	c := fullClick()
	line := c.AppendJSON(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeTally(line); err != nil {
			b.Fatal(err)
		}
	}
}

package pipeline

import (
	"slices"
	"testing"

	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/uid"
	"waypost/report"
)

// reported appends a conversion that a platform told of.
func (p *past) reported(key string, change func(*event.PlatformConversion)) {
	p.Helper()
	c := event.PlatformConversion{
		ID: uid.NewClick(), At: noon.UnixMilli(), Account: 1, App: iosApp, Framework: event.SKAdNetwork, Key: key, Network: "net", Conversion: event.Download, Won: true,
	}
	if change != nil {
		change(&c)
	}
	line, err := c.Line()
	p.ok(err)
	p.ok(p.ledger.Append(line))
}

// TestPlatformConversionsCountOnce: what a platform told is kept once however
// often it is told and read, and told on once; it is no installation, and no
// line that the counting skips.
func TestPlatformConversionsCountOnce(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	var news []string
	p.outbox = func(n News) []history.Delivery {
		if n.Platform == nil || n.Decided != nil || n.Click != nil {
			t.Errorf("heard of %+v", n)
			return nil
		}
		news = append(news, n.Platform.Key)
		return []history.Delivery{{Key: n.Platform.Key, Account: 1, Postback: "hook", Kind: "platform_conversion", URL: "https://hook.test/", MadeAt: noon, Status: history.Waiting, DueAt: noon}}
	}
	p.reported("a/0", nil)
	p.reported("a/1", func(c *event.PlatformConversion) { c.Sequence = 1 })
	p.catchUp()
	p.reported("a/0", nil)
	p.catchUp()
	p.reported("b/0", nil)
	p.reported("b/0", nil)
	a := p.catchUp()
	if !slices.Equal(news, []string{"a/0", "a/1", "b/0"}) {
		t.Errorf("told %q", news)
	}
	check := func(when string) {
		t.Helper()
		rows, err := p.store.SumPlatformConversions(t.Context(), report.PlatformQuery{Account: 1})
		p.ok(err)
		if len(rows) != 1 || rows[0].Conversions != 2 || rows[0].Updates != 1 || rows[0].Assists != 0 {
			t.Errorf("%s: sums are %+v", when, rows)
		}
		due, err := p.store.DueDeliveries(t.Context(), noon, 10)
		p.ok(err)
		if len(due) != 3 {
			t.Errorf("%s: %d deliveries wait", when, len(due))
		}
		rest, err := p.store.SumCounts(t.Context(), report.Query{Account: 1})
		p.ok(err)
		if len(rest) != 0 {
			t.Errorf("%s: counted %+v", when, rest)
		}
	}
	check("told twice")
	p.ok(p.store.ResetHistory(t.Context(), History))
	p.catchUp()
	check("read again")
	if a.Progress().Skipped != 0 {
		t.Error("attribution skips them")
	}
	c := p.counter()
	p.ok(c.CatchUp(t.Context()))
	if r := p.proven(c); r.Skipped != 0 {
		t.Errorf("the counting skips %d lines", r.Skipped)
	}
}

package pipeline

import (
	"testing"

	"waypost/event"
	"waypost/link"
	"waypost/report"
)

// TestWhatIsCountedWhere: views and clicks, people and bots, and the parts of
// a link each have cells of their own.
func TestWhatIsCountedWhere(t *testing.T) {
	t.Parallel()
	f := func(kind event.Kind, bot string, tracker link.Tracker, want report.Metric) {
		t.Helper()
		c := event.Click{Kind: kind, ID: 1, At: 1, Account: 7, Link: 3, Tracker: tracker, Route: "web", Bot: bot}
		read, err := event.DecodeTally(c.AppendJSON(nil))
		if err != nil {
			t.Fatal(err)
		}
		counted := newTally()
		counted.add(&read)
		key := report.Key{Account: 7, Link: 3, Metric: want, Tracker: tracker, Route: "web"}
		if len(counted.counts) != 1 || counted.counts[key] != 1 {
			t.Errorf("%q by %q for tracker %d counts as %v", kind, bot, tracker, counted.counts)
		}
		if renews := len(counted.renewals) > 0; renews != (want == report.Clicks) {
			t.Errorf("%s renew a link: %v", want, renews)
		}
	}
	f("", "", 0, report.Clicks)
	f(event.ClickKind, "", 2, report.Clicks)
	f(event.ClickKind, "crawler:Googlebot", link.CatchAll, report.BotClicks)
	f(event.ImpressionKind, "", link.MaxTracker, report.Impressions)
	f(event.ImpressionKind, "tool:curl", 0, report.BotImpressions)
}

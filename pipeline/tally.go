// Package pipeline draws the arrows between the ledger and everything that is
// made from it: counts and renewals, touchpoints, decisions and deliveries. Each
// projection commits its rows together with the place it has reached, so that
// every event has its effect exactly once whatever crashes.
package pipeline

import (
	"time"

	"waypost/event"
	"waypost/eventlog"
	"waypost/link"
	"waypost/report"
)

// Counts is the projection that counts clicks and impressions, and renews links.
const Counts report.Projection = "counts"

// tally gathers what a run of batches adds up to.
type tally struct {
	counts    report.Counts
	renewals  map[link.LinkID]int64 // latest click, Unix milliseconds
	events    int
	skipped   int    // lines that are no event that this program knows
	firstSkip uint64 // batch of the first of them
	skipErr   error  // what it is
}

func newTally() *tally {
	return &tally{counts: report.Counts{}, renewals: map[link.LinkID]int64{}}
}

// reset empties the tally and keeps its memory.
func (t *tally) reset() {
	clear(t.counts)
	clear(t.renewals)
	*t = tally{counts: t.counts, renewals: t.renewals}
}

// addBatch counts the lines of a batch. A line that cannot be read is skipped,
// never fatal: it would stop the counting of all that follow. Verify skips the
// same ones.
func (t *tally) addBatch(b eventlog.Batch) {
	for line := range b.Lines() {
		t.events++
		c, err := event.DecodeTally(line)
		if err != nil {
			if event.KindOf(line).OfHistory() { // another projection's
				continue
			}
			if t.skipped++; t.skipped == 1 {
				t.firstSkip, t.skipErr = b.Seq, err
			}
			continue
		}
		t.add(&c)
	}
}

func (t *tally) add(c *event.Tally) {
	t.counts[report.Key{
		Account: c.Account, Template: c.Template, Link: c.Link, Tracker: c.Tracker, Metric: metricOf(c), Route: c.Route,
		Day: report.DayOf(c.At), Platform: c.Platform, Country: c.Country,
	}]++
	if c.Link != 0 && !c.Bot && !c.View && c.At > t.renewals[c.Link] {
		t.renewals[c.Link] = c.At
	}
}

func metricOf(c *event.Tally) report.Metric {
	switch {
	case c.View && c.Bot:
		return report.BotImpressions
	case c.View:
		return report.Impressions
	case c.Bot:
		return report.BotClicks
	}
	return report.Clicks
}

// step turns the tally into what a store commits.
func (t *tally) step(p report.Projection, from, to uint64) report.Step {
	s := report.Step{Projection: p, From: from, To: to, Counts: t.counts, Renewals: make([]report.Renewal, 0, len(t.renewals))}
	for id, at := range t.renewals {
		s.Renewals = append(s.Renewals, report.Renewal{Link: id, At: time.UnixMilli(at)})
	}
	return s
}

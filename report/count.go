// Package report holds what is measured and how measurements add up: the
// dimensions of a count, roll-ups, and the query contract. It does no I/O.
package report

import (
	"slices"
	"time"

	"waypost/internal/device"
	"waypost/link"
)

// Metric is what is counted.
type Metric string

// Metrics. Bots are kept apart from people so that both can be seen.
const (
	Clicks         Metric = "clicks"
	BotClicks      Metric = "bot_clicks"
	Impressions    Metric = "impressions"
	BotImpressions Metric = "bot_impressions"
	Installs       Metric = "installs"
)

// Metrics of what apps tell, beside Installs, which are those that somebody
// earned. Organic ones are nobody's and stand under no link.
const (
	OrganicInstalls  Metric = "organic_installs"
	Reinstalls       Metric = "reinstalls" // of people who had the app, won back by nobody
	Reattributions   Metric = "reattributions"
	Reengagements    Metric = "reengagements"
	Sessions         Metric = "sessions" // later opens that are no re-engagement; under no link
	Events           Metric = "events"
	OrganicEvents    Metric = "organic_events"
	RejectedInstalls Metric = "rejected_installs" // refused as fraud
	RejectedEvents   Metric = "rejected_events"
)

// ofHistory are the metrics of what apps tell.
func ofHistory() []Metric {
	return []Metric{Installs, OrganicInstalls, Reinstalls, Reattributions, Reengagements, Sessions, Events, OrganicEvents, RejectedInstalls, RejectedEvents}
}

// Metrics lists all of them.
func Metrics() []Metric {
	return append([]Metric{Clicks, BotClicks, Impressions, BotImpressions}, ofHistory()...)
}

// OfHistory reports whether the metric counts what apps tell rather than clicks
// and impressions.
func (m Metric) OfHistory() bool { return slices.Contains(ofHistory(), m) }

// Day is a day of UTC, counted from the Unix epoch.
type Day int32

// DayOf returns the day on which a Unix time in milliseconds falls.
func DayOf(unixMilli int64) Day {
	const perDay = 24 * 60 * 60 * 1000
	day := unixMilli / perDay
	if unixMilli%perDay < 0 {
		day--
	}
	return Day(day)
}

// Time returns the day's first instant.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String returns the day as 2006-01-02.
func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// ParseDay is the inverse of String.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, err
	}
	return Day(t.Unix() / 86400), nil
}

// Key is the finest cell that is counted.
type Key struct {
	Account  link.AccountID
	Template link.TemplateID
	Link     link.LinkID // zero: the template's long link, or a link that is gone
	Metric   Metric
	Tracker  link.Tracker
	Route    string // the rule that chose the destination
	Day      Day
	Platform device.Platform
	Country  string // ISO 3166-1 alpha-2; empty when not known
}

// Counts are cells and their values.
type Counts map[Key]int64

// Add adds every cell of other.
func (c Counts) Add(other Counts) {
	for k, n := range other {
		c[k] += n
	}
}

// Difference is a cell in which two counts disagree.
type Difference struct {
	Key       Key
	Got, Want int64
}

// Dimension is a part of Key that a query may group by.
type Dimension string

// Dimensions.
const (
	ByTemplate Dimension = "template"
	ByLink     Dimension = "link"
	ByRoute    Dimension = "route"
	ByDay      Dimension = "day"
	ByPlatform Dimension = "platform"
	ByCountry  Dimension = "country"
	ByMetric   Dimension = "metric"
	ByTracker  Dimension = "tracker"
)

// Dimensions lists all of them in the order of their columns.
func Dimensions() []Dimension {
	return []Dimension{ByTemplate, ByLink, ByTracker, ByMetric, ByRoute, ByDay, ByPlatform, ByCountry}
}

// Query asks for sums of counts of one account. Zero fields do not restrict.
type Query struct {
	Account  link.AccountID
	Template link.TemplateID
	Link     *link.LinkID
	Links    []link.LinkID // any of them
	Metric   Metric
	From, To Day // both included
	GroupBy  []Dimension
	Limit    int // rows at most
}

// Row is a sum. Only the fields of Key that were grouped by are set.
type Row struct {
	Key   Key
	Count int64
}

// UsageName names a counter of API calls.
type UsageName string

// Usage is how often a counter was taken on a day of UTC.
type Usage struct {
	Account link.AccountID
	Name    UsageName
	Day     Day
	Calls   int64
}

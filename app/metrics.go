package app

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// exports are the metrics of one App: counters that its parts keep, read when
// somebody asks.
type exports struct{ registry *prometheus.Registry }

// scrapeTime is what a metric that has to ask for its value may take.
const scrapeTime = time.Second

func (e exports) counter(name, help string, value func() float64) {
	e.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "waypost", Name: name, Help: help}, value))
}

func (e exports) gauge(name, help string, value func() float64) {
	e.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "waypost", Name: name, Help: help}, value))
}

// asked is a gauge whose value may be unknown while what it asks does not answer.
func (e exports) asked(name, help string, value func(ctx context.Context) (float64, error)) {
	e.gauge(name, help, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
		defer cancel()
		v, err := value(ctx)
		if err != nil {
			return math.NaN()
		}
		return v
	})
}

// family is a counter for each value of one label; values tells those that
// have occurred.
type family struct {
	desc   *prometheus.Desc
	values func() map[string]uint64
}

func (e exports) family(name, help, label string, values func() map[string]uint64) {
	e.registry.MustRegister(family{prometheus.NewDesc("waypost_"+name, help, []string{label}, nil), values})
}

// Describe implements prometheus.Collector.
func (f family) Describe(to chan<- *prometheus.Desc) { to <- f.desc }

// Collect implements prometheus.Collector.
func (f family) Collect(to chan<- prometheus.Metric) {
	for value, n := range f.values() {
		to <- prometheus.MustNewConstMetric(f.desc, prometheus.CounterValue, float64(n), value)
	}
}

// metrics exports the counters that the parts keep, in a registry of this App.
func (a *App) metrics() http.Handler {
	e := exports{prometheus.NewRegistry()}
	e.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.exportClicks(e)
	a.exportLedger(e)
	a.exportCounting(e)
	a.exportAttribution(e)
	a.exportIntake(e)
	a.exportPostbacks(e)
	started := time.Now()
	e.gauge("uptime_seconds", "Since the process opened its data.", func() float64 { return time.Since(started).Seconds() })
	return promhttp.HandlerFor(e.registry, promhttp.HandlerOpts{})
}

func (a *App) exportClicks(e exports) {
	clicks := a.door.Counters()
	e.counter("clicks_answered_total", "Visitors sent somewhere, people and bots.", func() float64 { return float64(clicks.Answered.Load()) })
	e.counter("clicks_logged_total", "Clicks that the ledger has.", func() float64 { return float64(clicks.Recorded.Load()) })
	e.counter("clicks_unlogged_total", "Clicks answered although the ledger did not take them. Alarm when this grows.", func() float64 { return float64(clicks.Unlogged.Load()) })
	e.counter("click_store_errors_total", "Reads of the store that failed during a click.", func() float64 { return float64(clicks.StoreErrors.Load()) })
	e.counter("click_rule_errors_total", "Links whose stored description could not be read.", func() float64 { return float64(clicks.RuleErrors.Load()) })
}

func (a *App) exportLedger(e exports) {
	e.counter("ledger_events_total", "Events appended.", func() float64 { return float64(a.ledger.Stats().Appended) })
	e.counter("ledger_batches_total", "Messages that carried them.", func() float64 { return float64(a.ledger.Stats().Batches) })
	e.counter("ledger_failed_total", "Events that could not be appended.", func() float64 { return float64(a.ledger.Stats().Failed) })
	e.counter("ledger_commit_seconds_total", "Time spent waiting for the ledger's acks.", func() float64 { return a.ledger.Stats().CommitTime.Seconds() })
	e.gauge("ledger_queued_bytes", "Bytes that wait to be written.", func() float64 { return float64(a.ledger.Stats().Queued) })
	e.gauge("ledger_down", "1 while the ledger does not answer. Alarm on it.", func() float64 {
		if a.ledger.Stats().Down != nil {
			return 1
		}
		return 0
	})
}

func (a *App) exportCounting(e exports) {
	e.counter("counted_events_total", "Events counted.", func() float64 { return float64(a.counter.Progress().Events) })
	e.counter("counted_skipped_total", "Ledger lines that are no event this program knows.", func() float64 { return float64(a.counter.Progress().Skipped) })
	e.counter("counting_failures_total", "Counting steps that had to be tried again.", func() float64 { return float64(a.counter.Progress().Failed) })
	e.gauge("counting_reached_batch", "The last batch of the ledger that is counted.", func() float64 { return float64(a.counter.Progress().Reached) })
	e.asked("counting_lag_batches", "Batches of the ledger that are not counted yet.", func(ctx context.Context) (float64, error) {
		state, err := a.ledger.State(ctx)
		return max(0, float64(state.Last)-float64(a.counter.Progress().Reached)), err
	})
}

func (a *App) exportAttribution(e exports) {
	e.counter("attributed_events_total", "Events taken by attribution: clicks that were filed, conversions that were decided.", func() float64 { return float64(a.attributor.Progress().Events) })
	e.counter("attributed_skipped_total", "Ledger lines of which nothing could be decided.", func() float64 { return float64(a.attributor.Progress().Skipped) })
	e.counter("attribution_failures_total", "Steps of attribution that had to be tried again.", func() float64 { return float64(a.attributor.Progress().Failed) })
	e.family("likeness_checks_total", "Of one in eight installs that an id joins to their click: whether likeness would have found the same visitor (right), another one (wrong) or nobody (nothing).", "result", func() map[string]uint64 {
		c := a.attributor.LikenessChecks()
		return map[string]uint64{"right": uint64(c.Right), "wrong": uint64(c.Wrong), "nothing": uint64(c.Nothing)}
	})
	e.asked("attribution_lag_batches", "Batches of the ledger that attribution has not taken yet.", func(ctx context.Context) (float64, error) {
		lag, err := a.attributor.Lag(ctx)
		return float64(lag), err
	})
}

func (a *App) exportIntake(e exports) {
	e.family("reports_taken_total", "Reports of apps and servers that the ledger has, by kind.", "kind", func() map[string]uint64 { return worded(a.intake.Stats().Taken) })
	e.family("reports_refused_total", "Reports that were refused, by reason.", "reason", func() map[string]uint64 {
		refused := map[string]uint64{}
		for kind, n := range a.intake.Stats().Refused {
			refused[kind.String()] = n
		}
		return refused
	})
	e.family("reports_flagged_total", "What was odd about reports that were taken, by flag.", "flag", func() map[string]uint64 { return a.intake.Stats().Flagged })
	e.counter("reports_unknown_keys_total", "Reports with an SDK key or a token of no account.", func() float64 { return float64(a.intake.Stats().UnknownKeys) })
	e.counter("reports_unknown_apps_total", "Reports of apps that their account does not have.", func() float64 { return float64(a.intake.Stats().UnknownApps) })
	e.counter("reports_repeated_total", "Clicks and impressions of servers that were told before.", func() float64 { return float64(a.intake.Stats().Repeated) })
	e.counter("onelink_events_dropped_total", "In-app events that were answered with 200 and not kept, as that API does.", func() float64 { return float64(a.oneLinkReports.Stats().Dropped) })
	e.counter("onelink_bad_signatures_total", "Questions for deep links that were not signed as they must be.", func() float64 { return float64(a.oneLinkReports.Stats().BadSignatures) })
}

// mostBacklog is where counting of the outbox ends.
const mostBacklog = 100_000

func (a *App) exportPostbacks(e exports) {
	e.counter("postbacks_delivered_total", "Postbacks and webhooks that arrived.", func() float64 { return float64(a.postbacks.Counters().Delivered) })
	e.counter("postback_failures_total", "Attempts that did not succeed.", func() float64 { return float64(a.postbacks.Counters().Failed) })
	e.counter("postbacks_given_up_total", "Postbacks that will not be tried again.", func() float64 { return float64(a.postbacks.Counters().GivenUp) })
	e.gauge("postbacks_held", "Postbacks in memory: under way, or waiting for their host.", func() float64 { return float64(a.postbacks.Counters().Waiting) })
	e.asked("postbacks_waiting", "Postbacks in the outbox that wait for an attempt, 100 000 for that many and more.", func(ctx context.Context) (float64, error) {
		n, err := a.store.CountWaiting(ctx, mostBacklog)
		return float64(n), err
	})
	e.asked("postbacks_overdue_seconds", "For how long the first of them has been due whose host does not rest and has no backlog.", func(ctx context.Context) (float64, error) {
		now := a.cfg.Now()
		since, err := a.postbacks.Overdue(ctx, now)
		if err != nil || since.IsZero() {
			return 0, err
		}
		return max(0, now.Sub(since).Seconds()), nil
	})
}

func worded[T ~string](counts map[T]uint64) map[string]uint64 {
	out := make(map[string]uint64, len(counts))
	for word, n := range counts {
		out[string(word)] = n
	}
	return out
}

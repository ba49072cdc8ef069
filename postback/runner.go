package postback

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"waypost/attribution/history"
	"waypost/link"
)

// Store is what the runner needs of a store.
type Store interface {
	// DueDeliveries returns the deliveries that wait and are due by the time,
	// the earliest first, of each host at most so many; of the hosts except none.
	DueDeliveries(ctx context.Context, by time.Time, most int, except ...string) ([]history.Delivery, error)
	// SaveAttempt writes what became of a delivery: its DueAt, Attempts, Status,
	// Code and Answer; a NotFound fault says that it is there no longer. DueAt and
	// Status stay where a.Outlived says so. It returns when the delivery is due.
	SaveAttempt(ctx context.Context, d history.Delivery, a history.Attempt) (time.Time, error)
}

// Config is what a Runner works with. Store, Send and Directory must be set.
type Config struct {
	Store Store
	// Send makes one attempt; Sender.Send does. It must end soon after ctx does.
	Send      func(ctx context.Context, d history.Delivery, p *link.Postback) Answer
	Directory func() *link.Directory // the one of the moment
	Logger    *slog.Logger           // nil: nothing is logged
	Random    func() float64         // in [0, 1), from any goroutine; nil: the system's
}

const (
	mostAtOnce  = 64 // attempts under way
	mostPerHost = 8
	// spare are the last of them: for hosts that have none under way.
	spare = 8
	// So many deliveries of a host wait in memory; its others stay in the store
	// until no more than fewQueued are left.
	mostQueued, fewQueued = 64, 16
	// mostRead is how many of a host are fetched at a time. Those in memory are
	// still due, so it is more than these.
	mostRead = 2 * mostQueued
	// horizon is how far ahead the outbox is read, and how long it is left
	// unread when nobody calls Wake.
	horizon = time.Minute
	// A store that fails is asked again after pauses from the first to the last.
	firstPause, lastPause = time.Second, 30 * time.Second
	// drainTime is what attempts under way get to end when the program stops;
	// saveTime is what the store gets after that.
	drainTime = 4 * time.Second
	saveTime  = 2 * time.Second
)

// Runner empties the outbox. Each delivery is attempted by one goroutine at a
// time, at least once: an attempt that the program did not live to record is
// made again, with the same Idempotency-Key. One runner works on an outbox.
type Runner struct {
	cfg  Config
	wake chan struct{} // holds one call

	delivered, failed, givenUp atomic.Int64
	waiting                    atomic.Int64
	behind                     atomic.Pointer[[]string] // hosts whose due deliveries are left in the store
	unfilled                   unfilled
}

// NewRunner returns a runner; Run starts it.
func NewRunner(cfg Config) *Runner {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	return &Runner{cfg: cfg, wake: make(chan struct{}, 1)}
}

// Wake tells the runner that the outbox has changed. It never waits.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Overdue returns since when the first delivery is due that could be sent; zero:
// none is. It leaves out hosts that rest, or have enough to do.
func (r *Runner) Overdue(ctx context.Context, now time.Time) (since time.Time, err error) {
	var behind []string
	if hosts := r.behind.Load(); hosts != nil {
		behind = *hosts
	}
	due, err := r.cfg.Store.DueDeliveries(ctx, now, 1, behind...)
	if err != nil || len(due) == 0 {
		return time.Time{}, err
	}
	return due[0].DueAt, nil
}

// Counters count since the start, but for Waiting.
type Counters struct {
	Delivered int64 // deliveries that arrived
	Failed    int64 // attempts that did not succeed
	GivenUp   int64 // deliveries that never will
	Waiting   int64 // deliveries that the runner holds now; the outbox may have more
}

// Counters returns the counts of this moment.
func (r *Runner) Counters() Counters {
	return Counters{Delivered: r.delivered.Load(), Failed: r.failed.Load(), GivenUp: r.givenUp.Load(), Waiting: r.waiting.Load()}
}

// Run works until ctx ends, then lets the attempts under way end, for some
// seconds, and records them.
func (r *Runner) Run(ctx context.Context) {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	s := &shift{
		Runner: r, sending: sending, quit: ctx.Done(), done: make(chan result),
		held: map[string]bool{}, queues: map[string][]history.Delivery{}, left: map[string]bool{}, running: map[string]int{}, breakers: map[string]*breaker{},
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			s.drain(stop)
			return
		case res := <-s.done:
			s.finish(res)
		case <-r.wake:
			s.fetch(ctx)
		case <-timer.C:
			s.fetch(ctx)
		}
		s.dispatch()
		timer.Reset(time.Until(s.fetchAt))
	}
}

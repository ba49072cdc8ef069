package pipeline

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"waypost/eventlog"
	"waypost/report"
)

// Store is what the counting needs of a store. Each method is a transaction
// and keeps nothing of the step that it was given.
type Store interface {
	// Place returns how far a projection has come; 0 before its first step.
	Place(ctx context.Context, p report.Projection) (uint64, error)
	// CommitStep writes a step and moves the projection's place, or returns a
	// Conflict fault if the place is not the step's From.
	CommitStep(ctx context.Context, s report.Step) ([]report.Renewed, error)
	// ResetProjection sets the counts to the baseline and the place to where it ends.
	ResetProjection(ctx context.Context, p report.Projection) error
	// TrimmedTo returns the last batch that the baseline includes.
	TrimmedTo(ctx context.Context, p report.Projection) (uint64, error)
	// CommitTrim adds a step's counts to the baseline.
	CommitTrim(ctx context.Context, s report.Step) error
	// EachCount yields every cell of the counts, or of the baseline.
	EachCount(ctx context.Context, baseline bool, fn func(report.Key, int64) error) error
}

// Config is what a Counter works with. Store and Ledger must be set.
type Config struct {
	Store  Store
	Ledger *eventlog.Log
	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // tells how old a batch is; nil: the system's clock
	// Renewed is told of links whose expiry has moved. It may be nil, and must
	// not call the Counter. After a commit whose outcome was not known it is
	// not called, so whoever caches expiries lets them grow old, too.
	Renewed func([]report.Renewed)
	// MaxAge and MaxBytes bound what the ledger keeps of counted events; zero
	// means no bound.
	MaxAge   time.Duration
	MaxBytes int64
	// Others are projections that read the same ledger: nothing is forgotten
	// that one of them has not passed.
	Others []report.Projection
}

const (
	// A step of this many events keeps the store's writer for a fraction of a
	// second and a tally in a few megabytes.
	stepEvents = 20_000
	// smallStep is the same on a machine with one processor. Adding up and
	// sorting twenty thousand events would hold up every redirect for longer
	// than the scheduler's slice of 10 ms.
	smallStep = 2_000
	// linger lets a step gather what a busy ledger brings within it; counts
	// are late by about this much.
	linger = 250 * time.Millisecond
	// retryAfter is the pause after a failed step.
	retryAfter = time.Second
	// trimEvery is how often the bounds of the ledger are looked at.
	trimEvery = time.Minute
)

// Counter is the counting projection.
type Counter struct {
	cfg        Config
	stepEvents int
	trimEvery  time.Duration

	mu     sync.Mutex // held for a step, a round of a trim or a look at the whole
	reader *eventlog.Reader
	place  uint64 // of the store; valid while reader is not nil
	tally  *tally // of one step; its memory is used again

	reached atomic.Uint64 // the store's place, as far as it is known, for Progress
	events  atomic.Int64
	skipped atomic.Int64
	failed  atomic.Int64
}

// NewCounter returns a counter that stands where the store says. A ledger that
// ends before that has lost events, and new ones would get their numbers: the
// two are brought together first.
func NewCounter(ctx context.Context, cfg Config) (*Counter, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	size := stepEvents
	if runtime.GOMAXPROCS(0) == 1 {
		size = smallStep
	}
	c := &Counter{cfg: cfg, stepEvents: size, trimEvery: trimEvery, tally: newTally()}
	if err := c.reconcile(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Run counts, and trims once a minute, until ctx ends. Failures are logged and
// tried again: the ledger keeps what is not counted.
func (c *Counter) Run(ctx context.Context) {
	var trimming sync.WaitGroup
	trimming.Go(func() { c.trimLoop(ctx) })
	c.countLoop(ctx)
	trimming.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropReader()
}

func (c *Counter) countLoop(ctx context.Context) {
	failing := trouble{log: c.cfg.Logger, what: "counting stands still and will be tried again"}
	more := false
	for ctx.Err() == nil {
		err := c.await(ctx, more)
		var worked time.Duration
		if err == nil {
			more, worked, err = c.step(ctx)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			more = false
			c.failed.Add(1)
			failing.report(err)
			pause(ctx, retryAfter)
		default:
			failing.end("counting goes on")
			giveWay(worked, func(d time.Duration) bool { return pause(ctx, d) })
		}
	}
}

// pause waits, and reports whether it was for the whole time.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// CatchUp counts everything that is in the ledger now.
func (c *Counter) CatchUp(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.catchUp(ctx)
}

// Progress tells how the counting goes.
type Progress struct {
	Reached uint64 // last batch counted
	Events  int64  // since the process began
	Skipped int64  // lines that were no event this program knows
	Failed  int64  // steps that had to be tried again
}

// Progress costs nothing and may be asked at any time.
func (c *Counter) Progress() Progress {
	return Progress{c.reached.Load(), c.events.Load(), c.skipped.Load(), c.failed.Load()}
}

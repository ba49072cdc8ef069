package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"waypost/attribution/history"
	"waypost/eventlog"
	"waypost/internal/fault"
	"waypost/link"
)

// AttributorConfig is what an Attributor works with. Store, Ledger and
// Directory must be set.
type AttributorConfig struct {
	Store     HistoryStore
	Ledger    *eventlog.Log
	Directory func() *link.Directory
	Touchers  []Toucher // one for each dialect at most
	Logger    *slog.Logger
	// Outbox makes the deliveries that a piece of news asks for. They are stored
	// with what the news is about, each key once. It must be quick, do no I/O,
	// and return the same for the same news; it may be nil.
	Outbox func(News) []history.Delivery
	// Delivered is called with a step's deliveries after they are committed, also
	// with those that the store had; it may be nil.
	Delivered func(made []history.Delivery)
}

const (
	// A step of this many events keeps the store's writer for a fraction of a
	// second: first opens wait behind it.
	historyEvents      = 5_000
	smallHistoryEvents = 1_000 // on a machine with one processor: see smallStep
	// historyLinger lets a step gather what a busy ledger brings within it. It
	// is cut short when somebody waits for a decision.
	historyLinger = 100 * time.Millisecond
	// forgetMargin keeps touches beyond rememberFor: events come into the
	// ledger a little later than they are received.
	forgetMargin = 24 * time.Hour
)

// Attributor is the projection that remembers touchpoints, and decides what
// apps tell when its turn in the ledger comes.
type Attributor struct {
	cfg        AttributorConfig
	touchers   map[link.Dialect]Toucher
	stepEvents int

	mu       sync.Mutex // held for a step or a rebuild
	incoming incoming
	place    uint64 // of the store; valid while incoming is open
	links    linkCache
	policies policies

	waiters waiters
	// backlog is what the history has to have passed before what is not in it
	// was never told: the ledger's end when the process began.
	backlog atomic.Uint64

	reached reach
	events  atomic.Int64
	skipped atomic.Int64
	failed  atomic.Int64
	checks  likenessChecks
}

// NewAttributor returns one that stands where the store says. If the ledger
// ends before that, it has lost events: what was decided of them stays.
func NewAttributor(ctx context.Context, cfg AttributorConfig) (*Attributor, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Attributor{cfg: cfg, touchers: map[link.Dialect]Toucher{}, stepEvents: historyEvents, links: linkCache{store: cfg.Store}, waiters: newWaiters()}
	if runtime.GOMAXPROCS(0) == 1 {
		a.stepEvents = smallHistoryEvents
	}
	for _, t := range cfg.Touchers {
		if a.touchers[t.Name()] != nil {
			return nil, fault.New(fault.Conflict, "two touchers of dialect %q", t.Name())
		}
		a.touchers[t.Name()] = t
	}
	place, err := cfg.Store.Place(ctx, History)
	if err != nil {
		return nil, fmt.Errorf("read how far the history is: %w", err)
	}
	state, err := cfg.Ledger.State(ctx)
	if err != nil {
		return nil, fmt.Errorf("read how far the ledger is: %w", err)
	}
	if state.Last < place {
		cfg.Logger.Error("the ledger ends before what is decided already: it has lost events; what was decided of them stays",
			"ledger_ends", state.Last, "decided_to", place)
		if err := cfg.Store.RewindHistory(ctx, History, state.Last); err != nil {
			return nil, fmt.Errorf("bring the history to the ledger's end, batch %d: %w", state.Last, err)
		}
		place = state.Last
	}
	a.reached.Store(place)
	a.backlog.Store(state.Last)
	return a, nil
}

// Run decides until ctx ends. Failures are logged and tried again: the ledger
// keeps what is not decided.
func (a *Attributor) Run(ctx context.Context) {
	failing := trouble{log: a.cfg.Logger, what: "attribution stands still and will be tried again"}
	more := false
	for ctx.Err() == nil {
		began := time.Now()
		err := a.await(ctx, more)
		if err == nil {
			began = time.Now()
			more, err = a.step(ctx)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			more = false
			a.failed.Add(1)
			failing.report(err)
			pause(ctx, retryAfter)
		default:
			failing.end("attribution goes on")
			giveWay(time.Since(began), func(d time.Duration) bool { return a.breathe(ctx, d) })
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dropReader()
}

// breathe pauses, unless somebody waits for a decision, and reports whether
// nobody did.
func (a *Attributor) breathe(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.waiters.wanted():
	case <-ctx.Done():
	}
	return false
}

// CatchUp decides everything that is in the ledger now.
func (a *Attributor) CatchUp(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.catchUp(ctx)
}

// catchUp is CatchUp with the lock held.
func (a *Attributor) catchUp(ctx context.Context) error {
	state, err := a.cfg.Ledger.State(ctx)
	if err != nil {
		return fmt.Errorf("read how far the ledger is: %w", err)
	}
	for before := uint64(0); ; before = a.place {
		if _, err := a.stepLocked(ctx); err != nil {
			return err
		}
		if a.place >= state.Last {
			return ctx.Err()
		}
		if a.place == before {
			pause(ctx, laggard)
		}
	}
}

// Rebuild throws away what was made of the ledger, for the next steps to make
// it anew; deliveries, and links that were handed out, stay. It refuses where
// the ledger no longer holds its beginning: decisions would be lost for ever.
func (a *Attributor) Rebuild(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.needBeginning(ctx); err != nil {
		return err
	}
	a.dropReader()
	// First of all nothing counts as decided any more, so that nobody takes what
	// is not there for what was never told.
	a.backlog.Store(max(a.backlog.Load(), a.reached.Load()))
	a.reached.Store(0)
	if err := a.cfg.Store.ResetHistory(ctx, History); err != nil {
		return fmt.Errorf("reset the history: %w", err)
	}
	return nil
}

// Progress costs nothing and may be asked at any time.
func (a *Attributor) Progress() Progress {
	return Progress{a.reached.Load(), a.events.Load(), a.skipped.Load(), a.failed.Load()}
}

// Lag is how many batches of the ledger are not decided yet.
func (a *Attributor) Lag(ctx context.Context) (uint64, error) {
	state, err := a.cfg.Ledger.State(ctx)
	if err != nil {
		return 0, fmt.Errorf("read how far the ledger is: %w", err)
	}
	return state.Last - min(a.reached.Load(), state.Last), nil
}

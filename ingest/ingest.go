// Package ingest takes what apps, and servers that speak for them, tell:
// opens, in-app events, consent, names of users, and clicks and impressions
// that no link host has seen. Dialects translate their requests into Reports;
// everything else happens here once: finding the app, correcting the clock,
// cutting down what may be kept, flagging what is odd, and the ledger. A report
// is acknowledged only when its event is in the ledger.
package ingest

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// Ledger keeps events.
type Ledger interface {
	// Append returns when the line is on stable storage, or an error and the
	// line may or may not be. It does not keep the line.
	Append(line []byte) error
}

// Decisions are what is concluded from the ledger, some time after an event is in it.
type Decisions interface {
	// Await returns the installation as soon as the open with the key is
	// decided; not ok when ctx ends before that. It looks at what is decided
	// already before it waits, so it may begin after the open was appended.
	Await(ctx context.Context, app link.AppID, install, key string) (i history.Installation, ok bool, err error)
	// ReadInstallation returns what is known now; not ok when nothing is.
	ReadInstallation(ctx context.Context, app link.AppID, install string) (i history.Installation, ok bool, err error)
	// Mark returns a place in the ledger behind every event whose Append has
	// returned; marks never go back. HasPassed reports whether everything before a mark is
	// decided, which that before 0 always is. Neither costs anything.
	Mark() uint64
	HasPassed(mark uint64) bool
	// ReadConsent returns what the person of an installation permits, also
	// before its first open; empty answers are not known. What is before the mark,
	// and what was in the ledger when the process began, is waited for, a moment
	// at most: where it is not decided then, that is an error.
	ReadConsent(ctx context.Context, app link.AppID, install string, mark uint64, now time.Time) (attribution.Consent, error)
	// IsDecided reports whether an open with the key was decided.
	IsDecided(ctx context.Context, app link.AppID, install, key string) (bool, error)
	// TakeDeepLink hands out an installation's deferred deep link to the first
	// that asks, and again to who has the same key, unless that is empty; not ok
	// when there is none for him, or its time is over.
	TakeDeepLink(ctx context.Context, app link.AppID, install, key string, now time.Time) (deepLink string, ok bool, err error)
	// IsTold reports whether a click or an impression with the id is remembered
	// that was within a month of at. What was in the ledger when the process
	// began is waited for, a moment at most.
	IsTold(ctx context.Context, id uid.Click, at time.Time) (bool, error)
	// ReadTouch returns a touch by its id and time; not ok when it is forgotten.
	ReadTouch(ctx context.Context, id uid.Click, at time.Time) (t history.Touch, ok bool, err error)
}

// Config is what a Service needs. Directory, Ledger and Decisions must be set.
type Config struct {
	Directory func() *link.Directory
	Ledger    Ledger
	Decisions Decisions
	// Unknown keeps what reports named and nobody has; nil: it is forgotten with
	// the process. Run brings it there.
	Unknown UnknownStore
	Now     func() time.Time
	// FindOpened finds links that have opened an app; nil: none are looked for.
	FindOpened FindOpened
	// Country returns the ISO country of an address, or "". It may be nil.
	Country func(netip.Addr) string
	// Network returns the name of the network that an address belongs to, or
	// "". It may be nil.
	Network func(netip.Addr) string
	Logger  *slog.Logger
}

// Service takes reports. It is safe for concurrent use.
type Service struct {
	cfg      Config
	names    atomic.Pointer[names]
	agents   *device.Detector
	counters counters
	unknowns unknowns
	engaged  recent
	said     permitted
}

const agentsCached = 4 << 10

// New returns a ready service.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Country == nil {
		cfg.Country = func(netip.Addr) string { return "" }
	}
	if cfg.Network == nil {
		cfg.Network = func(netip.Addr) string { return "" }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg: cfg, agents: device.NewDetector(agentsCached), said: permitted{most: mostPermitted}}
}

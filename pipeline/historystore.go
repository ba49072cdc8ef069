package pipeline

import (
	"context"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/report"
)

// History is the projection that remembers touchpoints and decides conversions.
const History report.Projection = "history"

// HistoryStore is what the deciding needs of a store. Each method is a
// transaction and keeps nothing of the step that it was given.
type HistoryStore interface {
	// Place returns how far a projection has come; 0 before its first step.
	Place(ctx context.Context, p report.Projection) (uint64, error)
	// CommitHistory writes a step and moves the projection's place, or returns
	// a Conflict fault if the place is not the step's From.
	CommitHistory(ctx context.Context, s history.Step) error
	// RewindHistory moves the place back to a batch, if it is beyond, and
	// leaves what was made.
	RewindHistory(ctx context.Context, p report.Projection, to uint64) error
	// ResetHistory removes what the projection has made, but for deliveries and
	// the knowledge which deferred deep links were handed out; its place is 0.
	ResetHistory(ctx context.Context, p report.Projection) error

	// FindTouches returns the touches of each lookup, the newest first, of
	// equal age the one that came later, attribution.MaxPerKey at most. UsedBy
	// is filled.
	FindTouches(ctx context.Context, asked []attribution.Lookup) ([][]history.Touch, error)
	// ReadTouch returns the touch of a click that was at an instant, if it is
	// not forgotten. UsedBy is filled.
	ReadTouch(ctx context.Context, id uid.Click, at time.Time) (history.Touch, bool, error)
	// ReadInstallation returns an installation, if it is known.
	ReadInstallation(ctx context.Context, app link.AppID, install string) (history.Installation, bool, error)
	// FindInstallations returns the installations under each key: under a
	// device's those that began at since or later, under an address those whose
	// last sign of life came from there, in the hour of since or later; the
	// newest first, most at most.
	FindInstallations(ctx context.Context, keys []attribution.Key, since time.Time, most int) ([][]history.Installation, error)
	// ReadDecided returns a conversion with its decision, if there is one.
	ReadDecided(ctx context.Context, app link.AppID, install string, id attribution.ConversionID) (history.Decided, bool, error)
	// ListDecided returns an installation's conversions, the newest first.
	ListDecided(ctx context.Context, app link.AppID, install string, most int) ([]history.Decided, error)
	// EachDecided yields every conversion, by app, installation and conversion, as
	// of one instant. fn must not wait.
	EachDecided(ctx context.Context, fn func(history.Decided) error) error
	// KnowsPlatformConversion reports whether one with the key is there.
	KnowsPlatformConversion(ctx context.Context, app link.AppID, f event.Framework, key string) (bool, error)
	// ReadSites returns what was counted for each site and day, in their order;
	// zero where nothing was, or it is forgotten.
	ReadSites(ctx context.Context, asked []history.SiteDay) ([]attribution.SiteTraffic, error)
	// ReadOrphan returns one of those that came before their installation, if it is there.
	ReadOrphan(ctx context.Context, app link.AppID, install string, id attribution.ConversionID) (history.Orphan, bool, error)
	// ListOrphans returns what came before its installation, the oldest first,
	// of what was received at once by the conversion.
	ListOrphans(ctx context.Context, app link.AppID, install string) ([]history.Orphan, error)
	// TakeDeepLink hands out an installation's deferred deep link to the first
	// that asks, and again to who has the same key, unless that is empty; not
	// after its LinkUntil.
	TakeDeepLink(ctx context.Context, app link.AppID, install, key string, now time.Time) (string, bool, error)
	// ReadHandedLink returns when it was first handed out, if it was.
	ReadHandedLink(ctx context.Context, app link.AppID, install string) (time.Time, bool, error)

	// ReadLinkByID returns a link, expired or not; NotFound when it is gone.
	ReadLinkByID(ctx context.Context, id link.LinkID) (link.Link, error)
}

package report

import (
	"time"

	"waypost/link"
)

// Projection names a reader of the ledger that keeps its own place in it.
type Projection string

// Step is what a projection made of the ledger's batches after From up to To.
// A store commits its rows and its new place in one transaction, and refuses a
// step that does not begin where the projection stands: so every batch counts
// exactly once whatever crashes.
type Step struct {
	Projection Projection
	From, To   uint64 // sequences: the place before, the place after
	Counts     Counts
	Renewals   []Renewal
}

// Renewal says that a link was clicked while it was live, so that its time
// begins anew: a store moves the expiry of a link that renews to At plus the
// link's TTL, never backwards, and never for a click that is older than the
// link's last change.
type Renewal struct {
	Link link.LinkID
	At   time.Time // of the latest such click in the step
}

// Renewed is a link whose expiry a step has moved.
type Renewed struct {
	Path      link.Path
	ExpiresAt time.Time
}

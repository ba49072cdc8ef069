package history

import (
	"time"

	"waypost/link"
)

// Unknown is a name that reports gave and that nobody has, shown to the account
// that they meant.
type Unknown struct {
	Account link.AccountID
	Kind    UnknownKind
	Name    string // as the reports spell it
	Reports int64  // that gave it
	LastAt  time.Time
}

// UnknownKind is what a name was to be.
type UnknownKind string

// Kinds of unknown names.
const (
	UnknownApp UnknownKind = "app"
	UnknownKey UnknownKind = "key" // a public SDK key
)

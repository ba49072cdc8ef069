// Package fault gives errors a kind, so that a door can turn any error of the
// rules below it into its own protocol with one switch.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of refusal an error is. An error without a Kind is
// Internal: logged once, shown as a fixed sentence.
type Kind uint8

// Kinds of refusal.
const (
	Internal     Kind = iota
	Invalid           // the caller sent something wrong; Field names it
	NotFound          // what was named does not exist for this caller
	Conflict          // it exists already, or is in a state that forbids this
	Forbidden         // the caller is known and may not do this
	Unauthorized      // the caller is not known
	Quota             // the account's allowance for the period is spent
	RateLimited       // too many calls in a short time
	Unavailable       // a dependency does not answer; trying again may help
)

var kindNames = [...]string{"internal", "invalid", "not_found", "conflict", "forbidden", "unauthorized", "quota", "rate_limited", "unavailable"}

// String returns the kind's name as our own API shows it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// Reason refines Invalid and Conflict where a dialect answers differently.
type Reason string

// Reasons that dialects tell apart.
const (
	Missing    Reason = "missing"
	Malformed  Reason = "malformed"
	TooLong    Reason = "too_long"
	Unknown    Reason = "unknown"     // names a thing that does not exist
	NotAllowed Reason = "not_allowed" // names a thing that exists but may not be used here
	Taken      Reason = "taken"
	Source     Reason = "source" // the thing was made in a way that forbids the call
	ReadOnly   Reason = "read_only"
	Archived   Reason = "archived" // it was put away, and takes no changes
	InUse      Reason = "in_use"   // others depend on it
)

// Error is an error with a kind.
type Error struct {
	Kind       Kind
	Reason     Reason        // may be empty
	Field      string        // the offending field, as the caller knows it; may be empty
	Message    string        // for the caller: what is wrong and what would be right
	RetryAfter time.Duration // for Quota, RateLimited and Unavailable; 0 means unknown
	Err        error         // the cause, for the log; never shown
}

func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = e.Kind.String()
	}
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of the given kind.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Bad returns an Invalid error about a field.
func Bad(field string, reason Reason, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Because returns e with its cause set.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// As returns the fault in err's chain; an error without one becomes Internal
// with err as its cause, so the result is never nil for a non-nil err.
func As(err error) *Error {
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return &Error{Kind: Internal, Err: err}
}

// Is reports whether err carries the kind.
func Is(err error, kind Kind) bool {
	return err != nil && As(err).Kind == kind
}

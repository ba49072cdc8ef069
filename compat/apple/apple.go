// Package apple takes what Apple's devices tell of advertisements: copies of
// the postbacks of SKAdNetwork 2.1 to 4.0 and of AdAttributionKit, which Apple
// signs. A postback that Apple has not signed is refused; a good one becomes a
// conversion of a platform, which names no device, no click and no person.
package apple

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"waypost/event"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/internal/uid"
)

// Where devices post. They know a registrable domain alone and add these paths
// to it (docs/compat/apple.md).
const (
	skAdNetworkPath      = "/.well-known/skadnetwork/report-attribution"
	adAttributionKitPath = "/.well-known/appattribution/report-attribution"
)

// Owns reports whether a request's path is one of those that devices post to.
// Apple writes them with a final slash.
func Owns(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == skAdNetworkPath || path == adAttributionKitPath
}

// Intake takes what was told: ingest.Service.
type Intake interface {
	// PlatformConversion keeps one, or says why not: Invalid, with the Field of
	// package ingest, NotFound for an unknown app, Unavailable.
	PlatformConversion(ctx context.Context, r ingest.PlatformReport) (uid.Click, error)
	// Refuse counts a report that was refused before.
	Refuse(err error) error
}

// Config is what the receiver needs. Intake must be set.
type Config struct {
	Intake Intake
	Logger *slog.Logger // nil: nothing is logged
	// keys are those of tests; nil: Apple's.
	keys *keys
}

type receiver struct {
	Config
	failures reply.Failures
}

// New returns the handler for every path that Owns accepts.
func New(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.keys == nil {
		c.keys = appleKeys()
	}
	r := &receiver{c, reply.Failures{Logger: c.Logger, Text: "a postback of Apple's failed"}}
	return reply.Handler{Answer: r.answer, Panicked: r.panicked}
}

// accepted is the answer to a postback that is kept. Devices look at the status
// alone: whatever is not 200 they send again, nine times in nine days.
type accepted struct {
	ID string `json:"id"` // of the event
}

type refused struct {
	Error problem `json:"error"`
}

type problem struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func (a *receiver) answer(r *http.Request) reply.Reply {
	if r.Method != http.MethodPost {
		return reply.JSON(http.StatusMethodNotAllowed, refused{problem{Message: "devices send postbacks with POST"}}).With("Allow", http.MethodPost)
	}
	id, err := a.take(r)
	if err != nil {
		return a.refuse(r, err)
	}
	return reply.JSON(http.StatusOK, accepted{id.String()})
}

func (a *receiver) take(r *http.Request) (uid.Click, error) {
	_, body, err := ingest.ReadBody(r)
	if err != nil {
		return 0, a.Intake.Refuse(err)
	}
	read := a.keys.readSKAdNetwork
	if strings.TrimSuffix(r.URL.Path, "/") == adAttributionKitPath {
		read = a.keys.readAdAttributionKit
	}
	p, err := read(body)
	if err != nil {
		return 0, a.Intake.Refuse(err)
	}
	return a.Intake.PlatformConversion(r.Context(), ingest.PlatformReport{
		Platform: device.IOS, StoreID: p.item, Host: hostOf(r.Host), Conversion: p.conversion,
	})
}

// posted is a postback that was read, and whose signature is good.
type posted struct {
	item       string // the app's number in the store
	conversion event.PlatformConversion
}

func hostOf(authority string) string {
	if host, _, err := net.SplitHostPort(authority); err == nil {
		authority = host
	}
	return strings.ToLower(strings.TrimSuffix(authority, "."))
}

func (a *receiver) refuse(r *http.Request, err error) reply.Reply {
	f := fault.As(err)
	said := refused{problem{f.Field, f.Message}}
	switch f.Kind {
	case fault.Invalid:
		return reply.JSON(http.StatusBadRequest, said)
	case fault.NotFound:
		return reply.JSON(http.StatusNotFound, said)
	case fault.Unavailable:
		return reply.JSON(http.StatusServiceUnavailable, said).RetryAfter(f.RetryAfter)
	}
	return a.failures.Failed(r, internal(), err)
}

func (a *receiver) panicked(r *http.Request, value any) reply.Reply {
	return a.failures.Panicked(r, internal(), value)
}

func internal() reply.Reply {
	return reply.JSON(http.StatusInternalServerError, refused{problem{Message: "something went wrong here; send it again"}})
}

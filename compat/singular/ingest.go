package singular

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"waypost/ingest"
	"waypost/internal/reply"
	"waypost/link"
)

// Intake takes what apps tell: ingest.Service.
type Intake interface {
	// Account returns the account with the SDK key: NotFound when there is none.
	// The account whose app ref names is shown such a key.
	Account(ref ingest.AppRef) (*link.Account, error)
	// Open, Event and Engage take a report, or count it as refused and say why:
	// Invalid, with the Field of package ingest, NotFound for an unknown app, Unavailable.
	Open(ctx context.Context, r ingest.Report) (ingest.Receipt, error)
	Event(ctx context.Context, r ingest.Report) (ingest.Receipt, error)
	Engage(ctx context.Context, e ingest.Engagement) (ingest.Receipt, error)
	// Refuse counts what this dialect refused by itself, and returns it.
	Refuse(err error) error
	// Answer waits for the decision of an open, and takes its deferred deep link.
	Answer(ctx context.Context, open ingest.Receipt, wait time.Duration) ingest.Answer
}

// Links are read for apps that were opened by one.
type Links interface {
	// ReadLink returns the link at a path, or NotFound.
	ReadLink(ctx context.Context, path link.Path) (link.Link, error)
	// KnowsTargetHost reports whether a stored link of the account points to the host.
	KnowsTargetHost(ctx context.Context, account link.AccountID, host string) (bool, error)
}

// IngestConfig is what the server-to-server endpoints need. Intake, Links and
// Directory must be set.
type IngestConfig struct {
	Intake    Intake
	Links     Links
	Directory func() *link.Directory
	// Address returns who sends a request, past the operator's proxies; nil: the
	// other end of the connection.
	Address func(r *http.Request) netip.Addr
	Now     func() time.Time
	// Wait is how long a launch waits for its deferred deep link; 0 is ingest.DefaultWait.
	Wait   time.Duration
	Logger *slog.Logger // nil: nothing is logged
}

// Ingest answers the launch and evt endpoints.
type Ingest struct {
	IngestConfig
	failures reply.Failures
}

// NewIngest returns the handler for every path that OwnsIngest accepts.
func NewIngest(c IngestConfig) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == 0 {
		c.Wait = ingest.DefaultWait
	}
	if c.Address == nil {
		c.Address = peer
	}
	in := &Ingest{c, reply.Failures{Logger: c.Logger, Text: "Singular S2S request failed"}}
	return reply.Handler{Answer: in.answer, Panicked: in.panicked}
}

// peer is the other end of a connection.
func peer(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}

// endpoint is what a path of the S2S reference takes.
type endpoint struct {
	event  bool // one in-app event; false: a session
	second bool // of v2, which knows devices by sdid alone
}

// ingestPlace returns the endpoint at a path. Repeated and trailing slashes
// make no segment.
func ingestPlace(path string) (endpoint, bool) {
	switch parts := strings.FieldsFunc(path, func(c rune) bool { return c == '/' }); strings.Join(parts, "/") {
	case "api/v1/launch":
		return endpoint{}, true
	case "api/v1/evt":
		return endpoint{event: true}, true
	case "api/v2/evt":
		return endpoint{event: true, second: true}, true
	}
	return endpoint{}, false
}

// OwnsIngest reports whether a request's path belongs to these endpoints.
func OwnsIngest(path string) bool {
	_, ours := ingestPlace(path)
	return ours
}

var ingestMethods = []string{http.MethodGet, http.MethodPost}

// answer takes one request. A HEAD would tell something and hear nothing, so
// it is no GET here.
func (in *Ingest) answer(r *http.Request) reply.Reply {
	at, ours := ingestPlace(r.URL.Path)
	allowed := strings.Join(append([]string{http.MethodOptions}, ingestMethods...), ", ")
	switch {
	case !ours:
		return outcome(http.StatusNotFound, "there is no such endpoint")
	case r.Method == http.MethodOptions:
		return reply.Empty(http.StatusNoContent).With("Allow", allowed)
	case !slices.Contains(ingestMethods, r.Method):
		return outcome(http.StatusMethodNotAllowed, "method not allowed; use GET or POST").With("Allow", allowed)
	}
	answer, err := in.take(r, at)
	if err != nil {
		return in.refuse(r, err)
	}
	return reply.JSON(0, answer).With("Cache-Control", "no-store")
}

// take puts what a request tells into the ledger, and only then answers.
func (in *Ingest) take(r *http.Request, at endpoint) (*launched, error) {
	said, err := readTold(r, at.names())
	if err != nil {
		return nil, in.Intake.Refuse(err)
	}
	t := telling{Ingest: in, request: r, endpoint: at, said: said}
	report, err := t.report()
	if err != nil {
		return nil, in.Intake.Refuse(err)
	}
	if at.event {
		_, err := in.Intake.Event(r.Context(), report)
		return &launched{Status: statusOK}, err
	}
	return t.launch(report)
}

// outcome is an answer that is no success. The vendor's is always 200; ours is
// another status where a client should try again, or has the wrong address.
func outcome(status int, reason string) reply.Reply {
	return reply.JSON(status, struct {
		Status string `json:"status"`
		Reason string `json:"reason"`
	}{"error", reason}).With("Cache-Control", "no-store")
}

// panicked answers a request that a mistake of ours has stopped.
func (in *Ingest) panicked(r *http.Request, value any) reply.Reply {
	return in.failures.Panicked(r, outcome(http.StatusInternalServerError, internalReason), value)
}

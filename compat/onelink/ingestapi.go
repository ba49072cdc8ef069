package onelink

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"waypost/attribution/history"
	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
)

// Intake is what takes reports, and answers questions about installations.
type Intake interface {
	// NoteUnknown counts an app or a token that nobody has, and shows it to the
	// account that was meant; zero: nobody knows which.
	NoteUnknown(account link.AccountID, kind history.UnknownKind, name string)
	// Refuse counts what is refused before the methods below are asked, which
	// count by themselves.
	Refuse(err error) error
	Open(ctx context.Context, r ingest.Report) (ingest.Receipt, error)
	Event(ctx context.Context, r ingest.Report) (ingest.Receipt, error)
	Engage(ctx context.Context, e ingest.Engagement) (ingest.Receipt, error)
	// Decided waits for the decision of an open, and leaves its deferred deep
	// link for TakeLink.
	Decided(ctx context.Context, open ingest.Receipt, wait time.Duration) ingest.Answer
	TakeLink(ctx context.Context, a *ingest.Answer) error
	Ask(ctx context.Context, app link.AppID, install string, takeLink bool) (ingest.Answer, error)
	// WonBack adds to what Ask has answered what won the person back.
	WonBack(ctx context.Context, a *ingest.Answer) error
}

// Tokens tells who holds a secret; Unauthorized where nobody does.
type Tokens interface {
	Authenticate(secret string) (manage.Actor, error)
}

// IngestConfig is what the reporting APIs are made of. All but Logger must be set.
type IngestConfig struct {
	Intake    Intake
	Tokens    Tokens
	Directory func() *link.Directory
	Logger    *slog.Logger // nil: nothing is logged
}

// Ingest answers the vendor's reporting APIs: in-app events and engagements
// from servers, deferred deep links, and conversion data.
type Ingest struct {
	IngestConfig
	endpoints []reporting
	failures  reply.Failures
	apps      atomic.Pointer[wireIDs]
	counters  struct{ dropped, badSignatures atomic.Uint64 }
}

// IngestStats are what the dialect itself turned away since the process began.
type IngestStats struct {
	Dropped       uint64 // events that were answered with 200 and not kept, as the vendor does
	BadSignatures uint64
}

// reporting is one endpoint: how its path begins, what stands in it, and its
// own shapes of answers.
type reporting struct {
	prefix  []string
	parts   int // segments behind the prefix
	methods []string
	do      func(*reported) (reply.Reply, error)
	refuse  func(*fault.Error) reply.Reply
}

// reported is a request that has found its endpoint.
type reported struct {
	*http.Request
	directory *link.Directory
	parts     []string // of the path, decoded
	handed    bool     // to Intake, which counts what it refuses
}

// NewIngest returns the handler for every path that OwnsIngest accepts.
func NewIngest(c IngestConfig) *Ingest {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	in := &Ingest{IngestConfig: c, failures: reply.Failures{Logger: c.Logger, Text: "OneLink report failed"}}
	post, both := []string{http.MethodPost}, []string{http.MethodGet, http.MethodPost}
	in.endpoints = []reporting{
		{[]string{"inappevent"}, 1, post, in.takeEvent, refuseEvent},
		{[]string{"v1.0", "s2s", "click", "app"}, 2, both, in.takeClick, refuseEngagement},
		{[]string{"v1.0", "s2s", "impression", "app"}, 2, both, in.takeView, refuseEngagement},
		{[]string{"v1.0", "ios"}, 1, post, in.answerIOS, refuseDeepLink},
		{[]string{"v1.0", "android"}, 1, post, in.answerAndroid, refuseDeepLink},
		{[]string{"install_data", "v5.0"}, 1, []string{http.MethodGet}, in.answerConversion, refuseConversion},
	}
	return in
}

// OwnsIngest reports whether a request's path, escaped or not, belongs to the
// reporting APIs.
func OwnsIngest(path string) bool {
	parts := segments(path)
	switch {
	case len(parts) == 0:
		return false
	case parts[0] == "inappevent":
		return true
	case len(parts) < 2:
		return false
	}
	return parts[0] == "install_data" && parts[1] == "v5.0" ||
		parts[0] == "v1.0" && (parts[1] == "s2s" || parts[1] == "ios" || parts[1] == "android")
}

// Stats returns the counters for metrics.
func (in *Ingest) Stats() IngestStats {
	return IngestStats{Dropped: in.counters.dropped.Load(), BadSignatures: in.counters.badSignatures.Load()}
}

// ServeHTTP answers one request.
func (in *Ingest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply.Handler{Answer: in.answer, Panicked: in.panicked}.ServeHTTP(w, r)
}

func (in *Ingest) answer(r *http.Request) reply.Reply {
	found, parts := in.endpoint(r)
	if found == nil {
		return reply.JSON(http.StatusNotFound, message{"Not found"})
	}
	if len(r.RequestURI) > maxURI+maxAgentURI {
		err := fault.Bad("URL", fault.TooLong, "the URL is longer than %d bytes", maxURI+maxAgentURI)
		return found.refuse(fault.As(in.Intake.Refuse(err)))
	}
	if !slices.Contains(found.methods, r.Method) {
		return reply.JSON(http.StatusMethodNotAllowed, message{"Method not allowed"}).With("Allow", strings.Join(found.methods, ", "))
	}
	report := &reported{Request: r, directory: in.Directory(), parts: parts}
	answer, err := found.do(report)
	if err != nil {
		if !report.handed {
			err = in.Intake.Refuse(err)
		}
		answer = in.refused(r, found, err)
	}
	return answer.With("Cache-Control", "no-store")
}

// maxAgentURI is how much longer than others the URL of a reported click may
// be: it holds a User-Agent and every name of a campaign.
const maxAgentURI = 8 << 10

// endpoint finds what answers the path. Only the escaped path tells a slash in
// an app's id from one between segments.
func (in *Ingest) endpoint(r *http.Request) (found *reporting, parts []string) {
	all := segments(r.URL.EscapedPath())
	for i := range in.endpoints {
		e := &in.endpoints[i]
		if len(all) != len(e.prefix)+e.parts || !slices.Equal(all[:len(e.prefix)], e.prefix) {
			continue
		}
		for _, part := range all[len(e.prefix):] {
			plain, err := url.PathUnescape(part)
			if err != nil {
				return nil, nil
			}
			parts = append(parts, plain)
		}
		return e, parts
	}
	return nil, nil
}

// message is the error body of most of these APIs.
type message struct {
	Message string `json:"message"`
}

// refused shapes an error, and logs those that are not the caller's doing.
func (in *Ingest) refused(r *http.Request, e *reporting, err error) reply.Reply {
	f := fault.As(err)
	answer := e.refuse(f)
	if f.Kind == fault.Unavailable {
		answer = answer.RetryAfter(f.RetryAfter)
	}
	if f.Kind == fault.Internal {
		answer = in.failures.Failed(r, answer, err)
	}
	return answer
}

// panicked answers a request that a mistake of ours has stopped.
func (in *Ingest) panicked(r *http.Request, value any) reply.Reply {
	answer := reply.JSON(http.StatusInternalServerError, message{"Internal Server Error"})
	if e, _ := in.endpoint(r); e != nil {
		answer = e.refuse(&fault.Error{Kind: fault.Internal})
	}
	return in.failures.Panicked(r, answer, value)
}

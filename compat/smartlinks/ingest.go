package smartlinks

import (
	"bufio"
	"compress/gzip"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
)

// Intake is what takes the reports of apps and servers. Refusals are faults.
type Intake interface {
	// FindApp returns the app, or NotFound, which it counts.
	FindApp(ref ingest.AppRef) (*link.App, *link.Account, error)
	// Open, Event and Identify return when the report is in the ledger, or count
	// it as refused.
	Open(ctx context.Context, r ingest.Report) (ingest.Receipt, error)
	Event(ctx context.Context, r ingest.Report) (ingest.Receipt, error)
	Identify(ctx context.Context, r ingest.Report) (ingest.Receipt, error)
	// Refuse counts what this dialect refused by itself, and returns it.
	Refuse(err error) error
	// Ask returns what is known of an installation.
	Ask(ctx context.Context, app link.AppID, install string, takeLink bool) (ingest.Answer, error)
}

// IngestConfig is what the ingest API is made of. Intake and Directory must be set.
type IngestConfig struct {
	Intake    Intake
	Directory func() *link.Directory
	Now       func() time.Time // nil: time.Now
	// Address returns the address from which a request comes, behind proxies that
	// are trusted; nil: the connection's.
	Address func(*http.Request) netip.Addr
	Logger  *slog.Logger // nil: nothing is logged
}

// Ingest takes what apps, and servers that speak for them, tell.
type Ingest struct {
	IngestConfig
	guids    atomic.Pointer[guids]
	repeats  repeats
	failures reply.Failures
}

// NewIngest returns the handler for every path that OwnsIngest accepts.
func NewIngest(c IngestConfig) http.Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Address == nil {
		c.Address = peer
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Ingest{IngestConfig: c, failures: reply.Failures{Logger: c.Logger, Text: "a report in the SmartLinks dialect failed"}}
	return reply.Handler{Answer: n.answer, Panicked: n.panicked}
}

func peer(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}

// ingestPaths are the addresses of the ingest API with the action that each
// takes where a message names none.
var ingestPaths = map[string]string{
	"track/json": "", "track/kvquery": actionPull, "track/kvinit": actionInit,
	"token/add": actionTokenAdd, "token/remove": actionTokenRemove,
}

// OwnsIngest reports whether a request's path belongs to the ingest API, so
// that a listener can pass it on before a mux cleans and redirects it.
func OwnsIngest(path string) bool {
	_, ok := ingestPaths[strings.Join(segments(path), "/")]
	return ok
}

// answer says what a request is told. Every site may ask: what the vendor's
// library in a browser sends comes from the advertiser's own page.
func (n *Ingest) answer(r *http.Request) reply.Reply {
	answer, err := n.routed(r)
	if err != nil {
		answer = n.refuse(r, err)
	}
	return answer.With("Cache-Control", "no-store").With("Access-Control-Allow-Origin", "*")
}

func (n *Ingest) routed(r *http.Request) (reply.Reply, error) {
	action, ok := ingestPaths[strings.Join(segments(r.URL.EscapedPath()), "/")]
	switch {
	case !ok:
		return told(http.StatusNotFound, "there is nothing at this path"), nil
	case r.Method == http.MethodOptions:
		return reply.Empty(http.StatusNoContent).With("Allow", "OPTIONS, POST").With("Access-Control-Allow-Methods", "POST").
			With("Access-Control-Allow-Headers", "content-type,content-encoding").With("Access-Control-Max-Age", "86400"), nil
	case r.Method != http.MethodPost:
		return told(http.StatusMethodNotAllowed, r.Method+" is not allowed here; send a POST").With("Allow", "OPTIONS, POST"), nil
	}
	raw, err := readPacked(r)
	if err != nil {
		return reply.Reply{}, n.Intake.Refuse(err)
	}
	if len(raw) > 0 && raw[0] == '[' {
		return n.takeBatch(r, raw, action)
	}
	return n.takeOne(r, raw, action)
}

// readPacked reads a body that may be packed by gzip, whatever its headers say.
func readPacked(r *http.Request) ([]byte, error) {
	body := bufio.NewReader(r.Body)
	if head, _ := body.Peek(2); string(head) != "\x1f\x8b" {
		return readAll(body)
	}
	packed, err := gzip.NewReader(body)
	if err != nil {
		return nil, fault.Bad(bodyField, fault.Malformed, "is no readable gzip").Because(err)
	}
	return readAll(packed)
}

func (n *Ingest) takeOne(r *http.Request, raw []byte, action string) (reply.Reply, error) {
	top, err := parseObject(raw)
	if err != nil {
		return reply.Reply{}, n.Intake.Refuse(err)
	}
	return n.take(r, top, action)
}

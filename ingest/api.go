package ingest

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"waypost/event"
	"waypost/internal/fault"
	"waypost/internal/reply"
)

// Prefix is where our own SDK API lives.
const Prefix = "/sdk/v1"

// KeyHeader may carry the account's SDK key instead of the body's app_key.
const KeyHeader = "X-Waypost-Key"

// MaxBatch is how many events one call may bring.
const MaxBatch = 100

// APIConfig is what our own SDK API needs. Service must be set.
type APIConfig struct {
	Service *Service
	// Address tells whose request it is; nil: the connection's.
	Address func(*http.Request) netip.Addr
	// Wait is how long an open waits for its decision; zero: DefaultWait.
	Wait   time.Duration
	Logger *slog.Logger
}

type sdkAPI struct{ APIConfig }

// Owns reports whether a request's path belongs to our own SDK API.
func Owns(path string) bool { return path == Prefix || strings.HasPrefix(path, Prefix+"/") }

// NewAPI returns the handler of our own SDK API (docs/sdk.md).
func NewAPI(cfg APIConfig) http.Handler {
	if cfg.Address == nil {
		cfg.Address = AddressBehind(nil)
	}
	if cfg.Wait == 0 {
		cfg.Wait = DefaultWait
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	a := &sdkAPI{cfg}
	return reply.Handler{
		Answer: func(r *http.Request) reply.Reply { return a.serve(r).With("Access-Control-Allow-Origin", "*") },
		Panicked: func(r *http.Request, value any) reply.Reply {
			a.Logger.Error("sdk call panicked", "path", r.URL.Path, "panic", value)
			return a.problem(fault.New(fault.Internal, "panic"))
		},
	}
}

// request is one call, read.
type request struct {
	*http.Request
	sent, body []byte
}

func (a *sdkAPI) serve(r *http.Request) reply.Reply {
	calls := map[string]func(*request) (reply.Reply, error){
		Prefix + "/open": a.open, Prefix + "/events": a.events, Prefix + "/consent": a.consent, Prefix + "/identify": a.identify,
	}
	call := calls[r.URL.Path]
	switch {
	case call == nil:
		return a.problem(fault.New(fault.NotFound, "no such call: there are open, events, consent and identify"))
	case r.Method == http.MethodOptions:
		return reply.Empty(http.StatusNoContent).With("Access-Control-Allow-Methods", "POST").
			With("Access-Control-Allow-Headers", "Content-Type, Content-Encoding, "+KeyHeader+", "+SignatureHeader).
			With("Access-Control-Max-Age", "86400")
	case r.Method != http.MethodPost:
		return problem(http.StatusMethodNotAllowed, &fault.Error{Message: "this call takes POST"}).With("Allow", "POST, OPTIONS")
	}
	req := &request{Request: r}
	var err error
	if req.sent, req.body, err = ReadBody(r); err != nil {
		return a.problem(a.Service.Refuse(err))
	}
	answer, err := call(req)
	if err != nil {
		return a.problem(err)
	}
	return answer
}

// complete adds what the request around the body says: the key, the address,
// the agent, the signature.
func (a *sdkAPI) complete(req *request, r *Report) error {
	if key := req.Header.Get(KeyHeader); key != "" {
		if r.App.Key != "" && r.App.Key != key {
			return fault.Bad(FieldKey, fault.Malformed, "the body and %s name different keys", KeyHeader)
		}
		r.App.Key = key
	}
	// Numbers of apps can be guessed, whoever owns them.
	account, err := a.Service.Account(r.App)
	if err != nil {
		return err
	}
	if len(r.Addresses) == 0 {
		r.Addresses = AddressList(a.Address(req.Request))
		if r.Agent == "" {
			r.Agent = req.UserAgent()
		}
	}
	if header := req.Header.Get(SignatureHeader); header != "" {
		r.Unsigned = account.SDKSecret != "" && !Verify(account.SDKSecret, header, req.sent)
	}
	return nil
}

func (a *sdkAPI) open(req *request) (reply.Reply, error) {
	var w wireOpen
	ignored, err := decode(fieldBody, req.body, &w)
	if err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	r, err := w.report(&ignored)
	if err == nil {
		err = a.complete(req, &r)
	}
	if err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	if r, err = a.Service.ClickOpened(req.Context(), r); err != nil {
		return reply.Reply{}, err
	}
	receipt, err := a.Service.Open(req.Context(), r)
	if err != nil {
		return reply.Reply{}, err
	}
	answer := a.Service.Answer(req.Context(), receipt, a.Wait)
	said := shape(&answer, a.Service.cfg.Now())
	said.wireAccepted = a.accepted(receipt, ignored)
	return reply.JSON(http.StatusOK, said), nil
}

func (a *sdkAPI) consent(req *request) (reply.Reply, error) {
	var w wireAnswered
	ignored, err := decode(fieldBody, req.body, &w)
	if err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	return a.note(req, event.ConsentKind, noted{&w.wireCall, w.At, ""}, ignored)
}

func (a *sdkAPI) identify(req *request) (reply.Reply, error) {
	var w wireIdentify
	ignored, err := decode(fieldBody, req.body, &w)
	if err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	return a.note(req, event.IdentifyKind, noted{&w.wireCall, w.At, string(w.User)}, ignored)
}

// noted is a call whose answer is only that it was kept.
type noted struct {
	call *wireCall
	at   scalar
	user string
}

func (a *sdkAPI) note(req *request, kind event.Kind, n noted, ignored []string) (reply.Reply, error) {
	r, err := n.call.report(&ignored)
	if err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	if r.At, err = ParseTime("at", string(n.at)); err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	r.User = n.user
	if err := a.complete(req, &r); err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	receipt, err := a.Service.take(req.Context(), kind, &r)
	if err != nil {
		return reply.Reply{}, err
	}
	return reply.JSON(http.StatusOK, a.accepted(receipt, ignored)), nil
}

// events takes a batch. What every event shares must be right, or the whole is
// refused; then each event is taken or refused for itself.
func (a *sdkAPI) events(req *request) (reply.Reply, error) {
	var w wireEvents
	ignored, err := decode(fieldBody, req.body, &w)
	if err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	common, err := w.report(&ignored)
	if err == nil {
		err = a.complete(req, &common)
	}
	if err == nil {
		_, _, err = a.Service.FindApp(common.App)
	}
	if err == nil {
		err = needText(FieldInstall, strings.TrimSpace(common.Install), maxInstall)
	}
	if err == nil && len(w.Events) == 0 {
		err = fault.Bad("events", fault.Missing, "a batch holds 1 to %d events", MaxBatch)
	}
	if err == nil && len(w.Events) > MaxBatch {
		err = fault.Bad("events", fault.TooLong, "a batch holds at most %d events, got %d", MaxBatch, len(w.Events))
	}
	if err != nil {
		return reply.Reply{}, a.Service.Refuse(err)
	}
	batch, results := make([]Report, 0, len(w.Events)), make([]wireResult, len(w.Events))
	var at []int // of each report of the batch in results
	for i, raw := range w.Events {
		r := common
		id, names, err := readEvent(raw, &r)
		results[i].ID = id
		for _, name := range names[:min(len(names), mostIgnored-min(len(ignored), mostIgnored))] {
			ignored = append(ignored, "events."+strconv.Itoa(i)+"."+name)
		}
		if err != nil {
			results[i].refuse(a.Service.Refuse(err))
			continue
		}
		batch, at = append(batch, r), append(at, i)
	}
	for n, result := range a.Service.Events(req.Context(), batch) {
		results[at[n]].take(result)
	}
	return a.resultsOf(results, ignored), nil
}

// readEvent adds one event to what all of the batch share, and returns its id
// as it was told, and the names in it that are not known.
func readEvent(raw []byte, r *Report) (id string, ignored []string, err error) {
	var w wireEvent
	if ignored, err = decode(fieldEvent, raw, &w); err != nil {
		return string(w.ID), nil, err
	}
	r.Key, r.Name, r.Amount, r.Currency, r.Params = string(w.ID), string(w.Name), string(w.Revenue.Amount), w.Revenue.Currency, w.Params
	r.At, err = ParseTime("at", string(w.At))
	return string(w.ID), sorted(ignored), err
}

func (a *sdkAPI) resultsOf(results []wireResult, ignored []string) reply.Reply {
	all := wireResults{Results: results, Ignored: sorted(ignored), ServerTime: a.Service.cfg.Now().UnixMilli()}
	status := http.StatusOK
	for i := range results {
		switch results[i].Status {
		case statusAccepted:
			all.Accepted++
		case statusRefused:
			all.Refused++
		case statusRetry:
			status, all.RetryIn = http.StatusServiceUnavailable, max(all.RetryIn, results[i].retryIn.Milliseconds())
		}
	}
	answer := reply.JSON(status, all)
	if all.RetryIn > 0 {
		answer = answer.RetryAfter(time.Duration(all.RetryIn) * time.Millisecond)
	}
	return answer
}

func (a *sdkAPI) accepted(r Receipt, ignored []string) wireAccepted {
	return wireAccepted{
		ID: r.ID.String(), Install: r.Install, Key: r.Key, Flags: r.Flags, Ignored: sorted(ignored), ServerTime: a.Service.cfg.Now().UnixMilli(),
	}
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

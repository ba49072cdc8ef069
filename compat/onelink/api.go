// Package onelink is the OneLink dialect: the API v1 and v2.0 as their clients
// know them on the wire, in front of manage, and what a click on a link does in
// its words (click*.go), for route. docs/compat/onelink.md says where it differs.
package onelink

import (
	"log/slog"
	"net/http"

	"waypost/internal/fault"
	"waypost/internal/reply"
)

// maxURI bounds a request's path and query in bytes.
const maxURI = 8 << 10

// Config is what the API is made of. Zero values of the options are the
// behaviour of the vendor's reference.
type Config struct {
	Rules  Rules
	Logger *slog.Logger // nil: nothing is logged

	// Origins may call the API from a browser, such as "https://shop.example".
	// None by default.
	Origins []string
	// StrictChars refuses the characters that the v2.0 page forbids in keys and
	// values. Real clients send them, so it is off by default.
	StrictChars bool

	// V1ConflictStatus answers a taken id in v1: 409 as in the vendor's endpoint
	// reference, which is the default, or 400 as in its prose.
	V1ConflictStatus int
}

// API answers the OneLink REST API, v1 and v2.0.
type API struct {
	Config
	v1, v2   version
	failures reply.Failures
}

// NewAPI returns the handler for every path that Owns accepts.
func NewAPI(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.V1ConflictStatus == 0 {
		c.V1ConflictStatus = http.StatusConflict
	}
	a := &API{Config: c, failures: reply.Failures{Logger: c.Logger, Text: "OneLink API request failed"}}
	a.v1, a.v2 = a.version1(), a.version2()
	return reply.Handler{Answer: a.answer, Panicked: a.panicked}
}

// answer routes a request by its escaped path. Nothing is ever redirected: a
// client turns a redirected POST into a GET or drops its token.
func (a *API) answer(r *http.Request) reply.Reply {
	v, found := a.route(r)
	return a.crossOrigin(r, a.routed(r, v, found))
}

func (a *API) routed(r *http.Request, v *version, found endpoint) reply.Reply {
	if len(r.RequestURI) > maxURI {
		return v.plain(http.StatusRequestURITooLong, "Request URI exceeds limit")
	}
	if found.verbs == nil {
		return v.plain(http.StatusNotFound, v.noRoute)
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle, ok := found.verbs[method]
	switch {
	case r.Method == http.MethodOptions:
		return reply.Empty(http.StatusNoContent).With("Allow", reply.Allow(found.verbs))
	case !ok:
		return v.plain(http.StatusMethodNotAllowed, "Method Not Allowed").With("Allow", reply.Allow(found.verbs))
	}
	c := &call{Request: r, place: found.place, operation: handle.operation}
	err := a.admit(v, c)
	if err == nil {
		var answer reply.Reply
		if answer, err = handle.do(c); err == nil {
			return answer.With("Cache-Control", "no-store")
		}
	}
	return a.refuse(v, c, err)
}

// verb is one thing that can be done at an endpoint.
type verb struct {
	operation
	do func(*call) (reply.Reply, error)
}

// endpoint is a path with its verbs; without verbs there is none.
type endpoint struct {
	verbs map[string]verb
	place
}

// refuse turns an error into the version's answer, and logs those that are
// not the caller's doing.
func (a *API) refuse(v *version, c *call, err error) reply.Reply {
	f := fault.As(err)
	answer := v.refuse(c.operation, f)
	if f.Kind == fault.Quota || f.Kind == fault.RateLimited || f.Kind == fault.Unavailable {
		answer = answer.RetryAfter(f.RetryAfter)
	}
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		answer = a.failures.Failed(c.Request, answer, err)
	}
	return answer.With("Cache-Control", "no-store")
}

// panicked answers a request that a mistake of ours has stopped.
func (a *API) panicked(r *http.Request, value any) reply.Reply {
	v, found := a.route(r)
	op := operation(0)
	if handle, ok := found.verbs[r.Method]; ok {
		op = handle.operation
	}
	answer := a.failures.Panicked(r, v.refuse(op, &fault.Error{Kind: fault.Internal}), value)
	return a.crossOrigin(r, answer)
}

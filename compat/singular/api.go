package singular

import (
	"fmt"
	"log/slog"
	"net/http"

	"waypost/internal/fault"
	"waypost/internal/reply"
)

// Config is what the API is made of.
type Config struct {
	Rules  Rules
	Logger *slog.Logger // nil: nothing is logged
}

// API answers the Singular Links API and the service that shortens links.
type API struct {
	Config
	failures reply.Failures

	links, link, picture, apps, configured, partners, domains, shorten map[string]verb // by method, for each kind of path
}

// NewAPI returns the handler for every path that Owns accepts.
func NewAPI(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{Config: c, failures: reply.Failures{Logger: c.Logger, Text: "Singular Links API request failed"}}
	read := func(do func(*call) (reply.Reply, error)) map[string]verb {
		return map[string]verb{http.MethodGet: {do: do, access: limitedRead}}
	}
	a.links = read(a.listLinks)
	a.links[http.MethodPost] = verb{do: a.createLink}
	a.link = map[string]verb{http.MethodPut: {do: a.changeLink}, http.MethodDelete: {do: a.deleteLink}}
	a.picture = map[string]verb{http.MethodGet: {do: a.drawLink}}
	a.apps, a.domains = read(a.listApps), read(a.listDomains)
	a.configured, a.partners = read(a.listConfigured), read(a.listPartners)
	a.shorten = map[string]verb{http.MethodPost: {do: a.shortenLink, access: keyless}}
	return reply.Handler{Answer: a.answer, Panicked: a.panicked}
}

// verb is one thing that can be done at a path.
type verb struct {
	do     func(*call) (reply.Reply, error)
	access access
}

// access says what is asked of a call before it is done.
type access uint8

const (
	needsKey    access = iota
	limitedRead        // needs a key, and is taken from the reads of the minute
	keyless            // says by itself who it is
)

// answer routes a request by its escaped path. Nothing is ever redirected: a
// client turns a redirected POST into a GET or drops its key.
func (a *API) answer(r *http.Request) reply.Reply {
	verbs, id := a.route(r)
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle, ok := verbs[method]
	switch {
	case len(r.RequestURI) > maxURI:
		return refusal(http.StatusRequestURITooLong, fmt.Sprintf("The URL is longer than %d characters", maxURI))
	case verbs == nil:
		return refusal(http.StatusNotFound, "There is no such endpoint")
	case r.Method == http.MethodOptions:
		return reply.Empty(http.StatusNoContent).With("Allow", reply.Allow(verbs))
	case !ok:
		return refusal(http.StatusMethodNotAllowed, "Method not allowed; use "+reply.Allow(verbs)).With("Allow", reply.Allow(verbs))
	}
	c := &call{Request: r, id: id}
	err := a.admit(c, handle.access)
	if err == nil {
		var answer reply.Reply
		if answer, err = handle.do(c); err == nil {
			return answer.With("Cache-Control", "no-store")
		}
	}
	return a.refuse(c, err)
}

// refuse turns an error into an answer, and logs those that are not the
// caller's doing.
func (a *API) refuse(c *call, err error) reply.Reply {
	f := fault.As(err)
	answer := refusal(row(f))
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
	return a.failures.Panicked(r, refusal(row(&fault.Error{Kind: fault.Internal})), value)
}

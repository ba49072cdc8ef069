package smartlinks

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
)

// maxURI bounds a request's path and query in bytes.
const maxURI = 8 << 10

// Config is what the API is made of.
type Config struct {
	Rules  Rules
	Counts Counts
	Logger *slog.Logger // nil: nothing is logged
}

// API answers the Links API.
type API struct {
	Config
	endpoints []endpoint
	failures  reply.Failures
}

// NewAPI returns the handler for every path that Owns accepts.
func NewAPI(c Config) http.Handler {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{Config: c, failures: reply.Failures{Logger: c.Logger, Text: "SmartLinks API request failed"}}
	a.endpoints = a.table()
	return reply.Handler{Answer: a.answer, Panicked: a.panicked}
}

// call is a request that has found its endpoint.
type call struct {
	*http.Request
	place
	query query
	actor manage.Actor
}

// isAgency is the is_agency of every envelope.
func (c *call) isAgency() bool {
	t := c.actor.Token
	return t != nil && (t.Agency != 0 || t.ActsAsAgency)
}

// answer routes a request by its escaped path. Nothing is ever redirected: a
// client turns a redirected POST into a GET or drops its token.
func (a *API) answer(r *http.Request) reply.Reply {
	c := &call{Request: r}
	answer, err := a.routed(c)
	if err != nil {
		answer = a.refuse(c, err)
	}
	return answer.With("Cache-Control", "no-store")
}

func (a *API) routed(c *call) (reply.Reply, error) {
	if len(c.RequestURI) > maxURI {
		return c.failed(http.StatusRequestURITooLong, fmt.Sprintf("the URL is longer than %d bytes", maxURI)), nil
	}
	found, ok := a.find(c.URL.EscapedPath())
	if !ok {
		return c.failed(http.StatusNotFound, "there is nothing at this path"), nil
	}
	method := c.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle := found.verbs[method]
	switch {
	case c.Method == http.MethodOptions:
		return reply.Empty(http.StatusNoContent).With("Allow", reply.Allow(found.verbs)), nil
	case handle == nil:
		text := c.Method + " is not allowed here; allowed are " + reply.Allow(found.verbs)
		return c.failed(http.StatusMethodNotAllowed, text).With("Allow", reply.Allow(found.verbs)), nil
	}
	c.place, c.query = found.place, parseQuery(c.URL.RawQuery)
	if err := a.admit(c); err != nil {
		return reply.Reply{}, err
	}
	return handle(c)
}

// admit takes a call through the checks that come before everything else.
func (a *API) admit(c *call) (err error) {
	if c.actor, err = a.Rules.Authenticate(secret(c.Request)); err != nil {
		return err
	}
	if c.actor.Account == 0 {
		return nil // charge takes the rate where the call says which account it is about
	}
	return a.Rules.TakeRate(c.actor.Account, link.SmartLinksPerSecond)
}

// charge takes one call from each account that a token with several of them
// turns to. Those of one account have paid in admit.
func (a *API) charge(c *call, accounts ...link.AccountID) error {
	if c.actor.Account != 0 {
		return nil
	}
	for _, account := range accounts {
		if err := a.Rules.TakeRate(account, link.SmartLinksPerSecond); err != nil {
			return err
		}
	}
	return nil
}

// chargeAll is charge for calls that read every account.
func (a *API) chargeAll(c *call) error {
	var all []link.AccountID
	for _, account := range a.Rules.Accounts(c.actor) {
		all = append(all, account.ID)
	}
	return a.charge(c, all...)
}

// secret returns the key of a request. Of two headers a proxy may have judged
// the other one, so they are none.
func secret(r *http.Request) string {
	if len(r.Header.Values("Authentication-Key")) != 1 {
		return ""
	}
	return strings.TrimSpace(r.Header.Get("Authentication-Key"))
}

// refuse turns an error into the answer, and logs those that are not the
// caller's doing.
func (a *API) refuse(c *call, err error) reply.Reply {
	f := fault.As(err)
	answer := c.refused(f)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		answer = a.failures.Failed(c.Request, answer, err)
	}
	return answer
}

// panicked answers a request that a mistake of ours has stopped.
func (a *API) panicked(r *http.Request, value any) reply.Reply {
	c := &call{Request: r}
	return a.failures.Panicked(r, c.refused(&fault.Error{Kind: fault.Internal}), value)
}

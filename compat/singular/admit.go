package singular

import (
	"fmt"
	"net/http"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

// call is a request that has found its verb.
type call struct {
	*http.Request
	id    string // of the link in the path; empty where it names none
	query params
	actor manage.Actor
}

// admit takes a call through the checks that come before its body.
func (a *API) admit(c *call, needs access) error {
	query, unreadable := parseParams(c.URL.RawQuery)
	c.query = query
	if needs == keyless {
		return unreadable
	}
	key := secret(c.Request, query)
	if key == "" {
		return fault.New(fault.Unauthorized, "The API key is missing; send it in the Authorization header")
	}
	actor, err := a.Rules.Authenticate(key)
	if fault.Is(err, fault.Unauthorized) {
		return fault.New(fault.Unauthorized, "The API key is unknown")
	}
	if err != nil {
		return err
	}
	c.actor = actor
	if needs == limitedRead {
		for _, account := range a.Rules.Accounts(actor) {
			if err := told(account, link.SingularReadPerMinute, a.Rules.TakeRate(account.ID, link.SingularReadPerMinute)); err != nil {
				return err
			}
		}
	}
	return unreadable
}

// told gives a refusal by a limit of the minute its text.
func told(account *link.Account, name link.LimitName, err error) error {
	if !fault.Is(err, fault.RateLimited) {
		return err
	}
	f := *fault.As(err)
	what := "links"
	if name == link.SingularReadPerMinute {
		what = "GET requests"
	}
	f.Message = fmt.Sprintf("more than %d %s in a minute", account.Limit(name), what)
	return &f
}

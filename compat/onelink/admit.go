package onelink

import (
	"net/http"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

// operation is what a call wants done.
type operation uint8

const (
	readLink operation = iota
	createLink
	changeLink
	deleteLink
	drawQR
	readQuota
)

// writes reports whether the operation needs a token that may write, and
// counts toward the monthly quota.
func (op operation) writes() bool {
	return op == createLink || op == changeLink || op == deleteLink
}

// version is what v1 and v2.0 do differently before and after an operation.
type version struct {
	usage report.UsageName
	rate  link.LimitName
	// refuse answers a fault as the version's table has it.
	refuse func(operation, *fault.Error) reply.Reply
	// plain answers a request that is refused before it is anybody's.
	plain   func(status int, text string) reply.Reply
	noRoute string // text of a 404 for a path that nothing answers

	links, templates, qr, quota map[string]verb // by method, for each kind of path
}

// call is a request that has found its endpoint.
type call struct {
	*http.Request
	place
	operation
	actor   manage.Actor
	account link.AccountID // whose limits it is taken from; zero where nothing tells
	view    *link.TemplateView
	// refusal is why the template cannot be used. It is answered only after the
	// body has been read: the vendor finds a broken body first.
	refusal error
}

// admit takes a call through the checks that come before its body: token,
// permission, rate, monthly quota, in this order. A call that is refused later
// has counted (OneLink API, "API limitations": "the failed call still counts").
func (a *API) admit(v *version, c *call) error {
	token := secret(c.Request)
	if token == "" {
		return fault.New(fault.Unauthorized, "the authorization header is missing")
	}
	var err error
	if c.actor, err = a.Rules.Authenticate(token); err != nil {
		return err
	}
	c.account = c.actor.Account
	if err := a.locate(c); err != nil {
		return err
	}
	rate := v.rate
	if c.operation == drawQR {
		rate = link.OneLinkQRPerSecond
	}
	if c.account != 0 {
		if err := a.Rules.TakeRate(c.account, rate); err != nil {
			return err
		}
	}
	if fault.Is(c.refusal, fault.Forbidden) {
		return c.refusal
	}
	if c.account == 0 || !c.operation.writes() || !mayWrite(c.actor.Token) {
		return nil
	}
	return a.Rules.TakeCalls(c.Context(), c.account, v.usage, link.OneLinkMonthlyWrites, 1)
}

// locate finds what the call names. That also tells which account a token with
// grants in several acts for.
func (a *API) locate(c *call) error {
	if c.operation == readQuota {
		account, err := a.Rules.AccountNamed(c.actor, link.OneLink, c.place.account)
		if err == nil {
			c.account = account.ID
		}
		c.refusal = err
		return nil
	}
	needs := link.Read
	if c.operation.writes() {
		needs = link.Write
	}
	c.view, c.refusal = a.Rules.Template(c.actor, c.template, needs)
	if c.refusal == nil {
		c.account = c.view.Account
	}
	if fault.Is(c.refusal, fault.Unavailable) || fault.Is(c.refusal, fault.Internal) {
		return c.refusal
	}
	return nil
}

// mayWrite reports whether the token may write anywhere. One that may not
// cannot spend the month's quota on templates that do not exist.
func mayWrite(t *link.Token) bool {
	if t == nil {
		return false
	}
	for _, g := range t.Grants {
		if g.Role.Includes(link.Write) {
			return true
		}
	}
	return false
}

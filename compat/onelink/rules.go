package onelink

import (
	"context"

	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

// Counters of calls that count toward the monthly quota. Each version has a
// full quota of its own.
const (
	UsageV1 report.UsageName = "onelink.v1"
	UsageV2 report.UsageName = "onelink.v2"
)

// Rules is what the API asks of the management rules. Refusals are faults; the
// kinds and reasons that the vendor's tables tell apart are named here.
type Rules interface {
	// Authenticate returns who holds the secret, or Unauthorized.
	Authenticate(secret string) (manage.Actor, error)
	// Template returns the template for an actor whose role in its account
	// includes needs. NotFound has the Field "template" and the Reason Unknown,
	// or NotAllowed for another account's; Forbidden has the Reason ReadOnly, or
	// NotAllowed where the token does not cover the template's app group.
	Template(a manage.Actor, id link.TemplateID, needs link.Role) (*link.TemplateView, error)
	// AccountNamed returns the account that a dialect calls by name, or NotFound
	// where the actor may not see it.
	AccountNamed(a manage.Actor, d link.Dialect, name string) (*link.Account, error)
	// CheckBrand refuses a host that does not serve the template: Invalid with
	// the Field "brand_domain" and the Reason Unknown (nobody's, or another
	// account's) or NotAllowed (the account's, for other templates).
	CheckBrand(t *link.TemplateView, host string) error

	// CreateLink returns the link and its URL; Conflict with the Reason Taken
	// where the code is in use.
	CreateLink(ctx context.Context, a manage.Actor, n manage.NewLink) (link.Link, string, error)
	// ReadLink returns a live link; NotFound otherwise.
	ReadLink(ctx context.Context, a manage.Actor, t link.TemplateID, code string) (link.Link, error)
	// ChangeLink replaces what a link holds; the Reason Source says that it was
	// not made through an API.
	ChangeLink(ctx context.Context, a manage.Actor, t link.TemplateID, code string, c manage.LinkChange) (link.Link, string, error)
	// DeleteLink removes a link, with the refusals of ChangeLink.
	DeleteLink(ctx context.Context, a manage.Actor, t link.TemplateID, code string) error
	// LinkURL returns the address that the link is shown with, on its Brand.
	LinkURL(l *link.Link) string

	// TakeRate takes one call of the current second, or RateLimited.
	TakeRate(account link.AccountID, name link.LimitName) error
	// TakeCalls takes n calls of the current month, or Quota.
	TakeCalls(ctx context.Context, account link.AccountID, usage report.UsageName, name link.LimitName, n int64) error
	// RemainingCalls returns how many calls of the current month are left.
	RemainingCalls(ctx context.Context, account link.AccountID, usage report.UsageName, name link.LimitName) (int64, error)
}

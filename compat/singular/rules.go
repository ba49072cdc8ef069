// Package singular speaks Singular's Links API and its clicks: thin
// translations in front of manage and route. The vendor's words stay in here.
package singular

import (
	"context"

	"waypost/link"
	"waypost/manage"
)

// Rules is what the API asks of the management rules. Refusals are faults.
type Rules interface {
	// Authenticate returns who holds the secret, or Unauthorized.
	Authenticate(secret string) (manage.Actor, error)
	// Directory returns the configuration in force.
	Directory() *link.Directory
	// Accounts returns the accounts that the token opens, by id.
	Accounts(a manage.Actor) []*link.Account
	// Groups returns the app groups that the actor may see, by id.
	Groups(a manage.Actor) []*link.Group
	// Group returns an app group for an actor whose role there includes needs.
	// NotFound, Field "app_group", for one that he may not see; Forbidden,
	// Reason ReadOnly, where his role is too low.
	Group(a manage.Actor, id link.AppGroupID, needs link.Role) (*link.Group, error)

	// CreateLink returns the link and its URL: Conflict, Field "name", Reason
	// Taken, where the Identity of its Listing is in use; NotFound or Forbidden as
	// Group; Conflict, Reason Archived, in an archived group.
	CreateLink(ctx context.Context, a manage.Actor, n manage.NewLink) (link.Link, string, error)
	// CreateAlias makes a link that stands for n.Base, of the account that holds
	// the SDK key: NotFound, Field "link", where the account has no such link.
	CreateAlias(ctx context.Context, account link.AccountID, n manage.NewLink) (link.Link, string, error)
	// ListedLinks returns the links that the filter picks of those that the actor
	// may see; its Scopes are set here.
	ListedLinks(ctx context.Context, a manage.Actor, f link.Filter) ([]link.Link, error)
	// ChangeListed reads the link, lets change write its Data, TargetHosts and
	// Listing, and stores it, while no other change of a listed link goes on.
	ChangeListed(ctx context.Context, a manage.Actor, d link.Dialect, id link.LinkID, change func(l *link.Link) error) (link.Link, error)
	// RemoveLink deletes a listed link for good. Its counts stay.
	RemoveLink(ctx context.Context, a manage.Actor, d link.Dialect, id link.LinkID) error

	// TakeRate takes one call of the current second or minute, or RateLimited.
	TakeRate(account link.AccountID, name link.LimitName) error
	// Spend runs do where the account has a call of the UTC day and month left,
	// and counts the call when do has succeeded: calls that are refused or fail
	// do not count. The error is do's own, or Quota with the time until the next
	// day or month, and then do did not run.
	Spend(ctx context.Context, al manage.Allowance, do func() error) error
}

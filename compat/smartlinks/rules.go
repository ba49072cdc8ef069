// Package smartlinks speaks Kochava's Links API and its clicks: thin
// translations in front of manage and route. The vendor's words stay in here.
package smartlinks

import (
	"context"

	"waypost/link"
	"waypost/manage"
	"waypost/report"
)

// Rules is what the API asks of the management rules. Refusals are faults.
type Rules interface {
	// Authenticate returns who holds the secret, or Unauthorized.
	Authenticate(secret string) (manage.Actor, error)
	// Directory returns the configuration in force.
	Directory() *link.Directory
	// TakeRate takes one call of the current second, or RateLimited.
	TakeRate(account link.AccountID, name link.LimitName) error

	// Accounts returns the accounts that the token opens, by id.
	Accounts(a manage.Actor) []*link.Account
	// Groups returns the app groups that the actor may see, archived ones
	// included, by id.
	Groups(a manage.Actor) []*link.Group
	// Group returns an app group for an actor whose role there includes needs.
	// NotFound, Field "app_group", for one that he may not see; Forbidden,
	// Reason ReadOnly, where his role is too low.
	Group(a manage.Actor, id link.AppGroupID, needs link.Role) (*link.Group, error)
	// CreateGroup makes a group: Invalid with the Field "name", "account" or
	// "apps"; Conflict, Field "name", Reason Taken; Conflict, Field "apps", for an
	// app that is in a live group; Forbidden for tokens that are limited to app
	// groups or may only read.
	CreateGroup(ctx context.Context, a manage.Actor, n manage.NewGroup) (*link.Group, error)
	// ChangeGroup renames a group and adds apps, with the refusals of CreateGroup
	// and of Group; Invalid, Field "apps", for a list that lacks one that it has;
	// Conflict, Reason Archived, for an archived group.
	ChangeGroup(ctx context.Context, a manage.Actor, id link.AppGroupID, c manage.GroupChange) (*link.Group, error)
	// ArchiveGroup archives a group for ever, or does nothing to one that is;
	// Conflict, Reason InUse, while it has listed links that are not archived.
	ArchiveGroup(ctx context.Context, a manage.Actor, id link.AppGroupID) error

	// Campaigns returns the group's campaigns, newest first; deleted nil: all.
	Campaigns(ctx context.Context, a manage.Actor, group link.AppGroupID, deleted *bool) ([]link.Campaign, error)
	// Campaign returns one of the group's campaigns, or NotFound, Field "campaign".
	Campaign(ctx context.Context, a manage.Actor, group link.AppGroupID, id link.CampaignID) (link.Campaign, error)
	// CheckCampaignName refuses a name that CreateCampaign would refuse.
	CheckCampaignName(ctx context.Context, a manage.Actor, group link.AppGroupID, name string) error
	// CreateCampaign makes a campaign: Invalid, Field "name"; Conflict, Field
	// "name", Reason Taken.
	CreateCampaign(ctx context.Context, a manage.Actor, group link.AppGroupID, name string) (link.Campaign, error)
	// ChangeCampaign renames, deletes or brings back a campaign.
	ChangeCampaign(ctx context.Context, a manage.Actor, group link.AppGroupID, id link.CampaignID, c manage.CampaignChange) (link.Campaign, error)

	// CreateLink returns the link and its URL: Conflict, Field "name", Reason
	// Taken, where the Identity of its Listing is in use; NotFound or Forbidden as
	// Group; Conflict, Reason Archived, in an archived group.
	CreateLink(ctx context.Context, a manage.Actor, n manage.NewLink) (link.Link, string, error)
	// ListedLink returns a listed link of a dialect, archived or not; NotFound,
	// Field "id", where the actor may not see it.
	ListedLink(ctx context.Context, a manage.Actor, d link.Dialect, id link.LinkID) (link.Link, error)
	// ListedLinks returns the links that the filter picks of those that the actor
	// may see; its Scopes are set here.
	ListedLinks(ctx context.Context, a manage.Actor, f link.Filter) ([]link.Link, error)
	// CountListed returns the number of live links of each group.
	CountListed(ctx context.Context, d link.Dialect, groups []link.AppGroupID) (map[link.AppGroupID]int64, error)
	// ChangeListed reads the link, lets change write its Data, TargetHosts and
	// Listing, and stores it, while no other change of a listed link goes on:
	// refusals of ListedLink and CreateLink; Conflict, Reason Archived, for an
	// archived one; the error of change as it is.
	ChangeListed(ctx context.Context, a manage.Actor, d link.Dialect, id link.LinkID, change func(l *link.Link) error) (link.Link, error)
	// ArchiveLink puts a listed link away for ever, or does nothing to one that is.
	ArchiveLink(ctx context.Context, a manage.Actor, d link.Dialect, id link.LinkID) error
	// LinkURL returns the address of a link without its query.
	LinkURL(l *link.Link) string
}

// Counts is what the API reads of what was counted.
type Counts interface {
	SumCounts(ctx context.Context, q report.Query) ([]report.Row, error)
}

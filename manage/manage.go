// Package manage holds every management rule once: who may do what, creating,
// changing and removing links, quotas and limits, and applying a
// configuration. Doors translate to and from it; stores only store for it.
package manage

import (
	"context"
	"encoding/json"
	"time"

	"waypost/link"
	"waypost/report"
)

// Actor is the authenticated caller of a rule.
type Actor struct {
	Token *link.Token
	// Account is the only account that the token opens; zero for a token with
	// grants in several accounts, whose calls name the account by what they touch.
	Account link.AccountID
}

// NewLink asks for one link.
type NewLink struct {
	Dialect  link.Dialect
	Template link.TemplateID // empty for a link that owns a path of Host
	Code     string          // empty: a random one
	// Host serves a link that owns a path there: Prefix and the code, for
	// random ones of CodeLength lower-case letters and digits or, where those
	// are taken again and again, a little more.
	Host       string
	Prefix     string
	CodeLength int
	Base       link.Path     // see link.Link; CreateAlias alone takes it
	Listing    *link.Listing // needed with Host, unless Base is set
	Brand      string        // branded domain for a template's URL; empty: the template's own domain
	Data       json.RawMessage
	TTL        time.Duration // zero: never expires, as listed links must not
	Renew      bool
	Source     link.Source // may be empty with Host: who may change such a link does not depend on it
	// TargetHosts are the hosts that Data sends people to.
	TargetHosts []string
}

// LinkChange replaces what a link holds.
type LinkChange struct {
	Brand       *string // nil keeps it
	Data        json.RawMessage
	TTL         *time.Duration // nil keeps the stored one; either way the link's time starts anew
	Renew       *bool          // nil keeps it
	Source      link.Source    // empty keeps it
	TargetHosts []string
}

// NewGroup asks for one app group.
type NewGroup struct {
	Account link.AccountID
	Name    string
	Apps    []link.AppID
}

// GroupChange changes an app group. Apps never leave one.
type GroupChange struct {
	Name *string      // nil keeps it
	Apps []link.AppID // all of them, those that it has included; nil keeps them
}

// CampaignChange changes a campaign.
type CampaignChange struct {
	Name    *string // nil keeps it
	Deleted *bool   // nil keeps it
}

// LinkResult is one outcome of a bulk call: Link and URL, or Err.
type LinkResult struct {
	Link link.Link
	URL  string
	Err  error
}

// Store is what manage needs of a store. Every method is one transaction:
// when it returns nil its writes are on stable storage, when it returns an
// error nothing is written.
type Store interface {
	// LoadCatalog returns everything that was saved.
	LoadCatalog(ctx context.Context) (link.Catalog, error)
	// SaveCatalog creates or replaces (by id or other identity) each thing in
	// changed and leaves everything else alone. Ids are assigned by the caller.
	SaveCatalog(ctx context.Context, changed link.Catalog) error

	// CreateLinks inserts links. taken[i] tells where links[i].Path is used by a
	// link that has not expired at now, or its Listing.Identity by one that is
	// not archived; those are not inserted, the others are and have their ID set
	// and their campaign found or made. An expired link gives way to the new
	// one. Two equal paths or identities within one call: the first wins.
	CreateLinks(ctx context.Context, links []*link.Link, now time.Time) (taken []link.Taken, err error)
	// ReadLink returns the link at a path, also when it has expired; a NotFound
	// fault when there is none.
	ReadLink(ctx context.Context, path link.Path) (link.Link, error)
	// ReadLinkByID is ReadLink for a link's number.
	ReadLinkByID(ctx context.Context, id link.LinkID) (link.Link, error)
	// UpdateLink replaces everything but the identity of the link with l.ID, and
	// finds or makes its campaign, whose id it sets; NotFound when the link is
	// gone, Conflict, Field "name", Reason Taken, when its Listing.Identity is
	// another's.
	UpdateLink(ctx context.Context, l *link.Link) error
	// ListLinks returns the listed links that the filter picks, in its order.
	ListLinks(ctx context.Context, f link.Filter) ([]link.Link, error)
	// CountListed returns how many listed links of a dialect that are not
	// archived each app group has; groups without any are left out.
	CountListed(ctx context.Context, d link.Dialect, groups []link.AppGroupID) (map[link.AppGroupID]int64, error)
	// SaveCampaign inserts a campaign whose ID is zero, and sets it, or replaces
	// the one with its ID, NotFound when there is none; Conflict, Field "name",
	// Reason Taken, when the app group has another live campaign of that name.
	SaveCampaign(ctx context.Context, c *link.Campaign) error
	// FindCampaigns returns the campaigns that the filter picks, newest first.
	FindCampaigns(ctx context.Context, f link.CampaignFilter) ([]link.Campaign, error)
	// DeleteLink removes a link for good; NotFound when it is gone.
	DeleteLink(ctx context.Context, id link.LinkID) error
	// SweepLinks removes up to most links that expired before the instant and
	// returns their paths.
	SweepLinks(ctx context.Context, before time.Time, most int) ([]link.Path, error)

	// TakeUsage adds calls to the counter of a day unless the sum of the day's
	// month (UTC) would exceed limit; it returns that sum after the call and
	// whether the calls were taken. Unlimited is never exceeded.
	TakeUsage(ctx context.Context, u report.Usage, limit link.Limit) (used int64, ok bool, err error)
	// ReadUsage returns the account's counters from a day to a day, both included,
	// ordered by name and day.
	ReadUsage(ctx context.Context, account link.AccountID, from, to report.Day) ([]report.Usage, error)
}

package link

import "time"

// Listing is what a link has that people keep by name: its place among the
// account's groups, partners and campaigns. Links that are only ever spoken of
// by their path, as OneLink's are, have none.
type Listing struct {
	AppGroup AppGroupID
	Partner  PartnerID // zero: none
	Agency   PartnerID // the partner of kind AgencyPartner that shares the credit; zero: none
	Campaign CampaignID
	// CampaignName, where Campaign is zero, asks the store for the app group's
	// live campaign of that name, made if need be, when it saves the link. It is
	// filled when the link is read back.
	CampaignName string
	Name         string
	// Identity is what no two links that are not archived may share; empty for
	// nothing. A dialect makes it of what its rules call unique.
	Identity string
	Archived bool
}

// Campaign is a partner's named effort for one app group.
type Campaign struct {
	ID        CampaignID
	Account   AccountID
	AppGroup  AppGroupID
	Name      string // unique among the group's live ones, without regard to case
	Deleted   bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CampaignFilter picks campaigns. Zero fields do not restrict.
type CampaignFilter struct {
	AppGroup AppGroupID
	IDs      []CampaignID
	Name     string // without regard to case
	Deleted  *bool
}

// Tracker says which measured part of a link a click belongs to. A link's
// trackers are counted from its catch-all; the routes follow in the order in
// which they were given, which never changes.
type Tracker uint8

// Trackers.
const (
	NoTracker Tracker = 0 // the link is measured as a whole
	CatchAll  Tracker = 1 // whoever fits no route
)

// MaxTracker bounds the trackers of one link.
const MaxTracker Tracker = 63

// Order is what a list of links is ordered by. Equal ones are ordered by id.
type Order uint8

// Orders.
const (
	ByCreated Order = iota
	ByUpdated
	ByName // without regard to case
)

// Scope is a part of an account that a caller may see.
type Scope struct {
	Account AccountID
	Groups  []AppGroupID // empty: all of them
}

// PartnerRef names a partner: ids are unique in their account only.
type PartnerRef struct {
	Account AccountID
	ID      PartnerID
}

// Filter picks listed links. Zero fields do not restrict, but Scopes must name
// what the caller may see: without one there is nothing.
type Filter struct {
	Dialect  Dialect
	Scopes   []Scope
	Groups   []AppGroupID // any of them
	Partners []PartnerID  // any of them, as Listing.Partner
	Codes    []string     // any of them, as Link.Code
	Active   *bool        // true: not archived
	Identity string       // as Listing.Identity, of the one that is not archived
	// Search picks links whose name or path holds the text, without regard to
	// case, and those of SearchPartners, as partner or as agency.
	Search         string
	SearchPartners []PartnerRef
	Order          Order
	Descending     bool // turns all of the order round, the ids of equal ones included
	Offset, Limit  int  // Limit 0: no bound
}

package memorystore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"waypost/internal/fault"
	"waypost/link"
)

// ReadLinkByID returns the link with the number, expired or not.
func (s *Store) ReadLinkByID(_ context.Context, id link.LinkID) (link.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.links[id]
	if !ok {
		return link.Link{}, fault.New(fault.NotFound, "no link %d", id)
	}
	return s.told(l), nil
}

// told returns a copy of a kept link as readers get it, with the name of its campaign.
func (s *Store) told(l *link.Link) link.Link {
	out := *kept(l)
	if out.Listing != nil && out.Listing.Campaign != 0 {
		out.Listing.CampaignName = s.campaigns[out.Listing.Campaign].Name
	}
	return out
}

// identityFree reports whether no other link that is not archived has l's identity.
func (s *Store) identityFree(l *link.Link) bool {
	if l.Listing == nil || l.Listing.Identity == "" || l.Listing.Archived {
		return true
	}
	for id, other := range s.links {
		if id != l.ID && other.Listing != nil && !other.Listing.Archived && other.Listing.Identity == l.Listing.Identity {
			return false
		}
	}
	return true
}

// settle finds or makes the campaign that a link names.
func (s *Store) settle(l *link.Link, now time.Time) {
	if l.Listing == nil || l.Listing.Campaign != 0 || l.Listing.CampaignName == "" {
		return
	}
	c := link.Campaign{Account: l.Account, AppGroup: l.Listing.AppGroup, Name: l.Listing.CampaignName, CreatedAt: now, UpdatedAt: now}
	if other, ok := s.liveCampaign(&c); ok {
		l.Listing.Campaign = other
		return
	}
	s.lastCampaign++
	c.ID = s.lastCampaign
	s.campaigns[c.ID] = c
	l.Listing.Campaign = c.ID
}

// liveCampaign returns the other live campaign of the group with c's name.
func (s *Store) liveCampaign(c *link.Campaign) (link.CampaignID, bool) {
	for id, other := range s.campaigns {
		if id != c.ID && other.AppGroup == c.AppGroup && !other.Deleted && link.Fold(other.Name) == link.Fold(c.Name) {
			return id, true
		}
	}
	return 0, false
}

// ListLinks returns the listed links that the filter picks, in its order.
func (s *Store) ListLinks(_ context.Context, f link.Filter) ([]link.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []link.Link
	for _, l := range s.links {
		if l.Listing != nil && picks(&f, l) {
			out = append(out, s.told(l))
		}
	}
	slices.SortFunc(out, func(a, b link.Link) int {
		order := cmp.Or(compare(f.Order, &a, &b), cmp.Compare(a.ID, b.ID))
		if f.Descending {
			order = -order
		}
		return order
	})
	out = out[min(max(f.Offset, 0), len(out)):]
	if f.Limit > 0 {
		out = out[:min(f.Limit, len(out))]
	}
	return out, nil
}

func compare(order link.Order, a, b *link.Link) int {
	switch order {
	case link.ByUpdated:
		return a.UpdatedAt.Compare(b.UpdatedAt)
	case link.ByName:
		return cmp.Compare(link.Fold(a.Listing.Name), link.Fold(b.Listing.Name))
	}
	return a.CreatedAt.Compare(b.CreatedAt)
}

func picks(f *link.Filter, l *link.Link) bool {
	in := slices.ContainsFunc(f.Scopes, func(s link.Scope) bool {
		return s.Account == l.Account && (len(s.Groups) == 0 || slices.Contains(s.Groups, l.Listing.AppGroup))
	})
	return in &&
		(f.Dialect == "" || f.Dialect == l.Dialect) &&
		(len(f.Groups) == 0 || slices.Contains(f.Groups, l.Listing.AppGroup)) &&
		(len(f.Partners) == 0 || slices.Contains(f.Partners, l.Listing.Partner)) &&
		(len(f.Codes) == 0 || slices.Contains(f.Codes, l.Code)) &&
		(f.Active == nil || *f.Active == !l.Listing.Archived) &&
		(f.Identity == "" || f.Identity == l.Listing.Identity && !l.Listing.Archived) &&
		(f.Search == "" && len(f.SearchPartners) == 0 || found(f, l))
}

// found reports whether the link is one that is searched for.
func found(f *link.Filter, l *link.Link) bool {
	if f.Search != "" && (strings.Contains(link.Fold(l.Listing.Name), link.Fold(f.Search)) || strings.Contains(link.Fold(string(l.Path)), link.Fold(f.Search))) {
		return true
	}
	return slices.ContainsFunc(f.SearchPartners, func(p link.PartnerRef) bool {
		return p.Account == l.Account && (p.ID == l.Listing.Partner || p.ID == l.Listing.Agency)
	})
}

// CountListed returns how many links of a dialect that are not archived each
// of the app groups has.
func (s *Store) CountListed(_ context.Context, d link.Dialect, groups []link.AppGroupID) (map[link.AppGroupID]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[link.AppGroupID]int64{}
	for _, l := range s.links {
		if l.Listing != nil && l.Dialect == d && !l.Listing.Archived && slices.Contains(groups, l.Listing.AppGroup) {
			counts[l.Listing.AppGroup]++
		}
	}
	return counts, nil
}

// SaveCampaign inserts or replaces a campaign.
func (s *Store) SaveCampaign(_ context.Context, c *link.Campaign) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.campaigns[c.ID]; c.ID != 0 && !ok {
		return fault.New(fault.NotFound, "no campaign %d", c.ID)
	}
	if !c.Deleted {
		if _, taken := s.liveCampaign(c); taken {
			return &fault.Error{Kind: fault.Conflict, Field: "name", Reason: fault.Taken, Message: "the app group has a campaign of this name"}
		}
	}
	if c.ID == 0 {
		s.lastCampaign++
		c.ID = s.lastCampaign
	}
	s.campaigns[c.ID] = *c
	return nil
}

// FindCampaigns returns the campaigns that the filter picks, newest first.
func (s *Store) FindCampaigns(_ context.Context, f link.CampaignFilter) ([]link.Campaign, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []link.Campaign
	for _, c := range s.campaigns {
		if (f.AppGroup == 0 || f.AppGroup == c.AppGroup) && (len(f.IDs) == 0 || slices.Contains(f.IDs, c.ID)) &&
			(f.Name == "" || link.Fold(f.Name) == link.Fold(c.Name)) && (f.Deleted == nil || *f.Deleted == c.Deleted) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b link.Campaign) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return out, nil
}

package manage

import (
	"context"
	"fmt"
	"strings"

	"waypost/internal/fault"
	"waypost/link"
)

// Campaigns returns the group's campaigns, newest first; deleted nil: all.
// Refusals of all the methods of campaigns are those of Group, and Conflict,
// Reason Archived, for those that write in an archived group.
func (s *Service) Campaigns(ctx context.Context, a Actor, group link.AppGroupID, deleted *bool) ([]link.Campaign, error) {
	if _, err := s.Group(a, group, link.Read); err != nil {
		return nil, err
	}
	return s.findCampaigns(ctx, link.CampaignFilter{AppGroup: group, Deleted: deleted})
}

func (s *Service) findCampaigns(ctx context.Context, f link.CampaignFilter) ([]link.Campaign, error) {
	all, err := s.Store.FindCampaigns(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("find campaigns of app group %d: %w", f.AppGroup, err)
	}
	return all, nil
}

// Campaign returns one of the group's campaigns, deleted or not; NotFound,
// Field "campaign", when it has no such one.
func (s *Service) Campaign(ctx context.Context, a Actor, group link.AppGroupID, id link.CampaignID) (link.Campaign, error) {
	if _, err := s.Group(a, group, link.Read); err != nil {
		return link.Campaign{}, err
	}
	return s.campaign(ctx, group, id)
}

func (s *Service) campaign(ctx context.Context, group link.AppGroupID, id link.CampaignID) (link.Campaign, error) {
	found, err := s.findCampaigns(ctx, link.CampaignFilter{AppGroup: group, IDs: []link.CampaignID{id}})
	if err != nil {
		return link.Campaign{}, err
	}
	if len(found) == 0 {
		return link.Campaign{}, noCampaign()
	}
	return found[0], nil
}

func noCampaign() error {
	return &fault.Error{Kind: fault.NotFound, Field: "campaign", Reason: fault.Unknown, Message: "the app group has no such campaign"}
}

// CheckCampaignName refuses a name that CreateCampaign would refuse.
func (s *Service) CheckCampaignName(ctx context.Context, a Actor, group link.AppGroupID, name string) error {
	if _, err := s.liveGroup(a, group); err != nil {
		return err
	}
	name = strings.TrimSpace(name)
	if err := checkName("name", name); err != nil {
		return err
	}
	live := false
	found, err := s.findCampaigns(ctx, link.CampaignFilter{AppGroup: group, Name: name, Deleted: &live})
	if err == nil && len(found) > 0 {
		err = campaignTaken()
	}
	return err
}

func campaignTaken() error {
	return nameTaken("is the name of another campaign of this app group")
}

// CreateCampaign makes a campaign of a live group: Invalid, Field "name", for
// a name that is not 1 to 255 characters; Conflict, Field "name", Reason
// Taken, where a live campaign of the group has it in whatever case.
func (s *Service) CreateCampaign(ctx context.Context, a Actor, group link.AppGroupID, name string) (link.Campaign, error) {
	s.archiving.RLock()
	defer s.archiving.RUnlock()
	g, err := s.liveGroup(a, group)
	if err != nil {
		return link.Campaign{}, err
	}
	now := s.now()
	c := link.Campaign{Account: g.Account, AppGroup: group, Name: strings.TrimSpace(name), CreatedAt: now, UpdatedAt: now}
	if err := checkName("name", c.Name); err != nil {
		return link.Campaign{}, err
	}
	if err := s.saveCampaign(ctx, &c); err != nil {
		return link.Campaign{}, err
	}
	return c, nil
}

// ChangeCampaign renames, deletes or brings back a campaign of a live group,
// with the refusals of Campaign and CreateCampaign: one that comes back needs
// its name, too. Links keep a campaign that is deleted; new ones cannot name it.
func (s *Service) ChangeCampaign(ctx context.Context, a Actor, group link.AppGroupID, id link.CampaignID, change CampaignChange) (link.Campaign, error) {
	s.listed.Lock() // between reading and saving nobody else changes it
	defer s.listed.Unlock()
	if _, err := s.liveGroup(a, group); err != nil {
		return link.Campaign{}, err
	}
	c, err := s.campaign(ctx, group, id)
	if err != nil {
		return link.Campaign{}, err
	}
	old := c.Name
	if change.Name != nil {
		c.Name = strings.TrimSpace(*change.Name)
		if err := checkName("name", c.Name); err != nil {
			return link.Campaign{}, err
		}
	}
	if change.Deleted != nil {
		c.Deleted = *change.Deleted
	}
	c.UpdatedAt = s.now()
	if err := s.saveCampaign(ctx, &c); err != nil {
		return link.Campaign{}, err
	}
	if c.Name != old {
		s.renamed(ctx, &c)
	}
	return c, nil
}

func (s *Service) saveCampaign(ctx context.Context, c *link.Campaign) error {
	err := s.Store.SaveCampaign(ctx, c)
	switch {
	case fault.Is(err, fault.Conflict):
		return campaignTaken()
	case err != nil:
		return fmt.Errorf("save campaign %q of app group %d: %w", c.Name, c.AppGroup, err)
	}
	return nil
}

// mostRenamed bounds the links of a group that are looked at for a campaign's
// new name, the newest first. A group may have millions.
const mostRenamed = 5000

// renamed lets caches forget the links of a campaign, whose name they tell.
// The campaign is stored: what fails or is left out here ends with the age of
// the caches.
func (s *Service) renamed(ctx context.Context, c *link.Campaign) {
	links, err := s.Store.ListLinks(ctx, link.Filter{
		Scopes: []link.Scope{{Account: c.Account, Groups: []link.AppGroupID{c.AppGroup}}}, Order: link.ByCreated, Descending: true, Limit: mostRenamed,
	})
	if err != nil {
		s.Logger.WarnContext(ctx, "links show the old name of a campaign for a while", "campaign", c.ID, "error", err)
		return
	}
	var paths []link.Path
	for i := range links {
		if links[i].Listing.Campaign == c.ID {
			paths = append(paths, links[i].Path)
		}
	}
	if len(paths) > 0 {
		s.Changed(paths)
	}
}

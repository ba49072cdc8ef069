package smartlinks

import (
	"net/http"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
)

// campaignShape is a campaign of an app group as lists and updates show it.
type campaignShape struct {
	ID       link.CampaignID `json:"id"`
	AppGroup link.AppGroupID `json:"app_group_id"`
	Name     string          `json:"name"`
	Created  int64           `json:"created_dttm"`
	Updated  int64           `json:"last_updated_dttm"`
	IsActive bool            `json:"is_active"`
}

// newCampaignShape is the same as the answer to a create shows it.
type newCampaignShape struct {
	ID        link.CampaignID `json:"id"`
	AppGroup  link.AppGroupID `json:"app_group_id"`
	Name      string          `json:"name"`
	Created   int64           `json:"created_dttm"`
	Updated   int64           `json:"last_updated_dttm"`
	IsDeleted bool            `json:"is_deleted"`
}

func showCampaign(c *link.Campaign) campaignShape {
	return campaignShape{c.ID, c.AppGroup, c.Name, c.CreatedAt.Unix(), c.UpdatedAt.Unix(), !c.Deleted}
}

// listCampaigns answers with a bare list, as the page shows it.
func (a *API) listCampaigns(c *call) (reply.Reply, error) {
	deleted := false
	if c.query.has("is_deleted") {
		asked, err := c.query.flag("is_deleted")
		if err != nil {
			return reply.Reply{}, err
		}
		deleted = asked == nil || *asked // the page's address has the name alone
	}
	g, err := a.placed(c, link.Read)
	if err != nil {
		return reply.Reply{}, err
	}
	campaigns, err := a.Rules.Campaigns(c.Context(), c.actor, g.ID, &deleted)
	if err != nil {
		return reply.Reply{}, err
	}
	rows := make([]campaignShape, 0, len(campaigns))
	for i := range campaigns {
		rows = append(rows, showCampaign(&campaigns[i]))
	}
	return bare(http.StatusOK, rows), nil
}

// campaignBody is what a call about a campaign asks for; nil is absent.
type campaignBody struct {
	name    *string
	deleted *bool
}

func parseCampaign(o object) (b campaignBody, err error) {
	if b.name, err = o.text("name", maxName); err != nil {
		return b, err
	}
	if b.name != nil && *b.name == "" {
		return b, fault.Bad("name", fault.Missing, "must not be empty")
	}
	if b.deleted, err = o.flag("is_deleted"); err != nil || b.deleted != nil {
		return b, err
	}
	active, err := o.flag("is_active")
	if active != nil {
		deleted := !*active
		b.deleted = &deleted
	}
	return b, err
}

// campaignCall reads a call about a campaign of a group; its body may be empty,
// since the page shows none for some.
func (a *API) campaignCall(c *call, needs link.Role) (*link.Group, campaignBody, error) {
	g, err := a.placed(c, needs)
	if err != nil {
		return nil, campaignBody{}, err
	}
	raw, err := readBody(c.Request)
	if err != nil || len(raw) == 0 {
		return g, campaignBody{}, err
	}
	o, err := parseObject(raw)
	if err != nil {
		return nil, campaignBody{}, err
	}
	b, err := parseCampaign(o)
	return g, b, err
}

// checkCampaign tells whether a name is free. A call without one, which is all
// that the page shows, asks whether the group is there.
func (a *API) checkCampaign(c *call) (reply.Reply, error) {
	g, b, err := a.campaignCall(c, link.Read)
	if err != nil {
		return reply.Reply{}, err
	}
	if text := c.query.text("name"); b.name == nil && text != "" {
		b.name = &text
	}
	if b.name != nil {
		if err := a.Rules.CheckCampaignName(c.Context(), c.actor, g.ID, *b.name); err != nil {
			return reply.Reply{}, err
		}
	}
	return c.done(), nil
}

func (a *API) createCampaign(c *call) (reply.Reply, error) {
	g, b, err := a.campaignCall(c, link.Write)
	switch {
	case err != nil:
		return reply.Reply{}, err
	case b.name == nil:
		return reply.Reply{}, fault.Bad("name", fault.Missing, "is required")
	case b.deleted != nil && *b.deleted:
		return reply.Reply{}, fault.Bad("is_deleted", fault.NotAllowed, "must be false for a new campaign")
	}
	made, err := a.Rules.CreateCampaign(c.Context(), c.actor, g.ID, *b.name)
	if err != nil {
		return reply.Reply{}, err
	}
	return c.show(newCampaignShape{made.ID, made.AppGroup, made.Name, made.CreatedAt.Unix(), made.UpdatedAt.Unix(), made.Deleted}), nil
}

// changeCampaign answers with a bare campaign, as the page shows it.
func (a *API) changeCampaign(c *call) (reply.Reply, error) {
	g, b, err := a.campaignCall(c, link.Write)
	if err != nil {
		return reply.Reply{}, err
	}
	id := link.CampaignID(c.campaign)
	changed, err := a.Rules.ChangeCampaign(c.Context(), c.actor, g.ID, id, manage.CampaignChange{Name: b.name, Deleted: b.deleted})
	if err != nil {
		return reply.Reply{}, err
	}
	return bare(http.StatusOK, showCampaign(&changed)), nil
}

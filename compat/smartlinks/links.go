package smartlinks

import (
	"strconv"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
)

// Lengths of the guids of links (vendor's page, samples of both kinds).
const (
	plainGUID  = 13
	nativeGUID = 9
)

// identity is what no two live links of a group share: their name without
// regard to case.
func identity(g link.AppGroupID, name string) string {
	return "smartlinks\x00" + strconv.FormatInt(int64(g), 10) + "\x00" + link.Fold(name)
}

// saving says of an identity that is in use what it means here; other errors
// stay as they are.
func saving(err error) error {
	if f := fault.As(err); err != nil && f.Kind == fault.Conflict && f.Field == "name" && f.Reason == fault.Taken {
		return nameTaken()
	}
	return err
}

func nameTaken() error {
	return &fault.Error{Kind: fault.Conflict, Field: "name", Reason: fault.Taken, Message: "is the name of another SmartLink of this app group"}
}

func (a *API) createLink(c *call) (reply.Reply, error) {
	o, err := readObject(c.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	w, err := parseWish(o)
	if err != nil {
		return reply.Reply{}, err
	}
	if w.group == nil {
		return reply.Reply{}, required("app_group_id")
	}
	g, err := a.groupForLinks(c, *w.group)
	if err != nil {
		return reply.Reply{}, err
	}
	s, err := w.built(g)
	if err != nil {
		return reply.Reply{}, err
	}
	n, err := a.newLink(w, &s, g)
	if err != nil {
		return reply.Reply{}, err
	}
	l, _, err := a.Rules.CreateLink(c.Context(), c.actor, n)
	if err == nil && w.campaign == nil { // the name of a campaign that exists may differ in case
		var campaign link.Campaign
		campaign, err = a.Rules.Campaign(c.Context(), c.actor, g.ID, l.Listing.Campaign)
		l.Listing.CampaignName = campaign.Name
	}
	if err != nil {
		return reply.Reply{}, saving(err)
	}
	shape := a.shape(c, &l, &s)
	shape.ChannelType = s.ChannelType
	return c.show(shape), nil
}

// groupForLinks returns the group that a link is to be made in.
func (a *API) groupForLinks(c *call, id int64) (*link.Group, error) {
	g, err := a.group(c, link.AppGroupID(id), link.Write)
	if err == nil && g.Archived {
		err = &fault.Error{Kind: fault.Conflict, Field: "app_group_id", Reason: fault.Archived, Message: "is an archived app group, which takes no links"}
	}
	return g, err
}

// newLink asks the rules for a link, and settles the host that it lives on.
func (a *API) newLink(w *wish, s *Stored, g *link.Group) (manage.NewLink, error) {
	n := manage.NewLink{Dialect: link.SmartLinks, CodeLength: plainGUID}
	listing := link.Listing{AppGroup: g.ID, Name: *w.name, Identity: identity(g.ID, *w.name)}
	var err error
	if listing.Partner, err = a.partner(g.Account, "network_id", link.Network, w.network); err != nil {
		return n, err
	}
	if listing.Agency, err = a.partner(g.Account, "agency_network_id", link.AgencyPartner, w.agency); err != nil {
		return n, err
	}
	switch {
	case w.campaign != nil: // it wins over a name
		listing.Campaign = link.CampaignID(*w.campaign)
	case w.campaignName != nil && *w.campaignName != "":
		listing.CampaignName = *w.campaignName
	default:
		return n, fault.Bad("app_group_campaign_id", fault.Missing, "or app_group_campaign_name is required")
	}
	domain, err := a.home(w, s, g)
	if err != nil {
		return n, err
	}
	n.Host = domain
	if s.Native {
		n.CodeLength, s.Subdomain = nativeGUID, firstLabel(domain)
	}
	n.Listing, n.Data, n.TargetHosts = &listing, s.Data(), s.targetHosts()
	return n, nil
}

// partner returns the account's partner of a kind; none for the id that means it.
func (a *API) partner(account link.AccountID, field string, kind link.PartnerKind, id *int64) (link.PartnerID, error) {
	if id == nil || kind == link.Network && link.PartnerID(*id) == NoNetwork {
		return 0, nil
	}
	p := a.Rules.Directory().Partner(account, link.PartnerID(*id))
	switch {
	case p != nil && p.Kind == kind:
		return p.ID, nil
	case kind == link.Network:
		return 0, fault.Bad(field, fault.Unknown, "must be one of GET /v1/networks, %d for none; %d is not", NoNetwork, *id)
	}
	return 0, fault.Bad(field, fault.Unknown, "must be one of GET /v1/agency_networks, null for none; %d is not", *id)
}

// home returns the host that a new link lives on: plain ones on the shared
// host of the account, native ones on the group's host that they name.
func (a *API) home(w *wish, s *Stored, g *link.Group) (host string, err error) {
	d := a.Rules.Directory()
	if account := d.Account(g.Account); !s.Native && account != nil && account.SharedDomain != "" {
		return account.SharedDomain, nil
	}
	if s.Native && w.subdomain != nil && *w.subdomain != "" {
		for _, domain := range groupDomains(d, g.ID) {
			if strings.EqualFold(*w.subdomain, domain.Host) || strings.EqualFold(*w.subdomain, firstLabel(domain.Host)) {
				return domain.Host, nil
			}
		}
		return "", fault.Bad("subdomain", fault.Unknown, "must be one of GET /v1/groups/%d/subdomains; %q is not", g.ID, *w.subdomain)
	}
	domain := d.DefaultDomain(g.ID)
	if domain == nil {
		return "", fault.Bad("app_group_id", fault.NotAllowed, "must be an app group with a domain that serves its links; the operator of this server sets one up")
	}
	return domain.Host, nil
}

// link returns the link that a call is about.
func (a *API) link(c *call) (link.Link, Stored, error) {
	l, err := a.Rules.ListedLink(c.Context(), c.actor, link.SmartLinks, link.LinkID(c.id))
	if err != nil {
		return link.Link{}, Stored{}, err
	}
	if err := a.charge(c, l.Account); err != nil {
		return link.Link{}, Stored{}, err
	}
	s, err := Read(l.Data)
	return l, s, err
}

// showLinks answers with links and their counts.
func (a *API) showLinks(c *call, links []link.Link) ([]linkShape, error) {
	shapes := make([]linkShape, 0, len(links))
	for i := range links {
		s, err := Read(links[i].Data)
		if err != nil {
			return nil, err
		}
		shapes = append(shapes, a.shape(c, &links[i], &s))
	}
	return shapes, a.count(c.Context(), links, shapes)
}

func (a *API) readLink(c *call) (reply.Reply, error) {
	l, _, err := a.link(c)
	if err != nil {
		return reply.Reply{}, err
	}
	return a.showOne(c, l)
}

func (a *API) showOne(c *call, l link.Link) (reply.Reply, error) {
	shapes, err := a.showLinks(c, []link.Link{l})
	if err != nil {
		return reply.Reply{}, err
	}
	return c.show(shapes[0]), nil
}

// changeLink applies what may change of a body that may be a whole reply.
func (a *API) changeLink(c *call) (reply.Reply, error) {
	l, _, err := a.link(c)
	if err != nil {
		return reply.Reply{}, err
	}
	g, err := a.Rules.Group(c.actor, l.Listing.AppGroup, link.Write)
	if err != nil {
		return reply.Reply{}, err
	}
	o, err := readObject(c.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	w, err := parseWish(o)
	if err != nil {
		return reply.Reply{}, err
	}
	_, err = a.Rules.ChangeListed(c.Context(), c.actor, link.SmartLinks, l.ID, func(l *link.Link) error { return a.change(w, g, l) })
	if err != nil {
		return reply.Reply{}, saving(err)
	}
	if l, err = a.Rules.ListedLink(c.Context(), c.actor, link.SmartLinks, l.ID); err != nil { // with its campaign's name
		return reply.Reply{}, err
	}
	return a.showOne(c, l)
}

// change writes a wish into a link.
func (a *API) change(w *wish, g *link.Group, l *link.Link) error {
	s, err := Read(l.Data)
	if err != nil {
		return err
	}
	if err := w.changed(&s, g, l.ID); err != nil {
		return err
	}
	n := l.Listing
	if w.name != nil {
		if *w.name == "" {
			return fault.Bad("name", fault.Missing, "must not be empty")
		}
		n.Name, n.Identity = *w.name, identity(g.ID, *w.name)
	}
	switch {
	case w.agency != nil && link.PartnerID(*w.agency) != n.Agency:
		if n.Agency, err = a.partner(g.Account, "agency_network_id", link.AgencyPartner, w.agency); err != nil {
			return err
		}
	case w.noAgency:
		n.Agency = 0
	}
	switch {
	case w.campaign != nil:
		n.Campaign = link.CampaignID(*w.campaign)
	case w.campaignName != nil && *w.campaignName != "":
		n.Campaign, n.CampaignName = 0, *w.campaignName
	}
	l.Data, l.TargetHosts = s.Data(), s.targetHosts()
	return nil
}

func (a *API) archiveLink(c *call) (reply.Reply, error) {
	l, _, err := a.link(c)
	if err != nil {
		return reply.Reply{}, err
	}
	if err := a.Rules.ArchiveLink(c.Context(), c.actor, link.SmartLinks, l.ID); err != nil {
		return reply.Reply{}, err
	}
	return c.done(), nil
}

// checkLinkName tells whether a link of the name could be made.
func (a *API) checkLinkName(c *call) (reply.Reply, error) {
	o, err := readObject(c.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	id, err := o.id("app_group_id")
	if err != nil {
		return reply.Reply{}, err
	}
	name, err := o.text("name", maxName)
	switch {
	case err != nil:
		return reply.Reply{}, err
	case id == nil:
		return reply.Reply{}, required("app_group_id")
	case name == nil || *name == "":
		return reply.Reply{}, required("name")
	}
	g, err := a.groupForLinks(c, *id)
	if err != nil {
		return reply.Reply{}, err
	}
	links, err := a.Rules.ListedLinks(c.Context(), c.actor, link.Filter{
		Dialect: link.SmartLinks, Groups: []link.AppGroupID{g.ID}, Identity: identity(g.ID, *name),
	})
	if err != nil {
		return reply.Reply{}, err
	}
	if len(links) > 0 {
		return reply.Reply{}, nameTaken()
	}
	return c.done(), nil
}

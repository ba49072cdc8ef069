package smartlinks

import (
	"slices"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
)

// groupShape is an app group as every call but the list shows it.
type groupShape struct {
	ID        link.AppGroupID `json:"id"`
	Name      string          `json:"name"`
	AccountID link.AccountID  `json:"account_id"`
	Apps      []groupApp      `json:"apps"`
	Created   int64           `json:"created_dttm"`
	Updated   int64           `json:"last_updated_dttm"`
	IsActive  bool            `json:"is_active"`
	Eligible  bool            `json:"eligible_for_smartlinks"`
}

type groupApp struct {
	ID       link.AppID `json:"app_id"`
	Name     string     `json:"name"`
	Platform string     `json:"platform"`
	Eligible bool       `json:"eligible_for_smartlinks"`
}

func showGroup(g *link.Group) groupShape {
	shape := groupShape{
		ID: g.ID, Name: g.Name, AccountID: g.Account, Apps: []groupApp{},
		Created: g.CreatedAt.Unix(), Updated: g.UpdatedAt.Unix(), IsActive: !g.Archived, Eligible: eligibleGroup(g.Apps),
	}
	for _, app := range g.Apps {
		shape.Apps = append(shape.Apps, groupApp{app.ID, app.Name, PlatformCode(app.Platform), eligible(app.Platform)})
	}
	return shape
}

// group returns the group that a call is about.
func (a *API) group(c *call, id link.AppGroupID, needs link.Role) (*link.Group, error) {
	g, err := a.Rules.Group(c.actor, id, needs)
	if err != nil {
		return nil, err
	}
	return g, a.charge(c, g.Account)
}

func (a *API) placed(c *call, needs link.Role) (*link.Group, error) {
	return a.group(c, link.AppGroupID(c.id), needs)
}

func (a *API) readGroup(c *call) (reply.Reply, error) {
	g, err := a.placed(c, link.Read)
	if err != nil {
		return reply.Reply{}, err
	}
	return c.show(showGroup(g)), nil
}

// groupBody is what a create or a change of a group asks for; nil is absent.
type groupBody struct {
	name    *string
	account *int64
	active  *bool
	apps    []link.AppID
	listed  bool // apps is there
}

func parseGroup(o object) (b groupBody, err error) {
	if b.name, err = o.text("name", maxName); err != nil {
		return b, err
	}
	if b.name != nil && *b.name == "" {
		return b, fault.Bad("name", fault.Missing, "must not be empty")
	}
	if b.account, err = o.id("account_id"); err != nil {
		return b, err
	}
	if b.active, err = o.flag("is_active"); err != nil {
		return b, err
	}
	ids, listed, err := o.ids("apps")
	b.listed = listed
	for _, id := range ids {
		b.apps = append(b.apps, link.AppID(id))
	}
	return b, err
}

func (a *API) createGroup(c *call) (reply.Reply, error) {
	o, err := readObject(c.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	b, err := parseGroup(o)
	if err != nil {
		return reply.Reply{}, err
	}
	switch {
	case b.name == nil:
		return reply.Reply{}, fault.Bad("name", fault.Missing, "is required")
	case b.account == nil && c.actor.Account == 0:
		return reply.Reply{}, fault.Bad("account_id", fault.Missing, "is required: the key works for several accounts")
	case len(b.apps) == 0:
		return reply.Reply{}, fault.Bad("apps", fault.Missing, "is required: a list of at least one app id")
	case b.active != nil && !*b.active:
		return reply.Reply{}, fault.Bad("is_active", fault.NotAllowed, "must be true for a new app group; archive it afterwards with PUT /v1/groups/{id}/archive")
	}
	account := c.actor.Account
	if b.account != nil {
		account = link.AccountID(*b.account)
	}
	if !a.opens(c, account) {
		return reply.Reply{}, fault.Bad("account_id", fault.Unknown, "must be one of GET /v1/advertisers; %d is not", account)
	}
	if err := a.charge(c, account); err != nil {
		return reply.Reply{}, err
	}
	g, err := a.Rules.CreateGroup(c.Context(), c.actor, manage.NewGroup{Account: account, Name: *b.name, Apps: b.apps})
	if err != nil {
		return reply.Reply{}, err
	}
	return c.show(showGroup(g)), nil
}

// opens reports whether the key opens the account: nobody spends the calls of
// others.
func (a *API) opens(c *call, id link.AccountID) bool {
	return slices.ContainsFunc(a.Rules.Accounts(c.actor), func(account *link.Account) bool { return account.ID == id })
}

func (a *API) changeGroup(c *call) (reply.Reply, error) {
	if _, err := a.placed(c, link.Write); err != nil {
		return reply.Reply{}, err
	}
	o, err := readObject(c.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	b, err := parseGroup(o)
	if err != nil {
		return reply.Reply{}, err
	}
	change := manage.GroupChange{Name: b.name}
	if b.listed {
		if change.Apps = b.apps; change.Apps == nil {
			change.Apps = []link.AppID{}
		}
	}
	g, err := a.Rules.ChangeGroup(c.Context(), c.actor, link.AppGroupID(c.id), change)
	if err != nil {
		return reply.Reply{}, err
	}
	return c.show(showGroup(g)), nil
}

func (a *API) archiveGroup(c *call) (reply.Reply, error) {
	if _, err := a.placed(c, link.Write); err != nil {
		return reply.Reply{}, err
	}
	if err := a.Rules.ArchiveGroup(c.Context(), c.actor, link.AppGroupID(c.id)); err != nil {
		return reply.Reply{}, err
	}
	return c.done(), nil
}

// subdomain is a host of a group as its clients know it.
type subdomain struct {
	Name    string        `json:"common_subdomain"`
	Host    string        `json:"link_domain"`
	Apps    []fallbackApp `json:"apps"`
	Default bool          `json:"default,omitempty"`
}

type fallbackApp struct {
	ID       link.AppID `json:"app_id"`
	Fallback string     `json:"fallback_url"`
}

func (a *API) listSubdomains(c *call) (reply.Reply, error) {
	g, err := a.placed(c, link.Read)
	if err != nil {
		return reply.Reply{}, err
	}
	apps := []fallbackApp{}
	for _, app := range g.Apps {
		if !eligible(app.Platform) {
			continue
		}
		fallback := app.StoreURL
		if fallback == "" {
			fallback = app.URL
		}
		apps = append(apps, fallbackApp{app.ID, fallback})
	}
	d := a.Rules.Directory()
	home, subdomains := d.DefaultDomain(g.ID), []subdomain{}
	for _, domain := range groupDomains(d, g.ID) {
		subdomains = append(subdomains, subdomain{firstLabel(domain.Host), domain.Host, apps, home != nil && home.Host == domain.Host})
	}
	return c.show(struct {
		Group      link.AppGroupID `json:"app_group_id"`
		Subdomains []subdomain     `json:"subdomains"`
	}{g.ID, subdomains}), nil
}

// groupDomains returns the hosts of a group, the default one first. Brands are
// left out: they show what their own domain shows.
func groupDomains(d *link.Directory, id link.AppGroupID) []*link.Domain {
	var domains []*link.Domain
	for i := range d.Catalog.Domains {
		if domain := &d.Catalog.Domains[i]; domain.AppGroup == id && domain.BrandOf == "" {
			domains = append(domains, domain)
		}
	}
	return domains
}

// firstLabel returns the vendor's "common subdomain" of a host.
func firstLabel(host string) string {
	label, _, _ := strings.Cut(host, ".")
	return label
}

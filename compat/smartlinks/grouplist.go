package smartlinks

import (
	"cmp"
	"slices"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
)

// groupRow is an app group as the list shows it.
type groupRow struct {
	ID        link.AppGroupID `json:"id"`
	Name      string          `json:"name"`
	Apps      []rowApp        `json:"apps"`
	AppCount  int             `json:"app_count"`
	LinkCount int64           `json:"smartlink_count"`
	Created   int64           `json:"created_dttm"`
	CanCreate bool            `json:"can_create_smartlinks"`
}

type rowApp struct {
	ID       link.AppID `json:"app_id"`
	Name     string     `json:"name"`
	Platform string     `json:"platform"`
}

// groupFilter picks groups of a list. Zero fields do not restrict.
type groupFilter struct {
	account   link.AccountID
	writable  *bool
	active    *bool
	platforms []string
	search    string // without its case
}

func (a *API) listGroups(c *call) (reply.Reply, error) {
	f, err := parseGroupFilter(c.query)
	if err != nil {
		return reply.Reply{}, err
	}
	by, descending, err := c.query.order("created", "name", "smartlink_count", "app_count", "created")
	if err != nil {
		return reply.Reply{}, err
	}
	offset, limit, err := c.query.page()
	if err != nil {
		return reply.Reply{}, err
	}
	if err := a.chargeAll(c); err != nil {
		return reply.Reply{}, err
	}
	groups := slices.DeleteFunc(slices.Clone(a.Rules.Groups(c.actor)), func(g *link.Group) bool { return !a.picks(c, &f, g) })
	var counts map[link.AppGroupID]int64
	if by == "smartlink_count" {
		if counts, err = a.countLinks(c, groups); err != nil {
			return reply.Reply{}, err
		}
	}
	sortGroups(groups, by, descending, counts)
	groups = slice(groups, offset, limit)
	if counts == nil {
		if counts, err = a.countLinks(c, groups); err != nil {
			return reply.Reply{}, err
		}
	}
	rows := make([]groupRow, 0, len(groups))
	for _, g := range groups {
		rows = append(rows, a.row(c, g, counts[g.ID]))
	}
	return c.show(rows), nil
}

func parseGroupFilter(q query) (f groupFilter, err error) {
	if text := q.text("account"); text != "" {
		account, ok := digits(text)
		if !ok {
			return f, fault.Bad("account", fault.Malformed, "must be a number")
		}
		f.account = link.AccountID(account)
	}
	// The page's address and its table disagree on the name.
	if f.writable, err = q.flag("has_write_access", "has_written_access"); err != nil {
		return f, err
	}
	if f.active, err = q.flag("is_active"); err != nil {
		return f, err
	}
	f.platforms = q.words("platform")
	for _, code := range f.platforms {
		if !knownCode(code) {
			return f, fault.Bad("platform", fault.Unknown, "%q is no platform; such as android, ios, web, kindle, macosx, windows", code)
		}
	}
	f.search = link.Fold(q.text("search"))
	return f, nil
}

func (a *API) picks(c *call, f *groupFilter, g *link.Group) bool {
	switch {
	case f.account != 0 && g.Account != f.account,
		f.active != nil && *f.active == g.Archived,
		f.writable != nil && *f.writable != a.mayWrite(c, g.ID):
		return false
	}
	return f.hasPlatform(g) && f.hasName(g)
}

func (f *groupFilter) hasPlatform(g *link.Group) bool {
	return len(f.platforms) == 0 || slices.ContainsFunc(f.platforms, func(code string) bool {
		p, ok := ParsePlatformCode(code)
		return ok && g.App(p) != nil
	})
}

func (f *groupFilter) hasName(g *link.Group) bool {
	holds := func(name string) bool { return strings.Contains(link.Fold(name), f.search) }
	return holds(g.Name) || slices.ContainsFunc(g.Apps, func(app *link.App) bool { return holds(app.Name) })
}

// mayWrite reports whether the key may make links in the group.
func (a *API) mayWrite(c *call, id link.AppGroupID) bool {
	_, err := a.Rules.Group(c.actor, id, link.Write)
	return err == nil
}

func (a *API) countLinks(c *call, groups []*link.Group) (map[link.AppGroupID]int64, error) {
	ids := make([]link.AppGroupID, 0, len(groups))
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return a.Rules.CountListed(c.Context(), link.SmartLinks, ids)
}

// sortGroups orders equal groups by id, whichever way the others go.
func sortGroups(groups []*link.Group, by string, descending bool, counts map[link.AppGroupID]int64) {
	slices.SortFunc(groups, func(x, y *link.Group) int {
		order := 0
		switch by {
		case "name":
			order = strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name))
		case "smartlink_count":
			order = cmp.Compare(counts[x.ID], counts[y.ID])
		case "app_count":
			order = cmp.Compare(len(x.Apps), len(y.Apps))
		case "created":
			order = x.CreatedAt.Compare(y.CreatedAt)
		}
		if descending {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(x.ID, y.ID))
	})
}

func (a *API) row(c *call, g *link.Group, links int64) groupRow {
	row := groupRow{
		ID: g.ID, Name: g.Name, Apps: []rowApp{}, AppCount: len(g.Apps), LinkCount: links, Created: g.CreatedAt.Unix(),
		CanCreate: !g.Archived && eligibleGroup(g.Apps) && a.mayWrite(c, g.ID),
	}
	for _, app := range g.Apps {
		row.Apps = append(row.Apps, rowApp{app.ID, app.Name, PlatformCode(app.Platform)})
	}
	return row
}

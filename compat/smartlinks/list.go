package smartlinks

import (
	"net/url"
	"slices"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
)

func (a *API) listLinks(c *call) (reply.Reply, error) {
	f, err := a.filter(c)
	if err != nil {
		return reply.Reply{}, err
	}
	if err := a.chargeAll(c); err != nil {
		return reply.Reply{}, err
	}
	none, err := a.inGroups(c, &f)
	if err != nil {
		return reply.Reply{}, err
	}
	var links []link.Link
	if !none {
		if links, err = a.Rules.ListedLinks(c.Context(), c.actor, f); err != nil {
			return reply.Reply{}, err
		}
	}
	shapes, err := a.showLinks(c, links)
	if err != nil {
		return reply.Reply{}, err
	}
	return c.show(shapes), nil
}

// filter reads everything but the groups.
func (a *API) filter(c *call) (f link.Filter, err error) {
	f.Dialect = link.SmartLinks
	if f.Active, err = c.query.flag("is_active"); err != nil {
		return f, err
	}
	orders := map[string]link.Order{"name": link.ByName, "created": link.ByCreated, "updated": link.ByUpdated}
	by, descending, err := c.query.order("created", "name", "created", "updated")
	if err != nil {
		return f, err
	}
	f.Order, f.Descending = orders[by], descending
	if f.Offset, f.Limit, err = c.query.page(); err != nil {
		return f, err
	}
	if text := c.query.text("search"); text != "" {
		f.Search = searched(a.Rules.Directory(), text)
		f.SearchPartners = a.partnersNamed(c, text)
	}
	return f, nil
}

// inGroups restricts the filter to the groups and the account that are asked
// for; none says that no group is left.
func (a *API) inGroups(c *call, f *link.Filter) (none bool, err error) {
	ids, chosen := c.query.ids("app_group_id")
	var account link.AccountID
	if text := c.query.text("advertiser_account_id"); text != "" {
		id, ok := digits(text)
		if !ok {
			return false, fault.Bad("advertiser_account_id", fault.Malformed, "must be a number")
		}
		account = link.AccountID(id)
	}
	if !chosen && account == 0 {
		return false, nil
	}
	for _, g := range a.Rules.Groups(c.actor) {
		if (!chosen || slices.Contains(ids, int64(g.ID))) && (account == 0 || account == g.Account) {
			f.Groups = append(f.Groups, g.ID)
		}
	}
	return len(f.Groups) == 0, nil
}

// searched returns what to look for in the names and paths of links: of a
// link's whole URL, or of one that begins with a host of ours, what its path
// has; of a path by itself, without what stands around the guid.
func searched(d *link.Directory, text string) string {
	rest, isURL := text, false
	for _, scheme := range []string{"https://", "http://"} {
		if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			rest, isURL = text[len(scheme):], true
		}
	}
	u, err := url.Parse("//" + rest)
	if err != nil || !isURL && d.Site(strings.ToLower(u.Hostname())) == nil {
		if guid, _, _ := strings.Cut(text, "?"); isGUID(ownPath(guid)) {
			return ownPath(guid)
		}
		return text
	}
	host := strings.ToLower(u.Hostname())
	if site := d.Site(host); site != nil {
		host = site.Home()
	}
	return string(link.HostPath(host, ownPath(u.Path)))
}

// ownPath returns what of a URL's path is that of a link.
func ownPath(path string) string {
	return strings.TrimRight(strings.TrimPrefix(strings.TrimLeft(path, "/"), impressions), "/")
}

// partnersNamed returns the partners of the key's accounts whose names hold a text.
func (a *API) partnersNamed(c *call, text string) []link.PartnerRef {
	text = link.Fold(text)
	accounts := map[link.AccountID]bool{}
	for _, account := range a.Rules.Accounts(c.actor) {
		accounts[account.ID] = true
	}
	var refs []link.PartnerRef
	for _, p := range a.Rules.Directory().Catalog.Partners {
		if accounts[p.Account] && strings.Contains(link.Fold(p.Name), text) {
			refs = append(refs, link.PartnerRef{Account: p.Account, ID: p.ID})
		}
	}
	return refs
}

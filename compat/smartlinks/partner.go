package smartlinks

import (
	"cmp"
	"slices"
	"strings"

	"waypost/internal/reply"
	"waypost/link"
)

// Kinds of partner as the vendor numbers them (seen in its page's samples).
const (
	aclPrivate   = 2
	aclAgency    = 4
	aclUniversal = 5
)

type advertiser struct {
	ID       link.AccountID `json:"id"`
	Name     string         `json:"name"`
	MayWrite bool           `json:"has_write_access"`
}

// listAdvertisers answers with the accounts that the key opens, by name.
func (a *API) listAdvertisers(c *call) (reply.Reply, error) {
	writable, err := c.query.flag("has_write_access", "has_written_access")
	if err != nil {
		return reply.Reply{}, err
	}
	if err := a.chargeAll(c); err != nil {
		return reply.Reply{}, err
	}
	rows := []advertiser{}
	for _, account := range a.Rules.Accounts(c.actor) {
		row := advertiser{account.ID, account.Name, writesSomewhere(c, account.ID)}
		if writable == nil || *writable == row.MayWrite {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(x, y advertiser) int {
		return cmp.Or(strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), cmp.Compare(x.ID, y.ID))
	})
	return c.show(rows), nil
}

// writesSomewhere reports whether the key may write to app groups of the account.
func writesSomewhere(c *call, account link.AccountID) bool {
	return slices.ContainsFunc(c.actor.Token.Grants, func(g link.Grant) bool {
		return g.Account == account && g.Role.Includes(link.Write)
	})
}

type partner struct {
	ID   link.PartnerID `json:"id"`
	Name string         `json:"name"`
	ACL  int            `json:"acl"`
	Logo string         `json:"logo_url"`
}

func showPartner(p *link.Partner) partner {
	acl := aclUniversal
	switch {
	case p.Kind == link.AgencyPartner:
		acl = aclAgency
	case p.Private:
		acl = aclPrivate
	}
	return partner{p.ID, p.Name, acl, p.LogoURL}
}

func (a *API) listAgencies(c *call) (reply.Reply, error) {
	if err := a.chargeAll(c); err != nil {
		return reply.Reply{}, err
	}
	return c.show(a.partners(c, func(p *link.Partner) bool { return p.Kind == link.AgencyPartner })), nil
}

// listNetworks answers with the one that means none, which always exists, and
// the networks of the key's accounts; for a list of apps with their private ones.
func (a *API) listNetworks(c *call) (reply.Reply, error) {
	if err := a.chargeAll(c); err != nil {
		return reply.Reply{}, err
	}
	apps, filtered := c.query.ids("vppn_app_id")
	networks := a.partners(c, func(p *link.Partner) bool {
		return p.Kind == link.Network && (!filtered || p.Private && slices.ContainsFunc(p.ConfiguredFor, func(set link.PartnerApp) bool {
			return slices.Contains(apps, int64(set.App))
		}))
	})
	none := partner{ID: NoNetwork, Name: NoNetworkName, ACL: aclUniversal}
	return c.show(append([]partner{none}, networks...)), nil
}

// partners returns those of the key's accounts that are wanted, by id.
func (a *API) partners(c *call, wanted func(*link.Partner) bool) []partner {
	all := a.Rules.Directory().Catalog.Partners
	accounts := map[link.AccountID]bool{}
	for _, account := range a.Rules.Accounts(c.actor) {
		accounts[account.ID] = true
	}
	rows := []partner{}
	for i := range all {
		if p := &all[i]; accounts[p.Account] && p.ID != NoNetwork && wanted(p) {
			rows = append(rows, showPartner(p))
		}
	}
	slices.SortFunc(rows, func(x, y partner) int { return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Name, y.Name)) })
	return slices.Compact(rows) // accounts may name the same one
}

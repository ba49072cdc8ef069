package singular

import (
	"cmp"
	"slices"

	"waypost/internal/device"
	"waypost/internal/reply"
	"waypost/link"
)

// appWire is an app site. Two fields have the names of the vendor's page and
// those that clients read.
type appWire struct {
	AppSite  link.AppID      `json:"app_site_id"`
	Platform string          `json:"app_platform"`
	StoreURL string          `json:"app_store_url"`
	Store    string          `json:"store_url"`
	PublicID string          `json:"site_public_id"`
	BundleID string          `json:"app_bundle_id"`
	LongName string          `json:"app_longname"`
	App      link.AppGroupID `json:"app_id"`
	Name     string          `json:"app"`
}

// listApps answers with the app sites of the live groups that the actor may
// see. An app outside every group has no app_id, and can have no links.
func (a *API) listApps(c *call) (reply.Reply, error) {
	list := []appWire{}
	for _, g := range a.Rules.Groups(c.actor) {
		if g.Archived {
			continue
		}
		for _, app := range g.Apps {
			w := appWire{AppSite: app.ID, Platform: app.Platform.String(), StoreURL: app.StoreURL, App: g.ID, Name: g.Name}
			switch app.Platform {
			case device.IOS, device.AppleTV, device.MacOS:
				w.PublicID, w.BundleID = app.StoreID, app.BundleID
			case device.Web:
				w.PublicID, w.BundleID, w.StoreURL = app.URL, app.URL, app.URL
			default:
				w.PublicID, w.BundleID = app.Package, app.Package
			}
			w.Store, w.LongName = w.StoreURL, w.BundleID
			list = append(list, w)
		}
	}
	return reply.JSON(0, struct {
		Apps []appWire `json:"available_apps"`
	}{list}), nil
}

type configuredWire struct {
	AppSite link.AppID      `json:"app_site_id"`
	App     link.AppGroupID `json:"app_id"`
	Name    string          `json:"singular_partner_display_name"`
	ID      link.PartnerID  `json:"singular_partner_id"`
}

// listConfigured answers with the partners that are set up for each app site.
func (a *API) listConfigured(c *call) (reply.Reply, error) {
	sites, err := c.query.numbers(paramAppSite)
	if err != nil {
		return reply.Reply{}, err
	}
	ids, err := c.query.numbers(paramPartner, "singular_partner_id")
	if err != nil {
		return reply.Reply{}, err
	}
	list := []configuredWire{}
	for _, g := range a.Rules.Groups(c.actor) {
		if g.Archived {
			continue
		}
		for _, app := range g.Apps {
			for _, p := range a.linkPartners(g.Account) {
				if picked(sites, app.ID) && picked(ids, p.ID) && setupFor(p, app.ID) != nil {
					list = append(list, configuredWire{app.ID, g.ID, p.Name, p.ID})
				}
			}
		}
	}
	return reply.JSON(0, struct {
		Partners []configuredWire `json:"available_partners"`
	}{list}), nil
}

type partnerWire struct {
	ID           link.PartnerID `json:"singular_partner_id"`
	Name         string         `json:"singular_partner_display_name"`
	MultipleOS   bool           `json:"support_multiple_os"`
	Reengagement bool           `json:"support_reengagement"`
	CTV          bool           `json:"support_ctv"`
}

// listPartners answers with what each partner supports. The vendor's sample
// and its table call the filter by different names.
func (a *API) listPartners(c *call) (reply.Reply, error) {
	ids, err := c.query.numbers(paramPartner, "singular_partner_id")
	if err != nil {
		return reply.Reply{}, err
	}
	list := []partnerWire{}
	for _, account := range a.Rules.Accounts(c.actor) {
		for _, p := range a.linkPartners(account.ID) {
			if picked(ids, p.ID) {
				list = append(list, partnerWire{p.ID, p.Name, p.MultipleOS, p.Reengagement, p.CTV})
			}
		}
	}
	return reply.JSON(0, struct {
		Partners []partnerWire `json:"partners"`
	}{list}), nil
}

// linkPartners returns the partners of an account that can have links, by id;
// the lists "will not include" self-attributing networks.
func (a *API) linkPartners(account link.AccountID) []*link.Partner {
	catalog := &a.Rules.Directory().Catalog
	var all []*link.Partner
	for i := range catalog.Partners {
		if p := &catalog.Partners[i]; p.Account == account && p.TrackingLinks {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(x, y *link.Partner) int { return cmp.Compare(x.ID, y.ID) })
	return all
}

func picked[T ~int64](asked []int64, id T) bool {
	return len(asked) == 0 || slices.Contains(asked, int64(id))
}

package sqlitestore

import (
	"context"

	"waypost/link"
)

// LoadCatalog returns the whole configuration as of one instant, each kind of
// thing ordered by its identity.
func (s *Store) LoadCatalog(ctx context.Context) (catalog link.Catalog, err error) {
	err = s.readAtOnce(ctx, "load the configuration", func(c *conn) error {
		catalog = link.Catalog{}
		for _, load := range []func(*conn, *link.Catalog) error{
			loadAccounts, loadAgencies, loadApps, loadAppGroups, loadDomains, loadShared, loadTemplates, loadPartners, loadPostbacks, loadTokens,
		} {
			if err := load(c, &catalog); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return link.Catalog{}, err
	}
	return catalog, nil
}

func loadAccounts(c *conn, to *link.Catalog) error {
	return c.each("SELECT attributes, id, key, shared_domain FROM accounts ORDER BY id", func(r row) error {
		a, err := decode[accountRow](r, 0, "account "+r.text(1))
		to.Accounts = append(to.Accounts, link.Account{
			ID: link.AccountID(r.int(1)), Key: link.Key(r.text(2)), Name: a.Name, Timezone: a.Timezone, Names: a.Names,
			RedirectAllowlist: a.RedirectAllowlist, Limits: a.Limits, SDKKey: a.SDKKey, SDKSecret: a.SDKSecret, IPPolicy: a.IPPolicy,
			SharedDomain: r.text(3), Attribution: a.Attribution.settings(),
		})
		return err
	})
}

func loadAgencies(c *conn, to *link.Catalog) error {
	return c.each("SELECT attributes, id, key FROM agencies ORDER BY id", func(r row) error {
		a, err := decode[agencyRow](r, 0, "agency "+r.text(1))
		to.Agencies = append(to.Agencies, link.Agency{ID: link.AgencyID(r.int(1)), Key: link.Key(r.text(2)), Name: a.Name})
		return err
	})
}

func loadApps(c *conn, to *link.Catalog) error {
	return c.each("SELECT attributes, id, account, key FROM apps ORDER BY id", func(r row) error {
		a, err := decode[appRow](r, 0, "app "+r.text(1))
		to.Apps = append(to.Apps, link.App{
			ID: link.AppID(r.int(1)), Account: link.AccountID(r.int(2)), Key: link.Key(r.text(3)),
			GUID: a.GUID, Name: a.Name, Platform: a.Platform, BundleID: a.BundleID, TeamID: a.TeamID, Package: a.Package,
			Fingerprints: a.Fingerprints, StoreID: a.StoreID, StoreURL: a.StoreURL, Scheme: a.Scheme, Clipboard: a.Clipboard, URL: a.URL, Attribution: a.Attribution.settings(),
		})
		return err
	})
}

func loadAppGroups(c *conn, to *link.Catalog) error {
	members := map[link.AppGroupID][]link.AppID{}
	for _, query := range []string{
		"SELECT app_group, app FROM app_group_apps ORDER BY app_group, position",
		"SELECT app_group, app FROM archived_group_apps ORDER BY app_group, position",
	} {
		err := c.each(query, func(r row) error {
			group := link.AppGroupID(r.int(0))
			members[group] = append(members[group], link.AppID(r.int(1)))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return c.each("SELECT attributes, id, account, key FROM app_groups ORDER BY id", func(r row) error {
		a, err := decode[appGroupRow](r, 0, "app group "+r.text(1))
		id := link.AppGroupID(r.int(1))
		to.AppGroups = append(to.AppGroups, link.AppGroup{
			ID: id, Account: link.AccountID(r.int(2)), Key: link.Key(r.text(3)), Name: a.Name, Apps: members[id],
			Archived: a.Archived, CreatedAt: attributeInstant(a.CreatedAt), UpdatedAt: attributeInstant(a.UpdatedAt),
		})
		return err
	})
}

func loadDomains(c *conn, to *link.Catalog) error {
	return c.each("SELECT attributes, host, account, app_group, brand_of FROM domains ORDER BY host", func(r row) error {
		a, err := decode[domainRow](r, 0, "domain "+r.text(1))
		to.Domains = append(to.Domains, link.Domain{
			Host: r.text(1), Account: link.AccountID(r.int(2)), AppGroup: link.AppGroupID(r.int(3)), BrandOf: r.text(4),
			BaseURL: a.BaseURL, Default: a.Default,
		})
		return err
	})
}

func loadShared(c *conn, to *link.Catalog) error {
	return c.each("SELECT attributes, host FROM shared_domains ORDER BY host", func(r row) error {
		a, err := decode[sharedDomainRow](r, 0, "shared domain "+r.text(1))
		to.Shared = append(to.Shared, link.SharedDomain{Host: r.text(1), BaseURL: a.BaseURL})
		return err
	})
}

func loadTemplates(c *conn, to *link.Catalog) error {
	return c.each("SELECT attributes, id, account, app_group, domain FROM templates ORDER BY id", func(r row) error {
		a, err := decode[templateRow](r, 0, "template "+r.text(1))
		to.Templates = append(to.Templates, link.Template{
			ID: link.TemplateID(r.text(1)), Account: link.AccountID(r.int(2)), AppGroup: link.AppGroupID(r.int(3)), Domain: r.text(4),
			Name: a.Name, WebURL: a.WebURL, OG: link.OpenGraph{Title: a.OGTitle, Description: a.OGDescription, ImageURL: a.OGImageURL},
			URIScheme: a.URIScheme, MarketLinks: a.MarketLinks, QR: link.QRStyle{Foreground: a.QRForeground, Background: a.QRBackground},
		})
		return err
	})
}

func loadPartners(c *conn, to *link.Catalog) error {
	type partnerID struct{ account, id int64 }
	apps := map[partnerID][]link.PartnerApp{}
	err := c.each("SELECT attributes, account, partner, app FROM partner_apps ORDER BY account, partner, position", func(r row) error {
		a, err := decode[partnerAppRow](r, 0, "an app of partner "+r.text(2))
		id := partnerID{r.int(1), r.int(2)}
		apps[id] = append(apps[id], link.PartnerApp{
			App: link.AppID(r.int(3)), ClickDeterministic: a.ClickDeterministic, ViewDeterministic: a.ViewDeterministic,
			ClickProbabilistic: a.ClickProbabilistic, ViewProbabilistic: a.ViewProbabilistic, Reengagement: a.Reengagement,
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.each("SELECT attributes, account, id, key FROM partners ORDER BY account, id", func(r row) error {
		a, err := decode[partnerRow](r, 0, "partner "+r.text(2))
		to.Partners = append(to.Partners, link.Partner{
			Account: link.AccountID(r.int(1)), ID: link.PartnerID(r.int(2)), Key: link.Key(r.text(3)),
			Name: a.Name, Kind: a.Kind, Private: a.Private, TrackingLinks: a.TrackingLinks, MultipleOS: a.MultipleOS,
			Reengagement: a.Reengagement, CTV: a.CTV, LinkQuery: a.LinkQuery, LogoURL: a.LogoURL,
			ConfiguredFor: apps[partnerID{r.int(1), r.int(2)}],
		})
		return err
	})
}

func loadPostbacks(c *conn, to *link.Catalog) error {
	return c.each("SELECT attributes, account, key, partner, app FROM postbacks ORDER BY account, key", func(r row) error {
		a, err := decode[postbackRow](r, 0, "postback "+r.text(2))
		to.Postbacks = append(to.Postbacks, link.Postback{
			Account: link.AccountID(r.int(1)), Key: link.Key(r.text(2)), Partner: link.PartnerID(r.int(3)), App: link.AppID(r.int(4)),
			On: a.On, Method: a.Method, URL: a.URL, Secret: a.Secret,
		})
		return err
	})
}

func loadTokens(c *conn, to *link.Catalog) error {
	grants, err := loadGrants(c)
	if err != nil {
		return err
	}
	return c.each("SELECT attributes, id, account, agency, name, hash FROM tokens ORDER BY account, agency, name", func(r row) error {
		a, err := decode[tokenRow](r, 0, "token "+r.text(4))
		to.Tokens = append(to.Tokens, link.Token{
			Account: link.AccountID(r.int(2)), Agency: link.AgencyID(r.int(3)), Name: r.text(4), Hash: link.SecretHash(r.text(5)),
			ActsAsAgency: a.ActsAsAgency, Grants: grants[r.int(1)],
		})
		return err
	})
}

// loadGrants returns the grants by the row id of their token.
func loadGrants(c *conn) (map[int64][]link.Grant, error) {
	grants := map[int64][]link.Grant{}
	err := c.each("SELECT attributes, token, account FROM token_grants ORDER BY token, position", func(r row) error {
		a, err := decode[grantRow](r, 0, "a token's grant")
		grants[r.int(1)] = append(grants[r.int(1)], link.Grant{Account: link.AccountID(r.int(2)), Role: a.Role})
		return err
	})
	if err != nil {
		return nil, err
	}
	err = c.each("SELECT token, grant_position, app_group FROM token_grant_groups ORDER BY token, grant_position, position", func(r row) error {
		g := &grants[r.int(0)][r.int(1)]
		g.AppGroups = append(g.AppGroups, link.AppGroupID(r.int(2)))
		return nil
	})
	return grants, err
}

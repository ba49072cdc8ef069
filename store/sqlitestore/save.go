package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"waypost/internal/fault"
	"waypost/link"
)

// SaveCatalog creates or replaces the things in changed, all or none. A thing
// whose relations do not exist is Invalid, one that takes what belongs to
// another (a key, a secret, an app of another group) is a Conflict; the fault
// names it.
func (s *Store) SaveCatalog(ctx context.Context, changed link.Catalog) error {
	rows := len(changed.Accounts) + len(changed.Agencies) + len(changed.Tokens) + len(changed.Apps) + len(changed.AppGroups) +
		len(changed.Domains) + len(changed.Shared) + len(changed.Templates) + len(changed.Partners) + len(changed.Postbacks)
	return s.write(ctx, "save the configuration", rows, func(c *conn) error {
		// In the order of their references.
		for _, save := range []func(*conn, *link.Catalog) error{
			saveShared, saveAccounts, saveAgencies, saveApps, saveAppGroups, saveDomains, checkHosts, saveTemplates, savePartners, savePostbacks, saveTokens,
		} {
			if err := save(c, &changed); err != nil {
				return err
			}
		}
		return nil
	})
}

// save writes one thing's row; the attributes are its last parameter. A
// constraint that refuses it becomes a fault: unique tells what the thing
// would have taken from another.
func (c *conn) save(thing, unique, sql string, attributes any, args ...any) error {
	text, err := encode(attributes)
	if err != nil {
		return fmt.Errorf("%s: %w", thing, err)
	}
	_, err = c.run(sql, append(args, text)...)
	return refusal(err, thing, unique)
}

func refusal(err error, thing, unique string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqlite3.CONSTRAINT_UNIQUE), errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY), errors.Is(err, sqlite3.CONSTRAINT_ROWID):
		return (&fault.Error{Kind: fault.Conflict, Reason: fault.Taken, Message: thing + ": " + unique}).Because(err)
	case errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY):
		return (&fault.Error{Kind: fault.Invalid, Reason: fault.Unknown, Message: thing + " refers to something that does not exist"}).Because(err)
	case errors.Is(err, sqlite3.CONSTRAINT_CHECK):
		return (&fault.Error{Kind: fault.Invalid, Reason: fault.Malformed, Message: thing + " must have one owner, an account or an agency"}).Because(err)
	}
	return fmt.Errorf("%s: %w", thing, err)
}

// orNull makes a reference that is zero NULL.
func orNull[T int64 | string](reference T) any {
	var zero T
	if reference == zero {
		return nil
	}
	return reference
}

const (
	keyTaken  = "another one has the same key"
	hostTaken = "the host is taken"
)

func saveAccounts(c *conn, from *link.Catalog) error {
	for _, a := range from.Accounts {
		err := c.save(fmt.Sprintf("account %d (%s)", a.ID, a.Key), keyTaken,
			`INSERT INTO accounts (id, key, shared_domain, attributes) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET key = excluded.key, shared_domain = excluded.shared_domain, attributes = excluded.attributes`,
			accountRow{a.Name, a.Timezone, a.Names, a.RedirectAllowlist, a.Limits, a.SDKKey, a.SDKSecret, a.IPPolicy, rowOfSettings(&a.Attribution)},
			int64(a.ID), string(a.Key), orNull(a.SharedDomain))
		if err != nil {
			return err
		}
	}
	return nil
}

func saveAgencies(c *conn, from *link.Catalog) error {
	for _, a := range from.Agencies {
		err := c.save(fmt.Sprintf("agency %d (%s)", a.ID, a.Key), keyTaken,
			`INSERT INTO agencies (id, key, attributes) VALUES (?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET key = excluded.key, attributes = excluded.attributes`,
			agencyRow{a.Name}, int64(a.ID), string(a.Key))
		if err != nil {
			return err
		}
	}
	return nil
}

func saveApps(c *conn, from *link.Catalog) error {
	for _, a := range from.Apps {
		err := c.save(fmt.Sprintf("app %d (%s)", a.ID, a.Key), keyTaken,
			`INSERT INTO apps (id, account, key, attributes) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET account = excluded.account, key = excluded.key, attributes = excluded.attributes`,
			appRow{a.GUID, a.Name, a.Platform, a.BundleID, a.TeamID, a.Package, a.Fingerprints, a.StoreID, a.StoreURL, a.Scheme, a.Clipboard, a.URL, rowOfSettings(&a.Attribution)},
			int64(a.ID), int64(a.Account), string(a.Key))
		if err != nil {
			return err
		}
	}
	return nil
}

func saveAppGroups(c *conn, from *link.Catalog) error {
	for _, g := range from.AppGroups {
		err := c.save(groupName(&g), keyTaken,
			`INSERT INTO app_groups (id, account, key, attributes) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET account = excluded.account, key = excluded.key, attributes = excluded.attributes`,
			appGroupRow{g.Name, g.Archived, attributeMillis(g.CreatedAt), attributeMillis(g.UpdatedAt)}, int64(g.ID), int64(g.Account), string(g.Key))
		if err != nil {
			return err
		}
		for _, release := range []string{"DELETE FROM app_group_apps WHERE app_group = ?", "DELETE FROM archived_group_apps WHERE app_group = ?"} {
			if _, err := c.run(release, int64(g.ID)); err != nil {
				return err
			}
		}
	}
	// After every group has let go: an app may move from one to another.
	for _, g := range from.AppGroups {
		insert := "INSERT INTO app_group_apps (app, app_group, position) VALUES (?, ?, ?)"
		if g.Archived {
			insert = "INSERT INTO archived_group_apps (app, app_group, position) VALUES (?, ?, ?)"
		}
		for i, app := range g.Apps {
			_, err := c.run(insert, int64(app), int64(g.ID), int64(i))
			thing := fmt.Sprintf("%s with app %d", groupName(&g), app)
			if err := refusal(err, thing, "the app is in a group already, and an app is in one group only"); err != nil {
				return err
			}
		}
	}
	return nil
}

func groupName(g *link.AppGroup) string { return fmt.Sprintf("app group %d (%s)", g.ID, g.Key) }

func saveDomains(c *conn, from *link.Catalog) error {
	save := func(d *link.Domain, brandOf string) error {
		return c.save("domain "+d.Host, hostTaken,
			`INSERT INTO domains (host, account, app_group, brand_of, attributes) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (host) DO UPDATE SET account = excluded.account, app_group = excluded.app_group,
			brand_of = excluded.brand_of, attributes = excluded.attributes`,
			domainRow{d.BaseURL, d.Default}, d.Host, int64(d.Account), orNull(int64(d.AppGroup)), orNull(brandOf))
	}
	// First without what they are brands of, which may come later in the list.
	for i := range from.Domains {
		if err := save(&from.Domains[i], ""); err != nil {
			return err
		}
	}
	for i := range from.Domains {
		if d := &from.Domains[i]; d.BrandOf != "" {
			if err := save(d, d.BrandOf); err != nil {
				return err
			}
		}
	}
	return nil
}

func saveShared(c *conn, from *link.Catalog) error {
	for _, d := range from.Shared {
		err := c.save("shared domain "+d.Host, hostTaken,
			"INSERT INTO shared_domains (host, attributes) VALUES (?, ?) ON CONFLICT (host) DO UPDATE SET attributes = excluded.attributes",
			sharedDomainRow{d.BaseURL}, d.Host)
		if err != nil {
			return err
		}
	}
	return nil
}

// checkHosts refuses a host that is an account's domain and a shared one.
func checkHosts(c *conn, from *link.Catalog) error {
	if len(from.Domains) == 0 && len(from.Shared) == 0 {
		return nil
	}
	twice, err := c.text("SELECT host FROM domains JOIN shared_domains USING (host) LIMIT 1")
	if err != nil || twice == "" {
		return err
	}
	return &fault.Error{Kind: fault.Conflict, Reason: fault.Taken, Message: "domain " + twice + ": a host is an account's domain or a shared one, not both"}
}

func saveTemplates(c *conn, from *link.Catalog) error {
	for _, t := range from.Templates {
		err := c.save("template "+string(t.ID), "the id is taken",
			`INSERT INTO templates (id, account, app_group, domain, attributes) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET account = excluded.account, app_group = excluded.app_group,
			domain = excluded.domain, attributes = excluded.attributes`,
			templateRow{t.Name, t.WebURL, t.OG.Title, t.OG.Description, t.OG.ImageURL, t.URIScheme, t.MarketLinks, t.QR.Foreground, t.QR.Background},
			string(t.ID), int64(t.Account), orNull(int64(t.AppGroup)), orNull(t.Domain))
		if err != nil {
			return err
		}
	}
	return nil
}

func savePartners(c *conn, from *link.Catalog) error {
	for _, p := range from.Partners {
		thing := fmt.Sprintf("partner %d (%s) of account %d", p.ID, p.Key, p.Account)
		err := c.save(thing, keyTaken,
			`INSERT INTO partners (account, id, key, attributes) VALUES (?, ?, ?, ?)
			ON CONFLICT (account, id) DO UPDATE SET key = excluded.key, attributes = excluded.attributes`,
			partnerRow{p.Name, p.Kind, p.Private, p.TrackingLinks, p.MultipleOS, p.Reengagement, p.CTV, p.LinkQuery, p.LogoURL},
			int64(p.Account), int64(p.ID), string(p.Key))
		if err != nil {
			return err
		}
		if _, err := c.run("DELETE FROM partner_apps WHERE account = ? AND partner = ?", int64(p.Account), int64(p.ID)); err != nil {
			return err
		}
		for i, a := range p.ConfiguredFor {
			err := c.save(fmt.Sprintf("%s with app %d", thing, a.App), "the app is there twice",
				"INSERT INTO partner_apps (account, partner, app, position, attributes) VALUES (?, ?, ?, ?, ?)",
				partnerAppRow{a.ClickDeterministic, a.ViewDeterministic, a.ClickProbabilistic, a.ViewProbabilistic, a.Reengagement},
				int64(p.Account), int64(p.ID), int64(a.App), int64(i))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func savePostbacks(c *conn, from *link.Catalog) error {
	for _, p := range from.Postbacks {
		err := c.save(fmt.Sprintf("postback %s of account %d", p.Key, p.Account), keyTaken,
			`INSERT INTO postbacks (account, key, partner, app, attributes) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (account, key) DO UPDATE SET partner = excluded.partner, app = excluded.app, attributes = excluded.attributes`,
			postbackRow{p.On, p.Method, p.URL, p.Secret},
			int64(p.Account), string(p.Key), orNull(int64(p.Partner)), orNull(int64(p.App)))
		if err != nil {
			return err
		}
	}
	return nil
}

func saveTokens(c *conn, from *link.Catalog) error {
	// All changed ones leave first: two of them may exchange their secrets.
	// Their grants go with them.
	for _, t := range from.Tokens {
		_, err := c.run("DELETE FROM tokens WHERE account IS ? AND agency IS ? AND name = ?", orNull(int64(t.Account)), orNull(int64(t.Agency)), t.Name)
		if err != nil {
			return err
		}
	}
	for _, t := range from.Tokens {
		thing := fmt.Sprintf("token %s of account %d", t.Name, t.Account)
		if t.Agency != 0 {
			thing = fmt.Sprintf("token %s of agency %d", t.Name, t.Agency)
		}
		err := c.save(thing, "another token has the same secret",
			"INSERT INTO tokens (account, agency, name, hash, attributes) VALUES (?, ?, ?, ?, ?)",
			tokenRow{t.ActsAsAgency}, orNull(int64(t.Account)), orNull(int64(t.Agency)), t.Name, string(t.Hash))
		if err != nil {
			return err
		}
		if err := saveGrants(c, thing, c.db.LastInsertRowID(), t.Grants); err != nil {
			return err
		}
	}
	return nil
}

func saveGrants(c *conn, thing string, token int64, grants []link.Grant) error {
	for i, g := range grants {
		name := fmt.Sprintf("%s with its grant in account %d", thing, g.Account)
		err := c.save(name, "the grant is there twice",
			"INSERT INTO token_grants (token, position, account, attributes) VALUES (?, ?, ?, ?)",
			grantRow{g.Role}, token, int64(i), int64(g.Account))
		if err != nil {
			return err
		}
		for j, group := range g.AppGroups {
			_, err := c.run("INSERT INTO token_grant_groups (token, grant_position, position, app_group) VALUES (?, ?, ?, ?)",
				token, int64(i), int64(j), int64(group))
			if err := refusal(err, name, "the app group is there twice"); err != nil {
				return err
			}
		}
	}
	return nil
}

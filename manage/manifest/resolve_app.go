package manifest

import (
	"cmp"
	"slices"
	"strings"

	"waypost/internal/device"
	"waypost/link"
)

func (p *planner) app(owner *link.Account, a *App, at string) {
	key := ref{owner.ID, link.Key(a.Key)}
	old, exists := p.apps[key]
	platform, err := device.ParsePlatform(a.Platform)
	if err != nil {
		p.add(at+".platform", "must be one of %s", list(platformNames()))
	}
	if exists && old.Platform != platform {
		p.add(at+".platform", "is %s in the store; an app stays on its platform, make another app", old.Platform)
	}
	guid := a.GUID
	switch {
	case guid == "":
		guid = old.GUID
	case old.GUID != "" && old.GUID != guid:
		p.add(at+".guid", "is %q in the store; ids never change", old.GUID)
	}
	p.paths[key] = at
	app := link.App{
		ID: link.AppID(p.number(at, "app", a.ID, int64(old.ID))), GUID: guid, Key: key.key, Account: owner.ID, Name: a.Name,
		Platform:     platform,
		BundleID:     said(p.file, at+".bundle_id", a.BundleID, old.BundleID),
		TeamID:       said(p.file, at+".team_id", a.TeamID, old.TeamID),
		Package:      said(p.file, at+".package", a.Package, old.Package),
		Fingerprints: said(p.file, at+".sha256_cert_fingerprints", each(a.Fingerprints, strings.ToUpper), old.Fingerprints),
		StoreID:      said(p.file, at+".store_id", a.StoreID, old.StoreID),
		StoreURL:     said(p.file, at+".store_url", a.StoreURL, old.StoreURL),
		Scheme:       said(p.file, at+".scheme", a.Scheme, old.Scheme),
		Clipboard:    said(p.file, at+".clipboard", a.Clipboard, old.Clipboard),
		URL:          said(p.file, at+".url", a.URL, old.URL),
		Attribution:  p.file.merge(p.file.settings(&a.Attribution, at+".attribution"), &old.Attribution, at+".attribution"),
	}
	put(p, p.apps, key, app, &p.plan.Changed.Apps, Thing{Kind: "app", Owner: string(owner.Key), Key: a.Key})
}

// appID resolves an app of the account; no key is no app.
func (p *planner) appID(owner *link.Account, key, path string) link.AppID {
	if key == "" {
		return 0
	}
	app, ok := p.apps[ref{owner.ID, link.Key(key)}]
	if !ok {
		p.add(path, "no app %q in this account; it must be the key of one, in this file or applied before", key)
	}
	return app.ID
}

func (p *planner) partner(owner *link.Account, n *Partner, at string) {
	key := ref{owner.ID, link.Key(n.Key)}
	old := p.partners[key]
	partner := link.Partner{
		ID:  link.PartnerID(p.number(at, "partner", n.ID, int64(old.ID))),
		Key: key.key, Account: owner.ID, Name: n.Name,
		Kind:          cmp.Or(said(p.file, at+".kind", link.PartnerKind(n.Kind), old.Kind), link.Network),
		Private:       said(p.file, at+".private", n.Private, old.Private),
		TrackingLinks: said(p.file, at+".tracking_links", n.TrackingLinks, old.TrackingLinks),
		MultipleOS:    said(p.file, at+".multiple_os", n.MultipleOS, old.MultipleOS),
		Reengagement:  said(p.file, at+".reengagement", n.Reengagement, old.Reengagement),
		CTV:           said(p.file, at+".ctv", n.CTV, old.CTV),
		LinkQuery:     said(p.file, at+".link_query", n.LinkQuery, old.LinkQuery),
		LogoURL:       said(p.file, at+".logo_url", n.LogoURL, old.LogoURL),
		ConfiguredFor: said(p.file, at+".configured_for", p.configured(owner, n.ConfiguredFor, at+".configured_for"), old.ConfiguredFor),
	}
	put(p, p.partners, key, partner, &p.plan.Changed.Partners, Thing{Kind: "partner", Owner: string(owner.Key), Key: n.Key})
}

// configured are the apps that a partner is set up for.
func (p *planner) configured(owner *link.Account, apps []PartnerApp, at string) (all []link.PartnerApp) {
	for i, c := range apps {
		all = append(all, link.PartnerApp{
			App:                p.appID(owner, c.App, index(at, i)+".app"),
			ClickDeterministic: c.ClickDeterministic, ViewDeterministic: c.ViewDeterministic,
			ClickProbabilistic: c.ClickProbabilistic, ViewProbabilistic: c.ViewProbabilistic, Reengagement: c.Reengagement,
		})
	}
	return all
}

func (p *planner) postback(owner *link.Account, b *Postback, at string) {
	key := ref{owner.ID, link.Key(b.Key)}
	old := p.postbacks[key]
	postback := link.Postback{
		Key: key.key, Account: owner.ID, On: b.On, URL: b.URL,
		Partner: said(p.file, at+".partner", p.partnerID(owner, b.Partner, at+".partner"), old.Partner),
		App:     said(p.file, at+".app", p.appID(owner, b.App, at+".app"), old.App),
		Method:  cmp.Or(said(p.file, at+".method", b.Method, old.Method), "GET"),
		Secret:  said(p.file, at+".secret", b.Secret, old.Secret),
	}
	for i, kind := range b.On {
		if postback.Partner != 0 && slices.Contains(toldToAccount, kind) { // the stored postback has the partner, the file does not name him
			p.add(index(at+".on", i), "is told to the account alone, and the stored postback has a partner; clear it with partner: \"\", or make another postback")
		}
	}
	put(p, p.postbacks, key, postback, &p.plan.Changed.Postbacks, Thing{Kind: "postback", Owner: string(owner.Key), Key: b.Key})
}

// partnerID resolves a partner of the account; no key is no partner.
func (p *planner) partnerID(owner *link.Account, key, path string) link.PartnerID {
	if key == "" {
		return 0
	}
	partner, ok := p.partners[ref{owner.ID, link.Key(key)}]
	if !ok {
		p.add(path, "no partner %q in this account; it must be the key of one, in this file or applied before", key)
	}
	return partner.ID
}

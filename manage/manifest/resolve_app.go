package manifest

import (
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
		Platform: platform, BundleID: a.BundleID, TeamID: a.TeamID, Package: a.Package, Fingerprints: each(a.Fingerprints, strings.ToUpper),
		StoreID: a.StoreID, StoreURL: a.StoreURL, Scheme: a.Scheme, Clipboard: a.Clipboard, URL: a.URL,
		Attribution: p.file.settings(&a.Attribution, at+".attribution"),
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
	kind := link.PartnerKind(n.Kind)
	if kind == "" {
		kind = link.Network
	}
	partner := link.Partner{
		ID:  link.PartnerID(p.number(at, "partner", n.ID, int64(old.ID))),
		Key: key.key, Account: owner.ID, Name: n.Name, Kind: kind, Private: n.Private, TrackingLinks: n.TrackingLinks,
		MultipleOS: n.MultipleOS, Reengagement: n.Reengagement, CTV: n.CTV, LinkQuery: n.LinkQuery, LogoURL: n.LogoURL,
	}
	for i, c := range n.ConfiguredFor {
		partner.ConfiguredFor = append(partner.ConfiguredFor, link.PartnerApp{
			App:                p.appID(owner, c.App, index(at+".configured_for", i)+".app"),
			ClickDeterministic: c.ClickDeterministic, ViewDeterministic: c.ViewDeterministic,
			ClickProbabilistic: c.ClickProbabilistic, ViewProbabilistic: c.ViewProbabilistic, Reengagement: c.Reengagement,
		})
	}
	put(p, p.partners, key, partner, &p.plan.Changed.Partners, Thing{Kind: "partner", Owner: string(owner.Key), Key: n.Key})
}

func (p *planner) postback(owner *link.Account, b *Postback, at string) {
	key := ref{owner.ID, link.Key(b.Key)}
	method := b.Method
	if method == "" {
		method = "GET"
	}
	postback := link.Postback{
		Key: key.key, Account: owner.ID, App: p.appID(owner, b.App, at+".app"), On: b.On, Method: method, URL: b.URL, Secret: b.Secret,
	}
	if b.Partner != "" {
		partner, ok := p.partners[ref{owner.ID, link.Key(b.Partner)}]
		if !ok {
			p.add(at+".partner", "no partner %q in this account; it must be the key of one, in this file or applied before", b.Partner)
		}
		postback.Partner = partner.ID
	}
	put(p, p.postbacks, key, postback, &p.plan.Changed.Postbacks, Thing{Kind: "postback", Owner: string(owner.Key), Key: b.Key})
}

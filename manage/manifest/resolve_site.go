package manifest

import (
	"strings"

	"waypost/link"
)

// sharedDomain plans a host that is no account's.
func (p *planner) sharedDomain(d *SharedDomain, at string) {
	host := strings.ToLower(d.Host)
	if _, ok := p.domains[host]; ok {
		p.add(at+".host", "is a domain of an account; a host serves the links of one account or is shared, not both")
		return
	}
	shared := link.SharedDomain{Host: host, BaseURL: baseURL(host, said(p.file, at+".base_url", d.BaseURL, p.shared[host].BaseURL))}
	put(p, p.shared, host, shared, &p.plan.Changed.Shared, Thing{Kind: "shared domain", Key: host})
}

// baseURL returns what links of the host are shown with.
func baseURL(host, given string) string {
	if given == "" {
		return "https://" + host
	}
	return strings.TrimSuffix(given, "/")
}

func (p *planner) domain(owner *link.Account, d *Domain, at string) {
	host := strings.ToLower(d.Host)
	old, ok := p.domains[host]
	if ok && old.Account != owner.ID {
		p.add(at+".host", "belongs to another account; a host serves the links of one account")
		return
	}
	if _, ok := p.shared[host]; ok {
		p.add(at+".host", "is a shared domain; a host serves the links of one account or is shared, not both")
		return
	}
	p.paths[host] = at
	domain := link.Domain{
		Host: host, Account: owner.ID, AppGroup: p.groupID(owner, d.AppGroup, at+".app_group"),
		BaseURL: baseURL(host, said(p.file, at+".base_url", d.BaseURL, old.BaseURL)),
		Default: said(p.file, at+".default", d.Default, old.Default),
		BrandOf: said(p.file, at+".brand_of", strings.ToLower(d.BrandOf), old.BrandOf),
	}
	put(p, p.domains, host, domain, &p.plan.Changed.Domains, Thing{Kind: "domain", Owner: string(owner.Key), Key: host})
}

func (p *planner) template(owner *link.Account, t *Template, at string) {
	id := link.TemplateID(t.ID)
	old, ok := p.templates[id]
	if ok && old.Account != owner.ID {
		p.add(at+".id", "belongs to another account; choose another id")
		return
	}
	host := strings.ToLower(t.Domain)
	switch home, ok := p.domains[host]; {
	case !ok || home.Account != owner.ID:
		p.add(at+".domain", "no domain %q in this account; it must be the host of one, in this file or applied before", host)
	case home.BrandOf != "":
		p.add(at+".domain", "%q is a branded domain of %q; a template lives on the latter and is served on both", host, home.BrandOf)
	}
	template := link.Template{
		ID: id, Account: owner.ID, Name: t.Name, AppGroup: p.groupID(owner, t.AppGroup, at+".app_group"), Domain: host,
		WebURL: said(p.file, at+".web_url", t.WebURL, old.WebURL),
		OG: link.OpenGraph{
			Title:       said(p.file, at+".og.title", t.OG.Title, old.OG.Title),
			Description: said(p.file, at+".og.description", t.OG.Description, old.OG.Description),
			ImageURL:    said(p.file, at+".og.image_url", t.OG.ImageURL, old.OG.ImageURL),
		},
		URIScheme:   said(p.file, at+".uri_scheme", t.URIScheme, old.URIScheme),
		MarketLinks: said(p.file, at+".market_links", t.MarketLinks, old.MarketLinks),
		QR: link.QRStyle{
			Foreground: said(p.file, at+".qr.foreground", t.QR.Foreground, old.QR.Foreground),
			Background: said(p.file, at+".qr.background", t.QR.Background, old.QR.Background),
		},
	}
	put(p, p.templates, id, template, &p.plan.Changed.Templates, Thing{Kind: "template", Owner: string(owner.Key), Key: t.ID})
}

// checkDefaults refuses a second default domain of an app group, looked at
// when the whole file lies over the store.
func (p *planner) checkDefaults() {
	defaults := map[link.AppGroupID][]string{}
	for host, d := range p.domains {
		if d.Default && d.AppGroup != 0 {
			defaults[d.AppGroup] = append(defaults[d.AppGroup], host)
		}
	}
	for host, path := range p.paths {
		host, ok := host.(string)
		if !ok || !p.domains[host].Default {
			continue
		}
		for _, other := range defaults[p.domains[host].AppGroup] {
			if other != host {
				p.add(path+".default", "%q is the default domain of the app group already; an app group has one, name the other here with default: false", other)
			}
		}
	}
}

// checkBrands refuses brands of what is no domain of the account or a brand
// itself, and domains that became brands while templates live on them.
func (p *planner) checkBrands() {
	homes := map[string]link.TemplateID{}
	for id, t := range p.templates {
		homes[t.Domain] = id
	}
	brands := map[string]string{}
	for host, d := range p.domains {
		if d.BrandOf != "" {
			brands[d.BrandOf] = host
		}
	}
	for key, path := range p.paths {
		host, ok := key.(string)
		if !ok || p.domains[host].BrandOf == "" {
			continue
		}
		d := p.domains[host]
		home, exists := p.domains[d.BrandOf]
		switch {
		case !exists || home.Account != d.Account:
			p.add(path+".brand_of", "no domain %q in this account; it must be the host of one, in this file or applied before", d.BrandOf)
		case home.BrandOf != "":
			p.add(path+".brand_of", "%q is a branded domain itself; name the domain that it stands for, %q", d.BrandOf, home.BrandOf)
		case brands[host] != "":
			p.add(path+".brand_of", "%q is a branded domain of this one, so this one cannot be a brand", brands[host])
		case homes[host] != "":
			p.add(path+".brand_of", "the template %q lives on this domain, so it cannot be a brand", homes[host])
		}
	}
}

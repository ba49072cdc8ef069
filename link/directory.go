package link

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waypost/internal/device"
)

// Catalog is everything the apply file can name, as a store loads it.
type Catalog struct {
	Accounts  []Account
	Agencies  []Agency
	Tokens    []Token
	Apps      []App
	AppGroups []AppGroup
	Domains   []Domain
	Shared    []SharedDomain
	Templates []Template
	Partners  []Partner
	Postbacks []Postback
}

// Directory is a Catalog with its cross-references resolved, read by every
// door. It is immutable: a change makes a new one.
type Directory struct {
	Catalog   Catalog
	accounts  map[AccountID]*Account
	apps      map[AppID]*App
	partners  map[PartnerRef]*Partner
	postbacks map[AccountID][]*Postback
	tokens    map[SecretHash]*Token
	groups    map[AppGroupID]*Group
	sites     map[string]*Site
	templates map[TemplateID]*TemplateView
	hosts     map[AccountID]map[string]bool
}

// Group is an AppGroup with its apps.
type Group struct {
	AppGroup
	Apps []*App
}

// App returns the group's app for a platform, or nil.
func (g *Group) App(p device.Platform) *App {
	if g == nil {
		return nil
	}
	for _, a := range g.Apps {
		if a.Platform == p {
			return a
		}
	}
	return nil
}

// TemplateView is a Template with what it refers to.
type TemplateView struct {
	Template
	Owner *Account
	Group *Group
	Home  *Domain // the domain its links are shown on
}

// Site is what one link host serves. A shared one has neither owner nor group.
type Site struct {
	Domain
	Owner     *Account
	Group     *Group
	Templates map[TemplateID]*TemplateView
}

// NewDirectory resolves a catalog. It fails on a reference to a thing that the
// catalog does not hold; stores never save such a catalog.
func NewDirectory(c Catalog) (*Directory, error) {
	c.Domains = slices.Clone(c.Domains)
	slices.SortStableFunc(c.Domains, shownBefore)
	d := &Directory{
		Catalog:   c,
		accounts:  make(map[AccountID]*Account, len(c.Accounts)),
		apps:      make(map[AppID]*App, len(c.Apps)),
		partners:  make(map[PartnerRef]*Partner, len(c.Partners)),
		postbacks: make(map[AccountID][]*Postback, len(c.Accounts)),
		tokens:    make(map[SecretHash]*Token, len(c.Tokens)),
		groups:    make(map[AppGroupID]*Group, len(c.AppGroups)),
		sites:     make(map[string]*Site, len(c.Domains)),
		templates: make(map[TemplateID]*TemplateView, len(c.Templates)),
		hosts:     make(map[AccountID]map[string]bool, len(c.Accounts)),
	}
	for i := range c.Accounts {
		d.accounts[c.Accounts[i].ID] = &c.Accounts[i]
	}
	for i := range c.Tokens {
		d.tokens[c.Tokens[i].Hash] = &c.Tokens[i]
	}
	for i := range c.Apps {
		d.apps[c.Apps[i].ID] = &c.Apps[i]
	}
	for i := range c.Partners {
		d.partners[PartnerRef{c.Partners[i].Account, c.Partners[i].ID}] = &c.Partners[i]
	}
	for i := range c.Postbacks {
		owner := c.Postbacks[i].Account
		d.postbacks[owner] = append(d.postbacks[owner], &c.Postbacks[i])
	}
	if err := d.resolveGroups(); err != nil {
		return nil, err
	}
	if err := d.resolveSites(); err != nil {
		return nil, err
	}
	d.collectHosts()
	return d, nil
}

// shownBefore orders domains for lists: those that links are made on unless a
// client asks for another one, then the others, then brands; equal ones by host.
func shownBefore(a, b Domain) int {
	rank := func(d Domain) int {
		switch {
		case d.Default:
			return 0
		case d.BrandOf == "":
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Host, b.Host))
}

func (d *Directory) resolveGroups() error {
	for _, g := range d.Catalog.AppGroups {
		group := &Group{AppGroup: g}
		for _, id := range g.Apps {
			app, ok := d.apps[id]
			if !ok {
				return fmt.Errorf("app group %q refers to app %d, which does not exist", g.Key, id)
			}
			group.Apps = append(group.Apps, app)
		}
		d.groups[g.ID] = group
	}
	return nil
}

func (d *Directory) resolveSites() error {
	for _, dom := range d.Catalog.Domains {
		owner, ok := d.accounts[dom.Account]
		if !ok {
			return fmt.Errorf("domain %q refers to account %d, which does not exist", dom.Host, dom.Account)
		}
		d.sites[dom.Host] = &Site{Domain: dom, Owner: owner, Group: d.groups[dom.AppGroup], Templates: map[TemplateID]*TemplateView{}}
	}
	for _, s := range d.Catalog.Shared {
		if d.sites[s.Host] != nil {
			return fmt.Errorf("shared domain %q is an account's domain, too", s.Host)
		}
		d.sites[s.Host] = &Site{Domain: Domain{Host: s.Host, BaseURL: s.BaseURL}}
	}
	for _, a := range d.Catalog.Accounts {
		if site := d.sites[a.SharedDomain]; a.SharedDomain != "" && (site == nil || site.Owner != nil) {
			return fmt.Errorf("account %q refers to shared domain %q, which does not exist", a.Key, a.SharedDomain)
		}
	}
	for _, t := range d.Catalog.Templates {
		home, ok := d.sites[t.Domain]
		if !ok {
			return fmt.Errorf("template %q refers to domain %q, which does not exist", t.ID, t.Domain)
		}
		view := &TemplateView{Template: t, Owner: d.accounts[t.Account], Group: d.groups[t.AppGroup], Home: &home.Domain}
		d.templates[t.ID] = view
		for _, site := range d.sites {
			if site.Host == t.Domain || site.BrandOf == t.Domain {
				site.Templates[t.ID] = view
			}
		}
	}
	return nil
}

// collectHosts gathers the hosts that each account's own set-up points to.
func (d *Directory) collectHosts() {
	for _, a := range d.Catalog.Accounts {
		d.hosts[a.ID] = map[string]bool{}
		for _, h := range a.RedirectAllowlist {
			d.hosts[a.ID][strings.ToLower(h)] = true
		}
	}
	add := func(account AccountID, rawURL string) {
		if h := Host(rawURL); h != "" && d.hosts[account] != nil {
			d.hosts[account][h] = true
		}
	}
	for _, a := range d.Catalog.Apps {
		add(a.Account, a.StoreURL)
		add(a.Account, a.URL)
	}
	for _, dom := range d.Catalog.Domains {
		add(dom.Account, "https://"+dom.Host)
	}
	for _, t := range d.Catalog.Templates {
		add(t.Account, t.WebURL)
	}
}

// Account returns the account with the id, or nil.
func (d *Directory) Account(id AccountID) *Account { return d.accounts[id] }

// App returns the app with the id, or nil.
func (d *Directory) App(id AppID) *App { return d.apps[id] }

// Partner returns an account's partner with the id, or nil.
func (d *Directory) Partner(account AccountID, id PartnerID) *Partner {
	return d.partners[PartnerRef{account, id}]
}

// Postbacks returns the account's postbacks in the catalog's order.
func (d *Directory) Postbacks(account AccountID) []*Postback { return d.postbacks[account] }

// Postback returns an account's postback by its key, or nil.
func (d *Directory) Postback(account AccountID, key Key) *Postback {
	for _, p := range d.postbacks[account] {
		if p.Key == key {
			return p
		}
	}
	return nil
}

// DefaultDomain returns the group's domain for links that name none: the one
// marked so, else its first that is no brand; nil when it has none.
func (d *Directory) DefaultDomain(group AppGroupID) *Domain {
	var first *Domain
	for i := range d.Catalog.Domains {
		switch dom := &d.Catalog.Domains[i]; {
		case dom.AppGroup != group:
		case dom.Default:
			return dom
		case first == nil && dom.BrandOf == "":
			first = dom
		}
	}
	return first
}

// AccountOfSDKKey returns the account that a public SDK key names, or nil.
func (d *Directory) AccountOfSDKKey(key string) *Account {
	for i := range d.Catalog.Accounts {
		if a := &d.Catalog.Accounts[i]; key != "" && a.SDKKey == key {
			return a
		}
	}
	return nil
}

// Token returns the token whose secret has the hash, or nil. The look-up is by
// hash, so its timing tells nothing about the secret.
func (d *Directory) Token(hash SecretHash) *Token { return d.tokens[hash] }

// Group returns the app group with the id, or nil.
func (d *Directory) Group(id AppGroupID) *Group { return d.groups[id] }

// Template returns the template with the id, or nil.
func (d *Directory) Template(id TemplateID) *TemplateView { return d.templates[id] }

// Site returns what a host (lower case, no port) serves, or nil.
func (d *Directory) Site(host string) *Site { return d.sites[host] }

// UsesHost reports whether the account's allowlist or set-up names the host
// (lower case). Hosts of stored links are known to the store alone.
func (d *Directory) UsesHost(account AccountID, host string) bool {
	return d.hosts[account][host]
}

// Shared reports whether links of several accounts live here.
func (s *Site) Shared() bool { return s.Owner == nil }

// Home returns the host whose links the site serves: its own, or the one that
// it is a brand of.
func (s *Site) Home() string {
	if s.BrandOf != "" {
		return s.BrandOf
	}
	return s.Host
}

// ServesBrand reports whether brand is a branded domain of the template.
func (t *TemplateView) ServesBrand(d *Directory, brand string) bool {
	site := d.Site(brand)
	return site != nil && site.Templates[t.ID] != nil
}

// URL returns the address that a link of the template is shown with. An empty
// brand is the template's own domain.
func (t *TemplateView) URL(d *Directory, brand, code string) string {
	base := t.Home.BaseURL
	if site := d.Site(brand); site != nil {
		base = site.BaseURL
	}
	return base + "/" + string(t.ID) + "/" + code
}

// InGroups reports whether the grant covers the app group.
func (g *Grant) InGroups(id AppGroupID) bool {
	return len(g.AppGroups) == 0 || slices.Contains(g.AppGroups, id)
}

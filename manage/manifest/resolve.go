package manifest

import (
	"cmp"
	"maps"
	"strings"

	"waypost/link"
)

// Action is what applying does to one thing.
type Action string

// Actions.
const (
	Created   Action = "created"
	Changed   Action = "changed"
	Unchanged Action = "unchanged"
)

// Thing is one thing that a file names, and what applying does to it.
type Thing struct {
	Kind   string // "account", "app group", …
	Owner  string // key of the account or agency that it belongs to; empty for those themselves
	Key    string // key, host, template id or token name
	Action Action
}

// Plan is what has to be written so that a store holds what a file says.
type Plan struct {
	Changed link.Catalog // what differs, whole
	Merged  link.Catalog // everything, as it stands afterwards
	Things  []Thing      // in the order of the file
}

// Empty reports whether there is nothing to write.
func (p *Plan) Empty() bool {
	for _, t := range p.Things {
		if t.Action != Unchanged {
			return false
		}
	}
	return true
}

// Resolve compares a file that Parse has made with what is stored. A field that
// the file leaves out stays as it is stored, or has its default where the thing
// is new; a list that is there replaces the stored one, and an empty value
// clears. References may go to the file or the store. The error, if any, is
// Problems.
func Resolve(f File, stored link.Catalog) (Plan, error) {
	p := newPlanner(&f, stored)
	for i := range f.SharedDomains {
		p.sharedDomain(&f.SharedDomains[i], index("shared_domains", i))
	}
	for i := range f.Accounts {
		p.account(&f.Accounts[i], index("accounts", i))
	}
	for i := range f.Accounts {
		p.content(&f.Accounts[i], index("accounts", i))
	}
	for i := range f.Agencies {
		p.agency(&f.Agencies[i], index("agencies", i))
	}
	p.checkNames()
	p.checkGroupNames()
	p.checkDefaults()
	p.checkBrands()
	p.checkHashes()
	if err := p.err(); err != nil {
		return Plan{}, err
	}
	p.plan.Merged = p.merged()
	return p.plan, nil
}

// ref names a thing within its account.
type ref struct {
	account link.AccountID
	key     link.Key
}

// holder names a token: by its owner and its name.
type holder struct {
	account link.AccountID
	agency  link.AgencyID
	name    string
}

// planner holds the store's things and lays the file's over them.
type planner struct {
	*findings
	plan Plan
	ids  map[string]*numbers // by kind

	accounts  map[link.Key]link.Account
	agencies  map[link.Key]link.Agency
	apps      map[ref]link.App
	groups    map[ref]link.AppGroup
	unkeyed   []link.AppGroup // made by API: no file names them yet
	domains   map[string]link.Domain
	shared    map[string]link.SharedDomain
	templates map[link.TemplateID]link.Template
	partners  map[ref]link.Partner
	postbacks map[ref]link.Postback
	tokens    map[holder]link.Token

	appRefs    map[link.AppID]ref             // of the store's apps
	groupOf    map[link.AppID]link.AppGroupID // the live group that an app is in
	groupNames map[link.AppGroupID]string     // as messages call them
	groupPaths map[link.AppGroupID]string     // where the file names a group
	paths      map[any]string                 // where the file names an account, an app, a host or a token
}

func newPlanner(f *File, c link.Catalog) *planner {
	p := &planner{
		findings: newFindings(f),
		accounts: map[link.Key]link.Account{}, agencies: map[link.Key]link.Agency{},
		apps: map[ref]link.App{}, groups: map[ref]link.AppGroup{}, domains: map[string]link.Domain{}, shared: map[string]link.SharedDomain{},
		templates: map[link.TemplateID]link.Template{}, partners: map[ref]link.Partner{},
		postbacks: map[ref]link.Postback{}, tokens: map[holder]link.Token{},
		appRefs: map[link.AppID]ref{}, groupOf: map[link.AppID]link.AppGroupID{}, groupNames: map[link.AppGroupID]string{},
		groupPaths: map[link.AppGroupID]string{}, paths: map[any]string{},
	}
	for _, a := range c.Accounts {
		p.accounts[a.Key] = a
	}
	for _, g := range c.Agencies {
		p.agencies[g.Key] = g
	}
	for _, a := range c.Apps {
		p.apps[ref{a.Account, a.Key}] = a
		p.appRefs[a.ID] = ref{a.Account, a.Key}
	}
	for _, g := range c.AppGroups {
		p.storedGroup(g)
	}
	for _, d := range c.Domains {
		p.domains[d.Host] = d
	}
	for _, d := range c.Shared {
		p.shared[d.Host] = d
	}
	for _, t := range c.Templates {
		p.templates[t.ID] = t
	}
	for _, n := range c.Partners {
		p.partners[ref{n.Account, n.Key}] = n
	}
	for _, b := range c.Postbacks {
		p.postbacks[ref{b.Account, b.Key}] = b
	}
	for _, t := range c.Tokens {
		p.tokens[holder{t.Account, t.Agency, t.Name}] = t
	}
	p.ids = collectNumbers(f, c)
	return p
}

// put lays one thing of the file over the store's, and notes the difference.
func put[K comparable, T any](p *planner, all map[K]T, key K, thing T, changed *[]T, note Thing) {
	old, exists := all[key]
	switch {
	case !exists:
		note.Action = Created
	case equal(old, thing):
		note.Action = Unchanged
	default:
		note.Action = Changed
	}
	all[key] = thing
	if note.Action != Unchanged {
		*changed = append(*changed, thing)
	}
	p.plan.Things = append(p.plan.Things, note)
}

func (p *planner) merged() link.Catalog {
	return link.Catalog{
		Accounts: values(p.accounts), Agencies: values(p.agencies), Tokens: values(p.tokens),
		Apps: values(p.apps), AppGroups: append(values(p.groups), p.unkeyed...), Domains: values(p.domains), Shared: values(p.shared),
		Templates: values(p.templates), Partners: values(p.partners), Postbacks: values(p.postbacks),
	}
}

func values[K comparable, T any](m map[K]T) []T {
	all := make([]T, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// account plans the account itself, so that every later reference finds it.
func (p *planner) account(a *Account, at string) {
	key := link.Key(a.Key)
	old := p.accounts[key]
	account := link.Account{
		ID:  link.AccountID(p.number(at, "account", a.ID, int64(old.ID))),
		Key: key, Name: a.Name, Names: p.accountNames(a, at, &old),
		Timezone:          cmp.Or(said(p.file, at+".timezone", a.Timezone, old.Timezone), "UTC"),
		RedirectAllowlist: said(p.file, at+".redirect_allowlist", each(a.RedirectAllowlist, strings.ToLower), old.RedirectAllowlist),
		Limits:            p.limits(&a.Limits, at+".limits", old.Limits),
		SDKKey:            said(p.file, at+".sdk_key", a.SDKKey, old.SDKKey),
		SDKSecret:         said(p.file, at+".sdk_secret", a.SDKSecret, old.SDKSecret),
		IPPolicy:          cmp.Or(said(p.file, at+".privacy.ip", link.IPPolicy(a.Privacy.IP), old.IPPolicy), link.IPFull),
		SharedDomain:      said(p.file, at+".shared_domain", strings.ToLower(a.SharedDomain), old.SharedDomain),
		Attribution:       p.file.merge(p.file.settings(&a.Attribution, at+".attribution"), &old.Attribution, at+".attribution"),
	}
	if _, ok := p.shared[account.SharedDomain]; !ok && account.SharedDomain != "" {
		p.add(at+".shared_domain", "no shared domain %q; it must be the host of one under shared_domains, in this file or applied before", account.SharedDomain)
	}
	p.paths[key] = at
	put(p, p.accounts, key, account, &p.plan.Changed.Accounts, Thing{Kind: "account", Key: a.Key})
}

// accountNames are what the dialects call the account.
func (p *planner) accountNames(a *Account, at string, old *link.Account) map[link.Dialect]string {
	names := maps.Clone(old.Names)
	delete(names, link.OneLink)
	if name := said(p.file, at+".onelink_account_id", a.OneLinkAccountID, old.Names[link.OneLink]); name != "" {
		if names == nil {
			names = map[link.Dialect]string{}
		}
		names[link.OneLink] = name
	}
	return names
}

// content plans everything below an account: what is referred to comes first.
func (p *planner) content(a *Account, at string) {
	owner := p.accounts[link.Key(a.Key)]
	for i := range a.Apps {
		p.app(&owner, &a.Apps[i], index(at+".apps", i))
	}
	for i := range a.AppGroups {
		p.group(&owner, &a.AppGroups[i], index(at+".app_groups", i))
	}
	for i := range a.Domains {
		p.domain(&owner, &a.Domains[i], index(at+".domains", i))
	}
	for i := range a.Templates {
		p.template(&owner, &a.Templates[i], index(at+".templates", i))
	}
	for i := range a.Partners {
		p.partner(&owner, &a.Partners[i], index(at+".partners", i))
	}
	for i := range a.Postbacks {
		p.postback(&owner, &a.Postbacks[i], index(at+".postbacks", i))
	}
	for i := range a.Tokens {
		t, at := &a.Tokens[i], index(at+".tokens", i)
		old := p.tokens[holder{account: owner.ID, name: t.Name}]
		var limited []link.AppGroupID
		if len(old.Grants) == 1 {
			limited = old.Grants[0].AppGroups
		}
		groups := said(p.file, at+".app_groups", p.groupIDs(&owner, t.AppGroups, at+".app_groups"), limited)
		p.token(at, a.Key, link.Token{
			Account: owner.ID, Name: t.Name, Hash: link.HashSecret(t.Secret), ActsAsAgency: said(p.file, at+".agency", t.Agency, old.ActsAsAgency),
			Grants: []link.Grant{{Account: owner.ID, Role: link.Role(t.Role), AppGroups: groups}},
		})
	}
}

func (p *planner) agency(g *Agency, at string) {
	key := link.Key(g.Key)
	old := p.agencies[key]
	agency := link.Agency{ID: link.AgencyID(p.number(at, "agency", g.ID, int64(old.ID))), Key: key, Name: g.Name}
	put(p, p.agencies, key, agency, &p.plan.Changed.Agencies, Thing{Kind: "agency", Key: g.Key})
	for i := range g.Tokens {
		t, at := &g.Tokens[i], index(at+".tokens", i)
		token := link.Token{Agency: agency.ID, Name: t.Name, Hash: link.HashSecret(t.Secret)}
		for j, grant := range t.Grants {
			at := index(at+".grants", j)
			account, ok := p.accounts[link.Key(grant.Account)]
			if !ok {
				p.add(at+".account", "no account %q; it must be the key of one, in this file or applied before", grant.Account)
				continue
			}
			groups := p.groupIDs(&account, grant.AppGroups, at+".app_groups")
			token.Grants = append(token.Grants, link.Grant{Account: account.ID, Role: link.Role(grant.Role), AppGroups: groups})
		}
		p.token(at, g.Key, token)
	}
}

func (p *planner) token(at, owner string, t link.Token) {
	key := holder{t.Account, t.Agency, t.Name}
	p.paths[key] = at
	put(p, p.tokens, key, t, &p.plan.Changed.Tokens, Thing{Kind: "token", Owner: owner, Key: t.Name})
}

// limits returns the limits that the file sets and those that were set before;
// the others are defaults.
func (p *planner) limits(l *Limits, at string, old map[link.LimitName]link.Limit) map[link.LimitName]link.Limit {
	out := map[link.LimitName]link.Limit{}
	set := func(name link.LimitName, field string, value *link.Limit) {
		before, ok := old[name]
		switch {
		case value != nil:
			out[name] = *value
		case ok && !p.file.says(at+"."+field):
			out[name] = before
		}
	}
	set(link.OneLinkMonthlyWrites, "onelink.monthly_writes", l.OneLink.MonthlyWrites)
	set(link.OneLinkV1PerSecond, "onelink.v1_per_second", l.OneLink.V1PerSecond)
	set(link.OneLinkV2PerSecond, "onelink.v2_per_second", l.OneLink.V2PerSecond)
	set(link.OneLinkQRPerSecond, "onelink.qr_per_second", l.OneLink.QRPerSecond)
	set(link.SingularPerMinute, "singular.creates_per_minute", l.Singular.PerMinute)
	set(link.SingularPerDay, "singular.creates_per_day", l.Singular.PerDay)
	set(link.SingularPerMonth, "singular.creates_per_month", l.Singular.PerMonth)
	set(link.SingularReadPerMinute, "singular.reads_per_minute", l.Singular.ReadPerMinute)
	set(link.SmartLinksPerSecond, "smartlinks.per_second", l.SmartLinks.PerSecond)
	if len(out) == 0 {
		return nil
	}
	return out
}

// each returns the words as f makes them; none for none.
func each(words []string, f func(string) string) []string {
	var out []string
	for _, w := range words {
		out = append(out, f(w))
	}
	return out
}

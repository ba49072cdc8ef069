package manifest

import (
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

// Resolve compares a file that Parse has made with what is stored. Things that
// the file names are described whole: a field that it leaves out has its
// default afterwards, but for ids and guids, which stay. References may go to
// the file or the store. The error, if any, is Problems.
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
	zone, policy := a.Timezone, link.IPPolicy(a.Privacy.IP)
	if zone == "" {
		zone = "UTC"
	}
	if policy == "" {
		policy = link.IPFull
	}
	account := link.Account{
		ID:  link.AccountID(p.number(at, "account", a.ID, int64(old.ID))),
		Key: key, Name: a.Name, Timezone: zone, RedirectAllowlist: each(a.RedirectAllowlist, strings.ToLower),
		Limits: a.Limits.domain(), SDKKey: a.SDKKey, SDKSecret: a.SDKSecret, IPPolicy: policy,
		SharedDomain: strings.ToLower(a.SharedDomain), Attribution: p.file.settings(&a.Attribution, at+".attribution"),
	}
	if _, ok := p.shared[account.SharedDomain]; !ok && account.SharedDomain != "" {
		p.add(at+".shared_domain", "no shared domain %q; it must be the host of one under shared_domains, in this file or applied before", account.SharedDomain)
	}
	if a.OneLinkAccountID != "" {
		account.Names = map[link.Dialect]string{link.OneLink: a.OneLinkAccountID}
	}
	p.paths[key] = at
	put(p, p.accounts, key, account, &p.plan.Changed.Accounts, Thing{Kind: "account", Key: a.Key})
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
		p.token(at, a.Key, link.Token{
			Account: owner.ID, Name: t.Name, Hash: link.HashSecret(t.Secret), ActsAsAgency: t.Agency,
			Grants: []link.Grant{{Account: owner.ID, Role: link.Role(t.Role), AppGroups: p.groupIDs(&owner, t.AppGroups, at+".app_groups")}},
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

// domain returns the limits that the file sets; the others are defaults.
func (l *Limits) domain() map[link.LimitName]link.Limit {
	var out map[link.LimitName]link.Limit
	for name, value := range map[link.LimitName]*link.Limit{
		link.OneLinkMonthlyWrites: l.OneLink.MonthlyWrites, link.OneLinkV1PerSecond: l.OneLink.V1PerSecond,
		link.OneLinkV2PerSecond: l.OneLink.V2PerSecond, link.OneLinkQRPerSecond: l.OneLink.QRPerSecond,
		link.SingularPerMinute: l.Singular.PerMinute, link.SingularPerDay: l.Singular.PerDay,
		link.SingularPerMonth: l.Singular.PerMonth, link.SingularReadPerMinute: l.Singular.ReadPerMinute,
		link.SmartLinksPerSecond: l.SmartLinks.PerSecond,
	} {
		if value != nil {
			if out == nil {
				out = map[link.LimitName]link.Limit{}
			}
			out[name] = *value
		}
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

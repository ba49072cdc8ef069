package manifest_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"waypost/link"
	"waypost/manage/manifest"
)

func parsed(t *testing.T, src string) manifest.File {
	t.Helper()
	f, err := manifest.Parse("f.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// stored is what a store holds after acme.yaml.
func stored(t *testing.T) link.Catalog {
	t.Helper()
	plan, err := manifest.Resolve(parsed(t, acme(t)), link.Catalog{})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Merged
}

// under is a file that says something about acme alone.
func under(lines string) string {
	return "accounts:\n  - key: acme\n    name: Acme Inc\n    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n"
}

func actions(p manifest.Plan) string {
	var out []string
	for _, t := range p.Things {
		out = append(out, t.Kind+" "+t.Key+" "+string(t.Action))
	}
	return strings.Join(out, ", ")
}

func TestResolveIsIdempotent(t *testing.T) {
	t.Parallel()
	plan, err := manifest.Resolve(parsed(t, acme(t)), stored(t))
	if err != nil || !plan.Empty() || !reflect.DeepEqual(plan.Changed, link.Catalog{}) {
		t.Errorf("%v, %v", actions(plan), err)
	}
	// A store may return sets in another order, and none as an empty list.
	c := stored(t)
	for i := range c.AppGroups {
		apps := c.AppGroups[i].Apps
		apps[0], apps[1] = apps[1], apps[0]
	}
	for i := range c.Tokens {
		if g := c.Tokens[i].Grants; len(g) == 2 {
			g[0], g[1] = g[1], g[0]
		}
		c.Tokens[i].Grants[0].AppGroups = append([]link.AppGroupID{}, c.Tokens[i].Grants[0].AppGroups...)
	}
	for i := range c.Partners {
		if l := c.Partners[i].ConfiguredFor; len(l) == 2 {
			l[0], l[1] = l[1], l[0]
		}
	}
	for i := range c.Accounts {
		if c.Accounts[i].Limits == nil {
			c.Accounts[i].Limits = map[link.LimitName]link.Limit{}
		}
	}
	plan, err = manifest.Resolve(parsed(t, acme(t)), c)
	if err != nil || !plan.Empty() {
		t.Errorf("in another order: %v, %v", actions(plan), err)
	}
}

func TestResolveWritesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	f := parsed(t, strings.Replace(acme(t), "name: Acme default", "name: Acme renamed", 1))
	plan, err := manifest.Resolve(f, stored(t))
	if err != nil || plan.Empty() {
		t.Fatalf("%v, %v", actions(plan), err)
	}
	if len(plan.Changed.Templates) != 1 || plan.Changed.Templates[0].Name != "Acme renamed" {
		t.Errorf("templates to write: %+v", plan.Changed.Templates)
	}
	plan.Changed.Templates = nil
	if !reflect.DeepEqual(plan.Changed, link.Catalog{}) {
		t.Errorf("besides the template: %+v", plan.Changed)
	}
}

func TestResolveAssignsIDs(t *testing.T) {
	t.Parallel()
	f := parsed(t, under(`apps:
  - {key: one, name: A, platform: macos, bundle_id: a.b}
  - {key: given, id: 50000, name: B, platform: roku}
  - {key: two, name: C, platform: xbox}
partners:
  - {key: big, id: 3879, name: P}
  - {key: next, name: P}
  - {key: beyond, name: P}`)+"agencies:\n  - {key: new, name: New}\n")
	plan, err := manifest.Resolve(f, stored(t))
	if err != nil {
		t.Fatal(err)
	}
	apps, partners := plan.Changed.Apps, plan.Changed.Partners
	if apps[0].ID != 50001 || apps[1].ID != 50000 || apps[2].ID != 50002 {
		t.Errorf("apps got %d, %d, %d", apps[0].ID, apps[1].ID, apps[2].ID)
	}
	if partners[1].ID != 3880 || partners[2].ID != 3882 {
		t.Errorf("partners got %d and %d: 3881 is reserved", partners[1].ID, partners[2].ID)
	}
	if plan.Changed.Agencies[0].ID != 991 {
		t.Errorf("agency got %d", plan.Changed.Agencies[0].ID)
	}
	first, err := manifest.Resolve(parsed(t, "accounts: [{key: a, name: A}, {key: b, name: B}]"), link.Catalog{})
	if err != nil || first.Changed.Accounts[0].ID != 1 || first.Changed.Accounts[1].ID != 2 {
		t.Errorf("%+v, %v", first.Changed.Accounts, err)
	}
	again, err := manifest.Resolve(f, plan.Merged)
	if err != nil || !strings.HasSuffix(actions(again), "agency new unchanged") || len(again.Changed.Apps) != 0 {
		t.Errorf("again: %s, %v", actions(again), err)
	}
}

// References go to the file or the store, forwards too.
func TestResolveRefersToTheStore(t *testing.T) {
	t.Parallel()
	plan, err := manifest.Resolve(parsed(t, `
agencies:
  - {key: second, name: Second, tokens: [{name: t, secret: second-token, grants: [{account: rival, role: read, app_groups: [rival]}, {account: later, role: read}]}]}
accounts:
  - key: acme
    name: Acme Inc
    domains: [{host: third.test, app_group: acme, brand_of: acme.localhost}]
    templates: [{id: T3, name: T, app_group: acme, domain: boss.localhost}]
    tokens: [{name: t, secret: third-token, role: read, app_groups: [acme]}]
    partners: [{key: mine, name: M, configured_for: [{app: solo-ios}]}]
    postbacks: [{key: b, partner: wide, on: [event], url: "https://x.test/"}]
  - {key: later, name: Later}
`), stored(t))
	if err != nil {
		t.Fatal(err)
	}
	if g := plan.Changed.Tokens[1].Grants; g[0].Account != 6001 || g[0].AppGroups[0] != 4900 || g[1].Account != 6002 {
		t.Errorf("grants %+v", g)
	}
	if p := plan.Changed.Postbacks[0]; p.Partner != 1201 || p.App != 0 || p.Method != "GET" {
		t.Errorf("postback %+v", p)
	}
	if _, err := link.NewDirectory(plan.Merged); err != nil {
		t.Error(err)
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, want string }{
		{"account's id changes", "accounts: [{key: acme, id: 5900, name: A}]", "accounts[0].id: is 5899 in the store; ids never change"},
		{"id of another account", "accounts: [{key: new, id: 6001, name: A}]", "accounts[0].id: is the id of another account"},
		{"app's id changes", under("apps: [{key: acme-ios, id: 1, name: A, platform: ios, bundle_id: a}]"), "apps[0].id: is 24171 in the store"},
		{"guid changes", under("apps: [{key: acme-ios, guid: ko1, name: A, platform: ios, bundle_id: a}]"), "apps[0].guid: is \"koacme-ios-4fkz131i\" in the store"},
		{"guid of another", under("apps: [{key: new, guid: koacme-ios-4fkz131i, name: A, platform: roku}]"), "apps[0].guid: belongs to something else"},
		{"platform changes", under("apps: [{key: acme-ios, name: A, platform: roku}]"), "apps[0].platform: is ios in the store"},
		{"name of another account", "accounts: [{key: new, name: A, onelink_account_id: ACC1}]", "accounts[0].onelink_account_id: belongs to something else"},
		{"sdk key of another", "accounts: [{key: new, name: A, sdk_key: acme-sdk-key}]", "accounts[0].sdk_key: belongs to something else"},
		{"no such app", under("app_groups: [{key: solo, name: S, apps: [solo-ios, nope]}]"), "app_groups[0].apps[1]: no app \"nope\" in this account"},
		{"another account's app", under("app_groups: [{key: solo, name: S, apps: [rival-ios]}]"), "app_groups[0].apps[0]: no app \"rival-ios\" in this account"},
		{"two apps of a platform", under("app_groups: [{key: solo, name: S, apps: [solo-ios, new]}]\napps: [{key: new, name: N, platform: ios, bundle_id: a}]"), "app_groups[0].apps[1]: \"new\" is for ios, as is \"solo-ios\""},
		{"app moves", under("app_groups: [{key: solo, name: S, apps: [solo-ios, acme-android]}]"), "app_groups[0].apps[1]: \"acme-android\" is in the group \"acme\""},
		{"app in two groups", under("app_groups: [{key: s1, name: S, apps: [solo-ios]}, {key: s2, name: S, apps: [solo-ios]}]"), "app_groups[1].apps[0]: \"solo-ios\" is in the group \"s1\""},
		{"platform of an app that stays", under("apps: [{key: new, name: N, platform: web, url: \"https://n.test/\"}]\napp_groups: [{key: acme, name: A, apps: [acme-ios, acme-android, new]}]"), "app_groups[0].apps[2]: \"new\" is for web, as is \"acme-web\""},
		{"group's name in the store", under("app_groups: [{key: solo, name: acme group, apps: [solo-ios]}]"), "app_groups[0].name: is the name of another app group"},
		{"group's name in the file", under("app_groups: [{key: s1, name: Solo, apps: [solo-ios]}, {key: s2, name: SOLO, apps: [solo-android]}]"), "app_groups[1].name: is the name of another app group"},
		{"no such shared domain", under("shared_domain: smart.test"), "accounts[0].shared_domain: no shared domain \"smart.test\""},
		{"shared domain of an account", under("shared_domain: acme.localhost"), "accounts[0].shared_domain: no shared domain \"acme.localhost\""},
		{"account's domain becomes shared", "shared_domains: [{host: ACME.localhost}]", "shared_domains[0].host: is a domain of an account"},
		{"group's id changes", under("app_groups: [{key: acme, id: 1, name: A, apps: [acme-ios, acme-android, acme-web]}]"), "app_groups[0].id: is 4833 in the store"},
		{"another account's host", under("domains: [{host: rival.localhost, app_group: acme}]"), "domains[0].host: belongs to another account"},
		{"no such group", under("domains: [{host: new.test, app_group: rival}]"), "domains[0].app_group: no app group \"rival\" in the account \"acme\""},
		{"second default", under("domains: [{host: new.test, app_group: acme, default: true}]"), "domains[0].default: \"acme.localhost\" is the default domain"},
		{"brand of nothing", under("domains: [{host: new.test, app_group: acme, brand_of: nope.test}]"), "domains[0].brand_of: no domain \"nope.test\""},
		{"brand of another account", under("domains: [{host: new.test, app_group: acme, brand_of: rival.localhost}]"), "domains[0].brand_of: no domain \"rival.localhost\""},
		{"brand of a brand", under("domains: [{host: new.test, app_group: acme, brand_of: mybranded.test}]"), "domains[0].brand_of: \"mybranded.test\" is a branded domain itself"},
		{"branded becomes a brand", under("domains: [{host: boss.localhost, app_group: acme, brand_of: acme.localhost}]"), "domains[0].brand_of: \"other.test\" is a branded domain of this one"},
		{"home becomes a brand", under("domains: [{host: new.test, app_group: acme, brand_of: boss.localhost}, {host: home.test, app_group: acme, brand_of: boss.localhost}]\ntemplates: [{id: H, name: H, app_group: acme, domain: home.test}]"), "templates[0].domain: \"home.test\" is a branded domain of \"boss.localhost\""},
		{"template of another account", under("templates: [{id: Rv41, name: T, app_group: acme, domain: acme.localhost}]"), "templates[0].id: belongs to another account"},
		{"template on another's domain", under("templates: [{id: T, name: T, app_group: acme, domain: rival.localhost}]"), "templates[0].domain: no domain \"rival.localhost\""},
		{"template on nothing", under("templates: [{id: T, name: T, app_group: nope, domain: acme.localhost}]"), "templates[0].app_group: no app group \"nope\""},
		{"partner's app", under("partners: [{key: p, name: P, configured_for: [{app: nope}]}]"), "partners[0].configured_for[0].app: no app \"nope\""},
		{"postback's partner", under("postbacks: [{key: p, partner: nope, on: [install], url: \"https://x.test\"}]"), "postbacks[0].partner: no partner \"nope\""},
		{"postback's app", under("postbacks: [{key: p, app: nope, on: [install], url: \"https://x.test\"}]"), "postbacks[0].app: no app \"nope\""},
		{"token's group", under("tokens: [{name: t, secret: some-token, role: read, app_groups: [nope]}]"), "tokens[0].app_groups[0]: no app group \"nope\""},
		{"secret of another", under("tokens: [{name: t, secret: rival-admin-token, role: read}]"), "tokens[0].secret: is the secret of another token too"},
		{"told to the account, stored with a partner", under("postbacks: [{key: wide-install, on: [install, click], url: \"https://x.test/\"}]"), "postbacks[0].on[1]: is told to the account alone, and the stored postback has a partner"},
		{"grant for nothing", "agencies: [{key: a, name: A, tokens: [{name: t, secret: some-token, grants: [{account: nope, role: read}]}]}]", "agencies[0].tokens[0].grants[0].account: no account \"nope\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			plan, err := manifest.Resolve(parsed(t, tt.src), stored(t))
			var problems manifest.Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v\nwant %s", err, tt.want)
			}
			if problems[0].Line == 0 || problems[0].File != "f.yaml" {
				t.Errorf("%+v has no place", problems[0])
			}
			if !reflect.DeepEqual(plan, manifest.Plan{}) {
				t.Error("a refused file has a plan")
			}
		})
	}
}

// A rotated secret is an update of the token, not another token.
func TestResolveRotatesSecrets(t *testing.T) {
	t.Parallel()
	plan, err := manifest.Resolve(parsed(t, under("tokens: [{name: reader, secret: a-new-secret, role: read}]")), stored(t))
	if err != nil || len(plan.Merged.Tokens) != 5 {
		t.Fatalf("%d tokens, %v", len(plan.Merged.Tokens), err)
	}
	if got := plan.Changed.Tokens; len(got) != 1 || got[0].Hash != link.HashSecret("a-new-secret") {
		t.Errorf("to write: %+v", got)
	}
}

package storetest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
)

var catalogTests = map[string]func(*testing.T, Store){
	"every field comes back":        testEveryField,
	"replaced by identity":          testReplace,
	"empty":                         testEmptyCatalog,
	"conflicts name the thing":      testCatalogConflicts,
	"things may exchange relations": testExchange,
	"archived groups release apps":  testArchivedGroups,
	"shared domains":                testShared,
	"zero is said":                  testZeroSettings,
}

// fullCatalog has every field of every type set, and the relations that fields
// name exist.
func fullCatalog() link.Catalog {
	var c link.Catalog
	fill := &filler{}
	fill.fill(reflect.ValueOf(&c).Elem())
	for i := range 2 {
		other := 1 - i
		account := c.Accounts[0].ID
		c.Apps[i].Account, c.AppGroups[i].Account, c.Domains[i].Account = account, account, account
		c.Templates[i].Account, c.Partners[i].Account, c.Postbacks[i].Account = account, account, account
		c.Accounts[i].SharedDomain = c.Shared[other].Host
		c.Domains[i].AppGroup, c.Domains[i].BrandOf = c.AppGroups[i].ID, c.Domains[other].Host
		c.Templates[i].AppGroup, c.Templates[i].Domain = c.AppGroups[i].ID, c.Domains[i].Host
		for j := range c.Partners[i].ConfiguredFor {
			c.Partners[i].ConfiguredFor[j].App = c.Apps[1-j].ID
		}
		c.Postbacks[i].Partner, c.Postbacks[i].App = c.Partners[i].ID, c.Apps[i].ID
		for j := range c.Tokens[i].Grants {
			c.Tokens[i].Grants[j].Account = c.Accounts[1-j].ID
			c.Tokens[i].Grants[j].AppGroups = []link.AppGroupID{c.AppGroups[1].ID, c.AppGroups[0].ID}
		}
	}
	// Not the order of their ids. The second group, which is archived, has let go of what it names.
	for i := range 2 {
		c.AppGroups[i].Apps = []link.AppID{c.Apps[1].ID, c.Apps[0].ID}
	}
	c.AppGroups[0].Archived = false
	// A token has one owner.
	c.Tokens[0].Account, c.Tokens[0].Agency = 0, c.Agencies[1].ID
	c.Tokens[1].Account, c.Tokens[1].Agency = c.Accounts[1].ID, 0
	return c
}

func testEveryField(tt *testing.T, s Store) {
	t := f{tt}
	want := fullCatalog()
	// The owners of tokens and one group's archiving are the only fields that must be zero somewhere.
	checked := fullCatalog()
	checked.Tokens[0].Account, checked.Tokens[1].Agency, checked.AppGroups[0].Archived = 1, 1, true
	if name := zeroField(reflect.ValueOf(checked), "Catalog"); name != "" {
		t.Fatalf("the test leaves %s zero", name)
	}
	t.ok(s.SaveCatalog(t.Context(), want))
	got, err := s.LoadCatalog(t.Context())
	t.ok(err)
	compareCatalogs(t, got, want)
}

// compareCatalogs compares field by field, so that a difference is readable.
func compareCatalogs(t f, got, want link.Catalog) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		name := g.Type().Field(i).Name
		if g.Field(i).Len() != w.Field(i).Len() {
			t.Fatalf("%s: got %d, want %d", name, g.Field(i).Len(), w.Field(i).Len())
		}
		for j := range g.Field(i).Len() {
			if a, b := g.Field(i).Index(j).Interface(), w.Field(i).Index(j).Interface(); !reflect.DeepEqual(a, b) {
				t.Errorf("%s %d:\n got %+v\nwant %+v", name, j, a, b)
			}
		}
	}
}

// smallCatalog is an account with one of everything.
func smallCatalog() link.Catalog {
	return link.Catalog{
		Accounts:  []link.Account{{ID: 1, Key: "acme"}, {ID: 2, Key: "rival"}},
		Agencies:  []link.Agency{{ID: 9, Key: "shop"}},
		Tokens:    []link.Token{{Account: 1, Name: "backend", Hash: "h1", Grants: []link.Grant{{Account: 1, Role: link.Read}}}, {Agency: 9, Name: "backend", Hash: "h2"}},
		Apps:      []link.App{{ID: 11, Account: 1, Key: "ios"}, {ID: 12, Account: 1, Key: "android"}},
		AppGroups: []link.AppGroup{{ID: 21, Account: 1, Key: "group", Apps: []link.AppID{11}}, {ID: 22, Account: 1, Key: "more", Apps: []link.AppID{12}}},
		Domains:   []link.Domain{{Host: "acme.test", Account: 1, AppGroup: 21}},
		Shared:    []link.SharedDomain{{Host: "shared.test", BaseURL: "https://shared.test"}},
		Templates: []link.Template{{ID: "A1b3", Account: 1, AppGroup: 21, Domain: "acme.test"}},
		Partners:  []link.Partner{{ID: 31, Account: 1, Key: "wide", ConfiguredFor: []link.PartnerApp{{App: 11}}}, {ID: 31, Account: 2, Key: "wide"}},
		Postbacks: []link.Postback{{Key: "told", Account: 1, Partner: 31, App: 11}, {Key: "hook", Account: 1}},
	}
}

func testReplace(tt *testing.T, s Store) {
	t := f{tt}
	t.ok(s.SaveCatalog(t.Context(), smallCatalog()))
	change := link.Catalog{
		Accounts:  []link.Account{{ID: 1, Key: "acme", Name: "Acme Inc"}},
		Tokens:    []link.Token{{Account: 1, Name: "backend", Hash: "h3"}},
		Apps:      []link.App{{ID: 11, Account: 1, Key: "ios", Name: "Renamed", Clipboard: true}, {ID: 13, Account: 2, Key: "ios"}},
		AppGroups: []link.AppGroup{{ID: 21, Account: 1, Key: "group"}},
		Partners:  []link.Partner{{ID: 31, Account: 1, Key: "wide", Name: "Wide"}},
	}
	t.ok(s.SaveCatalog(t.Context(), change))
	want := smallCatalog()
	want.Accounts[0].Name = "Acme Inc"
	want.Tokens[0] = change.Tokens[0]
	want.Apps = []link.App{change.Apps[0], want.Apps[1], change.Apps[1]}
	want.AppGroups[0] = change.AppGroups[0]
	want.Partners[0] = change.Partners[0]
	want.Tokens = []link.Token{want.Tokens[1], want.Tokens[0]} // agencies' tokens come first
	want.Postbacks = []link.Postback{want.Postbacks[1], want.Postbacks[0]}
	got, err := s.LoadCatalog(t.Context())
	t.ok(err)
	compareCatalogs(t, got, want)
}

func testEmptyCatalog(tt *testing.T, s Store) {
	t := f{tt}
	t.ok(s.SaveCatalog(t.Context(), link.Catalog{}))
	got, err := s.LoadCatalog(t.Context())
	t.ok(err)
	compareCatalogs(t, got, link.Catalog{})
	t.ok(s.Ping(t.Context()))
}

func testCatalogConflicts(tt *testing.T, s Store) {
	t := f{tt}
	t.ok(s.SaveCatalog(t.Context(), smallCatalog()))
	before, err := s.LoadCatalog(t.Context())
	t.ok(err)
	cases := []struct {
		name   string
		change link.Catalog
		kind   fault.Kind
		names  string // what the message must hold
	}{
		{"secret of another token", link.Catalog{Tokens: []link.Token{{Account: 1, Name: "second", Hash: "h2"}}}, fault.Conflict, "token second of account 1"},
		{"secret of another token, agency", link.Catalog{Tokens: []link.Token{{Agency: 9, Name: "second", Hash: "h1"}}}, fault.Conflict, "token second of agency 9"},
		{"app in two groups", link.Catalog{AppGroups: []link.AppGroup{{ID: 22, Account: 1, Key: "more", Apps: []link.AppID{12, 11}}}}, fault.Conflict, "app group 22 (more) with app 11"},
		{"app twice in one group", link.Catalog{AppGroups: []link.AppGroup{{ID: 21, Account: 1, Key: "group", Apps: []link.AppID{11, 11}}}}, fault.Conflict, "app 11"},
		{"account's key", link.Catalog{Accounts: []link.Account{{ID: 3, Key: "acme"}}}, fault.Conflict, "account 3 (acme)"},
		{"agency's key", link.Catalog{Agencies: []link.Agency{{ID: 3, Key: "shop"}}}, fault.Conflict, "agency 3 (shop)"},
		{"app's key", link.Catalog{Apps: []link.App{{ID: 99, Account: 1, Key: "ios"}}}, fault.Conflict, "app 99 (ios)"},
		{"group's key", link.Catalog{AppGroups: []link.AppGroup{{ID: 99, Account: 1, Key: "more"}}}, fault.Conflict, "app group 99 (more)"},
		{"partner's key", link.Catalog{Partners: []link.Partner{{ID: 99, Account: 1, Key: "wide"}}}, fault.Conflict, "partner 99 (wide)"},
		{"partner twice for an app", link.Catalog{Partners: []link.Partner{{ID: 99, Account: 1, ConfiguredFor: []link.PartnerApp{{App: 11}, {App: 11}}}}}, fault.Conflict, "partner 99"},
		{"host that is shared and an account's", link.Catalog{Shared: []link.SharedDomain{{Host: "acme.test"}}}, fault.Conflict, "domain acme.test"},
		{"host that is an account's and shared", link.Catalog{Domains: []link.Domain{{Host: "shared.test", Account: 1}}}, fault.Conflict, "domain shared.test"},
		{"unknown shared domain", link.Catalog{Accounts: []link.Account{{ID: 2, Key: "rival", SharedDomain: "acme.test"}}}, fault.Invalid, "account 2 (rival)"},
		{"unknown app of an archived group", link.Catalog{AppGroups: []link.AppGroup{{ID: 99, Account: 1, Archived: true, Apps: []link.AppID{77}}}}, fault.Invalid, "app 77"},
		{"app twice in an archived group", link.Catalog{AppGroups: []link.AppGroup{{ID: 99, Account: 1, Archived: true, Apps: []link.AppID{11, 11}}}}, fault.Conflict, "app 11"},
		{"unknown account", link.Catalog{Apps: []link.App{{ID: 99, Account: 77}}}, fault.Invalid, "app 99"},
		{"unknown app of a group", link.Catalog{AppGroups: []link.AppGroup{{ID: 99, Account: 1, Apps: []link.AppID{77}}}}, fault.Invalid, "app 77"},
		{"unknown group", link.Catalog{Domains: []link.Domain{{Host: "x.test", Account: 1, AppGroup: 77}}}, fault.Invalid, "domain x.test"},
		{"unknown brand", link.Catalog{Domains: []link.Domain{{Host: "x.test", Account: 1, BrandOf: "nowhere.test"}}}, fault.Invalid, "domain x.test"},
		{"unknown domain", link.Catalog{Templates: []link.Template{{ID: "Zz", Account: 1, Domain: "nowhere.test"}}}, fault.Invalid, "template Zz"},
		{"unknown partner", link.Catalog{Postbacks: []link.Postback{{Key: "p", Account: 1, Partner: 77}}}, fault.Invalid, "postback p"},
		{"partner of another account", link.Catalog{Partners: []link.Partner{{ID: 32, Account: 2}}, Postbacks: []link.Postback{{Key: "p", Account: 1, Partner: 32}}}, fault.Invalid, "postback p"},
		{"unknown account of a grant", link.Catalog{Tokens: []link.Token{{Agency: 9, Name: "x", Hash: "x", Grants: []link.Grant{{Account: 77}}}}}, fault.Invalid, "token x of agency 9"},
		{"unknown group of a grant", link.Catalog{Tokens: []link.Token{{Agency: 9, Name: "x", Hash: "x", Grants: []link.Grant{{Account: 1, AppGroups: []link.AppGroupID{77}}}}}}, fault.Invalid, "token x of agency 9"},
		{"token of nobody", link.Catalog{Tokens: []link.Token{{Name: "x", Hash: "x"}}}, fault.Invalid, "token x"},
		{"token of two", link.Catalog{Tokens: []link.Token{{Account: 1, Agency: 9, Name: "x", Hash: "x"}}}, fault.Invalid, "token x"},
	}
	for _, c := range cases {
		// What would be fine by itself must not stay either.
		c.change.Accounts = append([]link.Account{{ID: 1, Key: "acme", Name: "half-written"}}, c.change.Accounts...)
		err := s.SaveCatalog(t.Context(), c.change)
		if !fault.Is(err, c.kind) || !strings.Contains(fault.As(err).Message, c.names) {
			t.Errorf("%s: got %v, want %s naming %q", c.name, err, c.kind, c.names)
		}
		after, err := s.LoadCatalog(t.Context())
		t.ok(err)
		compareCatalogs(t, after, before)
	}
}

func testExchange(tt *testing.T, s Store) {
	t := f{tt}
	t.ok(s.SaveCatalog(t.Context(), smallCatalog()))
	t.ok(s.SaveCatalog(t.Context(), link.Catalog{
		Tokens:    []link.Token{{Account: 1, Name: "backend", Hash: "h2"}, {Agency: 9, Name: "backend", Hash: "h1"}},
		AppGroups: []link.AppGroup{{ID: 21, Account: 1, Key: "group", Apps: []link.AppID{12}}, {ID: 22, Account: 1, Key: "more", Apps: []link.AppID{11}}},
		Domains:   []link.Domain{{Host: "brand.test", Account: 1, BrandOf: "later.test"}, {Host: "later.test", Account: 1}},
	}))
	got, err := s.LoadCatalog(t.Context())
	t.ok(err)
	t.is(got.AppGroups[0].Apps, []link.AppID{12}, "apps of the first group")
	t.is(got.AppGroups[1].Apps, []link.AppID{11}, "apps of the second group")
	t.is(got.Domains[1].BrandOf, "later.test", "brand")
	for _, token := range got.Tokens {
		want := link.SecretHash("h1")
		if token.Account == 1 {
			want = "h2"
		}
		t.is(token.Hash, want, "secret of account %d, agency %d", token.Account, token.Agency)
	}
}

// testArchivedGroups: an archived group goes on to name apps that others may have.
func testArchivedGroups(tt *testing.T, s Store) {
	t := f{tt}
	t.ok(s.SaveCatalog(t.Context(), smallCatalog()))
	want := smallCatalog().AppGroups
	want[0].Archived, want[0].UpdatedAt = true, now
	next := link.AppGroup{ID: 23, Account: 1, Name: "Next", Apps: []link.AppID{11}, CreatedAt: now, UpdatedAt: now}
	t.ok(s.SaveCatalog(t.Context(), link.Catalog{AppGroups: []link.AppGroup{next, want[0]}})) // at once, in any order
	want = append(want, next)
	got, err := s.LoadCatalog(t.Context())
	t.ok(err)
	compareCatalogs(t, link.Catalog{AppGroups: got.AppGroups}, link.Catalog{AppGroups: want})
	want[2].Archived = true
	t.ok(s.SaveCatalog(t.Context(), link.Catalog{AppGroups: want[2:]})) // two may have let go of one app
	want[1].Apps = []link.AppID{12, 11}
	t.ok(s.SaveCatalog(t.Context(), link.Catalog{AppGroups: want[1:2]}))
	got, err = s.LoadCatalog(t.Context())
	t.ok(err)
	compareCatalogs(t, link.Catalog{AppGroups: got.AppGroups}, link.Catalog{AppGroups: want})
	want[0].Archived = false
	t.kind(s.SaveCatalog(t.Context(), link.Catalog{AppGroups: want[:1]}), fault.Conflict) // it is another's now
}

func testShared(tt *testing.T, s Store) {
	t := f{tt}
	first := link.Catalog{
		Accounts: []link.Account{{ID: 1, Key: "acme", SharedDomain: "b.test"}, {ID: 2, Key: "rival", SharedDomain: "b.test"}},
		Shared:   []link.SharedDomain{{Host: "b.test", BaseURL: "https://b.test"}, {Host: "a.test", BaseURL: "https://a.test:8443"}},
	}
	t.ok(s.SaveCatalog(t.Context(), first))
	t.ok(s.SaveCatalog(t.Context(), link.Catalog{
		Accounts: []link.Account{{ID: 2, Key: "rival"}}, Shared: []link.SharedDomain{{Host: "b.test", BaseURL: "http://b.test"}},
	}))
	got, err := s.LoadCatalog(t.Context())
	t.ok(err)
	compareCatalogs(t, got, link.Catalog{
		Accounts: []link.Account{first.Accounts[0], {ID: 2, Key: "rival"}},
		Shared:   []link.SharedDomain{first.Shared[1], {Host: "b.test", BaseURL: "http://b.test"}},
	})
}

// testZeroSettings: a setting of zero, or no, is not one that nobody has said.
func testZeroSettings(tt *testing.T, s Store) {
	t := f{tt}
	zero, no := time.Duration(0), false
	said := link.AttributionSettings{
		Lookbacks:        link.LookbackSettings{Click: &zero, View: &zero, ClickProbabilistic: &zero, ViewProbabilistic: &zero, Reengagement: &zero},
		InactivityWindow: &zero, ReengagementGap: &zero, Probabilistic: &no,
	}
	want := smallCatalog()
	want.Accounts[0].Attribution, want.Apps[1].Attribution = said, said
	t.ok(s.SaveCatalog(t.Context(), want))
	got, err := s.LoadCatalog(t.Context())
	t.ok(err)
	compareCatalogs(t, link.Catalog{Accounts: got.Accounts, Apps: got.Apps}, link.Catalog{Accounts: want.Accounts, Apps: want.Apps})
	t.ok(s.SaveCatalog(t.Context(), smallCatalog())) // and silent again
	got, err = s.LoadCatalog(t.Context())
	t.ok(err)
	compareCatalogs(t, link.Catalog{Accounts: got.Accounts, Apps: got.Apps}, link.Catalog{Accounts: smallCatalog().Accounts, Apps: smallCatalog().Apps})
}

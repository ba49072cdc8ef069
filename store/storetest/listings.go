package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
)

var listingTests = map[string]func(*testing.T, Store){
	"taken identities":              testIdentity,
	"an identity becomes free":      testIdentityFreed,
	"expired links keep identities": testIdentityExpired,
	"within one call":               testTakenInOneCall,
	"updates":                       testUpdateListing,
	"identity on update":            testUpdateIdentity,
	"aliases":                       testAliases,
	"filters":                       testFilters,
	"scopes":                        testScopes,
	"orders":                        testOrders,
	"pages":                         testPages,
	"search":                        testSearch,
	"search follows changes":        testSearchChanges,
	"many":                          testListMany,
	"count listed":                  testCountListed,
	"nothing and nonsense":          testListNothing,
}

// listed returns a link that owns a path of a host, listed in group 21 of
// account 1.
func listed(code string) *link.Link {
	return &link.Link{
		Account: 1, Dialect: link.SmartLinks, Code: code, Path: link.HostPath("go.acme.test", code), Source: link.SourceV2,
		CreatedAt: now, UpdatedAt: now, Listing: &link.Listing{AppGroup: 21, Name: "Link " + code},
	}
}

func identified(code, identity string) *link.Link {
	l := listed(code)
	l.Listing.Identity = identity
	return l
}

// all is what sees every link of account 1.
var all = link.Filter{Scopes: []link.Scope{{Account: 1}}}

// codes returns the codes of the links that a filter picks.
func (t f) codes(s Store, filter link.Filter) string {
	t.Helper()
	links, err := s.ListLinks(t.Context(), filter)
	t.ok(err)
	list := make([]string, len(links))
	for i, l := range links {
		list[i] = l.Code
	}
	return strings.Join(list, " ")
}

func (t f) taken(s Store, want []link.Taken, links ...*link.Link) {
	t.Helper()
	got, err := s.CreateLinks(t.Context(), links, now)
	t.ok(err)
	t.is(got, want, "taken")
	for i, l := range links {
		t.is(l.ID != 0, want[i] == link.Free, "link %d has an id", i)
	}
}

func testIdentity(tt *testing.T, s Store) {
	t := f{tt}
	put := identified("put-away", "same")
	put.Listing.Archived = true
	nameless, again := listed("nameless"), listed("again") // without an identity
	t.create(s, put, identified("a", "same"), nameless, again)
	archived := identified("archived", "same")
	archived.Listing.Archived = true
	other := identified("other", "Same") // as it is given
	elsewhere := identified("b", "same")
	elsewhere.Account = 2 // identities are the installation's
	both := identified("a", "same")
	t.taken(s, []link.Taken{link.IdentityTaken, link.Free, link.Free, link.PathTaken}, elsewhere, archived, other, both)
	_, err := s.ReadLink(t.Context(), elsewhere.Path)
	t.kind(err, fault.NotFound)
	t.is(t.codes(s, all), "put-away a nameless again archived other", "links")
}

func testIdentityFreed(tt *testing.T, s Store) {
	t := f{tt}
	for i, free := range []func(*link.Link){
		func(l *link.Link) { t.ok(s.DeleteLink(t.Context(), l.ID)) },
		func(l *link.Link) {
			l.Listing.Archived = true
			t.ok(s.UpdateLink(t.Context(), l))
		},
		func(l *link.Link) {
			l.Listing = nil
			t.ok(s.UpdateLink(t.Context(), l))
		},
		func(l *link.Link) {
			l.ExpiresAt = now.Add(-time.Hour)
			t.ok(s.UpdateLink(t.Context(), l))
			_, err := s.SweepLinks(t.Context(), now, 10)
			t.ok(err)
		},
	} {
		l := identified(fmt.Sprint("first", i), fmt.Sprint("identity", i))
		next := identified(fmt.Sprint("next", i), l.Listing.Identity)
		t.create(s, l)
		t.taken(s, []link.Taken{link.IdentityTaken}, next)
		free(l)
		t.taken(s, []link.Taken{link.Free}, next)
	}
}

// testIdentityExpired: what has expired keeps its identity until it is replaced.
func testIdentityExpired(tt *testing.T, s Store) {
	t := f{tt}
	expired, holder := identified("expired", "old"), identified("holder", "held")
	expired.ExpiresAt = now.Add(-time.Hour)
	t.create(s, expired, holder)
	t.taken(s, []link.Taken{link.IdentityTaken}, identified("elsewhere", "old"))
	t.taken(s, []link.Taken{link.IdentityTaken}, identified("expired", "held"))
	got, err := s.ReadLink(t.Context(), expired.Path)
	t.ok(err)
	t.is(got.ID, expired.ID, "the expired link, which nothing has replaced")
	t.taken(s, []link.Taken{link.Free}, identified("expired", "old"))
	t.is(t.codes(s, all), "holder expired", "links")
	_, err = s.ReadLinkByID(t.Context(), expired.ID)
	t.kind(err, fault.NotFound)
}

func testTakenInOneCall(tt *testing.T, s Store) {
	t := f{tt}
	past := identified("past", "past")
	past.ExpiresAt = now.Add(-time.Hour)
	plain := newLink("plain")
	plain.Path = link.HostPath("go.acme.test", "z")
	t.taken(s, []link.Taken{link.Free, link.IdentityTaken, link.Free, link.PathTaken, link.Free, link.PathTaken, link.Free, link.PathTaken},
		identified("z", "one"), identified("a", "one"), // the first wins, not the lesser path
		identified("b", "two"), identified("b", "three"), identified("c", "three"),
		plain, past, identified("past", ""))
	t.is(t.codes(s, all), "z b c past", "links")
}

func testUpdateListing(tt *testing.T, s Store) {
	t := f{tt}
	l, other := identified("changed", "first"), listed("other")
	t.create(s, l, other)
	change := *l
	change.Dialect, change.Base, change.UpdatedAt = link.Singular, "//go.acme.test/base", now.Add(time.Minute)
	change.Listing = &link.Listing{
		AppGroup: 22, Partner: 31, Agency: 32, CampaignName: "Spring", Name: "Renamed", Identity: "second", Archived: true,
	}
	want := change
	t.ok(s.UpdateLink(t.Context(), &change))
	if change.Listing.Campaign == 0 {
		t.Fatal("the campaign is not set")
	}
	t.same(s, want)
	t.is(t.codes(s, link.Filter{Scopes: all.Scopes, Dialect: link.Singular, Groups: []link.AppGroupID{22}, Codes: []string{"changed"}}), "changed", "listed anew")
	t.is(t.codes(s, link.Filter{Scopes: all.Scopes, Dialect: link.SmartLinks}), "other", "listed as before")

	moved := change
	moved.Account, moved.Code, moved.Path = 2, "moved", "//go.acme.test/moved" // identity: not replaced
	t.ok(s.UpdateLink(t.Context(), &moved))
	t.same(s, want)
	t.is(t.codes(s, link.Filter{Scopes: all.Scopes, Search: "test/chang"}), "changed", "found by its path")
	t.is(t.codes(s, link.Filter{Scopes: []link.Scope{{Account: 2}}}), "", "links of another account")

	change.Listing, change.Base = nil, ""
	t.ok(s.UpdateLink(t.Context(), &change))
	t.same(s, change)
	t.is(t.codes(s, all), "other", "listed")
	change.Listing = &link.Listing{AppGroup: 21, Name: "Back"}
	t.ok(s.UpdateLink(t.Context(), &change))
	t.same(s, change)
	t.is(t.codes(s, link.Filter{Scopes: all.Scopes, Search: "back"}), "changed", "found again")
}

// same reads a link in every way.
func (t f) same(s Store, want link.Link) {
	t.Helper()
	got, err := s.ReadLink(t.Context(), want.Path)
	t.ok(err)
	sameLink(t, got, want)
	got, err = s.ReadLinkByID(t.Context(), want.ID)
	t.ok(err)
	sameLink(t, got, want)
	if want.Listing == nil {
		return
	}
	list, err := s.ListLinks(t.Context(), link.Filter{Scopes: []link.Scope{{Account: want.Account}}, Codes: []string{want.Code}})
	t.ok(err)
	t.is(len(list), 1, "links listed with code %s", want.Code)
	sameLink(t, list[0], want)
}

func testUpdateIdentity(tt *testing.T, s Store) {
	t := f{tt}
	a, b := identified("a", "one"), identified("b", "two")
	t.create(s, a, b)
	named := func(identity string) link.Filter { return link.Filter{Scopes: all.Scopes, Identity: identity} }
	t.is(t.codes(s, named("one")), "a", "the one with the identity")
	t.is(t.codes(s, named("On")), "", "part of an identity")
	before := *b
	kept := *b.Listing
	before.Listing = &kept
	b.Data, b.Listing.Identity, b.Listing.CampaignName, b.Listing.Name = []byte(`"new"`), "one", "Never", "New"
	err := s.UpdateLink(t.Context(), b)
	if got := fault.As(err); got.Kind != fault.Conflict || got.Field != "name" || got.Reason != fault.Taken {
		t.Fatalf("got %v", err)
	}
	t.is(b.Listing.Campaign, 0, "campaign of a refused link")
	t.same(s, before)
	t.campaigns(s, link.CampaignFilter{}, "")
	b.Listing.Archived = true // as many as like
	t.ok(s.UpdateLink(t.Context(), b))
	t.is(t.codes(s, named("one")), "a", "the one that is not archived")
	b.Listing.Archived = false
	t.kind(s.UpdateLink(t.Context(), b), fault.Conflict)
	t.ok(s.UpdateLink(t.Context(), a)) // its own
	gone := identified("gone", "one")
	gone.ID = 999
	t.kind(s.UpdateLink(t.Context(), gone), fault.NotFound)
}

// testAliases: a link with a Base has its time and no listing.
func testAliases(tt *testing.T, s Store) {
	t := f{tt}
	base := listed("base")
	alias := lasting("alias", time.Hour)
	alias.Template, alias.Path, alias.Base, alias.Dialect = "", link.HostPath("go.acme.test", "alias"), base.Path, link.Singular
	t.create(s, base, alias)
	t.same(s, *alias)
	t.same(s, *base)
	t.is(t.codes(s, all), "base", "listed")
	many := make([]*link.Link, 20)
	for i := range many {
		copied := *alias
		many[i] = &copied
		many[i].ID, many[i].Path, many[i].Base = 0, link.HostPath("go.acme.test", fmt.Sprint(i)), link.HostPath("base.test", fmt.Sprint(i))
	}
	t.create(s, many...)
	for _, l := range many {
		t.same(s, *l)
	}
	paths, err := s.SweepLinks(t.Context(), now.Add(2*time.Hour), 100)
	t.ok(err)
	t.is(len(paths), 21, "swept")
	t.same(s, *base)
}

// shelfFull stores links of two accounts, some groups and dialects, and returns
// account 1's.
func shelfFull(t f, s Store) []*link.Link {
	t.Helper()
	make := func(code string, change func(*link.Link)) *link.Link {
		l := listed(code)
		change(l)
		return l
	}
	links := []*link.Link{
		make("a", func(l *link.Link) { l.Listing.Partner, l.Listing.Agency = 31, 41 }),
		make("b", func(l *link.Link) { l.Listing.Partner, l.Listing.AppGroup = 32, 22 }),
		make("c", func(l *link.Link) { l.Listing.Archived = true }),
		make("d", func(l *link.Link) { l.Dialect = link.Singular }),
		make("e", func(l *link.Link) { l.Listing.AppGroup, l.Listing.Partner = 23, 31 }),
		make("f", func(l *link.Link) { l.Account, l.Listing.AppGroup, l.Listing.Partner = 2, 51, 31 }),
		make("g", func(l *link.Link) { l.Account, l.Listing.AppGroup, l.Listing.Agency = 2, 52, 41 }),
	}
	t.create(s, links...)
	t.create(s, newLink("unlisted"))
	return links
}

func testFilters(tt *testing.T, s Store) {
	t := f{tt}
	shelfFull(t, s)
	yes, no := true, false
	for i, c := range []struct {
		filter link.Filter
		want   string
	}{
		{link.Filter{}, "a b c d e"},
		{link.Filter{Dialect: link.SmartLinks}, "a b c e"},
		{link.Filter{Dialect: link.Singular}, "d"},
		{link.Filter{Dialect: link.OneLink}, ""},
		{link.Filter{Active: &yes}, "a b d e"},
		{link.Filter{Active: &no}, "c"},
		{link.Filter{Groups: []link.AppGroupID{22, 23, 51}}, "b e"},
		{link.Filter{Groups: []link.AppGroupID{99}}, ""},
		{link.Filter{Partners: []link.PartnerID{31}}, "a e"},
		{link.Filter{Partners: []link.PartnerID{31, 32, 33}}, "a b e"},
		{link.Filter{Partners: []link.PartnerID{41}}, ""}, // an agency is no partner here
		{link.Filter{Partners: []link.PartnerID{31}, Groups: []link.AppGroupID{21}}, "a"},
		{link.Filter{Codes: []string{"a", "d", "f", "zz", "unlisted"}}, "a d"},
		{link.Filter{Codes: []string{"A"}}, ""},
		{link.Filter{Codes: []string{"a", "b", "c"}, Partners: []link.PartnerID{32}, Active: &yes}, "b"},
		{link.Filter{Codes: []string{"a", "b"}, Search: "link b"}, "b"},
		{link.Filter{Dialect: link.Singular, Active: &no}, ""},
	} {
		for _, limit := range []int{0, 1, 100} {
			c.filter.Scopes, c.filter.Limit = all.Scopes, limit
			want := c.want
			if limit == 1 {
				want, _, _ = strings.Cut(want, " ")
			}
			t.is(t.codes(s, c.filter), want, "filter %d, limit %d", i, limit)
		}
	}
}

func testScopes(tt *testing.T, s Store) {
	t := f{tt}
	shelfFull(t, s)
	for i, c := range []struct {
		scopes []link.Scope
		want   string
	}{
		{nil, ""},
		{[]link.Scope{{Account: 2}}, "f g"},
		{[]link.Scope{{Account: 1}, {Account: 2}}, "a b c d e f g"},
		{[]link.Scope{{Account: 1, Groups: []link.AppGroupID{22}}, {Account: 2, Groups: []link.AppGroupID{51, 21}}}, "b f"},
		{[]link.Scope{{Account: 1, Groups: []link.AppGroupID{51}}}, ""},                                                                         // a group of another account
		{[]link.Scope{{Account: 1, Groups: []link.AppGroupID{21}}, {Account: 1, Groups: []link.AppGroupID{21, 22}}, {Account: 1}}, "a b c d e"}, // once each
		{[]link.Scope{{Account: 3}}, ""},
		{[]link.Scope{{}}, ""},
	} {
		for _, filter := range []link.Filter{{}, {Limit: 50}, {Search: "link"}, {Search: "k", Limit: 50}, {Search: "acme.test", Limit: 50}} {
			filter.Scopes = c.scopes
			t.is(t.codes(s, filter), c.want, "scopes %d, %+v", i, filter)
		}
	}
}

func testOrders(tt *testing.T, s Store) {
	t := f{tt}
	for _, l := range []struct {
		name             string
		created, updated int
	}{{"beta", 3, 1}, {"Alpha", 3, 2}, {"gamma", 1, 2}, {"ALPHA", 2, 5}, {"émile", 2, 4}, {"Émile", 5, 3}, {"Zeta", 4, 3}} {
		made := listed(l.name)
		made.CreatedAt, made.UpdatedAt = now.Add(time.Duration(l.created)*time.Millisecond), now.Add(time.Duration(l.updated)*time.Second)
		made.Listing.Name = l.name
		if l.created == 2 {
			made.Listing.AppGroup, made.Listing.Archived = 22, true // orders go over groups
		}
		t.create(s, made)
	}
	for _, c := range []struct {
		order link.Order
		want  string
	}{
		{link.ByCreated, "gamma ALPHA émile beta Alpha Zeta Émile"},
		{link.ByUpdated, "beta Alpha gamma Émile Zeta émile ALPHA"},
		{link.ByName, "Alpha ALPHA beta gamma Zeta émile Émile"},
	} {
		filter := link.Filter{Scopes: all.Scopes, Order: c.order}
		t.is(t.codes(s, filter), c.want, "order %d", c.order)
		filter.Search = "test/"
		t.is(t.codes(s, filter), c.want, "order %d, searched", c.order)
		backwards := strings.Fields(c.want)
		slices.Reverse(backwards)
		filter.Descending = true
		t.is(t.codes(s, filter), strings.Join(backwards, " "), "order %d, descending", c.order)
		filter.Search = ""
		t.is(t.codes(s, filter), strings.Join(backwards, " "), "order %d, descending", c.order)
	}
}

// testPages: the pages of every filter and order are the whole list, cut.
func testPages(tt *testing.T, s Store) {
	t := f{tt}
	rnd := rand.New(rand.NewPCG(3, 4))
	links := make([]*link.Link, 60)
	for i := range links {
		l := listed(fmt.Sprint("p", i))
		l.CreatedAt, l.UpdatedAt = now.Add(time.Duration(rnd.IntN(4))*time.Second), now.Add(time.Duration(rnd.IntN(4))*time.Second) // many ties
		l.Listing.Name = []string{"sale", "Sale", "other"}[rnd.IntN(3)]
		l.Listing.AppGroup, l.Listing.Partner, l.Listing.Archived = link.AppGroupID(21+rnd.IntN(3)), link.PartnerID(rnd.IntN(3)), rnd.IntN(3) == 0
		links[i] = l
	}
	t.create(s, links...)
	for _, order := range []link.Order{link.ByCreated, link.ByUpdated, link.ByName} {
		for _, filter := range []link.Filter{{}, {Partners: []link.PartnerID{1}}, {Search: "SALE"}, {Search: "s"}, {Groups: []link.AppGroupID{22}, Descending: true}} {
			filter.Scopes, filter.Order = all.Scopes, order
			whole := strings.Fields(t.codes(s, filter))
			if len(whole) < 10 || len(whole) != len(slices.Compact(slices.Sorted(slices.Values(whole)))) {
				t.Fatalf("%d links, some of them twice", len(whole))
			}
			filter.Limit = 7
			var pages []string
			for filter.Offset = 0; filter.Offset <= len(whole)+7; filter.Offset += 7 {
				pages = append(pages, strings.Fields(t.codes(s, filter))...)
			}
			t.is(pages, whole, "pages of %+v", filter)
			filter.Limit, filter.Offset = 0, 5
			t.is(t.codes(s, filter), strings.Join(whole[5:], " "), "from the sixth, %+v", filter)
		}
	}
}

func testSearch(tt *testing.T, s Store) {
	t := f{tt}
	links := shelfFull(t, s)
	for i, name := range []string{"Autumn Sale", "Herbst-SCHLUSS \"50%\"", "ÄRZTE", "日本語リンク", "x", "autumn leaves", "autumn in another account"} {
		l := links[i]
		l.Listing.Name = name
		if i == 0 {
			l.Listing.Name += strings.Repeat(" and on", 30) + " to its END"
		}
		t.ok(s.UpdateLink(t.Context(), l))
	}
	agency, both := []link.PartnerRef{{Account: 1, ID: 41}}, []link.PartnerRef{{Account: 1, ID: 31}, {Account: 2, ID: 41}}
	one, two := all.Scopes, []link.Scope{{Account: 1}, {Account: 2}}
	for i, c := range []struct {
		scopes   []link.Scope
		text     string
		partners []link.PartnerRef
		want     string
	}{
		{one, "autumn", nil, "a"},
		{two, "AUTUMN", nil, "a f g"},
		{two, "autumn l", nil, "f"},
		{one, "utum", nil, "a"},
		{one, "autumnsale", nil, ""},
		{one, "ärzte", nil, "c"},
		{one, "本語", nil, "d"},
		{one, "本語リ", nil, "d"},
		{one, "50%", nil, "b"},
		{one, "%", nil, "b"},
		{one, "_", nil, ""},
		{one, "\"", nil, "b"},
		{one, "' OR 1=1 --", nil, ""},
		{one, "ZT", nil, "c"},
		{one, "X", nil, "e"},
		{one, "nd", nil, "a"},
		{one, "\xff", nil, ""},
		{one, "\x00", nil, ""},
		{one, "go.acme.test/", nil, "a b c d e"},
		{one, "//GO.acme.test/d", nil, "d"},
		{one, "x//go", nil, ""}, // not across name and path
		{one, "and on and on and on and on and on and on and on and on to its end", nil, "a"},
		{one, "and on and on and on and on and on and on and on and off to its end", nil, ""},
		{one, "", agency, "a"},
		{one, "x", agency, "a e"},
		{one, "ärzte", agency, "a c"},
		{one, "no such text", both, "a e"}, // partner 41 of account 2 is out of sight
		{two, "no such text", both, "a e g"},
		{two, "no such text", []link.PartnerRef{{Account: 2, ID: 31}}, "f"},
		{one, "", []link.PartnerRef{{Account: 2, ID: 31}}, ""},
		{one, "no such text", nil, ""},
	} {
		for _, limit := range []int{0, 50} {
			got := t.codes(s, link.Filter{Scopes: c.scopes, Search: c.text, SearchPartners: c.partners, Limit: limit})
			t.is(got, c.want, "search %d for %q, limit %d", i, c.text, limit)
		}
	}
	t.is(t.codes(s, link.Filter{Scopes: two, Search: "autumn", Partners: []link.PartnerID{31}}), "a f", "searched and filtered")
}

func testSearchChanges(tt *testing.T, s Store) {
	t := f{tt}
	l, expired := listed("code"), listed("expired")
	expired.ExpiresAt = now.Add(-time.Hour)
	t.create(s, l, expired)
	find := func(text, want string) {
		t.Helper()
		t.is(t.codes(s, link.Filter{Scopes: all.Scopes, Search: text}), want, "search for %q", text)
	}
	l.Listing.Name = "Renamed"
	t.ok(s.UpdateLink(t.Context(), l))
	find("renamed", "code")
	find("link c", "")
	find("/code", "code")
	t.ok(s.DeleteLink(t.Context(), l.ID))
	find("renamed", "")
	next := listed("expired")
	next.Listing.Name = "Replaced"
	t.create(s, next)
	find("link exp", "")
	find("replaced", "expired")
	next.ExpiresAt = now.Add(-time.Minute)
	t.ok(s.UpdateLink(t.Context(), next))
	_, err := s.SweepLinks(t.Context(), now, 10)
	t.ok(err)
	find("replaced", "")
	again := listed("expired")
	again.Listing.Name = "Replaced"
	t.create(s, again)
	find("replaced", "expired")
}

// testListMany: more groups than a store joins at once, and more links than it
// looks at one by one, against sorting them here.
func testListMany(tt *testing.T, s Store) {
	t := f{tt}
	rnd := rand.New(rand.NewPCG(5, 6))
	const n = 6000
	links := make([]*link.Link, n)
	for i := range links {
		l := listed(fmt.Sprintf("m%04d", i))
		l.CreatedAt = now.Add(time.Duration(rnd.IntN(n)) * time.Millisecond)
		l.Listing.AppGroup, l.Listing.Partner, l.Listing.Archived = link.AppGroupID(rnd.IntN(300)), link.PartnerID(1+rnd.IntN(2)), rnd.IntN(2) == 0
		if l.Listing.Name = "often"; i%1500 == 0 {
			l.Listing.Name, l.Listing.Partner = "seldom Zq", 3
		}
		links[i] = l
	}
	t.create(s, links...)
	slices.SortStableFunc(links, func(a, b *link.Link) int { return a.CreatedAt.Compare(b.CreatedAt) })
	want := func(keep func(*link.Link) bool, offset, limit int) string {
		var codes []string
		for _, l := range links {
			if keep(l) {
				codes = append(codes, l.Code)
			}
		}
		return strings.Join(codes[min(offset, len(codes)):min(offset+limit, len(codes))], " ")
	}
	active := true
	for _, c := range []struct {
		name   string
		filter link.Filter
		keep   func(*link.Link) bool
	}{
		{"all", link.Filter{}, func(*link.Link) bool { return true }},
		{"active", link.Filter{Active: &active}, func(l *link.Link) bool { return !l.Listing.Archived }},
		{"often", link.Filter{Search: "OFTEN"}, func(l *link.Link) bool { return l.Listing.Name == "often" }},
		{"seldom", link.Filter{Search: "SELDOM"}, func(l *link.Link) bool { return l.Listing.Name != "often" }},
		{"short and seldom", link.Filter{Search: "zQ"}, func(l *link.Link) bool { return l.Listing.Name != "often" }},
		{"partner", link.Filter{Partners: []link.PartnerID{2}}, func(l *link.Link) bool { return l.Listing.Partner == 2 }},
		{"rare partner", link.Filter{Partners: []link.PartnerID{3}}, func(l *link.Link) bool { return l.Listing.Partner == 3 }},
		{"group", link.Filter{Groups: []link.AppGroupID{7}, Search: "often"}, func(l *link.Link) bool { return l.Listing.AppGroup == 7 && l.Listing.Name == "often" }},
	} {
		for _, offset := range []int{0, 3, 2990, 7000} {
			c.filter.Scopes, c.filter.Offset, c.filter.Limit = all.Scopes, offset, 20
			t.is(t.codes(s, c.filter), want(c.keep, offset, 20), "%s from %d", c.name, offset)
		}
	}
}

func testCountListed(tt *testing.T, s Store) {
	t := f{tt}
	links := shelfFull(t, s)
	count := func(d link.Dialect, want map[link.AppGroupID]int64, groups ...link.AppGroupID) {
		t.Helper()
		got, err := s.CountListed(t.Context(), d, groups)
		t.ok(err)
		t.is(got, want, "listed links of %s", d)
	}
	count(link.SmartLinks, map[link.AppGroupID]int64{21: 1, 22: 1, 23: 1, 51: 1}, 21, 22, 23, 51, 99)
	count(link.Singular, map[link.AppGroupID]int64{21: 1}, 21, 22)
	count(link.OneLink, map[link.AppGroupID]int64{}, 21)
	count(link.SmartLinks, map[link.AppGroupID]int64{})
	links[0].Listing.Archived = true
	t.ok(s.UpdateLink(t.Context(), links[0]))
	links[1].Listing.AppGroup = 23
	t.ok(s.UpdateLink(t.Context(), links[1]))
	t.ok(s.DeleteLink(t.Context(), links[5].ID))
	count(link.SmartLinks, map[link.AppGroupID]int64{23: 2}, 21, 22, 23, 51)
}

func testListNothing(tt *testing.T, s Store) {
	t := f{tt}
	t.is(t.codes(s, all), "", "links of an empty store")
	t.is(t.codes(s, link.Filter{}), "", "links without a scope")
	for _, filter := range []link.Filter{{Offset: -1}, {Limit: -1}, {Order: 99}} {
		filter.Scopes = all.Scopes
		_, err := s.ListLinks(t.Context(), filter)
		t.kind(err, fault.Invalid)
	}
}

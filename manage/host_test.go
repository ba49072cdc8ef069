package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/memorystore"
	"waypost/report"
)

// newHosted has a shared domain, of which acme takes part.
func newHosted(t *testing.T) *fixture {
	t.Helper()
	return newHostedOver(t, nil)
}

func newHostedOver(t *testing.T, front func(manage.Store) manage.Store) *fixture {
	t.Helper()
	f := newFixtureOver(t, memorystore.New(), front)
	f.apply("accounts:\n", "shared_domains: [{host: smart.test}, {host: lonely.test}]\naccounts:\n", "timezone: UTC\n", "timezone: UTC\n    shared_domain: smart.test\n")
	return f
}

// listedIn is a valid new listed link of an app group.
func listedIn(group link.AppGroupID, name string) manage.NewLink {
	return manage.NewLink{
		Dialect: link.SmartLinks, Host: "smart.test", CodeLength: 5, Data: json.RawMessage(`{"a":1}`),
		Listing: &link.Listing{AppGroup: group, Name: name, Identity: name},
	}
}

func (f *fixture) list(n manage.NewLink) link.Link {
	f.t.Helper()
	l, _, err := f.CreateLink(f.t.Context(), f.admin(), n)
	if err != nil {
		f.t.Fatal(err)
	}
	return l
}

// listed reads a link back.
func (f *fixture) listed(id link.LinkID) link.Link {
	f.t.Helper()
	l, err := f.store.ReadLinkByID(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return l
}

func TestCreateHostLink(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	n := listedIn(4833, "One")
	n.Prefix = "03q9/"
	n.Listing.Partner, n.Listing.Agency, n.Listing.CampaignName, n.Listing.Archived = 1201, 234, " Summer ", true
	l, url, err := f.CreateLink(t.Context(), f.actor("acme-agency-token"), n)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[a-z0-9]{5}$`).MatchString(l.Code) || l.Path != link.HostPath("smart.test", "03q9/"+l.Code) {
		t.Errorf("code %q at %s", l.Code, l.Path)
	}
	if url != "https://smart.test/03q9/"+l.Code || url != f.LinkURL(&l) {
		t.Errorf("URL %s, LinkURL %s", url, f.LinkURL(&l))
	}
	want := link.Listing{AppGroup: 4833, Partner: 1201, Agency: 234, Campaign: l.Listing.Campaign, CampaignName: "Summer", Name: "One", Identity: "One"}
	if l.ID == 0 || l.Account != 5899 || l.Template != "" || !l.ExpiresAt.IsZero() || !l.CreatedAt.Equal(start) || *l.Listing != want || want.Campaign == 0 {
		t.Errorf("made %+v with %+v", l, *l.Listing)
	}
	if got := f.listed(l.ID); *got.Listing != want || got.Path != l.Path || string(got.Data) != `{"a":1}` {
		t.Errorf("stored %+v with %+v", got, *got.Listing)
	}
	if len(f.changed) != 1 || f.changed[0] != l.Path {
		t.Errorf("announced %v", f.changed)
	}
	if n.Listing.Campaign != 0 || !n.Listing.Archived {
		t.Error("the caller's listing was written to")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	check := func(secret, host string, group link.AppGroupID, path, url string) {
		t.Helper()
		n := listedIn(group, host)
		n.Host, n.Code = host, "x"
		l, got, err := f.CreateLink(t.Context(), f.actor(secret), n)
		if path == "" {
			refused(t, err, fault.Invalid, "host", fault.Unknown)
			return
		}
		if err != nil || string(l.Path) != path || got != url || got != f.LinkURL(&l) {
			t.Errorf("%s: %s, %s, %v", host, l.Path, got, err)
		}
	}
	const admin = "acme-admin-token"
	check(admin, "SMART.test", 4833, "//smart.test/x", "https://smart.test/x")
	check(admin, "acme.localhost", 4833, "//acme.localhost/x", "http://acme.localhost:8080/x")
	check(admin, "Other.test", 4833, "//boss.localhost/x", "https://other.test/x") // a branded host serves the paths of its home
	check(admin, "rival.localhost", 4833, "", "")
	check(admin, "lonely.test", 4833, "", "")
	check(admin, "nobody.test", 4833, "", "")
	check("rival-admin-token", "smart.test", 4900, "", "")
	check("rival-admin-token", "acme.localhost", 4900, "", "")
	check("rival-admin-token", "rival.localhost", 4900, "//rival.localhost/x", "https://rival.localhost/x")

	// A link whose domain went away has no address.
	for _, path := range []link.Path{link.HostPath("gone.test", "x"), "none/x"} {
		if got := f.LinkURL(&link.Link{Path: path}); got != "" {
			t.Errorf("%s is shown as %s", path, got)
		}
	}
}

func TestCreateHostLinkRefuses(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	f.solo()
	campaign := f.campaign("Summer")
	other, err := f.CreateCampaign(t.Context(), f.admin(), 4901, "Solo")
	if err != nil {
		t.Fatal(err)
	}
	deleted := f.campaign("Gone")
	gone := true
	if _, err := f.ChangeCampaign(t.Context(), f.admin(), 4833, deleted.ID, manage.CampaignChange{Deleted: &gone}); err != nil {
		t.Fatal(err)
	}
	f.list(listedIn(4833, "taken"))
	fixed := listedIn(4833, "fixed")
	fixed.Code = "fixed"
	f.list(fixed)
	tests := map[string]struct {
		change func(*manage.NewLink)
		kind   fault.Kind
		field  string
		reason fault.Reason
	}{
		"no listing":            {func(n *manage.NewLink) { n.Listing = nil }, fault.Invalid, "listing", fault.Missing},
		"a base":                {func(n *manage.NewLink) { n.Base = "//smart.test/x" }, fault.Invalid, "base", fault.NotAllowed},
		"an end":                {func(n *manage.NewLink) { n.TTL = time.Hour }, fault.Invalid, "ttl", fault.NotAllowed},
		"a brand":               {func(n *manage.NewLink) { n.Brand = "other.test" }, fault.Invalid, "brand_domain", fault.NotAllowed},
		"a template, too":       {func(n *manage.NewLink) { n.Template, n.Source = "A1b3", link.SourceV2 }, fault.Invalid, "host", fault.NotAllowed},
		"neither":               {func(n *manage.NewLink) { n.Host = "" }, fault.NotFound, "template", fault.Unknown},
		"group of another":      {func(n *manage.NewLink) { n.Listing.AppGroup = 4900 }, fault.NotFound, "app_group", fault.Unknown},
		"no group":              {func(n *manage.NewLink) { n.Listing.AppGroup = 0 }, fault.NotFound, "app_group", fault.Unknown},
		"prefix with a slash":   {func(n *manage.NewLink) { n.Prefix = "/a/" }, fault.Invalid, "prefix", fault.Malformed},
		"prefix with a dot":     {func(n *manage.NewLink) { n.Prefix = "../" }, fault.Invalid, "prefix", fault.Malformed},
		"prefix with an umlaut": {func(n *manage.NewLink) { n.Prefix = "ä/" }, fault.Invalid, "prefix", fault.Malformed},
		"long prefix":           {func(n *manage.NewLink) { n.Prefix = strings.Repeat("a", 101) }, fault.Invalid, "prefix", fault.Malformed},
		"code with a slash":     {func(n *manage.NewLink) { n.Code = "a/b" }, fault.Invalid, "id", fault.Malformed},
		"code that is taken":    {func(n *manage.NewLink) { n.Code = "fixed" }, fault.Conflict, "id", fault.Taken},
		"long random code":      {func(n *manage.NewLink) { n.CodeLength = 43 }, fault.Invalid, "code_length", fault.Malformed},
		"negative code":         {func(n *manage.NewLink) { n.CodeLength = -1 }, fault.Invalid, "code_length", fault.Malformed},
		"no data":               {func(n *manage.NewLink) { n.Data = nil }, fault.Invalid, "data", fault.Missing},
		"odd source":            {func(n *manage.NewLink) { n.Source = "x" }, fault.Invalid, "source", fault.Unknown},
		"no such partner":       {func(n *manage.NewLink) { n.Listing.Partner = 9 }, fault.Invalid, "partner", fault.Unknown},
		"no such agency":        {func(n *manage.NewLink) { n.Listing.Agency = 9 }, fault.Invalid, "agency", fault.Unknown},
		"network for an agency": {func(n *manage.NewLink) { n.Listing.Agency = 1201 }, fault.Invalid, "agency", fault.Unknown},
		"no such campaign":      {func(n *manage.NewLink) { n.Listing.Campaign = 999 }, fault.Invalid, "campaign", fault.Unknown},
		"campaign of another":   {func(n *manage.NewLink) { n.Listing.Campaign = other.ID }, fault.Invalid, "campaign", fault.Unknown},
		"deleted campaign":      {func(n *manage.NewLink) { n.Listing.Campaign = deleted.ID }, fault.Invalid, "campaign", fault.Unknown},
		"blank campaign":        {func(n *manage.NewLink) { n.Listing.CampaignName = " " }, fault.Invalid, "campaign", fault.Missing},
		"identity in use":       {func(n *manage.NewLink) { n.Listing.Identity = "taken" }, fault.Conflict, "name", fault.Taken},
	}
	for name, tt := range tests {
		n := listedIn(4833, "new")
		n.Listing.Campaign = campaign.ID
		if name == "blank campaign" {
			n.Listing.Campaign = 0
		}
		tt.change(&n)
		_, _, err := f.CreateLink(t.Context(), f.admin(), n)
		t.Run(name, func(t *testing.T) { refused(t, err, tt.kind, tt.field, tt.reason) })
	}
	n := listedIn(4833, "new")
	_, _, err = f.CreateLink(t.Context(), f.actor("acme-read-token"), n)
	refused(t, err, fault.Forbidden, "", fault.ReadOnly)
	_, _, err = f.CreateLink(t.Context(), f.actor("acme-agency-token"), listedIn(4901, "new"))
	refused(t, err, fault.NotFound, "app_group", fault.Unknown)
	_, _, err = f.CreateLink(t.Context(), f.actor("bigshop-token"), listedIn(4900, "new"))
	refused(t, err, fault.Forbidden, "", fault.ReadOnly)
	if links, err := f.ListedLinks(t.Context(), f.admin(), link.Filter{}); err != nil || len(links) != 2 {
		t.Errorf("%d links are stored, want the 2 that were not refused: %v", len(links), err)
	}
	if campaigns, err := f.Campaigns(t.Context(), f.admin(), 4833, nil); err != nil || len(campaigns) != 2 {
		t.Errorf("refused links made campaigns: %+v, %v", campaigns, err)
	}
}

// An identity is free again when its link is archived or removed.
func TestIdentities(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	results, err := f.CreateLinks(t.Context(), f.admin(), []manage.NewLink{listedIn(4833, "one"), listedIn(4833, "one"), wish("promo")})
	if err != nil || results[0].Err != nil || results[2].Err != nil {
		t.Fatalf("%+v, %v", results, err)
	}
	refused(t, results[1].Err, fault.Conflict, "name", fault.Taken)
	if results[1].Link.ID != 0 || results[1].URL != "" {
		t.Errorf("a refused link is told: %+v", results[1])
	}
	if err := f.ArchiveLink(t.Context(), f.admin(), link.SmartLinks, results[0].Link.ID); err != nil {
		t.Fatal(err)
	}
	again := f.list(listedIn(4833, "one"))
	if err := f.RemoveLink(t.Context(), f.admin(), link.SmartLinks, again.ID); err != nil {
		t.Fatal(err)
	}
	f.list(listedIn(4833, "one"))
	nameless := listedIn(4833, "same")
	nameless.Listing.Identity = ""
	f.list(nameless)
	f.list(nameless)
}

// Links name a campaign by its id, or by a name that is found or made.
func TestCampaignsOfLinks(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	made := func(name string, id link.CampaignID, campaign string) link.Listing {
		t.Helper()
		n := listedIn(4833, name)
		n.Listing.Campaign, n.Listing.CampaignName = id, campaign
		l := f.list(n)
		if got := f.listed(l.ID); *got.Listing != *l.Listing {
			t.Errorf("told %+v, stored %+v", *l.Listing, *got.Listing)
		}
		return *l.Listing
	}
	first := made("one", 0, "Summer")
	if first.Campaign == 0 || first.CampaignName != "Summer" {
		t.Errorf("made %+v", first)
	}
	if same := made("two", 0, "  summer "); same.Campaign != first.Campaign || same.CampaignName != "Summer" {
		t.Errorf("found %+v", same)
	}
	if same := made("three", first.Campaign, "Winter"); same.Campaign != first.Campaign || same.CampaignName != "Summer" {
		t.Errorf("by its id %+v", same)
	}
	if none := made("four", 0, ""); none.Campaign != 0 || none.CampaignName != "" {
		t.Errorf("without one %+v", none)
	}
	if all, err := f.Campaigns(t.Context(), f.admin(), 4833, nil); err != nil || len(all) != 1 || all[0].Account != 5899 || !all[0].CreatedAt.Equal(start) {
		t.Errorf("campaigns %+v, %v", all, err)
	}
}

func TestHostCodesGrowWhenCrowded(t *testing.T) {
	t.Parallel()
	var c *crowded
	f := newHostedOver(t, func(s manage.Store) manage.Store {
		c = &crowded{Store: s, refuse: 4}
		return c
	})
	l := f.list(listedIn(4833, "one"))
	if len(l.Code) != 9 || l.Path != link.HostPath("smart.test", l.Code) || len(c.calls) != 5 {
		t.Errorf("after four crowded tries the code is %q at %s, %d calls; want 5+4 characters", l.Code, l.Path, len(c.calls))
	}
	usual := listedIn(4833, "two")
	usual.CodeLength = 0
	if l := f.list(usual); len(l.Code) != 8 {
		t.Errorf("the usual code is %q", l.Code)
	}
}

func TestCreateAlias(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	base := f.list(listedIn(4833, "base"))
	alias := func(account link.AccountID, change func(*manage.NewLink)) (link.Link, string, error) {
		n := manage.NewLink{
			Dialect: link.SmartLinks, Host: "smart.test", Prefix: "r/", CodeLength: 6, Base: base.Path,
			Data: json.RawMessage(`{"q":"a=1"}`), TTL: 30 * day, Source: link.SourceSDK,
		}
		if change != nil {
			change(&n)
		}
		return f.CreateAlias(t.Context(), account, n)
	}
	f.changed = nil
	l, url, err := alias(5899, nil)
	if err != nil || l.Base != base.Path || l.Listing != nil || l.Account != 5899 || len(l.Code) != 6 || !l.ExpiresAt.Equal(start.Add(30*day)) || l.Source != link.SourceSDK {
		t.Fatalf("made %+v, %v", l, err)
	}
	if url != "https://smart.test/r/"+l.Code || len(f.changed) != 1 || f.changed[0] != l.Path {
		t.Errorf("URL %s, announced %v", url, f.changed)
	}
	if got := f.listed(l.ID); got.Base != base.Path || got.Listing != nil {
		t.Errorf("stored %+v", got)
	}

	check := func(account link.AccountID, change func(*manage.NewLink), kind fault.Kind, field string, reason fault.Reason) {
		t.Helper()
		_, _, err := alias(account, change)
		refused(t, err, kind, field, reason)
	}
	check(6001, nil, fault.NotFound, "link", fault.Unknown)
	check(0, nil, fault.NotFound, "link", fault.Unknown)
	check(5899, func(n *manage.NewLink) { n.Base = "" }, fault.NotFound, "link", fault.Unknown)
	check(5899, func(n *manage.NewLink) { n.Base = "//smart.test/none" }, fault.NotFound, "link", fault.Unknown)
	check(5899, func(n *manage.NewLink) { n.Base = l.Path }, fault.NotFound, "link", fault.Unknown) // stands for another itself
	check(5899, func(n *manage.NewLink) { n.Dialect = link.Singular }, fault.NotFound, "link", fault.Unknown)
	check(5899, func(n *manage.NewLink) { n.Host = "rival.localhost" }, fault.Invalid, "host", fault.Unknown)
	check(5899, func(n *manage.NewLink) { n.Host = "" }, fault.Invalid, "host", fault.Missing)
	check(5899, func(n *manage.NewLink) { n.TTL = -1 }, fault.Invalid, "ttl", fault.Malformed)
	check(5899, func(n *manage.NewLink) { n.Data = nil }, fault.Invalid, "data", fault.Missing)
	check(5899, func(n *manage.NewLink) { n.Listing = &link.Listing{AppGroup: 4833} }, fault.Invalid, "listing", fault.NotAllowed)
	check(5899, func(n *manage.NewLink) { n.Code = l.Code }, fault.Conflict, "id", fault.Taken)
	if err := f.ArchiveLink(t.Context(), f.admin(), link.SmartLinks, base.ID); err != nil {
		t.Fatal(err)
	}
	check(5899, nil, fault.NotFound, "link", fault.Unknown)
	// No alias is a listed link.
	if links, err := f.ListedLinks(t.Context(), f.admin(), link.Filter{}); err != nil || len(links) != 1 {
		t.Errorf("listed are %+v, %v", links, err)
	}
	_, err = f.ListedLink(t.Context(), f.admin(), link.SmartLinks, l.ID)
	refused(t, err, fault.NotFound, "id", fault.Unknown)
}

// blind is a store that cannot read links and campaigns.
type blind struct {
	manage.Store
	broken error
}

func (b *blind) ReadLink(context.Context, link.Path) (link.Link, error) {
	return link.Link{}, b.broken
}

func (b *blind) ReadLinkByID(context.Context, link.LinkID) (link.Link, error) {
	return link.Link{}, b.broken
}

func (b *blind) FindCampaigns(context.Context, link.CampaignFilter) ([]link.Campaign, error) {
	return nil, b.broken
}

func (b *blind) ListLinks(context.Context, link.Filter) ([]link.Link, error) { return nil, b.broken }

func (b *blind) CountListed(context.Context, link.Dialect, []link.AppGroupID) (map[link.AppGroupID]int64, error) {
	return nil, b.broken
}

func (b *blind) ReadUsage(ctx context.Context, account link.AccountID, from, to report.Day) ([]report.Usage, error) {
	return nil, b.broken
}

// A store that fails is no refusal: nobody hears that what he asked for is not there.
func TestBrokenStoreIsNoRefusal(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk")
	f := newHostedOver(t, func(s manage.Store) manage.Store { return &blind{s, broken} })
	n := listedIn(4833, "one")
	n.Listing.Campaign = 1
	named := listedIn(4833, "two")
	named.Listing.CampaignName = "Summer"
	ctx, a := t.Context(), f.admin()
	errs := []error{
		second(f.ListedLink(ctx, a, link.SmartLinks, 1)),
		second(f.ListedLinks(ctx, a, link.Filter{})),
		second(f.CountListed(ctx, link.SmartLinks, []link.AppGroupID{4833})),
		second(f.Campaigns(ctx, a, 4833, nil)),
		second(f.Campaign(ctx, a, 4833, 1)),
		f.CheckCampaignName(ctx, a, 4833, "x"),
		second(f.ChangeCampaign(ctx, a, 4833, 1, manage.CampaignChange{})),
		f.ArchiveGroup(ctx, a, 4833),
		f.ArchiveLink(ctx, a, link.SmartLinks, 1),
		f.RemoveLink(ctx, a, link.SmartLinks, 1),
	}
	_, _, err := f.CreateLink(ctx, a, n)
	errs = append(errs, err)
	_, _, err = f.CreateLink(ctx, a, named)
	errs = append(errs, err)
	_, _, err = f.CreateAlias(ctx, 5899, manage.NewLink{Base: "//smart.test/x"})
	errs = append(errs, err)
	for i, err := range errs {
		if !errors.Is(err, broken) || fault.As(err).Kind != fault.Internal {
			t.Errorf("%d: got %v", i, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

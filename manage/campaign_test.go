package manage_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

func (f *fixture) campaign(name string) link.Campaign {
	f.t.Helper()
	c, err := f.CreateCampaign(f.t.Context(), f.admin(), 4833, name)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func TestCreateCampaign(t *testing.T) {
	t.Parallel()
	f := newLimited(t)
	c, err := f.CreateCampaign(t.Context(), f.actor("acme-agency-token"), 4833, "  Summer 26\n")
	want := link.Campaign{ID: c.ID, Account: 5899, AppGroup: 4833, Name: "Summer 26", CreatedAt: start, UpdatedAt: start}
	if err != nil || c.ID == 0 || c != want {
		t.Fatalf("made %+v, %v", c, err)
	}
	if err := f.CheckCampaignName(t.Context(), f.admin(), 4833, "Winter 26"); err != nil {
		t.Error(err)
	}
	check := func(secret string, group link.AppGroupID, name string, kind fault.Kind, field string, reason fault.Reason) {
		t.Helper()
		refused(t, f.CheckCampaignName(t.Context(), f.actor(secret), group, name), kind, field, reason)
		_, err := f.CreateCampaign(t.Context(), f.actor(secret), group, name)
		refused(t, err, kind, field, reason)
	}
	const admin = "acme-admin-token"
	check(admin, 4833, "SUMMER 26 ", fault.Conflict, "name", fault.Taken)
	check(admin, 4833, "", fault.Invalid, "name", fault.Missing)
	check(admin, 4833, strings.Repeat("ü", 256), fault.Invalid, "name", fault.TooLong)
	check(admin, 4900, "Winter", fault.NotFound, "app_group", fault.Unknown)
	check("acme-read-token", 4833, "Winter", fault.Forbidden, "", fault.ReadOnly)
	check("acme-agency-token", 4901, "Winter", fault.NotFound, "app_group", fault.Unknown)
	check("bigshop-token", 4900, "Winter", fault.Forbidden, "", fault.ReadOnly)
	if _, err := f.CreateCampaign(t.Context(), f.admin(), 4901, "Summer 26"); err != nil {
		t.Errorf("the name is free in another group: %v", err)
	}
	if err := f.ArchiveGroup(t.Context(), f.admin(), 4901); err != nil {
		t.Fatal(err)
	}
	check(admin, 4901, "Winter", fault.Conflict, "", fault.Archived)
}

func TestCampaigns(t *testing.T) {
	t.Parallel()
	f := newLimited(t)
	first := f.campaign("First")
	second := f.campaign("Second") // at the same instant
	f.pass(time.Second)
	third := f.campaign("Third")
	gone := true
	if _, err := f.ChangeCampaign(t.Context(), f.admin(), 4833, second.ID, manage.CampaignChange{Deleted: &gone}); err != nil {
		t.Fatal(err)
	}
	check := func(deleted *bool, want ...link.CampaignID) {
		t.Helper()
		got, err := f.Campaigns(t.Context(), f.actor("acme-read-token"), 4833, deleted)
		if err != nil || len(got) != len(want) {
			t.Fatalf("got %+v, %v, want %v", got, err, want)
		}
		for i := range want {
			if got[i].ID != want[i] {
				t.Errorf("got %+v, want %v", got, want)
			}
		}
	}
	live := false
	check(nil, third.ID, second.ID, first.ID)
	check(&live, third.ID, first.ID)
	check(&gone, second.ID)
	c, err := f.Campaign(t.Context(), f.actor("acme-read-token"), 4833, second.ID)
	if err != nil || c.Name != "Second" || !c.Deleted {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, group := range []link.AppGroupID{4900, 1} {
		_, err = f.Campaigns(t.Context(), f.admin(), group, nil)
		refused(t, err, fault.NotFound, "app_group", fault.Unknown)
		_, err = f.Campaign(t.Context(), f.admin(), group, first.ID)
		refused(t, err, fault.NotFound, "app_group", fault.Unknown)
	}
	_, err = f.Campaign(t.Context(), f.admin(), 4833, 999)
	refused(t, err, fault.NotFound, "campaign", fault.Unknown)
	_, err = f.Campaign(t.Context(), f.admin(), 4901, first.ID) // another group's
	refused(t, err, fault.NotFound, "campaign", fault.Unknown)
	if got, err := f.Campaigns(t.Context(), f.admin(), 4901, nil); err != nil || len(got) != 0 {
		t.Errorf("the other group has %+v, %v", got, err)
	}
}

func TestChangeCampaign(t *testing.T) {
	t.Parallel()
	f := newLimited(t)
	summer, winter := f.campaign("Summer"), f.campaign("Winter")
	change := func(c manage.CampaignChange) (link.Campaign, error) {
		return f.ChangeCampaign(t.Context(), f.actor("acme-agency-token"), 4833, summer.ID, c)
	}
	name, taken, same, long, gone, live := " Summer 27 ", "WINTER", "SUMMER 27", strings.Repeat("x", 256), true, false
	f.pass(time.Minute)
	got, err := change(manage.CampaignChange{Name: &name})
	if err != nil || got.Name != "Summer 27" || !got.UpdatedAt.Equal(start.Add(time.Minute)) || !got.CreatedAt.Equal(start) || got.Deleted {
		t.Errorf("renamed: %+v, %v", got, err)
	}
	if got, err = change(manage.CampaignChange{Name: &same}); err != nil || got.Name != same {
		t.Errorf("its own name in another case: %+v, %v", got, err)
	}
	_, err = change(manage.CampaignChange{Name: &taken})
	refused(t, err, fault.Conflict, "name", fault.Taken)
	_, err = change(manage.CampaignChange{Name: &long})
	refused(t, err, fault.Invalid, "name", fault.TooLong)
	if got, err = change(manage.CampaignChange{Deleted: &gone}); err != nil || !got.Deleted || got.Name != same {
		t.Errorf("deleted: %+v, %v", got, err)
	}
	// A deleted one's name is free; it comes back when it is free again.
	again := f.campaign("Summer 27")
	_, err = change(manage.CampaignChange{Deleted: &live})
	refused(t, err, fault.Conflict, "name", fault.Taken)
	if _, err := f.ChangeCampaign(t.Context(), f.admin(), 4833, again.ID, manage.CampaignChange{Deleted: &gone}); err != nil {
		t.Fatal(err)
	}
	if got, err = change(manage.CampaignChange{Deleted: &live}); err != nil || got.Deleted {
		t.Errorf("back: %+v, %v", got, err)
	}

	check := func(secret string, group link.AppGroupID, id link.CampaignID, kind fault.Kind, field string, reason fault.Reason) {
		t.Helper()
		_, err := f.ChangeCampaign(t.Context(), f.actor(secret), group, id, manage.CampaignChange{Name: &name})
		refused(t, err, kind, field, reason)
	}
	check("acme-read-token", 4833, winter.ID, fault.Forbidden, "", fault.ReadOnly)
	check("rival-admin-token", 4833, winter.ID, fault.NotFound, "app_group", fault.Unknown)
	check("acme-agency-token", 4901, winter.ID, fault.NotFound, "app_group", fault.Unknown)
	check("acme-admin-token", 4901, winter.ID, fault.NotFound, "campaign", fault.Unknown)
	check("acme-admin-token", 4833, 999, fault.NotFound, "campaign", fault.Unknown)
}

// Links tell the name of their campaign, so caches must not keep the old one.
func TestRenamedCampaignIsTold(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	c := f.campaign("Summer")
	n := listedIn(4833, "one")
	n.Listing.Campaign = c.ID
	l := f.list(n)
	f.list(listedIn(4833, "two"))
	f.changed = nil
	name, gone := "Summer 27", true
	if _, err := f.ChangeCampaign(t.Context(), f.admin(), 4833, c.ID, manage.CampaignChange{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if len(f.changed) != 1 || f.changed[0] != l.Path {
		t.Errorf("announced %v, want %s", f.changed, l.Path)
	}
	if got := f.listed(l.ID); got.Listing.CampaignName != name {
		t.Errorf("the link tells %q", got.Listing.CampaignName)
	}
	f.changed = nil
	if _, err := f.ChangeCampaign(t.Context(), f.admin(), 4833, c.ID, manage.CampaignChange{Deleted: &gone}); err != nil || f.changed != nil {
		t.Errorf("a deleted campaign: announced %v, %v", f.changed, err)
	}
	if got := f.listed(l.ID); got.Listing.Campaign != c.ID || got.Listing.CampaignName != name {
		t.Errorf("the link lost its campaign: %+v", got.Listing)
	}
}

// listAsked keeps what lists of links were asked for.
type listAsked struct {
	manage.Store
	filters []link.Filter
}

func (s *listAsked) ListLinks(ctx context.Context, f link.Filter) ([]link.Link, error) {
	s.filters = append(s.filters, f)
	return s.Store.ListLinks(ctx, f)
}

// A campaign of a group with millions of links is renamed without reading them all.
func TestRenamingIsBounded(t *testing.T) {
	t.Parallel()
	front := &listAsked{}
	f := newHostedOver(t, func(s manage.Store) manage.Store { front.Store = s; return front })
	c := f.campaign("Summer")
	front.filters = nil
	name := "Summer 27"
	if _, err := f.ChangeCampaign(t.Context(), f.admin(), 4833, c.ID, manage.CampaignChange{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if len(front.filters) != 1 || front.filters[0].Limit <= 0 || front.filters[0].Limit > 10_000 || !front.filters[0].Descending {
		t.Errorf("asked for %+v; want a bounded number of the newest links", front.filters)
	}
}

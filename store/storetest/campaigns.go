package storetest

import (
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
)

var campaignTests = map[string]func(*testing.T, Store){
	"found or made with a link":   testCampaignOfLink,
	"none for links that are not": testNoCampaign,
	"saved and found":             testSaveCampaign,
	"names are taken":             testCampaignTaken,
}

// campaigned returns a listed link that names its campaign.
func campaigned(code, name string) *link.Link {
	l := listed(code)
	l.Listing.CampaignName = name
	return l
}

// campaigns checks the names of the campaigns that a filter picks.
func (t f) campaigns(s Store, filter link.CampaignFilter, want string) []link.Campaign {
	t.Helper()
	list, err := s.FindCampaigns(t.Context(), filter)
	t.ok(err)
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.Name
	}
	t.is(strings.Join(names, " "), want, "campaigns")
	return list
}

func testCampaignOfLink(tt *testing.T, s Store) {
	t := f{tt}
	a, b, other := campaigned("a", "Ärzte"), campaigned("b", "äRZTE"), campaigned("other", "Ärzte")
	other.Listing.AppGroup = 22
	t.create(s, a, b, other, listed("none"))
	t.is(b.Listing.Campaign, a.Listing.Campaign, "campaign of the same name")
	t.is(a.Listing.Campaign != 0 && other.Listing.Campaign != a.Listing.Campaign, true, "another group has its own")
	got, err := s.ReadLink(t.Context(), b.Path)
	t.ok(err)
	t.is(got.Listing.CampaignName, "Ärzte", "the name of the campaign, not the one that asked for it")
	list := t.campaigns(s, link.CampaignFilter{AppGroup: 21}, "Ärzte")
	t.is(list[0], link.Campaign{ID: a.Listing.Campaign, Account: 1, AppGroup: 21, Name: "Ärzte", CreatedAt: now, UpdatedAt: now}, "campaign")

	// A link that refers to one keeps it, whatever name it has read.
	got.Listing.CampaignName = "ignored"
	t.ok(s.UpdateLink(t.Context(), &got))
	t.is(got.Listing.Campaign, a.Listing.Campaign, "campaign")
	got.Listing.Campaign, got.Listing.CampaignName, got.UpdatedAt = 0, "Spring", now.Add(time.Minute)
	t.ok(s.UpdateLink(t.Context(), &got))
	spring := t.campaigns(s, link.CampaignFilter{AppGroup: 21, Name: "SPRING"}, "Spring")
	t.is(spring[0].ID, got.Listing.Campaign, "campaign of an update")
	t.is(spring[0].CreatedAt, got.UpdatedAt, "when it was made")

	// A renamed campaign is the link's still; a deleted one too, but new links get another.
	spring[0].Name, spring[0].Deleted = "Summer", true
	t.ok(s.SaveCampaign(t.Context(), &spring[0]))
	got, err = s.ReadLinkByID(t.Context(), got.ID)
	t.ok(err)
	t.is(got.Listing.CampaignName, "Summer", "name of a renamed campaign")
	next := campaigned("next", "summer")
	t.create(s, next)
	t.is(next.Listing.Campaign != spring[0].ID, true, "a deleted campaign takes no new links")
	got.Listing.Campaign, got.Listing.CampaignName = 0, ""
	t.ok(s.UpdateLink(t.Context(), &got))
	got, err = s.ReadLinkByID(t.Context(), got.ID)
	t.ok(err)
	t.is(got.Listing.Campaign, 0, "campaign of a link that gave it up")
}

// testNoCampaign: what is not stored makes none.
func testNoCampaign(tt *testing.T, s Store) {
	t := f{tt}
	t.create(s, identified("a", "one"))
	refused, path := campaigned("b", "Never"), campaigned("a", "Never")
	refused.Listing.Identity = "one"
	t.taken(s, []link.Taken{link.IdentityTaken, link.PathTaken}, refused, path)
	t.is(refused.Listing.Campaign, 0, "campaign of a refused link")
	gone := campaigned("gone", "Never")
	gone.ID = 999
	t.kind(s.UpdateLink(t.Context(), gone), fault.NotFound)
	t.campaigns(s, link.CampaignFilter{}, "")
}

func testSaveCampaign(tt *testing.T, s Store) {
	t := f{tt}
	full := link.Campaign{Account: 5, AppGroup: 6, Name: "Full <é>", Deleted: true, CreatedAt: now.Add(time.Millisecond), UpdatedAt: now.Add(time.Hour)}
	t.ok(s.SaveCampaign(t.Context(), &full))
	if full.ID == 0 {
		t.Fatal("no id")
	}
	t.is(t.campaigns(s, link.CampaignFilter{IDs: []link.CampaignID{full.ID}}, full.Name)[0], full, "campaign")
	changed := link.Campaign{ID: full.ID, Account: 7, AppGroup: 8, Name: "changed", CreatedAt: now, UpdatedAt: now}
	t.ok(s.SaveCampaign(t.Context(), &changed))
	t.is(t.campaigns(s, link.CampaignFilter{}, "changed")[0], changed, "replaced campaign")
	t.kind(s.SaveCampaign(t.Context(), &link.Campaign{ID: 999, Name: "gone", CreatedAt: now, UpdatedAt: now}), fault.NotFound)
	for i, c := range []link.Campaign{
		{AppGroup: 21, Name: "old", CreatedAt: now.Add(-time.Hour)}, {AppGroup: 21, Name: "tie1", CreatedAt: now}, {AppGroup: 21, Name: "tie2", CreatedAt: now},
		{AppGroup: 22, Name: "Newest", CreatedAt: now.Add(time.Hour)}, {AppGroup: 21, Name: "NEWEST", CreatedAt: now.Add(2 * time.Hour), Deleted: true},
	} {
		c.Account, c.UpdatedAt = 1, now
		t.ok(s.SaveCampaign(t.Context(), &c))
		t.is(c.ID, changed.ID+link.CampaignID(i)+1, "id")
	}
	yes, no := true, false
	for _, c := range []struct {
		filter link.CampaignFilter
		want   string
	}{
		{link.CampaignFilter{AppGroup: 21}, "NEWEST tie2 tie1 old"},
		{link.CampaignFilter{AppGroup: 21, Deleted: &no}, "tie2 tie1 old"},
		{link.CampaignFilter{Deleted: &yes}, "NEWEST"},
		{link.CampaignFilter{Name: "newEST"}, "NEWEST Newest"},
		{link.CampaignFilter{Name: "new"}, ""},
		{link.CampaignFilter{IDs: []link.CampaignID{changed.ID + 1, changed.ID + 3, 77}}, "tie2 old"},
		{link.CampaignFilter{IDs: []link.CampaignID{changed.ID + 1}, AppGroup: 22}, ""},
	} {
		t.campaigns(s, c.filter, c.want)
	}
}

func testCampaignTaken(tt *testing.T, s Store) {
	t := f{tt}
	first := link.Campaign{Account: 1, AppGroup: 21, Name: "Autumn", CreatedAt: now, UpdatedAt: now}
	t.ok(s.SaveCampaign(t.Context(), &first))
	second := first
	second.ID, second.Name = 0, "AUTUMN"
	refuse := func(c link.Campaign) {
		t.Helper()
		err := s.SaveCampaign(t.Context(), &c)
		if got := fault.As(err); got.Kind != fault.Conflict || got.Field != "name" || got.Reason != fault.Taken {
			t.Fatalf("got %v", err)
		}
	}
	refuse(second)
	t.campaigns(s, link.CampaignFilter{}, "Autumn")
	second.Deleted = true
	t.ok(s.SaveCampaign(t.Context(), &second))
	revived := second
	revived.Deleted = false
	refuse(revived)
	first.Name = "autumn" // its own
	t.ok(s.SaveCampaign(t.Context(), &first))
	elsewhere := first
	elsewhere.ID, elsewhere.AppGroup = 0, 22
	t.ok(s.SaveCampaign(t.Context(), &elsewhere))
	elsewhere.AppGroup = 21
	refuse(elsewhere)
	first.Deleted = true
	t.ok(s.SaveCampaign(t.Context(), &first))
	t.ok(s.SaveCampaign(t.Context(), &revived))
}

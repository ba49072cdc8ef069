package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

func TestListedLinkPermission(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	f.solo()
	one, solo := f.list(listedIn(4833, "one")), f.list(listedIn(4901, "solo"))
	plain := f.create(wish("promo"))
	tests := []struct {
		secret  string
		dialect link.Dialect
		id      link.LinkID
		read    bool
		write   bool
	}{
		{"acme-admin-token", link.SmartLinks, one.ID, true, true},
		{"acme-admin-token", link.SmartLinks, solo.ID, true, true},
		{"acme-admin-token", link.Singular, one.ID, false, false},
		{"acme-admin-token", link.OneLink, plain.ID, false, false}, // it has no listing
		{"acme-admin-token", link.SmartLinks, 999, false, false},
		{"acme-admin-token", link.SmartLinks, 0, false, false},
		{"acme-read-token", link.SmartLinks, one.ID, true, false},
		{"acme-agency-token", link.SmartLinks, one.ID, true, true},
		{"acme-agency-token", link.SmartLinks, solo.ID, false, false},
		{"bigshop-token", link.SmartLinks, one.ID, true, true},
		{"bigshop-token", link.SmartLinks, solo.ID, false, false},
		{"rival-admin-token", link.SmartLinks, one.ID, false, false},
	}
	for _, tt := range tests {
		a := f.actor(tt.secret)
		l, err := f.ListedLink(t.Context(), a, tt.dialect, tt.id)
		if tt.read && (err != nil || l.ID != tt.id || l.Listing == nil) {
			t.Errorf("%+v: read %+v, %v", tt, l, err)
		}
		_, changed := f.ChangeListed(t.Context(), a, tt.dialect, tt.id, func(*link.Link) error { return nil })
		if tt.write {
			if changed != nil {
				t.Errorf("%+v: change: %v", tt, changed)
			}
			continue
		}
		for _, err := range []error{changed, f.ArchiveLink(t.Context(), a, tt.dialect, tt.id), f.RemoveLink(t.Context(), a, tt.dialect, tt.id)} {
			if tt.read {
				refused(t, err, fault.Forbidden, "", fault.ReadOnly)
			} else {
				refused(t, err, fault.NotFound, "id", fault.Unknown)
			}
		}
		if !tt.read {
			refused(t, err, fault.NotFound, "id", fault.Unknown)
		}
	}
	for _, id := range []link.LinkID{one.ID, solo.ID, plain.ID} {
		if l := f.listed(id); l.Archived() {
			t.Errorf("link %d was archived by somebody who may not", id)
		}
	}
	for _, tt := range []struct {
		secret string
		want   []link.LinkID
	}{
		{"acme-admin-token", []link.LinkID{one.ID, solo.ID}},
		{"acme-read-token", []link.LinkID{one.ID, solo.ID}},
		{"acme-agency-token", []link.LinkID{one.ID}},
		{"bigshop-token", []link.LinkID{one.ID}},
		{"rival-admin-token", nil},
	} {
		// A caller's own scopes do not widen what he sees.
		all, err := f.ListedLinks(t.Context(), f.actor(tt.secret), link.Filter{Scopes: []link.Scope{{Account: 5899}}})
		if got := ids(all); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s sees %v, want %v, %v", tt.secret, got, tt.want, err)
		}
	}
	if all, err := f.ListedLinks(t.Context(), manage.Actor{}, link.Filter{}); err != nil || all != nil {
		t.Errorf("nobody sees %v, %v", all, err)
	}
}

func ids(links []link.Link) []link.LinkID {
	var all []link.LinkID
	for _, l := range links {
		all = append(all, l.ID)
	}
	return all
}

func TestListedLinksFilter(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	f.solo()
	made := map[string]link.LinkID{}
	for _, m := range []struct {
		name    string
		group   link.AppGroupID
		partner link.PartnerID
		agency  link.PartnerID
		dialect link.Dialect
		code    string
	}{
		{"Alpha", 4833, 1201, 0, link.SmartLinks, "zulu"},
		{"beta", 4833, 1202, 234, link.SmartLinks, "yankee"},
		{"Gamma", 4901, 1201, 0, link.SmartLinks, "xray"},
		{"delta", 4833, 0, 0, link.Singular, "whisky"},
	} {
		n := listedIn(m.group, m.name)
		n.Dialect, n.Code, n.Listing.Partner, n.Listing.Agency = m.dialect, m.code, m.partner, m.agency
		made[m.name] = f.list(n).ID
		f.pass(time.Minute)
	}
	if err := f.ArchiveLink(t.Context(), f.admin(), link.SmartLinks, made["Alpha"]); err != nil {
		t.Fatal(err)
	}
	check := func(filter link.Filter, want ...string) {
		t.Helper()
		got, err := f.ListedLinks(t.Context(), f.admin(), filter)
		var names []string
		for _, l := range got {
			names = append(names, l.Listing.Name)
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("%+v: %v, %v, want %v", filter, names, err, want)
		}
	}
	yes, no := true, false
	check(link.Filter{}, "Alpha", "beta", "Gamma", "delta")
	check(link.Filter{Dialect: link.Singular}, "delta")
	check(link.Filter{Groups: []link.AppGroupID{4901, 4900}}, "Gamma")
	check(link.Filter{Partners: []link.PartnerID{1202, 1201}}, "Alpha", "beta", "Gamma")
	check(link.Filter{Codes: []string{"zulu", "xray", "Yankee"}}, "Alpha", "Gamma")
	check(link.Filter{Active: &yes}, "beta", "Gamma", "delta")
	check(link.Filter{Active: &no}, "Alpha")
	check(link.Filter{Search: "ETA"}, "beta")
	check(link.Filter{Search: "xRa"}, "Gamma")
	check(link.Filter{Search: "ETA", SearchPartners: []link.PartnerRef{{Account: 5899, ID: 1201}, {Account: 6001, ID: 1202}}}, "Alpha", "beta", "Gamma")
	check(link.Filter{SearchPartners: []link.PartnerRef{{Account: 5899, ID: 234}}}, "beta")
	check(link.Filter{Order: link.ByName, Descending: true}, "Gamma", "delta", "beta", "Alpha")
	check(link.Filter{Order: link.ByName}, "Alpha", "beta", "delta", "Gamma")
	check(link.Filter{Order: link.ByUpdated}, "beta", "Gamma", "delta", "Alpha")
	check(link.Filter{Descending: true, Offset: 1, Limit: 2}, "Gamma", "beta")
	check(link.Filter{Offset: 9})
	counts, err := f.CountListed(t.Context(), link.SmartLinks, []link.AppGroupID{4833, 4901, 4900})
	if err != nil || fmt.Sprint(counts) != "map[4833:1 4901:1]" {
		t.Errorf("counted %v, %v", counts, err)
	}
	if counts, err := f.CountListed(t.Context(), link.SmartLinks, nil); err != nil || len(counts) != 0 {
		t.Errorf("of no groups: %v, %v", counts, err)
	}
}

func TestChangeListed(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	f.solo()
	l := f.list(listedIn(4833, "one"))
	f.list(listedIn(4833, "two"))
	f.changed = nil
	f.pass(time.Hour)
	got, err := f.ChangeListed(t.Context(), f.actor("acme-agency-token"), link.SmartLinks, l.ID, func(c *link.Link) error {
		if c.ID != l.ID || *c.Listing != *l.Listing || string(c.Data) != `{"a":1}` {
			t.Errorf("to change is %+v with %+v", c, *c.Listing)
		}
		c.Data, c.TargetHosts = json.RawMessage(`{"a":2}`), []string{"x.test"}
		c.Listing.Name, c.Listing.Identity, c.Listing.Partner, c.Listing.CampaignName = "uno", "uno", 1202, "Summer"
		// None of this is for a change to write.
		c.Listing.Archived, c.Account, c.Path, c.Code, c.Dialect, c.CreatedAt, c.TTL, c.Base = true, 6001, "//x/y", "y", link.Own, time.Time{}, 1, "//a/b"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := l
	want.Data, want.UpdatedAt = json.RawMessage(`{"a":2}`), start.Add(time.Hour)
	listing := link.Listing{AppGroup: 4833, Partner: 1202, Campaign: got.Listing.Campaign, CampaignName: "Summer", Name: "uno", Identity: "uno"}
	for _, g := range []link.Link{got, f.listed(l.ID)} {
		if *g.Listing != listing || listing.Campaign == 0 || g.Path != want.Path || g.Account != want.Account || g.Code != want.Code || g.Dialect != want.Dialect ||
			!g.CreatedAt.Equal(want.CreatedAt) || !g.UpdatedAt.Equal(want.UpdatedAt) || string(g.Data) != string(want.Data) || g.TTL != 0 || g.Base != "" {
			t.Errorf("changed to %+v with %+v", g, *g.Listing)
		}
	}
	if len(f.changed) != 1 || f.changed[0] != l.Path {
		t.Errorf("announced %v", f.changed)
	}
	f.list(listedIn(4833, "one")) // its identity is free

	mine := errors.New("mine")
	refuse := func(secret string, change func(*link.Link), kind fault.Kind, field string, reason fault.Reason) {
		t.Helper()
		_, err := f.ChangeListed(t.Context(), f.actor(secret), link.SmartLinks, l.ID, func(c *link.Link) error {
			change(c)
			return nil
		})
		refused(t, err, kind, field, reason)
	}
	const admin = "acme-admin-token"
	f.changed = nil
	refuse(admin, func(c *link.Link) { c.Listing.Identity = "two" }, fault.Conflict, "name", fault.Taken)
	refuse(admin, func(c *link.Link) { c.Listing.Partner = 9 }, fault.Invalid, "partner", fault.Unknown)
	refuse(admin, func(c *link.Link) { c.Listing.Agency = 1201 }, fault.Invalid, "agency", fault.Unknown)
	refuse(admin, func(c *link.Link) { c.Listing.Campaign = 99 }, fault.Invalid, "campaign", fault.Unknown)
	refuse(admin, func(c *link.Link) { c.Listing.AppGroup = 4901 }, fault.Invalid, "campaign", fault.Unknown) // the campaign is not that group's
	refuse(admin, func(c *link.Link) { c.Listing.AppGroup = 4900 }, fault.NotFound, "app_group", fault.Unknown)
	refuse("acme-agency-token", func(c *link.Link) { c.Listing.AppGroup = 4901 }, fault.NotFound, "app_group", fault.Unknown)
	refuse(admin, func(c *link.Link) { c.Listing = nil }, fault.Invalid, "listing", fault.Missing)
	refuse(admin, func(c *link.Link) { c.Data = json.RawMessage(`[]`) }, fault.Invalid, "data", fault.Malformed)
	if _, err := f.ChangeListed(t.Context(), f.admin(), link.SmartLinks, l.ID, func(*link.Link) error { return mine }); err != mine {
		t.Errorf("got %v", err)
	}
	if after := f.listed(l.ID); *after.Listing != listing || f.changed != nil {
		t.Errorf("a refused change left a trace: %+v, announced %v", *after.Listing, f.changed)
	}

	// With another campaign it may move to another group.
	moved, err := f.ChangeListed(t.Context(), f.admin(), link.SmartLinks, l.ID, func(c *link.Link) error {
		c.Listing.AppGroup, c.Listing.Campaign, c.Listing.CampaignName = 4901, 0, ""
		return nil
	})
	if err != nil || moved.Listing.AppGroup != 4901 || moved.Listing.Campaign != 0 {
		t.Errorf("moved: %+v, %v", moved, err)
	}
}

// A link whose campaign was deleted since can still be changed.
func TestChangeListedKeepsDeletedCampaign(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	n := listedIn(4833, "one")
	n.Listing.CampaignName = "Summer"
	l := f.list(n)
	gone := true
	if _, err := f.ChangeCampaign(t.Context(), f.admin(), 4833, l.Listing.Campaign, manage.CampaignChange{Deleted: &gone}); err != nil {
		t.Fatal(err)
	}
	got, err := f.ChangeListed(t.Context(), f.admin(), link.SmartLinks, l.ID, func(c *link.Link) error {
		c.Listing.Name, c.Listing.CampaignName = "uno", "Winter" // with an id a name says nothing
		return nil
	})
	if err != nil || got.Listing.Campaign != l.Listing.Campaign || got.Listing.CampaignName != "Summer" || got.Listing.Name != "uno" {
		t.Errorf("got %+v, %v", got.Listing, err)
	}
}

func TestChangesOfListedLinksTakeTurns(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	l := f.list(listedIn(4833, "one"))
	var inside crossing
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			_, err := f.ChangeListed(context.Background(), f.admin(), link.SmartLinks, l.ID, func(c *link.Link) error {
				c.Listing.Name += "+"
				inside.pass()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if got := f.listed(l.ID).Listing.Name; got != "one++++++++++++++++" || inside.met.Load() > 0 {
		t.Errorf("changes were lost: %s; %d met another", got, inside.met.Load())
	}
}

func TestArchiveLink(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	l := f.list(listedIn(4833, "one"))
	f.changed = nil
	f.pass(time.Hour)
	if err := f.ArchiveLink(t.Context(), f.actor("acme-agency-token"), link.SmartLinks, l.ID); err != nil {
		t.Fatal(err)
	}
	f.pass(time.Hour)
	if err := f.ArchiveLink(t.Context(), f.admin(), link.SmartLinks, l.ID); err != nil {
		t.Errorf("a second time: %v", err)
	}
	got, err := f.ListedLink(t.Context(), f.actor("acme-read-token"), link.SmartLinks, l.ID)
	if err != nil || !got.Archived() || !got.UpdatedAt.Equal(start.Add(time.Hour)) || string(got.Data) != string(l.Data) {
		t.Errorf("archived: %+v, %v", got, err)
	}
	if len(f.changed) != 1 || f.changed[0] != l.Path {
		t.Errorf("announced %v, want it once", f.changed)
	}
	_, err = f.ChangeListed(t.Context(), f.admin(), link.SmartLinks, l.ID, func(*link.Link) error { return nil })
	refused(t, err, fault.Conflict, "", fault.Archived)
	if _, err := f.store.ReadLink(t.Context(), l.Path); err != nil {
		t.Errorf("it no longer sends people on: %v", err)
	}
}

func TestRemoveLink(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	l := f.list(listedIn(4833, "one"))
	f.changed = nil
	if err := f.RemoveLink(t.Context(), f.actor("acme-agency-token"), link.SmartLinks, l.ID); err != nil {
		t.Fatal(err)
	}
	if len(f.changed) != 1 || f.changed[0] != l.Path {
		t.Errorf("announced %v", f.changed)
	}
	_, err := f.store.ReadLink(t.Context(), l.Path)
	refused(t, err, fault.NotFound, "", "")
	refused(t, f.RemoveLink(t.Context(), f.admin(), link.SmartLinks, l.ID), fault.NotFound, "id", fault.Unknown)
}

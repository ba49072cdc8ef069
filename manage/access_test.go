package manage_test

import (
	"slices"
	"testing"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

// newLimited has a group of acme that the tokens limited to its first do not see.
func newLimited(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.solo()
	return f
}

// solo makes the group of acme's other two apps.
func (f *fixture) solo() *link.Group {
	f.t.Helper()
	g, err := f.CreateGroup(f.t.Context(), f.admin(), manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{30001, 30002}})
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}

func TestAccountsAndGroups(t *testing.T) {
	t.Parallel()
	f := newLimited(t)
	check := func(a manage.Actor, accounts []link.AccountID, groups []link.AppGroupID) {
		t.Helper()
		var gotAccounts []link.AccountID
		for _, account := range f.Accounts(a) {
			gotAccounts = append(gotAccounts, account.ID)
		}
		var gotGroups []link.AppGroupID
		for _, g := range f.Groups(a) {
			gotGroups = append(gotGroups, g.ID)
		}
		if !slices.Equal(gotAccounts, accounts) || !slices.Equal(gotGroups, groups) {
			t.Errorf("sees accounts %v and groups %v, want %v and %v", gotAccounts, gotGroups, accounts, groups)
		}
	}
	check(f.actor("acme-admin-token"), []link.AccountID{5899}, []link.AppGroupID{4833, 4901})
	check(f.actor("acme-read-token"), []link.AccountID{5899}, []link.AppGroupID{4833, 4901})
	check(f.actor("acme-agency-token"), []link.AccountID{5899}, []link.AppGroupID{4833})
	check(f.actor("rival-admin-token"), []link.AccountID{6001}, []link.AppGroupID{4900})
	check(f.actor("bigshop-token"), []link.AccountID{5899, 6001}, []link.AppGroupID{4833, 4900})
	check(manage.Actor{}, nil, nil)
	check(manage.Actor{Token: &link.Token{Grants: []link.Grant{{Account: 5899, Role: "owner"}, {Account: 1, Role: link.Admin}}}}, nil, nil)
}

func TestApps(t *testing.T) {
	t.Parallel()
	f := newLimited(t)
	check := func(a manage.Actor, want ...link.AppID) {
		t.Helper()
		var got []link.AppID
		for _, app := range f.Apps(a) {
			got = append(got, app.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("sees apps %v, want %v", got, want)
		}
	}
	check(f.actor("acme-read-token"), 24171, 26538, 30001, 30002, 38581)
	check(f.actor("acme-agency-token"), 24171, 26538, 38581)
	check(f.actor("rival-admin-token"), 40001, 40002)
	check(f.actor("bigshop-token"), 24171, 26538, 38581, 40001, 40002)
	check(manage.Actor{})
	check(manage.Actor{Token: &link.Token{Grants: []link.Grant{{Account: 5899, Role: "owner"}, {Account: 1, Role: link.Admin}}}})
	if err := f.ArchiveGroup(t.Context(), f.admin(), 4833); err != nil {
		t.Fatal(err)
	}
	check(f.actor("acme-agency-token"))
	check(f.actor("acme-read-token"), 24171, 26538, 30001, 30002, 38581)
}

func TestWholeAccount(t *testing.T) {
	t.Parallel()
	f := newLimited(t)
	check := func(want fault.Kind, reason fault.Reason, secret string, account link.AccountID, needs link.Role) {
		t.Helper()
		err := f.WholeAccount(f.actor(secret), account, needs)
		if got := fault.As(err); err == nil || got.Kind != want || got.Reason != reason {
			t.Errorf("%s needs %s in %d: %v, want %v %s", secret, needs, account, err, want, reason)
		}
	}
	for _, secret := range []string{"acme-admin-token", "acme-read-token"} {
		if err := f.WholeAccount(f.actor(secret), 5899, link.Read); err != nil {
			t.Errorf("%s: %v", secret, err)
		}
	}
	check(fault.Forbidden, fault.ReadOnly, "acme-read-token", 5899, link.Write)
	check(fault.Forbidden, fault.NotAllowed, "acme-agency-token", 5899, link.Read)
	check(fault.Forbidden, fault.NotAllowed, "acme-agency-token", 5899, link.Write)
	check(fault.Forbidden, fault.ReadOnly, "bigshop-token", 6001, link.Write)
	check(fault.NotFound, fault.Unknown, "rival-admin-token", 5899, link.Read)
	check(fault.NotFound, fault.Unknown, "acme-admin-token", 1, link.Read)
}

func TestGroupPermission(t *testing.T) {
	t.Parallel()
	f := newLimited(t)
	tests := []struct {
		secret string
		group  link.AppGroupID
		needs  link.Role
		kind   fault.Kind // Internal: allowed
	}{
		{"acme-admin-token", 4833, link.Admin, 0},
		{"acme-admin-token", 4901, link.Write, 0},
		{"acme-read-token", 4901, link.Read, 0},
		{"acme-read-token", 4833, link.Write, fault.Forbidden},
		{"acme-agency-token", 4833, link.Write, 0},
		{"acme-agency-token", 4833, link.Admin, fault.Forbidden},
		{"acme-agency-token", 4901, link.Read, fault.NotFound},
		{"acme-agency-token", 4901, link.Write, fault.NotFound},
		{"rival-admin-token", 4833, link.Read, fault.NotFound},
		{"acme-admin-token", 4900, link.Read, fault.NotFound},
		{"acme-admin-token", 1, link.Read, fault.NotFound},
		{"acme-admin-token", 0, link.Read, fault.NotFound},
		{"bigshop-token", 4833, link.Write, 0},
		{"bigshop-token", 4901, link.Read, fault.NotFound},
		{"bigshop-token", 4900, link.Read, 0},
		{"bigshop-token", 4900, link.Write, fault.Forbidden},
	}
	for _, tt := range tests {
		g, err := f.Group(f.actor(tt.secret), tt.group, tt.needs)
		switch tt.kind {
		case 0:
			if err != nil || g.ID != tt.group {
				t.Errorf("%+v: got %v, %v", tt, g, err)
			}
		case fault.NotFound:
			refused(t, err, tt.kind, "app_group", fault.Unknown)
		default:
			refused(t, err, tt.kind, "", fault.ReadOnly)
		}
	}
	_, foreign := f.Group(f.admin(), 4900, link.Read)
	_, none := f.Group(f.admin(), 1, link.Read)
	if foreign.Error() != none.Error() {
		t.Errorf("%q differs from %q", foreign, none)
	}
}

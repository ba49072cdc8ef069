package manifest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"waypost/link"
	"waypost/manage/manifest"
)

// byAPI is what a store holds after acme.yaml and some calls of the API: the
// group acme was archived and its iOS app is in one that has no key; two more
// such are of another account.
func byAPI(t *testing.T) link.Catalog {
	t.Helper()
	c := stored(t)
	made := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	for i := range c.AppGroups {
		c.AppGroups[i].CreatedAt, c.AppGroups[i].UpdatedAt = made, made.Add(time.Hour)
		c.AppGroups[i].Archived = c.AppGroups[i].Key == "acme"
	}
	c.AppGroups = append(c.AppGroups,
		link.AppGroup{ID: 5000, Account: 5899, Name: "Made", Apps: []link.AppID{24171}, CreatedAt: made, UpdatedAt: made},
		link.AppGroup{ID: 5001, Account: 6001, Name: "Old", Archived: true, Apps: []link.AppID{40001}, CreatedAt: made, UpdatedAt: made},
		link.AppGroup{ID: 5002, Account: 6001, Name: "Old", Archived: true, Apps: []link.AppID{40001}, CreatedAt: made, UpdatedAt: made},
	)
	return c
}

// A file that is applied again does not bring back what is gone for ever, nor
// lose what it cannot name.
func TestResolveLeavesGroupsOfTheAPIAlone(t *testing.T) {
	t.Parallel()
	c := byAPI(t)
	plan, err := manifest.Resolve(parsed(t, acme(t)), c)
	if err != nil || !plan.Empty() {
		t.Fatalf("%s, %v", actions(plan), err)
	}
	if len(plan.Merged.AppGroups) != 5 {
		t.Errorf("%d groups are left of 5: %+v", len(plan.Merged.AppGroups), plan.Merged.AppGroups)
	}
	// Nor does a file that says something else of the archived one.
	plan, err = manifest.Resolve(parsed(t, under("onelink_account_id: ACC1\napp_groups: [{key: acme, name: Another, apps: [acme-ios, nope]}]")), c)
	if err != nil || len(plan.Changed.AppGroups) != 0 {
		t.Errorf("%s, %v", actions(plan), err)
	}
}

func TestResolveTakesAppsOfArchivedGroups(t *testing.T) {
	t.Parallel()
	f := func(apps, want string) {
		t.Helper()
		src := under("app_groups: [{key: again, name: Acme Group, apps: [" + apps + "]}]")
		plan, err := manifest.Resolve(parsed(t, src), byAPI(t))
		if want == "" {
			if err != nil || len(plan.Changed.AppGroups) != 1 || plan.Changed.AppGroups[0].ID != 5003 {
				t.Errorf("%s: %+v, %v", apps, plan.Changed.AppGroups, err)
			}
			return
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v\nwant %s", apps, err, want)
		}
	}
	f("acme-android, acme-web", "")
	f("acme-ios", `f.yaml:4: accounts[0].app_groups[0].apps[0]: "acme-ios" is in the group "Made"; an app is in one group only, until that is archived`)
}

// A file that calls a group of the API by its id gives it a key, and with that
// what only files can give it.
func TestResolveAdoptsGroupsOfTheAPI(t *testing.T) {
	t.Parallel()
	group := func(key, id, name string) string {
		return under("onelink_account_id: ACC1\napp_groups: [{key: " + key + ", id: " + id + ", name: " + name + ", apps: [acme-ios, solo-android]}]\n" +
			"domains: [{host: made.test, app_group: " + key + ", default: true}]")
	}
	src := group("made", "5000", "Made")
	plan, err := manifest.Resolve(parsed(t, src), byAPI(t))
	if err != nil {
		t.Fatal(err)
	}
	changed := plan.Changed.AppGroups
	if len(changed) != 1 || changed[0].ID != 5000 || changed[0].Key != "made" || !slices.Equal(changed[0].Apps, []link.AppID{24171, 30002}) ||
		changed[0].CreatedAt.IsZero() || len(plan.Changed.Domains) != 1 || plan.Changed.Domains[0].AppGroup != 5000 || len(plan.Merged.AppGroups) != 5 {
		t.Errorf("%s: groups %+v of %d, domains %+v", actions(plan), changed, len(plan.Merged.AppGroups), plan.Changed.Domains)
	}
	again, err := manifest.Resolve(parsed(t, src), plan.Merged)
	if err != nil || !again.Empty() {
		t.Errorf("a second time: %s, %v", actions(again), err)
	}
	// Not another account's, not an archived one, and no group takes another's id.
	for _, src := range []string{group("made", "4900", "Made"), group("made", "5001", "Made"), group("acme", "5000", "Made")} {
		if plan, err := manifest.Resolve(parsed(t, src), byAPI(t)); err == nil {
			t.Errorf("%s\nis taken: %s", src, actions(plan))
		}
	}
}

// Apps that the API has added stay, in their place; those of the file follow.
func TestResolveKeepsAppsThatWereAdded(t *testing.T) {
	t.Parallel()
	f := func(apps string, want ...link.AppID) {
		t.Helper()
		plan, err := manifest.Resolve(parsed(t, under("onelink_account_id: ACC1\napp_groups: [{key: acme, name: Acme Group, apps: ["+apps+"]}]")), stored(t))
		if err != nil {
			t.Errorf("%s: %v", apps, err)
			return
		}
		at := slices.IndexFunc(plan.Merged.AppGroups, func(g link.AppGroup) bool { return g.Key == "acme" })
		if got := plan.Merged.AppGroups[at].Apps; !slices.Equal(got, want) {
			t.Errorf("%s: apps %v, want %v", apps, got, want)
		}
		if changed := len(plan.Changed.AppGroups) == 1; changed != (len(want) > 3) {
			t.Errorf("%s: to write %+v", apps, plan.Changed.AppGroups)
		}
	}
	f("acme-android, acme-ios, acme-web", 24171, 26538, 38581)
	f("acme-web", 24171, 26538, 38581)
	src := "apps: [{key: tv, id: 7, name: TV, platform: roku}]\n"
	plan, err := manifest.Resolve(parsed(t, under(src+"app_groups: [{key: acme, name: Acme Group, apps: [tv, acme-ios]}]")), stored(t))
	if err != nil || fmt.Sprint(plan.Changed.AppGroups[0].Apps) != "[24171 26538 38581 7]" {
		t.Errorf("%+v, %v", plan.Changed.AppGroups, err)
	}
}

func TestResolveSharedDomains(t *testing.T) {
	t.Parallel()
	src := "shared_domains: [{host: Smart.test}, {host: go.test, base_url: \"http://go.test:8080/\"}]\n" +
		under("onelink_account_id: ACC1\nshared_domain: SMART.test")
	plan, err := manifest.Resolve(parsed(t, src), stored(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := actions(plan), "shared domain smart.test created, shared domain go.test created, account acme changed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := []link.SharedDomain{{Host: "smart.test", BaseURL: "https://smart.test"}, {Host: "go.test", BaseURL: "http://go.test:8080"}}
	if !slices.Equal(plan.Changed.Shared, want) || plan.Changed.Accounts[0].SharedDomain != "smart.test" {
		t.Errorf("to write %+v and %q", plan.Changed.Shared, plan.Changed.Accounts[0].SharedDomain)
	}
	again, err := manifest.Resolve(parsed(t, src), plan.Merged)
	if err != nil || !again.Empty() {
		t.Errorf("a second time: %s, %v", actions(again), err)
	}
	// The account's part may come in another file; an empty host takes it off.
	for src, host := range map[string]string{under("shared_domain: go.test"): "go.test", under("shared_domain: \"\""): ""} {
		moved, err := manifest.Resolve(parsed(t, src), plan.Merged)
		if err != nil || moved.Changed.Accounts[0].SharedDomain != host {
			t.Errorf("%+v, %v", moved.Changed.Accounts, err)
		}
	}
	_, err = manifest.Resolve(parsed(t, under("domains: [{host: smart.test, app_group: acme}]")), plan.Merged)
	if err == nil || err.Error() != "f.yaml:4: accounts[0].domains[0].host: is a shared domain; a host serves the links of one account or is shared, not both" {
		t.Errorf("got %v", err)
	}
	_, err = manifest.Parse("f.yaml", []byte("shared_domains: [{host: a.test}]\n"+under("domains: [{host: A.test, app_group: g}]")))
	if err == nil || err.Error() != "f.yaml:5: accounts[0].domains[0].host: is the same as shared_domains[0].host on line 1; it must be unique" {
		t.Errorf("got %v", err)
	}
}

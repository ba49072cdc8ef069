package manage_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/manifest"
)

func TestCreateGroup(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.reloaded = 0
	g, err := f.CreateGroup(t.Context(), f.actor("acme-admin-token"), manage.NewGroup{Account: 5899, Name: "  Solo ", Apps: []link.AppID{30002, 30001}})
	if err != nil {
		t.Fatal(err)
	}
	if g.ID != 4901 || g.Key != "" || g.Account != 5899 || g.Name != "Solo" || !slices.Equal(g.AppGroup.Apps, []link.AppID{30002, 30001}) ||
		g.Archived || !g.CreatedAt.Equal(start) || !g.UpdatedAt.Equal(start) || len(g.Apps) != 2 || g.Apps[0].ID != 30002 {
		t.Errorf("made %+v", g)
	}
	if f.Directory().Group(4901) != g || f.reloaded != 1 {
		t.Errorf("it is not in force, or was told %d times", f.reloaded)
	}
	c, err := f.store.LoadCatalog(t.Context())
	if err != nil || len(c.AppGroups) != 3 || c.AppGroups[2].ID != 4901 {
		t.Errorf("stored are %+v, %v", c.AppGroups, err)
	}
}

func TestCreateGroupRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	apps := []link.AppID{30001}
	check := func(secret string, n manage.NewGroup, kind fault.Kind, field string, reason fault.Reason) {
		t.Helper()
		before := f.Directory()
		_, err := f.CreateGroup(t.Context(), f.actor(secret), n)
		refused(t, err, kind, field, reason)
		if f.Directory() != before {
			t.Error("a refused group left a trace")
		}
	}
	const admin = "acme-admin-token"
	check("acme-read-token", manage.NewGroup{Account: 5899, Name: "Solo", Apps: apps}, fault.Forbidden, "", fault.ReadOnly)
	check("acme-agency-token", manage.NewGroup{Account: 5899, Name: "Solo", Apps: apps}, fault.Forbidden, "", fault.NotAllowed)
	check("bigshop-token", manage.NewGroup{Account: 5899, Name: "Solo", Apps: apps}, fault.Forbidden, "", fault.NotAllowed)
	check("bigshop-token", manage.NewGroup{Account: 6001, Name: "Solo", Apps: apps}, fault.Forbidden, "", fault.ReadOnly)
	check("rival-admin-token", manage.NewGroup{Account: 5899, Name: "Solo", Apps: apps}, fault.Invalid, "account", fault.Unknown)
	check(admin, manage.NewGroup{Name: "Solo", Apps: apps}, fault.Invalid, "account", fault.Unknown)
	check(admin, manage.NewGroup{Account: 5899, Name: " \t ", Apps: apps}, fault.Invalid, "name", fault.Missing)
	check(admin, manage.NewGroup{Account: 5899, Name: strings.Repeat("ä", 256), Apps: apps}, fault.Invalid, "name", fault.TooLong)
	check(admin, manage.NewGroup{Account: 5899, Name: "a\xff", Apps: apps}, fault.Invalid, "name", fault.Malformed)
	check(admin, manage.NewGroup{Account: 5899, Name: "ACME group ", Apps: apps}, fault.Conflict, "name", fault.Taken)
	check(admin, manage.NewGroup{Account: 5899, Name: "Solo"}, fault.Invalid, "apps", fault.Missing)
	check(admin, manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{30001, 99}}, fault.Invalid, "apps", fault.Unknown)
	check(admin, manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{40001}}, fault.Invalid, "apps", fault.Unknown)
	check(admin, manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{30001, 30001}}, fault.Invalid, "apps", fault.Malformed)
	check(admin, manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{30001, 24171}}, fault.Invalid, "apps", fault.NotAllowed)
	check(admin, manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{24171}}, fault.Conflict, "apps", fault.Taken)

	// What is another account's is no matter, and 255 characters are enough.
	for _, name := range []string{"Rival Group", strings.Repeat("ä", 255)} {
		g, err := f.CreateGroup(t.Context(), f.admin(), manage.NewGroup{Account: 5899, Name: name, Apps: apps})
		if err != nil || g.Name != name {
			t.Fatalf("%q: %v", name, err)
		}
		if err := f.ArchiveGroup(t.Context(), f.admin(), g.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChangeGroup(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	name, taken := " Acme 2 ", "acme GROUP"
	f.pass(time.Hour)
	g, err := f.ChangeGroup(t.Context(), f.actor("acme-agency-token"), 4833, manage.GroupChange{Name: &name})
	if err != nil || g.Name != "Acme 2" || len(g.Apps) != 3 || g.Key != "acme" || !g.CreatedAt.Equal(start) || !g.UpdatedAt.Equal(start.Add(time.Hour)) {
		t.Errorf("renamed: %+v, %v", g, err)
	}
	if _, err := f.ChangeGroup(t.Context(), f.admin(), 4833, manage.GroupChange{Name: &taken}); err != nil {
		t.Errorf("its old name is free: %v", err)
	}
	if _, err := f.ChangeGroup(t.Context(), f.admin(), 4833, manage.GroupChange{Name: &taken}); err != nil {
		t.Errorf("its own name is its own: %v", err)
	}
	solo, err := f.CreateGroup(t.Context(), f.admin(), manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{30002}})
	if err != nil {
		t.Fatal(err)
	}
	// New apps come behind, those that it has keep their order, whatever the list's.
	grown, err := f.ChangeGroup(t.Context(), f.admin(), solo.ID, manage.GroupChange{Apps: []link.AppID{30001, 30002}})
	if err != nil || !slices.Equal(grown.AppGroup.Apps, []link.AppID{30002, 30001}) || grown.Name != "Solo" {
		t.Errorf("grown: %+v, %v", grown, err)
	}

	check := func(secret string, id link.AppGroupID, c manage.GroupChange, kind fault.Kind, field string, reason fault.Reason) {
		t.Helper()
		_, err := f.ChangeGroup(t.Context(), f.actor(secret), id, c)
		refused(t, err, kind, field, reason)
	}
	const admin = "acme-admin-token"
	rename := manage.GroupChange{Name: &name}
	check("acme-read-token", 4833, rename, fault.Forbidden, "", fault.ReadOnly)
	check("acme-agency-token", solo.ID, rename, fault.NotFound, "app_group", fault.Unknown)
	check("rival-admin-token", 4833, rename, fault.NotFound, "app_group", fault.Unknown)
	check("bigshop-token", 4900, rename, fault.Forbidden, "", fault.ReadOnly)
	check(admin, 77, rename, fault.NotFound, "app_group", fault.Unknown)
	check(admin, solo.ID, manage.GroupChange{Name: &taken}, fault.Conflict, "name", fault.Taken)
	empty := ""
	check(admin, solo.ID, manage.GroupChange{Name: &empty}, fault.Invalid, "name", fault.Missing)
	check(admin, solo.ID, manage.GroupChange{Apps: []link.AppID{30001}}, fault.Invalid, "apps", fault.Missing)
	check(admin, solo.ID, manage.GroupChange{Apps: []link.AppID{}}, fault.Invalid, "apps", fault.Missing)
	check(admin, solo.ID, manage.GroupChange{Apps: []link.AppID{30001, 30002, 38581}}, fault.Conflict, "apps", fault.Taken)
	check(admin, solo.ID, manage.GroupChange{Apps: []link.AppID{30001, 30002, 24171}}, fault.Invalid, "apps", fault.NotAllowed)
	check(admin, solo.ID, manage.GroupChange{Apps: []link.AppID{30001, 30002, 40001}}, fault.Invalid, "apps", fault.Unknown)
	check(admin, solo.ID, manage.GroupChange{Apps: []link.AppID{30001, 30002, 30001}}, fault.Invalid, "apps", fault.Malformed)
	if got := f.Directory().Group(solo.ID); got.Name != "Solo" || len(got.Apps) != 2 {
		t.Errorf("a refused change left a trace: %+v", got)
	}
}

func TestArchiveGroup(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	solo := f.solo()
	l := f.list(listedIn(solo.ID, "one"))
	refused(t, f.ArchiveGroup(t.Context(), f.actor("acme-read-token"), solo.ID), fault.Forbidden, "", fault.ReadOnly)
	refused(t, f.ArchiveGroup(t.Context(), f.actor("acme-agency-token"), solo.ID), fault.NotFound, "app_group", fault.Unknown)
	refused(t, f.ArchiveGroup(t.Context(), f.admin(), solo.ID), fault.Conflict, "", fault.InUse)
	if err := f.ArchiveLink(t.Context(), f.admin(), link.SmartLinks, l.ID); err != nil {
		t.Fatal(err)
	}
	f.pass(time.Hour)
	if err := f.ArchiveGroup(t.Context(), f.admin(), solo.ID); err != nil {
		t.Fatal(err)
	}
	gone := f.Directory().Group(solo.ID)
	if !gone.Archived || len(gone.Apps) != 2 || !gone.UpdatedAt.Equal(start.Add(time.Hour)) {
		t.Errorf("archived: %+v", gone)
	}
	f.pass(time.Hour)
	if err := f.ArchiveGroup(t.Context(), f.admin(), solo.ID); err != nil || f.Directory().Group(solo.ID) != gone {
		t.Errorf("a second time: %v", err)
	}
	if groups := f.Groups(f.admin()); len(groups) != 2 || !groups[1].Archived {
		t.Errorf("seen are %+v", groups)
	}

	// It takes nothing any more, and its name, apps and links are free.
	name := "Again"
	_, err := f.ChangeGroup(t.Context(), f.admin(), solo.ID, manage.GroupChange{Name: &name})
	refused(t, err, fault.Conflict, "", fault.Archived)
	_, _, err = f.CreateLink(t.Context(), f.admin(), listedIn(solo.ID, "two"))
	refused(t, err, fault.Conflict, "", fault.Archived)
	_, err = f.CreateCampaign(t.Context(), f.admin(), solo.ID, "Summer")
	refused(t, err, fault.Conflict, "", fault.Archived)
	again := f.solo()
	if again.ID != solo.ID+1 || again.Apps[0].ID != 30001 {
		t.Errorf("made again: %+v", again)
	}
	if err := f.ArchiveGroup(t.Context(), f.admin(), again.ID); err != nil {
		t.Error(err)
	}
	if third := f.solo(); third.ID != again.ID+1 {
		t.Errorf("an id is given again: %d", third.ID)
	}
}

// Applying the file again must neither bring back a group that is archived nor
// fail because of what the API has done to groups.
func TestApplyAfterGroupsWereChanged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.solo()
	if err := f.ArchiveGroup(t.Context(), f.admin(), 4833); err != nil {
		t.Fatal(err)
	}
	moved, err := f.CreateGroup(t.Context(), f.admin(), manage.NewGroup{Account: 5899, Name: "Acme Group", Apps: []link.AppID{24171}})
	if err != nil {
		t.Fatal(err)
	}
	f.pass(time.Hour)
	before := f.Directory()
	applied, err := f.Apply(t.Context(), acme(t))
	if err != nil || applied.Count(manifest.Unchanged) != len(applied.Things) {
		t.Errorf("%+v, %v", applied, err)
	}
	f.apply("name: Rival Group", "name: Rivals")
	after := f.Directory()
	if g := after.Group(4833); !g.Archived || g.Name != "Acme Group" || len(g.Apps) != 3 {
		t.Errorf("the archived group: %+v", g)
	}
	for _, g := range before.Catalog.AppGroups {
		got := after.Group(g.ID)
		if got == nil {
			t.Errorf("group %d is gone", g.ID)
			continue
		}
		if want := g.UpdatedAt; g.ID != 4900 && !got.UpdatedAt.Equal(want) || !got.CreatedAt.Equal(g.CreatedAt) {
			t.Errorf("group %d was changed at %v, want %v", g.ID, got.UpdatedAt, want)
		}
	}
	if g := after.Group(4900); g.Name != "Rivals" || !g.UpdatedAt.Equal(start.Add(time.Hour)) || !g.CreatedAt.Equal(start) {
		t.Errorf("the renamed group: %+v", g)
	}
	if after.Group(moved.ID).Key != "" || after.Template("A1b3").Group.ID != 4833 {
		t.Error("the new group took the place of the archived one")
	}
	// The template of the archived group goes on taking links.
	f.create(wish("promo"))
}

// A group that was stored and could not be put in force is in force with the
// next call, not with the next restart.
func TestGroupIsInForceInTheEnd(t *testing.T) {
	t.Parallel()
	f, l := watched(t)
	l.broken = errors.New("disk")
	solo := manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{30001}}
	if _, err := f.CreateGroup(t.Context(), f.admin(), solo); !errors.Is(err, l.broken) {
		t.Errorf("got %v", err)
	}
	l.broken = nil
	_, err := f.CreateGroup(t.Context(), f.admin(), solo)
	refused(t, err, fault.Conflict, "name", fault.Taken)
	if f.Directory().Group(4901) == nil {
		t.Error("the group is not in force")
	}
	l.fail = errors.New("full")
	solo.Name, solo.Apps = "Other", []link.AppID{30002}
	if _, err := f.CreateGroup(t.Context(), f.admin(), solo); !errors.Is(err, l.fail) || f.Directory().Group(4902) != nil {
		t.Errorf("got %v", err)
	}
}

func TestGroupsAreMadeOneAfterTheOther(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var callers sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		callers.Go(func() {
			_, errs[i] = f.CreateGroup(context.Background(), f.admin(), manage.NewGroup{Account: 5899, Name: "Solo", Apps: []link.AppID{30001}})
		})
	}
	callers.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		refused(t, err, fault.Conflict, "name", fault.Taken)
	}
	if made != 1 || len(f.Directory().Catalog.AppGroups) != 3 {
		t.Errorf("%d were made, %+v", made, f.Directory().Catalog.AppGroups)
	}
}

// No link is in an archived group, whoever came first.
func TestNoLinkComesIntoAnArchivedGroup(t *testing.T) {
	t.Parallel()
	f := newHosted(t)
	for round := range 20 {
		solo := f.solo()
		var callers sync.WaitGroup
		var made, archived error
		callers.Go(func() { _, _, made = f.CreateLink(context.Background(), f.admin(), listedIn(solo.ID, "one")) })
		callers.Go(func() { archived = f.ArchiveGroup(context.Background(), f.admin(), solo.ID) })
		callers.Wait()
		if (made == nil) == (archived == nil) {
			t.Fatalf("round %d: making said %v, archiving %v", round, made, archived)
		}
		if made != nil {
			refused(t, made, fault.Conflict, "", fault.Archived)
			continue
		}
		refused(t, archived, fault.Conflict, "", fault.InUse)
		links, err := f.ListedLinks(t.Context(), f.admin(), link.Filter{Groups: []link.AppGroupID{solo.ID}})
		if err != nil || len(links) != 1 {
			t.Fatalf("%v, %v", links, err)
		}
		if err := errors.Join(f.RemoveLink(t.Context(), f.admin(), link.SmartLinks, links[0].ID), f.ArchiveGroup(t.Context(), f.admin(), solo.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

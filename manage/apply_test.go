package manage_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/manifest"
	"waypost/manage/memorystore"
)

// ledgerOfSaves counts the writes of a configuration and fails them on demand.
type ledgerOfSaves struct {
	manage.Store
	saves int
	fail  error

	broken error  // of loads after the second save
	saved  func() // called after each save; may be nil
}

func (l *ledgerOfSaves) SaveCatalog(ctx context.Context, c link.Catalog) error {
	if l.fail != nil {
		return l.fail
	}
	l.saves++
	err := l.Store.SaveCatalog(ctx, c)
	if l.saved != nil {
		l.saved()
	}
	return err
}

// LoadCatalog fails like a store that stops to answer after a write.
func (l *ledgerOfSaves) LoadCatalog(ctx context.Context) (link.Catalog, error) {
	if l.broken != nil && l.saves > 1 {
		return link.Catalog{}, l.broken
	}
	if err := ctx.Err(); err != nil {
		return link.Catalog{}, err
	}
	return l.Store.LoadCatalog(ctx)
}

func watched(t *testing.T) (*fixture, *ledgerOfSaves) {
	t.Helper()
	var l *ledgerOfSaves
	f := newFixtureOver(t, memorystore.New(), func(s manage.Store) manage.Store {
		l = &ledgerOfSaves{Store: s}
		return l
	})
	return f, l
}

func TestApplyIsOneWriteOrNone(t *testing.T) {
	t.Parallel()
	f, l := watched(t)
	if l.saves != 1 {
		t.Errorf("the first apply wrote %d times, want once", l.saves)
	}
	l.fail = errors.New("nothing was to be written")
	if _, err := f.Apply(t.Context(), acme(t)); err != nil {
		t.Error(err)
	}
}

func TestApplySaysWhatItDid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	got, err := f.Apply(t.Context(), parsed(t, "solo.yaml", soloYAML))
	want := []manifest.Thing{
		{Kind: "account", Key: "acme", Action: manifest.Unchanged}, // what the file does not say of it is left alone
		{Kind: "app group", Owner: "acme", Key: "solo", Action: manifest.Created},
		{Kind: "domain", Owner: "acme", Key: "solo.localhost", Action: manifest.Created},
		{Kind: "template", Owner: "acme", Key: "Solo", Action: manifest.Created},
	}
	if err != nil || !reflect.DeepEqual(got.Things, want) {
		t.Errorf("got %+v, %v", got.Things, err)
	}
	if f.Directory().Template("Solo").Group.ID != 4901 {
		t.Errorf("the new group is %+v", f.Directory().Template("Solo").Group)
	}
}

func TestApplyRefusesWholly(t *testing.T) {
	t.Parallel()
	f, l := watched(t)
	before := f.Directory()
	_, err := f.Apply(t.Context(), parsed(t, "bad.yaml", `
accounts:
  - {key: new, name: New}
  - {key: acme, name: Acme Inc, templates: [{id: Rv41, name: T, app_group: acme, domain: acme.localhost}]}
`))
	if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "bad.yaml:4: accounts[1].templates[0].id: belongs to another account") {
		t.Errorf("got %v", err)
	}
	l.fail = errors.New("disk")
	_, err = f.Apply(t.Context(), parsed(t, "solo.yaml", soloYAML))
	if !errors.Is(err, l.fail) || fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	if f.Directory() != before || l.saves != 1 {
		t.Error("a refused file left a trace")
	}
}

// A token that loses its role loses it with the apply, not with a restart.
func TestApplyIsInForceAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.Apply(t.Context(), parsed(t, "less.yaml", `
accounts:
  - key: acme
    name: Acme Inc
    tokens: [{name: backend, secret: another-admin-token, role: read}]
`)); err != nil {
		t.Fatal(err)
	}
	_, err := f.Authenticate("acme-admin-token")
	refused(t, err, fault.Unauthorized, "", "")
	_, _, err = f.CreateLink(t.Context(), f.actor("another-admin-token"), wish("x"))
	refused(t, err, fault.Forbidden, "", fault.ReadOnly)
	if f.reloaded != 2 {
		t.Errorf("announced %d configurations, want 2", f.reloaded)
	}
}

// A file that was stored and could not be put in force is in force after the
// next apply, although that writes nothing.
func TestApplyAgainPutsInForce(t *testing.T) {
	t.Parallel()
	f, l := watched(t)
	l.broken = errors.New("the disk")
	if _, err := f.Apply(t.Context(), parsed(t, "solo.yaml", soloYAML)); !errors.Is(err, l.broken) || l.saves != 2 {
		t.Fatalf("got %v after %d writes", err, l.saves)
	}
	l.broken = nil
	if got, err := f.Apply(t.Context(), parsed(t, "solo.yaml", soloYAML)); err != nil || got.Count(manifest.Unchanged) != len(got.Things) {
		t.Fatalf("again: %+v, %v", got, err)
	}
	if f.Directory().Template("Solo") == nil {
		t.Error("what is stored is not in force")
	}
}

// Whoever asked for it may leave once it is stored.
func TestApplyOfWhoLeaves(t *testing.T) {
	t.Parallel()
	f, l := watched(t)
	ctx, leave := context.WithCancel(t.Context())
	l.saved = leave
	if _, err := f.Apply(ctx, parsed(t, "solo.yaml", soloYAML)); err != nil || f.Directory().Template("Solo") == nil {
		t.Errorf("stored and not in force: %v", err)
	}
}

// Another process wrote the store.
func TestReload(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other, err := manage.New(t.Context(), manage.Config{Store: f.store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Apply(t.Context(), parsed(t, "solo.yaml", soloYAML)); err != nil {
		t.Fatal(err)
	}
	if f.Directory().Template("Solo") != nil {
		t.Error("in force before it was reloaded")
	}
	if err := f.Reload(t.Context()); err != nil || f.Directory().Template("Solo") == nil || f.reloaded != 2 {
		t.Errorf("reloaded %d times, %v", f.reloaded, err)
	}
	// A configuration that does not resolve leaves the one before in force.
	before := f.Directory()
	if err := f.store.SaveCatalog(t.Context(), link.Catalog{Templates: []link.Template{{ID: "Lost", Account: 5899, Domain: "gone.test"}}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(t.Context()); err == nil || f.Directory() != before {
		t.Errorf("a broken configuration is in force, %v", err)
	}
}

// Run with -race: doors read while files are applied.
func TestRulesWhileApplying(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	second := parsed(t, "solo.yaml", soloYAML)
	first := acme(t)
	var work sync.WaitGroup
	work.Go(func() {
		for range 20 {
			for _, file := range []manifest.File{first, second} {
				if _, err := f.Apply(t.Context(), file); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 4 {
		work.Go(func() {
			for range 500 {
				a, err := f.Authenticate("acme-read-token")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := f.Template(a, "A1b3", link.Read); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
}

// TestApplyAttributionSettings: the example applies, and changes nothing when
// it is applied again, whatever the store has made of zeros and empty lists.
func TestApplyAttributionSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	src, err := os.ReadFile("../examples/attribution.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := manifest.Parse("attribution.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	if applied, err := f.Apply(t.Context(), file); err != nil || applied.Count(manifest.Created) != len(applied.Things) {
		t.Fatalf("%+v, %v", applied, err)
	}
	var android link.App
	for _, a := range f.Directory().Catalog.Apps {
		if a.Key == "atelier-android" {
			android = a
		}
	}
	if rules := android.Attribution.UserRules; len(rules) != 3 || rules[0].Name != "bad-sites" {
		t.Errorf("the directory has the rules %+v", rules)
	}
	again, err := f.Apply(t.Context(), file)
	if err != nil || again.Count(manifest.Unchanged) != len(again.Things) {
		t.Errorf("again: %+v, %v", again, err)
	}
}

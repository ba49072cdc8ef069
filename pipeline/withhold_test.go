package pipeline

import (
	"slices"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/event"
)

// TestWithhold: whom a person wants not to be told stays with the installation,
// as it was said last, and is known when the news is told.
func TestWithhold(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	var heard [][]string
	p.outbox = func(n News) []history.Delivery {
		if n.Installation != nil {
			heard = append(heard, n.Installation.Withhold)
		}
		return nil
	}
	said := func(names ...string) func(*event.Told) {
		return func(t *event.Told) { t.Name, t.Withhold = "login", names }
	}
	want := func(names ...string) {
		t.Helper()
		p.catchUp()
		i, ok, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1")
		p.ok(err)
		if !ok || !slices.Equal(i.Withhold, names) || !slices.Equal(heard[len(heard)-1], names) {
			t.Errorf("kept %q, heard %q, want %q", i.Withhold, heard[len(heard)-1], names)
		}
	}
	at := noon
	tell := func(k event.Kind, change func(*event.Told)) {
		at = at.Add(time.Minute)
		p.told(k, "device-1", at, change)
	}
	tell(event.InAppKind, said("too_early"))
	tell(event.OpenKind, first) // the event came before it and says whom
	want("too_early")
	tell(event.InAppKind, said())
	want("too_early")
	tell(event.InAppKind, said("a_int", "b_int"))
	want("a_int", "b_int")
	tell(event.OpenKind, func(t *event.Told) { t.Withhold = []string{event.WithholdAll} })
	want(event.WithholdAll)
	tell(event.InAppKind, func(t *event.Told) { said("forged")(t); t.Unsigned = true })
	want(event.WithholdAll)
	tell(event.InAppKind, said(event.WithholdNone))
	want(event.WithholdNone)
	tell(event.ConsentKind, func(t *event.Told) { t.Consent, t.Withhold = &event.Consent{}, []string{"c"} })
	tell(event.InAppKind, said())
	want("c")
}

// TestWithholdBeforeTheFirstOpen: any call may say it, and the newest counts.
func TestWithholdBeforeTheFirstOpen(t *testing.T) {
	t.Parallel()
	f := func(name string, want []string, kinds ...event.Kind) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, together := range []bool{true, false} {
				p := newPast(t)
				for i, kind := range kinds {
					p.told(kind, "device-1", noon.Add(time.Duration(i)*time.Minute), func(t *event.Told) {
						t.Name, t.User, t.Withhold = "login", "ada", []string{string(kind)}
					})
					if !together {
						p.catchUp()
					}
				}
				p.told(event.OpenKind, "device-1", noon.Add(time.Hour), first)
				p.catchUp()
				i, ok, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1")
				p.ok(err)
				if !ok || !slices.Equal(i.Withhold, want) {
					t.Errorf("in one step %t: kept %q, want %q", together, i.Withhold, want)
				}
			}
		})
	}
	f("with a consent", []string{"consent"}, event.ConsentKind)
	f("with a name", []string{"identify"}, event.IdentifyKind)
	f("with a name after an event", []string{"identify"}, event.InAppKind, event.IdentifyKind)
	f("with an event after a consent", []string{"event"}, event.ConsentKind, event.InAppKind)
}

// TestWithholdOfANewInstallation: what its first start says comes over what was
// said before it.
func TestWithholdOfANewInstallation(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.told(event.InAppKind, "device-1", noon, func(t *event.Told) { t.Name, t.Withhold = "login", []string{"early"} })
	p.catchUp()
	p.told(event.OpenKind, "device-1", noon.Add(time.Minute), func(t *event.Told) { first(t); t.Withhold = []string{"now"} })
	p.catchUp()
	i, ok, err := p.store.ReadInstallation(t.Context(), androidApp, "device-1")
	p.ok(err)
	if !ok || !slices.Equal(i.Withhold, []string{"now"}) {
		t.Errorf("kept %q", i.Withhold)
	}
}

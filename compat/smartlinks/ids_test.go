package smartlinks_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"waypost/compat/smartlinks"
	"waypost/link"
)

var legacyForm = regexp.MustCompile(`^[0-9a-f]{13}$`)

func TestTrackersAreSequential(t *testing.T) {
	t.Parallel()
	first := smartlinks.TrackerOf(102713, link.CatchAll)
	for tracker := link.CatchAll; tracker <= link.MaxTracker; tracker++ {
		id := smartlinks.TrackerOf(102713, tracker)
		if id != first+smartlinks.TrackerID(tracker-link.CatchAll) {
			t.Errorf("tracker %d has the id %d, the first has %d", tracker, id, first)
		}
		if l, got := id.Split(); l != 102713 || got != tracker {
			t.Errorf("id %d splits into link %d, tracker %d", id, l, got)
		}
	}
	if last := smartlinks.TrackerOf(102713, link.MaxTracker); last >= smartlinks.TrackerOf(102714, link.CatchAll) {
		t.Errorf("the last tracker %d reaches into the next link", last)
	}
}

func TestLegacyIsReversible(t *testing.T) {
	t.Parallel()
	seen := map[string]smartlinks.TrackerID{}
	f := func(id smartlinks.TrackerID) {
		t.Helper()
		text := id.Legacy()
		if !legacyForm.MatchString(text) {
			t.Fatalf("%d is %q", id, text)
		}
		if back, ok := smartlinks.ParseLegacy(text); !ok || back != id {
			t.Fatalf("%d is %q, which reads %d, %v", id, text, back, ok)
		}
		if other, ok := seen[text]; ok && other != id {
			t.Fatalf("%d and %d are both %q", id, other, text)
		}
		seen[text] = id
	}
	for id := range smartlinks.TrackerID(20_000) {
		f(id)
	}
	f(1<<52 - 1)
	random := rand.New(rand.NewPCG(3, 52))
	for range 20_000 {
		f(smartlinks.TrackerID(random.Int64N(1 << 52)))
	}
}

// The text of an id is in URLs that were printed: it must never change.
func TestLegacyStays(t *testing.T) {
	t.Parallel()
	f := func(id smartlinks.TrackerID, want string) {
		t.Helper()
		if got := id.Legacy(); got != want {
			t.Errorf("%d is %q, want %q", id, got, want)
		}
	}
	f(0, "c8157be4734db")
	f(64, "b679a89f4d84f")
	f(65, "93b136ff0d007")
	f(13034035186, "9d2e220ea0780")
}

func TestParseLegacyRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "b9135dedfa83", "b9135dedfa83e0", "b9135dedfa83g", "+9135dedfa83e", "-9135dedfa83e", "0x135dedfa83e", "b9135_edfa83e"} {
		if id, ok := smartlinks.ParseLegacy(text); ok {
			t.Errorf("%q reads as %d", text, id)
		}
	}
	lower, _ := smartlinks.ParseLegacy("b9135dedfa83e")
	if upper, ok := smartlinks.ParseLegacy("B9135DEDFA83E"); !ok || upper != lower {
		t.Errorf("upper case reads as %d, lower case as %d", upper, lower)
	}
}

func TestParseTrackerURLID(t *testing.T) {
	t.Parallel()
	app := &link.App{ID: 24171, GUID: "koacme-ios-4fkz131i"}
	id := smartlinks.TrackerOf(7, 3)
	text := smartlinks.GUID(app) + id.Legacy()
	if guid, got, ok := smartlinks.ParseTrackerURLID(text); !ok || guid != app.GUID || got != id {
		t.Errorf("%q reads as %q, %d, %v", text, guid, got, ok)
	}
	for _, text := range []string{"", "short", strings.Repeat("z", 20)} {
		if _, _, ok := smartlinks.ParseTrackerURLID(text); ok {
			t.Errorf("%q reads as a tracker", text)
		}
	}
}

func TestCampaignOfAnApp(t *testing.T) {
	t.Parallel()
	g := &link.Group{AppGroup: link.AppGroup{Apps: []link.AppID{30, 20, 10}}}
	seen := map[int64]bool{}
	for _, c := range []link.CampaignID{1, 2, 5208} {
		for _, app := range g.AppGroup.Apps {
			n := smartlinks.CampaignOf(c, g, app)
			if seen[n] {
				t.Errorf("campaign %d, app %d: %d is another's", c, app, n)
			}
			seen[n] = true
		}
	}
	if got := smartlinks.CampaignOf(5208, g, 20); got != 520802 {
		t.Errorf("got %d, want 520802", got)
	}
}

func TestGUID(t *testing.T) {
	t.Parallel()
	f := func(app link.App, want string) {
		t.Helper()
		if got := smartlinks.GUID(&app); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(link.App{ID: 1, GUID: "koown-x"}, "koown-x")
	f(link.App{ID: 30001, Key: "solo-ios"}, "kosolo-ios-n5d")
	f(link.App{ID: 36, Key: "_Über_App_"}, "kober-app-10")
}

func FuzzParseLegacy(f *testing.F) {
	f.Add("b9135dedfa83e")
	f.Add("0000000000000")
	f.Add("koapp-name-2-7uyfnb9135dedfa83e")
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := smartlinks.ParseLegacy(text); ok && id.Legacy() != strings.ToLower(text) {
			t.Errorf("%q reads as %d, which is %q", text, id, id.Legacy())
		}
		if guid, id, ok := smartlinks.ParseTrackerURLID(text); ok && guid+id.Legacy() != guid+strings.ToLower(text[len(guid):]) {
			t.Errorf("%q reads as %q and %d", text, guid, id)
		}
	})
}

package attribution

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// told is one story of the golden folder: what happened before noon, and what
// Explain says of it. Nothing in a file may be left unread.
type told struct {
	About      string
	Conversion struct {
		Conversion
		DownloadAgo, InstalledAgo, ActiveAgo string // durations before noon
		BackSince                            string // of the last re-engagement, by touch 9
	}
	Touches []struct {
		Touchpoint
		Ago           string
		ClickLookback string
	}
	Explain []string
}

func TestTold(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/told/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d stories: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var story told
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&story); err != nil {
				t.Fatal(err)
			}
			if story.About == "" {
				t.Error("a story says what it is about")
			}
			d := story.decide(t)
			if got := d.Explain(); strings.Join(got, "\n") != strings.Join(story.Explain, "\n") {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(story.Explain, "\n\t"))
			}
		})
	}
}

func (s *told) decide(t *testing.T) Decision {
	t.Helper()
	ago := func(text string) time.Time {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return noon.Add(-d)
	}
	c := s.Conversion.Conversion
	c.At, c.Account, c.App = noon, 1, 7
	if s.Conversion.DownloadAgo != "" {
		c.Referrer.InstallBeginServerAt = ago(s.Conversion.DownloadAgo)
	}
	if s.Conversion.InstalledAgo != "" {
		c.Past = &PastInstall{At: ago(s.Conversion.InstalledAgo)}
	}
	if s.Conversion.ActiveAgo != "" {
		c.Past.LastActiveAt = ago(s.Conversion.ActiveAgo)
	}
	if s.Conversion.BackSince != "" {
		c.Reengagement = &Credit{From: ago(s.Conversion.BackSince), Until: noon.Add(time.Hour), Match: Match{Touch: 9, Kind: Click, At: ago(s.Conversion.BackSince), Lookback: 7 * day}}
	}
	if c.Kind == InApp && c.InstallRefusal == "" {
		c.InstallCredit = &Credit{From: c.Past.At, Match: Match{Touch: 8, Kind: Click, At: c.Past.At.Add(-time.Hour), Lookback: 7 * day}}
	}
	touches := make([]Touchpoint, len(s.Touches))
	for i, told := range s.Touches {
		touch := told.Touchpoint
		touch.At, touch.Account, touch.Apps = ago(told.Ago), c.Account, append(touch.Apps, c.App)
		if told.ClickLookback != "" {
			touch.Lookbacks.ClickDeterministic = Lookback(noon.Sub(ago(told.ClickLookback)))
		}
		touches[i] = touch
	}
	return decide(&c, touches...)
}

package e2e_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/event"
	"waypost/eventlog"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// decidedBefore are cases that need installations of a day in the past:
// TestConformanceOfThePast plays them.
var decidedBefore = map[string]bool{"07-deep-link-found": true, "08-conversion": true}

// TestReportConformance plays the cases about what apps and servers tell. Those
// of Singular stand among its others.
func TestReportConformance(t *testing.T) {
	t.Parallel()
	played := 0
	for _, dir := range []string{"onelink/testdata/exemplary/reports", "smartlinks/testdata/exemplary/reports", "smartlinks/testdata/supplemental/reports"} {
		dialect, _, _ := strings.Cut(dir, "/")
		server := program{testdata: "../compat/" + dialect + "/testdata"}
		cases, err := compattest.Load("../compat/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if decidedBefore[c.Name] {
				continue
			}
			played++
			t.Run(dir+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				if err := compattest.Play(c, server.Start(t, c.Given)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if played < 12 {
		t.Errorf("only %d cases are played", played)
	}
}

// TestConformanceOfThePast plays the cases about installations that were there
// before. The ledger holds what a program of that time would have written, and
// the program decides it when it starts. The cases' noon, of 2026-11-20, is now.
func TestConformanceOfThePast(t *testing.T) {
	t.Parallel()
	const dir = "../compat/onelink/testdata"
	for name := range decidedBefore {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(dir, "exemplary/reports", name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now().UTC().Truncate(time.Millisecond)
			c, err := compattest.Parse([]byte(movedTo(t, string(text), now)))
			if err != nil {
				t.Fatal(err)
			}
			data := filepath.Join(t.TempDir(), "data")
			writePast(t, filepath.Join(data, "ledger"), now)
			p := start(t, data, "--apply", filepath.Join(dir, c.Given.Setup+".yaml"))
			eventually(t, "the past to be decided", func() bool {
				_, metrics := p.call(t, http.MethodGet, "/metrics", "", "")
				return strings.Contains(metrics, "waypost_attribution_lag_batches 0\n")
			})
			if err := compattest.Play(c, compattest.Target{API: "http://" + p.api, Links: "http://" + p.links}); err != nil {
				t.Error(err)
			}
		})
	}
}

// clickedBefore is how long before noon the cases' click happened. A deep link
// is told for a quarter of an hour.
const clickedBefore = 10 * time.Minute

// movedTo makes a case's noon another instant, wherever the text speaks of it or
// of the click.
func movedTo(t *testing.T, text string, now time.Time) string {
	t.Helper()
	noon, moved := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), text
	for _, layout := range []string{"2006-01-02T15:04:05.000", "2006-01-02 15:04:05.000"} {
		for _, before := range []time.Duration{0, clickedBefore} {
			moved = strings.ReplaceAll(moved, noon.Add(-before).Format(layout), now.Add(-before).Format(layout))
		}
	}
	if moved == text {
		t.Fatal("the case speaks of no such time")
	}
	return moved
}

// writePast writes a click with the installation that it led to at now, and one
// of 2021 that nothing led to.
func writePast(t *testing.T, dir string, now time.Time) {
	t.Helper()
	const golden, android = 101, 1012
	click := event.Click{
		Kind: event.ClickKind, ID: uid.NewClick(), At: now.Add(-clickedBefore).UnixMilli(), Account: golden, Dialect: link.OneLink, Template: "A1b3",
		Host: "myapp.onelink.me", Route: "android-store", Platform: device.Android, IP: "203.0.113.9",
		Query: "pid=Email&c=my_new_campaign&af_c_id=394a89cf&deep_link_value=apples&deep_link_sub1=26&fruit_name=apples&af_sub1=my_afsub1",
	}
	lines := [][]byte{click.AppendJSON(nil)}
	old := time.Date(2021, 8, 23, 6, 59, 51, 194e6, time.UTC)
	for install, at := range map[string]time.Time{"1644179019889-6748098": now, "1600009251234-1234567": old} {
		told := event.Told{
			Kind: event.OpenKind, ID: uid.NewClick(), At: at.UnixMilli(), ReceivedAt: at.UnixMilli(), Account: golden, App: android, Dialect: link.OneLink,
			Install: install, Key: "first", Platform: device.Android, First: true,
		}
		if at.Equal(now) {
			told.Referrer = &event.Referrer{Click: click.ID.String()}
		}
		line, err := told.Line()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ledger, err := eventlog.Open(ctx, eventlog.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if err := ledger.Append(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

package app

import (
	"os"
	"path/filepath"
	"testing"

	"waypost/attribution/history"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/link"
)

const emulatorsAreRefused = `accounts:
  - key: acme
    name: Acme Inc
    attribution: {fraud: {rules: {emulator: reject}}}
    postbacks: [{key: hook, on: [install, rejected_install], method: POST, url: "http://127.0.0.1:1/hook"}]
`

// TestDecisionsAreMadeAnew: settings that changed since show as differences,
// which a repair decides by them; what was told before stays told.
func TestDecisionsAreMadeAnew(t *testing.T) {
	t.Parallel()
	cfg := Config{Data: filepath.Join(t.TempDir(), "data")}.withDefaults()
	left := filepath.Join(cfg.Data, replays+"1")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	a, err := open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := a.applyFile(t.Context(), "../examples/acme.yaml"); err != nil {
		t.Fatal(err)
	}
	report := ingest.Report{
		Dialect: link.Own, App: ingest.AppRef{Key: "acme-sdk-key", Name: "com.acme.app", Platform: device.Android}, Install: "in a box", First: true, Emulator: true,
	}
	if _, err := a.intake.Open(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	verify := func(o VerifyOptions, differs bool, want string) {
		t.Helper()
		v, err := a.Verify(t.Context(), o)
		got := ""
		if err == nil && v.Replay != nil {
			for _, d := range v.Replay.Differences {
				got += d.Install + ": " + d.Got + " | " + d.Want
			}
		}
		if err != nil || v.Differs() != differs || got != want || v.Undecided != 0 {
			t.Errorf("%+v: %+v, %v", o, v, err)
		}
		if dirs, err := filepath.Glob(filepath.Join(cfg.Data, replays+"*")); err != nil || len(dirs) != 0 {
			t.Errorf("%q is left, %v", dirs, err)
		}
	}
	verify(VerifyOptions{Decisions: true}, false, "")
	file := filepath.Join(t.TempDir(), "stricter.yaml")
	if err := os.WriteFile(file, []byte(emulatorsAreRefused), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.applyFile(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	const otherwise = "in a box: install, organic | install, refused by emulator"
	verify(VerifyOptions{}, false, "")
	verify(VerifyOptions{Decisions: true}, true, otherwise)
	verify(VerifyOptions{Decisions: true, Repair: true}, false, otherwise)
	verify(VerifyOptions{Decisions: true}, false, "")
	told, err := a.store.ListDeliveries(t.Context(), 5899, history.DeliveryFilter{Limit: 10})
	if err != nil || len(told) != 1 || told[0].Kind != "rejected_install" {
		t.Errorf("told %+v, %v", told, err)
	}
}

// TestDataDirectoryIsNoPattern: what a killed verify has left is removed whatever
// the directory is called.
func TestDataDirectoryIsNoPattern(t *testing.T) {
	t.Parallel()
	cfg := Config{Data: filepath.Join(t.TempDir(), "da[ta")}
	left := filepath.Join(cfg.Data, replays+"1")
	if err := os.MkdirAll(filepath.Join(left, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := cfg.removeReplays(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

package ingest_test

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"waypost/event"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/internal/device"
	"waypost/link"
)

// noon is the time of the servers of these tests.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// hosted are the addresses of a hosting provider.
var hosted = netip.MustParsePrefix("198.51.100.128/25")

const (
	someKey     = "acme-sdk-key"
	someSecret  = "acme-sdk-secret"
	someInstall = "4d8b0b52-6f3c-4c7e-9a0e-5b9f0a2d1c3e"
	someGAID    = "38400000-8cf0-41bd-b23e-10b96e40000d"
	someIDFA    = "a1b2c3d4-0000-4000-9000-00000000beef"
	someIP      = "203.0.113.77"
	phoneAgent  = "Dalvik/2.1.0 (Linux; U; Android 16; Pixel 10 Pro Build/BP4A.250101.001)"
)

func someDirectory() *link.Directory {
	d, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{
			{ID: 5899, Key: "acme", SDKKey: someKey, SDKSecret: someSecret},
			{ID: 6001, Key: "rival", SDKKey: "rival-key", IPPolicy: link.IPTruncated},
			{ID: 6002, Key: "shy", SDKKey: "shy-key", IPPolicy: link.IPNone},
		},
		Apps: []link.App{
			{ID: 24171, GUID: "koacme-ios", Account: 5899, Platform: device.IOS, BundleID: "com.acme.app", StoreID: "1234567890"},
			{ID: 26538, GUID: "koacme-android", Account: 5899, Platform: device.Android, Package: "com.acme.app"},
			{ID: 38581, GUID: "koacme-web", Account: 5899, Platform: device.Web},
			{ID: 30002, Account: 5899, Platform: device.Android, Package: "com.acme.solo"},
			{ID: 40002, GUID: "korival", Account: 6001, Platform: device.Android, Package: "com.rival.app"},
			{ID: 40003, Account: 6002, Platform: device.Android, Package: "com.shy.app"},
		},
	})
	if err != nil {
		panic(err)
	}
	return d
}

var errDown = errors.New("the disk is gone")

// world is a service with its ledger and decisions.
type world struct {
	t         *testing.T
	service   *ingest.Service
	ledger    *ingesttest.Ledger
	decisions *ingesttest.Decisions
	passed    atomic.Int64 // since noon, nanoseconds
}

func newWorld(t *testing.T, changes ...func(*ingest.Config)) *world {
	w := &world{t: t, ledger: &ingesttest.Ledger{}, decisions: ingesttest.NewDecisions()}
	directory := someDirectory()
	cfg := ingest.Config{
		Directory: func() *link.Directory { return directory }, Ledger: w.ledger, Decisions: w.decisions,
		Now: func() time.Time { return noon.Add(time.Duration(w.passed.Load())) },
		Country: func(a netip.Addr) string {
			if a == netip.MustParseAddr(someIP) {
				return "DE"
			}
			return ""
		},
		Network: func(a netip.Addr) string {
			if hosted.Contains(a) {
				return "hosting"
			}
			return ""
		},
	}
	for _, change := range changes {
		change(&cfg)
	}
	w.service = ingest.New(cfg)
	return w
}

// pass lets time go by.
func (w *world) pass(d time.Duration) { w.passed.Add(int64(d)) }

// last is the newest event of the ledger.
func (w *world) last() event.Told {
	w.t.Helper()
	return w.ledger.LastTold(w.t)
}

// someReport is an open of the Android app.
func someReport() ingest.Report {
	return ingest.Report{
		Dialect: link.Own, App: ingest.AppRef{Key: someKey, Name: "com.acme.app", Platform: device.Android}, Install: someInstall,
		At: noon.Add(-time.Minute), SentAt: noon, Name: "purchase",
	}
}

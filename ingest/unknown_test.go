package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waypost/attribution/history"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/internal/device"
	"waypost/link"
)

// shelf is a store of unknown names in memory that can be broken.
type shelf struct {
	mu     sync.Mutex // guards what follows
	kept   []history.Unknown
	writes int
	broken error
}

func (s *shelf) AddUnknown(_ context.Context, more []history.Unknown, most int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.broken != nil {
		return s.broken
	}
	if most != ingest.MostUnknown || len(more) == 0 {
		return fmt.Errorf("asked to add %d and keep %d", len(more), most)
	}
	s.kept = append(s.kept, more...)
	return nil
}

func (s *shelf) ListUnknown(_ context.Context, account link.AccountID) ([]history.Unknown, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.kept), func(u history.Unknown) bool { return u.Account != account }), s.broken
}

func (s *shelf) broke(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

func (s *shelf) all() ([]history.Unknown, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept), s.writes
}

func unknownTo(t *testing.T, s *ingest.Service, account link.AccountID) []history.Unknown {
	t.Helper()
	list, err := s.Unknown(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestUnknownAppsAreShown: their account sees them, however many names a stranger invents.
func TestUnknownAppsAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		_, _, _ = w.service.FindApp(ingest.AppRef{Key: someKey, Name: "com.acme.beta"})
	}
	_, _, _ = w.service.FindApp(ingest.AppRef{Key: "nobody", Name: "x"})
	_, _, _ = w.service.FindApp(ingest.AppRef{Key: "", Name: "x"})
	want := history.Unknown{Account: 5899, Kind: history.UnknownApp, Name: "com.acme.beta", Reports: 3, LastAt: noon}
	if got := unknownTo(t, w.service, 5899); len(got) != 1 || got[0] != want {
		t.Errorf("unknown apps: %+v", got)
	}
	if got := w.service.Stats(); got.UnknownApps != 3 || got.UnknownKeys != 1 || len(unknownTo(t, w.service, 6001)) != 0 {
		t.Errorf("counted %+v", got)
	}
	for i := range 1000 {
		_, _, _ = w.service.FindApp(ingest.AppRef{Key: someKey, Name: fmt.Sprint(i, strings.Repeat("x", 1000))})
	}
	if got := unknownTo(t, w.service, 5899); len(got) != ingest.MostUnknown || len(got[len(got)-1].Name) > 128 {
		t.Errorf("%d unknown apps are remembered", len(got))
	}
}

// TestUnknownKeysAreShown to the account whose app the report names, where one
// account alone has such an app.
func TestUnknownKeysAreShown(t *testing.T) {
	t.Parallel()
	f := func(ref ingest.AppRef, account link.AccountID) {
		t.Helper()
		w := newWorld(t)
		ref.Key = "misspelt"
		for range 2 {
			_, _ = w.service.Account(ref)
		}
		for _, a := range []link.AccountID{5899, 6001, 6002} {
			got := unknownTo(t, w.service, a)
			want := history.Unknown{Account: a, Kind: history.UnknownKey, Name: "misspelt", Reports: 2, LastAt: noon}
			if a == account && (len(got) != 1 || got[0] != want) || a != account && len(got) != 0 {
				t.Errorf("%+v: account %d is shown %+v", ref, a, got)
			}
		}
	}
	f(ingest.AppRef{ID: 26538}, 5899)
	f(ingest.AppRef{ID: 40002}, 6001)
	f(ingest.AppRef{Name: "com.acme.app"}, 5899)
	f(ingest.AppRef{Name: "com.rival.app", Platform: device.IOS}, 6001)
	f(ingest.AppRef{Name: "com.nobody.app"}, 0)
	f(ingest.AppRef{}, 0)
	f(ingest.AppRef{Platform: device.Android}, 0)
}

// TestUnknownNamesAreStored every few seconds and at the end, each report once,
// also where the store was away for a while.
func TestUnknownNamesAreStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		decisions := ingesttest.NewDecisions()
		s := ingest.New(ingest.Config{Directory: someDirectory, Ledger: &ingesttest.Ledger{}, Decisions: decisions, Unknown: store})
		report := func(name string) { _, _, _ = s.FindApp(ingest.AppRef{Key: someKey, Name: name}) }
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		counted := func(name string, want int64) {
			t.Helper()
			n := int64(0)
			for _, u := range unknownTo(t, s, 5899) {
				if u.Name == name {
					n += u.Reports
				}
			}
			if n != want {
				t.Errorf("%s is shown with %d reports, want %d", name, n, want)
			}
		}
		time.Sleep(time.Minute + time.Second) // between two writes
		if _, writes := store.all(); writes != 0 {
			t.Errorf("%d writes of nothing", writes)
		}
		report("a")
		report("a")
		counted("a", 2)
		time.Sleep(6 * time.Second)
		if kept, _ := store.all(); len(kept) != 1 || kept[0].Reports != 2 {
			t.Errorf("stored %+v", kept)
		}
		counted("a", 2)
		store.broke(errors.New("the disk is gone"))
		report("b")
		time.Sleep(11 * time.Second)
		if _, err := s.Unknown(t.Context(), 5899); err == nil {
			t.Error("nobody learns that the store is away")
		}
		store.broke(nil)
		counted("b", 1)
		report("b")
		time.Sleep(6 * time.Second)
		counted("b", 2)
		report("c")
		stop()
		running.Wait()
		if kept, writes := store.all(); len(kept) != 3 || kept[1].Reports != 2 || kept[2].Name != "c" || writes > 6 {
			t.Errorf("stored %+v in %d writes", kept, writes)
		}
	})
}

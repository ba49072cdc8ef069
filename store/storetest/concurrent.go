package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

var concurrentTests = map[string]func(*testing.T, Store){
	"writers and readers":       testWritersAndReaders,
	"one winner for a path":     testOneWinner,
	"a failure harms no others": testInnocent,
	"cancelled under load":      testCancelledUnderLoad,
	"closed":                    testClosed,
}

func testWritersAndReaders(tt *testing.T, s Store) {
	t := f{tt}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				l := newLink(fmt.Sprintf("w%d-%d", w, i))
				if _, err := s.CreateLinks(t.Context(), []*link.Link{l}, now); err != nil {
					t.Error(err)
					return
				}
				got, err := s.ReadLink(t.Context(), l.Path) // what is acknowledged can be read
				if err != nil || got.ID != l.ID {
					t.Errorf("read %s: id %d, %v; want id %d", l.Path, got.ID, err, l.ID)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for i := range uint64(25) {
			_, err := s.CommitStep(t.Context(), report.Step{Projection: counts, From: i, To: i + 1, Counts: report.Counts{key(1, 1): 1, key(2, 1): 1}})
			if err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for range 50 {
			// Both cells are always seen together.
			rows, err := s.SumCounts(t.Context(), report.Query{Account: 1, GroupBy: []report.Dimension{report.ByLink}})
			if err != nil || len(rows) == 1 || (len(rows) == 2 && rows[0].Count != rows[1].Count) {
				t.Errorf("half a step: %v, %v", rows, err)
			}
		}
	})
	wg.Wait()
	t.sameCounts(s, false, report.Counts{key(1, 1): 25, key(2, 1): 25})
}

func testOneWinner(tt *testing.T, s Store) {
	t := f{tt}
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			taken, err := s.CreateLinks(t.Context(), []*link.Link{newLink("wanted")}, now)
			if err != nil {
				t.Error(err)
			} else if taken[0] == link.Free {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	t.is(won.Load(), 1, "winners")
}

// testInnocent: refused and failing writes beside good ones.
func testInnocent(tt *testing.T, s Store) {
	t := f{tt}
	t.ok(s.SaveCatalog(t.Context(), smallCatalog()))
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				switch w % 4 {
				case 0: // fails after it has written
					err := s.SaveCatalog(t.Context(), link.Catalog{
						Accounts: []link.Account{{ID: 1, Key: "acme", Name: "half"}}, Apps: []link.App{{ID: 99, Account: 77}},
					})
					if !fault.Is(err, fault.Invalid) {
						t.Errorf("save: %v", err)
					}
				case 1: // refused before
					if err := s.DeleteLink(t.Context(), 123456); !fault.Is(err, fault.NotFound) {
						t.Errorf("delete: %v", err)
					}
				default:
					taken, err := s.CreateLinks(t.Context(), []*link.Link{newLink(fmt.Sprintf("i%d-%d", w, i))}, now)
					if err != nil || taken[0] != link.Free {
						t.Errorf("create: %v, %v", taken, err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, w := range []int{2, 3, 6, 7} {
		for i := range 20 {
			_, err := s.ReadLink(t.Context(), link.TemplatePath("A1b3", fmt.Sprintf("i%d-%d", w, i)))
			t.ok(err)
		}
	}
	got, err := s.LoadCatalog(t.Context())
	t.ok(err)
	t.is(got.Accounts[0].Name, "", "name that a failed save wanted")
}

// testCancelledUnderLoad: a call that returns the context's error has written nothing.
func testCancelledUnderLoad(tt *testing.T, s Store) {
	t := f{tt}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 10 {
				ctx, cancel := context.WithCancel(t.Context())
				l := newLink(fmt.Sprintf("c%d-%d", w, i))
				go cancel()
				_, err := s.CreateLinks(ctx, []*link.Link{l}, now)
				_, readErr := s.ReadLink(t.Context(), l.Path)
				switch {
				case err == nil && readErr != nil:
					t.Errorf("%s: acknowledged, but %v", l.Path, readErr)
				case err != nil && !errors.Is(err, context.Canceled):
					t.Errorf("%s: %v", l.Path, err)
				case err != nil && !fault.Is(readErr, fault.NotFound):
					t.Errorf("%s: withdrawn, but reading it gives %v", l.Path, readErr)
				}
			}
		})
	}
	wg.Wait()
}

func testClosed(tt *testing.T, s Store) {
	t := f{tt}
	t.create(s, newLink("a"))
	t.ok(s.Close())
	if _, err := s.CreateLinks(t.Context(), []*link.Link{newLink("b")}, now); err == nil {
		t.Fatal("a closed store took a link")
	}
	if _, err := s.ReadLink(t.Context(), "A1b3/a"); err == nil {
		t.Fatal("a closed store read a link")
	}
}

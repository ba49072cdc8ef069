package storetest

import (
	"fmt"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/report"
)

var expiryTests = map[string]func(*testing.T, Store){
	"expired links can be read and revived": testGrace,
	"sweep":                                 testSweep,
	"sweep follows renewals":                testSweepRenewed,
}

// testGrace: an expired link stays until it is swept.
func testGrace(tt *testing.T, s Store) {
	t := f{tt}
	l := lasting("past", -time.Hour)
	t.create(s, l)
	got, err := s.ReadLink(t.Context(), l.Path)
	t.ok(err)
	t.is(got.Expired(now), true, "expired")
	got.ExpiresAt = now.Add(time.Hour)
	t.ok(s.UpdateLink(t.Context(), &got))
	paths, err := s.SweepLinks(t.Context(), now, 10)
	t.ok(err)
	t.is(len(paths), 0, "swept")
	taken, err := s.CreateLinks(t.Context(), []*link.Link{newLink("past")}, now)
	t.ok(err)
	t.is(taken, []link.Taken{link.PathTaken}, "taken")
}

func testSweep(tt *testing.T, s Store) {
	t := f{tt}
	// In another order than that of their expiry.
	for _, hours := range []int{-3, 2, -5, 0, -1, -4, -2} {
		t.create(s, lasting(fmt.Sprintf("h%d", hours), time.Duration(hours)*time.Hour))
	}
	t.create(s, newLink("never"))
	for _, step := range []struct {
		before time.Time
		most   int
		want   string
	}{
		{now, 0, "[]"},
		{now.Add(-10 * time.Hour), 9, "[]"},
		{now.Add(-3 * time.Hour), 9, "[A1b3/h-5 A1b3/h-4]"}, // what expires at the instant stays
		{now, 2, "[A1b3/h-3 A1b3/h-2]"},
		{now, 2, "[A1b3/h-1]"},
		{now.Add(1000 * time.Hour), 9, "[A1b3/h0 A1b3/h2]"},
		{now.Add(1000 * time.Hour), 9, "[]"},
	} {
		paths, err := s.SweepLinks(t.Context(), step.before, step.most)
		t.ok(err)
		t.is(paths, step.want, "swept before %s, most %d", step.before, step.most)
		for _, path := range paths {
			_, err := s.ReadLink(t.Context(), path)
			t.kind(err, fault.NotFound)
		}
	}
	_, err := s.ReadLink(t.Context(), "A1b3/never")
	t.ok(err)
}

func testSweepRenewed(tt *testing.T, s Store) {
	t := f{tt}
	l := lasting("clicked", time.Hour)
	l.Renew = true
	t.create(s, l)
	_, err := s.CommitStep(t.Context(), report.Step{Projection: "p", To: 1, Renewals: []report.Renewal{{Link: l.ID, At: now.Add(30 * time.Minute)}}})
	t.ok(err)
	paths, err := s.SweepLinks(t.Context(), now.Add(80*time.Minute), 10)
	t.ok(err)
	t.is(len(paths), 0, "swept before the renewed expiry")
	paths, err = s.SweepLinks(t.Context(), now.Add(91*time.Minute), 10)
	t.ok(err)
	t.is(paths, []link.Path{l.Path}, "swept after it")
}

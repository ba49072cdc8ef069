package storetest

import (
	"testing"
	"time"

	"waypost/link"
	"waypost/report"
)

var renewalTests = map[string]func(*testing.T, Store){
	"rules":          testRenewals,
	"with the place": testRenewalsOnce,
}

func newID(n int) link.LinkID { return link.LinkID(n) }

func testRenewals(tt *testing.T, s Store) {
	t := f{tt}
	const ttl = 10 * time.Hour
	cases := []struct {
		name   string
		change func(*link.Link)
		at     time.Duration // of the click, after now
		want   time.Duration // expiry after now; ttl: not moved
	}{
		{"a click renews", nil, time.Hour, ttl + time.Hour},
		{"at the link's last change", nil, 0, ttl}, // would move it to where it is
		{"before the last change", func(l *link.Link) { l.UpdatedAt = now.Add(2 * time.Hour) }, time.Hour, ttl},
		{"just at a later change", func(l *link.Link) { l.UpdatedAt = now.Add(time.Hour) }, time.Hour, ttl + time.Hour},
		{"does not renew", func(l *link.Link) { l.Renew = false }, time.Hour, ttl},
		{"just before it expires", nil, ttl - time.Millisecond, 2*ttl - time.Millisecond},
		{"when it expires", nil, ttl, ttl},
		{"long expired", nil, 100 * ttl, ttl},
		{"never backwards", func(l *link.Link) { l.TTL = time.Hour }, time.Hour, ttl},
		{"never expires", func(l *link.Link) { l.TTL, l.ExpiresAt = 0, time.Time{} }, time.Hour, 0},
	}
	step := report.Step{Projection: "renewals", To: 1}
	want := map[link.Path]time.Time{}
	links := make([]*link.Link, len(cases))
	for i, c := range cases {
		links[i] = lasting(string(rune('a'+i)), ttl)
		links[i].Renew = true
		if c.change != nil {
			c.change(links[i])
		}
		t.create(s, links[i])
		step.Renewals = append(step.Renewals, report.Renewal{Link: links[i].ID, At: now.Add(c.at)})
		if c.want != ttl && c.want != 0 {
			want[links[i].Path] = now.Add(c.want)
		}
	}
	step.Renewals = append(step.Renewals, report.Renewal{Link: 9999, At: now}) // a link that is gone
	renewed, err := s.CommitStep(t.Context(), step)
	t.ok(err)
	t.is(len(renewed), len(want), "renewed links %v", renewed)
	for _, r := range renewed {
		t.is(r.ExpiresAt, want[r.Path], "told expiry of %s", r.Path)
	}
	for i, c := range cases {
		got, err := s.ReadLink(t.Context(), links[i].Path)
		t.ok(err)
		expires := time.Time{}
		if c.want != 0 {
			expires = now.Add(c.want)
		}
		wantLink := *links[i]
		wantLink.ExpiresAt = expires
		if !got.ExpiresAt.Equal(expires) {
			t.Fatalf("%s: expires at %s, want %s", c.name, got.ExpiresAt, expires)
		}
		sameLink(t, got, wantLink)
	}
}

// testRenewalsOnce: a step that is refused renews nothing, an older click after
// a younger one moves nothing back.
func testRenewalsOnce(tt *testing.T, s Store) {
	t := f{tt}
	l := lasting("a", 10*time.Hour)
	l.Renew = true
	t.create(s, l)
	commit := func(from, to uint64, at time.Duration) ([]report.Renewed, error) {
		return s.CommitStep(t.Context(), report.Step{Projection: "p", From: from, To: to, Renewals: []report.Renewal{{Link: l.ID, At: now.Add(at)}}})
	}
	renewed, err := commit(0, 5, 2*time.Hour)
	t.ok(err)
	t.is(len(renewed), 1, "renewed")
	if renewed, err = commit(0, 5, 3*time.Hour); err == nil || len(renewed) != 0 {
		t.Fatalf("a step from a wrong place: %v, %v", renewed, err)
	}
	renewed, err = commit(5, 6, time.Hour)
	t.ok(err)
	t.is(len(renewed), 0, "renewed by an older click")
	got, err := s.ReadLink(t.Context(), l.Path)
	t.ok(err)
	t.is(got.ExpiresAt, now.Add(12*time.Hour), "expiry")
}

package sqlitestore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"waypost/internal/uid"
	"waypost/link"
	"waypost/report"
)

// Account 1 lists a thousand links, or a million. One of 20 000 is rare.
var (
	thousandListed = sync.OnceValues(func() (*Store, error) { return benchListings(1000) })
	millionListed  = sync.OnceValues(func() (*Store, error) { return benchListings(1_000_000) })
)

func benchListings(n int) (*Store, error) {
	dir, err := os.MkdirTemp("", "waypost-bench-")
	if err != nil {
		return nil, err
	}
	benchDirs = append(benchDirs, dir)
	s, err := Open(context.Background(), Config{Path: dir + "/waypost.db"})
	for made := 0; made < n && err == nil; made += 1000 {
		_, err = s.CreateLinks(context.Background(), benchListed(1000), benchNow)
	}
	return s, err
}

func benchListed(n int) []*link.Link {
	links := make([]*link.Link, n)
	for i := range links {
		code, call := uid.Code(8), benchCalls.Add(1)
		at := benchNow.Add(time.Duration(call) * time.Millisecond)
		name := fmt.Sprintf("%s newsletter %s %d", []string{"Spring", "Summer", "Autumn", "Winter"}[rand.IntN(4)], []string{"mail", "push", "poster"}[rand.IntN(3)], call)
		listing := &link.Listing{
			AppGroup: link.AppGroupID(1 + rand.IntN(20)), Partner: link.PartnerID(1 + rand.IntN(30)), Campaign: link.CampaignID(1 + rand.IntN(50)),
			Name: name, Identity: fmt.Sprint("1/", call),
		}
		if call%20_000 == 500 {
			listing.Name, listing.Partner = "Quixotic jacquard", 99
		}
		links[i] = &link.Link{
			Account: 1, Dialect: link.SmartLinks, Code: code, Path: link.HostPath("go.acme.test", code), Source: link.SourceV2, Data: benchData,
			CreatedAt: at, UpdatedAt: at.Add(time.Duration(rand.IntN(1_000_000)) * time.Millisecond), Listing: listing,
		}
	}
	return links
}

func eachListed(b *testing.B, run func(b *testing.B, s *Store)) {
	for _, size := range []struct {
		name string
		open func() (*Store, error)
	}{{"thousand", thousandListed}, {"million", millionListed}} {
		b.Run(size.name, func(b *testing.B) {
			s, err := size.open()
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			run(b, s)
		})
	}
}

func BenchmarkListLinks(b *testing.B) {
	active := true
	for _, c := range []struct {
		name   string
		filter link.Filter
	}{
		{"newest", link.Filter{Descending: true}},
		{"active_newest", link.Filter{Descending: true, Active: &active}},
		{"by_name", link.Filter{Order: link.ByName}},
		{"by_updated", link.Filter{Order: link.ByUpdated, Descending: true}},
		{"group", link.Filter{Groups: []link.AppGroupID{7}, Descending: true}},
		{"page_40", link.Filter{Descending: true, Offset: 975}},
		{"common_text", link.Filter{Search: "AUTUMN", Descending: true}},
		{"rare_text", link.Filter{Search: "jacquard", Descending: true}},
		{"absent_text", link.Filter{Search: "no such thing", Descending: true}},
		{"absent_common_pieces", link.Filter{Search: "newsletter mail push", Descending: true}},
		{"one_path", link.Filter{Search: "go.acme.test/zzzzzzzz", Descending: true}},
		{"short_common", link.Filter{Search: "au", Descending: true}},
		{"short_rare", link.Filter{Search: "qu", Descending: true}},
		{"short_absent", link.Filter{Search: "=q", Descending: true}},
		{"partner", link.Filter{Partners: []link.PartnerID{7}, Descending: true}},
		{"rare_partner", link.Filter{Partners: []link.PartnerID{99}, Descending: true}},
		{"search_partner", link.Filter{Search: "jacquard", SearchPartners: []link.PartnerRef{{Account: 1, ID: 99}}}},
		{"code", link.Filter{Codes: []string{"zzzzzzzz"}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.filter.Scopes, c.filter.Dialect, c.filter.Limit = []link.Scope{{Account: 1}}, link.SmartLinks, 25
			eachListed(b, func(b *testing.B, s *Store) {
				for b.Loop() {
					if _, err := s.ListLinks(b.Context(), c.filter); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkCountListed(b *testing.B) {
	groups := make([]link.AppGroupID, 20)
	for i := range groups {
		groups[i] = link.AppGroupID(i + 1)
	}
	eachListed(b, func(b *testing.B, s *Store) {
		for b.Loop() {
			if _, err := s.CountListed(b.Context(), link.SmartLinks, groups); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Calls of 1 and of 100 listed links, each with its campaign by name.
func BenchmarkCreateListed(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			eachListed(b, func(b *testing.B, s *Store) {
				parallel(b, 32, func() error {
					links := benchListed(n)
					for _, l := range links {
						l.Listing.Campaign, l.Listing.CampaignName = 0, "Autumn"
					}
					_, err := s.CreateLinks(context.Background(), links, benchNow)
					return err
				})
				b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "links/s")
			})
		})
	}
}

// The counts of a page of links by link and tracker, over 30 days, beside a
// million cells of other links.
func BenchmarkSumByTracker(b *testing.B) {
	s, err := millionListed()
	if err != nil {
		b.Fatal(err)
	}
	const name report.Projection = "trackers"
	for at := uint64(0); at < 100; at++ {
		step := report.Step{Projection: name, From: at, To: at + 1, Counts: report.Counts{}}
		for i := range 10_000 {
			step.Counts[report.Key{
				Account: 1, Link: link.LinkID(1 + i/10 + int(at/10)*1000), Metric: report.Clicks, Tracker: link.Tracker(1 + i%3), Route: "web",
				Day: report.Day(20_000 + at%30), Country: []string{"DE", "FR"}[i%2],
			}]++
		}
		if place, err := s.Place(b.Context(), name); err != nil || place > at {
			continue
		}
		if _, err := s.CommitStep(b.Context(), step); err != nil {
			b.Fatal(err)
		}
	}
	for _, n := range []int{25, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			q := report.Query{Account: 1, Metric: report.Clicks, GroupBy: []report.Dimension{report.ByLink, report.ByTracker}}
			for i := range n {
				q.Links = append(q.Links, link.LinkID(1+i*17%10_000))
			}
			for b.Loop() {
				if rows, err := s.SumCounts(b.Context(), q); err != nil || len(rows) == 0 {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
}

package sqlitestore

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/report"
)

// The benchmarks run on a table that holds a million links already; it is
// made once, in a folder that goes with the process.
var million = sync.OnceValues(func() (*Store, error) {
	dir, err := os.MkdirTemp("", "waypost-bench-")
	if err != nil {
		return nil, err
	}
	benchDirs = append(benchDirs, dir)
	s, err := Open(context.Background(), Config{Path: dir + "/waypost.db"})
	if err != nil {
		return nil, err
	}
	for range 100 {
		if _, err := s.CreateLinks(context.Background(), benchLinks(10_000), benchNow); err != nil {
			return nil, err
		}
	}
	return s, nil
})

var (
	benchDirs []string
	benchNow  = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	benchData = json.RawMessage(`{"pid":"email","c":"autumn","deep_link_value":"shoes","deep_link_sub1":"4711","af_ios_url":"https://www.acme.test/p/12345","af_sub1":"newsletter-47"}`)
)

func TestMain(m *testing.M) {
	if childPath := os.Getenv(killVariable); childPath != "" {
		killChild(childPath)
	}
	code := m.Run()
	for _, dir := range benchDirs {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// Calls are a millisecond apart, as the links' expiries are.
var benchCalls atomic.Int64

func benchLinks(n int) []*link.Link {
	links := make([]*link.Link, n)
	expires := benchNow.Add(31*24*time.Hour + time.Duration(benchCalls.Add(1))*time.Millisecond)
	for i := range links {
		code := uid.Code(8)
		links[i] = &link.Link{
			Account: 1, Dialect: link.OneLink, Template: "A1b3", Code: code, Path: link.TemplatePath("A1b3", code), Source: link.SourceV2,
			Data: benchData, TTL: 31 * 24 * time.Hour, Renew: true, ExpiresAt: expires,
			CreatedAt: benchNow, UpdatedAt: benchNow, TargetHosts: []string{"www.acme.test"},
		}
	}
	return links
}

func benchStore(b *testing.B) *Store {
	b.Helper()
	s, err := million()
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	return s
}

// processor returns the processor time that this process has used. Benchmarks
// report it beside the wall clock, which on a shared machine says little.
func processor() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// parallel runs fn b.N times from so many goroutines and reports calls per second.
func parallel(b *testing.B, goroutines int, fn func() error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	used := processor()
	for range goroutines {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := fn(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64((processor()-used).Microseconds())/float64(b.N), "cpu-µs/call")
}

func BenchmarkCreateLink(b *testing.B) {
	s := benchStore(b)
	parallel(b, 32, func() error {
		_, err := s.CreateLinks(context.Background(), benchLinks(1), benchNow)
		return err
	})
}

// What one create through the OneLink API writes.
func BenchmarkTakeAndCreate(b *testing.B) {
	s := benchStore(b)
	day := report.DayOf(benchNow.UnixMilli())
	parallel(b, 32, func() error {
		_, _, err := s.TakeUsage(context.Background(), report.Usage{Account: 1, Name: "onelink.writes", Day: day, Calls: 1}, link.Unlimited)
		if err == nil {
			_, err = s.CreateLinks(context.Background(), benchLinks(1), benchNow)
		}
		return err
	})
}

func BenchmarkCreateLinksBulk(b *testing.B) {
	s := benchStore(b)
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		links, before := benchLinks(10_000), processor()
		b.StartTimer()
		if _, err := s.CreateLinks(context.Background(), links, benchNow); err != nil {
			b.Fatal(err)
		}
		used += processor() - before
	}
	b.ReportMetric(float64(used.Microseconds())/float64(b.N)/10_000, "cpu-µs/link")
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "links/s")
}

func BenchmarkReadLink(b *testing.B) {
	for _, goroutines := range []int{1, 4} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			s := benchStore(b)
			parallel(b, goroutines, func() error {
				_, err := s.ReadLinkByID(context.Background(), link.LinkID(1+rand.IntN(1_000_000)))
				return err
			})
		})
	}
}

// A step with 10 000 new or known cells and as many renewals of random links.
func BenchmarkCommitStep(b *testing.B) {
	s := benchStore(b)
	const name report.Projection = "bench"
	at, err := s.Place(b.Context(), name)
	if err != nil {
		b.Fatal(err)
	}
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		step := report.Step{Projection: name, From: at, To: at + 1, Counts: report.Counts{}}
		for range 10_000 {
			id := link.LinkID(1 + rand.IntN(1_000_000))
			step.Counts[report.Key{
				Account: 1, Template: "A1b3", Link: id, Metric: report.Clicks, Route: "ios_store", Day: report.DayOf(benchNow.UnixMilli()),
				Platform: device.Platforms()[rand.IntN(3)], Country: "DE",
			}]++
			step.Renewals = append(step.Renewals, report.Renewal{Link: id, At: benchNow.Add(time.Duration(2+at) * time.Hour)})
		}
		at++
		before := processor()
		b.StartTimer()
		if _, err := s.CommitStep(context.Background(), step); err != nil {
			b.Fatal(err)
		}
		used += processor() - before
	}
	b.ReportMetric(float64(used.Microseconds())/float64(b.N)/20_000, "cpu-µs/row")
	b.ReportMetric(float64(b.N)*20_000/b.Elapsed().Seconds(), "rows/s")
}

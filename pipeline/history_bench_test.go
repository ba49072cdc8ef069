package pipeline

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/uid"
)

// BenchmarkFiling files a ledger of 200 000 clicks, as BenchmarkCounting counts
// it: alone, and while the counting works on the same ledger and store.
func BenchmarkFiling(b *testing.B) {
	const clicks = 200_000
	for _, together := range []bool{false, true} {
		for _, links := range []int{1_000, 100_000} {
			b.Run(fmt.Sprintf("counting=%t/links=%d", together, links), func(b *testing.B) {
				b.StopTimer()
				var took time.Duration
				for range b.N {
					w := busyWorld(b, clicks, links, false)
					p := newPast(b)
					p.world = w
					a, c := p.attributor(), w.counter()
					b.StartTimer()
					began := time.Now()
					var counting sync.WaitGroup
					if together {
						counting.Go(func() {
							if err := c.CatchUp(b.Context()); err != nil {
								b.Error(err)
							}
						})
					}
					w.ok(a.CatchUp(b.Context()))
					counting.Wait()
					took += time.Since(began)
					b.StopTimer()
				}
				b.ReportMetric(float64(clicks*b.N)/took.Seconds(), "clicks/s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkInstall decides installs whose clicks lie among so many touches of
// a week: one with a referrer and an advertising id, in a step of its own.
// BENCH_TOUCHES=10000000 adds that many; they take twenty minutes to make
// and 5 GB of the disk.
func BenchmarkInstall(b *testing.B) {
	sizes := []int{2_000, 200_000}
	if more, err := strconv.Atoi(os.Getenv("BENCH_TOUCHES")); err == nil {
		sizes = append(sizes, more)
	}
	for _, touches := range sizes {
		b.Run(fmt.Sprintf("touches=%d", touches), func(b *testing.B) {
			p := newPast(b)
			clicks := p.crowd(touches)
			a := p.attributor()
			a.stepEvents = 1
			at := noon
			var deciding time.Duration
			for n := 0; b.Loop(); n++ {
				c := clicks[rand.IntN(len(clicks))]
				t := event.Told{
					Kind: event.OpenKind, ID: uid.NewClick(), At: at.UnixMilli(), ReceivedAt: at.UnixMilli(), Account: 1, App: androidApp, Install: fmt.Sprint(n), Key: fmt.Sprint(n),
					First: true, Locale: "de-DE", OS: "16", Model: "Pixel 10", IPs: []string{c.Facts.Addresses[0].IP.String()},
					IDs: []event.DeviceID{{Kind: "gaid", Value: fmt.Sprintf("%08x-8cf0-4bd0-9a1e-10b96e40000d", n)}}, Referrer: &event.Referrer{Click: c.ID.String()},
				}
				h := hearing{a, newAhead(p.store), p.directory}
				began := time.Now()
				p.ok(h.hear(b.Context(), &t))
				deciding += time.Since(began)
				place, err := p.store.Place(b.Context(), History)
				p.ok(err)
				p.ok(p.store.CommitHistory(b.Context(), h.ahead.step(place, place+1, time.Time{})))
			}
			b.ReportMetric(float64(deciding.Microseconds())/float64(b.N), "µs-decide/op")
		})
	}
}

// crowd commits so many touches of the week before noon, and returns some
// thousands of them.
func (p *past) crowd(n int) (some []history.Touch) {
	p.Helper()
	a := p.attributor()
	oneIn := 1 + n/10_000
	for made := 0; made < n; {
		h := newAhead(p.store)
		for range min(10_000, n-made) {
			made++
			c := event.Click{
				ID: uid.NewClick(), At: noon.Add(-time.Duration(rand.Int64N(int64(7 * 24 * time.Hour)))).UnixMilli(), Account: 1, Template: "A1b3", Host: "acme.localhost",
				Platform: 2, OS: "16", Model: "Pixel 10", Language: "de-DE", Agent: "Mozilla/5.0 (Linux; Android 16; Pixel 10)", IP: fmt.Sprintf("198.51.%d.%d", rand.IntN(250), 1+rand.IntN(250)),
			}
			t, ok := a.touchOf(&c, nil, p.directory)
			if !ok {
				p.Fatal("no touch")
			}
			h.addTouch(t)
			if made%oneIn == 0 {
				some = append(some, t)
			}
		}
		place, err := p.store.Place(p.Context(), History)
		p.ok(err)
		p.ok(p.store.CommitHistory(p.Context(), h.step(place, place+1, time.Time{})))
	}
	return some
}

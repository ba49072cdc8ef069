package pipeline

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// BenchmarkCounting counts a ledger of 200 000 clicks, which 64 producers wrote
// at once, into a new store with 100 000 links.
func BenchmarkCounting(b *testing.B) {
	for _, links := range []int{100_000, 1_000} {
		for _, renew := range []bool{false, true} {
			b.Run(fmt.Sprintf("links=%d/renew=%t", links, renew), func(b *testing.B) {
				b.ReportAllocs()
				b.StopTimer()
				var took time.Duration
				const clicks = 200_000
				for range b.N {
					w := busyWorld(b, clicks, links, renew)
					c := w.counter()
					b.StartTimer()
					began := time.Now()
					w.ok(c.CatchUp(b.Context()))
					took += time.Since(began)
					b.StopTimer()
					w.total(clicks)
				}
				b.ReportMetric(float64(clicks*b.N)/took.Seconds(), "clicks/s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func (w *world) total(want int64) {
	var sum int64
	for _, n := range w.counted() {
		sum += n
	}
	if sum != want {
		w.Fatalf("%d clicks are counted, want %d", sum, want)
	}
}

// BenchmarkVerify recounts the same.
func BenchmarkVerify(b *testing.B) {
	const clicks = 200_000
	w := busyWorld(b, clicks, 100_000, false)
	c := w.counter()
	w.ok(c.CatchUp(b.Context()))
	for b.Loop() {
		w.proven(c)
	}
	b.ReportMetric(float64(clicks*b.N)/b.Elapsed().Seconds(), "clicks/s")
}

// busyWorld has so many links, and a ledger of clicks on them. When there are
// as many links, each is clicked at most a few times.
func busyWorld(b *testing.B, clicks, links int, renew bool) *world {
	w := newWorld(b)
	ids := make([]link.LinkID, 0, links)
	for len(ids) < links {
		made := make([]*link.Link, 1000)
		for i := range made {
			code := uid.Code(8)
			made[i] = &link.Link{
				Account: 1, Dialect: link.OneLink, Template: "A1b3", Code: code, Path: link.TemplatePath("A1b3", code), Source: link.SourceV2,
				Data: json.RawMessage(`{"pid":"email","c":"autumn","af_ios_url":"https://www.acme.test/p/12345"}`), TTL: 31 * 24 * time.Hour,
				Renew: renew, ExpiresAt: noon.Add(31 * 24 * time.Hour), CreatedAt: noon, UpdatedAt: noon,
			}
		}
		_, err := w.store.CreateLinks(b.Context(), made, noon)
		w.ok(err)
		for _, l := range made {
			ids = append(ids, l.ID)
		}
	}
	var producing sync.WaitGroup
	for range 64 {
		producing.Go(func() {
			for range clicks / 64 {
				w.appendBusy(ids)
			}
		})
	}
	producing.Wait()
	for range clicks % 64 {
		w.appendBusy(ids)
	}
	return w
}

func (w *world) appendBusy(ids []link.LinkID) {
	platforms := [...]device.Platform{device.IOS, device.Android, device.MacOS, device.Web}
	routes := [...]string{"ios-store", "android-store", "web"}
	c := event.Click{
		ID: uid.NewClick(), At: noon.Add(time.Duration(rand.IntN(3600)) * time.Second).UnixMilli(), Account: 1, Dialect: link.OneLink,
		Link: ids[rand.IntN(len(ids))], Template: "A1b3", Code: "abcdefgh", Host: "acme.localhost",
		Route: routes[rand.IntN(3)], Platform: platforms[rand.IntN(4)], OS: "18.6", Model: "iPhone", Country: [...]string{"DE", "US", "FR", ""}[rand.IntN(4)],
		IP: "192.0.2.7", Agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
		Language: "de-DE,de;q=0.9", Query: "utm_source=mail",
	}
	if err := w.ledger.Append(c.AppendJSON(nil)); err != nil {
		w.Error(err)
	}
}

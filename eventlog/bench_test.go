package eventlog

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

func testLine(n int) []byte { return bytes.Repeat([]byte("x"), n) }

func BenchmarkAppend(b *testing.B) {
	for _, always := range []bool{false, true} {
		for _, producers := range []int{64, 256} {
			b.Run(fmt.Sprintf("sync=%v/producers=%d", always, producers), func(b *testing.B) {
				l, err := Open(b.Context(), Config{Dir: b.TempDir(), SyncAlways: always})
				if err != nil {
					b.Fatal(err)
				}
				defer l.Close()
				line := testLine(300)
				b.SetBytes(int64(len(line)))
				b.ReportAllocs()
				b.ResetTimer()
				var next atomic.Int64
				var wg sync.WaitGroup
				for range producers {
					wg.Go(func() {
						for next.Add(1) <= int64(b.N) {
							if err := l.Append(line); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				s := l.Stats()
				b.ReportMetric(float64(s.Appended)/b.Elapsed().Seconds(), "events/s")
				b.ReportMetric(float64(s.Appended)/float64(s.Batches), "lines/batch")
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, producers := range []int{1, 64} {
		b.Run(fmt.Sprintf("lines=%d", producers), func(b *testing.B) {
			l, err := Open(b.Context(), Config{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			line := testLine(300)
			var next atomic.Int64
			var wg sync.WaitGroup
			for range producers {
				wg.Go(func() {
					for next.Add(1) <= int64(b.N) {
						if err := l.Append(line); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportAllocs()
			b.ResetTimer()
			r, err := l.Read(b.Context(), 0)
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			for n := 0; n < b.N; {
				batch, err := r.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				for range batch.Lines() {
					n++
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

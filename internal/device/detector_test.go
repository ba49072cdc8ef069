package device

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestDetectEqualsParse(t *testing.T) {
	t.Parallel()
	hints := []Hints{
		{},
		{Platform: []byte(`"Android"`)},
		{Platform: []byte(`"Windows"`), PlatformVersion: []byte(`"15.0.0"`)},
		{Platform: []byte(`"Android"`), PlatformVersion: []byte(`"14"`), Model: []byte(`"Pixel 8"`)},
	}
	d := NewDetector(256) // far smaller than the corpus, so that most answers are displaced
	for round := range 2 {
		for _, a := range corpus(t) {
			for _, h := range hints {
				if got, want := *d.Detect([]byte(a.ua), h), Parse(a.ua, h); got != want {
					t.Fatalf("round %d: %s %s\n Detect %+v\n Parse  %+v", round, a.ua, h.Platform, got, want)
				}
			}
		}
	}
}

func TestDetectKeepsNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	f := func(ua string, h Hints) {
		t.Helper()
		want := Parse(ua, h)
		d := NewDetector(8)
		buf := []byte(ua)
		got := d.Detect(buf, h)
		for i := range buf {
			buf[i] = 'x'
		}
		if *got != want {
			t.Errorf("%.60s changed with the request's buffer: %+v, want %+v", ua, *got, want)
		}
	}
	model := Hints{Platform: []byte(`"Android"`), Model: []byte(`"Pixel 8"`)}
	f(pixelView, Hints{})
	f(chromeK, model)
	f("AcmeBot/1.0", Hints{})
	f(pixelView+strings.Repeat("x", longestCached), Hints{})
}

func TestDetectIsBounded(t *testing.T) {
	t.Parallel()
	const size = 64
	d := NewDetector(size)
	for i := range 100 * size {
		d.Detect(fmt.Appendf(nil, "Mozilla/5.0 (Linux; Android 13; Phone %d) AppleWebKit/537.36", i), Hints{})
	}
	held := 0
	for i := range d.sets {
		for w := range d.sets[i].way {
			if d.sets[i].way[w].Load() != nil {
				held++
			}
		}
	}
	if held > 2*size || held < size {
		t.Errorf("%d agents held, asked for %d", held, size)
	}
}

func TestDetectKeepsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	d := NewDetector(64)
	hot := []byte(safari26)
	first := d.Detect(hot, Hints{})
	for i := range 1000 {
		d.Detect(fmt.Appendf(nil, "agent %d", i), Hints{})
		if d.Detect(hot, Hints{}) != first {
			t.Fatalf("an agent asked for all the time was displaced by stranger %d", i)
		}
	}
}

func TestDetectConcurrently(t *testing.T) {
	t.Parallel()
	d := NewDetector(16)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 5000 {
				want := fmt.Sprintf("Phone %d", i%40)
				got := d.Detect(fmt.Appendf(nil, "Mozilla/5.0 (Linux; Android 13; %s) AppleWebKit/537.36", want), Hints{})
				if got.Model != want {
					t.Errorf("model %q, want %q", got.Model, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

var ordinary = []string{safari26, chromeK, pixelView + "Instagram 406.0.0.58.159 Android (35/15; 480dpi)", iosView + " [FBAN/FBIOS;FBDV/iPhone6,2;FBSV/11.4.1]", windows10, macSafari, linuxPC}

func TestAllocations(t *testing.T) {
	// Not parallel: AllocsPerRun counts the whole process.
	hints := Hints{Platform: []byte(`"Android"`)}
	rich := Hints{Platform: []byte(`"Android"`), PlatformVersion: []byte(`"14.0.0"`), Model: []byte(`"Pixel 8"`)}
	d := NewDetector(64)
	for _, ua := range ordinary {
		if n := testing.AllocsPerRun(100, func() { Parse(ua, hints) }); n != 0 {
			t.Errorf("Parse: %v allocations for %s", n, ua)
		}
		b := []byte(ua)
		d.Detect(b, hints)
		if n := testing.AllocsPerRun(100, func() { d.Detect(b, hints) }); n != 0 {
			t.Errorf("Detect: %v allocations on a hit for %s", n, ua)
		}
	}
	b := []byte(chromeK)
	d.Detect(b, rich)
	if n := testing.AllocsPerRun(100, func() { d.Detect(b, rich) }); n >= 1 {
		t.Errorf("Detect with a model hint: %v allocations on a hit", n)
	}
	if n := testing.AllocsPerRun(100, func() { IsPrefetch([]byte("prefetch;prerender"), nil, nil, nil) }); n != 0 {
		t.Errorf("IsPrefetch: %v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, ua string }{{"iPhone", safari26}, {"AndroidInApp", ordinary[2]}, {"Windows", windows10}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Parse(c.ua, Hints{})
			}
		})
	}
}

func BenchmarkDetect(b *testing.B) {
	var people [][]byte
	for _, a := range corpus(b) {
		if a.source == "user-agents" {
			people = append(people, []byte(a.ua))
		}
	}
	h := Hints{Platform: []byte(`"Android"`)}
	b.Run("hit", func(b *testing.B) {
		d := NewDetector(4096)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			d.Detect(people[i%len(people)], h)
		}
	})
	b.Run("miss", func(b *testing.B) {
		d := NewDetector(8)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			d.Detect(people[i%len(people)], h)
		}
	})
}

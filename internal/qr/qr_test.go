package qr_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"waypost/internal/qr"
)

const address = "https://myapp.onelink.me/A1b3/promo?af_qr=true"

func plain(size int, margin bool) qr.Style {
	return qr.Style{Size: size, Margin: margin, Foreground: qr.Black, Background: qr.White}
}

func TestDecodesBack(t *testing.T) {
	t.Parallel()
	f := func(text string, style qr.Style) {
		t.Helper()
		for _, format := range []string{"png", "jpeg"} {
			t.Run(fmt.Sprintf("%s %d margin=%v %d bytes", format, style.Size, style.Margin, len(text)), func(t *testing.T) {
				t.Parallel()
				img := draw(t, text, format, style)
				if got := img.Bounds(); got != image.Rect(0, 0, style.Size, style.Size) {
					t.Errorf("bounds %v, want %d square", got, style.Size)
				}
				if got := read(t, img); got != text {
					t.Errorf("reads %q, want %q", got, text)
				}
			})
		}
	}
	for _, size := range []int{64, 99, 300, 301, 777} {
		f(address, plain(size, true))
		f(address, plain(size, false))
	}
	f(address, plain(3000, true))
	f("https://a-long-subdomain-of-a-customer.example.com/A1b3/"+strings.Repeat("x", 50)+"?af_qr=true", plain(300, true))
	coloured := plain(300, true)
	coloured.Foreground, coloured.Background = color.RGBA{0x10, 0x20, 0x80, 0xff}, color.RGBA{0xff, 0xf0, 0xd0, 0xff}
	f(address, coloured)
}

func TestMarginIsFourModules(t *testing.T) {
	t.Parallel()
	s := symbol(t, address)
	scale := 10
	f := func(margin bool, size, border int) {
		t.Helper()
		img := draw(t, address, "png", plain(size, margin))
		for i := range border {
			if isDark(img, i, size/2) || isDark(img, size/2, i) || isDark(img, size-1-i, size/2) || isDark(img, size/2, size-1-i) {
				t.Fatalf("margin=%v: a dark pixel %d from the edge", margin, i)
			}
		}
		if !isDark(img, border, border) {
			t.Errorf("margin=%v: the finder does not begin %d pixels from the edge", margin, border)
		}
	}
	f(true, (s.Modules()+8)*scale, 4*scale)
	f(false, s.Modules()*scale, 0)
}

func TestColours(t *testing.T) {
	t.Parallel()
	style := plain(300, true)
	style.Foreground, style.Background = color.RGBA{0xcc, 0, 0, 0xff}, color.RGBA{0xee, 0xff, 0xee, 0xff}
	img := draw(t, address, "png", style)
	seen := map[color.RGBA]bool{}
	for y := range 300 {
		for x := range 300 {
			seen[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)] = true
		}
	}
	if len(seen) != 2 || !seen[style.Foreground] || !seen[style.Background] {
		t.Errorf("colours are %v", seen)
	}
}

func TestTooSmall(t *testing.T) {
	t.Parallel()
	s := symbol(t, address)
	f := func(size int, margin, fits bool) {
		t.Helper()
		var buf bytes.Buffer
		for name, err := range map[string]error{
			"png": s.PNG(&buf, plain(size, margin)), "jpeg": s.JPEG(&buf, plain(size, margin)), "svg": s.SVG(&buf, plain(size, margin)),
		} {
			if (err == nil) != fits {
				t.Errorf("%s of %d, margin %v: %v", name, size, margin, err)
			}
		}
		if s.Fits(plain(size, margin)) != fits {
			t.Errorf("Fits(%d, %v) is not %v", size, margin, fits)
		}
	}
	f(s.Modules(), false, true)
	f(s.Modules()-1, false, false)
	f(s.Modules()+8, true, true)
	f(s.Modules()+7, true, false)
	f(0, false, false)
	f(-5, true, false)
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	if _, err := qr.New(strings.Repeat("x", 5000)); err == nil {
		t.Error("5000 bytes fit no QR code, yet there is no error")
	}
}

// The SVG holds the very modules of the symbol, as rectangles on whole units.
func TestSVG(t *testing.T) {
	t.Parallel()
	f := func(margin bool) {
		t.Helper()
		s, border := symbol(t, address), 0
		if margin {
			border = qr.QuietZone
		}
		side := s.Modules() + 2*border
		var buf bytes.Buffer
		style := plain(side*3, margin)
		style.Foreground = color.RGBA{0x1a, 0x2b, 0x3c, 0xff}
		if err := s.SVG(&buf, style); err != nil {
			t.Fatal(err)
		}
		head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"`, side*3, side*3, side, side)
		if !strings.HasPrefix(buf.String(), head) || !strings.Contains(buf.String(), `<path fill="#ffffff" d="M0 0`) {
			t.Errorf("begins %.200s", buf.String())
		}
		_, path, _ := strings.Cut(buf.String(), `<path fill="#1a2b3c" d="`)
		dark := map[[2]int]bool{}
		for run := range strings.SplitSeq(strings.TrimSuffix(path, `"/></svg>`), "z") {
			var x, y, width, back int
			if run == "" {
				continue
			}
			if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &width, &back); err != nil || width != back {
				t.Fatalf("%q is no run of modules", run)
			}
			for i := range width {
				dark[[2]int{x + i - border, y - border}] = true
			}
		}
		for row := range s.Modules() {
			for column := range s.Modules() {
				if at := [2]int{column, row}; dark[at] != s.Dark(column, row) {
					t.Fatalf("margin=%v: module %v is drawn wrong", margin, at)
				}
				delete(dark, [2]int{column, row})
			}
		}
		if len(dark) > 0 {
			t.Errorf("margin=%v: modules outside the symbol: %v", margin, dark)
		}
	}
	f(true)
	f(false)
}

func TestParseColor(t *testing.T) {
	t.Parallel()
	f := func(text string, want color.RGBA, ok bool) {
		t.Helper()
		got, err := qr.ParseColor(text)
		if (err == nil) != ok || ok && got != want {
			t.Errorf("ParseColor(%q) = %v, %v", text, got, err)
		}
	}
	f("#1a2B3c", color.RGBA{0x1a, 0x2b, 0x3c, 0xff}, true)
	f("#000000", qr.Black, true)
	f("", qr.Black, false)
	f("1a2b3c", qr.Black, false)
	f("#1a2b3", qr.Black, false)
	f("#1a2b3cd", qr.Black, false)
	f("#gg0000", qr.Black, false)
	f("#+1-2+3", qr.Black, false)
	f("# 1 2 3", qr.Black, false)
}

func symbol(t testing.TB, text string) *qr.Symbol {
	t.Helper()
	s, err := qr.New(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func draw(t testing.TB, text, format string, style qr.Style) image.Image {
	t.Helper()
	var buf bytes.Buffer
	s, decode, err := symbol(t, text), png.Decode, error(nil)
	if format == "png" {
		err = s.PNG(&buf, style)
	} else {
		decode, err = jpeg.Decode, s.JPEG(&buf, style)
	}
	if err != nil {
		t.Fatal(err)
	}
	img, err := decode(&buf)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func read(t testing.TB, img image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	// "Pure" reads a drawn picture; the search for a code in a photograph needs a quiet zone.
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

func isDark(img image.Image, x, y int) bool {
	r, _, _, _ := img.At(x, y).RGBA()
	return r < 0x8000
}

func BenchmarkPNG3000(b *testing.B) {
	benchmark(b, func(s *qr.Symbol, buf *bytes.Buffer) error { return s.PNG(buf, plain(3000, true)) })
}

func BenchmarkJPEG3000(b *testing.B) {
	benchmark(b, func(s *qr.Symbol, buf *bytes.Buffer) error { return s.JPEG(buf, plain(3000, true)) })
}

func benchmark(b *testing.B, draw func(*qr.Symbol, *bytes.Buffer) error) {
	b.ReportAllocs()
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		if err := draw(symbol(b, address), &buf); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(buf.Len()), "bytes/picture")
}

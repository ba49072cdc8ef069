package macro

import (
	"net/url"
	"strings"
	"testing"
)

var someClick = Values{Click: 9023861282613779883, AtMillis: 1_700_000_000_000}

const someToken = "OTAyMzg2MTI4MjYxMzc3OTg4Mw"

func TestTextFillsHoles(t *testing.T) {
	t.Parallel()
	var b Builder
	b.Literal("https://x.test/?t=")
	b.Hole(ClickToken)
	b.Escaped("== &é")
	b.Hole(Millis)
	b.Hole(ClickID)
	text := b.Take()
	if got, want := string(text.Append(nil, someClick)), "https://x.test/?t="+someToken+"%3D%3D%20%26%C3%A917000000000009023861282613779883"; got != want {
		t.Errorf("filled\n got %s\nwant %s", got, want)
	}
	if got, want := text.String(), "https://x.test/?t={click_token}%3D%3D%20%26%C3%A9{click_ms}{click_id}"; got != want {
		t.Errorf("shown\n got %s\nwant %s", got, want)
	}
	if again := b.Take(); !again.IsZero() {
		t.Errorf("a taken builder still holds %q", again)
	}
}

func TestTextNestsEncodings(t *testing.T) {
	t.Parallel()
	var inner, outer Builder
	inner.Literal("af=")
	inner.Hole(ClickToken)
	inner.Escaped("==/")
	outer.Literal("r=")
	outer.EscapedText(inner.Take())
	text := outer.Take()
	values, err := url.ParseQuery(string(text.Append(nil, someClick)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := values.Get("r"), "af="+someToken+"%3D%3D%2F"; got != want {
		t.Errorf("decoded once: got %s, want %s", got, want)
	}
}

// Literals longer than one piece can count must come out whole.
func TestTextLongLiterals(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, maxPiece - 2, maxPiece - 1, maxPiece, maxPiece + 1, 3*maxPiece + 7} {
		var b Builder
		long := strings.Repeat("a", n)
		b.Literal(long)
		b.Escaped("&")
		b.Hole(ClickID)
		b.Literal(long)
		text := b.Take()
		want := long + "%26" + someClick.Click.String() + long
		if got := string(text.Append(nil, someClick)); got != want {
			t.Errorf("literal of %d bytes: %d bytes came out, want %d", n, len(got), len(want))
		}
		b.Text(text)
		if again := b.Take(); again.String() != text.String() {
			t.Errorf("literal of %d bytes: a copy of the text differs", n)
		}
	}
}

func TestTextAppendAllocatesNothing(t *testing.T) {
	var b Builder
	b.Literal("https://x.test/?a=")
	b.Hole(ClickToken)
	b.Hole(ClickID)
	b.Hole(Millis)
	text, dst := b.Take(), make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { dst = text.Append(dst[:0], someClick) }); n != 0 {
		t.Errorf("Append allocates %v times, want 0", n)
	}
}

func BenchmarkTextAppend(b *testing.B) {
	var build Builder
	build.Literal(strings.Repeat("x", 90))
	build.Hole(ClickToken)
	build.Literal(strings.Repeat("y", 120))
	text, dst := build.Take(), make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		dst = text.Append(dst[:0], someClick)
	}
}

// Package macro fills values into URLs: {click_id} and its like. A Text is a
// URL compiled once whose holes are filled for every click without escaping;
// Expand fills a URL with values that are not known to be harmless; CheckURL
// says whether a URL that people typed may hold the macros it holds.
package macro

import (
	"strconv"

	"waypost/internal/uid"
)

// Hole is what a Text leaves open until the click. Every value consists of
// unreserved characters alone, so filling never needs an escape, however often
// the text around it was percent-encoded.
type Hole uint8

// Holes.
const (
	None       Hole = iota
	ClickID         // the click's 19 decimal digits
	ClickToken      // the click's 26 base64 characters, without their padding
	Millis          // the click's Unix time in milliseconds
)

// String returns the hole's macro name.
func (h Hole) String() string {
	switch h {
	case ClickID:
		return "click_id"
	case ClickToken:
		return "click_token"
	case Millis:
		return "click_ms"
	}
	return ""
}

// Values fill the holes of a Text.
type Values struct {
	Click    uid.Click
	AtMillis int64
}

// Text is literal pieces with holes between them. The zero Text is empty. It
// is one string, because caches keep hundreds of thousands of them: each piece
// is its length in two bytes (low first), its bytes, and the hole behind it.
type Text struct {
	packed string
}

// Packed returns the text as Unpack reads it.
func (t Text) Packed() string { return t.packed }

// Unpack returns the Text that Packed was asked of.
func Unpack(packed string) Text { return Text{packed} }

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t.packed == "" }

// Append appends the text with its holes filled. It allocates nothing beyond
// growing dst.
func (t Text) Append(dst []byte, v Values) []byte {
	for s := t.packed; s != ""; {
		n := int(s[0]) | int(s[1])<<8
		dst = append(dst, s[2:2+n]...)
		hole := Hole(s[2+n])
		s = s[3+n:]
		switch hole {
		case ClickID:
			dst = v.Click.Append(dst)
		case ClickToken:
			dst = v.Click.AppendToken(dst)
		case Millis:
			dst = strconv.AppendInt(dst, v.AtMillis, 10)
		}
	}
	return dst
}

// String shows the text with its holes as {click_id}, {click_token} and
// {click_ms}, for people to read.
func (t Text) String() string {
	var out []byte
	t.each(func(literal string, hole Hole) {
		out = append(out, literal...)
		if name := hole.String(); name != "" {
			out = append(append(append(out, '{'), name...), '}')
		}
	})
	return string(out)
}

// each calls f for every piece and the hole behind it.
func (t Text) each(f func(literal string, hole Hole)) {
	for s := t.packed; s != ""; {
		n := int(s[0]) | int(s[1])<<8
		f(s[2:2+n], Hole(s[2+n]))
		s = s[3+n:]
	}
}

// maxPiece is the longest literal that two bytes can count.
const maxPiece = 1<<16 - 1

// Builder puts a Text together. The zero Builder is ready; after Text it is
// empty again and keeps its memory.
type Builder struct {
	buf   []byte
	piece int // where the open piece begins, two bytes of length first; len(buf) when none is open
}

// Over returns a builder that works in buf's memory while it suffices.
func Over(buf []byte) Builder { return Builder{buf: buf[:0]} }

// Literal appends s as it is.
func (b *Builder) Literal(s string) {
	if s == "" {
		return
	}
	for {
		room := b.open()
		if len(s) <= room {
			b.buf = append(b.buf, s...)
			return
		}
		b.buf = append(b.buf, s[:room]...)
		b.close(None)
		s = s[room:]
	}
}

// Escaped appends s percent-encoded: everything but letters, digits and
// -._~ becomes %XX, so the result may stand in any part of a URL behind the
// host and is one value there.
func (b *Builder) Escaped(s string) {
	plain := 0
	for i := range len(s) {
		if unreserved(s[i]) {
			continue
		}
		b.Literal(s[plain:i])
		b.escape(s[i])
		plain = i + 1
	}
	b.Literal(s[plain:])
}

func (b *Builder) escape(c byte) {
	if b.open() < 3 {
		b.close(None)
		b.open()
	}
	b.buf = append(b.buf, '%', upperHex[c>>4], upperHex[c&15])
}

// Hole leaves a hole.
func (b *Builder) Hole(h Hole) {
	if h == None {
		return
	}
	b.open()
	b.close(h)
}

// Text appends t with its holes.
func (b *Builder) Text(t Text) {
	t.each(func(literal string, hole Hole) {
		b.Literal(literal)
		b.Hole(hole)
	})
}

// EscapedText appends t as Escaped does, leaving its holes open: what fills
// them needs no encoding.
func (b *Builder) EscapedText(t Text) {
	t.each(func(literal string, hole Hole) {
		b.Escaped(literal)
		b.Hole(hole)
	})
}

// Take returns what was built and empties the builder.
func (b *Builder) Take() Text {
	if b.piece < len(b.buf) {
		b.close(None)
	}
	t := Text{packed: string(b.buf)}
	b.buf, b.piece = b.buf[:0], 0
	return t
}

// open makes sure that a piece is open and returns how many bytes fit into it.
func (b *Builder) open() int {
	if b.piece == len(b.buf) {
		b.buf = append(b.buf, 0, 0)
	}
	return maxPiece - (len(b.buf) - b.piece - 2)
}

// close ends the open piece with a hole; the next piece begins behind it.
func (b *Builder) close(h Hole) {
	n := len(b.buf) - b.piece - 2
	b.buf[b.piece], b.buf[b.piece+1] = byte(n), byte(n>>8)
	b.buf = append(b.buf, byte(h))
	b.piece = len(b.buf)
}

const upperHex = "0123456789ABCDEF"

func unreserved(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '.' || c == '_' || c == '~'
}

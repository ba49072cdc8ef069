// Package qr draws QR codes. A Symbol is the grid of modules; each picture
// format is a method that draws it, so that another format needs nothing of
// the ones that exist.
package qr

import (
	"encoding/hex"
	"errors"
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// QuietZone is the empty border that scanners expect, in modules (ISO/IEC 18004).
const QuietZone = 4

// ErrTooSmall says that a picture has fewer pixels than the symbol has modules.
var ErrTooSmall = errors.New("the picture is too small for its QR code")

// Symbol is a QR code as a square of modules, dark or light.
type Symbol struct {
	modules int
	dark    []bool // row by row
}

// Style is how a symbol is drawn.
type Style struct {
	Size                   int        // side in pixels, exactly
	Margin                 bool       // draw the quiet zone
	Foreground, Background color.RGBA // opaque
}

// Colours of a plain code.
var (
	Black = color.RGBA{A: 0xff}
	White = color.RGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff}
)

// New encodes text with error correction level M, which survives the loss of
// 15 % of the symbol and keeps a link's code small enough to scan from afar.
func New(text string) (*Symbol, error) {
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("encode %d bytes as a QR code: %w", len(text), err)
	}
	side := code.Bounds().Dx()
	s := &Symbol{modules: side, dark: make([]bool, 0, side*side)}
	for y := range side {
		for x := range side {
			r, _, _, _ := code.At(x, y).RGBA()
			s.dark = append(s.dark, r == 0)
		}
	}
	return s, nil
}

// Modules returns the symbol's side without a quiet zone.
func (s *Symbol) Modules() int { return s.modules }

// Dark reports whether the module in a column and row, from the top left, is dark.
func (s *Symbol) Dark(column, row int) bool { return s.dark[row*s.modules+column] }

// Fits reports whether the symbol can be drawn in the style: every module
// needs a pixel.
func (s *Symbol) Fits(style Style) bool { return style.Size >= s.side(style) }

func (s *Symbol) side(style Style) int {
	if style.Margin {
		return s.modules + 2*QuietZone
	}
	return s.modules
}

// grid says where the modules lie in a picture. All modules have the same
// whole number of pixels, since uneven ones are hard to read; what is left of
// the size is background on all sides.
type grid struct {
	size, scale, offset int
}

func (s *Symbol) grid(style Style) (grid, error) {
	if !s.Fits(style) {
		return grid{}, ErrTooSmall
	}
	scale := style.Size / s.side(style)
	return grid{size: style.Size, scale: scale, offset: (style.Size - scale*s.modules) / 2}, nil
}

// module returns the row (or column) of modules that a pixel lies in; ok is
// false outside the symbol.
func (s *Symbol) module(g grid, pixel int) (index int, ok bool) {
	if pixel < g.offset {
		return 0, false
	}
	index = (pixel - g.offset) / g.scale
	return index, index < s.modules
}

// ParseColor reads "#rrggbb".
func ParseColor(text string) (color.RGBA, error) {
	digits, found := strings.CutPrefix(text, "#")
	rgb, err := hex.DecodeString(digits)
	if !found || err != nil || len(rgb) != 3 {
		return color.RGBA{}, fmt.Errorf("%q is not a colour such as #1a2b3c", text)
	}
	return color.RGBA{R: rgb[0], G: rgb[1], B: rgb[2], A: 0xff}, nil
}

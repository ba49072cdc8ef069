package qr

import (
	"bytes"
	"fmt"
	"io"
)

// SVG draws the symbol as one path on a square, with a unit for each module.
// Size is only the side at which it is shown first.
func (s *Symbol) SVG(w io.Writer, style Style) error {
	if !s.Fits(style) {
		return ErrTooSmall
	}
	side, border := s.side(style), 0
	if style.Margin {
		border = QuietZone
	}
	var out bytes.Buffer
	light, dark := style.Background, style.Foreground
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, style.Size, style.Size, side, side)
	fmt.Fprintf(&out, `<path fill="#%02x%02x%02x" d="M0 0h%dv%dH0z"/>`, light.R, light.G, light.B, side, side)
	fmt.Fprintf(&out, `<path fill="#%02x%02x%02x" d="`, dark.R, dark.G, dark.B)
	for row := range s.modules {
		for column := 0; column < s.modules; column++ {
			if !s.Dark(column, row) {
				continue
			}
			run := 1
			for column+run < s.modules && s.Dark(column+run, row) {
				run++
			}
			fmt.Fprintf(&out, "M%d %dh%dv1h-%dz", border+column, border+row, run, run)
			column += run
		}
	}
	out.WriteString(`"/></svg>`)
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("draw a QR code as SVG: %w", err)
	}
	return nil
}

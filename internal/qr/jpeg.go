package qr

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
)

// jpegQuality keeps the edges of modules clean; the default of 75 rings around them.
const jpegQuality = 90

// JPEG draws the symbol in its two colours, as grey where both are.
func (s *Symbol) JPEG(w io.Writer, style Style) error {
	g, err := s.grid(style)
	if err != nil {
		return err
	}
	if err := jpeg.Encode(w, s.picture(g, style), &jpeg.Options{Quality: jpegQuality}); err != nil {
		return fmt.Errorf("draw a QR code as JPEG: %w", err)
	}
	return nil
}

// picture makes the kind of image that the encoder takes without asking for
// each pixel's colour: 3000 pixels square are nine million of them.
func (s *Symbol) picture(g grid, style Style) image.Image {
	area := image.Rect(0, 0, g.size, g.size)
	light, dark := toYCbCr(style.Background), toYCbCr(style.Foreground)
	if isGrey(style.Background) && isGrey(style.Foreground) {
		grey := image.NewGray(area)
		s.fill(plane{grey.Pix, grey.Stride, g.size, 1}, g, light.Y, dark.Y)
		return grey
	}
	img := image.NewYCbCr(area, image.YCbCrSubsampleRatio420)
	half := (g.size + 1) / 2
	s.fill(plane{img.Y, img.YStride, g.size, 1}, g, light.Y, dark.Y)
	s.fill(plane{img.Cb, img.CStride, half, 2}, g, light.Cb, dark.Cb)
	s.fill(plane{img.Cr, img.CStride, half, 2}, g, light.Cr, dark.Cr)
	return img
}

// plane is one channel of a picture, with a sample for every step pixels.
type plane struct {
	pixels             []uint8
	stride, side, step int
}

func (s *Symbol) fill(p plane, g grid, light, dark uint8) {
	drawn := -1 // row of modules that the line above shows; -1 is none
	for y := range p.side {
		line := p.pixels[y*p.stride : y*p.stride+p.side]
		row, ok := s.module(g, y*p.step)
		if ok && row == drawn {
			copy(line, p.pixels[(y-1)*p.stride:])
			continue
		}
		drawn = -1
		if ok {
			drawn = row
		}
		for x := range line {
			column, inside := s.module(g, x*p.step)
			if ok && inside && s.Dark(column, row) {
				line[x] = dark
			} else {
				line[x] = light
			}
		}
	}
}

func isGrey(c color.RGBA) bool { return c.R == c.G && c.G == c.B }

func toYCbCr(c color.RGBA) color.YCbCr {
	y, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
	return color.YCbCr{Y: y, Cb: cb, Cr: cr}
}

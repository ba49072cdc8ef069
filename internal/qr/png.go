package qr

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// Filter types of a line (PNG specification, "Filtering").
const (
	filterNone = 0
	filterUp   = 2 // the line holds the differences from the one above
)

// PNG draws the symbol as a palette picture of one bit for each pixel. The
// standard encoder asks for every pixel by itself, which takes six times as
// long at 3000 pixels square; lines here come whole, and repeat.
func (s *Symbol) PNG(w io.Writer, style Style) error {
	g, err := s.grid(style)
	if err != nil {
		return err
	}
	lines, err := s.compressed(g)
	if err != nil {
		return fmt.Errorf("draw a QR code as PNG: %w", err)
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(g.size))
	header = binary.BigEndian.AppendUint32(header, uint32(g.size))
	header = append(header, 1, 3, 0, 0, 0) // one bit, palette, deflate, adaptive filters, not interlaced
	light, dark := style.Background, style.Foreground
	picture := []byte("\x89PNG\r\n\x1a\n")
	picture = appendChunk(picture, "IHDR", header)
	picture = appendChunk(picture, "PLTE", []byte{light.R, light.G, light.B, dark.R, dark.G, dark.B})
	picture = appendChunk(picture, "IDAT", lines)
	picture = appendChunk(picture, "IEND", nil)
	if _, err := w.Write(picture); err != nil {
		return fmt.Errorf("draw a QR code as PNG: %w", err)
	}
	return nil
}

// appendChunk appends a chunk: length, type, content, checksum.
func appendChunk(dst []byte, kind string, content []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(content)))
	start := len(dst)
	dst = append(append(dst, kind...), content...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}

// compressed returns the picture's lines as they stand in IDAT. A line that
// equals the one above is nothing but zeros.
func (s *Symbol) compressed(g grid) ([]byte, error) {
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	width := 1 + (g.size+7)/8
	same := make([]byte, width)
	same[0] = filterUp
	const background = -1
	above := background - 1 // row of modules of the line above; none yet
	for y := range g.size {
		row, ok := s.module(g, y)
		if !ok {
			row = background
		}
		line := same
		if row != above {
			line = s.line(g, row, width)
			above = row
		}
		if _, err := z.Write(line); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// line returns the pixels of a row of modules, dark ones set, behind the
// filter's byte. A negative row is background.
func (s *Symbol) line(g grid, row, width int) []byte {
	line := make([]byte, width)
	line[0] = filterNone
	if row < 0 {
		return line
	}
	for x := range g.size {
		if column, ok := s.module(g, x); ok && s.Dark(column, row) {
			line[1+x/8] |= 0x80 >> (x % 8)
		}
	}
	return line
}

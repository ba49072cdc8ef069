package singular

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"waypost/internal/qr"
	"waypost/internal/reply"
)

// Sides of a QR picture in pixels. 250 is what the tools draw that people make
// codes for these links with.
const (
	defaultQRSize = 250
	maxQRSize     = 3000
)

// drawLink answers with a QR code, as PNG or JPEG: of the short form where the
// link has one, since that makes the smallest code, else of the address without
// its macros, which nobody would fill.
func (a *API) drawLink(c *call) (reply.Reply, error) {
	style := qr.Style{Size: defaultQRSize, Margin: true, Foreground: qr.Black, Background: qr.White}
	size, err := c.query.count("size", 1)
	if err != nil || size > maxQRSize {
		return reply.Reply{}, invalid("size", "it must be a number of pixels up to %d", maxQRSize)
	}
	if size > 0 {
		style.Size = size
	}
	format := strings.ToLower(c.query.first("format"))
	switch format {
	case "", "png", "jpeg", "jpg":
	default:
		return reply.Reply{}, invalid("format", "it must be png or jpeg, not %s", shortened(format))
	}
	l, err := a.find(c)
	if err != nil {
		return reply.Reply{}, err
	}
	s, err := Read(l.Data)
	if err != nil {
		return reply.Reply{}, err
	}
	shown := addressesOf(a.baseOf(&l), &l, &s)
	text := shown.short
	if text == "" {
		text = shown.plain
	}
	symbol, err := qr.New(text)
	if err != nil {
		return reply.Reply{}, err
	}
	if !symbol.Fits(style) {
		return reply.Reply{}, invalid("size", "the code of this link needs at least %d pixels", symbol.Modules()+2*qr.QuietZone)
	}
	paint, mediaType := symbol.PNG, "image/png"
	if strings.HasPrefix(format, "j") {
		paint, mediaType = symbol.JPEG, "image/jpeg"
	}
	var picture bytes.Buffer
	if err := paint(&picture, style); err != nil {
		return reply.Reply{}, fmt.Errorf("draw the code of link %d: %w", l.ID, err)
	}
	return reply.Bytes(http.StatusOK, mediaType, picture.Bytes()), nil
}

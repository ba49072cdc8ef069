package smartlinks

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/qr"
	"waypost/internal/reply"
)

// maxQRSide bounds a picture's side in pixels.
const maxQRSide = 4096

// drawLink answers with the picture of a link's click URL.
func (a *API) drawLink(c *call) (reply.Reply, error) {
	format := strings.ToLower(c.query.text("format"))
	mediaType, ok := map[string]string{"": "image/png", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "svg": "image/svg+xml"}[format]
	if !ok {
		return reply.Reply{}, fault.Bad("format", fault.Unknown, "must be png, jpg or svg")
	}
	size, err := c.query.number("size", 0)
	if err != nil {
		return reply.Reply{}, err
	}
	l, s, err := a.link(c)
	if err != nil {
		return reply.Reply{}, err
	}
	clickURL, _ := addresses(a.Rules.LinkURL(&l), l.Code, s.CustomParams)
	symbol, err := qr.New(clickURL)
	if err != nil {
		return reply.Reply{}, fault.Bad("custom_params", fault.TooLong, "must be shorter for a QR code: the link's URL has %d characters", len(clickURL)).Because(err)
	}
	style := qr.Style{Margin: true, Foreground: qr.Black, Background: qr.White}
	if style.Size, err = side(symbol.Modules()+2*qr.QuietZone, size, mediaType == "image/svg+xml"); err != nil {
		return reply.Reply{}, err
	}
	draw := map[string]func(io.Writer, qr.Style) error{"image/png": symbol.PNG, "image/jpeg": symbol.JPEG, "image/svg+xml": symbol.SVG}[mediaType]
	var picture bytes.Buffer
	if err := draw(&picture, style); err != nil {
		return reply.Reply{}, fmt.Errorf("draw the QR code of link %d: %w", l.ID, err)
	}
	return reply.Bytes(http.StatusOK, mediaType, picture.Bytes()), nil
}

// side returns a picture's side in pixels for the size that was asked for
// (vendor's page: 0 is as small as possible, a negative one a multiplier of
// that, a positive one pixels, which SVG does not know).
func side(smallest, size int, multiplied bool) (int, error) {
	asked := max(size, smallest)
	if size <= 0 || multiplied {
		asked = smallest * max(1, min(-size, maxQRSide))
	}
	if asked > maxQRSide {
		return 0, fault.Bad("size", fault.TooLong, "must give at most %d pixels: from %d to %d", maxQRSide, -(maxQRSide / smallest), maxQRSide)
	}
	return asked, nil
}

package onelink

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/color"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/qr"
	"waypost/internal/reply"
	"waypost/link"
)

// Sides of a QR picture in pixels.
const (
	defaultQRSize = 300
	maxQRSize     = 3000
)

// qrField is the Field of faults about the query of a QR call; their Message
// is the parameter's name. The blank keeps it apart from names in data.
const qrField = "QR query"

// qrOrder is a parsed QR call.
type qrOrder struct {
	style  qr.Style
	jpeg   bool
	bytes  bool   // the picture itself instead of JSON around it
	domain string // brand_domain; empty where absent
}

// drawV2 answers with the picture of a link's address, for links that v2.0 has
// made or updated. Scans of it can be told apart by af_qr=true.
func (a *API) drawV2(c *call) (reply.Reply, error) {
	if c.refusal != nil {
		return reply.Reply{}, c.refusal
	}
	order, orderErr := parseQR(c.Request)
	brand, err := a.brand(c, order.domain)
	if err == nil {
		err = orderErr
	}
	if err != nil {
		return reply.Reply{}, err
	}
	l, err := a.findV2(c)
	if err != nil {
		return reply.Reply{}, err
	}
	if l.Source != link.SourceV2 {
		return reply.Reply{}, &fault.Error{Kind: fault.Conflict, Reason: fault.Source}
	}
	if brand != "" {
		l.Brand = brand
	}
	if order.style.Foreground, order.style.Background, err = colours(c.view.QR); err != nil {
		return reply.Reply{}, undrawable(err)
	}
	return order.draw(a.Rules.LinkURL(l) + "?af_qr=true")
}

// undrawable marks an error of drawing, for which the vendor has a row of its own.
func undrawable(err error) error {
	return &fault.Error{Kind: fault.Internal, Field: qrField, Err: err}
}

// parseQR reads size, format, margin and brand_domain. The domain is returned
// with an error too, since it is judged first.
func parseQR(r *http.Request) (qrOrder, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	order := qrOrder{domain: query.Get("brand_domain"), style: qr.Style{Size: defaultQRSize, Margin: true}}
	if err != nil {
		return order, badQR("query")
	}
	var accepted string
	accepted, order.bytes = acceptsPicture(r.Header.Get("Accept"))
	order.jpeg = accepted == "image/jpeg"
	switch strings.ToLower(query.Get("format")) {
	case "":
	case "png":
		order.jpeg = false
	case "jpg", "jpeg":
		order.jpeg = true
	default:
		return order, badQR("format")
	}
	if text := query.Get("size"); text != "" {
		if order.style.Size, err = parseSize(text); err != nil {
			return order, err
		}
	}
	if text := query.Get("margin"); text != "" {
		if order.style.Margin, err = strconv.ParseBool(strings.ToLower(text)); err != nil || len(text) < len("true") {
			return order, badQR("margin")
		}
	}
	return order, nil
}

func badQR(name string) error { return fault.Bad(qrField, fault.Malformed, "%s", name) }

// parseSize reads "300", and "300x300" as the beta had it.
func parseSize(text string) (int, error) {
	width, height, both := strings.Cut(strings.ToLower(text), "x")
	if both && height != width {
		return 0, badQR("size")
	}
	size, err := strconv.ParseUint(width, 10, 16)
	if err != nil || size == 0 || size > maxQRSize {
		return 0, badQR("size")
	}
	return int(size), nil
}

// acceptsPicture reports whether a caller asks for an image and not for JSON,
// and which one it names first. Some clients expect the picture itself.
func acceptsPicture(accept string) (mediaType string, ok bool) {
	for part := range strings.SplitSeq(accept, ",") {
		name, _, err := mime.ParseMediaType(part)
		switch {
		case err != nil:
		case name == "application/json":
			return "", false
		case mediaType == "" && (name == "image/png" || name == "image/jpeg" || name == "image/*"):
			mediaType = name
		}
	}
	return mediaType, mediaType != ""
}

// colours returns what the template's codes are drawn in.
func colours(style link.QRStyle) (foreground, background color.RGBA, err error) {
	foreground, background = qr.Black, qr.White
	if style.Foreground != "" {
		if foreground, err = qr.ParseColor(style.Foreground); err != nil {
			return foreground, background, fmt.Errorf("foreground of the template's QR codes: %w", err)
		}
	}
	if style.Background != "" {
		if background, err = qr.ParseColor(style.Background); err != nil {
			return foreground, background, fmt.Errorf("background of the template's QR codes: %w", err)
		}
	}
	return foreground, background, nil
}

func (o qrOrder) draw(text string) (reply.Reply, error) {
	symbol, err := qr.New(text)
	if err != nil {
		return reply.Reply{}, undrawable(err)
	}
	if !symbol.Fits(o.style) {
		return reply.Reply{}, badQR("size")
	}
	paint, mediaType := symbol.PNG, "image/png"
	if o.jpeg {
		paint, mediaType = symbol.JPEG, "image/jpeg"
	}
	var picture bytes.Buffer
	if err := paint(&picture, o.style); err != nil {
		return reply.Reply{}, undrawable(err)
	}
	if o.bytes {
		return reply.Bytes(http.StatusOK, mediaType, picture.Bytes()), nil
	}
	return reply.JSON(http.StatusOK, struct {
		QR string `json:"qr"`
	}{"data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(picture.Bytes())}), nil
}

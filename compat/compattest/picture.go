package compattest

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // pictures come in both formats
	_ "image/png"
	"regexp"
	"strconv"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// checkPicture holds a data URI against the picture that is wanted.
func checkPicture(format string, size int, text, uri string) error {
	got, err := ReadPicture(uri)
	return comparePicture(Picture{format, size, size, text}, got, err)
}

// samePicture compares a body with "png 300 URL".
func (v values) samePicture(want, got string) error {
	want, err := v.fill(want)
	if err != nil {
		return err
	}
	m := picture.FindStringSubmatch("qr " + want)
	if m == nil {
		return fmt.Errorf("%q is not a format, a side in pixels and a text", want)
	}
	size, err := strconv.Atoi(m[2])
	if err != nil {
		return err
	}
	shown, err := DecodePicture([]byte(got))
	return comparePicture(Picture{m[1], size, size, m[3]}, shown, err)
}

func comparePicture(want, got Picture, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("picture is %+v, want %+v", got, want)
	}
	return err
}

// Picture is what a picture shows.
type Picture struct {
	Format        string // "png", "jpeg" or "svg", as its bytes say
	Width, Height int    // pixels
	Text          string // of the QR code
}

// ReadPicture decodes a data URI and reads the QR code in it.
func ReadPicture(uri string) (Picture, error) {
	head, encoded, _ := strings.Cut(uri, ",")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return Picture{}, fmt.Errorf("data URI: %w", err)
	}
	p, err := DecodePicture(raw)
	if err == nil && head != "data:image/"+p.Format+";base64" {
		err = fmt.Errorf("data URI begins %q and holds a %s", head, p.Format)
	}
	return p, err
}

// DecodePicture decodes the bytes of a picture and reads the QR code in it.
func DecodePicture(raw []byte) (Picture, error) {
	if bytes.HasPrefix(raw, []byte("<svg ")) {
		return readSVG(raw)
	}
	img, kind, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return Picture{}, fmt.Errorf("picture: %w", err)
	}
	text, err := readCode(img)
	return Picture{kind, img.Bounds().Dx(), img.Bounds().Dy(), text}, err
}

func readCode(img image.Image) (string, error) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", fmt.Errorf("picture: %w", err)
	}
	// "Pure" reads a drawn picture; the search for a code in a photograph needs a quiet zone.
	code, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		return "", fmt.Errorf("read the QR code: %w", err)
	}
	return code.GetText(), nil
}

// svg is the little of the format that draws rectangles on whole units.
type svg struct {
	XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
	Width   int      `xml:"width,attr"`
	Height  int      `xml:"height,attr"`
	ViewBox string   `xml:"viewBox,attr"`
	Paths   []struct {
		Fill string `xml:"fill,attr"`
		D    string `xml:"d,attr"`
	} `xml:"path"`
}

// pixelsPerUnit is how finely an SVG is drawn to be read.
const pixelsPerUnit = 4

// rectangle is "M x y h width v height h -width z", the last but one also "H x".
var rectangle = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v(\d+)(?:h-\d+|H\d+)z`)

func readSVG(raw []byte) (Picture, error) {
	var doc svg
	if err := xml.Unmarshal(raw, &doc); err != nil {
		return Picture{}, fmt.Errorf("picture: %w", err)
	}
	var side, height int
	if _, err := fmt.Sscanf(doc.ViewBox, "0 0 %d %d", &side, &height); err != nil || side != height || side > 1000 {
		return Picture{}, fmt.Errorf("picture: the view box %q is no square from 0 0", doc.ViewBox)
	}
	img := image.NewGray(image.Rect(0, 0, side*pixelsPerUnit, side*pixelsPerUnit))
	for _, path := range doc.Paths {
		var fill color.RGBA
		if _, err := fmt.Sscanf(path.Fill, "#%02x%02x%02x", &fill.R, &fill.G, &fill.B); err != nil {
			return Picture{}, fmt.Errorf("picture: fill %q: %w", path.Fill, err)
		}
		if rest := rectangle.ReplaceAllString(path.D, ""); rest != "" {
			return Picture{}, fmt.Errorf("picture: %.40q is no rectangle", rest)
		}
		for _, m := range rectangle.FindAllStringSubmatch(path.D, -1) {
			paint(img, m[1:], color.GrayModel.Convert(fill).(color.Gray))
		}
	}
	text, err := readCode(img)
	return Picture{"svg", doc.Width, doc.Height, text}, err
}

// paint fills the rectangle of x, y, width and height.
func paint(img *image.Gray, numbers []string, fill color.Gray) {
	var n [4]int
	for i, text := range numbers {
		n[i], _ = strconv.Atoi(text)
	}
	for y := n[1] * pixelsPerUnit; y < (n[1]+n[3])*pixelsPerUnit; y++ {
		for x := n[0] * pixelsPerUnit; x < (n[0]+n[2])*pixelsPerUnit; x++ {
			img.SetGray(x, y, fill)
		}
	}
}

package compattest

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"waypost/internal/device"
	"waypost/route"
)

// Moment is the click of every script: the id whose base64 form OneLink's
// captured links show.
var Moment = route.Moment{Click: 9023861282613779883, AtMillis: 1700000000000}

// Visitor returns the device that scripts call by a platform's name, or by
// "bot", "preview" or "unknown".
func Visitor(t testing.TB, name string) *device.Device {
	t.Helper()
	switch name {
	case "bot":
		return &device.Device{Platform: device.Android, Bot: "crawler:Googlebot"}
	case "preview":
		return &device.Device{Bot: "preview:WhatsApp", Preview: true}
	case "unknown":
		return &device.Device{}
	}
	p, err := device.ParsePlatform(name)
	if err != nil {
		t.Fatal(err)
	}
	return &device.Device{Platform: p}
}

var (
	openLink = regexp.MustCompile(`id="open" class="button" href="([^"]*)" data-next="([^"]*)"`)
	metaTag  = regexp.MustCompile(`<meta property="(og:[a-z]+)" content="([^"]*)">`)
	button   = regexp.MustCompile(`<a class="button" href="([^"]*)">([^<]*)</a>`)
)

// Shown renders where a destination leads, a line for each part: its location;
// of a page that tries the app, what it opens and what comes next; of any other
// page, the preview and the buttons.
func Shown(t testing.TB, d route.Destination) string {
	t.Helper()
	var out strings.Builder
	if location := d.AppendLocation(nil, Moment); len(location) > 0 {
		fmt.Fprintf(&out, "%s\n", location)
	}
	text, err := d.AppendPage(nil, Moment)
	if err != nil {
		t.Fatal(err)
	}
	if m := openLink.FindSubmatch(text); m != nil {
		fmt.Fprintf(&out, "open %s\nnext %s\n", html.UnescapeString(string(m[1])), html.UnescapeString(string(m[2])))
		return out.String()
	}
	for _, m := range metaTag.FindAllSubmatch(text, -1) {
		fmt.Fprintf(&out, "%s %s\n", m[1], html.UnescapeString(string(m[2])))
	}
	for _, m := range button.FindAllSubmatch(text, -1) {
		fmt.Fprintf(&out, "button %s: %s\n", m[2], html.UnescapeString(string(m[1])))
	}
	return out.String()
}

// Noted renders the notes of rules, a line for each.
func Noted(notes []string) string {
	var out strings.Builder
	for _, n := range notes {
		fmt.Fprintf(&out, "note %s\n", n)
	}
	return out.String()
}

// Package device tells what a visitor holds in his hand: the platform, its
// version, the model, the in-app browser, and whether it is a person at all.
// It looks at nothing but the User-Agent and the client hints.
package device

import "fmt"

// Platform is the family of operating systems that decides where a click
// goes. Apps are built for one platform each.
type Platform uint8

// Platforms. The numbers are stored nowhere; the names are.
const (
	Unknown     Platform = iota
	IOS                  // iPhone, iPod and iPad
	Android              // phones and tablets with Google's store, and those without
	FireOS               // Kindle Fire tablets
	MacOS                // includes iPads that ask for the desktop site
	Windows              //
	Web                  // every other browser: Linux, ChromeOS, unknown desktops
	AppleTV              //
	AndroidTV            //
	FireTV               //
	Roku                 //
	Tizen                // Samsung televisions
	WebOS                // LG televisions
	Xbox                 //
	PlayStation          //
	platformEnd
)

var platformNames = [platformEnd]string{
	"", "ios", "android", "fireos", "macos", "windows", "web",
	"tvos", "androidtv", "firetv", "roku", "tizen", "webos", "xbox", "playstation",
}

// String returns the name used in events, counts and the apply file; Unknown
// is the empty string.
func (p Platform) String() string {
	if p < platformEnd {
		return platformNames[p]
	}
	return ""
}

// Platforms lists every platform but Unknown, in a fixed order.
func Platforms() []Platform {
	all := make([]Platform, 0, platformEnd-1)
	for p := IOS; p < platformEnd; p++ {
		all = append(all, p)
	}
	return all
}

// ParsePlatform is the inverse of String; the empty name is Unknown.
func ParsePlatform(name string) (Platform, error) {
	for p, n := range platformNames {
		if n == name {
			return Platform(p), nil
		}
	}
	return Unknown, fmt.Errorf("unknown platform %q", name)
}

// MarshalText and UnmarshalText let a Platform stand in JSON and YAML by name.
func (p Platform) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText refuses names that ParsePlatform does not know.
func (p *Platform) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePlatform(string(text))
	return err
}

// IsDesktop reports whether a visitor on p gets the web destination.
func (p Platform) IsDesktop() bool {
	return p == MacOS || p == Windows || p == Web || p == Unknown
}

// Device is what a request says about the machine that sent it. Empty strings
// mean that the request did not say, or said something known to be frozen
// ("Android 10; K", Safari's 18_6).
type Device struct {
	Platform  Platform
	OSVersion string // "17.5", "14"; dots, no trailing ".0" added or removed
	Model     string // "iPhone", "iPad", "Pixel 8", "KFTRWI"
	Browser   string // in-app browser ("Instagram", "Viber"); empty in a real browser
	Bot       string // why this is no person ("crawler:Googlebot", "tool:curl"); empty for people
	Preview   bool   // the bot builds a link preview and reads Open Graph tags
}

// IsBot reports whether no person is behind the request.
func (d *Device) IsBot() bool { return d.Bot != "" }

// Hints are the client-hint headers that a Chromium browser may send, as they
// came, quotes included. Absent ones are empty.
type Hints struct {
	Platform        []byte // Sec-CH-UA-Platform
	PlatformVersion []byte // Sec-CH-UA-Platform-Version
	Model           []byte // Sec-CH-UA-Model
	Mobile          []byte // Sec-CH-UA-Mobile
}

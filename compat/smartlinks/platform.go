package smartlinks

import (
	"strings"

	"waypost/internal/device"
	"waypost/link"
)

// platformCodes are the vendor's words for platforms that it calls differently.
var platformCodes = map[device.Platform]string{
	device.FireOS: "kindle",
	device.MacOS:  "macosx",
	device.Tizen:  "tizenos",
	device.Xbox:   "windowsxbox",
}

// foreignCodes are platforms that the vendor has and no app of ours can be for.
var foreignCodes = []string{"chromecast", "daydream", "htcvive", "linux", "nintendoswitch", "nintendowiiu", "oculusgo", "oculusrift",
	"samsunggearvr", "viziosmartcastos", "webgl"}

// routable are the platforms of which routes may be, as the vendor writes
// them (vendor's page, "App platforms eligible to be included").
var routable = []struct {
	platform device.Platform
	name     string
}{
	{device.Android, "Android"}, {device.IOS, "iOS"}, {device.Web, "Web"},
	{device.FireOS, "Kindle"}, {device.MacOS, "Macosx"}, {device.Windows, "Windows"},
}

// PlatformCode returns the vendor's lower-case word for a platform.
func PlatformCode(p device.Platform) string {
	if code, ok := platformCodes[p]; ok {
		return code
	}
	return p.String()
}

// ParsePlatformCode is the inverse of PlatformCode, in any case; ok is false
// for words that are no platform of ours.
func ParsePlatformCode(code string) (p device.Platform, ok bool) {
	code = strings.ToLower(strings.TrimSpace(code))
	for _, p := range device.Platforms() {
		if PlatformCode(p) == code {
			return p, true
		}
	}
	return device.Unknown, false
}

// Routable returns the platform that a word of platform_in means, in any case;
// ok is false for words that no route may be for.
func Routable(word string) (p device.Platform, ok bool) {
	p, ok = ParsePlatformCode(word)
	return p, ok && eligible(p)
}

func eligible(p device.Platform) bool {
	for _, r := range routable {
		if r.platform == p {
			return true
		}
	}
	return false
}

// routableNames lists the words of platform_in for messages.
func routableNames() string {
	names := make([]string, 0, len(routable))
	for _, r := range routable {
		names = append(names, r.name)
	}
	return strings.Join(names, ", ")
}

// knownCode reports whether the vendor's list of platforms, or ours, has the word.
func knownCode(code string) bool {
	code = strings.ToLower(strings.TrimSpace(code))
	for _, foreign := range foreignCodes {
		if foreign == code {
			return true
		}
	}
	_, ok := ParsePlatformCode(code)
	return ok
}

// eligibleGroup reports whether a SmartLink can have a route for any of the apps.
func eligibleGroup(apps []*link.App) bool {
	for _, app := range apps {
		if eligible(app.Platform) {
			return true
		}
	}
	return false
}

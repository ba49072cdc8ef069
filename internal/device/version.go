package device

import "strings"

// Versions that Apple writes with underscores ("17_5_1") are read from a table
// of constants, so that an ordinary agent costs no allocation.
const (
	majors, minors, patches = 40, 20, 11 // patch 0 of the table: none
	cell                    = 8          // bytes: "39.19.9", padded
)

var dottedVersions = func() string {
	var b strings.Builder
	b.Grow(majors * minors * patches * cell)
	for i := range majors * minors * patches {
		major, minor, patch := i/(minors*patches), i/patches%minors, i%patches
		at := b.Len()
		writeSmall(&b, major)
		b.WriteByte('.')
		writeSmall(&b, minor)
		if patch > 0 {
			b.WriteByte('.')
			writeSmall(&b, patch-1)
		}
		for b.Len() < at+cell {
			b.WriteByte(' ')
		}
	}
	return b.String()
}()

func writeSmall(b *strings.Builder, n int) {
	if n > 9 {
		b.WriteByte('0' + byte(n/10))
	}
	b.WriteByte('0' + byte(n%10))
}

// dotted returns v with dots for underscores.
func dotted(v string) string {
	if strings.IndexByte(v, '_') < 0 {
		return v
	}
	var parts [3]int
	n, digits := 0, 0
	for i := 0; i < len(v) && n < len(parts); i++ {
		switch {
		case isDigit(v[i]):
			parts[n] = parts[n]*10 + int(v[i]-'0')
			digits++
			// "08" and "1_" + 3 digits have no cell that spells them.
			if digits > 2 || digits == 2 && parts[n] < 10 {
				return strings.ReplaceAll(v, "_", ".")
			}
		default:
			n, digits = n+1, 0
		}
	}
	if n > 2 || parts[0] >= majors || parts[1] >= minors || n == 2 && parts[2] > 9 {
		return strings.ReplaceAll(v, "_", ".")
	}
	patch := 0
	if n == 2 {
		patch = parts[2] + 1
	}
	at := ((parts[0]*minors+parts[1])*patches + patch) * cell
	return strings.TrimRight(dottedVersions[at:at+cell], " ")
}

// versionLimit is longer than any real version, bytes.
const versionLimit = 20

// versionAt reads the version that begins at i: digits and separators, at
// least one digit first.
func versionAt(ua string, i int) string {
	if i < 0 || i >= len(ua) || !isDigit(ua[i]) {
		return ""
	}
	end := i
	for end < len(ua) && end-i < versionLimit && (isDigit(ua[end]) || (ua[end] == '.' || ua[end] == '_') && ua[end-1] != '.' && ua[end-1] != '_') {
		end++
	}
	for ua[end-1] == '.' || ua[end-1] == '_' {
		end--
	}
	return dotted(ua[i:end])
}

// major is the number before the first dot, -1 if there is none.
func major(v string) int {
	n := -1
	for i := 0; i < len(v) && isDigit(v[i]) && i < 4; i++ {
		n = max(n, 0)*10 + int(v[i]-'0')
	}
	return n
}

// appleVersion finds "OS 17_5", "iOS/17.5", "tvOS 17.1" wherever an agent
// says it.
func appleVersion(ua string) string {
	for i := 0; i+3 < len(ua); i++ {
		if ua[i]|0x20 == 'o' && ua[i+1]|0x20 == 's' && isDigit(ua[i+3]) &&
			(ua[i+2] == ' ' || ua[i+2] == '/' || ua[i+2] == '-') && isSystemName(ua, i) {
			return versionAt(ua, i+3)
		}
	}
	return ""
}

// isSystemName refuses the browsers "CriOS" and "FxiOS", whose versions are
// their own. The name ends with the OS at i.
func isSystemName(ua string, i int) bool {
	start := i
	for start > 0 && isLetter(ua[start-1]) {
		start--
	}
	before := ua[start:i]
	return before == "" || before == "i" || before == "I" || before == "tv" || before == "iPad"
}

// darwinVersions maps the kernel's major version to iOS; since Darwin 25 both
// names jump together (iOS 26).
var darwinVersions = map[int]string{
	11: "5", 13: "6", 14: "7", 15: "9", 16: "10", 17: "11", 18: "12", 19: "13", 20: "14", 21: "15", 22: "16", 23: "17", 24: "18", 25: "26",
}

// frozenSince is the first iOS whose Safari no longer tells the truth in the
// OS token: it stays at 18_6 or 18_7 and Version/ has the real number.
const frozenSince = 26

// iosVersion prefers what cannot be frozen: the app's own word, then Safari's
// Version/, then the OS token.
func (s *sighting) iosVersion(ua string) string {
	if at := s.at[wordFacebookSystem]; at != absent {
		if v := versionAt(ua, int(at)+len("fbsv/")); v != "" {
			return v
		}
	}
	if at := s.at[wordInstagram]; at != absent {
		if v := appleVersion(ua[at:]); v != "" {
			return v
		}
	}
	v := appleVersion(ua)
	if at := s.at[wordVersion]; at != absent {
		if safari := versionAt(ua, int(at)+len("version/")); major(safari) >= frozenSince && major(safari) > major(v) {
			return safari
		}
		return v
	}
	if s.at[wordEngine] != absent && (v == "18.6" || v == "18.7") {
		return "" // a web view of 18.6, or of any later iOS
	}
	if at := s.at[wordDarwin]; v == "" && at != absent {
		return darwinVersions[major(versionAt(ua, int(at)+len("darwin/")))]
	}
	return v
}

// macVersion is empty for 10.15.7 and 10.15, at which browsers have stood
// still since macOS 11.
func (s *sighting) macVersion(ua string) string {
	at := s.at[wordMac]
	if at == absent {
		return ""
	}
	end := min(len(ua), int(at)+len("mac os x ")+2)
	for i := int(at); i < end; i++ {
		if isDigit(ua[i]) {
			v := versionAt(ua, i)
			if v == "10.15" || v == "10.15.7" {
				return ""
			}
			return v
		}
	}
	return ""
}

// windowsVersion turns the kernel's number into the name that people know.
// Windows 11 still says 10.0, so 10.0 alone is neither.
func (s *sighting) windowsVersion(ua string) string {
	at := s.at[wordWindows]
	if at == absent || !matchFold(ua[at:], "windows nt ") {
		return ""
	}
	switch versionAt(ua, int(at)+len("windows nt ")) {
	case "6.3":
		return "8.1"
	case "6.2":
		return "8"
	case "6.1":
		return "7"
	case "6.0":
		return "Vista"
	case "5.1", "5.2":
		return "XP"
	case "5.0":
		return "2000"
	}
	return ""
}

// versionAfter reads a version up to two bytes behind a word: "Tizen 6.0",
// "Roku/DVP-9.10", "PlayStation 5/2.26" are asked with their own words.
func versionAfter(ua string, at int16, word string) string {
	if at == absent {
		return ""
	}
	i := int(at) + len(word)
	for end := min(len(ua), i+2); i < end; i++ {
		if isDigit(ua[i]) {
			return versionAt(ua, i)
		}
	}
	return ""
}

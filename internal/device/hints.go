package device

import "strings"

func (h *Hints) empty() bool {
	return len(h.Platform)|len(h.PlatformVersion)|len(h.Model) == 0
}

// windows11 is the first Sec-CH-UA-Platform-Version of Windows 11; 1 to 10 are
// releases of Windows 10 (Microsoft Edge, "Detect Windows 11 using User-Agent
// Client Hints").
const windows11 = 13

// apply lets the hints say what the agent left out or has frozen. They do not
// overrule a platform that the agent names, but for Android's desktop mode,
// whose agent claims Linux.
func (d *Device) apply(h Hints) {
	switch string(unquoted(h.Platform)) {
	case "Android":
		if d.Platform == Web || d.Platform == Unknown {
			d.Platform = Android
		}
	case "Windows":
		if d.Platform == Windows {
			d.applyWindows(major(string(unquoted(h.PlatformVersion))))
		}
		return
	case "macOS":
		if d.Platform != MacOS {
			return
		}
	default:
		return
	}
	if v := unquoted(h.PlatformVersion); len(v) > 0 && len(v) <= versionLimit && isDigit(v[0]) {
		d.OSVersion = string(v)
	}
	if m := unquoted(h.Model); len(m) > 0 && len(m) <= modelLimit && d.Platform != MacOS {
		d.Model = strings.ToValidUTF8(string(m), "")
		if d.Platform == Android {
			d.Platform = (&sighting{at: nothing}).androidKind(d.Model)
		}
	}
}

// modelLimit is longer than any model's name, bytes.
const modelLimit = 64

func (d *Device) applyWindows(release int) {
	switch {
	case release >= windows11:
		d.OSVersion = "11"
	case release >= 1:
		d.OSVersion = "10"
	}
}

// nothing is a sighting's positions with no word found.
var nothing = func() (at [wordCount]int16) {
	for i := range at {
		at[i] = absent
	}
	return at
}()

// unquoted strips the quotes of a structured-field string.
func unquoted(b []byte) []byte {
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		b = b[1 : len(b)-1]
	}
	return b
}

// IsPrefetch reports whether the browser fetches ahead of a click that may
// never come: Sec-Purpose "prefetch" (also "prefetch;prerender"), Purpose
// "prefetch", Firefox's old X-Moz, Safari's old X-Purpose "preview".
func IsPrefetch(secPurpose, purpose, xMoz, xPurpose []byte) bool {
	if len(secPurpose)|len(purpose)|len(xMoz)|len(xPurpose) == 0 {
		return false
	}
	return ahead(secPurpose) || ahead(purpose) || ahead(xMoz) || ahead(xPurpose)
}

func ahead(value []byte) bool {
	for i := range value {
		rest := value[i:]
		if startsFold(rest, "prefetch") || startsFold(rest, "prerender") || startsFold(rest, "preview") {
			return true
		}
	}
	return false
}

func startsFold(b []byte, lower string) bool {
	if len(b) < len(lower) {
		return false
	}
	for i := range len(lower) {
		if b[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

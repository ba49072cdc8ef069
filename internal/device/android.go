package device

import "strings"

// frozenModel stands where Chrome names no model; the version beside it is
// then always 10 and means nothing.
const frozenModel = "K"

// android reads version and model, and tells apart what runs Android under
// another name: Amazon's tablets and sticks, and televisions.
func (s *sighting) android(ua string, d *Device) {
	at := int(s.at[wordAndroid])
	d.OSVersion, d.Model = androidComment(ua, at)
	if d.Model == frozenModel {
		d.OSVersion, d.Model = "", ""
	}
	if d.Model == "" {
		if at := s.at[wordFacebookDevice]; at != absent {
			d.Model = field(ua, int(at)+len("fbdv/"))
		}
	}
	if d.OSVersion == "" {
		if at := s.at[wordFacebookSystem]; at != absent {
			d.OSVersion = versionAt(ua, int(at)+len("fbsv/"))
		}
	}
	d.Platform = s.androidKind(d.Model)
}

func (s *sighting) androidKind(model string) Platform {
	switch {
	case strings.HasPrefix(model, "AFT"), s.at[wordFireTV] != absent && isTelevisionModel(model):
		return FireTV
	case isKindle(model), s.at[wordKindle] != absent, s.at[wordSilk] != absent:
		return FireOS
	case s.at[wordAndroidTV] != absent, isTelevisionModel(model), s.at[wordTelevision] != absent:
		return AndroidTV
	}
	return Android
}

// isKindle knows Amazon's tablets ("KFTRWI", "Kindle Fire") and Echo Shows.
func isKindle(model string) bool {
	if len(model) < 4 {
		return false
	}
	return matchFold(model, "kf") && isLetter(model[2]) && isLetter(model[3]) || model[:3] == "AEO" && isUpper(model[3]) ||
		strings.HasPrefix(model, "Kindle Fire") || model == "SD4930UR"
}

// isTelevisionModel looks for "TV" or "BOX" as a word or at the end of one
// ("MiTV4", "Smart TV Pro", "X96 BOX"). "DTV" and "DUOS TV" are phones that
// receive television.
func isTelevisionModel(model string) bool {
	for i := 0; i+1 < len(model); i++ {
		c, next := model[i]|0x20, model[i+1]|0x20
		if c != 't' || next != 'v' || i+2 < len(model) && isLetter(model[i+2]) {
			continue
		}
		if i == 0 || !isLetter(model[i-1]) || model[i] == 'T' && !isUpper(model[i-1]) || i == 2 && matchFold(model, "mi") {
			return !strings.Contains(model, "Duos") && !strings.Contains(model, "DTV")
		}
	}
	for _, m := range [...]string{"MIBOX", "MiBOX", "SHIELD Android", "Chromecast", "Nexus Player", "STB", " Box", "_Box", " BOX", "BOX-", "OTT"} {
		if strings.Contains(model, m) {
			return true
		}
	}
	return strings.HasSuffix(model, "BOX")
}

// androidComment reads the segments of the comment that begins with Android:
// "Android 13; SM-G991B Build/TP1A.220624.014; wv".
func androidComment(ua string, at int) (version, model string) {
	i := at + len("android")
	if matchFold(ua[at:], "adr ") {
		i = at + len("adr")
	}
	// "Android (30/11; 420dpi; 1080x1878; Google/google; Pixel 2; …" is how
	// Instagram's own agent puts it.
	if strings.HasPrefix(ua[i:], " (") {
		return instagramComment(ua[i+2:])
	}
	for i < len(ua) && (ua[i] == ' ' || ua[i] == '/' || ua[i] == '-' || ua[i] == ':') {
		i++
	}
	version = versionAt(ua, i)
	i = skipSegment(ua, i)
	for range 6 {
		if i >= len(ua) || ua[i] != ';' {
			return version, ""
		}
		start := i + 1
		i = skipSegment(ua, start)
		if m := modelOf(strings.TrimSpace(ua[start:i])); m != "" {
			return version, m
		}
	}
	return version, ""
}

// skipSegment goes to the end of a segment. Brackets inside a model
// ("moto g(6)") belong to it.
func skipSegment(ua string, i int) int {
	for depth := 0; i < len(ua); i++ {
		switch ua[i] {
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return i
			}
			depth--
		case ';':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// modelOf returns the model in a segment, or "" where the segment is something
// else: a language, a flag, a service.
func modelOf(segment string) string {
	if i := strings.Index(segment, "Build/"); i >= 0 {
		segment = strings.TrimSpace(segment[:i])
	}
	switch segment {
	case "", "U", "wv", "rv", "Mobile", "Tablet", "TV", "HarmonyOS", "Unspecified Device", "compatible", "arm", "arm_64", "x86", "x64", "Linux", "ARM", "Touch":
		return ""
	}
	if isLanguage(segment) || strings.HasPrefix(segment, "rv:") || strings.HasPrefix(segment, "HMSCore") || strings.HasPrefix(segment, "GMSCore") ||
		strings.HasPrefix(segment, "Linux ") || strings.HasPrefix(segment, "Opera") || strings.HasPrefix(segment, "+http") || strings.HasPrefix(segment, "API ") {
		return ""
	}
	return strings.TrimSpace(strings.TrimPrefix(segment, "SAMSUNG "))
}

// isLanguage: "en", "en-us", "en_US", "zh-Hans".
func isLanguage(s string) bool {
	if len(s) < 2 || !isLetter(s[0]) || !isLetter(s[1]) || isUpper(s[0]) && len(s) != 5 {
		return false
	}
	return len(s) == 2 || (len(s) == 5 || len(s) == 7) && (s[2] == '-' || s[2] == '_') && isLetter(s[3])
}

func instagramComment(s string) (version, model string) {
	level := skipSegment(s, 0)
	if i := strings.IndexByte(s[:level], '/'); i >= 0 {
		version = versionAt(s, i+1)
	}
	const modelField = 4
	at := level
	for n := 1; at < len(s) && s[at] == ';'; n++ {
		next := skipSegment(s, at+1)
		if n == modelField {
			return version, strings.TrimSpace(s[at+1 : next])
		}
		at = next
	}
	return version, ""
}

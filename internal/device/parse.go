package device

import "strings"

// Parse reads one User-Agent and its hints. Every string of the result is a
// constant or lies inside ua, so an ordinary agent costs no allocation; bots
// that only the general rules find, and hints with a version or model, do.
func Parse(ua string, h Hints) Device {
	ua = strings.TrimSpace(ua)
	if ua == "" || ua == "-" {
		return Device{Bot: botEmpty.String()}
	}
	if len(ua) > scanLimit {
		ua = ua[:scanLimit]
	}
	var s sighting
	vocabulary.scan(ua, &s)

	var d Device
	d.Platform = s.platform(ua)
	switch d.Platform {
	case IOS:
		d.OSVersion, d.Model = s.iosVersion(ua), s.appleModel(ua)
	case Android:
		s.android(ua, &d)
	case MacOS:
		d.OSVersion = s.macVersion(ua)
	case Windows:
		d.OSVersion = s.windowsVersion(ua)
	default:
		s.television(ua, &d)
	}
	if len(d.Model) > modelLimit {
		d.Model = ""
	}
	d.Bot, d.Preview = s.bot(ua, d.Platform)
	if d.Platform == Unknown && d.Bot == "" {
		d.Platform = Web
	}
	d.Browser = s.browser(&d)
	if !h.empty() {
		d.apply(h)
	}
	return d
}

// platform decides between marks that agents combine: Windows phones claim to
// be Android and iPhone, iPhones to be "like Mac OS X", televisions to be Linux.
func (s *sighting) platform(ua string) Platform {
	has := func(w word) bool { return s.at[w] != absent }
	switch {
	case has(wordXbox):
		return Xbox
	case has(wordPlayStation):
		return PlayStation
	case has(wordWindowsPhone):
		return Web
	case has(wordAppleTV):
		return AppleTV
	case has(wordRoku):
		return Roku
	case has(wordWebOSTV):
		return WebOS
	case has(wordTizen):
		if has(wordTelevision) || has(wordSamsungTV) || !has(wordMobile) {
			return Tizen
		}
		return Web // Samsung's Tizen phones and watches
	case has(wordSamsungTV):
		return Tizen
	case has(wordAndroid) && !has(wordLikeAndroid):
		return Android // which of its kinds, the model tells
	case has(wordIPhone), has(wordIPad), has(wordIPod):
		return IOS
	case has(wordSilk):
		return FireOS // its desktop mode names another system
	case has(wordMacintosh) && (has(wordMobile) && has(wordEngine) || has(wordIOSBrowser)):
		return IOS // no Macintosh is mobile: an iPad's web view or browser asking for desktop pages
	case has(wordAndroidTV):
		return AndroidTV
	case has(wordFireTV) && strings.Contains(ua, "AFT"):
		return FireTV
	case has(wordMacintosh):
		return MacOS
	case has(wordWindows):
		return Windows
	case has(wordIOS):
		return IOS
	case has(wordCFNetwork):
		if strings.Contains(ua, "x86_64") || has(wordMac) {
			return MacOS
		}
		return IOS
	case has(wordMac) && !has(wordOther):
		return MacOS
	case has(wordOther), has(wordPhone), has(wordTelevision), has(wordTextBrowser):
		return Web
	}
	return Unknown
}

// appleModel prefers the exact identifier that apps send ("iPhone14,3").
func (s *sighting) appleModel(ua string) string {
	if at := s.at[wordFacebookDevice]; at != absent {
		if m := field(ua, int(at)+len("fbdv/")); m != "" {
			return m
		}
	}
	for _, w := range [...]struct {
		word word
		name string
	}{{wordIPad, "iPad"}, {wordIPod, "iPod"}, {wordIPhone, "iPhone"}} {
		if s.at[w.word] == absent {
			continue
		}
		if m := identifier(ua, w.name); m != "" {
			return m
		}
		return w.name
	}
	if s.at[wordMacintosh] != absent {
		return "iPad"
	}
	return ""
}

// identifier finds name directly followed by "14,3".
func identifier(ua, name string) string {
	for from := 0; ; {
		i := strings.Index(ua[from:], name)
		if i < 0 {
			return ""
		}
		start := from + i
		end := start + len(name)
		from = end
		comma := false
		for end < len(ua) && (isDigit(ua[end]) || ua[end] == ',' && !comma && end > from) {
			comma = comma || ua[end] == ','
			end++
		}
		if comma && isDigit(ua[end-1]) {
			return ua[start:end]
		}
	}
}

// field is the text from i up to the next separator.
func field(ua string, i int) string {
	end := i
	for end < len(ua) && ua[end] != ';' && ua[end] != ']' && ua[end] != ')' {
		end++
	}
	return strings.TrimSpace(ua[i:end])
}

// television reads what the remaining platforms say of themselves.
func (s *sighting) television(ua string, d *Device) {
	switch d.Platform {
	case AppleTV:
		d.Model, d.OSVersion = "AppleTV", appleVersion(ua)
		if m := identifier(ua, "AppleTV"); m != "" {
			d.Model = m
		}
	case Roku:
		at := s.at[wordRoku]
		d.Model = "Roku"
		if i := strings.Index(ua[at:], "DVP-"); i >= 0 {
			d.OSVersion = versionAt(ua, int(at)+i+len("DVP-"))
		}
	case Tizen:
		d.OSVersion = versionAfter(ua, s.at[wordTizen], "tizen")
	case PlayStation:
		s.playStation(ua, d)
	case Xbox:
		d.Model = "Xbox"
		for _, m := range [...]string{"Xbox Series X", "Xbox Series S", "Xbox One"} {
			if strings.Contains(ua, m) {
				d.Model = m
			}
		}
	case FireOS:
		d.Model = ""
	}
}

// playStation reads "PlayStation 4 8.03", "PlayStation 5/2.26",
// "PLAYSTATION 3; 3.55".
func (s *sighting) playStation(ua string, d *Device) {
	at := int(s.at[wordPlayStation])
	if i := strings.Index(ua[at+1:], "PlayStation "); matchFold(ua[at:], "playstation;") && i >= 0 {
		at += 1 + i
	}
	end := at + len("playstation")
	if end+1 < len(ua) && ua[end] == ' ' {
		for end++; end < len(ua) && isAlnum(ua[end]); end++ {
		}
	}
	d.Model = ua[at:end]
	for i := end; i < min(len(ua), end+3); i++ {
		if isDigit(ua[i]) {
			d.OSVersion = versionAt(ua, i)
			return
		}
	}
}

// browser names the app around the page. A preview fetcher or other bot has
// none, even where it carries the app's name.
func (s *sighting) browser(d *Device) string {
	switch {
	case d.Bot != "":
		return ""
	case s.app >= 0:
		return vocabulary.entries[s.app].label
	case d.Platform == IOS && s.at[wordEngine] != absent && s.at[wordMobile] != absent && s.at[wordSafari] == absent &&
		s.at[wordBrowser] == absent && s.at[wordIOSBrowser] == absent:
		return "WebView"
	}
	return ""
}

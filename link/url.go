package link

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Host returns the host of an absolute http or https URL in lower case and
// without its port, or "" for anything else.
func Host(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// WebURL reports whether text is an absolute http or https URL with a host, and
// a port that can be reached where it names one. Users, blanks and backslashes
// are refused: browsers and parsers disagree on what host such a URL has.
func WebURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || strings.ContainsFunc(text, unicode.IsSpace) || strings.Contains(text, `\`) {
		return false
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
		return false
	}
	host := Host(text)
	named := func(c rune) bool {
		return unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) || strings.ContainsRune("-._:", c)
	}
	return host != "" && host[0] != '.' && !strings.Contains(host, "..") && !strings.ContainsFunc(host, func(c rune) bool { return !named(c) })
}

// forbiddenSchemes run code or read files where a browser follows them
// (DESIGN §6, "Targets"). intent: names any component of any Android app.
var forbiddenSchemes = map[string]bool{
	"javascript": true, "data": true, "vbscript": true, "file": true, "blob": true, "intent": true,
	"about": true, "content": true, "filesystem": true, "view-source": true,
}

// SafeScheme reports whether a redirect may use the scheme, which is compared
// without regard to case.
func SafeScheme(scheme string) bool {
	return scheme != "" && !forbiddenSchemes[strings.ToLower(scheme)]
}

// Scheme returns the scheme of a URI, or "" where it has none. It accepts what
// RFC 3986 §3.1 allows and nothing before it, so that " javascript:" and
// "java\tscript:", which browsers repair, have no scheme.
func Scheme(uri string) string {
	name, _, found := strings.Cut(uri, ":")
	if !found || name == "" {
		return ""
	}
	for i := range len(name) {
		c := name[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || !(name[i] >= '0' && name[i] <= '9' || name[i] == '+' || name[i] == '-' || name[i] == '.')) {
			return ""
		}
	}
	return name
}

// reservedSegments are first segments of paths that belong to every link host.
var reservedSegments = map[string]bool{
	".well-known": true, "apple-app-site-association": true, "robots.txt": true, "favicon.ico": true, "sitemap.xml": true,
}

// ReservedPath reports whether a path of a link host, without the slash at its
// front, is kept for the host's own files: no link may own it.
func ReservedPath(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return reservedSegments[strings.ToLower(first)]
}

package onelink

import (
	"slices"
	"strings"
	"unicode"

	"waypost/link"
)

// webTargets are the parameters that send people to a web page.
var webTargets = []string{paramRedirect, paramWebURL, paramIOSURL, paramAndroidURL}

// isWebURL reports whether a parameter's value must be a web address.
func isWebURL(name string) bool {
	return slices.Contains(webTargets, name) || name == paramImage
}

// sendsPeople reports whether people or their browsers follow a parameter's value.
func sendsPeople(name string) bool { return isWebURL(name) || name == paramDeepLink }

// hostsOf returns the hosts that the parameters of a link from the source send
// people to, each once.
func hostsOf(params []link.Param, source link.Source) []string {
	var hosts []string
	for _, p := range params {
		if !slices.Contains(webTargets, p.Name) {
			continue
		}
		if host := link.Host(decodeOnce(p.Value, source)); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// dangerous reports whether a target would run code or open files. Browsers
// skip blanks before a scheme and tabs and newlines inside it; the latter are
// control characters, which are refused before.
func dangerous(target string) bool {
	scheme := link.Scheme(strings.TrimSpace(target))
	return scheme != "" && !link.SafeScheme(scheme)
}

// hasControl reports whether text holds a control character (C0, DEL or C1).
func hasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

// brandHost returns the host of a brand_domain, lower case and without a port.
// The vendor's examples are a bare host and a host with a path; a whole URL is
// taken as well. It is empty where the text holds no host.
func brandHost(text string) string {
	text = strings.TrimSpace(text)
	if _, rest, found := strings.Cut(text, "://"); found {
		text = rest
	}
	if end := strings.IndexAny(text, "/?#:"); end >= 0 {
		text = text[:end]
	}
	return strings.ToLower(text)
}

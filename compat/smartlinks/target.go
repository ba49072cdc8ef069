package smartlinks

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// storeSchemes open a store's own app; a destination may use them beside http.
var storeSchemes = []string{"market", "itms", "itms-apps", "itms-appss", "macappstore", "macappstores", "ms-windows-store", "amzn"}

// hole is part of a {macro}; whole is one that stands for a whole URL.
var (
	hole  = regexp.MustCompile(`[{}]`)
	whole = regexp.MustCompile(`^\{[^{}]+\}$`)
)

// target reads a URL; nil where it is absent, empty where it is the empty string.
func (o object) target(field string, check func(string) string) (*string, error) {
	text, err := o.text(field, maxURL)
	if text == nil || *text == "" || err != nil {
		return text, err
	}
	if wrong := check(*text); wrong != "" {
		return nil, fault.Bad(o.name(field), fault.Malformed, "%s", wrong)
	}
	return text, nil
}

// checkDestination says what is wrong with a URL where people go who do not
// have the app.
func checkDestination(text string) (wrong string) {
	if whole.MatchString(text) {
		return ""
	}
	scheme := strings.ToLower(link.Scheme(text))
	if scheme != "http" && scheme != "https" && !slices.Contains(storeSchemes, scheme) {
		return "must be an http or https URL, one of a store's app, or one {macro}"
	}
	return checkTarget(text, scheme)
}

// checkDeepLink says what is wrong with a URL that opens an app.
func checkDeepLink(text string) (wrong string) {
	if whole.MatchString(text) {
		return ""
	}
	scheme := strings.ToLower(link.Scheme(text))
	if scheme == "" {
		return "must be a URL with a scheme, such as myapp://offer, or one {macro}"
	}
	return checkTarget(text, scheme)
}

func checkTarget(text, scheme string) (wrong string) {
	if !link.SafeScheme(scheme) {
		return "must not have the scheme " + scheme
	}
	if scheme != "http" && scheme != "https" {
		return ""
	}
	host := authority(text)
	u, err := url.Parse("https://" + host)
	switch {
	case hole.MatchString(host): // a value from the clicked URL must not choose the host
		return "must not have a {macro} in its host"
	case err != nil || u.Hostname() == "" || u.User != nil:
		return "must have a host and no user name, as in https://www.example.com/path"
	}
	return ""
}

// authority returns what stands between the scheme of an http URL and its
// path; the rest may hold macros and what clients forgot to encode.
func authority(text string) string {
	_, rest, _ := strings.Cut(text, ":")
	rest, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// clickIDParam is what the vendor adds to the destinations of web apps, so
// that the site can tell it which click has brought the visitor.
const clickIDParam = "ko_click_id={click_id}"

// destination returns the URL as it is stored for an app's visitors: on web
// sites with the click's id, once, behind the query and before the fragment.
func destination(text string, p device.Platform) string {
	before, fragment, hashed := strings.Cut(text, "#")
	_, query, queried := strings.Cut(before, "?")
	if p != device.Web || whole.MatchString(text) || slices.ContainsFunc(strings.Split(query, "&"), isClickID) {
		return text
	}
	switch {
	case !queried:
		before += "?"
	case query != "" && !strings.HasSuffix(query, "&"):
		before += "&"
	}
	before += clickIDParam
	if hashed {
		before += "#" + fragment
	}
	return before
}

func isClickID(pair string) bool { return strings.HasPrefix(pair, "ko_click_id=") }

// targetHosts returns the hosts that the link sends people to.
func (s *Stored) targetHosts() []string {
	var hosts []string
	add := func(text string) {
		if host := link.Host(link.Scheme(text) + "://" + authority(text)); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	add(s.Path)
	add(s.Default.Destination)
	for _, t := range s.Trackers() {
		if t.Route != nil {
			add(t.Route.Destination)
			add(t.Route.Reengagement)
		}
	}
	return hosts
}

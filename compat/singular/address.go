package singular

import (
	"net/url"
	"regexp"
	"strings"

	"waypost/link"
)

// queryOf returns the query that a link's address is given: what partner asks
// for, raw, since its {macros} are filled by whoever serves the link, or for
// links without one the deep link; then the link's own parameters, which
// replace those of the same name.
func queryOf(s *Stored, partner *link.Partner) string {
	var all []Pair // values as they stand in an address
	if partner != nil {
		for pair := range strings.SplitSeq(strings.Trim(partner.LinkQuery, "?&"), "&") {
			if name, value, _ := strings.Cut(pair, "="); name != "" {
				all = append(all, Pair{name, value})
			}
		}
	} else {
		all = deepLinks(s)
	}
	own := map[string]bool{}
	for _, p := range s.LinkParameter {
		own[p.Name] = true
	}
	var parts []string
	for _, p := range all {
		if name, err := url.QueryUnescape(p.Name); err == nil && !own[name] {
			parts = append(parts, p.Name+"="+p.Value)
		}
	}
	for _, p := range s.LinkParameter {
		parts = append(parts, escapeOpen(p.Name)+"="+escapeOpen(p.Value))
	}
	return strings.Join(parts, "&")
}

// macroForm is a value that whoever serves the link replaces: {NAME}, {{name}} or $NAME.
var macroForm = regexp.MustCompile(`^(\{[A-Za-z0-9_.-]+\}|\{\{[A-Za-z0-9_.-]+\}\}|\$[A-Za-z0-9_]+)$`)

// escapeOpen encodes a value for an address, but leaves a macro as it is.
func escapeOpen(text string) string {
	if macroForm.MatchString(text) {
		return text
	}
	return escape(text)
}

// deepLinks returns the parameters by which an app reads from the address where
// it is to go. One for all platforms is enough where they do not differ; where
// they do, Android apps read their own first. A deferred deep link that only
// one platform has stays in the link alone.
func deepLinks(s *Stored) []Pair {
	var pairs []Pair
	add := func(name, value string) {
		if value != "" {
			pairs = append(pairs, Pair{name, escapeOpen(value)})
		}
	}
	a, i := s.Android, s.IOS
	switch {
	case i == nil:
		add(queryDeepLink, a.DeepLink)
		add(queryDeferred, a.Deferred)
		return pairs
	case a == nil || a.DeepLink == i.DeepLink:
		add(queryDeepLink, i.DeepLink)
	case a.DeepLink == "":
		add(queryIOSDeepLink, i.DeepLink)
	default:
		if i.DeepLink != "" {
			add(queryDeepLink, i.DeepLink)
		}
		add(queryAndroidDeepLink, a.DeepLink)
	}
	if a == nil || a.Deferred == i.Deferred {
		add(queryDeferred, i.Deferred)
	}
	return pairs
}

// impressionQuery is the query of a link's impression address: who only looks
// opens no app.
func impressionQuery(query string) string {
	var parts []string
	for pair := range strings.SplitSeq(query, "&") {
		switch name, _, _ := strings.Cut(pair, "="); name {
		case "", queryDeepLink, queryAndroidDeepLink, queryIOSDeepLink, queryDeferred:
		default:
			parts = append(parts, pair)
		}
	}
	return strings.Join(parts, "&")
}

// impressionPath begins the path of impressions on a host of links.
const impressionPath = "i"

// addresses are all that a link is spoken of by.
type addresses struct {
	click, impression, short string // short is empty for links that have none
	plain                    string // click without its query
}

// addressesOf returns the addresses of a link; base is its host's URL.
func addressesOf(base string, l *link.Link, s *Stored) addresses {
	_, path, _ := l.Path.SplitHost()
	path = string(s.Letter()) + path
	a := addresses{plain: base + "/" + path}
	a.click = withQuery(a.plain, s.Query)
	a.impression = withQuery(base+"/"+impressionPath+"/"+path, impressionQuery(s.Query))
	if s.Short != "" {
		a.short = a.plain + "/" + s.Short
	}
	return a
}

func withQuery(address, query string) string {
	if query == "" {
		return address
	}
	return address + "?" + query
}

// baseOf returns the URL of the host that a link is shown on: its brand's where
// it has one.
func (a *API) baseOf(l *link.Link) string {
	host, _, _ := l.Path.SplitHost()
	for _, h := range []string{l.Brand, host} {
		if site := a.Rules.Directory().Site(h); site != nil {
			return site.BaseURL
		}
	}
	return "https://" + host // its domain is gone, and with it the link; people still read where it was
}

// targetHosts returns the hosts that a link sends people to, by itself or by
// the parameters that its maker has put on its address.
func targetHosts(s *Stored) []string {
	all := []string{s.Fallback}
	for _, r := range []*Redirection{s.Android, s.IOS} {
		if r != nil {
			all = append(all, r.Destination, r.DeepLink, r.Deferred)
		}
	}
	for _, p := range s.LinkParameter {
		if strings.HasSuffix(p.Name, "_redirect") || strings.HasSuffix(p.Name, "_dl") || p.Name == queryDeferred {
			all = append(all, p.Value)
		}
	}
	var hosts []string
	seen := map[string]bool{"": true}
	for _, address := range all {
		if h := link.Host(address); !seen[h] {
			seen[h] = true
			hosts = append(hosts, h)
		}
	}
	return hosts
}

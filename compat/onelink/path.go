package onelink

import (
	"net/http"
	"net/url"
	"strings"

	"waypost/link"
)

// place is what a request's path and query name.
type place struct {
	template link.TemplateID
	code     string // v1: empty where the request has none
	badCode  bool   // v1: the query cannot be read, so no id can be trusted to be absent
	account  string // the quota endpoint's account
}

// Owns reports whether a request's path, escaped or not, belongs to this API,
// so that a listener can pass it on before a mux cleans and redirects it.
func Owns(path string) bool {
	parts := segments(path)
	return isV1(parts) || isV2(parts)
}

func isV1(parts []string) bool { return len(parts) >= 2 && parts[0] == "shortlink" && parts[1] == "v1" }
func isV2(parts []string) bool { return len(parts) >= 2 && parts[0] == "api" && parts[1] == "v2.0" }

// segments splits a path; repeated and trailing slashes make no segment. Code
// generators that join naively send them.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
}

// route finds the version that answers a request, and its endpoint if there is
// one. Only the escaped path tells a slash in an id from one between segments.
func (a *API) route(r *http.Request) (*version, endpoint) {
	parts := segments(r.URL.EscapedPath())
	if isV1(parts) {
		found, ok := v1Place(parts[2:], r.URL.RawQuery)
		if !ok {
			return &a.v1, endpoint{}
		}
		return &a.v1, endpoint{verbs: a.v1.links, place: found}
	}
	if !isV2(parts) {
		return &a.v2, endpoint{}
	}
	verbs, found := a.v2Place(parts[2:])
	return &a.v2, endpoint{verbs: verbs, place: found}
}

// v1Place reads "{template}", and also "{template}&id={id}" as the vendor's
// page spells it, whose "&" may arrive as %26. The real query wins over what
// stands in the path.
func v1Place(parts []string, rawQuery string) (place, bool) {
	if len(parts) == 0 {
		return place{}, false
	}
	name, inPath := cutAmpersand(strings.Join(parts, "/"))
	name, inPath = strings.TrimSuffix(name, "/"), strings.TrimSuffix(inPath, "/")
	template, err := url.PathUnescape(name)
	if err != nil || strings.Contains(name, "/") || strings.Contains(inPath, "/") {
		return place{}, false
	}
	query, err := url.ParseQuery(rawQuery)
	extra, extraErr := url.ParseQuery(inPath)
	code := query.Get("id")
	if !query.Has("id") {
		code = extra.Get("id")
	}
	return place{template: link.TemplateID(template), code: code, badCode: err != nil || extraErr != nil}, true
}

// cutAmpersand cuts a path at its first "&" or "%26". Where a client has
// escaped "&id=" as one, the "=" is escaped as well.
func cutAmpersand(path string) (name, query string) {
	plain, escaped := strings.Index(path, "&"), strings.Index(path, "%26")
	switch {
	case plain < 0 && escaped < 0:
		return path, ""
	case escaped < 0 || plain >= 0 && plain < escaped:
		return path[:plain], path[plain+1:]
	}
	name, query = path[:escaped], path[escaped+len("%26"):]
	if whole, err := url.PathUnescape(query); err == nil && !strings.Contains(query, "=") {
		query = whole
	}
	return name, query
}

// v2Place reads "shortlinks/{template}[/{id}[/qr]]" and
// "shortlinks-quota/{account}"; clients percent-encode the parts.
func (a *API) v2Place(parts []string) (map[string]verb, place) {
	names := make([]string, len(parts))
	for i, part := range parts {
		name, err := url.PathUnescape(part)
		if err != nil {
			return nil, place{}
		}
		names[i] = name
	}
	switch {
	case len(names) == 2 && names[0] == "shortlinks-quota":
		return a.v2.quota, place{account: names[1]}
	case len(names) < 2 || len(names) > 4 || names[0] != "shortlinks":
		return nil, place{}
	}
	found := place{template: link.TemplateID(names[1])}
	switch {
	case len(names) == 2:
		return a.v2.templates, found
	case len(names) == 4 && names[3] != "qr":
		return nil, place{}
	}
	found.code = names[2]
	if len(names) == 4 {
		return a.v2.qr, found
	}
	return a.v2.links, found
}

// secret returns the token of a request. The reference sends it bare; for two
// weeks in 2025 it asked for "Bearer", and clients still send that. Of two
// headers a proxy may have judged the other one, so they are none.
func secret(r *http.Request) string {
	if len(r.Header.Values("Authorization")) != 1 {
		return ""
	}
	token := strings.TrimSpace(r.Header.Get("Authorization"))
	words := strings.Fields(token)
	if len(words) > 0 && strings.EqualFold(words[0], "Bearer") {
		return strings.TrimSpace(token[len(words[0]):])
	}
	return token
}

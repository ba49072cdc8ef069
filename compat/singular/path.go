package singular

import (
	"net/http"
	"net/url"
	"strings"
)

// maxURI bounds a request's path and query in characters ("Limits": the URL of
// a GET can be up to 8000 characters long).
const maxURI = 8000

// Owns reports whether a request's path, escaped or not, belongs to this API,
// so that a listener can pass it on before a mux cleans and redirects it.
func Owns(path string) bool {
	_, ours := place(path)
	return ours
}

// place returns what follows the API's own prefix in a path, "shorten_link"
// standing for itself. Repeated and trailing slashes make no segment: code
// generators that join naively send them.
func place(path string) (rest []string, ours bool) {
	parts := strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
	if len(parts) < 3 || parts[0] != "api" || parts[1] != "v1" {
		return nil, false
	}
	switch {
	case parts[2] == "singular_links":
		return parts[3:], true
	case parts[2] == "shorten_link" && len(parts) == 3:
		return parts[2:], true
	}
	return nil, false
}

// route finds the verbs of a request's path, nil where nothing answers, and
// the id of the link that it names.
func (a *API) route(r *http.Request) (verbs map[string]verb, id string) {
	parts, _ := place(r.URL.EscapedPath())
	if len(parts) == 0 || len(parts) > 3 || len(parts) > 1 && parts[0] != "links" {
		return nil, ""
	}
	if len(parts) > 1 {
		id, err := url.PathUnescape(parts[1])
		switch {
		case err != nil:
			return nil, ""
		case len(parts) == 2:
			return a.link, id
		case parts[2] == "qr":
			return a.picture, id
		}
		return nil, ""
	}
	switch parts[0] {
	case "links":
		return a.links, ""
	case "apps":
		return a.apps, ""
	case "configured_partners":
		return a.configured, ""
	case "all_partners":
		return a.partners, ""
	case "domains":
		return a.domains, ""
	case "shorten_link":
		return a.shorten, ""
	}
	return nil, ""
}

// secret returns the key of a request: from the header, bare or after
// "Bearer", else from the query, as the vendor's samples have it. Of two
// headers a proxy may have judged the other one, so they are none.
func secret(r *http.Request, query params) string {
	if len(r.Header.Values("Authorization")) > 1 {
		return ""
	}
	key := strings.TrimSpace(r.Header.Get("Authorization"))
	if key == "" {
		return query.first("api_key")
	}
	if words := strings.Fields(key); strings.EqualFold(words[0], "Bearer") {
		return strings.TrimSpace(key[len(words[0]):])
	}
	return key
}

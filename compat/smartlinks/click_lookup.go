package smartlinks

import (
	"bytes"
	"encoding/json"
	"strings"

	"waypost/link"
	"waypost/route"
)

// lookupNames are the parameters in which an app tells the URL that opened it.
// Nothing that can be read says which one it is.
var lookupNames = [...]string{"path", "url", "link", "deeplink"}

// lookedUp returns the URL that an app asks about, or "". It stands in the
// query, in a JSON body, or in the body's "data". A path alone is one of the
// host that was asked.
func lookedUp(r *route.Request) string {
	asked := askedByQuery(r.Query)
	if asked == "" {
		asked = askedByJSON(r.Body)
	}
	if asked == "" && !strings.HasPrefix(strings.TrimSpace(r.Body), "{") {
		asked = askedByQuery(r.Body) // a form's
	}
	head, _, _ := strings.Cut(asked, "?")
	if strings.HasPrefix(asked, "/") && !strings.HasPrefix(asked, "//") || isGUID(head) {
		return r.Site.BaseURL + "/" + strings.TrimLeft(asked, "/")
	}
	return asked
}

// askedByQuery finds the URL in a query. One that nobody encoded goes on to the
// query's end, for its own parameters are behind it.
func askedByQuery(raw string) string {
	for _, name := range lookupNames {
		for rest := raw; rest != ""; {
			all := rest
			var pair string
			pair, rest, _ = strings.Cut(rest, "&")
			given, value, _ := strings.Cut(pair, "=")
			if given != name || value == "" {
				continue
			}
			if link.Scheme(value) != "" && strings.Contains(value, "://") && strings.Contains(value, "?") {
				return all[len(given)+1:]
			}
			if value = strings.TrimSpace(unescape(value)); value != "" {
				return value
			}
		}
	}
	return ""
}

// askedByJSON finds the URL in a JSON object or in the object "data" of it.
func askedByJSON(body string) string {
	object := json.RawMessage(body)
	for range 2 {
		var fields map[string]json.RawMessage
		if json.Unmarshal(object, &fields) != nil {
			return ""
		}
		for _, name := range lookupNames {
			var value string
			if json.Unmarshal(fields[name], &value) == nil && strings.TrimSpace(value) != "" {
				return strings.TrimSpace(value)
			}
		}
		object = fields["data"]
	}
	return ""
}

// AppendLookup appends what an app is told that asks about the clicked url: the
// deep link, or where there is none the url itself. Where apps look for it
// differs, so it stands in all three places.
func (Clicks) AppendLookup(dst []byte, url, deepLink string) []byte {
	if deepLink == "" {
		deepLink = url
	}
	type told struct {
		Destination string `json:"destination"`
	}
	var answer bytes.Buffer
	enc := json.NewEncoder(&answer)
	enc.SetEscapeHTML(false)
	it := told{deepLink}
	err := enc.Encode(struct {
		told
		DeepLink told `json:"deeplink"`
		Data     told `json:"data"`
	}{it, it, it})
	if err != nil {
		panic("smartlinks: a deep link has no JSON form: " + err.Error())
	}
	return append(dst, bytes.TrimSuffix(answer.Bytes(), []byte("\n"))...)
}

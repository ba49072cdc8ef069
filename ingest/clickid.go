package ingest

import (
	"net/url"
	"strings"

	"waypost/attribution"
	"waypost/internal/uid"
)

// clickNames are the parameters in which our destinations carry the click's id:
// each dialect's own, and click_id, which links of any may have.
var clickNames = []string{"af_tranid", "singular_click_id", "ko_click_id", "click_id"}

// ClickInReferrer returns the id of our click, in decimal digits, that a
// store's install referrer brings back; empty where it names none of ours.
func ClickInReferrer(raw string) string {
	if len(raw) > maxReferrer {
		return ""
	}
	return clickIn(attribution.ReferrerParams(strings.TrimPrefix(raw, "?")), true)
}

// ClickInURL returns the id of our click, in decimal digits, in the URL that
// opened an app: in its query, its fragment, or a referrer inside of them.
func ClickInURL(rawURL string) string {
	if len(rawURL) > maxURL {
		return ""
	}
	rest, fragment, _ := strings.Cut(rawURL, "#")
	_, query, _ := strings.Cut(rest, "?")
	if id := clickIn(attribution.ReferrerParams(query), true); id != "" {
		return id
	}
	if _, after, ok := strings.Cut(fragment, "?"); ok {
		fragment = after
	}
	return clickIn(attribution.ReferrerParams(fragment), true)
}

// clickIn looks under each name for a value that is an id of ours. nested asks
// to look into a referrer that stands inside.
func clickIn(params map[string]string, nested bool) string {
	for _, name := range clickNames {
		if id := clickID(params[name]); id != "" {
			return id
		}
	}
	if inner := params["referrer"]; nested && inner != "" {
		return clickIn(attribution.ReferrerParams(inner), false)
	}
	return ""
}

// clickID reads a click's digits or its token. Layers of encoding that stores
// and browsers add are taken off, three at most.
func clickID(text string) string {
	for range 3 {
		if c, ok := uid.ParseClick(text); ok {
			return c.String()
		}
		plain, err := url.PathUnescape(text)
		if err != nil || plain == text {
			return ""
		}
		text = plain
	}
	return ""
}

package singular

import (
	"slices"
	"strings"

	"waypost/link"
	"waypost/route"
)

// clickID is the click's id as it stands inside the value of another parameter.
const clickID = queryClickID + "%3D{click_id}"

// target makes a target of a URL as the vendor does: the click's id in
// "referrer", after what stands there already, and all parameters sorted by
// name. Nil where the URL cannot be used.
func (k *clicked) target(raw string, from origin, name string) *route.Target {
	if raw == "" {
		return nil
	}
	if err := route.CheckTarget(raw); err != nil {
		k.note("%s is ignored: it %s.", name, err)
		return nil
	}
	if from == fromURL {
		raw = strings.ReplaceAll(raw, "{", "%7B") // macros are for the links' owners
	}
	t := &route.Target{URL: raw, Macros: true, From: name}
	if !decorated(raw) {
		return t
	}
	front, fragment, hasFragment := strings.Cut(raw, "#")
	front, query, _ := strings.Cut(front, "?")
	pairs := withClickID(query, from == fromLink)
	if !isStore(raw, nil) {
		pairs = append(pairs, k.forwarded(pairs)...)
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	b.WriteString(front)
	for i, p := range pairs {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(p.text)
	}
	if hasFragment {
		b.WriteString("#" + fragment)
	}
	t.URL = b.String()
	return t
}

// decorated reports whether a target takes the click's id: web addresses and
// stores do, an app's own URI stays as it is.
func decorated(raw string) bool { return isWeb(raw) || isStoreScheme(link.Scheme(raw)) }

// pair is a parameter of a target: its name decoded, the whole as it is sent.
type pair struct{ name, text string }

// withClickID splits a target's query into pairs and sets the click's id in
// its referrer. An id that stands there is dropped: it is another click's.
// macros says whether what stands there may hold some.
func withClickID(query string, macros bool) []pair {
	var pairs []pair
	referrer := ""
	for text := range strings.SplitSeq(query, "&") {
		rawName, value, _ := strings.Cut(text, "=")
		switch name := unescape(rawName); {
		case text == "" || name == queryClickID:
		case name == queryReferrer:
			for inner := range strings.SplitSeq(unescape(value), "&") {
				if innerName, _, _ := strings.Cut(inner, "="); inner != "" && unescape(innerName) != queryClickID {
					referrer += encodeInner(inner, macros) + "%26"
				}
			}
		default:
			pairs = append(pairs, pair{name, text})
		}
	}
	return append(pairs, pair{queryReferrer, queryReferrer + "=" + referrer + clickID})
}

// encodeInner encodes a part of the referrer and leaves its macros open.
func encodeInner(s string, macros bool) string {
	encoded := escape(s)
	if macros {
		encoded = strings.ReplaceAll(encoded, "%7Bclick_id%7D", "{click_id}")
	}
	return encoded
}

// forwarded are the parameters of the click that a web destination asks for by
// _forward_params: 1 those of web campaigns, 2 all but those that steer the
// click. What the destination has already stays as it is.
func (k *clicked) forwarded(has []pair) []pair {
	mode, _ := k.get(queryForward)
	all := mode == "2"
	if !all && !k.is(queryForward) {
		return nil
	}
	var pairs []pair
	add := func(name, value string) {
		if !slices.ContainsFunc(has, func(p pair) bool { return p.name == name }) {
			pairs = append(pairs, pair{name, escape(name) + "=" + escape(value)})
		}
	}
	for _, p := range k.params {
		switch {
		case isWebParam(p.Name):
		case !all, steers(p.Name), p.Name == queryClickID, p.Name == queryShortID:
			continue
		}
		add(p.Name, p.Value)
	}
	if all {
		add(queryShortID, k.shortID())
	}
	return pairs
}

// isWebParam reports whether a parameter describes a campaign on the web:
// wpcn, wpcid, wpscn, wpscid, wpcrn, wpcrid and wpsrc.
func isWebParam(name string) bool {
	switch name {
	case "wpcn", "wpcid", "wpscn", "wpscid", "wpcrn", "wpcrid", "wpsrc":
		return true
	}
	return false
}

// steers reports whether a parameter speaks to the link alone, and not to where
// it leads.
func steers(name string) bool {
	switch name {
	case queryDeepLink, queryIOSDeepLink, queryAndroidDeepLink, queryDeferred, queryPassthrough,
		queryFallback, queryIOSRedirect, queryAndroidRedirect, queryFireRedirect, querySamsungRedirect,
		queryForce, queryAndroidForce, queryForward, queryWeb,
		"_smtype", "_link_type", "_ch", "__ch_enabled", "_no_traffic_filtering", "sng_ref", "esp_link", "esp_domains":
		return true
	}
	return false
}

// shortID is the last segment of the clicked address.
func (k *clicked) shortID() string {
	if k.short != "" {
		return k.short
	}
	path := string(k.Link.Path)
	return path[strings.LastIndexByte(path, '/')+1:]
}

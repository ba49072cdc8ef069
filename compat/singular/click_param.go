package singular

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"waypost/link"
	"waypost/route"
)

// Parameters of links' addresses that are acted upon (tracking link
// parameters). All others are kept with the click and may be forwarded.
const (
	queryDeepLink        = "_dl"
	queryIOSDeepLink     = "_ios_dl"
	queryAndroidDeepLink = "_android_dl"
	queryDeferred        = "_ddl"

	queryFallback        = "_fallback_redirect"
	queryIOSRedirect     = "_ios_redirect"
	queryAndroidRedirect = "_android_redirect"
	queryFireRedirect    = "_fire_redirect"
	querySamsungRedirect = "_samsung_redirect"

	queryForce        = "_force_redirect"
	queryAndroidForce = "_android_force_redirect"

	queryPassthrough = "_p"
	queryForward     = "_forward_params"
	queryWeb         = "_web_params"

	queryReferrer = "referrer"
	queryClickID  = "singular_click_id"
	queryShortID  = "sl_id"
)

// origin says where a parameter comes from.
type origin string

const (
	fromLink origin = "of the link"
	fromURL  origin = "of the clicked URL" // or of the one that a dynamic short link stands for
)

// param is a parameter that holds for this click.
type param struct {
	link.Param
	from origin
}

// clicked is one tracking link with one clicked URL.
type clicked struct {
	*route.Clicked
	link   *link.Link // the tracking link; Clicked.Link may stand for it
	stored Stored
	own    []link.Param // the query that the link's long address was given
	letter byte         // A, B, C or D, as clicked
	short  string       // segment of the short form that was clicked; empty for none
	params []param      // in order, each name once
	// standsFor is the query that a short form stands for, raw.
	standsFor string
	notes     []string
}

// add merges parameters: later ones replace earlier ones of the same name. What
// the link's own long address says is the link's, whoever clicks it.
func (k *clicked) add(params []link.Param, from origin) {
	for _, p := range params {
		if p.Name = cleanName(p.Name); p.Name == "" {
			continue
		}
		added := param{p, from}
		if slices.Contains(k.own, p) {
			added.from = fromLink
		}
		if i := slices.IndexFunc(k.params, func(given param) bool { return given.Name == p.Name }); i >= 0 {
			k.params[i] = added
		} else {
			k.params = append(k.params, added)
		}
	}
}

// get returns a parameter's value, empty where there is none.
func (k *clicked) get(name string) (string, origin) {
	for i := range k.params {
		if k.params[i].Name == name {
			return k.params[i].Value, k.params[i].from
		}
	}
	return "", ""
}

// is reports whether a parameter is switched on.
func (k *clicked) is(name string) bool {
	switch value, _ := k.get(name); strings.ToLower(value) {
	case "", "0", "false":
		return false
	}
	return true
}

// note keeps a sentence for explanations; a parameter that several platforms
// look at is spoken of once.
func (k *clicked) note(format string, args ...any) {
	if sentence := fmt.Sprintf(format, args...); !slices.Contains(k.notes, sentence) {
		k.notes = append(k.notes, sentence)
	}
}

// cleanName undoes what pages do to the names of parameters: the vendor's own
// documents break long ones across lines, and others encode "&" twice.
func cleanName(name string) string {
	if strings.ContainsFunc(name, unicode.IsSpace) {
		name = strings.Join(strings.Fields(name), "")
	}
	for {
		rest, found := strings.CutPrefix(name, "amp;")
		if !found {
			return name
		}
		name = rest
	}
}

// readQuery decodes a query in order, with clean names. What is not decodable
// stays as it is.
func readQuery(raw string) []link.Param {
	var params []link.Param
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = cleanName(unescape(name)); name != "" {
			params = append(params, link.Param{Name: name, Value: unescape(value)})
		}
	}
	return params
}

func unescape(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return strings.ToValidUTF8(plain, "\ufffd")
}

// escape percent-encodes a name or value for a query. A blank is %20, since not
// every app takes "+" for one.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

package postback

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"waypost/internal/macro"
)

// roundMacro is the syntax of (macros). Other parentheses are left alone.
var roundMacro = regexp.MustCompile(`\([A-Za-z0-9_-]{1,64}\)`)

// fill fills the macros of a postback's URL, each value percent-encoded once.
// What nobody knows is empty. No server sees a fragment, so it is left out.
func (v *view) fill(raw string) (string, error) {
	raw, _, _ = strings.Cut(raw, "#")
	front := macro.Authority(raw)
	raw = raw[:front] + roundMacro.ReplaceAllString(raw[front:], "{$0}")
	filled, err := macro.Expand(nil, raw, func(name string) (string, bool) { return v.macro(name), true })
	if err != nil {
		return "", fmt.Errorf("fill the URL of postback %s: %w", v.postback.Key, err)
	}
	return string(filled), nil
}

// macro is the value of what stood between braces: a name of the vocabulary, a
// (name) of it, a name with a condition, or else a parameter of the clicked URL.
func (v *view) macro(name string) string {
	if network, ok := strings.CutPrefix(name, "NETWORK="); ok {
		return digit(v.isNetwork(network))
	}
	if word, network, ok := strings.Cut(name, "?"); ok {
		if !v.isNetwork(network) {
			return ""
		}
		name = word
	}
	if value, ok := vocabulary[name]; ok {
		return value(v)
	}
	return v.parameters.Get(strings.Trim(name, "()"))
}

// isNetwork reports whether the touch is the network's, by the partner's name
// or key, or as the link spells it. In a template the name is percent-encoded.
func (v *view) isNetwork(encoded string) bool {
	name, err := url.QueryUnescape(encoded)
	if err != nil || name == "" {
		return false
	}
	if p := v.telling.Partner; p != nil && (strings.EqualFold(name, p.Name) || strings.EqualFold(name, string(p.Key))) {
		return true
	}
	return strings.EqualFold(name, v.source.Name)
}

// digit is a truth as vendors write it.
func digit(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

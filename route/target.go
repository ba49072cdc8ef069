package route

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"waypost/internal/macro"
	"waypost/link"
)

// CheckTarget says why a redirect must not go to a URL, or nil: it must be
// absolute and without control characters, its scheme one that link.SafeScheme
// lets through, and no macro may stand in its authority. What a URL may not
// hold, such as spaces, is no reason: it is percent-encoded.
func CheckTarget(raw string) error {
	if err := checkURI(raw); err != nil {
		return err
	}
	// What is sent must parse, and not what came: percent signs that start no
	// escape are repaired, but quotes and angle brackets, which url.Parse lets
	// through in a host, are not when they are encoded.
	var b macro.Builder
	b.URL(raw, nil)
	u, err := url.Parse(b.Take().String())
	if err != nil {
		return errors.New("is not a valid URL")
	}
	if u.Host == "" && isWeb(raw) {
		return errors.New("names no host")
	}
	return nil
}

// CheckOpen is CheckTarget for URIs that open apps. Apps read theirs in ways
// of their own, so nothing is asked of what follows an app's scheme.
func CheckOpen(raw string) error {
	if isWeb(raw) {
		return CheckTarget(raw)
	}
	return checkURI(raw)
}

// checkDeepLink says why an app must not be told a deep link, or nil. It may
// be a path of the app's own as well as a URI.
func checkDeepLink(raw string) error {
	if link.Scheme(raw) == "" {
		return checkText(raw)
	}
	return CheckOpen(raw)
}

func checkText(raw string) error {
	for i := range len(raw) {
		if raw[i] < ' ' || raw[i] == 0x7f {
			return errors.New("holds a control character")
		}
	}
	return nil
}

func checkURI(raw string) error {
	if err := checkText(raw); err != nil {
		return err
	}
	scheme := link.Scheme(raw)
	if scheme == "" {
		return errors.New("is not an absolute URL")
	}
	if !link.SafeScheme(scheme) {
		return fmt.Errorf("has the scheme %s, which is never followed", strings.ToLower(scheme))
	}
	switch front := macro.Authority(raw); {
	case front < len(raw) && raw[front] == '\\': // browsers read it as a slash, parsers do not
		return errors.New("holds a backslash behind its host")
	case strings.ContainsAny(raw[:front], "{}") && strings.Contains(raw, "://"):
		return errors.New("holds a brace in its host")
	}
	return nil
}

func isWeb(raw string) bool {
	scheme := strings.ToLower(link.Scheme(raw))
	return scheme == "http" || scheme == "https"
}

// text compiles a target.
func (t *Target) text(b *macro.Builder) macro.Text {
	known := vocabulary
	if !t.Macros {
		known = nil
	}
	appendURL(b, t.URL, t.Params, known)
	return b.Take()
}

// deepLinkText compiles a deep link. It is no part of a URL here, so nothing
// in it is encoded.
func deepLinkText(b *macro.Builder, raw string) macro.Text {
	const clickID = "{click_id}"
	for {
		before, after, found := strings.Cut(raw, clickID)
		b.Literal(before)
		if !found {
			return b.Take()
		}
		b.Hole(macro.ClickID)
		raw = after
	}
}

// appendURL appends a URL with more parameters: the URL's own query first, its
// fragment last. A parameter whose name the URL's query has is left out.
func appendURL(b *macro.Builder, raw string, params []Param, known macro.Vocabulary) {
	front, fragment, hasFragment := strings.Cut(raw, "#")
	_, query, hasQuery := strings.Cut(front, "?")
	b.URL(front, known)
	first := !hasQuery || query == "" || strings.HasSuffix(query, "&")
	if !hasQuery && len(params) > 0 {
		b.Literal("?")
	}
	for i := range params {
		if query != "" && hasName(query, params[i].Name) {
			continue
		}
		if !first {
			b.Literal("&")
		}
		first = false
		appendParam(b, &params[i])
	}
	if hasFragment {
		b.Literal("#")
		b.URL(fragment, known)
	}
}

// appendParam appends name=value, both percent-encoded once.
func appendParam(b *macro.Builder, p *Param) {
	b.Escaped(p.Name)
	b.Literal("=")
	if p.Inner == nil {
		b.Hole(p.Lead)
		b.Escaped(p.Value)
		return
	}
	var space [512]byte
	inner := macro.Over(space[:])
	for i := range p.Inner {
		if i > 0 {
			inner.Literal("&")
		}
		appendParam(&inner, &p.Inner[i])
	}
	b.EscapedText(inner.Take())
}

// hasName reports whether a raw query has a parameter of that (decoded) name.
func hasName(query, name string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		given, _, _ := strings.Cut(pair, "=")
		if given == name {
			return true
		}
		if strings.ContainsAny(given, "%+") {
			if decoded, err := url.QueryUnescape(given); err == nil && decoded == name {
				return true
			}
		}
	}
	return false
}

// text compiles the URI; fallback is where Android's browser goes by itself
// when no app answers.
func (o *Open) text(b *macro.Builder, fallback macro.Text) macro.Text {
	known := vocabulary
	if !o.Macros {
		known = nil
	}
	if o.Intent == nil {
		appendURL(b, o.URI, o.Params, known)
		return b.Take()
	}
	// The fragment is the intent's own; the URI's is dropped, so that nothing in
	// it can be read as part of the intent.
	uri, _, _ := strings.Cut(o.URI, "#")
	scheme := link.Scheme(uri)
	appendURL(b, "intent"+uri[len(scheme):], o.Params, known)
	b.Literal("#Intent;scheme=")
	b.Literal(strings.ToLower(scheme)) // Android compares schemes by case
	if o.Intent.Package != "" {
		b.Literal(";package=")
		b.Escaped(o.Intent.Package)
	}
	// Browsers accept web addresses alone here; a market: link they build themselves from the package.
	if isWeb(fallback.String()) {
		b.Literal(";S.browser_fallback_url=")
		b.EscapedText(fallback)
	}
	for i := range o.Intent.Extras {
		b.Literal(";")
		appendParam(b, &o.Intent.Extras[i])
	}
	b.Literal(";end")
	return b.Take()
}

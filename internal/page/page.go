// Package page holds the few HTML pages that a click may be answered with:
// one that tries to open an app, one that lists stores, one that previews a
// link. Each is under 4 KB, loads nothing, and does without JavaScript.
package page

import (
	"crypto/sha256"
	_ "embed" // the pages are files
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"strings"
)

var (
	//go:embed try.js
	tryScript string
	//go:embed page.css
	style string
	//go:embed pages.html
	pagesText string

	// pages are read once; a template that was parsed is safe for concurrent use.
	pages = parse()

	policy = "default-src 'none'; script-src " + source(tryScript) + "; style-src " + source(style) +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// Policy is the Content-Security-Policy that every page is to be sent with. It
// allows the one script and the one style by their hashes and nothing else:
// a value that broke out of its attribute could still run nothing.
func Policy() string { return policy }

func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func parse() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"script": func() template.JS { return template.JS(tryScript) },
		"style":  func() template.CSS { return template.CSS(style) },
	}).Parse(pagesText))
}

// Try is a page that opens an app and leads elsewhere when that did not work.
type Try struct {
	Name string // of the product; may be empty
	Open string // URI that opens the app
	Next string // where to go when it did not open; empty: stay
	// Replace leaves the page out of the browser's history when it goes on: for
	// web targets. A store opens as an app of its own and leaves the page behind.
	Replace bool
	Store   bool // Next is a store
	// Copy is put on the clipboard when the visitor taps the way to Next, which
	// nothing but a tap leads to then: browsers want one. Empty: nothing is.
	Copy string
}

// AppendTry appends the page.
func AppendTry(dst []byte, t Try) ([]byte, error) {
	open, err := checked(t.Open)
	if err != nil {
		return dst, err
	}
	next, err := checked(t.Next)
	if err != nil {
		return dst, err
	}
	return appendPage(dst, "try", struct {
		Try
		Open, Next template.URL
	}{t, open, next})
}

// Stores is a page that offers the stores of a product, for visitors whose
// own platform has none.
type Stores struct {
	Name   string
	Stores []Store
}

// Store is one place to get the app.
type Store struct {
	Label string // "iPhone and iPad"
	URL   string
}

// AppendStores appends the page. A page without stores says that the link
// leads nowhere for this visitor.
func AppendStores(dst []byte, s Stores) ([]byte, error) {
	type button struct {
		Label string
		URL   template.URL
	}
	shown := struct {
		Name   string
		Stores []button
	}{Name: s.Name}
	for _, store := range s.Stores {
		uri, err := checked(store.URL)
		if err != nil {
			return dst, err
		}
		shown.Stores = append(shown.Stores, button{store.Label, uri})
	}
	return appendPage(dst, "stores", shown)
}

// Preview is what programs that show a preview of a link read (ogp.me).
type Preview struct {
	Title, Description string
	Image              string // URL; may be empty
	URL                string // of the link itself
}

// AppendPreview appends the page.
func AppendPreview(dst []byte, p Preview) ([]byte, error) {
	uri, err := checked(p.URL)
	if err != nil {
		return dst, err
	}
	return appendPage(dst, "preview", struct {
		Preview
		Link template.URL
	}{p, uri})
}

// checked lets a URI into an href. html/template would refuse every app scheme
// there; who calls this package has checked the URI, and what runs code is
// refused here once more.
func checked(uri string) (template.URL, error) {
	scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(uri)), ":")
	switch {
	case scheme == "javascript", scheme == "vbscript", scheme == "data", scheme == "blob", scheme == "file":
		return "", fmt.Errorf("page: a link with the scheme %q is not shown", scheme)
	case strings.ContainsFunc(uri, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", errors.New("page: a link with a control character is not shown")
	}
	return template.URL(uri), nil
}

// sink lets a template write to the end of a slice.
type sink struct{ buf []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	return len(p), nil
}

func appendPage(dst []byte, name string, shown any) ([]byte, error) {
	out := sink{dst}
	if err := pages.ExecuteTemplate(&out, name, shown); err != nil {
		return dst, fmt.Errorf("page %s: %w", name, err)
	}
	return out.buf, nil
}

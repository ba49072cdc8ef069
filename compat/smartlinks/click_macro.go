package smartlinks

import (
	"errors"
	"slices"
	"strings"

	"waypost/internal/macro"
	"waypost/link"
)

// Parameters that mean something here. Every other name is free, and fills the
// macro of that name.
const (
	macroClickID    = "click_id" // always the server's own; the click's parameter of that name never fills it
	paramClick      = "ko_click_id"
	paramNoRedirect = "pbr"
)

// fixed reports whether no macro but {click_id} stands in the link.
func (c *clicked) fixed() bool {
	templates := []string{c.stored.Default.Destination, c.stored.Path}
	for _, t := range c.trackers {
		if t.Route != nil {
			templates = append(templates, t.Route.Destination, t.Route.Reengagement)
		}
	}
	return !slices.ContainsFunc(templates, leavesOpen)
}

// fill returns a stored URL with the click's parameters in its macros, or "",
// and a note, where that leaves nothing to go to. {click_id} stays.
func (c *clicked) fill(template, from string, check func(uri string) error) string {
	template = strings.TrimSpace(template)
	if template == "" {
		return ""
	}
	uri, err := c.filled(template)
	if err == nil {
		err = check(uri)
	}
	if err == nil && steers(template) {
		err = c.refuse(uri)
	}
	if err != nil {
		c.note("%s is ignored: it %s.", from, err)
		return ""
	}
	return uri
}

// filled fills the macros. A value is encoded once for the place where it
// stands; one that begins the URL is the beginning of a URL itself, and stays
// as it is.
func (c *clicked) filled(template string) (string, error) {
	lookup := func(name string) (string, bool) { return c.value(name), name != macroClickID }
	before, name, after, found := macro.Cut(template)
	if !found || before != "" || name == macroClickID {
		return fillBehind(template, lookup)
	}
	front := strings.TrimSpace(c.value(name))
	if front == "" {
		return "", errors.New("begins with {" + name + "}, which the click does not fill")
	}
	after, err := fillBehind(after, lookup)
	if err != nil {
		return "", err
	}
	return join(inert.Replace(front), after), nil
}

// inert keeps braces of the visitor's from being read as macros.
var inert = strings.NewReplacer("{", "%7B", "}", "%7D")

func fillBehind(template string, lookup func(string) (string, bool)) (string, error) {
	uri, err := macro.Fill(template, lookup)
	if err != nil {
		return "", errors.New("would lead up from its path by the click's parameters")
	}
	return uri, nil
}

// join puts a URL and what is stored behind it together: a query is added to
// the query that the URL has, in front of its fragment.
func join(url, rest string) string {
	if rest == "" || rest[0] != '?' && rest[0] != '&' {
		return url + rest
	}
	front, fragment, found := strings.Cut(url, "#")
	mark := "?"
	if strings.Contains(front, "?") {
		mark = "&"
	}
	url = front + mark + rest[1:]
	if found {
		url += "#" + fragment
	}
	return url
}

// steers reports whether a macro stands where its value decides what program or
// host the URL leads to. Behind an app's own scheme all belongs to the app.
func steers(template string) bool {
	if scheme := link.Scheme(template); scheme != "" && !isWebScheme(scheme) {
		return false
	}
	plain := withHoles(template)
	return strings.Contains(plain[:macro.Authority(plain)], steering)
}

// steering stands for a macro that clicks fill. No URL holds it.
const steering = "\x00"

// withHoles is a template without the names of its macros, which may hold the
// characters that end a host.
func withHoles(template string) string {
	var plain strings.Builder
	for {
		before, name, after, found := macro.Cut(template)
		plain.WriteString(before)
		switch {
		case !found:
			return plain.String()
		case name == macroClickID:
			plain.WriteString(name)
		default:
			plain.WriteString(steering)
		}
		template = after
	}
}

// refuse says why a URL that a visitor steers is not followed, or nil. Anyone
// can write such a click, so a web address needs a host that the account uses,
// in a store the page of one of the link's apps, and anything else the scheme
// of one of them.
func (c *clicked) refuse(uri string) error {
	scheme := strings.ToLower(link.Scheme(uri))
	host := link.Host(uri)
	switch {
	case host == "" && !slices.Contains(c.schemes(), scheme):
		return errors.New("has the scheme " + scheme + ", which is none of the apps'")
	case host == "":
		return nil
	case isStore(uri) && !c.sells(uri):
		return errors.New("leads to an app in a store that is none of the link's")
	case !c.Allow(host):
		return errors.New("leads to " + host + ", which the account does not use")
	}
	return nil
}

// leavesOpen reports whether a text has a macro that clicks fill.
func leavesOpen(text string) bool {
	for {
		_, name, after, found := macro.Cut(text)
		if !found {
			return false
		}
		if name != macroClickID {
			return true
		}
		text = after
	}
}

// value returns the first value that the click has for the name, or "".
func (c *clicked) value(name string) string {
	for _, p := range c.Query {
		if p.Name == name && p.Value != "" && !unfilled(p.Value) {
			return p.Value
		}
	}
	return ""
}

// unfilled reports whether a value is still the macro that somebody before us
// should have replaced: {x}, {{x}}, %{x} or ${x}.
func unfilled(value string) bool {
	value = strings.TrimSpace(value)
	if value != "" && (value[0] == '%' || value[0] == '$') {
		value = value[1:]
	}
	name := strings.Trim(value, "{}")
	if name == "" || len(name) == len(value) || value[0] != '{' || value[len(value)-1] != '}' {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-. ", r)
	})
}

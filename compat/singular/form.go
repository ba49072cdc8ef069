package singular

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"waypost/link"
)

// Limits of what a link holds, in characters. The vendor names none.
const (
	maxName   = 255
	maxSource = 100
	maxTarget = 2048
)

// form is the fields of a create or of one of its objects, by name in lower
// case, blank ones left out. After the first value that cannot be read its
// methods return nothing, and err says which it was.
type form struct {
	object string // name of the object that the fields stand in, with a dot; empty for the body
	fields map[string]json.RawMessage
	err    error
	notes  []string // of what has no effect
}

func newForm(object string) *form {
	return &form{object: object, fields: map[string]json.RawMessage{}}
}

// fill sets the fields that are not blank. The vendor's table and its samples
// differ in the case of names, and in some names: the first one wins over the
// other where both are given.
func (f *form) fill(members []member) {
	for _, other := range []bool{true, false} {
		for _, m := range members {
			if name, isOther := fieldName(m.name); isOther == other && !blank(m.value) {
				f.fields[name] = m.value
			}
		}
	}
}

// clear forgets the fields that are named and blank.
func (f *form) clear(members []member) {
	for _, m := range members {
		if name, _ := fieldName(m.name); blank(m.value) {
			delete(f.fields, name)
		}
	}
}

// otherNames are what the API's own answers call some parameters, so that what
// was read can be sent back.
var otherNames = map[string]string{
	"enabled_ctv":                   paramCTV,
	"destination_deferred_deeplink": paramDeferred,
}

// fieldName returns the name by which a field is kept; isOther tells that it
// was given by its other name.
func fieldName(given string) (name string, isOther bool) {
	name = strings.ToLower(strings.TrimSpace(given))
	if first, ok := otherNames[name]; ok {
		return first, true
	}
	return name, false
}

func (f *form) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// take returns a field's value, or nil.
func (f *form) take(name string) json.RawMessage {
	if f.err != nil {
		return nil
	}
	return f.fields[name]
}

// need is take for a field that must be there.
func (f *form) need(name string) json.RawMessage {
	raw := f.take(name)
	if raw == nil {
		f.fail(missing(f.object + name))
	}
	return raw
}

// number reads a whole number, which may come as a text.
func (f *form) number(name string, raw json.RawMessage) int64 {
	if raw == nil {
		return 0
	}
	n, ok := wholeNumber(strings.TrimSpace(looseText(raw)))
	if !ok {
		f.fail(invalid(f.object+name, "it must be a whole number, not %s", shortened(looseText(raw))))
	}
	return n
}

// boolean reads true or false, which may come as a text; nil where absent.
func (f *form) boolean(name string) *bool {
	raw := f.take(name)
	if raw == nil {
		return nil
	}
	var value bool
	switch strings.ToLower(strings.TrimSpace(looseText(raw))) {
	case "true", "1":
		value = true
	case "false", "0":
	default:
		f.fail(invalid(f.object+name, "it must be true or false, not %s", shortened(looseText(raw))))
	}
	return &value
}

// text reads a text of at most so many characters. Numbers are texts, too: a
// cell of a spreadsheet may hold one.
func (f *form) text(name string, raw json.RawMessage, most int) string {
	if raw == nil {
		return ""
	}
	if raw[0] == '{' || raw[0] == '[' {
		f.fail(invalid(f.object+name, "it must be a text"))
		return ""
	}
	text := strings.TrimSpace(looseText(raw))
	switch {
	case utf8.RuneCountInString(text) > most:
		f.fail(invalid(f.object+name, "it must not be longer than %d characters", most))
	case strings.ContainsFunc(text, unicode.IsControl):
		f.fail(invalid(f.object+name, "it must not hold control characters"))
	}
	return text
}

// part reads an object, which may come as a text that holds one; ok is false
// where it is absent.
func (f *form) part(name string) (members []member, ok bool) {
	raw := f.take(name)
	if raw == nil {
		return nil, false
	}
	if raw[0] == '"' {
		raw = json.RawMessage(looseText(raw))
	}
	members, err := parseObject(raw)
	if err != nil {
		f.fail(invalid(f.object+name, "it must be a JSON object"))
		return nil, false
	}
	return members, true
}

// webURL reads an address that browsers show.
func (f *form) webURL(name string, raw json.RawMessage) string {
	address := f.text(name, raw, maxTarget)
	if f.err == nil && address != "" && !link.WebURL(address) {
		f.fail(invalid(f.object+name, "it must be a URL such as https://www.example.com/, not %s", shortened(address)))
	}
	return address
}

// target reads an address that opens a page, a store or an app. A click would
// ignore what check refuses.
func (f *form) target(name string, raw json.RawMessage, check func(uri string) error) string {
	address := f.text(name, raw, maxTarget)
	if f.err != nil || address == "" || link.WebURL(address) {
		return address
	}
	scheme := strings.ToLower(link.Scheme(address))
	switch {
	case scheme != "" && !link.SafeScheme(scheme):
		f.fail(invalid(f.object+name, "the scheme %s is not allowed", scheme))
	case isWeb(address) || strings.ContainsFunc(address, unicode.IsSpace) || len(address) == len(scheme)+1 || check(address) != nil:
		f.fail(invalid(f.object+name, "it must be a URL such as https://www.example.com/ or myapp://page, not %s", shortened(address)))
	}
	return address
}

package smartlinks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"waypost/internal/fault"
)

// maxBody bounds a request's body in bytes.
const maxBody = 1 << 20

// maxDrained bounds what is read and forgotten after that, in bytes.
const maxDrained = 16 << 20

// bodyField is the Field of faults about a body as a whole. A blank keeps it
// apart from the names of fields.
const bodyField = "request body"

// Bounds of texts, in characters. The vendor documents none.
const (
	maxName = 255
	maxURL  = 2048
)

// readBody reads a request's body whatever media type it claims to be. An
// empty one is nil.
func readBody(r *http.Request) ([]byte, error) { return readAll(r.Body) }

func readAll(body io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return nil, fault.Bad(bodyField, fault.Malformed, "cannot be read").Because(err)
	}
	if len(raw) > maxBody {
		// Clients that are still sending would lose the answer to a reset.
		_, _ = io.CopyN(io.Discard, body, maxDrained)
		return nil, fault.Bad(bodyField, fault.TooLong, "is larger than 1 MiB")
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")) // .NET clients begin with a byte order mark
	return bytes.TrimSpace(raw), nil
}

// readObject reads a body that must be a JSON object.
func readObject(r *http.Request) (object, error) {
	raw, err := readBody(r)
	if err != nil {
		return object{}, err
	}
	return parseObject(raw)
}

// object is a JSON object whose fields are read one by one, tolerantly:
// unknown ones are ignored, null is absence, numbers may be quoted. Names are
// case-sensitive; the last of a repeated one wins.
type object struct {
	fields map[string]json.RawMessage
	at     string // its place in the body, for messages: "" or "routes_by_app[0]."
}

func parseObject(raw []byte) (object, error) {
	if !utf8.Valid(raw) {
		return object{}, fault.Bad(bodyField, fault.Malformed, "is not UTF-8")
	}
	var o object
	if err := json.Unmarshal(raw, &o.fields); err != nil || o.fields == nil {
		return object{}, fault.Bad(bodyField, fault.Malformed, "must be a JSON object").Because(err)
	}
	return o, nil
}

// name returns the full name of a field for messages.
func (o object) name(field string) string { return o.at + field }

// raw returns a field's value; nil where it is absent or null.
func (o object) raw(field string) json.RawMessage {
	if raw := o.fields[field]; len(raw) > 0 && string(raw) != "null" {
		return raw
	}
	return nil
}

// isNull reports whether the field is there and null.
func (o object) isNull(field string) bool { return string(o.fields[field]) == "null" }

// text reads a string, trimmed, or a number as it was written; nil where it is absent.
func (o object) text(field string, most int) (*string, error) {
	text, err := o.looseText(field)
	if text == nil || err != nil {
		return nil, err
	}
	*text = strings.TrimSpace(*text)
	return text, checkText(o.name(field), *text, most)
}

// exact is text for values whose blanks mean something; empty where it is absent.
func (o object) exact(field string, most int) (string, error) {
	text, err := o.looseText(field)
	if text == nil || err != nil {
		return "", err
	}
	return *text, checkText(o.name(field), *text, most)
}

func (o object) looseText(field string) (*string, error) {
	raw := o.raw(field)
	if raw == nil {
		return nil, nil
	}
	var text string
	switch {
	case raw[0] == '"':
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, fault.Bad(o.name(field), fault.Malformed, "must be a string").Because(err)
		}
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		text = string(raw)
	default:
		return nil, fault.Bad(o.name(field), fault.Malformed, "must be a string")
	}
	return &text, nil
}

func checkText(name, text string, most int) error {
	if utf8.RuneCountInString(text) > most {
		return fault.Bad(name, fault.TooLong, "must not be longer than %d characters", most)
	}
	if strings.IndexFunc(text, unicode.IsControl) >= 0 {
		return fault.Bad(name, fault.Malformed, "must not hold control characters")
	}
	return nil
}

// id reads a number that is not negative; nil where it is absent, empty or
// zero, which is no id.
func (o object) id(field string) (*int64, error) {
	text, err := o.looseText(field)
	if err == nil && (text == nil || strings.TrimSpace(*text) == "") {
		return nil, nil
	}
	var n uint64
	if err == nil {
		n, err = strconv.ParseUint(strings.TrimSpace(*text), 10, 63)
	}
	if err != nil {
		return nil, fault.Bad(o.name(field), fault.Malformed, "must be a whole number").Because(err)
	}
	if n == 0 {
		return nil, nil
	}
	id := int64(n)
	return &id, nil
}

// flag reads a switch; nil where it is absent.
func (o object) flag(field string) (*bool, error) {
	raw := o.raw(field)
	if raw == nil {
		return nil, nil
	}
	on, ok := parseFlag(strings.Trim(string(raw), `"`))
	if !ok {
		return nil, fault.Bad(o.name(field), fault.Malformed, "must be true or false")
	}
	return &on, nil
}

// list reads an array; given is false where it is absent.
func (o object) list(field string) (elements []json.RawMessage, given bool, err error) {
	raw := o.raw(field)
	if raw == nil {
		return nil, false, nil
	}
	if err := json.Unmarshal(raw, &elements); err != nil {
		return nil, false, fault.Bad(o.name(field), fault.Malformed, "must be a list").Because(err)
	}
	return elements, true, nil
}

// objects reads an array of objects.
func (o object) objects(field string) (elements []object, given bool, err error) {
	list, given, err := o.list(field)
	if err != nil {
		return nil, false, err
	}
	for i, raw := range list {
		element := object{at: fmt.Sprintf("%s[%d].", o.name(field), i)}
		if err := json.Unmarshal(raw, &element.fields); err != nil || element.fields == nil {
			return nil, false, fault.Bad(strings.TrimSuffix(element.at, "."), fault.Malformed, "must be an object").Because(err)
		}
		elements = append(elements, element)
	}
	return elements, given, nil
}

// object reads an object; given is false where it is absent.
func (o object) object(field string) (inner object, given bool, err error) {
	raw := o.raw(field)
	if raw == nil {
		return object{}, false, nil
	}
	inner.at = o.name(field) + "."
	if err := json.Unmarshal(raw, &inner.fields); err != nil {
		return object{}, false, fault.Bad(o.name(field), fault.Malformed, "must be an object").Because(err)
	}
	return inner, true, nil
}

// element returns an array's element as the only field of an object, so that
// it is read as fields are.
func (o object) element(field string, i int, raw json.RawMessage) (object, string) {
	name := fmt.Sprintf("%s[%d]", field, i)
	return object{at: o.at, fields: map[string]json.RawMessage{name: raw}}, name
}

// texts reads an array of strings that are not empty; given is false where it
// is absent. One string alone is a list of one.
func (o object) texts(field string, most int) (texts []string, given bool, err error) {
	if raw := o.raw(field); raw != nil && raw[0] == '"' {
		o.fields = map[string]json.RawMessage{field: json.RawMessage("[" + string(raw) + "]")}
	}
	list, given, err := o.list(field)
	if err != nil {
		return nil, false, err
	}
	for i, raw := range list {
		one, name := o.element(field, i, raw)
		text, err := one.text(name, most)
		if err != nil {
			return nil, false, err
		}
		if text == nil || *text == "" {
			return nil, false, fault.Bad(o.name(name), fault.Missing, "must not be empty")
		}
		texts = append(texts, *text)
	}
	return texts, given, nil
}

// ids reads an array of numbers; given is false where it is absent.
func (o object) ids(field string) (ids []int64, given bool, err error) {
	list, given, err := o.list(field)
	if err != nil {
		return nil, false, err
	}
	for i, raw := range list {
		one, name := o.element(field, i, raw)
		id, err := one.id(name)
		if err != nil {
			return nil, false, err
		}
		if id == nil {
			return nil, false, fault.Bad(o.name(name), fault.Missing, "must be a number above zero")
		}
		ids = append(ids, *id)
	}
	return ids, given, nil
}

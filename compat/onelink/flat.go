package onelink

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"waypost/link"
)

// flatten writes entries as a compact object in their order, without nulls.
// Strings, numbers and booleans are kept byte for byte; what was nested is a
// string.
func flatten(entries []entry) json.RawMessage {
	size := len("{}")
	for i := range entries {
		size += len(entries[i].name) + len(entries[i].raw) + len(`"":,`)
	}
	flat := append(make([]byte, 0, size), '{')
	for i := range entries {
		e := &entries[i]
		switch {
		case e.isNull():
		case e.isNested():
			flat = appendText(appendName(flat, e.name), e.value)
		default:
			flat = append(appendName(flat, e.name), e.raw...)
		}
	}
	return append(flat, '}')
}

// flattenText writes parameters as an object whose values are all strings.
func flattenText(params []link.Param) json.RawMessage {
	flat := []byte{'{'}
	for _, p := range params {
		flat = appendText(appendName(flat, p.Name), p.Value)
	}
	return append(flat, '}')
}

// appendName appends a member's name, behind a comma if it is not the first.
func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(appendText(dst, name), ':')
}

// appendText appends text as a JSON string without HTML escaping.
func appendText(dst []byte, text string) []byte {
	if plain(text) {
		return append(append(append(dst, '"'), text...), '"')
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always has a JSON form
	return append(dst, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// plain reports whether a text is ASCII that needs no escape.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// characters returns the length of the compact JSON of the data. It does not
// depend on which of JSON's escapes a client's encoder likes to use.
func characters(entries []entry) int {
	n := len("{}") + max(0, len(entries)-1) // commas
	for i := range entries {
		e := &entries[i]
		n += textLength(e.name) + len(":")
		switch {
		case e.raw[0] == '"':
			n += textLength(e.value)
		case e.isNested():
			n += nestedLength(e.raw)
		default:
			n += len(e.raw)
		}
	}
	return n
}

// textLength returns how many characters a text has as a JSON string.
func textLength(text string) int {
	if plain(text) {
		return len(text) + len(`""`)
	}
	return utf8.RuneCount(appendText(nil, text))
}

func nestedLength(raw []byte) int {
	var value any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	_ = dec.Decode(&value) // it has been read before
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value)
	return utf8.RuneCountInString(buf.String()) - len("\n")
}

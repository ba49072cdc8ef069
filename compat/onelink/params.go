package onelink

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"waypost/internal/fault"
	"waypost/link"
)

// maxDepth bounds arrays and objects inside a parameter's value. Real links
// hold scalars; the bound keeps a hostile value from costing stack.
const maxDepth = 32

// blanks may stand between JSON's tokens (RFC 8259 §2).
const blanks = " \t\r\n"

// Params reads a link's data into decoded parameters in the order they were
// given. Data is a JSON object or, as the vendor's OpenAPI file has it, a JSON
// string that holds one. Numbers and booleans keep the text they were sent
// with, null is dropped, arrays and objects become compact JSON text. Where a
// name is given twice the last value wins, at the place of the first. The
// values are not percent-decoded: that depends on the API that made the link.
func Params(data json.RawMessage) ([]link.Param, error) {
	entries, err := readData(data)
	if err != nil {
		return nil, err
	}
	return paramsOf(entries), nil
}

// entry is a member of a link's data.
type entry struct {
	name  string
	value string // as it stands in a URL
	raw   []byte // JSON, as it was sent
}

func (e *entry) isNull() bool   { return e.raw[0] == 'n' }
func (e *entry) isNested() bool { return e.raw[0] == '{' || e.raw[0] == '[' }

// paramsOf drops nulls.
func paramsOf(entries []entry) []link.Param {
	params := make([]link.Param, 0, len(entries))
	for i := range entries {
		if !entries[i].isNull() {
			params = append(params, link.Param{Name: entries[i].name, Value: entries[i].value})
		}
	}
	return params
}

// readData reads an object, or a string that holds one. The entries share
// memory with it.
func readData(data json.RawMessage) ([]entry, error) {
	object := bytes.Trim(data, blanks)
	if len(object) > 0 && object[0] == '"' {
		var text string
		if err := json.Unmarshal(object, &text); err != nil {
			return nil, badData("is not valid JSON").Because(err)
		}
		object = bytes.Trim([]byte(text), blanks)
	}
	if len(object) == 0 {
		return nil, fault.Bad("data", fault.Missing, "is empty; send an object of link parameters")
	}
	if object[0] != '{' {
		return nil, badData("must be an object of link parameters")
	}
	if depth(object) > maxDepth {
		return nil, badData("is nested too deeply")
	}
	if !json.Valid(object) {
		return nil, badData("is not valid JSON")
	}
	return readObject(object)
}

func badData(problem string) *fault.Error {
	return fault.Bad("data", fault.Malformed, "%s", problem)
}

// readObject reads valid JSON that starts with '{'. It is one walk over the
// text, because every link that is made or loaded passes through it.
func readObject(object []byte) ([]entry, error) {
	entries := make([]entry, 0, 8)
	var places map[string]int // kept once there are too many to look through
	for i := skip(object, 1); object[i] != '}'; i = skip(object, i) {
		end := stringEnd(object, i)
		name, err := unquoted(object[i:end])
		if err != nil {
			return nil, err
		}
		i = skip(object, end)
		end = valueEnd(object, i)
		e := entry{name: name, raw: object[i:end]}
		if e.value, err = scalarText(e.raw); err != nil {
			return nil, err
		}
		i = end
		at := indexOf(entries, places, name)
		switch {
		case at < 0:
			entries = append(entries, e)
			if len(entries) == fewEntries {
				places = make(map[string]int, 4*fewEntries)
				for n := range entries {
					places[entries[n].name] = n
				}
			} else if places != nil {
				places[name] = len(entries) - 1
			}
		case !e.isNull():
			entries[at] = e
		}
	}
	return entries, nil
}

// fewEntries is how many are looked through without an index.
const fewEntries = 32

func indexOf(entries []entry, places map[string]int, name string) int {
	if places != nil {
		if at, ok := places[name]; ok {
			return at
		}
		return -1
	}
	return slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
}

// skip returns the place of the next token after i, past blanks, commas and colons.
func skip(text []byte, i int) int {
	for {
		switch text[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
}

// stringEnd returns the place after the string that begins at i.
func stringEnd(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd returns the place after the value that begins at i.
func valueEnd(text []byte, i int) int {
	switch text[i] {
	case '"':
		return stringEnd(text, i)
	case '{', '[':
		for open := 0; ; {
			switch text[i] {
			case '"':
				i = stringEnd(text, i)
				continue
			case '{', '[':
				open++
			case '}', ']':
				if open--; open == 0 {
					return i + 1
				}
			}
			i++
		}
	}
	return i + bytes.IndexAny(text[i:], ",}]"+blanks)
}

// unquoted decodes a JSON string.
func unquoted(raw []byte) (string, error) {
	if inside := raw[1 : len(raw)-1]; bytes.IndexByte(inside, '\\') < 0 && utf8.Valid(inside) {
		return string(inside), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", badData("is not valid JSON").Because(err)
	}
	return text, nil
}

// scalarText returns a JSON value as the text that stands in a URL.
func scalarText(raw []byte) (string, error) {
	switch raw[0] {
	case '"':
		return unquoted(raw)
	case '{', '[':
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return "", badData("is not valid JSON").Because(err)
		}
		return compact.String(), nil
	}
	return string(raw), nil
}

// depth returns how deeply brackets nest, strings left out. The text need not
// be valid.
func depth(text []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"waypost/internal/fault"
)

// MaxBody bounds a body as it is sent, and as it is when inflated, bytes.
const MaxBody = 1 << 20

// errMedia is for encodings that are not spoken here.
var errMedia = fault.Bad("Content-Encoding", fault.Unknown, "send the body as it is, or with gzip")

// ReadBody returns a body as it was sent and as it reads: inflated where it was
// sent with gzip. Larger bodies are refused without reading on, however small
// they were before they were inflated.
func ReadBody(r *http.Request) (sent, plain []byte, err error) {
	if sent, err = readBounded(r.Body); err != nil {
		return nil, nil, err
	}
	plain, err = Inflate(r.Header.Get("Content-Encoding"), sent)
	return sent, plain, err
}

// Inflate returns a body as it reads that was sent with the Content-Encoding:
// at most MaxBody bytes. Faults name "body" where it is no such gzip or too
// long, and "Content-Encoding" where that is not spoken here. An empty body is
// empty in any encoding.
func Inflate(encoding string, sent []byte) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return sent, nil
	case "utf-8", "utf8": // a character set, which clients in the wild write there by mistake
		return sent, nil
	case "gzip", "x-gzip":
	default:
		return nil, errMedia
	}
	if len(sent) == 0 {
		return nil, nil
	}
	inflater, err := gzip.NewReader(bytes.NewReader(sent))
	if err != nil {
		return nil, fault.Bad(fieldBody, fault.Malformed, "the body is not gzip, as Content-Encoding says")
	}
	return readBounded(inflater)
}

func readBounded(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if len(body) > MaxBody {
		return nil, fault.Bad(fieldBody, fault.TooLong, "at most %d bytes, also when inflated", MaxBody)
	}
	if err != nil {
		return nil, fault.Bad(fieldBody, fault.Malformed, "the body ends early, or is damaged")
	}
	return body, nil
}

// Fields of faults about what decode reads, as a whole.
const (
	fieldBody  = "body"
	fieldEvent = "event" // one of a batch
)

// decode reads a JSON object into v and returns the names that v has no field
// for: an app in the wild may be newer than the server, and its maker wants to
// see what was not understood. A fault about the whole names it by field.
func decode(field string, body []byte, v any) (ignored []string, err error) {
	if !utf8.Valid(body) { // encoding/json would make one name of different ones
		return nil, fault.Bad(field, fault.Malformed, "the %s is not UTF-8: encode its text so", field)
	}
	var wrongType *json.UnmarshalTypeError
	err = json.Unmarshal(body, v)
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		// encoding/json names the embedded struct, too, which is no name of the wire's.
		return nil, fault.Bad(strings.TrimPrefix(wrongType.Field, "wireCall."), fault.Malformed, "a JSON %s cannot stand here", wrongType.Value)
	case err != nil:
		return nil, fault.Bad(field, fault.Malformed, "the %s is not the JSON object that this call takes", field)
	}
	if name := brokenName(body, reflect.TypeOf(v).Elem()); name != "" {
		return nil, fault.Bad(name, fault.Malformed, "the text holds half of a surrogate pair, which is no character")
	}
	collectIgnored(&ignored, "", body, reflect.TypeOf(v))
	return ignored, nil
}

// naming is a text that names something, see brokenName.
type naming string

// brokenName returns the first naming field of an object that IsBroken.
func brokenName(body []byte, t reflect.Type) string {
	var object map[string]json.RawMessage
	if !holdsSurrogate(body) || json.Unmarshal(body, &object) != nil {
		return ""
	}
	known := map[string]reflect.Type{}
	addFields(known, t)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if known[strings.ToLower(name)] == reflect.TypeFor[naming]() && IsBroken(object[name]) {
			return strings.ToLower(name)
		}
	}
	return ""
}

// IsBroken reports whether a JSON string escapes half of a surrogate pair, or is
// not UTF-8. That reads as U+FFFD, like everything else of the kind, which would
// make one name of different ones. A U+FFFD of its own is a character.
func IsBroken(raw json.RawMessage) bool {
	const mark = "\ufffd"
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return false
	}
	own := bytes.Count(raw, []byte(mark)) + bytes.Count(bytes.ToLower(raw), []byte(`\ufffd`))
	return strings.Count(text, mark) > own
}

func holdsSurrogate(raw []byte) bool {
	return bytes.Contains(raw, []byte(`\ud`)) || bytes.Contains(raw, []byte(`\uD`))
}

// mostIgnored bounds the list of names.
const mostIgnored = 16

// collectIgnored compares the names of an object with the fields of a struct.
func collectIgnored(ignored *[]string, prefix string, body []byte, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var object map[string]json.RawMessage
	if t.Kind() != reflect.Struct || json.Unmarshal(body, &object) != nil {
		return
	}
	known := map[string]reflect.Type{}
	addFields(known, t)
	for name, value := range object {
		field, ok := known[strings.ToLower(name)]
		if !ok && len(*ignored) < mostIgnored {
			*ignored = append(*ignored, prefix+cut(name, maxFact))
		} else if ok {
			collectIgnored(ignored, prefix+cut(name, maxFact)+".", value, field)
		}
	}
}

func addFields(known map[string]reflect.Type, t reflect.Type) {
	for field := range t.Fields() {
		if field.Anonymous {
			addFields(known, field.Type)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[name] = field.Type
	}
}

// scalar is a JSON string or number as text; "null" is empty. What is neither
// stands there as it came, for who reads it to refuse by the field's name.
type scalar string

// UnmarshalJSON never fails.
func (s *scalar) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil { // null leaves it empty
		*s = scalar(text)
		return nil
	}
	*s = scalar(raw)
	return nil
}

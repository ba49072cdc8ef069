package singular

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"waypost/internal/fault"
)

// maxBody bounds a request's body in bytes, far above what the largest link needs.
const maxBody = 64 << 10

// maxDrained bounds what is read and forgotten after that, in bytes.
const maxDrained = 16 << 20

// bodyField is the Field of faults about a body as a whole. A blank keeps it
// apart from the names of parameters.
const bodyField = "request body"

// member is one name of a JSON object with its value as it was sent.
type member struct {
	name  string
	value json.RawMessage
}

// readBody reads a request's body, a JSON object whatever media type it claims
// to be: the vendor's own sample sends none. An empty body has no members.
func readBody(r *http.Request) ([]member, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fault.Bad(bodyField, fault.Malformed, "The request body cannot be read").Because(err)
	}
	if len(raw) > maxBody {
		// Clients that are still sending would lose the answer to a reset.
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
		return nil, fault.Bad(bodyField, fault.TooLong, "The request body is larger than %d bytes", maxBody)
	}
	return parseBody(raw)
}

func parseBody(raw []byte) ([]member, error) {
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))) // .NET clients begin with a byte order mark
	if len(raw) == 0 {
		return nil, nil
	}
	if !utf8.Valid(raw) {
		return nil, fault.Bad(bodyField, fault.Malformed, "The request body is not UTF-8")
	}
	members, err := parseObject(raw)
	if err != nil {
		return nil, fault.Bad(bodyField, fault.Malformed, "The request body must be a JSON object").Because(err)
	}
	return members, nil
}

// parseObject reads a JSON object with its order. The last of a repeated name
// is the last of the result, too.
func parseObject(raw []byte) ([]member, error) {
	if !json.Valid(raw) {
		return nil, errors.New("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var members []member
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: name.(string)} // Token returns every name of an object as a string
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

// blank reports whether a value says no more than its absence: null, or a text
// of nothing but blanks.
func blank(raw json.RawMessage) bool {
	if len(raw) == 0 || string(raw) == "null" {
		return true
	}
	var text string
	return raw[0] == '"' && json.Unmarshal(raw, &text) == nil && strings.TrimSpace(text) == ""
}

// looseText returns the text of a string, and any other value as it was sent.
func looseText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return string(raw)
	}
	return compact.String()
}

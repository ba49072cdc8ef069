package onelink

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/link"
)

// maxBody bounds a request's body in bytes, far above the vendor's limits on data.
const maxBody = 1 << 20

// maxDrained bounds what is read and forgotten after that, in bytes.
const maxDrained = 16 << 20

// bodyField is the Field of faults about a body as a whole. A blank keeps it
// apart from the names of parameters.
const bodyField = "request body"

// notUTF8 is said of a body whose text would be read as another.
const notUTF8 = "is not UTF-8: encode its text so"

// body is what a POST or PUT asks for, in either version.
type body struct {
	data       json.RawMessage // flat object: strings, numbers and booleans as they were sent
	params     []link.Param    // the same, decoded
	characters int             // length of the data's compact JSON
	code       json.RawMessage // shortlink_id as it was sent; only a create of v2.0 has one
	brand      string          // empty where absent
	ttl        string          // empty where absent
	renew      *bool           // nil where absent
}

// readBody reads a request's body whatever media type it claims to be.
func readBody(r *http.Request) (*body, error) {
	raw, err := readRaw(r)
	if err != nil {
		return nil, err
	}
	return parseBody(raw)
}

// readRaw reads a body as it was sent.
func readRaw(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fault.Bad(bodyField, fault.Malformed, "cannot be read").Because(err)
	}
	if len(raw) > maxBody {
		// Clients that are still sending would lose the answer to a reset.
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
		return nil, fault.Bad(bodyField, fault.TooLong, "is larger than 1 MiB")
	}
	return raw, nil
}

// readReport reads the body of a report, which may be packed by gzip: at most
// maxBody bytes, also when it is unpacked.
func readReport(r *http.Request) ([]byte, error) {
	sent, err := readRaw(r)
	if err != nil {
		return nil, err
	}
	plain, err := ingest.Inflate(r.Header.Get("Content-Encoding"), sent)
	if f := fault.As(err); err != nil && f.Field == "body" {
		return nil, fault.Bad(bodyField, f.Reason, "%s", f.Message)
	}
	return plain, err
}

// parseBody reads a JSON object with the fields of both versions. Names are
// case-sensitive, unknown ones are ignored, the last of a repeated one wins.
func parseBody(raw []byte) (*body, error) {
	fields, err := parseObject(raw)
	if err != nil {
		return nil, err
	}
	return parseFields(fields)
}

// parseObject reads the members of a JSON object.
func parseObject(raw []byte) (map[string]json.RawMessage, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")) // .NET clients begin with a byte order mark
	if !utf8.Valid(raw) {
		return nil, fault.Bad(bodyField, fault.Malformed, notUTF8)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, fault.Bad(bodyField, fault.Malformed, "must be a JSON object").Because(err)
	}
	return fields, nil
}

// checkNames refuses half characters in texts that name something.
func checkNames(fields map[string]json.RawMessage, names ...string) error {
	for _, name := range names {
		if ingest.IsBroken(fields[name]) {
			return fault.Bad(name, fault.Malformed, "the text holds half of a surrogate pair, which is no character")
		}
	}
	return nil
}

func parseFields(fields map[string]json.RawMessage) (*body, error) {
	b := &body{ttl: looseText(fields["ttl"]), code: fields["shortlink_id"]}
	renew, err := b.readData(fields["data"])
	if err != nil {
		f := fault.As(err)
		return nil, fault.Bad(bodyField, f.Reason, "data %s", f.Message).Because(f.Err)
	}
	if given(fields["renew_ttl"]) {
		renew = looseText(fields["renew_ttl"])
	}
	if b.renew, err = parseRenew(renew); err != nil {
		return nil, err
	}
	b.brand, err = textField("brand_domain", fields["brand_domain"])
	return b, err
}

// readData fills in everything that comes from data. It returns the text of a
// renew_ttl found there: the vendor says to add it "to your links", and it is
// consumed rather than forwarded.
func (b *body) readData(data json.RawMessage) (renew string, err error) {
	entries, err := readData(data)
	if err != nil {
		return "", err
	}
	b.characters = characters(entries)
	entries = slices.DeleteFunc(entries, func(e entry) bool {
		if e.name == paramRenewTTL && !e.isNull() {
			renew = e.value
		}
		return e.name == paramRenewTTL
	})
	if b.params = paramsOf(entries); len(b.params) == 0 {
		return renew, fault.Bad("data", fault.Missing, "holds no link parameters")
	}
	b.data = flatten(entries)
	return renew, nil
}

// given reports whether a field is there: null says no more than absence.
func given(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null"
}

// looseText returns the text of a string, and any other value as it was sent.
func looseText(raw json.RawMessage) string {
	if !given(raw) {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// textField reads a field that must be a string; the empty one is no more
// than an absent one.
func textField(name string, raw json.RawMessage) (string, error) {
	if !given(raw) {
		return "", nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", badParam(name, string(raw), "value should be a string")
	}
	return text, nil
}

func parseRenew(text string) (*bool, error) {
	if text == "" {
		return nil, nil
	}
	renew, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil || len(text) < len("true") {
		return nil, badParam(paramRenewTTL, text, "value should be true or false")
	}
	return &renew, nil
}

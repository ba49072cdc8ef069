package singular

import (
	"bytes"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"waypost/ingest"
	"waypost/internal/fault"
)

// maxTold bounds a request's body and its query, each, in bytes: receipts of
// stores are long.
const maxTold = 1 << 20

// readTold reads the parameters of a request: its query, and over it the body,
// a form or a JSON object, whatever media type it claims to have. Names have no
// case, and what is empty or null is not there. Those of names must be Unicode as
// they are: mended, two of them might be one.
func readTold(r *http.Request, names map[string]bool) (filled, error) {
	if len(r.URL.RawQuery) > maxTold {
		return nil, wrong("query", "it is longer than 1 MiB")
	}
	said := filled{}
	if err := said.addQuery(r.URL.RawQuery, names); err != nil {
		return nil, err
	}
	raw, err := readReport(r)
	if err != nil {
		return nil, err
	}
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	if len(raw) == 0 {
		return said, nil
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if raw[0] != '{' && media != "application/json" {
		return said, said.addQuery(string(raw), names)
	}
	members, err := parseObject(raw)
	if err != nil || !utf8.Valid(raw) {
		return nil, wrong(bodyField, "write a form or a JSON object in UTF-8")
	}
	for _, m := range members {
		if blank(m.value) {
			continue
		}
		text := looseText(m.value)
		if name := said.set(m.name, text); names[name] && ingest.IsBroken(m.value) {
			return nil, notText(name)
		}
	}
	return said, nil
}

// readReport reads the body of a report, which may be packed by gzip: at most
// maxTold bytes, also when it is unpacked.
func readReport(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxTold+1))
	if err != nil {
		return nil, wrong(bodyField, "it cannot be read")
	}
	if len(raw) > maxTold {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained) // as readBody does
		return nil, wrong(bodyField, "it is longer than 1 MiB")
	}
	plain, err := ingest.Inflate(r.Header.Get("Content-Encoding"), raw)
	if f := fault.As(err); err != nil && f.Field == "body" {
		return nil, wrong(bodyField, f.Message)
	}
	return plain, err
}

func (s filled) addQuery(raw string, names map[string]bool) error {
	for pair := range strings.SplitSeq(raw, "&") {
		for _, p := range readQuery(pair) {
			_, value, _ := strings.Cut(pair, "=")
			plain, err := url.QueryUnescape(value)
			if err != nil {
				plain = value
			}
			if name := s.set(p.Name, p.Value); names[name] && !utf8.ValidString(plain) {
				return notText(name)
			}
		}
	}
	return nil
}

// set adds a value, unless it is empty, and returns the name it is known by.
func (s filled) set(name, value string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if value = strings.TrimSpace(value); value != "" {
		s[name] = value
	}
	return name
}

func notText(name string) error { return wrong(name, "the text is not UTF-8") }

// is reports whether a parameter is there and says yes.
func (s filled) is(name string) bool {
	on, _ := readSwitch(s[name])
	return on
}

// readSwitch reads a parameter that is on or off; not ok where it says neither.
func readSwitch(text string) (on, ok bool) {
	switch strings.ToLower(text) {
	case "true", "1", "yes":
		return true, true
	case "false", "0", "no":
		return false, true
	}
	return false, false
}

// key is what an identical request has, too: the vendor's clients send no ids
// of their own, and send again what was not acknowledged.
func (s filled) key(more ...string) string {
	parts := more
	for _, name := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, name, s[name])
	}
	return ingest.HashKey(parts...)
}

// cutText shortens text to at most most bytes, between characters.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

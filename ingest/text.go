package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"waypost/internal/fault"
)

// Bytes of what is kept. Texts that name something are refused when they are
// longer, because two cut ones might be one; texts that describe are cut.
const (
	maxInstall  = 128
	maxKey      = 128
	maxName     = 256
	maxUser     = 256
	maxPartner  = 128
	maxToken    = 256
	maxReferrer = 8 << 10
	maxURL      = 8 << 10
	maxParams   = 16 << 10
	maxAgent    = 1 << 10
	maxFact     = 64 // model, version, locale, time zone, version of the app
)

// cut shortens text to at most n bytes, between characters, and mends broken ones.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// fact is a describing text as it is kept.
func fact(text string) string { return cut(strings.TrimSpace(text), maxFact) }

// checkText refuses a naming text that cannot be kept as it is.
func checkText(field, text string, most int) error {
	switch {
	case len(text) > most:
		return fault.Bad(field, fault.TooLong, "at most %d bytes, got %d", most, len(text))
	case !utf8.ValidString(text):
		return fault.Bad(field, fault.Malformed, "the text is not UTF-8")
	case strings.IndexFunc(text, unicode.IsControl) >= 0:
		return fault.Bad(field, fault.Malformed, "the text holds control characters")
	}
	return nil
}

// needText is checkText for what must be there.
func needText(field, text string, most int) error {
	if text == "" {
		return fault.Bad(field, fault.Missing, "this must be there")
	}
	return checkText(field, text, most)
}

// object checks params and takes the white space out.
func object(params json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(params)) == 0 || string(bytes.TrimSpace(params)) == "null" {
		return nil, nil
	}
	if len(params) > maxParams {
		return nil, fault.Bad(FieldParams, fault.TooLong, "at most %d bytes, got %d", maxParams, len(params))
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, params); err != nil || compact.Bytes()[0] != '{' {
		return nil, fault.Bad(FieldParams, fault.Malformed, "write a JSON object")
	}
	if compact.Len() == len("{}") {
		return nil, nil
	}
	return bytes.ToValidUTF8(compact.Bytes(), []byte("\ufffd")), nil
}

// HashKey makes a Key of what was told: equal parts, equal key. Dialects whose
// senders give no ids choose the parts themselves.
func HashKey(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return "h:" + hex.EncodeToString(h.Sum(nil)[:16])
}

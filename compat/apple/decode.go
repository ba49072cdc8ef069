package apple

import (
	"encoding/json"
	"errors"
	"strings"

	"waypost/internal/fault"
)

// decode reads a JSON object into v. Fields that v does not know are left alone.
func decode(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return fault.Bad(strings.TrimPrefix(wrong.Field, "unsigned."), fault.Malformed, "a JSON %s cannot stand here", wrong.Value)
	}
	if err != nil {
		return fault.Bad("body", fault.Malformed, "the body is not the JSON object that a device posts")
	}
	return nil
}

// number is a number that names something, as a JSON number or in quotes. Its
// digits are what Apple signs. What is no number stands there as it came, for
// checkNumber to refuse by the field's name.
type number string

// UnmarshalJSON never fails.
func (n *number) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	*n = number(text)
	return nil
}

const (
	maxDigits = 20  // of a number of 64 bits
	maxText   = 256 // bytes of any field that is signed
	maxID     = 64  // of a postback's id, which is a UUID
	maxShown  = 40  // of what a fault repeats
)

// checkText refuses what no field holds: the separator above all, with which
// the parts of one signed text would make another postback.
func checkText(field, text string) error {
	most := maxText
	if field == fieldTransaction || field == fieldKitID {
		most = maxID
	}
	if len(text) > most {
		return fault.Bad(field, fault.TooLong, "at most %d bytes, got %d", most, len(text))
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return fault.Bad(field, fault.Malformed, "it holds what no identifier of Apple's does")
		}
	}
	return nil
}

// checkNumber refuses what is no number; an absent one is none.
func checkNumber(field string, n number) error {
	if len(n) > maxDigits || strings.Trim(string(n), "0123456789") != "" {
		return fault.Bad(field, fault.Malformed, "%q is no number of Apple's", short(string(n)))
	}
	return nil
}

func short(text string) string {
	if len(text) > maxShown {
		text = text[:maxShown] + "…"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

package apple

import (
	"encoding/json"
	"strconv"
	"strings"

	"waypost/event"
	"waypost/internal/fault"
)

// Bounds of fields.
const (
	maxDigits = 20  // of a number of 64 bits
	maxText   = 256 // bytes of any field that is signed
	maxID     = 64  // of a postback's id, which is a UUID
	maxShown  = 40  // of what a fault repeats
)

// decode reads a JSON object into its fields.
func decode(body []byte, into *map[string]json.RawMessage) error {
	if err := json.Unmarshal(body, into); err != nil || *into == nil {
		return fault.Bad("body", fault.Malformed, "the body is not the JSON object that a device posts")
	}
	return nil
}

// absent reports whether a field is not there.
func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// readText reads a text; empty where it is not there. It refuses what no
// identifier of Apple's holds, the separator above all.
func readText(field string, raw json.RawMessage) (text string, err error) {
	if absent(raw) {
		return "", nil
	}
	if json.Unmarshal(raw, &text) != nil {
		return "", fault.Bad(field, fault.Malformed, "it must be a text")
	}
	most := maxText
	if field == fieldTransaction || field == fieldJWS+"."+fieldKitID {
		most = maxID
	}
	if len(text) > most {
		return "", fault.Bad(field, fault.TooLong, "at most %d bytes, got %d", most, len(text))
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return "", fault.Bad(field, fault.Malformed, "it holds what no identifier of Apple's does")
		}
	}
	return text, nil
}

// readNumber reads a number that names something, written as a JSON number or in
// quotes, as its digits, which are what Apple signs.
func readNumber(field string, raw json.RawMessage) (string, error) {
	text := string(raw)
	if absent(raw) {
		return "", nil
	}
	if text[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", fault.Bad(field, fault.Malformed, "it must be a number")
		}
	}
	if text == "" || len(text) > maxDigits || strings.Trim(text, "0123456789") != "" {
		return "", fault.Bad(field, fault.Malformed, "%q is no number of Apple's", short(text))
	}
	return text, nil
}

// readSite reads a domain. One of digits alone would be an app's number, which
// stands before it in what is signed, and may be left out as well as it.
func readSite(field string, raw json.RawMessage) (string, error) {
	text, err := readText(field, raw)
	if err == nil && text != "" && strings.Trim(text, "0123456789") == "" {
		return "", fault.Bad(field, fault.Malformed, "%q is no domain", short(text))
	}
	return text, err
}

// readTruth reads true or false as the word.
func readTruth(field string, raw json.RawMessage) (string, error) {
	if absent(raw) {
		return "", nil
	}
	if text := string(raw); text == "true" || text == "false" {
		return text, nil
	}
	return "", fault.Bad(field, fault.Malformed, "it must be true or false")
}

// sequence is the number that digits of readNumber write; absent ones are 0. One
// beyond an int is beyond every postback's, too.
func sequence(digits string) int {
	n, err := strconv.Atoi(orZero(digits))
	if err != nil {
		return event.LastSequence + 1
	}
	return n
}

func orZero(digits string) string {
	if digits == "" {
		return "0"
	}
	return digits
}

// readUnsigned reads the fields that neither framework signs. What is not of
// their form is left out and flagged: the rest of the postback is Apple's word.
func readUnsigned(raw map[string]json.RawMessage, c *event.PlatformConversion) {
	if value := raw["conversion-value"]; !absent(value) {
		n, err := strconv.Atoi(strings.Trim(string(value), `"`))
		if err != nil {
			c.Flags = append(c.Flags, event.ValueFlag)
		} else {
			c.Value = &n
		}
	}
	c.Coarse = unsignedText(raw["coarse-conversion-value"], event.CoarseFlag, c)
	c.Country = unsignedText(raw["country-code"], event.CountryFlag, c)
}

// unsignedText reads a text, or flags that it is none.
func unsignedText(raw json.RawMessage, flag string, c *event.PlatformConversion) (text string) {
	if !absent(raw) && json.Unmarshal(raw, &text) != nil {
		c.Flags = append(c.Flags, flag)
	}
	return text
}

func short(text string) string {
	if len(text) > maxShown {
		text = text[:maxShown] + "…"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

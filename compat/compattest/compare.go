package compattest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// bare marks a moving value that stands outside quotes, where a number does.
const bare = "\x00"

var (
	inQuotes  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\{\{[^{}]+\}\}`)
	wholeBare = regexp.MustCompile(`^\x00\{\{any\}\}$`)
)

// quoteMoving makes JSON of a body whose moving values stand where numbers do.
func quoteMoving(body string) string {
	return inQuotes.ReplaceAllStringFunc(body, func(token string) string {
		if token[0] == '"' {
			return token
		}
		return `"\u0000` + token + `"`
	})
}

func parseJSON(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the value")
	}
	return value, nil
}

// sameMeaning compares a JSON body with the one that is wanted.
func (v values) sameMeaning(want, got string) error {
	wanted, err := parseJSON(quoteMoving(want))
	if err != nil {
		return err
	}
	value, err := parseJSON(got)
	if err != nil {
		return fmt.Errorf("%q is not JSON: %w", got, err)
	}
	return v.same("body", wanted, value)
}

func (v values) same(at string, want, got any) error {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: got %v, want an object", at, got)
		}
		if w, g := slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(object)); !slices.Equal(w, g) {
			return fmt.Errorf("%s: got the keys %q, want %q", at, g, w)
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if err := v.same(at+"."+key, want[key], object[key]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s: got %v, want %d elements", at, got, len(want))
		}
		for i := range want {
			if err := v.same(fmt.Sprintf("%s[%d]", at, i), want[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		return v.sameText(at, want, got)
	}
	if want != got {
		return fmt.Errorf("%s: got %#v, want %#v", at, got, want)
	}
	return nil
}

func (v values) sameText(at, want string, got any) error {
	pattern, isBare := strings.CutPrefix(want, bare)
	text, isText := got.(string)
	if isBare {
		if wholeBare.MatchString(want) {
			return nil
		}
		number, isNumber := got.(json.Number)
		text, isText = string(number), isNumber
	}
	if !isText {
		return fmt.Errorf("%s: got %#v, want %q", at, got, pattern)
	}
	if err := v.match(pattern, text); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

// contents checks that each line is, or after "! " is not, part of the body.
func (v values) contents(lines, got string) error {
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		part, unwanted := strings.CutPrefix(line, "! ")
		part, err := v.fill(part)
		if err != nil {
			return err
		}
		if line != "" && strings.Contains(got, part) == unwanted {
			return fmt.Errorf("the body does not fulfil %q:\n%s", line, got)
		}
	}
	return nil
}

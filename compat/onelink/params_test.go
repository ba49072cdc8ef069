package onelink

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"waypost/internal/fault"
	"waypost/link"
)

func TestParams(t *testing.T) {
	t.Parallel()
	f := func(name, data string, want ...link.Param) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Params(json.RawMessage(data))
			if err != nil {
				t.Fatalf("Params(%s): %v", data, err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("Params(%s)\n got %q\nwant %q", data, got, want)
			}
		})
	}
	p := func(name, value string) link.Param { return link.Param{Name: name, Value: value} }
	f("order", `{"z":"1","a":"2"}`, p("z", "1"), p("a", "2"))
	f("last of a name wins", `{"a":"1","b":"2","a":"3"}`, p("a", "3"), p("b", "2"))
	f("numbers as sent", `{"i":12345678901234567890,"f":1.50,"e":1e3}`, p("i", "12345678901234567890"), p("f", "1.50"), p("e", "1e3"))
	f("booleans", `{"is_retargeting":true,"b":false}`, p("is_retargeting", "true"), p("b", "false"))
	f("null dropped", `{"a":null,"b":""}`, p("b", ""))
	f("nested", `{"o": {"x": [1, 2]}, "l": [ ]}`, p("o", `{"x":[1,2]}`), p("l", `[]`))
	f("inside a string", `"{\"pid\":\"x\"}"`, p("pid", "x"))
	f("escapes", `{"d\u0041":"a\/b\n\u00e9"}`, p("dA", "a/b\né"))
	f("space around", " \n{ } ")
	f("percent kept", `{"af_dp":"myapp%3A%2F%2Fx"}`, p("af_dp", "myapp%3A%2F%2Fx"))
	f("null after a value", `{"a":"1","a":null}`, p("a", "1"))
}

func TestParamsRefuses(t *testing.T) {
	t.Parallel()
	f := func(data string, want fault.Reason) {
		t.Helper()
		got, err := Params(json.RawMessage(data))
		if err == nil {
			t.Errorf("Params(%.60q) = %q, want an error", data, got)
			return
		}
		if e := fault.As(err); e.Kind != fault.Invalid || e.Field != "data" || e.Reason != want {
			t.Errorf("Params(%.60q): %v (kind %v, reason %q), want invalid data, %q", data, err, e.Kind, e.Reason, want)
		}
	}
	f("", fault.Missing)
	f(`""`, fault.Missing)
	f("null", fault.Malformed)
	f("[]", fault.Malformed)
	f("5", fault.Malformed)
	f(`"x"`, fault.Malformed)
	f(`"\"{}\""`, fault.Malformed)
	f(`{"a":1`, fault.Malformed)
	f(`{"a":1} x`, fault.Malformed)
	f(`{"a":01}`, fault.Malformed)
	f(`{"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`, fault.Malformed)
	f(strings.Repeat(`{"a":`, 1_000_000), fault.Malformed)
}

// oracle reads an object with the standard library alone.
func oracle(data string) (values map[string]any, characters int) {
	var text string
	if json.Unmarshal([]byte(data), &text) == nil && strings.HasPrefix(strings.Trim(data, blanks), `"`) {
		data = text
	}
	dec := json.NewDecoder(strings.NewReader(data))
	dec.UseNumber()
	if dec.Decode(&values) != nil {
		return nil, 0
	}
	var compact strings.Builder
	enc := json.NewEncoder(&compact)
	enc.SetEscapeHTML(false)
	if enc.Encode(values) != nil {
		return nil, 0
	}
	return values, utf8.RuneCountInString(compact.String()) - len("\n")
}

func TestManyParams(t *testing.T) {
	t.Parallel()
	var data strings.Builder
	for i := range 100 {
		fmt.Fprintf(&data, `,"k%d":"first","k%d":%d`, i, i, i)
	}
	params, err := Params(json.RawMessage("{" + data.String()[1:] + `,"k7":"last"}`))
	if err != nil || len(params) != 100 || params[7].Value != "last" || params[99] != (link.Param{Name: "k99", Value: "99"}) {
		t.Errorf("got %d parameters, %v: %v", len(params), params, err)
	}
}

func FuzzParams(f *testing.F) {
	f.Add(`{"pid":"x","c":"y","n":1.50,"b":true,"z":null,"o":{"k":[1]}}`)
	f.Add(`"{\"pid\":\"x\"}"`)
	f.Add(`{"a":"1","a":"2"}`)
	f.Add("\v{}")
	f.Add(" {\"q\":\"\\\"\\\\\\u2028\\ud800é\" ,\t\"n\" : -0.5e+3, \"l\":[\"]\\\"\",{}] }")
	f.Fuzz(func(t *testing.T, data string) {
		params, err := Params(json.RawMessage(data))
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("Params(%q): %v, want an Invalid fault", data, err)
			}
			return
		}
		entries, err := readData(json.RawMessage(data))
		if err != nil {
			t.Fatal(err)
		}
		want, length := oracle(data)
		nulls := false // one may or may not be counted where its name is given twice
		for _, e := range entries {
			value, given := want[e.name]
			nulls = nulls || value == nil
			if text, ok := value.(string); !given || ok && e.value != text {
				t.Fatalf("Params(%q) reads %q as %q, want %v", data, e.name, e.value, value)
			}
		}
		if len(entries) != len(want) || !nulls && characters(entries) != length {
			t.Fatalf("Params(%q) has %d entries and %d characters, want %d and %d", data, len(entries), characters(entries), len(want), length)
		}
		again := make(map[string]string, len(params))
		for _, p := range params {
			if _, twice := again[p.Name]; twice {
				t.Fatalf("Params(%q) holds %q twice", data, p.Name)
			}
			again[p.Name] = p.Value
		}
		text, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Params(text)
		if err != nil || len(back) != len(params) {
			t.Fatalf("Params(%s) = %q, %v; want the %d parameters of %q", text, back, err, len(params), data)
		}
	})
}

package manifest

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"waypost/link"
)

// decoder walks the YAML tree and the schema together. The schema has a fixed
// depth, so a tree that contains itself through an alias ends; nodes bound
// what aliases can multiply.
type decoder struct {
	*findings
	nodes int
}

const (
	maxNodes = maxMarks
	maxText  = 4096 // bytes of one value
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	limitType    = reflect.TypeFor[link.Limit]()
	windowType   = reflect.TypeFor[Window]()
	momentType   = reflect.TypeFor[Moment]()
)

func (d *decoder) decodeFile(root *yaml.Node) {
	d.decode(root, reflect.ValueOf(d.file).Elem(), "")
}

func (d *decoder) decode(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.nodes++
	if d.nodes > maxNodes {
		d.addAt(n.Line, "", "its aliases unfold to too much")
	}
	if d.full() || d.nodes > maxNodes {
		return
	}
	if _, ok := d.file.lines[path]; !ok {
		d.file.lines[path] = n.Line
	}
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), path)
	case v.Kind() == reflect.Struct:
		d.decodeFields(n, v, path)
	case v.Kind() == reflect.Slice:
		d.decodeList(n, v, path)
	case v.Kind() == reflect.Map:
		d.decodeWords(n, v, path)
	default:
		d.decodeValue(n, v, path)
	}
}

// decodeFields fills a struct from a mapping by the schema in its tags.
func (d *decoder) decodeFields(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.addAt(n.Line, path, "must be a mapping with the fields %s", strings.Join(fieldNames(v.Type()), ", "))
		return
	}
	if len(n.Content) == 0 {
		d.file.emptied[path] = true
	}
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.addAt(key.Line, path, "has a field whose name is not a plain word")
			continue
		}
		at := join(path, shown(key.Value))
		if line, ok := first[key.Value]; ok {
			d.addAt(key.Line, at, "is given twice, first on line %d", line)
			continue
		}
		first[key.Value] = key.Line
		index, ok := fieldIndex(v.Type(), key.Value)
		if !ok {
			d.addAt(key.Line, at, "unknown field; known here are %s", strings.Join(fieldNames(v.Type()), ", "))
			continue
		}
		d.file.lines[at] = key.Line
		if _, required := tag(v.Type().Field(index)); !required && isClear(value, v.Field(index)) {
			continue
		}
		d.decode(value, v.Field(index), at)
	}
	for i := range v.NumField() {
		name, required := tag(v.Type().Field(i))
		if _, ok := first[name]; required && !ok {
			d.addAt(n.Line, join(path, name), "missing")
		}
	}
}

// isClear reports whether the value is the empty text, which an optional text
// has where nothing is wanted.
func isClear(n *yaml.Node, v reflect.Value) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return v.Kind() == reflect.String && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && n.Value == ""
}

// decodeWords fills a map of texts, whose fields are not the schema's.
func (d *decoder) decodeWords(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.addAt(n.Line, path, "must be a mapping, as in {a: b}")
		return
	}
	if len(n.Content) == 0 {
		d.file.emptied[path] = true
	}
	words := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.addAt(key.Line, path, "has a field whose name is not a plain word")
			continue
		}
		at := join(path, shown(key.Value))
		if _, ok := words[key.Value]; ok {
			d.addAt(key.Line, at, "is given twice, first on line %d", d.file.lines[at])
			continue
		}
		d.file.lines[at] = key.Line
		var word string
		d.decode(value, reflect.ValueOf(&word).Elem(), at)
		words[key.Value] = word
	}
	v.Set(reflect.ValueOf(words))
}

func (d *decoder) decodeList(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.addAt(n.Line, path, "must be a list, as in [a, b]")
		return
	}
	// The list grows with what is good in it: an entry of the schema may take a
	// hundred times the memory of the text that fails to be one.
	for i, item := range n.Content {
		if d.full() || d.nodes > maxNodes {
			return
		}
		v.Grow(1)
		v.SetLen(i + 1)
		d.decode(item, v.Index(i), index(path, i))
	}
}

// decodeValue fills a scalar. Messages do not repeat the value, which may be
// a secret.
func (d *decoder) decodeValue(n *yaml.Node, v reflect.Value, path string) {
	wrong := func(what string) { d.addAt(n.Line, path, "must be %s", what) }
	kind := n.ShortTag()
	switch {
	case n.Kind != yaml.ScalarNode:
		wrong("a single value, not a list or a mapping")
	case kind == "!!null":
		d.addAt(n.Line, path, "is empty; give it a value or leave it out")
	case v.Type() == durationType:
		const what = "a duration of minutes, hours or days up to 365d, such as 30m, 24h or 7d"
		span, err := parseWindow(n.Value)
		if kind != "!!str" || err != nil {
			wrong(what)
			return
		}
		v.SetInt(int64(span))
	case v.Type() == windowType, v.Type() == momentType:
		d.decodeSpan(n, v, path, kind)
	case v.Type() == limitType:
		const what = "a whole number of zero or more, or `unlimited`"
		if kind == "!!str" && n.Value == "unlimited" {
			v.SetInt(int64(link.Unlimited))
			return
		}
		number, err := parseNumber(n.Value)
		if kind != "!!int" || err != nil || number < 0 {
			wrong(what)
			return
		}
		v.SetInt(number)
	case v.Kind() == reflect.Bool:
		if kind != "!!bool" || (n.Value != "true" && n.Value != "false") {
			wrong("true or false")
			return
		}
		v.SetBool(n.Value == "true")
	case v.Kind() == reflect.Int64:
		number, err := parseNumber(n.Value)
		if kind != "!!int" || err != nil {
			wrong("a whole number")
			return
		}
		v.SetInt(number)
	default:
		d.decodeText(n, v, path, kind)
	}
}

// decodeSpan fills a Window or a Moment. Which ones make sense is not known here.
func (d *decoder) decodeSpan(n *yaml.Node, v reflect.Value, path, kind string) {
	moment := v.Type() == momentType
	span, err := link.ParseTTL(n.Value)
	switch unit := n.Value[max(0, len(n.Value)-1):]; {
	case kind == "!!int" && n.Value == "0":
		span, err = 0, nil
	case kind != "!!str":
		err = errNoUnit
	case !moment && n.Value == "lifetime":
		span, err = link.Lifetime, nil
	case moment && unit == "s":
		span, err = parseSeconds(n.Value)
	case !moment && !strings.Contains("mhd", unit), moment && unit != "m":
		err = errNoUnit
	}
	switch {
	case err == nil:
		v.SetInt(int64(span))
	case moment:
		d.addAt(n.Line, path, "must be a duration of seconds or minutes, such as 10s or 1m")
	default:
		d.addAt(n.Line, path, "must be a duration of minutes, hours or days, such as 30m, 24h or 7d; 0 or lifetime where they have a meaning")
	}
}

var errNoUnit = errors.New("no unit")

// parseSeconds reads "10s".
func parseSeconds(text string) (time.Duration, error) {
	n, err := strconv.ParseUint(strings.TrimSuffix(text, "s"), 10, 31)
	return time.Duration(n) * time.Second, err
}

func (d *decoder) decodeText(n *yaml.Node, v reflect.Value, path, kind string) {
	switch {
	case kind != "!!str":
		d.addAt(n.Line, path, "must be text; what YAML would read as a number, a date or a truth value stands in quotes")
	case n.Value == "":
		d.addAt(n.Line, path, "is empty; give it a value or leave it out")
	case len(n.Value) > maxText:
		d.addAt(n.Line, path, "is longer than %d bytes", maxText)
	case strings.ContainsFunc(n.Value, unicode.IsControl):
		d.addAt(n.Line, path, "holds a control character or a line break; it must be one line of text")
	default:
		v.SetString(n.Value)
	}
}

// parseNumber reads a decimal; YAML's other bases would surprise ("010").
func parseNumber(text string) (int64, error) {
	digits := strings.ReplaceAll(text, "_", "")
	if len(digits) > 1 && digits[0] == '0' {
		return 0, fmt.Errorf("leading zero")
	}
	return strconv.ParseInt(digits, 10, 64)
}

// parseWindow reads a duration that names its unit.
func parseWindow(text string) (time.Duration, error) {
	const most = 365 * 24 * time.Hour
	if text == "" || !strings.ContainsRune("mhd", rune(text[len(text)-1])) {
		return 0, errNoUnit
	}
	span, err := link.ParseTTL(text)
	if err != nil || span > most {
		return 0, fmt.Errorf("out of range")
	}
	return span, nil
}

func tag(f reflect.StructField) (name string, required bool) {
	name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name, option == "required"
}

func fieldIndex(t reflect.Type, name string) (int, bool) {
	for i := range t.NumField() {
		if known, _ := tag(t.Field(i)); known == name && known != "" && known != "-" {
			return i, true
		}
	}
	return 0, false
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name, _ := tag(t.Field(i)); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

// shown returns a field's name as messages may hold it: short, and quoted
// where it is no plain word.
func shown(name string) string {
	plain := name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
	if plain {
		return name
	}
	return strconv.Quote(name[:min(len(name), 64)])
}

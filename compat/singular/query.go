package singular

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"waypost/internal/fault"
)

// params are a request's query. Names are lower case, values trimmed, and
// empty ones left out: clients send every filter they know.
type params map[string][]string

// parseParams reads as much of a query as can be read; the error tells that
// something could not.
func parseParams(raw string) (params, error) {
	values, err := url.ParseQuery(raw)
	p := params{}
	for name, list := range values {
		name = strings.ToLower(strings.TrimSpace(name))
		for _, v := range list {
			if v = strings.TrimSpace(v); v != "" {
				p[name] = append(p[name], v)
			}
		}
	}
	if err != nil {
		return p, fault.Bad("query", fault.Malformed, "The query cannot be read; values must be percent-encoded")
	}
	return p, nil
}

func (p params) first(name string) string {
	if list := p[name]; len(list) > 0 {
		return list[0]
	}
	return ""
}

// members returns the query as fields of a body: the page calls those of a
// create "Query Parameters".
func (p params) members() ([]member, error) {
	var list []member
	for name, values := range p {
		value, err := json.Marshal(values[0])
		if err != nil {
			return nil, err
		}
		list = append(list, member{name, value})
	}
	return list, nil
}

// words returns the values of a filter, which may be repeated and may hold
// lists separated by commas; nil where there is no filter.
func (p params) words(names ...string) []string {
	var out []string
	for _, name := range names {
		for _, list := range p[name] {
			for word := range strings.SplitSeq(list, ",") {
				if word = strings.TrimSpace(word); word != "" {
					out = append(out, word)
				}
			}
		}
	}
	return out
}

// numbers is words for filters by number.
func (p params) numbers(names ...string) ([]int64, error) {
	var out []int64
	for _, name := range names {
		for _, word := range p.words(name) {
			n, ok := wholeNumber(word)
			if !ok {
				return nil, invalid(name, "it must be a number or numbers separated by commas, not %s", shortened(word))
			}
			out = append(out, n)
		}
	}
	return out, nil
}

// count reads a whole number from least on; zero where there is none.
func (p params) count(name string, least int64) (int, error) {
	text := p.first(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 31)
	if err != nil || n < least {
		return 0, invalid(name, "it must be a whole number from %d on, not %s", least, shortened(text))
	}
	return int(n), nil
}

// wholeNumber reads a number that may have come through a spreadsheet: "11"
// and "11.0" are the same.
func wholeNumber(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	const exact = 1 << 53 // beyond it a float is no longer every whole number
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != float64(int64(f)) || f < -exact || f > exact {
		return 0, false
	}
	return int64(f), true
}

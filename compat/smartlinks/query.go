package smartlinks

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"waypost/internal/fault"
)

// Bounds of a page (vendor's page: 25 by default; the rest is ours).
const (
	defaultPageSize = 25
	maxPageSize     = 500
	maxPage         = 1 << 30
)

// query is a request's query, decoded. Broken escapes stay as they are: the
// vendor's own examples have them.
type query map[string][]string

func parseQuery(raw string) query {
	q := query{}
	for pair := range strings.SplitSeq(raw, "&") {
		if name, value, _ := strings.Cut(pair, "="); name != "" {
			name = unescaped(name)
			q[name] = append(q[name], unescaped(value))
		}
	}
	return q
}

func unescaped(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

// text returns the first value of the first name that has one, trimmed.
func (q query) text(names ...string) string {
	for _, name := range names {
		for _, value := range q[name] {
			if value = strings.TrimSpace(value); value != "" {
				return value
			}
		}
	}
	return ""
}

// has reports whether a name is there, with or without a value.
func (q query) has(name string) bool { return len(q[name]) > 0 }

// flag reads a switch; nil where there is none.
func (q query) flag(names ...string) (*bool, error) {
	text := q.text(names...)
	if text == "" {
		return nil, nil
	}
	on, ok := parseFlag(text)
	if !ok {
		return nil, fault.Bad(names[0], fault.Malformed, "must be true or false")
	}
	return &on, nil
}

// ids reads a list of numbers; whatever is no digit stands between them, and
// what is no id is nobody's. given tells an empty list from none.
func (q query) ids(name string) (ids []int64, given bool) {
	text := strings.Join(q[name], ",")
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c < '0' || c > '9' }) {
		if id, ok := digits(word); ok {
			ids = append(ids, id)
		}
	}
	return ids, strings.TrimSpace(text) != ""
}

// words reads a list of words between commas.
func (q query) words(name string) []string {
	var words []string
	for word := range strings.SplitSeq(strings.Join(q[name], ","), ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// number reads a whole number; those beyond 32 bits are the outermost.
func (q query) number(name string, otherwise int) (int, error) {
	text := q.text(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fault.Bad(name, fault.Malformed, "must be a whole number")
	}
	return int(n), nil
}

// page reads which part of a list is wanted. Numbers beyond the bounds mean
// the bound.
func (q query) page() (offset, limit int, err error) {
	page, err := q.number("page", 1)
	if err != nil {
		return 0, 0, err
	}
	size, err := q.number("page_size", defaultPageSize)
	if err != nil {
		return 0, 0, err
	}
	page, size = min(max(page, 1), maxPage), min(max(size, 1), maxPageSize)
	return (page - 1) * size, size, nil
}

// order reads sort: one of the names, with _asc or _desc behind it or nothing,
// which is _asc.
func (q query) order(otherwise string, names ...string) (by string, descending bool, err error) {
	text := strings.ToLower(q.text("sort"))
	if text == "" {
		return otherwise, false, nil
	}
	by, descending = strings.CutSuffix(text, "_desc")
	if !descending {
		by = strings.TrimSuffix(text, "_asc")
	}
	for _, name := range names {
		if name == by {
			return by, descending, nil
		}
	}
	return "", false, fault.Bad("sort", fault.Unknown, "must be one of %s, each with _asc or _desc behind it", strings.Join(names, ", "))
}

// slice returns the part of a list that a page is.
func slice[T any](all []T, offset, limit int) []T {
	offset = min(offset, len(all))
	return all[offset:min(offset+limit, len(all))]
}

// parseFlag reads a switch as the vendor's clients write it.
func parseFlag(text string) (on, ok bool) {
	switch strings.ToLower(text) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

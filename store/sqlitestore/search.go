package sqlitestore

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"waypost/link"
)

// Bounds of a search by pieces. What the pieces find is compared with the whole
// text, so the rarest few of it are as good as all, and much quicker: FTS5
// goes through the links of a common piece one by one.
const (
	mostProbed = 32 // pieces of a text, from all over it
	mostGrams  = 3
	probeLinks = 32
)

// search picks what holds the text or is of the partners.
func (q *listQuery) search(c *conn) error {
	f := q.filter
	if f.Search == "" && len(f.SearchPartners) == 0 {
		return nil
	}
	var either, sources []string
	byAccount := map[link.AccountID][]shelf{}
	for _, s := range q.shelves {
		byAccount[s.account] = append(byAccount[s.account], s)
	}
	if text := fold(f.Search); text != "" {
		expression, err := gramQuery(c, slices.Sorted(maps.Keys(byAccount)), text)
		if err != nil {
			return err
		}
		either = append(either, "instr(i.search, "+q.bind([]byte(text))+") > 0")
		if expression != "" {
			sources = append(sources, "SELECT rowid AS link FROM listing_search WHERE listing_search MATCH "+q.bind(expression))
			q.atOnce = short(text)
		}
	}
	for _, ref := range f.SearchPartners {
		if ref.ID == 0 || byAccount[ref.Account] == nil {
			continue
		}
		list := shelfNumbers(byAccount[ref.Account])
		either = append(either, fmt.Sprintf("(i.partner = %d OR i.agency = %d) AND i.shelf IN (%s)", ref.ID, ref.ID, list))
		sources = append(sources,
			fmt.Sprintf("SELECT link FROM listings INDEXED BY listings_partner WHERE partner = %d AND shelf IN (%s)", ref.ID, list),
			fmt.Sprintf("SELECT link FROM listings INDEXED BY listings_agency WHERE agency = %d AND agency <> 0 AND shelf IN (%s)", ref.ID, list))
	}
	if len(sources) == 0 {
		q.shelves = nil // nothing that the caller sees can be meant
		return nil
	}
	q.and(strings.Join(either, " OR "), sources...)
	return nil
}

// gramQuery returns FTS5's expression for the links of the accounts that may
// hold the folded text; it is empty when there are none.
func gramQuery(c *conn, accounts []link.AccountID, text string) (string, error) {
	var either []string
	for _, account := range accounts {
		words := []string{gram(account, text) + "*"}
		if !short(text) {
			var err error
			if words, err = rarestGrams(c, gramsOf(account, text)); err != nil {
				return "", err
			}
		}
		if len(words) > 0 {
			either = append(either, "("+strings.Join(words, " AND ")+")")
		}
	}
	return strings.Join(either, " OR "), nil
}

// gramsOf returns the words of whole pieces from all over a text.
func gramsOf(account link.AccountID, text string) []string {
	var starts []int
	for start := range text {
		starts = append(starts, start)
	}
	starts = starts[:len(starts)-gramRunes+1]
	words := make([]string, min(len(starts), mostProbed))
	for i := range words {
		words[i] = gram(account, text[starts[i*(len(starts)-1)/max(1, len(words)-1)]:])
	}
	return words
}

// rarestGrams returns the words that the fewest links seem to have, judged by
// how far the first ones lie apart; nothing when no link has one of the words.
func rarestGrams(c *conn, words []string) ([]string, error) {
	if len(words) == 1 {
		return words, nil
	}
	gaps := map[string]int64{}
	for _, word := range words {
		var n, first, last int64
		err := c.each(fmt.Sprint("SELECT rowid FROM listing_search WHERE listing_search MATCH ? LIMIT ", probeLinks), func(r row) error {
			if last = r.int(0); n == 0 {
				first = last
			}
			n++
			return nil
		}, word)
		switch {
		case err != nil || n == 0:
			return nil, err
		case n < probeLinks:
			return []string{word}, nil
		}
		gaps[word] = last - first
	}
	words = slices.SortedFunc(maps.Keys(gaps), func(a, b string) int { return cmp.Or(cmp.Compare(gaps[b], gaps[a]), cmp.Compare(a, b)) })
	return words[:min(len(words), mostGrams)], nil
}

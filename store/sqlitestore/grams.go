package sqlitestore

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"waypost/link"
)

// gramRunes is the length of the pieces by which texts are searched.
const gramRunes = 3

// searchText is what the search column holds. Folded texts are valid UTF-8, so
// nothing that is searched for reaches over the byte between them.
func searchText(name, path string) []byte {
	return slices.Concat([]byte(fold(name)), []byte{0xff}, []byte(fold(path)))
}

// grams returns the words under which listing_search knows a link: each piece
// of its texts once. Towards the end of a text pieces are shorter, so that
// every one or two characters of it begin some piece.
func grams(account link.AccountID, search []byte) string {
	name, path, _ := strings.Cut(string(search), "\xff")
	words := map[string]struct{}{}
	var list strings.Builder
	for _, text := range []string{name, path} {
		for start := range text {
			word := gram(account, text[start:])
			if _, twice := words[word]; twice {
				continue
			}
			words[word] = struct{}{}
			if list.Len() > 0 {
				list.WriteByte(' ')
			}
			list.WriteString(word)
		}
	}
	return list.String()
}

// gram returns the word of the piece that a text begins with: the account, and
// the piece in hexadecimal, which no tokenizer cuts.
func gram(account link.AccountID, text string) string {
	end := 0
	for n := 0; n < gramRunes && end < len(text); n++ {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	word := strconv.AppendInt(make([]byte, 0, 24), int64(account), 10)
	return string(hex.AppendEncode(append(word, 'g'), []byte(text[:end])))
}

// short reports whether a text is shorter than a piece. The links that may hold
// it are not told one by one, but all at once.
func short(text string) bool { return utf8.RuneCountInString(text) < gramRunes }

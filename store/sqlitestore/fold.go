package sqlitestore

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold returns s with one rune for all that differ in case alone (Unicode's
// simple case folding): texts that strings.EqualFold takes for equal have one
// fold. What it returns is kept in rows, so it never changes.
func fold(s string) string { return strings.Map(foldRune, s) }

func foldRune(r rune) rune {
	least := r
	if r >= utf8.RuneSelf {
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

package link

import (
	"strings"
	"unicode"
)

// Fold returns one text for all that strings.EqualFold takes for equal: names
// that people keep are the same without regard to case when their folds are.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return unicode.ToLower(least)
	}, name)
}

package sqlitestore

import (
	"strings"
	"testing"
	"unicode"
)

// TestFold: two runes have one fold exactly when they differ in case alone.
func TestFold(t *testing.T) {
	t.Parallel()
	for r := range unicode.MaxRune + 1 {
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if foldRune(r) != foldRune(other) {
				t.Fatalf("%U and %U", r, other)
			}
		}
		if !strings.EqualFold(string(foldRune(r)), string(r)) {
			t.Fatalf("%U became %U", r, foldRune(r))
		}
	}
	for text, want := range map[string]string{
		"": "", "Autumn_Sale [7]": "autumn_sale [7]", "ÄRZTE": fold("ärzte"), "ΣΊΣΥΦΟΣ": fold("Σίσυφος"), "\u212Aelvin": "kelvin",
		"a\xffb": "a\uFFFDb", "日本": "日本", "Straße": "straße",
	} {
		if got := fold(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

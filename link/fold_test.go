package link

import (
	"strings"
	"testing"
)

func TestFoldAgreesWithEqualFold(t *testing.T) {
	t.Parallel()
	f := func(a, b string) {
		t.Helper()
		if got, want := Fold(a) == Fold(b), strings.EqualFold(a, b); got != want {
			t.Errorf("%q and %q fold to %q and %q, want the same: %v", a, b, Fold(a), Fold(b), want)
		}
	}
	f("Summer 26", "sUMMER 26")
	f("Summer", "Sommer")
	f("ÄÖÜ", "äöü")
	f("K", "\u212a") // the Kelvin sign
	f("ς", "Σ")
	f("ſ", "S")
	f("ı", "i")
	f("ß", "SS")
	f("", " ")
	if got := Fold("Acme GROUP"); got != "acme group" {
		t.Errorf("Fold gives %q", got)
	}
}

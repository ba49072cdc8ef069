package singular

import "testing"

// The vector was computed apart from this code (spec-singular §7).
func TestSignature(t *testing.T) {
	t.Parallel()
	if got := signature("my_secret", "my_key"); got != "9e3a04e7785605eda9bec8cd05dca8f3791cb3de" {
		t.Errorf("signature %s", got)
	}
}

func TestSourceIDs(t *testing.T) {
	t.Parallel()
	seen := map[int64]string{}
	for _, source := range append([]string{"Offline Events", "x", "", webToAppSource}, sources...) {
		id := SourceID(source)
		if id < firstSourceID || id >= 1<<31 || seen[id] != "" {
			t.Errorf("source %q has the number %d", source, id)
		}
		seen[id] = source
	}
	if SourceID("Social") != SourceID("social") || SourceID("social") != 856182290 {
		t.Errorf("the number of social has become %d", SourceID("social"))
	}
}

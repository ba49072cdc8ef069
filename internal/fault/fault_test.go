package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestKindsSurviveWrapping(t *testing.T) {
	t.Parallel()
	cause := errors.New("the disk")
	err := fmt.Errorf("store: %w", Bad("id", Taken, "is in use").Because(cause))
	f := As(err)
	if f.Kind != Invalid || f.Field != "id" || f.Reason != Taken || !errors.Is(err, cause) || !Is(err, Invalid) || Is(err, NotFound) {
		t.Errorf("got %+v", f)
	}
	if text := err.Error(); !strings.Contains(text, "id: is in use") || !strings.Contains(text, "the disk") {
		t.Errorf("the text is %q", text)
	}
}

func TestUnmarkedErrorsAreInternal(t *testing.T) {
	t.Parallel()
	cause := errors.New("surprise")
	f := As(cause)
	if f.Kind != Internal || f.Message != "" || !errors.Is(f, cause) || !Is(cause, Internal) || Is(nil, Internal) {
		t.Errorf("got %+v", f)
	}
}

func TestKindNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for k := Internal; k <= Unavailable; k++ {
		if k.String() == "" || seen[k.String()] {
			t.Errorf("kind %d is called %q", k, k)
		}
		seen[k.String()] = true
	}
	if Kind(200).String() != "internal" {
		t.Errorf("an unknown kind is called %q", Kind(200))
	}
}

package onelink

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestOwns(t *testing.T) {
	t.Parallel()
	f := func(path string, want bool) {
		t.Helper()
		if got := Owns(path); got != want {
			t.Errorf("Owns(%q) is %v", path, got)
		}
	}
	f("/shortlink/v1/A1b3", true)
	f("//shortlink///v1//A1b3&id=x", true)
	f("/shortlink/v1", true)
	f("/api/v2.0/shortlinks/A1b3", true)
	f("//api//v2.0", true)
	f("/shortlink/v2/A1b3", false)
	f("/shortlink", false)
	f("/api/v2/shortlinks", false)
	f("/x/shortlink/v1/A1b3", false)
	f("/waypost/v1/links", false)
	f("/", false)
	f("", false)
}

// FuzzRoute sends any path and query through the router: it must not panic,
// nor take several parts of a path for one.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{
		"/shortlink/v1/A1b3?id=abc", "/shortlink/v1/A1b3&id=abc", "/shortlink/v1//A1b3%26id=abc/", "/shortlink/v1/A1b3%26id%3Dabc?id=", "/shortlink/v1/&?;=%",
		"/shortlink/v1/a/b", "/api/v2.0/shortlinks/A1b3", "/api/v2.0//shortlinks/A1b3/promo/qr?size=3", "/api/v2.0/shortlinks-quota/ACC1", "/api/v2.0/shortlinks/a%2Fb/%00",
	} {
		f.Add(seed)
	}
	api := &API{}
	api.v1, api.v2 = api.version1(), api.version2()
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !Owns(u.EscapedPath()) {
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = u
		v, found := api.route(r)
		parts := len(segments(u.EscapedPath()))
		switch {
		case v == &api.v1 && found.verbs != nil && (parts < 3 || strings.Count(string(found.template), "/") > strings.Count(strings.ToLower(target), "%2f")):
			t.Fatalf("%q is read as %+v", target, found.place)
		case v == &api.v2 && found.verbs != nil && (parts < 4 || parts > 6):
			t.Fatalf("%q is read as %+v", target, found.place)
		case found.verbs == nil && found.place != (place{}):
			t.Fatalf("%q names %+v and leads nowhere", target, found.place)
		}
	})
}

func TestSecret(t *testing.T) {
	t.Parallel()
	f := func(header, want string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", header)
		if got := secret(r); got != want {
			t.Errorf("secret(%q) = %q, want %q", header, got, want)
		}
	}
	f("tok", "tok")
	f("Bearer tok", "tok")
	f("bEaReR\t tok ", "tok")
	f("Bearer", "")
	f("Bearertok", "Bearertok")
	f("a b", "a b")
	f("", "")
}

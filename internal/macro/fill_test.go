package macro

import (
	"net/url"
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	t.Parallel()
	f := func(s, before, name, after string, found bool) {
		t.Helper()
		b, n, a, ok := Cut(s)
		if b != before || n != name || a != after || ok != found {
			t.Errorf("Cut(%q) = %q, %q, %q, %v; want %q, %q, %q, %v", s, b, n, a, ok, before, name, after, found)
		}
	}
	none := func(s string) { t.Helper(); f(s, s, "", "", false) }
	f("a{b}c", "a", "b", "c", true)
	f("{b}", "", "b", "", true)
	f("{{b}}", "{", "b", "}", true)
	f("{a{b}", "{a", "b", "", true)
	f("}{b}{c}", "}", "b", "{c}", true)
	f("{}{b}", "{}", "b", "", true)
	f("{ b }", "", " b ", "", true)
	none("")
	none("abc")
	none("{}")
	none("{a")
	none("a}")
	none("{{{{")
}

func TestFill(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"city": "paris", "space": "new york", "reserved": "a/b?c=d&e#f%", "crlf": "a\r\nb", "up": "..", "dot": ".",
		"macro": "{click_id}", "empty": "", "wide": "Zürich", "encoded": "a%20b",
	}
	lookup := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	f := func(raw, want string) {
		t.Helper()
		got, err := Fill(raw, lookup)
		if err != nil || got != want {
			t.Errorf("Fill(%q) = %q, %v; want %q", raw, got, err, want)
		}
	}
	f("myapp://{city}", "myapp://paris")
	f("myapp://{city}/{space}?q={space}#{city}", "myapp://paris/new%20york?q=new%20york#paris")
	f("https://x.test/{reserved}?a={reserved}", "https://x.test/a%2Fb%3Fc%3Dd%26e%23f%25?a=a%2Fb%3Fc%3Dd%26e%23f%25")
	f("https://x.test/?a={crlf}", "https://x.test/?a=a%0D%0Ab")
	f("https://x.test/{macro}", "https://x.test/%7Bclick_id%7D")
	f("https://x.test/{unknown}?c={click_id}", "https://x.test/{unknown}?c={click_id}")
	f("https://x.test/a{empty}b", "https://x.test/ab")
	f("https://x.test/{wide}/{encoded}", "https://x.test/Z%C3%BCrich/a%2520b")
	f("https://{reserved}.x.test/", "https://a%2Fb%3Fc%3Dd%26e%23f%25.x.test/")
	f("{city}", "paris")
	f("https://x.test/{", "https://x.test/{")
	f("https://x.test/../{city}", "https://x.test/../paris")
	f("https://x.test/?a=/{up}/", "https://x.test/?a=/../")
	f("", "")
	refused := func(raw string) {
		t.Helper()
		if got, err := Fill(raw, lookup); err == nil {
			t.Errorf("Fill(%q) = %q, want an error: it steps up", raw, got)
		}
	}
	refused("https://x.test/a/{up}/b")
	refused("https://x.test/a/{dot}{dot}/b")
	refused("https://x.test/a/.{dot}")
	refused("https://x.test/a/%2e{dot}")
	refused("myapp://{up}")
}

// A value stays where its macro stands: the parts of the URL before it and
// behind it are those of the template.
func FuzzFill(f *testing.F) {
	for _, value := range []string{"paris", "a/b", "..", "?x=1", "#f", "&b=c", "@evil.test", "\\evil.test", "\r\nX: y", "%2e%2e", "{click_id}", "日本", "//evil.test", ":80"} {
		f.Add(value, value)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		values := map[string]string{"one": one, "two": two}
		const template = "https://x.test/a/{one}/b?c={two}&d={one}#{two}"
		filled, err := Fill(template, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
		if err != nil {
			return
		}
		u, err := url.Parse(filled)
		if err != nil {
			t.Fatalf("%q does not parse: %v", filled, err)
		}
		query, err := url.ParseQuery(u.RawQuery)
		if err != nil || len(query) != 2 || query.Get("c") != two || query.Get("d") != one {
			t.Fatalf("the query of %q is %v, %v", filled, query, err)
		}
		if u.Scheme != "https" || u.Host != "x.test" || u.Path != "/a/"+one+"/b" || u.Fragment != two || strings.Count(u.EscapedPath(), "/") != 3 {
			t.Fatalf("%q is not the template any more: %+v", filled, u)
		}
	})
}

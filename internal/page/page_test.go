package page

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

const hostile = `"><script>document.title='owned'</script>'</title><!--{{.}}`

func render(t *testing.T, text []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func everyPage(t *testing.T, word string) map[string]string {
	t.Helper()
	try, err1 := AppendTry(nil, Try{Name: word, Open: "acme://x?" + word, Next: "https://x.test/?" + word, Copy: word})
	stores, err2 := AppendStores(nil, Stores{Name: word, Stores: []Store{{word, "https://x.test/?" + word}}})
	preview, err3 := AppendPreview(nil, Preview{Title: word, Description: word, Image: "https://x.test/?" + word, URL: "https://x.test/?" + word})
	return map[string]string{"try": render(t, try, err1), "stores": render(t, stores, err2), "preview": render(t, preview, err3)}
}

func TestPagesAreSmallAndLoadNothing(t *testing.T) {
	t.Parallel()
	loads := regexp.MustCompile(`(?i)\ssrc=|<link|<img|<iframe|<form|url\(|@import|http-equiv`)
	for name, text := range everyPage(t, strings.Repeat("word", 20)) {
		if len(text) >= 4096 {
			t.Errorf("page %s has %d bytes, want fewer than 4096", name, len(text))
		}
		if found := loads.FindString(text); found != "" {
			t.Errorf("page %s may load something: %q", name, found)
		}
	}
}

func TestPagesKeepValuesInert(t *testing.T) {
	t.Parallel()
	for name, text := range everyPage(t, hostile) {
		want := 0
		if name == "try" {
			want = 1 // its own
		}
		if n := strings.Count(strings.ToLower(text), "<script"); n != want {
			t.Errorf("page %s holds %d scripts, want %d:\n%s", name, n, want, text)
		}
		if strings.Contains(text, "<!--") {
			t.Errorf("page %s holds a comment that a value opened:\n%s", name, text)
		}
		title := regexp.MustCompile(`<title>(.*?)</title>`).FindStringSubmatch(text)
		if title == nil || html.UnescapeString(title[1]) != hostile {
			t.Errorf("page %s: title %q, want %q escaped", name, title, hostile)
		}
	}
}

func TestPagesRefuseWhatRunsCode(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"javascript:alert(1)", " JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "https://x.test/\r\n"} {
		if _, err := AppendTry(nil, Try{Open: uri}); err == nil {
			t.Errorf("a page opens %q", uri)
		}
		if _, err := AppendTry(nil, Try{Open: "acme://", Next: uri}); err == nil {
			t.Errorf("a page goes on to %q", uri)
		}
		if _, err := AppendStores(nil, Stores{Stores: []Store{{"x", uri}}}); err == nil {
			t.Errorf("a page offers the store %q", uri)
		}
	}
}

// The policy names scripts and styles by hash, so it must hold for the bytes
// that the template really writes.
func TestPolicyAllowsExactlyTheirScriptAndStyle(t *testing.T) {
	t.Parallel()
	for name, text := range everyPage(t, "word") {
		for _, m := range regexp.MustCompile(`(?s)<(script|style)>(.*?)</`).FindAllStringSubmatch(text, -1) {
			if !strings.Contains(Policy(), m[1]+"-src "+source(m[2])) {
				t.Errorf("page %s: the policy does not allow its %s", name, m[1])
			}
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	got, err := AppendStores([]byte("before"), Stores{Name: "Acme"})
	if err != nil || !strings.HasPrefix(string(got), "before<!doctype html>") || !strings.Contains(string(got), "leads nowhere") {
		t.Errorf("AppendStores = %.60s, %v", got, err)
	}
}

package compattest_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/internal/qr"
)

const head = "A case.\n\nSource: a page\nDate: 2026-08-16\n"
const given = "-- given --\nsetup: golden\n"
const request = "-- request --\nGET /x\n"
const response = "-- response --\n200\n"

func TestLoaderIsStrict(t *testing.T) {
	t.Parallel()
	f := func(name, text, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := compattest.Parse([]byte(text))
			switch {
			case want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case want != "" && err == nil:
				t.Errorf("accepted, want an error with %q", want)
			case want != "" && !strings.Contains(err.Error(), want):
				t.Errorf("got error %q, want one with %q", err, want)
			}
		})
	}
	f("whole", head+given+request+response, "")
	f("several", head+given+request+response+request+"-- response bytes --\n404\n\nx\n", "")
	f("no source", "Date: 2026-08-16\n"+given+request+response, "Source")
	f("no date", "Source: x\n"+given+request+response, "Date")
	f("bad date", "Source: x\nDate: yesterday\n"+given+request+response, "Date")
	f("no given", head+request+response, "given")
	f("given twice", head+given+given+request+response, "every case")
	f("given late", head+given+request+response+given+response, "request is due")
	f("no request", head+given, "every case")
	f("no response", head+given+request, "every case")
	f("response missing between", head+given+request+request, "response is due")
	f("response twice", head+given+request+response+response+response, "request is due")
	f("unknown section", head+given+request+response+"-- note --\nx\n", "every case")
	f("unknown pair", head+given+"-- note --\nx\n"+response, "request is due")
	f("unknown mode", head+given+request+"-- response text --\n200\n", "response is due")
	f("unknown given", head+"-- given --\nsetup: x\ncolour: red\n"+request+response, "colour")
	f("setup twice", head+"-- given --\nsetup: x\nsetup: y\n"+request+response, "setup: y")
	f("setup missing", head+"-- given --\nlimit: a 1\n"+request+response, "setup")
	f("link unknown key", head+given+"link: {\"colour\":1}\n"+request+response, "colour")
	f("limit no number", head+given+"limit: a b\n"+request+response, "limit")
	f("limit twice", head+given+"limit: a 1\nlimit: a 2\n"+request+response, "limit")
	f("request line", head+given+"-- request --\nGET\n"+response, "method")
	f("request header", head+given+"-- request --\nGET /x\nnonsense\n"+response, "header")
	f("links without host", head+given+"-- links --\nGET /x\nUser-Agent: x\n"+response, "Host")
	f("links without agent", head+given+"-- links --\nGET /x\nHost: x\n"+response, "User-Agent")
	f("links", head+given+"-- links --\nGET /x\nHost: x\nUser-Agent: y\n"+response, "")
	f("status", head+given+request+"-- response --\nOK\n", "status")
	f("header check", head+given+request+"-- response --\n200\nX is y\n", "X is y")
	f("header regexp", head+given+request+"-- response --\n200\nX ~ (\n", "header X")
	f("body not JSON", head+given+request+"-- response --\n200\n\n{\n", "JSON")
	f("moving value", head+given+request+"-- response --\n200\n\n{\"n\":{{int as n}},\"s\":\"a{{any}}\"}\n"+"-- request --\nGET /{{n-1}}\n"+response, "")
	f("unknown moving value", head+given+request+"-- response --\n200\n\n\"{{colour}}\"\n", "colour")
	f("kept later", head+given+"-- request --\nGET /{{n}}\n"+response, `"n"`)
	f("nothing kept", head+given+request+"-- response bytes --\n200\n\n{{colour as n}}\n", "colour as n")
}

func TestLoadNeedsCases(t *testing.T) {
	t.Parallel()
	if _, err := compattest.Load(t.TempDir()); err == nil {
		t.Error("an empty folder is no error")
	}
}

// answers is a server that says what a test wants.
func answers(t *testing.T, handler http.HandlerFunc) compattest.Target {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return compattest.Target{API: srv.URL, Links: srv.URL, Bases: map[string]string{"https://written.example": "http://shown.example:8080"}}
}

func TestComparison(t *testing.T) {
	t.Parallel()
	f := func(want, body string, ok bool) {
		t.Helper()
		c, err := compattest.Parse([]byte(head + given + request + "-- " + want + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		err = compattest.Play(c, answers(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Word", "one two")
			_, _ = w.Write([]byte(body))
		}))
		if (err == nil) != ok {
			t.Errorf("%q against %q: %v", body, want, err)
		}
	}
	f("response --\n200\n\n{\"a\":1,\"b\":[true,null]}", `{ "b": [true, null], "a": 1 }`, true)
	f("response --\n200\n\n{\"a\":1}", `{"a":1,"b":2}`, false)
	f("response --\n200\n\n{\"a\":1}", `{"a":"1"}`, false)
	f("response --\n200\n\n[1,2]", `[2,1]`, false)
	f("response --\n200\n\n[1]", `[1] x`, false)
	f("response --\n200", `x`, false)
	f("response --\n201\n\n1", `1`, false)
	f("response --\n200\n\n{{int}}", `12`, true)
	f("response --\n200\n\n{{int}}", `1.5`, false)
	f("response --\n200\n\n{{int}}", `"12"`, false)
	f("response --\n200\n\n\"{{int}}\"", `"12"`, true)
	f("response --\n200\n\n\"{{int}}\"", `12`, false)
	f("response --\n200\n\n{{any}}", `null`, true)
	f("response --\n200\n\n\"x/{{id}}\"", `"x/ab12cd34"`, true)
	f("response --\n200\n\n\"x/{{id}}\"", `"x/ab12cd345"`, false)
	f("response --\n200\n\n\"{{time}}\"", `"2026-08-16T10:00:00Z"`, true)
	f("response --\n200\n\n\"{{time}}\"", `"2026-08-16T10:00:00.5Z"`, false)
	f("response --\n200\n\n\"{{gmt}}\"", `"Tue, 23 Aug 2022 12:22:58 GMT"`, true)
	f("response --\n200\n\n\"{{gmt}}\"", `"Tue, 23 Aug 2022 12:22:58 UTC"`, false)
	f("response --\n200\n\n\"{{word}}\"", `"k6kj1"`, true)
	f("response --\n200\n\n\"{{word}}\"", `"k6/kj1"`, false)
	f("response --\n200\n\n\"{{in 2d}}\"", `"`+time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339)+`"`, true)
	f("response --\n200\n\n\"{{in 2d}}\"", `"`+time.Now().Add(47*time.Hour).UTC().Format(time.RFC3339)+`"`, false)
	f("response --\n200\n\n\"https://written.example/x\"", `"http://shown.example:8080/x"`, true)
	f("response bytes --\n200\n\n{\"a\": 1}", `{"a": 1}`, true)
	f("response bytes --\n200\n\n{\"a\": 1}", `{"a":1}`, false)
	f("response bytes --\n200\n\nx", "x\n", false)
	f("response bytes --\n200\n\n{\"n\":{{int}}}", `{"n":7}`, true)
	f("response contains --\n200\n\none\n! three", `one two`, true)
	f("response contains --\n200\n\none\n! two", `one two`, false)
	f("response contains --\n200\n\nthree", `one two`, false)
	f("response contains --\n200\nX-Word: one two\nX-Word ~ ^one\nX-Word has two\nX-Word lacks three\nX-Other absent", ``, true)
	for _, line := range []string{"X-Word: one", "X-Word ~ ^two", "X-Word has three", "X-Word lacks one", "X-Word absent", "X-Other: "} {
		f("response contains --\n200\n"+line, ``, line == "X-Other: ")
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	symbol, err := qr.New("https://x.test/")
	if err != nil {
		t.Fatal(err)
	}
	var picture strings.Builder
	if err := symbol.PNG(&picture, qr.Style{Size: 200, Margin: true, Foreground: qr.Black, Background: qr.White}); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`"data:image/png;base64,%s"`, base64.StdEncoding.EncodeToString([]byte(picture.String())))
	target := answers(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
	f := func(want string, ok bool) {
		t.Helper()
		c, err := compattest.Parse([]byte(head + given + request + "-- response --\n200\n\n\"{{qr " + want + "}}\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := compattest.Play(c, target); (err == nil) != ok {
			t.Errorf("%s: %v", want, err)
		}
	}
	f("png 200 https://x.test/", true)
	f("svg 200 https://x.test/", false)
	f("png 201 https://x.test/", false)
	f("png 200 https://x.test/y", false)
	f("jpeg 200 https://x.test/", false)
}

func TestPictureBodies(t *testing.T) {
	t.Parallel()
	symbol, err := qr.New("https://x.test/a8")
	if err != nil {
		t.Fatal(err)
	}
	style := qr.Style{Size: 200, Margin: true, Foreground: qr.Black, Background: qr.White}
	f := func(draw func(io.Writer, qr.Style) error, want string, ok bool) {
		t.Helper()
		target := answers(t, func(w http.ResponseWriter, _ *http.Request) {
			if err := draw(w, style); err != nil {
				t.Error(err)
			}
		})
		c, err := compattest.Parse([]byte(head + given + request + "-- response picture --\n200\n\n" + want + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := compattest.Play(c, target); (err == nil) != ok {
			t.Errorf("%s: %v", want, err)
		}
	}
	f(symbol.PNG, "png 200 https://x.test/a8", true)
	f(symbol.JPEG, "jpeg 200 https://x.test/a8", true)
	f(symbol.SVG, "svg 200 https://x.test/a8", true)
	f(symbol.SVG, "png 200 https://x.test/a8", false)
	f(symbol.SVG, "svg 201 https://x.test/a8", false)
	f(symbol.SVG, "svg 200 https://x.test/a9", false)
	if _, err := compattest.Parse([]byte(head + given + request + "-- response picture --\n200\n\ngif 200 x\n")); err == nil {
		t.Error("an unknown format is no error")
	}
}

func TestRequestsGoOutAsWritten(t *testing.T) {
	t.Parallel()
	target := answers(t, func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 100)
		n, _ := r.Body.Read(body)
		_, _ = fmt.Fprintf(w, "%q", fmt.Sprintf("%s %s %s %s %x", r.Method, r.RequestURI, r.Host, r.Header.Get("X-A"), body[:n]))
	})
	text := head + given + `-- request --
PUT //a//b%26c?d
X-A: 1

{{repeat ab 2}}{{hex 00ff}}
-- response --
200

"PUT //a//b%26c?d {{any}} 1 6162616200ff"
-- links --
GET /k
Host: written.example
User-Agent: x
-- response --
200

"GET /k shown.example:8080  "
-- request --
GET /{{int as nothing}}
-- response --
200
`
	if _, err := compattest.Parse([]byte(text)); err == nil {
		t.Error("a request that would keep a value is no error")
	}
	c, err := compattest.Parse([]byte(strings.SplitAfter(text, "8080  \"\n")[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := compattest.Play(c, target); err != nil {
		t.Error(err)
	}
}

func TestKeptValues(t *testing.T) {
	t.Parallel()
	left := 10
	target := answers(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"n":%d,"path":%q}`, left, r.URL.Path)
		left--
	})
	step := func(path, n string) string {
		return "-- request --\nGET " + path + "\n-- response --\n200\n\n{\"n\":{{" + n + "}},\"path\":\"" + path + "\"}\n"
	}
	play := func(text string) error {
		left = 10
		c, err := compattest.Parse([]byte(head + given + text))
		if err != nil {
			t.Fatal(err)
		}
		return compattest.Play(c, target)
	}
	if err := play(step("/a", "int as n") + step("/{{n}}", "n-1") + step("/{{n-3}}", "n-2")); err != nil {
		t.Error(err)
	}
	if err := play("-- request --\nGET /10\n-- response --\n200\n\n{\"n\":{{int as n}},\"path\":\"/{{n}}\"}\n"); err != nil {
		t.Error(err)
	}
	if err := play(step("/a", "int as n") + step("/b", "n-2")); err == nil {
		t.Error("a wrong number is no error")
	}
}

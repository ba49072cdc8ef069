package singular_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

func zipped(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestGzipReports: forms and JSON may be packed by gzip; what is broken, or
// unpacks to too much, is refused with a final reason, and nothing is kept of it.
func TestGzipReports(t *testing.T) {
	t.Parallel()
	w := newIntake(t, acmeRules(t))
	base := w.serve(t)
	const object = `{"a":"acme-sdk-key","p":"iOS","i":"com.acme.app","idfv":"` + phoneIDFV + `","n":"buy"}`
	post := func(name, body, encoding, want string) {
		t.Helper()
		before := w.ledger.Count()
		if got := ask(t, base, "POST", "/api/v1/evt", body, "Content-Encoding", encoding); !sameJSON(got, want) {
			t.Errorf("%s: got %s\nwant %s", name, got, want)
		}
		if kept := w.ledger.Count() - before; (kept == 1) != (want == accepted) {
			t.Errorf("%s: %d events are kept", name, kept)
		}
	}
	post("JSON", zipped(t, object), "gzip", accepted)
	post("a form", zipped(t, iosApp+"&n=buy"), "x-gzip", accepted)
	post("plain", object, "identity", accepted)
	post("a character set", object, "utf-8", accepted)
	post("not packed", object, "gzip", refused("invalid argument: request body: the body is not gzip, as Content-Encoding says"))
	post("half", zipped(t, object)[:40], "gzip", refused("invalid argument: request body: the body ends early, or is damaged"))
	post("a bomb", zipped(t, strings.Repeat(" ", 4<<20)), "gzip", refused("invalid argument: request body: at most 1048576 bytes, also when inflated"))
	post("another encoding", object, "br", refused("invalid argument: Content-Encoding: send the body as it is, or with gzip"))
}

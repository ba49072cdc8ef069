package onelink_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
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

// TestGzipReports: reports may be packed by gzip; what is broken, or unpacks to
// too much, is refused in the endpoint's own shape, and nothing is kept of it.
func TestGzipReports(t *testing.T) {
	t.Parallel()
	const click = `{"af_media_source":"email_int","af_campaign_id":"NAME"}`
	const start = `{"is_first":true,"lang":"en-US","os":"10","timestamp":"2026-11-20T11:59:59.000","type":"SM-A115M","ip":"203.0.113.9","request_id":"r-9"}`
	startPath := "/v1.0/android/com.golden.app?af_sig=" + signature(goldenKey, "2026-11-20T11:59:59.000203.0.113.9")
	bomb := zipped(t, `{"a":"`+strings.Repeat(" ", 4<<20)+`"}`)
	for _, c := range []struct{ path, header, value, body, answer, broken string }{
		{eventPath, "authentication", "golden-token", someEvent, "OK", "Payload is missing or failed to parse"},
		{"/v1.0/s2s/click/app/android/com.golden.app", "authorization", "golden-token", click, "", `{"message":"`},
		{startPath, "x-none", "x", start, `{"found":false,"click_event":{}}`, `{"code":"malformed","message":"Bad Request: `},
	} {
		w := goldenReports(t)
		post := func(name, body, encoding string, status int, contains string, kept int) {
			t.Helper()
			before := w.ledger.Count()
			got, _, text := send(t, w.base, http.MethodPost, c.path, body, c.header, c.value, "Content-Encoding", encoding)
			if got != status || !strings.Contains(text, contains) || w.ledger.Count()-before != kept {
				t.Errorf("%s %s: %d %q, %d kept; want %d %q, %d", c.path, name, got, text, w.ledger.Count()-before, status, contains, kept)
			}
		}
		// Two equal clicks within a moment are one.
		named := func(name string) string { return strings.Replace(c.body, "NAME", name, 1) }
		post("packed", zipped(t, named("1")), "gzip", 200, c.answer, 1)
		post("by its old name", zipped(t, named("2")), "X-Gzip", 200, c.answer, 1)
		post("plain", named("3"), "identity", 200, c.answer, 1)
		post("a character set", named("4"), "UTF-8", 200, c.answer, 1)
		post("not packed", c.body, "gzip", 400, c.broken, 0)
		post("half", zipped(t, c.body)[:40], "gzip", 400, c.broken, 0)
		post("a bomb", bomb, "gzip", 400, "", 0)
		post("packed and not told", zipped(t, c.body), "", 400, c.broken, 0)
		post("another encoding", c.body, "br", 400, "", 0)
	}
}

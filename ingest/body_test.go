package ingest_test

import (
	"testing"
	"time"
)

// TestNamesAreNotMended: bytes that are no characters, and halves of them, all
// read as U+FFFD, which would make one installation of two.
func TestNamesAreNotMended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.door(time.Nanosecond)
	f := func(path, body string, status int, location, message string) {
		t.Helper()
		got := send(t, server, path, []byte(body))
		if got.status != status || got.at("errors.0.location") != location || got.at("errors.0.message") != message {
			t.Errorf("%s %q: %+v", path, body, got)
		}
	}
	const open = `{"app_key":"acme-sdk-key","app":{"id":26538},"install_uuid":"dev`
	const notUTF8, half = "the body is not UTF-8: encode its text so", "the text holds half of a surrogate pair, which is no character"
	for _, path := range []string{"/sdk/v1/open", "/sdk/v1/events", "/sdk/v1/consent", "/sdk/v1/identify"} {
		f(path, open+"\xffA\"}", 400, "body", notUTF8)
		f(path, open+`\ud800A"}`, 422, "install_uuid", half)
		f(path, open+`\uDFFF"}`, 422, "install_uuid", half)
	}
	f("/sdk/v1/open", open+`","session_id":"\ud83d"}`, 422, "session_id", half)
	f("/sdk/v1/identify", open+`","user_id":"\ud83d"}`, 422, "user_id", half)
	f("/sdk/v1/events", open+`","events":[{"event_id":"x`+"\xff"+`","name":"n"},{"event_id":"x`+"\xfd"+`","name":"n"}]}`, 400, "body", notUTF8)
	if w.ledger.Count() != 0 {
		t.Errorf("kept %s", w.ledger.Lines())
	}
	got := send(t, server, "/sdk/v1/events", []byte(open+`","events":[{"event_id":"x\ud800","name":"n"},{"event_id":"x","name":"\udc00"},{"event_id":"y\ud83d\ude00","name":"n"}]}`))
	if got.at("results.0.error.location") != "event_id" || got.at("results.1.error.location") != "name" || got.at("results.2.status") != "accepted" || w.last().Key != "y😀" {
		t.Errorf("answered %+v", got.body)
	}
	if got := send(t, server, "/sdk/v1/open", []byte(open+`","device":{"model":"cut \ud83d"}}`)); got.status != 200 || w.last().Model != "cut \ufffd" {
		t.Errorf("a model that was cut is answered %+v", got)
	}
}

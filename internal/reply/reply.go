// Package reply is the one place that writes HTTP replies. A handler returns a
// Reply as a value; Write sends its headers, then its status, then its body,
// so a header can never come after the status line, and a handler that panics
// has written nothing yet.
package reply

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Reply is a whole answer. The zero value is an empty 200.
type Reply struct {
	Status int // zero is 200
	Header http.Header
	Body   []byte
}

// JSON answers with v as JSON: no HTML escaping and no final newline, since
// clients that read the raw text strip nothing but quotes. A value that cannot
// be encoded is a mistake of the program and panics.
func JSON(status int, v any) Reply {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("reply: value has no JSON form: " + err.Error())
	}
	return Bytes(status, "application/json", bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// Bytes answers with a body of the given media type.
func Bytes(status int, mediaType string, body []byte) Reply {
	return Reply{Status: status, Header: http.Header{"Content-Type": {mediaType}}, Body: body}
}

// Empty answers with a status alone.
func Empty(status int) Reply {
	return Reply{Status: status, Header: http.Header{}}
}

// With returns the reply with a header set. It changes the reply's own map,
// which is not shared: every constructor makes a new one.
func (r Reply) With(name, value string) Reply {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(name, value)
	return r
}

// RetryAfter returns the reply with Retry-After set to wait in whole seconds,
// rounded up; at least one, since zero invites a client to hammer.
func (r Reply) RetryAfter(wait time.Duration) Reply {
	seconds := max(1, (wait+time.Second-1)/time.Second)
	return r.With("Retry-After", strconv.FormatInt(int64(seconds), 10))
}

// Write sends the reply. A failing write means that the client is gone, and
// there is nobody left to tell.
func (r Reply) Write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range r.Header {
		header[name] = values
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	if status != http.StatusNoContent && status != http.StatusNotModified {
		header.Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(r.Body)
}

// Handler serves what Answer returns.
type Handler struct {
	Answer func(*http.Request) Reply
	// Panicked makes the answer to a request whose Answer panicked with value.
	Panicked func(r *http.Request, value any) Reply
}

// ServeHTTP writes one reply for every request, also where Answer panics:
// nothing is written before Answer has returned. http.ErrAbortHandler, by
// which a handler asks for the connection to be cut, passes through.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.guarded(r).Write(w)
}

func (h Handler) guarded(r *http.Request) (answer Reply) {
	defer func() {
		if value := recover(); value == http.ErrAbortHandler {
			panic(value)
		} else if value != nil {
			answer = h.Panicked(r, value)
		}
	}()
	return h.Answer(r)
}

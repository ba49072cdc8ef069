package click

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// echo is a Receiver of one path.
type echo struct{}

func (echo) Owns(path string) bool { return path == "/.well-known/copies/" }

func (echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write([]byte(r.Method + " " + r.Host + r.URL.Path + " " + string(body)))
}

// TestReceived: what systems post to a path of the Receiver's is his on every
// host; everything else is a link's.
func TestReceived(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t, func(c *Config) { c.Received = echo{} })
	long := strings.Repeat("x", 10<<10)
	f := func(method, uri, body string, status int, want string) {
		t.Helper()
		got := s.send(method, uri, body)
		if got.status != status || want != "" && got.body != want {
			t.Errorf("%s %s: %+.200v", method, uri, got)
		}
	}
	f("POST", "acme.localhost/.well-known/copies/", long, 202, "POST acme.localhost/.well-known/copies/ "+long)
	f("POST", "nobody.test/.well-known/copies/?a=1", "x", 202, "POST nobody.test/.well-known/copies/ x")
	f("GET", "acme.localhost/.well-known/copies/", "", 404, "")
	f("POST", "acme.localhost/.well-known/copies", "", 405, "")
	f("POST", "nobody.test/.well-known/other/", "", 404, "")
	f("POST", "acme.localhost/.well-known/copies/", strings.Repeat("x", 20<<10), 413, "")
	if n := len(s.ledger.clicks(t)); n != 0 {
		t.Errorf("%d clicks were counted", n)
	}
	bare, _ := newFakeSite(t)
	if got := bare.send("POST", "acme.localhost/.well-known/copies/", "x"); got.status != 405 {
		t.Errorf("without a receiver: %+v", got)
	}
}

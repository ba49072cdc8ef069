package compattest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"waypost/manage"
	"waypost/manage/manifest"
)

// Serve starts a handler on a socket until the test is over.
func Serve(t testing.TB, handler http.Handler) (base string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// Send makes one call and returns status, headers and body of the answer. The
// headers are names, each with its value behind it; the last of a name counts.
func Send(t testing.TB, method, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}

// Setup reads the apply file of what a case gives from testdata, with its limits.
func Setup(t testing.TB, given Given) []byte {
	t.Helper()
	setup, err := os.ReadFile("testdata/" + given.Setup + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := given.ApplyFile(setup)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Apply applies the text of an apply file.
func Apply(t testing.TB, rules *manage.Service, name string, text []byte) {
	t.Helper()
	file, err := manifest.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rules.Apply(t.Context(), file); err != nil {
		t.Fatal(err)
	}
}

// Clock is a time that a test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at now.
func NewClock(now time.Time) *Clock {
	return &Clock{now: now}
}

// Now is the time that the clock stands at.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Pass moves the clock on.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

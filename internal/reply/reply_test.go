package reply_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"waypost/internal/reply"
)

func TestReplyOnTheWire(t *testing.T) {
	t.Parallel()
	f := func(name string, answer reply.Reply, status int, header map[string]string, body string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, got := fetch(t, http.MethodGet, func(*http.Request) reply.Reply { return answer })
			if res.StatusCode != status || got != body {
				t.Errorf("got %d %q, want %d %q", res.StatusCode, got, status, body)
			}
			for key, want := range header {
				if got := res.Header.Get(key); got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
		})
	}
	f("no HTML escaping, no newline", reply.JSON(200, "a&b<c>"), 200, map[string]string{"Content-Type": "application/json", "Content-Length": "8"}, `"a&b<c>"`)
	f("zero value", reply.Reply{}, 200, nil, "")
	f("empty", reply.Empty(204), 204, nil, "")
	f("header on any", reply.Reply{}.With("X-Waypost", "1"), 200, map[string]string{"X-Waypost": "1"}, "")
	f("wait rounded up", reply.JSON(429, "x").RetryAfter(1500*time.Millisecond), 429, map[string]string{"Retry-After": "2"}, `"x"`)
	f("wait never zero", reply.JSON(503, "x").RetryAfter(0), 503, map[string]string{"Retry-After": "1"}, `"x"`)
	f("bytes", reply.Bytes(500, "text/plain", []byte("boom")), 500, map[string]string{"Content-Type": "text/plain"}, "boom")
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	res, body := fetch(t, http.MethodGet, func(*http.Request) reply.Reply { panic("boom") })
	if res.StatusCode != 500 || body != `"boom"` {
		t.Errorf("got %d %s", res.StatusCode, body)
	}
}

func TestAbortPasses(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(reply.Handler{Answer: func(*http.Request) reply.Reply { panic(http.ErrAbortHandler) }})
	defer srv.Close()
	if res, err := http.Get(srv.URL); err == nil {
		t.Errorf("got status %d from a handler that cuts its connection", res.StatusCode)
	}
}

func TestHeadKeepsLength(t *testing.T) {
	t.Parallel()
	res, body := fetch(t, http.MethodHead, func(*http.Request) reply.Reply { return reply.JSON(200, "four") })
	if res.ContentLength != 6 || body != "" {
		t.Errorf("got length %d and body %q", res.ContentLength, body)
	}
}

func fetch(t *testing.T, method string, answer func(*http.Request) reply.Reply) (*http.Response, string) {
	t.Helper()
	srv := httptest.NewServer(reply.Handler{Answer: answer, Panicked: func(_ *http.Request, value any) reply.Reply {
		return reply.JSON(500, value)
	}})
	t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

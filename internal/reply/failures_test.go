package reply_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"waypost/internal/reply"
)

func TestFailuresAreLoggedOnce(t *testing.T) {
	t.Parallel()
	gone, leave := context.WithCancel(t.Context())
	leave()
	f := func(name string, ctx context.Context, fail func(reply.Failures, *http.Request) reply.Reply, want map[string]string) {
		t.Helper()
		var log bytes.Buffer
		failures := reply.Failures{Logger: slog.New(slog.NewJSONHandler(&log, nil)), Text: "it failed"}
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/a/b?key=secret", nil)
		answer := fail(failures, r)
		id := answer.Header.Get("X-Request-Id")
		if want == nil {
			if id != "" || log.Len() != 0 {
				t.Errorf("%s: logged %q, %s", name, id, log.String())
			}
			return
		}
		var line map[string]string
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v in %s", name, err, log.String())
		}
		if len(id) != 16 || line["request_id"] != id || line["msg"] != "it failed" || line["method"] != "POST" || line["path"] != "/a/b" || strings.Contains(log.String(), "secret") {
			t.Errorf("%s: %q is logged as %s", name, id, log.String())
		}
		for key, part := range want {
			if !strings.Contains(line[key], part) {
				t.Errorf("%s: %s is %q, want %q in it", name, key, line[key], part)
			}
		}
	}
	failed := func(by reply.Failures, r *http.Request) reply.Reply {
		return by.Failed(r, reply.Empty(500), errors.New("disk on fire"))
	}
	panicked := func(by reply.Failures, r *http.Request) reply.Reply {
		return by.Panicked(r, reply.Empty(500), "boom")
	}
	f("an error", t.Context(), failed, map[string]string{"error": "disk on fire"})
	f("an error, nobody waits", gone, failed, nil)
	f("a panic", t.Context(), panicked, map[string]string{"panic": "boom", "stack": "failures_test.go"})
	f("a panic, nobody waits", gone, panicked, map[string]string{"panic": "boom"})
}

func TestAllow(t *testing.T) {
	t.Parallel()
	f := func(want string, methods ...string) {
		t.Helper()
		verbs := map[string]bool{}
		for _, m := range methods {
			verbs[m] = true
		}
		if got := reply.Allow(verbs); got != want {
			t.Errorf("%q: got %q, want %q", methods, got, want)
		}
	}
	f("OPTIONS")
	f("GET, HEAD, OPTIONS, POST", "POST", "GET")
	f("DELETE, OPTIONS, PUT", "PUT", "DELETE")
}

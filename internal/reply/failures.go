package reply

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"waypost/internal/uid"
)

// Failures logs the requests that failed by no doing of their clients.
type Failures struct {
	Logger *slog.Logger
	Text   string // of every line, such as "OneLink API request failed"
}

// Failed writes one line about a request that err has stopped, and gives its
// answer the id to find that line by. A client that has gone away is no failure.
func (f Failures) Failed(r *http.Request, answer Reply, err error) Reply {
	if r.Context().Err() != nil {
		return answer
	}
	return f.logged(r, answer, slog.Any("error", err))
}

// Panicked does the same for a request that a mistake of ours has stopped with
// value, whether or not the client is still there. It is called where the panic
// is recovered from: the line holds the stack.
func (f Failures) Panicked(r *http.Request, answer Reply, value any) Reply {
	return f.logged(r, answer, slog.String("panic", fmt.Sprint(value)), slog.String("stack", string(debug.Stack())))
}

// logged leaves the query out: it may hold a key, or people's ids.
func (f Failures) logged(r *http.Request, answer Reply, cause ...slog.Attr) Reply {
	id := uid.Code(16)
	attrs := append([]slog.Attr{slog.String("request_id", id), slog.String("method", r.Method), slog.String("path", r.URL.Path)}, cause...)
	f.Logger.LogAttrs(r.Context(), slog.LevelError, f.Text, attrs...)
	return answer.With("X-Request-Id", id)
}

// Allow lists the methods that verbs has, for the Allow header: OPTIONS too,
// and HEAD where there is GET.
func Allow[V any](verbs map[string]V) string {
	methods := append(slices.Collect(maps.Keys(verbs)), http.MethodOptions)
	if _, ok := verbs[http.MethodGet]; ok {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

package onelink

import (
	"net/http"
	"slices"

	"waypost/internal/reply"
)

// crossOrigin lets the configured origins read an answer. The origin is echoed
// because "*" is refused by browsers for calls with credentials.
func (a *API) crossOrigin(r *http.Request, answer reply.Reply) reply.Reply {
	if len(a.Origins) == 0 {
		return answer
	}
	answer = answer.With("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(a.Origins, origin) {
		return answer
	}
	answer = answer.With("Access-Control-Allow-Origin", origin).With("Access-Control-Allow-Credentials", "true")
	if r.Method == http.MethodOptions {
		answer = answer.
			With("Access-Control-Allow-Methods", "GET,POST,PUT,DELETE,OPTIONS").
			With("Access-Control-Allow-Headers", "authorization,content-type")
	}
	return answer
}

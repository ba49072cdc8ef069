package app

import (
	"net/http"
	"sync/atomic"
)

// readiness says whether both listeners serve.
type readiness struct{ now atomic.Bool }

func (r *readiness) set(ready bool) { r.now.Store(ready) }

// healthz answers while the process lives.
func (a *App) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz answers 200 while both listeners serve. A ledger that is down does
// not change that: people are still redirected, and the metrics alarm.
func (a *App) readyz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !a.ready.now.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("not serving\n"))
		return
	}
	_, _ = w.Write([]byte("ready\n"))
	if down := a.ledger.Stats().Down; down != nil {
		_, _ = w.Write([]byte("warning: clicks are not being logged: " + down.Error() + "\n"))
	}
}

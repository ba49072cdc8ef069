package pipeline

import (
	"log/slog"
	"time"
)

// trouble logs a failure that lasts: when it begins, when it changes, once a
// minute, and its end, rather than each attempt.
type trouble struct {
	log  *slog.Logger
	what string
	text string // of the last error; empty when all is well
	at   time.Time
}

const repeatAfter = time.Minute

func (t *trouble) report(err error) {
	if text := err.Error(); text != t.text || time.Since(t.at) > repeatAfter {
		t.text, t.at = text, time.Now()
		t.log.Error(t.what, "error", err)
	}
}

func (t *trouble) end(word string) {
	if t.text != "" {
		t.text = ""
		t.log.Info(word)
	}
}

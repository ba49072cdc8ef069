package smartlinks

import (
	"net/http"

	"waypost/internal/fault"
	"waypost/internal/reply"
)

// The words that success has for values: strings, as the vendor documents them.
const (
	succeeded = "1"
	failed    = "0"
)

// outcome is what senders are told.
type outcome struct {
	Success string   `json:"success"`
	Error   string   `json:"error,omitempty"`
	Errors  []string `json:"errors,omitempty"` // of a list: what was left out
}

func done() reply.Reply { return reply.JSON(http.StatusOK, outcome{Success: succeeded}) }

func told(status int, text string) reply.Reply {
	return reply.JSON(status, outcome{Success: failed, Error: text})
}

// isSenders reports whether a fault is the sender's doing, so that sending the
// same again is of no use.
func isSenders(f *fault.Error) bool {
	switch f.Kind {
	case fault.Internal, fault.Unavailable, fault.RateLimited, fault.Quota:
		return false
	}
	return true
}

// refuse turns an error into the answer. An app that nobody has is the sender's
// mistake like any other.
func (n *Ingest) refuse(r *http.Request, err error) reply.Reply {
	switch f := fault.As(err); {
	case f.Kind == fault.Internal:
		return n.failures.Failed(r, unexpected(), err)
	case f.Kind == fault.Unavailable:
		answer := told(http.StatusServiceUnavailable, "the service is not available for the moment; try again").RetryAfter(f.RetryAfter)
		return n.failures.Failed(r, answer, err)
	case !isSenders(f):
		return told(http.StatusTooManyRequests, "too many calls; try again later").RetryAfter(f.RetryAfter)
	case f.Field == bodyField && f.Reason == fault.TooLong:
		return told(http.StatusRequestEntityTooLarge, said(err))
	}
	return told(http.StatusBadRequest, said(err))
}

func unexpected() reply.Reply {
	return told(http.StatusInternalServerError, "an unexpected error occurred on the server")
}

// panicked answers a request that a mistake of ours has stopped.
func (n *Ingest) panicked(r *http.Request, value any) reply.Reply {
	return n.failures.Panicked(r, unexpected(), value).With("Access-Control-Allow-Origin", "*")
}

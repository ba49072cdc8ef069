package singular

import (
	"net/http"
	"strings"
	"unicode"

	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/internal/reply"
)

const internalReason = "internal error, try again"

// Reasons that the vendor documents, word for word: clients look in them for
// "missing", "invalid", "should have" and "no device ID" and then give up.
func missingArgument(param string) error { return said("missing argument: %s", param) }

func noPlatform(name string) error { return said("invalid platform: %s", echoed(name)) }

func noDeviceID() error { return said("no device ID supplied") }

func lacks(platform, identifier string) error {
	return said("platform: %s should have an %s param", echoed(platform), identifier)
}

// wrong is a reason of ours, in words that clients take for final.
func wrong(param, message string) error { return said("invalid argument: %s: %s", param, message) }

// echoed is a text of the request as a reason repeats it, on one line.
func echoed(text string) string {
	visible := func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}
		return c
	}
	return cutText(strings.Map(visible, text), maxEchoed)
}

// maxEchoed bounds what a reason repeats of a request, bytes.
const maxEchoed = 64

// refuse turns an error into an answer: 200 for what the sender has to change,
// another status for what he has to send again.
func (in *Ingest) refuse(r *http.Request, err error) reply.Reply {
	f := fault.As(err)
	switch f.Kind {
	case fault.Invalid:
		if f.Field == "" {
			return outcome(http.StatusOK, f.Message)
		}
		return outcome(http.StatusOK, fault.As(wrong(paramOf(f.Field), f.Message)).Message)
	case fault.NotFound:
		if f.Field == ingest.FieldKey {
			return outcome(http.StatusOK, "invalid SDK key: no account has the one in a")
		}
		return outcome(http.StatusOK, "invalid app: the account has none with the identifier in i on this platform")
	case fault.Unavailable, fault.RateLimited:
		return in.failures.Failed(r, outcome(http.StatusServiceUnavailable, "temporarily unavailable, try again"), err).RetryAfter(f.RetryAfter)
	}
	return in.failures.Failed(r, outcome(http.StatusInternalServerError, internalReason), err)
}

// ingestParams are what the fields of package ingest are called here.
var ingestParams = map[string]string{
	ingest.FieldApp: paramBundle, ingest.FieldPlatform: queryPlatform, ingest.FieldInstall: "sdid", ingest.FieldName: paramEventName,
	ingest.FieldUser: paramUser, ingest.FieldReferrer: paramReferrer, ingest.FieldOpened: paramOpened, ingest.FieldParams: paramAttributes,
}

func paramOf(field string) string {
	if name, ok := ingestParams[field]; ok {
		return name
	}
	return field
}

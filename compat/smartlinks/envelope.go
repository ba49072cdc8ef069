package smartlinks

import (
	"net/http"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
)

// envelope is every answer that holds nothing else.
type envelope struct {
	Status   int  `json:"status"`
	IsAgency bool `json:"is_agency"`
}

// found is an answer that holds something.
type found struct {
	envelope
	Data any `json:"data"`
}

// failure is every refusal. The vendor documents none; clients of its older
// APIs look for either of the two keys.
type failure struct {
	envelope
	Error  string   `json:"error"`
	Errors []string `json:"errors"`
}

func bare(status int, v any) reply.Reply {
	return reply.JSON(status, v).With("Content-Type", "application/json; charset=utf-8")
}

// done answers a call that has nothing to tell.
func (c *call) done() reply.Reply {
	return bare(http.StatusOK, envelope{http.StatusOK, c.isAgency()})
}

// show answers with data in the envelope.
func (c *call) show(data any) reply.Reply {
	return bare(http.StatusOK, found{envelope{http.StatusOK, c.isAgency()}, data})
}

// failed answers a refused call.
func (c *call) failed(status int, text string) reply.Reply {
	return bare(status, failure{envelope{status, c.isAgency()}, text, []string{text}})
}

// refused turns a fault into its answer.
func (c *call) refused(f *fault.Error) reply.Reply {
	switch f.Kind {
	case fault.Internal:
		return c.failed(http.StatusInternalServerError, "an unexpected error occurred on the server")
	case fault.Unavailable:
		return c.failed(http.StatusServiceUnavailable, "the service is not available for the moment; try again").RetryAfter(f.RetryAfter)
	case fault.Quota, fault.RateLimited:
		return c.failed(http.StatusTooManyRequests, "too many calls; try again later").RetryAfter(f.RetryAfter)
	case fault.Unauthorized:
		return c.failed(http.StatusUnauthorized, "Authentication-Key is missing or unknown")
	case fault.Forbidden:
		return c.failed(http.StatusForbidden, sentence(f))
	case fault.NotFound:
		return c.failed(http.StatusNotFound, sentence(f))
	case fault.Conflict:
		if f.Field == "apps" { // the page speaks of it as of a wrong list
			return c.failed(http.StatusBadRequest, sentence(f))
		}
		return c.failed(http.StatusConflict, sentence(f))
	}
	if f.Field == bodyField && f.Reason == fault.TooLong {
		return c.failed(http.StatusRequestEntityTooLarge, sentence(f))
	}
	return c.failed(http.StatusBadRequest, sentence(f))
}

// callersWords are the API's words for fields that the rules name.
var callersWords = map[string]string{
	"app_group": "app_group_id", "campaign": "app_group_campaign_id",
	"partner": "network_id", "agency": "agency_network_id", "host": "subdomain", "data": "the link as a whole",
}

// sentence says what is wrong, the field first. What the rules say of things
// that were not found or forbidden stands by itself.
func sentence(f *fault.Error) string {
	text := f.Message
	if text == "" {
		text = strings.ReplaceAll(f.Kind.String(), "_", " ")
	}
	field := f.Field
	if word, ok := callersWords[field]; ok {
		field = word
	}
	if field == "" || f.Kind == fault.Forbidden {
		return text
	}
	if verb, _, _ := strings.Cut(text, " "); verbs[verb] {
		return field + " " + text
	}
	return field + ": " + text
}

// verbs begin messages that go on from their field's name.
var verbs = map[string]bool{"must": true, "is": true, "has": true, "lacks": true, "names": true, "cannot": true, "holds": true, "or": true}

package singular

import (
	"fmt"
	"net/http"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
)

// envelope is every error of the API. Clients look for the key "error", then
// read its code and message.
type envelope struct {
	Error struct {
		Code    int    `json:"code"` // the HTTP status
		Message string `json:"message"`
	} `json:"error"`
}

func refusal(status int, message string) reply.Reply {
	var e envelope
	e.Error.Code, e.Error.Message = status, message
	return reply.JSON(status, e)
}

// row is the one place that turns a fault into a status and a text. The vendor
// documents texts only, which stand where they are found out; statuses are ours.
func row(f *fault.Error) (status int, message string) {
	switch f.Kind {
	case fault.Invalid:
		if f.Field == bodyField && f.Reason == fault.TooLong {
			return http.StatusRequestEntityTooLarge, f.Message
		}
		return http.StatusBadRequest, named(f)
	case fault.Unauthorized:
		return http.StatusUnauthorized, f.Message
	case fault.Forbidden:
		if f.Reason == fault.ReadOnly {
			return http.StatusForbidden, "This API key may only read; use one that may write"
		}
		return http.StatusForbidden, "This API key may not do that"
	case fault.NotFound:
		return http.StatusNotFound, named(f)
	case fault.Conflict:
		if f.Reason == fault.Archived {
			return http.StatusConflict, "The app is archived and takes no changes"
		}
		return http.StatusConflict, "Link already exists"
	case fault.Quota, fault.RateLimited:
		return http.StatusTooManyRequests, "Rate limit exceeded: " + f.Message
	case fault.Unavailable:
		return http.StatusServiceUnavailable, "Service temporarily unavailable, try again"
	}
	return http.StatusInternalServerError, "Internal error"
}

// named returns the message of a fault with the name of what it is about.
func named(f *fault.Error) string {
	if f.Field == "" || strings.Contains(f.Message, f.Field) {
		return f.Message
	}
	return f.Field + ": " + f.Message
}

// missing refuses a create that lacks a field.
func missing(name string) error {
	return fault.Bad(name, fault.Missing, "Missing required parameter: %s", name)
}

// invalid refuses a value; the format says what would be right.
func invalid(name, format string, args ...any) error {
	return fault.Bad(name, fault.Malformed, "Invalid value for %s: %s", name, fmt.Sprintf(format, args...))
}

// said refuses a call with a text that the vendor documents, to which nothing
// is added.
func said(format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...)
}

// noLink is the answer to an id that is no link of the caller's.
func noLink() error {
	return fault.New(fault.NotFound, "tracking_link_id does not exist")
}

// shortened keeps an echoed text to a line.
func shortened(text string) string {
	const most = 60
	runes := []rune(text)
	if len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

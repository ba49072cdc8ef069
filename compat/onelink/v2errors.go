package onelink

import (
	"net/http"

	"waypost/internal/fault"
	"waypost/internal/reply"
)

// envelope is every error of v2.0. It has no key "error": a client that looks
// for one would show it instead of the message.
type envelope struct {
	Type    string `json:"error_type"`
	Message string `json:"message"`
}

// refuseV2 is the error catalogue of v2.0's endpoint reference. Rows without a
// counterpart there: a token that may only read, 500 and 503.
func refuseV2(op operation, f *fault.Error) reply.Reply {
	answer := func(status int, kind, message string) reply.Reply {
		return reply.JSON(status, envelope{kind, message})
	}
	if f.Reason == fault.Source {
		return answer(http.StatusBadRequest, "invalid_source", "This operation is not allowed for this shortlink source-caller.")
	}
	switch f.Kind {
	case fault.Invalid:
		return refuseInvalidV2(f)
	case fault.Unauthorized:
		return answer(http.StatusUnauthorized, "authentication_failure", "Authentication failed. Use a valid OneLink API token from your security center.")
	case fault.Forbidden:
		switch f.Reason {
		case fault.ReadOnly:
			return answer(http.StatusForbidden, "authentication_failure", "This token may only read. Use a token that may write.")
		case fault.NotAllowed:
			return answer(http.StatusForbidden, "authentication_failure", "This token may not use templates of this app group.")
		}
		return answer(http.StatusForbidden, "feature_not_enabled", "OneLink API is not enabled for this account. Please contact the operator of this server for access.")
	case fault.NotFound:
		if op == readQuota {
			return answer(http.StatusNotFound, "invalid_parameter", "Account not found")
		}
		return answer(http.StatusNotFound, "invalid_parameter", "Shortlink not found")
	case fault.Conflict:
		return answer(http.StatusConflict, "invalid_parameter", "Shortlink ID already exists")
	case fault.Quota:
		return answer(http.StatusTooManyRequests, "quota_exceeded", "Monthly Quota Exceeded.")
	case fault.RateLimited:
		return answer(http.StatusTooManyRequests, "rate_limit_exceeded", "Rate Limit Exceeded.")
	case fault.Unavailable:
		return answer(http.StatusServiceUnavailable, "internal_error", "Service temporarily unavailable, try again.")
	}
	if f.Field == qrField {
		return answer(http.StatusBadRequest, "qr_error", "Unexpected error occurred while generating QR code")
	}
	return answer(http.StatusInternalServerError, "internal_error", failureV2(op))
}

func refuseInvalidV2(f *fault.Error) reply.Reply {
	bad := func(kind, message string) reply.Reply {
		return reply.JSON(http.StatusBadRequest, envelope{kind, message})
	}
	switch {
	case f.Field == "brand_domain" && f.Reason == fault.Unknown:
		return reply.JSON(http.StatusUnauthorized, envelope{"wrong_brand_domain", "Account validation failure"})
	case f.Field == "brand_domain" && f.Reason == fault.NotAllowed:
		return reply.JSON(http.StatusForbidden, envelope{"wrong_brand_domain", "Brand domain mismatch"})
	case f.Field == bodyField && f.Reason == fault.TooLong:
		return bad("limit_exceeded", "Generating shortlink failed, data sent exceeds limit")
	case f.Field == bodyField:
		return bad("invalid_parameter", "Generating shortlink failed, invalid request body")
	case f.Field == qrField:
		return bad("invalid_parameter", "Invalid QR parameter: "+f.Message)
	}
	return bad("invalid_parameter", f.Message)
}

// failureV2 says what an unexpected fault has stopped. The vendor documents
// these texts with 400; clients retry from 500 on, and trying again may help.
func failureV2(op operation) string {
	switch op {
	case createLink, changeLink:
		return "Failed to create shortlink."
	case deleteLink:
		return "Failed to delete shortlink"
	}
	return "Internal error"
}

// plainV2 answers a request that is refused before it is anybody's.
func plainV2(status int, text string) reply.Reply {
	kind := "invalid_parameter"
	if status == http.StatusRequestURITooLong {
		kind = "limit_exceeded"
	}
	return reply.JSON(status, envelope{kind, text})
}

package onelink

import (
	"fmt"
	"regexp"
	"strings"

	"waypost/internal/fault"
	"waypost/link"
)

// maxDataV2 bounds the compact JSON of data in characters (OneLink API v2.0,
// "API limitations").
const maxDataV2 = 3000

// checkParams holds every parameter against the rules of v2.0 and returns the
// first refusal; strict adds the vendor's list of characters.
func checkParams(params []link.Param, strict bool) error {
	source := ""
	for _, p := range params {
		if err := checkParam(p, strict); err != nil {
			return err
		}
		if p.Name == paramSource {
			source = p.Value
		}
	}
	if strings.TrimSpace(source) == "" {
		f := badParam(paramSource, source, "value is mandatory")
		f.Reason = fault.Missing
		return f
	}
	return nil
}

func checkParam(p link.Param, strict bool) error {
	switch {
	case !keyForm.MatchString(p.Name):
		return badParam(p.Name, p.Value, "a parameter's name may hold letters, digits and _ . - ~ only")
	case hasControl(p.Value):
		return badParam(p.Name, p.Value, "value should not hold control characters")
	case sendsPeople(p.Name):
		return checkTarget(p)
	case strict && forbiddenIn(p.Name):
		return badParam(p.Name, p.Value, "the parameter's name holds a character that is not allowed")
	case strict && forbiddenIn(p.Value):
		return badParam(p.Name, p.Value, "value holds a character that is not allowed")
	}
	if form, ok := valueForms[p.Name]; ok && p.Value != "" && !form.MatchString(p.Value) {
		return badParam(p.Name, p.Value, formReasons[p.Name])
	}
	return nil
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9_.~-]+$`)

// Forms of values that attribution reads ("OneLink links and experiences",
// parameter reference). Other parameters may hold anything.
var (
	boolForm         = regexp.MustCompile(`^(true|false)$`)
	clickForm        = regexp.MustCompile(`^(([1-9]|[12][0-9]|30)d|([1-9]|1[0-9]|2[0-3])h)$`)
	viewForm         = regexp.MustCompile(`^([1-9]|1[0-9]|2[0-4])h$`)
	reengagementForm = regexp.MustCompile(`^(([1-9]|[1-8][0-9]|90)d|([1-9]|[12][0-9]|3[0-6])h|lifetime)$`)

	valueForms = map[string]*regexp.Regexp{
		"af_click_lookback": clickForm, "af_viewthrough_lookback": viewForm, "af_reengagement_window": reengagementForm,
		"is_retargeting": boolForm, "af_qr": boolForm, paramForceDeepLink: boolForm, paramForwarding: boolForm,
		paramForwardBase: boolForm, paramNoRedirect: boolForm,
	}
	formReasons = map[string]string{
		"af_click_lookback":       "value should be 1d to 30d or 1h to 23h",
		"af_viewthrough_lookback": "value should be 1h to 24h",
		"af_reengagement_window":  "value should be 1d to 90d, 1h to 36h or lifetime",
		"is_retargeting":          boolReason, "af_qr": boolReason, paramForceDeepLink: boolReason, paramForwarding: boolReason,
		paramForwardBase: boolReason, paramNoRedirect: boolReason,
	}
)

const boolReason = "value should be true or false"

// checkTarget checks an address that people are sent to. An empty one is kept:
// clients send every field they know, and it sends nobody anywhere.
func checkTarget(p link.Param) error {
	if p.Value == "" {
		return nil
	}
	address := decodeOnce(p.Value, link.SourceV2)
	switch {
	case hasControl(address):
		return badParam(p.Name, p.Value, "value should not hold control characters")
	case p.Name == paramDeepLink:
		if scheme := link.Scheme(address); scheme == "" {
			return badParam(p.Name, p.Value, "value should be a URI with a scheme, such as myapp://path")
		} else if !link.SafeScheme(scheme) {
			return badParam(p.Name, p.Value, "the scheme "+scheme+" is not allowed")
		}
	case !link.WebURL(address):
		return badParam(p.Name, p.Value, "value should be a valid URL")
	case strings.Contains(address, "#"):
		return badParam(p.Name, p.Value, "value should be a URL without a fragment")
	}
	return nil
}

// forbiddenIn reports whether text holds what the v2.0 page forbids outside
// redirect parameters: ; * ! @ # ? $ ^ : %26 ~ ` = + ’ > < / { } % ). It wants
// "<" and ">" encoded, so the percent signs of those two are let through.
func forbiddenIn(text string) bool {
	text = encodedAngles.Replace(text)
	return strings.ContainsAny(text, "%;*!@#?$^:&~`=+’><'/{})")
}

var encodedAngles = strings.NewReplacer("%3C", "", "%3c", "", "%3E", "", "%3e", "")

// badParam refuses a parameter in the words of the vendor's example.
func badParam(name, value, reason string) *fault.Error {
	return &fault.Error{Kind: fault.Invalid, Reason: fault.Malformed, Field: name, Message: fmt.Sprintf(
		"Parameter '%s' has an invalid value: '%s'. Reason: %s", shortened(name), shortened(value), reason)}
}

// shortened keeps an echoed text to a line.
func shortened(text string) string {
	const most = 100
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}

package manifest

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"waypost/internal/macro"
	"waypost/internal/outbound"
	"waypost/link"
)

// maxID is the largest whole number that every JSON reader keeps exactly.
const maxID = 1<<53 - 1

var (
	keyForm         = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	bundleForm      = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$`)
	teamForm        = regexp.MustCompile(`^[A-Z0-9]{10}$`)
	packageForm     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)
	fingerprintForm = regexp.MustCompile(`^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}$`)
	storeForm       = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	colourForm      = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)
	secretForm      = regexp.MustCompile(`^[!-~]{8,512}$`)
	queryForm       = regexp.MustCompile(`^[!-~]+$`)
	macroForm       = regexp.MustCompile(`^([A-Za-z0-9_-]{1,64}|[A-Za-z0-9_-]{1,64}\?[^{}?#/]{1,128}|NETWORK=[^{}?#/]{1,128})$`)
	eventForm       = regexp.MustCompile(`^event:[^\pC]{1,100}$`)
)

func isKey(s string) bool         { return keyForm.MatchString(s) }
func isBundleID(s string) bool    { return len(s) <= 155 && bundleForm.MatchString(s) }
func isTeamID(s string) bool      { return teamForm.MatchString(s) }
func isPackage(s string) bool     { return len(s) <= 255 && packageForm.MatchString(s) }
func isFingerprint(s string) bool { return fingerprintForm.MatchString(s) }
func isStoreID(s string) bool     { return storeForm.MatchString(s) }
func isColour(s string) bool      { return colourForm.MatchString(s) }
func isSecret(s string) bool      { return secretForm.MatchString(s) }

// isGroupName holds group names to what the rules of the API demand of them.
func isGroupName(s string) bool {
	return strings.TrimSpace(s) == s && utf8.RuneCountInString(s) <= 255
}

func isQuery(s string) bool {
	return len(s) <= maxURL && queryForm.MatchString(s) && !strings.ContainsAny(s, "?#") && s[0] != '&'
}

// isHost reports whether s is a DNS name in ASCII (RFC 1123 §2.1).
func isHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, notHost) {
			return false
		}
	}
	return true
}

func notHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
}

// isAppScheme reports whether s is a URI scheme that can be an app's own.
func isAppScheme(s string) bool {
	lower := strings.ToLower(s)
	return link.Scheme(s+":") == s && link.SafeScheme(s) && lower != "http" && lower != "https" && len(s) <= 64
}

// isAppURI reports whether s is an address inside an app.
func isAppURI(s string) bool {
	scheme := link.Scheme(s)
	return isAppScheme(scheme) && strings.HasPrefix(s[len(scheme):], "://") && !strings.ContainsAny(s, " <>\"'\\`") && len(s) <= maxURL
}

const maxURL = 2048

// url checks a web address that is there, and reports whether it is good.
func (c *checker) url(path, raw string) bool {
	return c.form(path, raw, isWebURL, "a full http or https URL without spaces, such as https://www.example.com/")
}

func isWebURL(raw string) bool {
	host := link.Host(raw)
	return host != "" && len(raw) <= maxURL && !strings.ContainsAny(raw, " <>\"\\^`{|}") && (isHost(host) || isIPv6(raw))
}

func isIPv6(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && strings.HasPrefix(u.Host, "[")
}

// checkMacroURL checks a web address that we call. It may hold {macros} where
// no value from outside can choose whom we talk to. Which names have a meaning
// depends on what the address is told about, so any word passes, also as
// {word?Network} and {NETWORK=Network}.
func checkMacroURL(raw string) error {
	if err := macro.CheckURL(raw, macroForm.MatchString); err != nil {
		return err
	}
	if link.Host(raw) == "" || strings.ContainsAny(raw, " \t") {
		return errNotURL
	}
	return outbound.CheckURL(raw)
}

var errNotURL = errors.New("must be a full http or https URL without spaces, such as https://example.com/postback?click={click_id}")

func list(words []string) string {
	switch len(words) {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

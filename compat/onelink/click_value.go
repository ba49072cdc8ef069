package onelink

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"waypost/link"
	"waypost/route"
)

// decodeOnce undoes the percent-encoding that a client put around a stored
// value. API v1 asked callers to encode, and only some did, so a value counts
// as encoded when it looks so as a whole. API v2.0 and the rest encode
// themselves; there only "scheme%3A%2F%2F…" is taken for a client's mistake.
func decodeOnce(value string, source link.Source) string {
	encoded := encodedURL(value)
	if source == link.SourceV1 {
		encoded = encodedScheme(value) || encodedWhole(value)
	}
	if !encoded {
		return value
	}
	if decoded, err := url.PathUnescape(value); err == nil {
		return decoded
	}
	return value
}

// encodedScheme: a scheme and an encoded colon.
func encodedScheme(value string) bool {
	scheme, _, found := strings.Cut(value, "%")
	rest := value[len(scheme):]
	return found && len(rest) >= 3 && strings.EqualFold(rest[:3], "%3A") && link.Scheme(scheme+":") != ""
}

// encodedURL: a scheme and an encoded "://".
func encodedURL(value string) bool {
	scheme, _, _ := strings.Cut(value, "%")
	rest := value[len(scheme):]
	return len(rest) >= 9 && strings.EqualFold(rest[:9], "%3A%2F%2F") && link.Scheme(scheme+":") != ""
}

// encodedWhole: at least one escape, and nothing that encoding would not have left.
func encodedWhole(value string) bool {
	escapes := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '%':
			if i+2 >= len(value) || !isHex(value[i+1]) || !isHex(value[i+2]) {
				return false
			}
			escapes = true
			i += 2
		case c <= ' ' || c >= 0x7f || strings.IndexByte(":/?#[]@!$&'()*+,;=", c) >= 0:
			return false
		}
	}
	return escapes
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// Limits of values ("OneLink links and experiences", parameter reference). The
// words are the vendor's and reach the destination in the value's place.
const (
	maxCampaign     = 100 // characters
	campaignTooLong = "c_name_exceeded_max_length"
	sourceInvalid   = "af_invalid_param"
)

// limit replaces what the vendor's limits forbid.
func (c *clicked) limit() {
	for i := range c.params {
		p := &c.params[i]
		switch {
		case p.Name == paramSource && strings.ContainsAny(p.Value, `/<>*&?\`):
			c.note("pid is shown as %s: it holds one of / < > * & ? \\.", sourceInvalid)
			p.Value = sourceInvalid
		case p.Name == paramCampaign && utf8.RuneCountInString(p.Value) > maxCampaign:
			c.note("c is shown as %s: it has more than %d characters.", campaignTooLong, maxCampaign)
			p.Value = campaignTooLong
		}
	}
}

// refuse says why a target taken from the clicked URL is not honoured, or "".
// Anyone can write such a URL, so web addresses need a host that the account
// uses, and deep links the scheme of one of its apps.
func (c *clicked) refuse(p link.Param) string {
	if err := route.CheckTarget(p.Value); err != nil {
		return err.Error()
	}
	if host := link.Host(p.Value); host != "" {
		if !c.allow(host) {
			return "leads to " + host + ", which the account does not use"
		}
		return ""
	}
	scheme := strings.ToLower(link.Scheme(p.Value))
	if p.Name != paramDeepLink || scheme == "http" || scheme == "https" {
		return "is not a web address"
	}
	// Where no app declares a scheme there is nothing to compare with, and what
	// is left of the schemes opens apps alone.
	if known := c.schemes(); len(known) > 0 && !slices.Contains(known, scheme) {
		return "has the scheme " + scheme + ", which is none of the apps'"
	}
	return ""
}

// schemes are those that the template and its apps answer to, lower case.
func (c *clicked) schemes() []string {
	var known []string
	if s := link.Scheme(c.template.URIScheme); s != "" {
		known = append(known, strings.ToLower(s))
	}
	if c.template.Group != nil {
		for _, app := range c.template.Group.Apps {
			if app.Scheme != "" {
				known = append(known, strings.ToLower(app.Scheme))
			}
		}
	}
	return known
}

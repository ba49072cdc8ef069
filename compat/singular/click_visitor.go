package singular

import (
	"net/netip"
	"strings"
)

// Parameters by which a server that reports a click describes the visitor
// (tracking link parameters). Networks fill them for people's own clicks, too.
const (
	queryPlatform = "p"
	queryAddress  = "ip"
	queryAgent    = "ua"
	queryVersion  = "ve"
	queryLocale   = "lc"
)

// visitor returns whose click a URL reports: empty and invalid where it does
// not say, or nobody has filled in the partner's macros.
func visitor(rawQuery string) (agent string, address netip.Addr) {
	for _, p := range readQuery(rawQuery) {
		switch {
		case unfilled(p.Value):
		case p.Name == queryAgent:
			agent = p.Value
		case p.Name == queryAddress:
			if told, err := netip.ParseAddr(strings.TrimSpace(p.Value)); err == nil {
				address = told.Unmap().WithZone("")
			}
		}
	}
	return agent, address
}

// unfilled reports whether a value says nothing: it is empty, or a macro that
// nobody has replaced, in the forms of our own links or as "__NAME__".
func unfilled(value string) bool {
	return value == "" || macroForm.MatchString(value) || len(value) > 4 && strings.HasPrefix(value, "__") && strings.HasSuffix(value, "__")
}

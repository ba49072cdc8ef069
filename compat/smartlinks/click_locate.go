package smartlinks

import (
	"net/netip"
	"net/url"
	"strings"

	"waypost/link"
	"waypost/route"
)

// Addresses beside "{guid}". Words of fewer than minGUID characters or with a
// dot, such as v1, qr and robots.txt, are no guids by themselves.
const (
	impressions       = "imp/"
	classicClick      = "v1/cpi/click"
	classicImpression = "track/impression"
	lookupPath        = "v1/links-sdk"

	minGUID = 9  // on a subdomain
	maxGUID = 13 // on the shared host
)

// Locate reads "{guid}", "imp/{guid}" for impressions, the classic URLs of
// trackers, and the address by which apps ask about a link. A question that
// names none, as before its body was read, is a place where nothing is.
func (Clicks) Locate(r *route.Request) (route.Place, bool) {
	switch r.Path {
	case classicClick, classicImpression:
		return locateTracker(r)
	case lookupPath:
		return route.Place{Lookup: lookedUp(r)}, true
	}
	guid, view := strings.CutPrefix(r.Path, impressions)
	if !isGUID(guid) {
		return route.Place{}, false
	}
	return route.Place{Path: link.HostPath(r.Site.Home(), strings.ToLower(guid)), View: view, Steady: true}, true
}

// isGUID reports whether s may name a link, in any case.
func isGUID(s string) bool {
	if len(s) < minGUID || len(s) > maxGUID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

// Parameters of classic URLs.
const (
	paramCampaign  = "campaign_id"
	paramAgent     = "device_ua"
	paramUserAgent = "user_agent"
	paramAddress   = "ip_address"
)

// locateTracker reads a classic URL. Place.Rest is the GUID of the app whose
// tracker it should be. Servers that report a click say whose it is.
func locateTracker(r *route.Request) (route.Place, bool) {
	q := readClassic(r.Query)
	guid, id, ok := ParseTrackerURLID(q.get(paramCampaign))
	if !ok {
		return route.Place{}, false
	}
	place := route.Place{Rest: guid, View: r.Path == classicImpression}
	if place.Link, place.Tracker = id.Split(); place.Link <= 0 {
		return route.Place{}, false
	}
	if place.Agent = q.get(paramAgent); place.Agent == "" {
		place.Agent = q.get(paramUserAgent)
	}
	if address, err := netip.ParseAddr(q.get(paramAddress)); err == nil {
		place.Address = address.WithZone("").Unmap()
	}
	return place, true
}

// classicQuery is the query of a classic URL, decoded.
type classicQuery []link.Param

// readClassic splits a query. Published URLs have it twice,
// "?campaign_id?campaign_id=x": what counts of a name is behind the last "?".
func readClassic(raw string) classicQuery {
	var q classicQuery
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name = unescape(name[strings.LastIndexByte(name, '?')+1:])
		q = append(q, link.Param{Name: name, Value: strings.TrimSpace(unescape(value))})
	}
	return q
}

// get returns the first value that was filled in, or "". Links in the field
// have macros that nobody replaced, "null", and names in the place of values.
func (q classicQuery) get(name string) string {
	for _, p := range q {
		if p.Name == name && p.Value != "" && p.Value != name && p.Value != "null" && !unfilled(p.Value) {
			return p.Value
		}
	}
	return ""
}

// unescape decodes a query's text; what is not decodable stays as it was sent.
func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

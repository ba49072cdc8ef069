package smartlinks

import (
	"net/http"
	"strconv"
	"strings"

	"waypost/internal/reply"
)

// place is what a request's path names.
type place struct {
	id       int64 // of a group or a link
	campaign int64
}

// handler answers a call or says why not.
type handler func(*call) (reply.Reply, error)

// endpoint is a path with its verbs. In the pattern {id} and {campaign} stand
// for numbers.
type endpoint struct {
	pattern string
	verbs   map[string]handler // by method
	place
}

// table lists what the API answers; words come before numbers.
func (a *API) table() []endpoint {
	get, post, put, patch := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch
	verbs := func(pattern string, v map[string]handler) endpoint { return endpoint{pattern: pattern, verbs: v} }
	return []endpoint{
		verbs("groups", map[string]handler{get: a.listGroups, post: a.createGroup}),
		verbs("groups/{id}", map[string]handler{get: a.readGroup, put: a.changeGroup}),
		verbs("groups/{id}/archive", map[string]handler{put: a.archiveGroup}),
		verbs("groups/{id}/subdomains", map[string]handler{get: a.listSubdomains}),
		verbs("groups/{id}/campaigns", map[string]handler{get: a.listCampaigns, post: a.createCampaign}),
		verbs("groups/{id}/campaigns/check", map[string]handler{post: a.checkCampaign}),
		// The page shows POST alone.
		verbs("groups/{id}/campaigns/{campaign}", map[string]handler{post: a.changeCampaign, put: a.changeCampaign, patch: a.changeCampaign}),
		verbs("advertisers", map[string]handler{get: a.listAdvertisers}),
		verbs("agency_networks", map[string]handler{get: a.listAgencies}),
		verbs("networks", map[string]handler{get: a.listNetworks}),
		verbs("links", map[string]handler{get: a.listLinks, post: a.createLink}),
		verbs("links/check/name", map[string]handler{post: a.checkLinkName}),
		verbs("links/{id}", map[string]handler{get: a.readLink, put: a.changeLink}),
		verbs("links/{id}/archive", map[string]handler{put: a.archiveLink}),
		verbs("links/{id}/qr", map[string]handler{get: a.drawLink}),
	}
}

// roots are the first words of the API's paths behind the version.
var roots = map[string]bool{"groups": true, "advertisers": true, "agency_networks": true, "networks": true, "links": true}

// Owns reports whether a request's path, escaped or not, belongs to this API,
// so that a listener can pass it on before a mux cleans and redirects it.
func Owns(path string) bool {
	parts := segments(path)
	return len(parts) >= 2 && parts[0] == "v1" && roots[parts[1]]
}

// segments splits a path; repeated and trailing slashes make no segment.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
}

// find returns the endpoint of a path with what the path names.
func (a *API) find(path string) (endpoint, bool) {
	parts := segments(path)
	if len(parts) < 2 || parts[0] != "v1" {
		return endpoint{}, false
	}
	for _, e := range a.endpoints {
		if place, ok := match(strings.Split(e.pattern, "/"), parts[1:]); ok {
			e.place = place
			return e, true
		}
	}
	return endpoint{}, false
}

func match(pattern, parts []string) (found place, ok bool) {
	if len(pattern) != len(parts) {
		return place{}, false
	}
	for i, word := range pattern {
		switch word {
		case "{id}":
			found.id, ok = digits(parts[i])
		case "{campaign}":
			found.campaign, ok = digits(parts[i])
		default:
			ok = parts[i] == word
		}
		if !ok {
			return place{}, false
		}
	}
	return found, true
}

// digits reads an id of a path.
func digits(text string) (id int64, ok bool) {
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err == nil
}

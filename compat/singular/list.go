package singular

import (
	"slices"
	"strings"

	"waypost/internal/reply"
	"waypost/link"
)

// filter is what a list of links is asked for. Empty fields do not restrict.
type filter struct {
	types         []string
	partners      []int64
	sources       []string
	appSites      []int64
	store         link.Filter // what the store picks by itself
	offset, limit int         // ours; limit 0: no bound
}

func parseFilter(p params) (*filter, error) {
	f := &filter{types: lower(p.words(paramType)), sources: lower(p[paramSource])}
	f.store = link.Filter{Dialect: link.Singular, Codes: lower(p.words("tracking_link_id")), Order: link.ByCreated, Descending: true}
	for _, t := range f.types {
		if t := LinkType(t); t != PartnerLink && t != CustomLink && t != WebToApp {
			return nil, invalid(paramType, "it must be partner, custom or mobile_web_to_app, not %s", shortened(string(t)))
		}
	}
	groups, err := p.numbers(paramApp)
	if err != nil {
		return nil, err
	}
	for _, id := range groups {
		f.store.Groups = append(f.store.Groups, link.AppGroupID(id))
	}
	if f.partners, err = p.numbers(paramPartner, "singular_partner_id"); err != nil {
		return nil, err
	}
	if f.appSites, err = p.numbers(paramAppSite); err != nil {
		return nil, err
	}
	if f.limit, err = p.count("limit", 1); err != nil {
		return nil, err
	}
	f.offset, err = p.count("offset", 0)
	return f, err
}

func lower(words []string) []string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, strings.ToLower(w))
	}
	return out
}

// byStore reports whether the store picks everything, so that it can count off
// limit and offset as well.
func (f *filter) byStore() bool {
	return len(f.types) == 0 && len(f.partners) == 0 && len(f.sources) == 0 && len(f.appSites) == 0
}

// picks reports whether a link is one that is asked for, beside what the store
// has looked at.
func (f *filter) picks(w *linkWire) bool {
	site := func(r *redirectionWire) bool { return r != nil && slices.Contains(f.appSites, int64(r.AppSite)) }
	return (len(f.types) == 0 || slices.Contains(f.types, string(w.LinkType))) &&
		(len(f.partners) == 0 || slices.Contains(f.partners, w.Partner)) &&
		(len(f.sources) == 0 || slices.Contains(f.sources, strings.ToLower(w.Source))) &&
		(len(f.appSites) == 0 || site(w.Android) || site(w.IOS))
}

// listLinks answers with the bare array of the links that the filters pick,
// the newest first.
func (a *API) listLinks(c *call) (reply.Reply, error) {
	f, err := parseFilter(c.query)
	if err != nil {
		return reply.Reply{}, err
	}
	asked := f.store
	if f.byStore() {
		asked.Limit, asked.Offset = f.limit, f.offset
	}
	links, err := a.Rules.ListedLinks(c.Context(), c.actor, asked)
	if err != nil {
		return reply.Reply{}, err
	}
	list := []linkWire{}
	for i := range links {
		w, err := a.wire(&links[i])
		if err != nil {
			return reply.Reply{}, err
		}
		if f.picks(&w) {
			list = append(list, w)
		}
	}
	if !f.byStore() {
		list = list[min(f.offset, len(list)):]
		if f.limit > 0 {
			list = list[:min(f.limit, len(list))]
		}
	}
	return reply.JSON(0, list), nil
}

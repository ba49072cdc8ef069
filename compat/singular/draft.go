package singular

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
)

// draft is a link that keeps every rule but those of the store.
type draft struct {
	account *link.Account
	group   *link.Group
	domain  *link.Domain
	stored  Stored
	data    json.RawMessage // of stored
	listing link.Listing
	notes   []string
}

// shortLength is the length of the last segment of a permanent short form.
const shortLength = 4

// maxAddress bounds a link's address in characters, so that whoever clicks it
// gets through; the path is some thirty of them.
const maxAddress = 7900

// draft holds a wish against the account's set-up.
func (a *API) draft(c *call, w *wish) (*draft, error) {
	d := &draft{notes: w.notes}
	if err := a.locate(c, w, d); err != nil {
		return nil, err
	}
	partner, err := a.partnerFor(w, d)
	if err != nil {
		return nil, err
	}
	d.stored = Stored{
		LinkType: w.linkType, SourceName: w.source, LinkSubdomain: w.subdomain, Zone: w.zone, Fallback: w.fallback,
		Android: w.android, IOS: w.ios, LinkParameter: w.parameters, OG: w.og,
	}
	s := &d.stored
	if err := d.setOptions(w, partner); err != nil {
		return nil, err
	}
	setups := setupsOf(partner, s)
	for i := range windows {
		*windows[i].field(s) = windows[i].byDefault(setups)
		if w.windows[i] != nil {
			*windows[i].field(s) = *w.windows[i]
		}
	}
	if partner == nil {
		s.Short = uid.Code(shortLength)
	}
	s.Query = queryOf(s, partner)
	if len(d.domain.BaseURL)+len(s.Query) > maxAddress {
		return nil, invalid(paramQuery, "the link's address would be longer than %d characters", maxAddress)
	}
	d.listing = link.Listing{AppGroup: d.group.ID, Partner: w.partner, Name: w.name, Identity: identity(d.account.ID, w)}
	d.noteOddities()
	return d, nil
}

// locate finds the app, its app sites and the domain that a wish names.
func (a *API) locate(c *call, w *wish, d *draft) error {
	group, err := a.Rules.Group(c.actor, w.app, link.Write)
	if fault.Is(err, fault.NotFound) {
		return said("app_id does not exist")
	}
	if err != nil {
		return err
	}
	if group.Archived {
		return &fault.Error{Kind: fault.Conflict, Reason: fault.Archived}
	}
	d.group = group
	if d.account = a.Rules.Directory().Account(group.Account); d.account == nil {
		return said("app_id does not exist") // it went away meanwhile
	}
	if err := d.checkAppSite(paramAndroid, w.android, device.Android); err != nil {
		return err
	}
	if err := d.checkAppSite(paramIOS, w.ios, device.IOS); err != nil {
		return err
	}
	d.domain, err = a.domainNamed(c, group, w.subdomain, w.zone)
	return err
}

func (d *draft) checkAppSite(name string, r *Redirection, platform device.Platform) error {
	if r == nil {
		return nil
	}
	i := slices.IndexFunc(d.group.Apps, func(app *link.App) bool { return app.ID == r.AppSite })
	switch {
	case i < 0:
		return said("app_site_id does not exist")
	case d.group.Apps[i].Platform != platform:
		return invalid(name+"."+paramAppSite, "app site %d is of platform %s, not %s", r.AppSite, d.group.Apps[i].Platform, platform)
	}
	return nil
}

// partnerFor returns the partner of a partner link, nil for other links, or
// says why the partner cannot have this link.
func (a *API) partnerFor(w *wish, d *draft) (*link.Partner, error) {
	if w.linkType != PartnerLink {
		return nil, nil
	}
	p := a.Rules.Directory().Partner(d.account.ID, w.partner)
	sites := appSites(w.android, w.ios)
	switch {
	case p == nil:
		return nil, said("Partner %d is not configured for app %d", w.partner, sites[0])
	case !p.TrackingLinks:
		return nil, said("Partner %s does not allow tracking links", p.Name)
	case len(sites) > 1 && !p.MultipleOS:
		return nil, said("Partner does not support multiple OSs per link")
	}
	for _, id := range sites {
		if setupFor(p, id) == nil {
			return nil, said("Partner %s is not configured for app %d", p.Name, id)
		}
	}
	return p, nil
}

// setOptions sets what not every partner supports. What a partner lacks is no
// error: its default is used and a note says so (API page, "Sample Output").
func (d *draft) setOptions(w *wish, p *link.Partner) error {
	s := &d.stored
	asked := func(given *bool, supported bool, name string) bool {
		if given == nil || !*given {
			return false
		}
		if !supported {
			d.notes = append(d.notes, "partner's default value was used, instead of given argument "+name)
		}
		return supported
	}
	s.CTV = asked(w.ctv, p == nil || p.CTV, paramCTV)
	s.Reengagement = asked(w.reengagement, p == nil || p.Reengagement, paramReengagement)
	if p == nil && s.Reengagement && s.Letter() == LetterNone {
		return invalid(paramReengagement, "re-engagement needs a deep link; set %s in a redirection", paramDeepLink)
	}
	if p != nil && s.OG != nil {
		s.OG = nil
		d.notes = append(d.notes, "og_tags are available for custom links only and were ignored")
	}
	return nil
}

// noteOddities notes what is stored as it was asked for and will not do what
// the client may expect.
func (d *draft) noteOddities() {
	for _, p := range d.stored.LinkParameter {
		if p.Name == "referrer" || p.Name == "singular_click_id" {
			d.notes = append(d.notes, "link_parameter "+p.Name+" is set by every redirect itself; the given value may be replaced")
		}
	}
	if d.domain.AppGroup != d.group.ID && d.stored.Letter() != LetterNone {
		d.notes = append(d.notes, "the domain "+d.domain.Host+" belongs to another app; phones will not open this app from the link directly")
	}
}

// appSites returns the app sites of redirections, the smaller id first.
func appSites(redirections ...*Redirection) []link.AppID {
	var ids []link.AppID
	for _, r := range redirections {
		if r != nil {
			ids = append(ids, r.AppSite)
		}
	}
	slices.Sort(ids)
	return ids
}

// setupFor returns a partner's set-up for an app, or nil.
func setupFor(p *link.Partner, app link.AppID) *link.PartnerApp {
	for i := range p.ConfiguredFor {
		if p.ConfiguredFor[i].App == app {
			return &p.ConfiguredFor[i]
		}
	}
	return nil
}

func setupsOf(p *link.Partner, s *Stored) []*link.PartnerApp {
	if p == nil {
		return nil
	}
	var all []*link.PartnerApp
	for _, id := range appSites(s.Android, s.IOS) {
		if setup := setupFor(p, id); setup != nil {
			all = append(all, setup)
		}
	}
	return all
}

// identity is what no two links of an account may share: source, name and app
// sites (links FAQ, "You cannot create a tracking link with the same source").
func identity(account link.AccountID, w *wish) string {
	source := "partner " + strconv.FormatInt(int64(w.partner), 10)
	if w.linkType != PartnerLink {
		source = "source " + strings.ToLower(w.source)
	}
	return strings.Join([]string{"singular", strconv.FormatInt(int64(account), 10), source, w.name, fmt.Sprint(appSites(w.android, w.ios))}, "\x00")
}

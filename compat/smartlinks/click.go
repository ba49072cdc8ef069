package smartlinks

import (
	"fmt"
	"slices"
	"strings"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

// Clicks says what SmartLinks do when they are clicked. The zero value is ready.
type Clicks struct{}

// Name returns the dialect of the links.
func (Clicks) Name() link.Dialect { return link.SmartLinks }

// Rules describes what a click of a SmartLink does: each platform has its
// route, whoever has none gets the catch-all. A classic tracker URL asks for one
// route alone. Archived links go on as they were.
func (Clicks) Rules(in *route.Clicked) (*route.Rules, error) {
	c, err := open(in)
	if err != nil {
		return nil, err
	}
	rules := &route.Rules{Name: c.product(), Link: c.url(), Web: c.web(), Tracker: link.CatchAll}
	if in.Place.Tracker != link.NoTracker {
		err = c.narrow(rules)
	} else {
		rules.Offers, rules.Fixed = c.offers(), c.fixed()
	}
	if err != nil {
		return nil, err
	}
	if rules.Web == nil {
		rules.Stores = stores(rules.Offers)
	}
	rules.Notes = c.notes
	return rules, nil
}

// clicked is one link with one clicked URL.
type clicked struct {
	*route.Clicked
	stored   Stored
	trackers []Tracked       // the catch-all, then the routes
	targets  []*route.Target // where each of them leads; nil: nowhere, for this click
	entries  []entry         // where in the app each of them leads
	notes    []string
}

// open reads the clicked link, and what its macros make of it this time. A
// tracker's URL names a link by its number, on whatever host: it must be one
// that serves the link's account.
func open(in *route.Clicked) (*clicked, error) {
	l := in.Link
	if l == nil || l.Dialect != link.SmartLinks || in.Site != nil && !in.Site.Shared() && in.Site.Account != l.Account {
		return nil, fault.New(fault.NotFound, "no such SmartLink")
	}
	stored, err := Read(l.Data)
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", l.Path, err)
	}
	c := &clicked{Clicked: in, stored: stored, trackers: stored.Trackers()}
	c.targets, c.entries = make([]*route.Target, len(c.trackers)), make([]entry, len(c.trackers))
	for i := range c.trackers {
		c.targets[i], c.entries[i] = c.target(&c.trackers[i]), c.entry(&c.trackers[i])
	}
	return c, nil
}

// note keeps a sentence for explanations.
func (c *clicked) note(format string, args ...any) {
	if sentence := fmt.Sprintf(format, args...); !slices.Contains(c.notes, sentence) {
		c.notes = append(c.notes, sentence)
	}
}

// product is what pages call the apps.
func (c *clicked) product() string {
	if c.Link.Listing == nil {
		return ""
	}
	if group := c.Directory.Group(c.Link.Listing.AppGroup); group != nil {
		return group.Name
	}
	return ""
}

// url is the link's own address, without a query. A tracker's URL may stand on
// another host.
func (c *clicked) url() string {
	host, path, _ := c.Link.Path.SplitHost()
	if site := c.Directory.Site(host); site != nil {
		return site.BaseURL + "/" + path
	}
	return "https://" + host + "/" + path
}

// web is where those go who have no route: the catch-all's destination. Where
// its macros leave nothing of that, the web's route is better than a page.
func (c *clicked) web() *route.Target {
	if t := c.targets[0]; t != nil {
		return t
	}
	for i := range c.trackers {
		if c.trackers[i].serves(device.Web) && c.targets[i] != nil {
			return c.targets[i]
		}
	}
	return nil
}

// narrow makes rules that lead everybody to the one tracker that a classic URL
// names, and answers servers that report a click without wanting a redirect.
func (c *clicked) narrow(rules *route.Rules) error {
	at := int(c.Place.Tracker) - int(link.CatchAll)
	if at < 0 || at >= len(c.trackers) {
		return fault.New(fault.NotFound, "SmartLink %d has no tracker %d", c.Link.ID, c.Place.Tracker)
	}
	t := &c.trackers[at]
	app := c.Directory.App(t.App)
	if app == nil || !strings.EqualFold(GUID(app), c.Place.Rest) {
		return fault.New(fault.NotFound, "tracker %d of SmartLink %d is not of the app %q", c.Place.Tracker, c.Link.ID, c.Place.Rest)
	}
	rules.Tracker = t.Tracker
	if c.targets[at] != nil {
		rules.Web = c.targets[at]
	}
	for _, p := range [...]device.Platform{device.IOS, device.Android, device.FireOS} {
		if offer, usable := c.offer(p, at); usable && t.serves(p) {
			rules.Offers = append(rules.Offers, offer)
		}
	}
	if v := c.value(paramNoRedirect); v == "1" || strings.EqualFold(v, "true") {
		rules.NoRedirect, rules.Reply = paramNoRedirect+"="+v+" in the URL", `{"success":"1"}`
	}
	return nil
}

// serves reports whether the tracker is a route for the platform.
func (t *Tracked) serves(p device.Platform) bool {
	if t.Route == nil {
		return false
	}
	for _, word := range t.Route.Platforms {
		if routable, ok := Routable(word); ok && routable == p {
			return true
		}
	}
	native, ok := Routable(t.Route.NativeLink)
	return ok && native == p
}

// stores are the lines of the page for visitors that no address is left for.
func stores(offers []route.Offer) []route.Store {
	labels := map[device.Platform]string{device.IOS: "iPhone and iPad", device.Android: "Android", device.FireOS: "Fire tablet"}
	var list []route.Store
	for _, o := range offers {
		if o.Store != nil {
			list = append(list, route.Store{Label: labels[o.Platform], Target: o.Store})
		}
	}
	return list
}

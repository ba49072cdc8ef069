package smartlinks

import (
	"strconv"

	"waypost/internal/device"
	"waypost/internal/macro"
	"waypost/link"
	"waypost/route"
)

// offers are what platforms get that have a route. Televisions have none, and
// fire tablets without one of their own follow Android's.
func (c *clicked) offers() []route.Offer {
	var offers []route.Offer
	for _, p := range [...]device.Platform{device.IOS, device.Android, device.FireOS} {
		offers = c.first(offers, p, p)
	}
	// Desktops without a route of their own follow the web's.
	for _, p := range [...]device.Platform{device.MacOS, device.Windows, device.Web, device.Unknown} {
		offers = c.first(offers, p, p, device.Web)
	}
	return offers
}

// first adds the platform's offer: that of the first route for any of the
// platforms that is of use, those for the platform named first before others.
// A route of which this click's parameters leave nothing is passed over.
func (c *clicked) first(offers []route.Offer, p device.Platform, served ...device.Platform) []route.Offer {
	for _, s := range served {
		for i := range c.trackers {
			if !c.trackers[i].serves(s) {
				continue
			}
			if offer, usable := c.offer(p, i); usable {
				return append(offers, offer)
			}
		}
	}
	return offers
}

// offer is what a route gives the platform; usable is false where that is nothing.
func (c *clicked) offer(p device.Platform, at int) (offer route.Offer, usable bool) {
	t, target, entry := &c.trackers[at], c.targets[at], c.entries[at]
	if t.Route == nil {
		return route.Offer{}, false
	}
	offer = route.Offer{Platform: p, Tracker: t.Tracker, Web: target, DeepLink: entry.uri}
	if p.IsDesktop() {
		return offer, target != nil
	}
	if target != nil && c.inStore(target.URL, t) {
		offer.Web, offer.Store = nil, target
	}
	if app := c.Directory.App(t.App); app != nil {
		offer.Clipboard = app.Clipboard
	}
	attempt := c.opening(p, t, entry)
	switch {
	case attempt == nil:
	case link.Host(entry.uri) != "" && t.Route.NativeLink != "":
		// The system would have opened the app by a web address, but for
		// browsers inside other apps, which do not ask it.
		offer.InApp = attempt
	default:
		offer.Open = attempt
	}
	return offer, target != nil || attempt != nil
}

// target is where a tracker leads without the app, or nil.
func (c *clicked) target(t *Tracked) *route.Target {
	template, from := c.stored.Default.Destination, "the catch-all's destination_url"
	if t.Route != nil {
		template, from = t.Route.Destination, "the destination_url of the route "+strconv.Quote(t.Route.Name)
	}
	url := c.fill(template, from, route.CheckTarget)
	if url == "" {
		return nil
	}
	target := &route.Target{URL: url, Macros: true, From: from}
	if isPlay(url) {
		target.Params = []route.Param{referrer("referrer")}
	}
	return target
}

// referrer is what an app reads from Google's store after its installation, by
// which its first start finds the click.
func referrer(name string) route.Param {
	return route.Param{Name: name, Inner: []route.Param{{Name: paramClick, Lead: macro.ClickID}}}
}

// entry is where in the app a route leads; the uri is empty for nowhere.
type entry struct{ uri, from string }

// entry returns the link's path for routes that an operating system opens, and
// the route's own URI for others.
func (c *clicked) entry(t *Tracked) entry {
	if t.Route == nil {
		return entry{}
	}
	template, from := t.Route.Reengagement, "the reengagement_url of the route "+strconv.Quote(t.Route.Name)
	if t.Route.NativeLink != "" {
		template, from = c.stored.Path, "the link's path"
	}
	return entry{c.fill(template, from, route.CheckOpen), from}
}

// opening is how a page tries the app, or nil. It can try a web address only
// where Android is told which app it is for: iOS would stay in the browser, and
// the store would never be reached.
func (c *clicked) opening(p device.Platform, t *Tracked, e entry) *route.Open {
	if e.uri == "" {
		return nil
	}
	open := &route.Open{URI: e.uri, Macros: true, From: e.from}
	if p != device.IOS {
		open.Intent = c.intent(t)
	}
	if link.Host(e.uri) != "" && (open.Intent == nil || open.Intent.Package == "") {
		if t.Route.NativeLink == "" {
			c.note("%s is not tried on %s: no page can open the app by a web address there.", e.from, p)
		}
		return nil
	}
	return open
}

// intent says which app Android is to open. Where the store is no web address,
// the browser makes one of the package and the extra.
func (c *clicked) intent(t *Tracked) *route.Intent {
	intent := &route.Intent{}
	if app := c.Directory.App(t.App); app != nil {
		intent.Package = app.Package
	}
	if target := c.targets[t.Tracker-link.CatchAll]; target != nil && isPlay(target.URL) && link.Host(target.URL) == "" {
		intent.Extras = []route.Param{referrer("S.market_referrer")}
	}
	return intent
}

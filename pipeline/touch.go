package pipeline

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
)

// Toucher knows what of a click only its dialect can read.
type Toucher interface {
	Name() link.Dialect
	// Touch fills in what the clicked query and the link say: device ids, media
	// source and campaign, lookbacks, claims, whether the touch is retargeting
	// or owned. l is nil for a template's long link. It changes nothing but t.
	Touch(t *history.Touch, c *event.Click, l *link.Link, d *link.Directory)
}

// touchOf returns what a click or an impression is remembered as; not ok for
// those that earn nothing: bots', those of no app, and those of links that are
// not live, which lead where their template says and are nobody's.
func (a *Attributor) touchOf(c *event.Click, l *link.Link, d *link.Directory) (t history.Touch, ok bool) {
	apps := appsOf(c, l, d)
	if c.Bot != "" || c.State != event.Live || len(apps) == 0 {
		return t, false
	}
	t = history.Touch{
		Touchpoint: attribution.Touchpoint{
			ID: c.ID, Kind: attribution.Click, At: instant(c.At), Account: c.Account, Apps: apps,
			Source: sourceOf(c, l, d), Facts: factsOfClick(c), ClickID: c.ID.String(), Agent: c.Agent,
		},
		Dialect: c.Dialect, Template: c.Template, Code: c.Code, Host: c.Host, Route: c.Route, Query: c.Query, DeepLink: c.DeepLink,
	}
	if c.Clipboard {
		t.ClipboardToken = c.ID.String()
	}
	if c.Kind == event.ImpressionKind {
		t.Kind = attribution.View
	}
	if dialect := a.touchers[c.Dialect]; dialect != nil {
		dialect.Touch(&t, c, l, d)
		tidy(&t)
	}
	return t, true
}

// appsOf returns the apps that the click may be credited with.
func appsOf(c *event.Click, l *link.Link, d *link.Directory) (apps []link.AppID) {
	if c.OfServer() {
		return reportedApp(c, d)
	}
	if group := groupOf(c, l, d); group != nil {
		for _, app := range group.Apps {
			apps = append(apps, app.ID)
		}
	}
	return apps
}

// reportedApp is the app that a partner's server has named.
func reportedApp(c *event.Click, d *link.Directory) []link.AppID {
	first, _, _ := strings.Cut(c.Query, "&")
	number, ok := strings.CutPrefix(first, event.AppParam+"=")
	id, err := strconv.ParseInt(number, 10, 64)
	app := d.App(link.AppID(id))
	if !ok || err != nil || app == nil || app.Account != c.Account {
		return nil
	}
	return []link.AppID{app.ID}
}

func groupOf(c *event.Click, l *link.Link, d *link.Directory) *link.Group {
	if l != nil && l.Listing != nil && l.Listing.AppGroup != 0 {
		return d.Group(l.Listing.AppGroup)
	}
	if t := d.Template(c.Template); t != nil {
		return t.Group
	}
	if site := d.Site(c.Host); site != nil {
		return site.Group
	}
	return nil
}

// sourceOf is what every dialect's listed links say of who sent the click.
func sourceOf(c *event.Click, l *link.Link, d *link.Directory) attribution.Source {
	s := attribution.Source{Link: c.Link, Tracker: int64(c.Tracker)}
	if l == nil || l.Listing == nil {
		return s
	}
	s.Campaign = l.Listing.CampaignName
	if p := d.Partner(c.Account, l.Listing.Partner); p != nil {
		s.Partner, s.Name = p.ID, p.Name
	}
	if p := d.Partner(c.Account, l.Listing.Agency); p != nil {
		s.Agency = p.Name
	}
	return s
}

func factsOfClick(c *event.Click) attribution.Facts {
	f := attribution.Facts{Platform: c.Platform, OSVersion: c.OS, Model: c.Model, Locale: firstLocale(c.Language), Country: strings.ToUpper(c.Country)}
	f.Addresses = addresses([]string{c.IP}, []string{c.Network})
	return f
}

// firstLocale is the first tag of an Accept-Language: "de-DE" of "de-DE,de;q=0.9".
func firstLocale(language string) string {
	tag, _, _ := strings.Cut(language, ",")
	tag, _, _ = strings.Cut(tag, ";")
	if tag = strings.TrimSpace(tag); tag == "*" {
		return ""
	}
	return tag
}

// addresses reads what privacy has left of a device's addresses, and the
// networks that they belong to. A network stays where the address does not.
func addresses(ips, networks []string) (found []attribution.Address) {
	for i := range max(len(ips), len(networks)) {
		var a attribution.Address
		if i < len(ips) {
			if ip, err := netip.ParseAddr(ips[i]); err == nil {
				a.IP = ip.Unmap().WithZone("")
				a.Cut = isCut(a.IP)
			}
		}
		if i < len(networks) {
			a.Network = attribution.Network(networks[i])
		}
		if a != (attribution.Address{}) {
			found = append(found, a)
		}
	}
	return found
}

// isCut reports whether an address is one that privacy has cut: its host part,
// after 24 bits or 48, is zero. An IPv4 device that really has such an address,
// one in 256 at most, is not recognised by it.
func isCut(ip netip.Addr) bool {
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	cut, err := ip.Prefix(bits)
	return err == nil && cut.Addr() == ip
}

// tidy makes a dialect's texts what they are after they have been stored, so
// that it does not matter whether a touch was, yet.
func tidy(t *history.Touch) {
	s := &t.Source
	for _, text := range []*string{&s.Name, &s.Agency, &s.Campaign, &s.CampaignID, &s.AdSetID, &s.AdID, &s.Site,
		&t.ClickID, &t.ClipboardToken, &t.Visitor, &t.Agent, &t.Facts.OSVersion, &t.Facts.Model, &t.Facts.Locale, &t.Facts.Timezone, &t.Facts.Country, &t.DeepLink} {
		*text = strings.ToValidUTF8(*text, "\uFFFD")
	}
	for i := range t.DeviceIDs {
		t.DeviceIDs[i].Value = strings.ToValidUTF8(t.DeviceIDs[i].Value, "\uFFFD")
	}
	for i := range t.Claims.Events {
		t.Claims.Events[i] = strings.ToValidUTF8(t.Claims.Events[i], "\uFFFD")
	}
	t.At = instant(t.At.UnixMilli())
	t.UsedBy, t.Traffic = "", attribution.Traffic{} // what others know
}

// instant is an event's time, in the form in which stores return it.
func instant(unixMilli int64) time.Time {
	if unixMilli == 0 {
		return time.Time{}
	}
	return time.UnixMilli(unixMilli).UTC()
}

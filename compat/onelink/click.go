package onelink

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"waypost/attribution"
	"waypost/internal/device"
	"waypost/internal/macro"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/route"
)

// Clicks says what links made from a template do when they are clicked. The
// zero value is ready.
type Clicks struct{}

// Name returns OneLink.
func (Clicks) Name() link.Dialect { return link.OneLink }

// Rules describes what a click of a template's link does. Without a link, for
// the template's long link and for links that are expired or gone, only the
// URL's parameters count.
func (Clicks) Rules(click *route.Clicked) (*route.Rules, error) {
	t := click.Template
	c := clicked{template: t, link: click.Link, allow: click.Allow}
	if c.link != nil {
		stored, err := Params(c.link.Data)
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", c.link.Path, err)
		}
		c.store(stored)
		c.code = click.Code
	}
	c.add(click.Query)
	c.limit()
	rules := &route.Rules{Name: t.Name, Link: t.Home.BaseURL + "/" + string(t.ID), Preview: c.preview()}
	if t.Group != nil {
		rules.Name = t.Group.Name
	}
	if click.Code != "" {
		rules.Link += "/" + click.Code
	}
	// Only the URL can ask for silence: it is meant for servers that report a
	// click. Stored, it would make a link that leads nobody anywhere.
	if v, from := c.get(paramNoRedirect); from == fromURL && strings.EqualFold(v, "false") {
		rules.NoRedirect = "redirect=false in the URL"
		rules.Reported = c.reported()
	}
	rules.Web = c.webTarget()
	rules.Offers = c.offers()
	if rules.Web == nil {
		rules.Stores = c.stores(rules.Offers)
	}
	rules.Notes = c.notes
	return rules, nil
}

// reported is the visitor whom a server names that reports his click, by his
// browser, his address or his device; nil where the URL names nobody.
func (c *clicked) reported() *route.Reported {
	r := &route.Reported{}
	named := false
	for _, p := range c.params {
		if p.from != fromURL {
			continue
		}
		switch p.Name {
		case paramAgent:
			r.Agent = strings.TrimSpace(p.Value)
		case paramAddress:
			if a, err := netip.ParseAddr(strings.TrimSpace(p.Value)); err == nil {
				r.Address = a.Unmap().WithZone("")
			}
		}
		id, ok := idOf(p.Name, p.Value)
		named = named || ok && id.State() == attribution.Usable
	}
	if !named && r.Agent == "" && !r.Address.IsValid() {
		return nil
	}
	return r
}

// origin says where a parameter comes from.
type origin string

const (
	fromLink origin = "of the link"
	fromURL  origin = "of the clicked URL"
)

// param is a parameter that holds for this click.
type param struct {
	link.Param
	from origin
}

// clicked is one link (or the template's long link) with one URL.
type clicked struct {
	template *link.TemplateView
	link     *link.Link // nil: only the template holds
	code     string     // empty where link is nil
	params   []param    // stored ones first, each name once
	allow    func(host string) bool
	notes    []string
	forward  []route.Param // see webParams
}

// store takes over the link's parameters.
func (c *clicked) store(params []link.Param) {
	c.params = make([]param, 0, len(params)+4)
	for _, p := range params {
		if p.Name == "" || p.Name == paramRenewTTL { // renew_ttl speaks of the link, not to the destination
			continue
		}
		p.Value = decodeOnce(p.Value, c.link.Source)
		c.params = append(c.params, param{p, fromLink})
	}
}

// add merges the URL's parameters. A stored value wins where it decides about
// the destination, so that nobody can bend a short link; the URL's wins
// elsewhere. The vendor's documents leave both open.
func (c *clicked) add(query []link.Param) {
	for _, p := range query {
		if p.Name == "" {
			continue
		}
		i := slices.IndexFunc(c.params, func(given param) bool { return given.Name == p.Name })
		if redirects(p.Name) {
			if i >= 0 && c.params[i].from == fromLink && c.params[i].Value != "" {
				c.note("%s of the clicked URL is ignored: the link sets its own.", p.Name)
				continue
			}
			if p.Value == "" {
				continue
			}
			if problem := c.refuse(p); problem != "" {
				c.note("%s of the clicked URL is ignored: it %s.", p.Name, problem)
				continue
			}
		}
		if i >= 0 {
			c.params[i] = param{p, fromURL}
		} else {
			c.params = append(c.params, param{p, fromURL})
		}
	}
}

// note keeps a sentence for explanations; a parameter that several platforms
// look at is spoken of once.
func (c *clicked) note(format string, args ...any) {
	if sentence := fmt.Sprintf(format, args...); !slices.Contains(c.notes, sentence) {
		c.notes = append(c.notes, sentence)
	}
}

// redirects reports whether a parameter decides where a click goes.
func redirects(name string) bool {
	switch name {
	case paramRedirect, paramAndroidURL, paramIOSURL, paramWebURL, paramDeepLink:
		return true
	}
	return false
}

// get returns a parameter's value, empty where there is none.
func (c *clicked) get(name string) (string, origin) {
	for i := range c.params {
		if c.params[i].Name == name {
			return c.params[i].Value, c.params[i].from
		}
	}
	return "", ""
}

// is reports whether a parameter has a value, in any case.
func (c *clicked) is(name, value string) bool {
	v, _ := c.get(name)
	return strings.EqualFold(v, value)
}

// preview is what af_og_* say, and the template where they say nothing.
func (c *clicked) preview() *link.OpenGraph {
	title, _ := c.get(paramTitle)
	description, _ := c.get(paramDescription)
	image, _ := c.get(paramImage)
	if title == "" && description == "" && image == "" {
		return &c.template.OG
	}
	og := c.template.OG
	if title != "" {
		og.Title = title
	}
	if description != "" {
		og.Description = description
	}
	if link.Host(image) != "" {
		og.ImageURL = image
	} else if image != "" {
		c.note("%s is ignored: it is not a web address.", paramImage)
	}
	return &og
}

// webParams are what a web destination gets: every parameter under its own
// name except the web targets, then the link's code and what made it. It is
// the same list for every platform.
func (c *clicked) webParams() []route.Param {
	if c.is(paramForwarding, "false") {
		return nil
	}
	if c.forward != nil {
		return c.forward
	}
	base := !c.is(paramForwardBase, "false")
	list := make([]route.Param, 0, len(c.params)+3)
	for _, p := range c.params {
		switch p.Name {
		case paramWebURL, paramAndroidURL, paramIOSURL, paramRedirect:
			continue
		case paramSource, paramCampaign:
			if !base {
				continue
			}
		}
		if !c.ours(p.Name) {
			list = append(list, route.Param{Name: p.Name, Value: p.Value})
		}
	}
	c.forward = c.identify(list)
	return c.forward
}

// ours reports whether identify sets the parameter, whatever the URL says.
func (c *clicked) ours(name string) bool {
	return c.link != nil && (name == paramShortLink || name == paramSourceCaller)
}

// identify adds which link it was and what made it; long links have neither.
func (c *clicked) identify(list []route.Param) []route.Param {
	if c.link == nil {
		return list
	}
	return append(list, route.Param{Name: paramShortLink, Value: c.code}, route.Param{Name: paramSourceCaller, Value: sourceCaller(c.link.Source)})
}

// sourceCaller is the vendor's word for what made a link (as seen in its redirects).
func sourceCaller(s link.Source) string {
	switch s {
	case link.SourceV1:
		return "api"
	case link.SourceV2:
		return "api_v2"
	case link.SourceSDK:
		return "sdk"
	}
	return "ui"
}

// referrer is what the app reads from the store after its installation: the
// click's token, then the media source, the campaign and all else.
func (c *clicked) referrer() route.Param {
	inner := make([]route.Param, 0, len(c.params)+1)
	inner = append(inner, route.Param{Name: paramTransaction, Lead: macro.ClickToken, Value: uid.TokenPadding})
	for _, name := range [...]string{paramSource, paramCampaign} {
		if v, from := c.get(name); from != "" {
			inner = append(inner, route.Param{Name: name, Value: v})
		}
	}
	for _, p := range c.params {
		if p.Name != paramSource && p.Name != paramCampaign && p.Name != paramTransaction {
			inner = append(inner, route.Param{Name: p.Name, Value: p.Value})
		}
	}
	return route.Param{Name: "referrer", Inner: inner}
}

// appParams are what the app reads from the URI that opens it: sorted by name,
// with two of them renamed.
func (c *clicked) appParams(uri string) []route.Param {
	_, hasSource := c.get(paramSource)
	_, hasCampaign := c.get(paramCampaign)
	list := make([]route.Param, 0, len(c.params)+5)
	for _, p := range c.params {
		switch {
		// What is set here may not be given twice: the app might read the other one.
		case p.Name == "media_source" && hasSource != "", p.Name == "campaign" && hasCampaign != "",
			p.Name == paramDeepLink, p.Name == paramDeepLinked, p.Name == paramTemplate:
			continue
		case p.Name == paramSource:
			p.Name = "media_source"
		case p.Name == paramCampaign:
			p.Name = "campaign"
		}
		if !c.ours(p.Name) {
			list = append(list, route.Param{Name: p.Name, Value: p.Value})
		}
	}
	list = append(list, route.Param{Name: paramDeepLinked, Value: "true"}, route.Param{Name: paramDeepLink, Value: uri},
		route.Param{Name: paramTemplate, Value: string(c.template.ID)})
	list = c.identify(list)
	slices.SortStableFunc(list, func(a, b route.Param) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// tvs are the televisions that apps are built for.
var tvs = []device.Platform{device.AppleTV, device.AndroidTV, device.FireTV, device.Roku, device.Tizen, device.WebOS, device.Xbox, device.PlayStation}

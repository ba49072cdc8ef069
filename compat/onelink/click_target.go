package onelink

import (
	"net/url"
	"strings"

	"waypost/internal/device"
	"waypost/internal/macro"
	"waypost/link"
	"waypost/route"
)

// target is a web address that a parameter sets, or nil.
func (c *clicked) target(name string, params []route.Param) *route.Target {
	value, from := c.get(name)
	if value == "" {
		return nil
	}
	if err := route.CheckTarget(value); err != nil {
		c.note("%s %s is ignored: it %s.", name, from, err)
		return nil
	}
	return &route.Target{URL: value, Params: params, Macros: from == fromLink, From: name + " " + string(from)}
}

// webTarget: af_web_dp, else af_r, else the template's web address.
func (c *clicked) webTarget() *route.Target {
	if t := c.target(paramWebURL, c.webParams()); t != nil {
		return t
	}
	if t := c.target(paramRedirect, c.webParams()); t != nil {
		return t
	}
	if c.template.WebURL == "" {
		return nil
	}
	return &route.Target{URL: c.template.WebURL, Params: c.webParams(), Macros: true, From: "the template's web address"}
}

// offers are what phones and televisions get.
func (c *clicked) offers() []route.Offer {
	group := c.template.Group
	offers := make([]route.Offer, 0, 4)
	android, fire, ios := group.App(device.Android), group.App(device.FireOS), group.App(device.IOS)
	offers = append(offers, c.androidOffer(device.Android, android))
	// A Fire tablet has no Play: an app of its own decides, else Android's does.
	if fire != nil && fire.StoreURL != "" {
		offers = append(offers, c.androidOffer(device.FireOS, fire))
	}
	offers = append(offers, c.iosOffer(ios))
	for _, tv := range tvs {
		if app := group.App(tv); app != nil && app.StoreURL != "" {
			offers = append(offers, route.Offer{Platform: tv, Store: &route.Target{URL: app.StoreURL, Params: c.webParams(), From: storeOf(app)}})
		}
	}
	return offers
}

func storeOf(app *link.App) string { return "the store address of the app " + string(app.Key) }

// androidOffer: the app's page only where the link (af_dp) or the template
// names a URI. An app's own scheme does not make it: an installed app is
// opened by its app links, without a page between.
func (c *clicked) androidOffer(platform device.Platform, app *link.App) route.Offer {
	offer := route.Offer{Platform: platform}
	params := c.webParams()
	if !c.is(paramForwarding, "false") {
		params = append(params[:len(params):len(params)], c.referrer())
	}
	if offer.Web = c.target(paramAndroidURL, params); offer.Web == nil {
		offer.Web = c.target(paramRedirect, params)
	}
	if app != nil {
		offer.Store = c.androidStore(app, params)
	}
	uri, from := c.openURI("")
	if uri == "" {
		return offer
	}
	intent := &route.Intent{}
	if app != nil {
		intent.Package = app.Package
	}
	referrer := c.referrer()
	referrer.Name = "S.market_referrer"
	intent.Extras = []route.Param{referrer, {Name: "l.appsflyer_click_ts", Lead: macro.Millis}}
	offer.Open = &route.Open{URI: withHost(uri), Params: c.appParams(uri), Intent: intent, From: from}
	return offer
}

// playHost is where Google's store lives.
const playHost = "play.google.com"

// androidStore is Play with the referrer, as an https address: market: links
// make some phones ask which store is meant, so the template must want them.
// Any other store gets what web destinations get.
func (c *clicked) androidStore(app *link.App, params []route.Param) *route.Target {
	if app.StoreURL != "" && link.Host(app.StoreURL) != playHost {
		return &route.Target{URL: app.StoreURL, Params: params, From: storeOf(app)}
	}
	base := app.StoreURL
	if app.Package != "" {
		base = "https://" + playHost + "/store/apps/details?id=" + url.QueryEscape(app.Package)
		if c.template.MarketLinks {
			base = "market://details?id=" + url.QueryEscape(app.Package)
		}
	}
	if base == "" {
		return nil
	}
	list := make([]route.Param, 0, 2)
	if page, _ := c.get(paramAndroidStorePage); page != "" {
		list = append(list, route.Param{Name: "listing", Value: page})
	}
	return &route.Target{URL: base, Params: append(list, c.referrer()), From: "the Play page of the app " + string(app.Key)}
}

// iosOffer: the app's page only where the link asks for it by
// af_force_deeplink=true; otherwise an installed app is opened by its
// universal links, and this server hears nothing of it.
func (c *clicked) iosOffer(app *link.App) route.Offer {
	offer := route.Offer{Platform: device.IOS}
	if offer.Web = c.target(paramIOSURL, c.webParams()); offer.Web == nil {
		offer.Web = c.target(paramRedirect, c.webParams())
	}
	scheme := ""
	if app != nil {
		offer.Store, offer.Clipboard = c.iosStore(app), app.Clipboard
		scheme = app.Scheme
	}
	if !c.is(paramForceDeepLink, "true") {
		return offer
	}
	if uri, from := c.openURI(scheme); uri != "" {
		offer.Open = &route.Open{URI: withHost(uri), Params: c.appParams(uri), From: from}
	}
	return offer
}

// iosStore is the App Store's page as configured, with mt=8, which says that
// an app is meant, and the custom product page.
func (c *clicked) iosStore(app *link.App) *route.Target {
	base := app.StoreURL
	if base == "" && app.StoreID != "" {
		base = "https://apps.apple.com/app/id" + url.PathEscape(app.StoreID)
	}
	if base == "" {
		return nil
	}
	t := &route.Target{URL: base, From: storeOf(app)}
	if host := link.Host(base); host != "apps.apple.com" && host != "itunes.apple.com" {
		t.Params = c.webParams()
		return t
	}
	t.Params = append(t.Params, route.Param{Name: "mt", Value: "8"})
	if page, _ := c.get(paramIOSStorePage); page != "" {
		t.Params = append(t.Params, route.Param{Name: "ppid", Value: page})
	}
	return t
}

// openURI is what opens the app: af_dp, else the template's URI, else the
// app's bare scheme where one is given.
func (c *clicked) openURI(scheme string) (uri, from string) {
	if value, origin := c.get(paramDeepLink); value != "" {
		err := route.CheckOpen(value)
		if err == nil {
			return value, paramDeepLink + " " + string(origin)
		}
		c.note("%s %s is ignored: it %s.", paramDeepLink, origin, err)
	}
	if c.template.URIScheme != "" {
		return c.template.URIScheme, "the template's URI scheme"
	}
	if scheme != "" {
		return scheme + "://", "the app's scheme"
	}
	return "", ""
}

// withHost puts "af" where a URI has neither host nor path: iOS drops the query
// of such a URI. A bare scheme becomes a URI.
func withHost(uri string) string {
	if !strings.Contains(uri, ":") {
		uri += "://"
	}
	scheme, rest, found := strings.Cut(uri, "://")
	if found && (rest == "" || rest[0] == '?' || rest[0] == '#') {
		return scheme + "://af" + rest
	}
	return uri
}

// stores are the lines of the page for visitors that no address is set for.
func (c *clicked) stores(offers []route.Offer) []route.Store {
	labels := map[device.Platform]string{
		device.IOS: "iPhone and iPad", device.Android: "Android", device.FireOS: "Fire tablet", device.AppleTV: "Apple TV",
		device.AndroidTV: "Android TV", device.FireTV: "Fire TV", device.Roku: "Roku", device.Tizen: "Samsung TV",
		device.WebOS: "LG TV", device.Xbox: "Xbox", device.PlayStation: "PlayStation",
	}
	var list []route.Store
	for _, o := range offers {
		if o.Store != nil {
			list = append(list, route.Store{Label: labels[o.Platform], Target: o.Store})
		}
	}
	return list
}

package singular

import (
	"strings"

	"waypost/internal/device"
	"waypost/link"
	"waypost/route"
)

// system is what is asked of a clicked URL for one operating system, the
// stronger parameter first.
type system struct {
	platform  device.Platform
	redirects []string
	deepLinks []string
	forces    []string
	letters   string // of links that may open the app
}

var (
	android = system{
		platform:  device.Android,
		redirects: []string{queryAndroidRedirect},
		deepLinks: []string{queryAndroidDeepLink, queryDeepLink},
		forces:    []string{queryForce, queryAndroidForce},
		letters:   string([]byte{LetterBoth, LetterAndroid}),
	}
	fire = system{
		platform:  device.FireOS,
		redirects: []string{queryFireRedirect, queryAndroidRedirect},
		deepLinks: android.deepLinks,
		forces:    android.forces,
		letters:   android.letters,
	}
	ios = system{
		platform:  device.IOS,
		redirects: []string{queryIOSRedirect},
		deepLinks: []string{queryIOSDeepLink, queryDeepLink},
		forces:    []string{queryForce},
		letters:   string([]byte{LetterBoth, LetterIOS}),
	}
)

// redirection returns what the link holds for the system, or nil.
func (k *clicked) redirection(s *system) *Redirection {
	if s.platform == device.IOS {
		return k.stored.IOS
	}
	return k.stored.Android
}

// offers are what phones and tablets get; everybody else, televisions among
// them, goes to the fallback. Fire tablets follow Android's offer unless the
// URL has one for them.
func (k *clicked) offers() []route.Offer {
	offers := []route.Offer{k.offer(&android), k.offer(&ios)}
	if value, _ := k.get(queryFireRedirect); value != "" {
		offers = append(offers, k.offer(&fire))
	}
	return offers
}

// offer is what the system gets: the destination, before it the app where the
// link may open it. Without a destination it leads to the fallback.
func (k *clicked) offer(s *system) route.Offer {
	offer := route.Offer{Platform: s.platform, DeepLink: k.deferred(s)}
	app := k.app(s)
	offer.Clipboard = app != nil && app.Clipboard
	if t := k.destination(s); t != nil && isStore(t.URL, app) {
		offer.Store = t
	} else {
		offer.Web = t
	}
	for _, force := range s.forces {
		if k.is(force) {
			return offer
		}
	}
	offer.Open = k.opening(s, app)
	return offer
}

// app returns the app that the link leads to on the system, or nil.
func (k *clicked) app(s *system) *link.App {
	if r := k.redirection(s); r != nil {
		return k.Directory.App(r.AppSite)
	}
	return nil
}

// destination is where the system goes without the app: the URL's override,
// else the link's own, else nowhere of its own.
func (k *clicked) destination(s *system) *route.Target {
	for _, name := range s.redirects {
		if t := k.override(name); t != nil {
			return t
		}
	}
	if r := k.redirection(s); r != nil {
		return k.target(r.Destination, fromLink, "the link's destination_url")
	}
	return nil
}

// webTarget is the fallback.
func (k *clicked) webTarget() *route.Target {
	if t := k.override(queryFallback); t != nil {
		return t
	}
	return k.target(k.stored.Fallback, fromLink, "the link's destination_fallback_url")
}

// override is the target that a parameter of the clicked URL sets, or nil.
func (k *clicked) override(name string) *route.Target {
	value, from := k.get(name)
	if value == "" {
		return nil
	}
	if from == fromURL {
		if problem := k.refuseRedirect(value); problem != "" {
			k.note("%s of the clicked URL is ignored: it %s.", name, problem)
			return nil
		}
	}
	return k.target(value, from, name+" "+string(from))
}

// opens reports whether the link may open the app: it must have been made with
// a deep link for the system, and its letter must not have been exchanged for
// one that keeps the system out. Links from the web to an app are made without
// deep link or letter; each click brings its own ("Web-to-App forwarding").
func (k *clicked) opens(s *system) bool {
	r := k.redirection(s)
	switch {
	case r == nil:
		return false
	case k.stored.LinkType == WebToApp:
		return true
	}
	return r.DeepLink != "" && strings.IndexByte(s.letters, k.letter) >= 0
}

// deepLink is where in the app the system goes, and where that comes from:
// empty where the link does not open the app.
func (k *clicked) deepLink(s *system) (uri, from string) {
	opens := k.opens(s)
	for _, name := range s.deepLinks {
		value, origin := k.get(name)
		switch {
		case value == "":
			continue
		case !opens:
			k.note("%s %s is ignored on %s: the link does not open the app there.", name, origin, s.platform)
			continue
		case origin == fromURL:
			if problem := k.refuseDeepLink(value); problem != "" {
				k.note("%s of the clicked URL is ignored: it %s.", name, problem)
				continue
			}
		}
		return value, name + " " + string(origin)
	}
	if !opens {
		return "", ""
	}
	return k.redirection(s).DeepLink, "the link's destination_deeplink_url"
}

// deferred is what the app learns at its first start: the URL's, also where the
// link was made without one, else the link's. A deep link is no deferred one:
// links have a field of its own for that, and what leaves it empty wants none.
func (k *clicked) deferred(s *system) string {
	value, from := k.get(queryDeferred)
	if value != "" && from == fromURL {
		if problem := k.refuseDeepLink(value); problem != "" {
			k.note("%s of the clicked URL is ignored: it %s.", queryDeferred, problem)
			value = ""
		}
	}
	if r := k.redirection(s); value == "" && r != nil {
		value = r.Deferred
	}
	return value
}

// opening is how a page tries the app, or nil. A web address needs a page only
// where Android can be told which app it is for: iOS would stay in the browser,
// and the store would never be reached.
func (k *clicked) opening(s *system, app *link.App) *route.Open {
	uri, from := k.deepLink(s)
	if uri == "" {
		return nil
	}
	if err := route.CheckOpen(uri); err != nil {
		k.note("%s is ignored: it %s.", from, err)
		return nil
	}
	o := &route.Open{URI: uri, From: from}
	if value, _ := k.get(queryPassthrough); value != "" {
		o.Params = []route.Param{{Name: queryPassthrough, Value: value}}
	}
	if s.platform != device.IOS {
		o.Intent = &route.Intent{}
		if app != nil {
			o.Intent.Package = app.Package
		}
	}
	if isWeb(uri) && (o.Intent == nil || o.Intent.Package == "") {
		k.note("%s is not tried on %s: no page can open the app by a web address there.", from, s.platform)
		return nil
	}
	return o
}

func isWeb(uri string) bool {
	scheme := strings.ToLower(link.Scheme(uri))
	return scheme == "http" || scheme == "https"
}

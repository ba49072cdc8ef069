package smartlinks

import (
	"net/url"
	"path"
	"strings"

	"waypost/link"
)

func isWebScheme(scheme string) bool {
	return strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
}

// isStore reports whether a URL leads into Google's or Apple's store.
func isStore(raw string) bool {
	switch link.Host(raw) {
	case "play.google.com", "apps.apple.com", "itunes.apple.com":
		return true
	}
	switch strings.ToLower(link.Scheme(raw)) {
	case "market", "itms", "itmss", "itms-apps", "itms-appss":
		return true
	}
	return false
}

// isPlay reports whether a URL is an app's page in Google's store, which hands
// a referrer on to the app.
func isPlay(raw string) bool {
	if strings.EqualFold(link.Scheme(raw), "market") {
		return true
	}
	u, err := url.Parse(raw)
	return err == nil && link.Host(raw) == "play.google.com" && strings.HasPrefix(u.Path, "/store/apps/")
}

// apps are those that the link leads to.
func (c *clicked) apps() []*link.App {
	var list []*link.App
	for i := range c.trackers {
		if app := c.Directory.App(c.trackers[i].App); app != nil {
			list = append(list, app)
		}
	}
	return list
}

// schemes are those that the link's apps answer to, and that its own URIs for
// them have, in lower case.
func (c *clicked) schemes() []string {
	var known []string
	add := func(scheme string) {
		if scheme != "" && !isWebScheme(scheme) {
			known = append(known, strings.ToLower(scheme))
		}
	}
	for _, app := range c.apps() {
		add(app.Scheme)
	}
	add(link.Scheme(c.stored.Path))
	for i := range c.trackers {
		if r := c.trackers[i].Route; r != nil {
			add(link.Scheme(r.Reengagement))
		}
	}
	return known
}

// sells reports whether a store's page is that of an app of the link.
func (c *clicked) sells(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	ids := u.Query()["id"]
	for _, app := range c.apps() {
		switch {
		case raw == app.StoreURL:
			return true
		case isPlay(raw):
			if app.Package != "" && len(ids) == 1 && ids[0] == app.Package {
				return true
			}
		case app.StoreID != "" && path.Base(u.Path) == "id"+app.StoreID:
			return true
		}
	}
	return false
}

// inStore reports whether a URL is a store's: one of the two large ones', or
// that of the one where the tracker's app has its page.
func (c *clicked) inStore(raw string, t *Tracked) bool {
	app, host := c.Directory.App(t.App), link.Host(raw)
	return isStore(raw) || app != nil && host != "" && host == link.Host(app.StoreURL)
}

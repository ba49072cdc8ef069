package singular

import (
	"net/url"
	"slices"
	"strings"

	"waypost/link"
	"waypost/route"
)

// refuseRedirect says why a target taken from a clicked URL is not honoured, or
// "". Anyone can write such a URL, so a web address needs the fallback's domain
// or a host that the account uses, an address in a store one of the account's
// apps, and anything else the scheme of one of them.
func (k *clicked) refuseRedirect(value string) string {
	if k.holds(value) {
		return ""
	}
	if err := route.CheckTarget(value); err != nil {
		return err.Error()
	}
	scheme := strings.ToLower(link.Scheme(value))
	switch {
	case storeOf(value) != nil:
		return k.refuseStore(value)
	case isWeb(value):
		return k.refuseHost(value)
	case isStoreScheme(scheme):
		return "names no app in a store"
	case !slices.Contains(k.schemes(), scheme):
		return "has the scheme " + scheme + ", which is none of the apps'"
	}
	return ""
}

// refuseDeepLink is refuseRedirect for what opens the app. Where nothing
// declares a scheme there is nothing to compare with, and what is left of the
// schemes opens apps alone.
func (k *clicked) refuseDeepLink(value string) string {
	if err := route.CheckOpen(value); err != nil {
		return err.Error()
	}
	if !isWeb(value) && !isStoreScheme(link.Scheme(value)) && len(k.schemes()) == 0 {
		return ""
	}
	return k.refuseRedirect(value)
}

// holds reports whether the link itself holds the target.
func (k *clicked) holds(value string) bool {
	if value == k.stored.Fallback {
		return true
	}
	for _, r := range []*Redirection{k.stored.Android, k.stored.IOS} {
		if r != nil && (value == r.Destination || value == r.DeepLink || value == r.Deferred) {
			return true
		}
	}
	return false
}

func (k *clicked) refuseHost(value string) string {
	u, err := url.Parse(value)
	host := link.Host(value)
	switch {
	case err != nil || host == "":
		return "names no host"
	case u.User != nil:
		return "holds a user name"
	case sameSite(host, link.Host(k.stored.Fallback)), k.Allow(host):
		return ""
	}
	return "leads to " + host + ", which the account does not use"
}

// sameSite reports whether a host is surely of the same owner as the fallback:
// the same, below it, or below it without its "www.". Without a list of the
// suffixes under which anybody may register a name, siblings do not count, and
// short names under a country are taken for such suffixes. Nor do hosts with
// other than ASCII letters, some of which browsers turn into slashes.
func sameSite(host, fallback string) bool {
	foreign := func(c rune) bool { return c >= 0x80 }
	if fallback == "" || strings.ContainsFunc(host, foreign) {
		return false
	}
	if host == fallback || strings.HasSuffix(host, "."+fallback) {
		return true
	}
	apex, found := strings.CutPrefix(fallback, "www.")
	name, rest, dotted := strings.Cut(apex, ".")
	if !found || !dotted || !strings.Contains(rest, ".") && len(rest) == 2 && len(name) <= 3 {
		return false
	}
	return host == apex || strings.HasSuffix(host, "."+apex)
}

// schemes are those that the account's apps and the link's own deep links
// have, in lower case.
func (k *clicked) schemes() []string {
	var known []string
	add := func(scheme string) {
		if scheme != "" {
			known = append(known, strings.ToLower(scheme))
		}
	}
	for _, r := range []*Redirection{k.stored.Android, k.stored.IOS} {
		if r != nil && !isWeb(r.DeepLink) {
			add(link.Scheme(r.DeepLink))
		}
	}
	for _, app := range k.apps() {
		add(app.Scheme)
	}
	return known
}

// apps are the account's.
func (k *clicked) apps() []*link.App {
	var list []*link.App
	all := k.Directory.Catalog.Apps
	for i := range all {
		if all[i].Account == k.link.Account {
			list = append(list, &all[i])
		}
	}
	return list
}

// product is an app's page in a store. The stores are told apart, for an app's
// number in one means nothing in another.
type product struct {
	store string // "google" or "apple"
	id    string // empty: the address is the store's, and no app's page
}

// storeOf reads an address in Google's or Apple's store; nil for others.
func storeOf(raw string) *product {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch {
	case scheme == "market":
		return googlePage(host == "details" && strings.Trim(u.Path, "/") == "", u)
	case isWeb(raw) && host == "play.google.com":
		return googlePage(strings.TrimSuffix(u.Path, "/") == "/store/apps/details", u)
	case host == "apps.apple.com", host == "itunes.apple.com":
		if isWeb(raw) || isStoreScheme(scheme) {
			path := strings.TrimSuffix(u.Path, "/")
			return &product{"apple", appleID(path[strings.LastIndexByte(path, '/')+1:])}
		}
	}
	return nil
}

// googlePage is the app that the query names; of several names nobody knows
// which one counts.
func googlePage(details bool, u *url.URL) *product {
	p := &product{store: "google"}
	query, err := url.ParseQuery(u.RawQuery)
	if ids := query["id"]; details && err == nil && len(ids) == 1 {
		p.id = ids[0]
	}
	return p
}

// appleID is the number in "id123", or "".
func appleID(segment string) string {
	number, found := strings.CutPrefix(segment, "id")
	if !found || strings.Trim(number, "0123456789") != "" {
		return ""
	}
	return number
}

// isStoreScheme reports whether a scheme opens a store's own program.
func isStoreScheme(scheme string) bool {
	switch strings.ToLower(scheme) {
	case "market", "itms", "itmss", "itms-apps", "itms-appss":
		return true
	}
	return false
}

// isStore reports whether a target is a store: Google's, Apple's, or the one
// that the app has its page in.
func isStore(raw string, app *link.App) bool {
	if storeOf(raw) != nil || isStoreScheme(link.Scheme(raw)) {
		return true
	}
	host := link.Host(raw)
	return app != nil && host != "" && host == link.Host(app.StoreURL)
}

// refuseStore lets through the pages of the account's apps.
func (k *clicked) refuseStore(value string) string {
	named := *storeOf(value)
	if u, err := url.Parse(value); err == nil && u.User != nil {
		return "holds a user name"
	}
	if named.id == "" {
		return "names no app in a store"
	}
	known := func(raw string) bool { p := storeOf(raw); return p != nil && *p == named }
	for _, r := range []*Redirection{k.stored.Android, k.stored.IOS} {
		if r != nil && known(r.Destination) {
			return ""
		}
	}
	for _, app := range k.apps() {
		if known(app.StoreURL) || named == (product{"google", app.Package}) || named == (product{"apple", app.StoreID}) {
			return ""
		}
	}
	return "leads to an app in a store that is none of the account's"
}

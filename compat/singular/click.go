package singular

import (
	"fmt"
	"strings"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

// Clicks says what tracking links do when they are clicked. The zero value is
// ready.
type Clicks struct{}

// Name returns the dialect of the links.
func (Clicks) Name() link.Dialect { return link.Singular }

// Excludes returns the paths that an app on iOS must not claim, in the form of
// association files: those of links without a deep link, and those that open
// the app on Android alone. Android has no such file; its apps claim by letter
// themselves. The latter are told by their app code, too, so that paths of other
// dialects which happen to begin like them go on to open apps.
func (Clicks) Excludes() []string {
	const appCode = "????*/*" // at least four characters, then the link's own segment
	return []string{"/" + string(LetterNone) + "*", "/" + string(LetterAndroid) + appCode, "/" + string(letterAndroidToo) + appCode}
}

// Letters that apps in the field claim on Android although nothing tells what
// they mean; they are read as A and B.
const (
	letterBothToo    = 'E'
	letterAndroidToo = 'F'
)

// Bounds of an address's segments. Ours have four characters or few more, which
// keeps links of other dialects apart.
const (
	minAppCode = 4
	maxAppCode = 13 // of the largest number
	maxSegment = 32
	// impressions is the first segment of an address that is shown, not clicked.
	impressions = "i"
	// impressionHost begins a branded domain on which every address is shown.
	impressionHost = "i."
)

// Locate reads "{letter}{app code}/{link code}", behind it the segment of a
// short form, and "i/" before it where an impression is told. Place.Rest is what
// narrows the link: the letter, but for A, which narrows nothing, and the short
// form's segment. Servers that report a click say whose it is.
func (Clicks) Locate(r *route.Request) (route.Place, bool) {
	parts := strings.Split(r.Path, "/")
	place := route.Place{View: r.Site.BrandOf != "" && strings.HasPrefix(r.Site.Host, impressionHost)}
	if parts[0] == impressions {
		parts, place.View = parts[1:], true
	}
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" {
		return route.Place{}, false
	}
	switch letter := parts[0][0]; letter {
	case LetterBoth, letterBothToo:
	case LetterAndroid, letterAndroidToo:
		place.Rest = string(LetterAndroid)
	case LetterIOS, LetterNone:
		place.Rest = string(letter)
	default:
		return route.Place{}, false
	}
	app, code := strings.ToLower(parts[0][1:]), strings.ToLower(parts[1])
	if len(app) < minAppCode || len(app) > maxAppCode || !isCode(app) || !isCode(code) {
		return route.Place{}, false
	}
	place.Path = link.HostPath(r.Site.Home(), app+"/"+code)
	place.Agent, place.Address = visitor(r.Query)
	if len(parts) == 2 {
		return place, true
	}
	short := strings.ToLower(parts[2])
	if id, referral := strings.CutPrefix(short, ReferralPrefix); referral {
		place.Base, place.Path, short = place.Path, place.Path+"/"+link.Path(short), id
	} else {
		place.Rest += short
	}
	if !isCode(short) {
		return route.Place{}, false
	}
	return place, true
}

// isCode reports whether a segment in lower case consists of the characters
// that ours are made of.
func isCode(s string) bool {
	if s == "" || len(s) > maxSegment {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// Rules describes what a click of a tracking link does: NotFound where the
// clicked short form is not the link's.
func (Clicks) Rules(c *route.Clicked) (*route.Rules, error) {
	k, err := open(c)
	if err != nil {
		return nil, err
	}
	rules := &route.Rules{Link: k.url(), Web: k.webTarget(), Stored: k.standsFor}
	if app := k.appGroup(); app != nil {
		rules.Name = app.Name
	}
	if og := k.stored.OG; og != nil {
		rules.Preview = &link.OpenGraph{Title: og.Title, Description: og.Description, ImageURL: og.ImageURL}
	}
	rules.Offers = k.offers()
	if rules.Web == nil {
		rules.Stores = stores(rules.Offers)
	}
	if value, _ := k.get(querySamsungRedirect); value != "" {
		k.note("%s is ignored: phones of one maker are not told from others; %s serves them all.", querySamsungRedirect, queryAndroidRedirect)
	}
	rules.Notes = k.notes
	return rules, nil
}

// open reads the clicked link and gathers the parameters that hold.
func open(c *route.Clicked) (*clicked, error) {
	k := &clicked{Clicked: c, link: c.Base}
	if k.link == nil {
		k.link = c.Link
	}
	if k.link == nil {
		return nil, fault.New(fault.NotFound, "no such link")
	}
	var err error
	if k.stored, err = Read(k.link.Data); err != nil {
		return nil, fmt.Errorf("link %s: %w", k.link.Path, err)
	}
	k.own = readQuery(k.stored.Query)
	k.letter, k.short = LetterBoth, c.Place.Rest
	if k.short != "" && k.short[0] >= 'A' && k.short[0] <= 'Z' {
		k.letter, k.short = k.short[0], k.short[1:]
	}
	if k.short != "" {
		k.standsFor = k.stored.Query
		if k.short != k.stored.Short {
			return nil, fault.New(fault.NotFound, "link %s has no short form %q", k.link.Path, k.short)
		}
		k.add(k.own, fromLink)
	}
	if c.Base != nil {
		referral, err := ReadReferral(c.Link.Data)
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", c.Link.Path, err)
		}
		k.standsFor = referral.Query
		k.add(readQuery(referral.Query), fromURL)
	}
	k.add(c.Query, fromURL)
	return k, nil
}

// appGroup is the link's app, which need not be that of its domain; nil where
// nobody knows it.
func (k *clicked) appGroup() *link.Group {
	if k.link.Listing != nil {
		if g := k.Directory.Group(k.link.Listing.AppGroup); g != nil {
			return g
		}
	}
	return k.Site.Group
}

// url is the address that previews show: the clicked one without its query.
func (k *clicked) url() string {
	_, path, _ := k.Link.Path.SplitHost()
	address := k.Site.BaseURL + "/" + string(k.stored.Letter()) + path
	if k.short != "" {
		address += "/" + k.short
	}
	return address
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

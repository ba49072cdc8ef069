// Package route decides where a click goes. A dialect describes a link as
// Rules, Compile turns them into a Plan once, and a Plan answers every click:
// device in, Destination out. It does no I/O and never looks at the clock:
// equal input, equal output.
package route

import (
	"net/netip"

	"waypost/internal/device"
	"waypost/internal/macro"
	"waypost/link"
)

// Rule names why a destination was chosen. Counts, events and explanations
// show it, so a name never changes its meaning.
type Rule string

// Rules of choice, the first that fits wins. "android" rules hold for Fire OS
// too; the platform is counted beside the rule.
const (
	PreviewRule  Rule = "preview"       // a program that builds a link preview reads Open Graph tags
	NoRedirect   Rule = "no-redirect"   // the link asks to be counted only
	BotWeb       Rule = "bot-web"       // every other bot gets what a desktop gets
	AndroidApp   Rule = "android-app"   // a page tries to open the app
	AndroidWeb   Rule = "android-web"   // a web address set for Android, or for all
	AndroidStore Rule = "android-store" // the app's store
	IOSApp       Rule = "ios-app"
	IOSWeb       Rule = "ios-web"
	IOSStore     Rule = "ios-store"
	TVStore      Rule = "tv-store"      // the group has an app for this television
	Web          Rule = "web"           // desktops, and whatever has no offer of its own
	FallbackPage Rule = "fallback-page" // there is no web address: a page lists the stores
)

// Rules say what one link does for every visitor. They are the dialects' common
// word: names of parameters, and what is forwarded where, are settled before.
// Texts called From say in a few words where a part comes from, such as
// "af_r of the link"; only explanations use them.
type Rules struct {
	Name    string          // of the product, for pages
	Link    string          // the link's own URL, for previews
	Preview *link.OpenGraph // may be shared between links; nil: none
	// NoRedirect, where it is not empty, says why the click is only counted.
	NoRedirect string
	Reported   *Reported    // the visitor whose click a server reports; nil: whoever asks
	Reply      string       // JSON that answers where NoRedirect is set; empty: no body
	Web        *Target      // nil: the fallback page
	Tracker    link.Tracker // of whoever gets no offer
	// Stored are parameters that the clicked address stands for, raw, such as a
	// short form's. Events keep them beside the URL's own, which come over them.
	Stored string
	Offers []Offer // at most one for each platform; Fire OS without one takes Android's
	Stores []Store // of the fallback page
	// Fixed says that no parameter of a clicked URL changes anything here, so
	// that a plan which was made once answers every click of the link.
	Fixed bool
	// Notes are sentences about parts that were ignored.
	Notes []string
}

// Reported is a visitor whose click a server reports by clicking itself. What
// is not set, the server did not tell.
type Reported struct {
	Agent   string // User-Agent
	Address netip.Addr
}

// Offer is what one platform gets. What is nil is left out; an offer without
// anything leads to Rules.Web.
type Offer struct {
	Platform device.Platform
	Open     *Open   // tried first, by a page; phones only
	InApp    *Open   // tried in browsers inside other apps, where it is set, instead of Open
	Web      *Target // comes before the store; phones and desktops
	Store    *Target // phones and televisions
	Tracker  link.Tracker
	// Clipboard makes a page that tries the app lead to the store by a tap
	// alone, which leaves the click's token on the clipboard.
	Clipboard bool
	// DeepLink is where in the app the visitor belongs: events keep it for the
	// app's first start, and an app that asks about the link is told it.
	DeepLink string
}

// Store is a line of the fallback page.
type Store struct {
	Label  string
	Target *Target
}

// Target is a URL that visitors are sent to.
type Target struct {
	URL    string
	Params []Param // appended to the URL's query, except names that it has already
	Macros bool    // {click_id} in the URL is filled; not for URLs that visitors supply
	From   string
}

// Open is a URI that opens the app.
type Open struct {
	URI    string
	Params []Param
	Macros bool    // as a Target's
	Intent *Intent // nil: the URI as it is
	From   string
}

// Intent wraps the URI as Android's browsers want it (developer.chrome.com,
// "Android intents with Chrome").
type Intent struct {
	Package string  // empty: any app that answers to the scheme
	Extras  []Param // by their full names, "S.…" for text and "l.…" for numbers
}

// Param is a name and a decoded value for a query.
type Param struct {
	Name, Value string
	Lead        macro.Hole // what the click fills in before Value
	Inner       []Param    // where set, the value is this query, encoded as one unit
}

// vocabulary is what a stored target may leave open.
var vocabulary = macro.Vocabulary{"click_id": macro.ClickID}

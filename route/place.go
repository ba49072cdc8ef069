package route

import (
	"net/netip"

	"waypost/link"
)

// Request is a clicked address on a link host, for dialects whose links own
// paths of hosts. Its texts may be kept.
type Request struct {
	Site  *link.Site
	Path  string // without slashes at its ends, as sent
	Query string // raw, without "?"
	Body  string // of a POST; empty otherwise
}

// Place is what such an address points to. One of Path, Link and Lookup is set.
type Place struct {
	Path link.Path   // of the link
	Base link.Path   // of the link that stands in where Path has none that lives; may be empty
	Link link.LinkID // the link, where the address tells its number
	// Lookup is the clicked URL that an app asks about: the click is that one's,
	// and the answer is the dialect's, in JSON.
	Lookup  string
	Tracker link.Tracker // the only one that is asked for, whatever the device
	Rest    string       // what Rules wants to see again
	View    bool         // an impression: answered with a pixel
	// Steady says that addresses with the same path are the same place whatever
	// their query, so that a place which was located once need not be again.
	Steady bool
	// Agent and Address, where set, are the visitor's, told by a server that
	// reports his click.
	Agent   string
	Address netip.Addr
}

// Clicked is one clicked URL, as far as a dialect needs it to say what its link
// does.
type Clicked struct {
	Directory *link.Directory
	Template  *link.TemplateView // nil for links that own a path of a host
	Site      *link.Site         // nil for a template's links
	Link      *link.Link         // nil for a template's long link, and where a link is expired or gone
	Code      string             // of Link
	Base      *link.Link         // the link that Link stands for; nil for links of their own
	Place     Place              // an impression is decided as the click would be
	Query     []link.Param       // decoded, in order
	// Allow says whether a target host that the URL names may be used.
	Allow func(host string) bool
}

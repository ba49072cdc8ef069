package event

import "waypost/link"

// ServerRoute is the Route of clicks and impressions that a partner's server
// reported. No link host has seen them: they have no Host and no Link, and
// their Query, which is the report's, names the app.
const ServerRoute = "server"

// AppParam names the app's number in the Query of an event of ServerRoute. It
// is always its first parameter.
const AppParam = "waypost_app"

// OpenedRoute is the Route of clicks that a link's host has not seen, because
// the link itself opened the app, which told of it. They have Host and Link.
const OpenedRoute = "opened"

// OfServer reports whether a server reported the click. Nobody can make a
// clicked URL look so: its click has a Host.
func (c *Click) OfServer() bool {
	return c.Route == ServerRoute && c.Host == "" && c.Link == link.LinkID(0)
}

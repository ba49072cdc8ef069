package smartlinks

import (
	"cmp"
	"fmt"
	"strings"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// catchAllName begins the name of every catch-all; the link's name follows.
const catchAllName = "Catch-all tracker for smartlink "

// built makes what a new link of the group keeps: everything but what its
// Listing has. It needs neither store nor directory.
func (w *wish) built(g *link.Group) (Stored, error) {
	s := Stored{CustomParams: w.params}
	if w.name == nil || *w.name == "" {
		return s, required("name")
	}
	if err := w.buildMoney(&s); err != nil {
		return s, err
	}
	if err := w.buildCatchAll(&s, g); err != nil {
		return s, err
	}
	if len(w.apps) == 0 {
		return s, fault.Bad("routes_by_app", fault.Missing, "is required: a list of at least one app with its routes")
	}
	seen := map[link.AppID]bool{}
	for i := range w.apps {
		app, err := w.apps[i].built(g)
		if err != nil {
			return s, err
		}
		if seen[app.App] {
			return s, fault.Bad(w.apps[i].at+"app_id", fault.NotAllowed, "names an app for the second time")
		}
		seen[app.App] = true
		s.Apps = append(s.Apps, app)
	}
	all := s.Trackers()
	if len(all) > int(link.MaxTracker) {
		return s, fault.Bad("routes_by_app", fault.TooLong, "must not have more than %d routes", int(link.MaxTracker)-1)
	}
	for _, t := range all {
		s.Native = s.Native || t.Route != nil && t.Route.NativeLink != ""
	}
	if !s.Native {
		return s, nil // path and subdomain mean nothing to plain links
	}
	if w.path == nil {
		w.path = new(string)
	}
	return s, w.setPath(&s)
}

// setPath writes the path of a native link.
func (w *wish) setPath(s *Stored) error {
	if *w.path == "" {
		return fault.Bad("path", fault.Missing, "is required for a link with native_link: where it leads inside the app")
	}
	if wrong := checkDeepLink(*w.path); wrong != "" {
		return fault.Bad("path", fault.Malformed, "%s", wrong)
	}
	s.Path = *w.path
	return nil
}

func required(field string) error { return fault.Bad(field, fault.Missing, "is required") }

func (w *wish) buildMoney(s *Stored) error {
	if w.pricing != nil {
		s.Pricing = *w.pricing
	}
	if w.price != nil {
		s.Price = *w.price
	}
	s.ChannelType = "owned"
	if w.network != nil && link.PartnerID(*w.network) != NoNetwork {
		s.ChannelType = "paid"
	}
	if w.channel != nil && *w.channel != "" {
		s.ChannelType = strings.ToLower(*w.channel)
	}
	if s.ChannelType != "owned" && s.ChannelType != "paid" {
		return fault.Bad("channel_type", fault.Unknown, "must be owned or paid")
	}
	return nil
}

func (w *wish) buildCatchAll(s *Stored, g *link.Group) error {
	if w.catchAll == nil {
		return fault.Bad("default", fault.Missing, "is required: an object with app_id and destination_url")
	}
	app, err := member(g, "default.app_id", w.catchAll.app)
	if err != nil {
		return err
	}
	text, err := demanded("default.destination_url", w.catchAll.destination)
	s.Default = Default{Name: catchAllName + *w.name, App: app.ID, Destination: destination(text, app.Platform)}
	return err
}

// member returns the group's app with the id.
func member(g *link.Group, field string, id *int64) (*link.App, error) {
	if id == nil {
		return nil, required(field)
	}
	for _, app := range g.Apps {
		if app.ID == link.AppID(*id) {
			return app, nil
		}
	}
	return nil, fault.Bad(field, fault.Unknown, "must be an app of the app group; %d is none", *id)
}

// demanded returns the text of a field that must be there.
func demanded(field string, text *string) (string, error) {
	if text == nil || *text == "" {
		return "", required(field)
	}
	return *text, nil
}

func (w *appWish) built(g *link.Group) (App, error) {
	app, err := member(g, w.at+"app_id", w.app)
	switch {
	case err != nil:
		return App{}, err
	case !eligible(app.Platform):
		return App{}, fault.Bad(w.at+"app_id", fault.NotAllowed, "is an app for %s, which no route can be for; possible are %s", PlatformCode(app.Platform), routableNames())
	case len(w.routes) == 0:
		return App{}, fault.Bad(w.at+"routes", fault.Missing, "is required: a list of at least one route")
	}
	made := App{App: app.ID, Events: append([]string{}, w.events...)}
	for i := range w.routes {
		route, err := w.routes[i].built(app)
		if err != nil {
			return App{}, err
		}
		made.Routes = append(made.Routes, route)
	}
	return made, nil
}

func (w *routeWish) built(app *link.App) (Route, error) {
	r := Route{Platforms: w.platforms, Rules: w.rules}
	var err error
	if r.Name, err = demanded(w.at+"name", w.name); err != nil {
		return r, err
	}
	text, err := demanded(w.at+"destination_url", w.destination)
	if err != nil {
		return r, err
	}
	r.Destination = destination(text, app.Platform)
	if w.reengagement != nil {
		r.Reengagement = *w.reengagement
	}
	if w.native != nil && *w.native != "" {
		return r, w.makeNative(&r, app)
	}
	if len(r.Platforms) == 0 {
		return r, fault.Bad(w.at+"rules.platform_in", fault.Missing, "is required for a route without native_link: a list of %s", routableNames())
	}
	return r, nil
}

// makeNative makes a route one whose app the operating system opens.
func (w *routeWish) makeNative(r *Route, app *link.App) error {
	r.NativeLink = strings.ToLower(*w.native)
	p, _ := ParsePlatformCode(r.NativeLink)
	switch {
	case p != device.IOS && p != device.Android:
		return fault.Bad(w.at+"native_link", fault.Unknown, "must be ios or android")
	case p != app.Platform:
		return fault.Bad(w.at+"native_link", fault.NotAllowed, "must be the platform of the route's app, which is %s", PlatformCode(app.Platform))
	case r.Reengagement != "":
		return nativeHasPath(w.at)
	}
	if len(r.Platforms) == 0 {
		r.Platforms = []string{r.NativeLink}
	}
	return nil
}

func nativeHasPath(at string) error {
	return fault.Bad(at+"reengagement_url", fault.NotAllowed, "must not be there beside native_link: such routes lead to the link's path")
}

// changed applies a wish to what a link keeps. Absent fields stay as they are;
// so do those that never change.
func (w *wish) changed(s *Stored, g *link.Group, id link.LinkID) error {
	if w.paramsGiven {
		s.CustomParams = w.params
	}
	if w.pricing != nil {
		s.Pricing = *w.pricing
	}
	if w.price != nil {
		s.Price = *w.price
	}
	if s.Native && w.path != nil {
		if err := w.setPath(s); err != nil {
			return err
		}
	}
	if err := w.changeCatchAll(s, g, id); err != nil {
		return err
	}
	seen := map[TrackerID]bool{}
	for i := range w.apps {
		if err := w.apps[i].change(s, g, id, seen); err != nil {
			return err
		}
	}
	return nil
}

func (w *wish) changeCatchAll(s *Stored, g *link.Group, id link.LinkID) error {
	if w.catchAll == nil {
		return nil
	}
	own := TrackerOf(id, link.CatchAll)
	if w.catchAll.id != nil && TrackerID(*w.catchAll.id) != own {
		return fault.Bad("default.id", fault.NotAllowed, "must be %d, the link's own", own)
	}
	asked := int64(s.Default.App)
	app, err := member(g, "default.app_id", cmp.Or(w.catchAll.app, &asked))
	if err != nil {
		return err
	}
	text := s.Default.Destination
	if w.catchAll.destination != nil {
		if text, err = demanded("default.destination_url", w.catchAll.destination); err != nil {
			return err
		}
	}
	s.Default.App, s.Default.Destination = app.ID, destination(text, app.Platform)
	return nil
}

// change applies a wish about an app's routes. seen has the trackers that
// another element of the body has named.
func (w *appWish) change(s *Stored, g *link.Group, id link.LinkID, seen map[TrackerID]bool) error {
	app, err := member(g, w.at+"app_id", w.app)
	if err != nil {
		return err
	}
	own := map[TrackerID]*Route{}
	var ids []TrackerID
	for _, t := range s.Trackers() {
		if t.Route != nil && t.App == app.ID {
			tracker := TrackerOf(id, t.Tracker)
			own[tracker], ids = t.Route, append(ids, tracker)
		}
	}
	if len(ids) == 0 {
		return fault.Bad(w.at+"app_id", fault.NotAllowed, "is an app for which the link has no routes; a change adds none")
	}
	for i := range s.Apps {
		if s.Apps[i].App == app.ID && w.eventsGiven {
			s.Apps[i].Events = append([]string{}, w.events...)
		}
	}
	for i := range w.routes {
		r := &w.routes[i]
		tracker, err := r.tracker(ids, i)
		switch {
		case err != nil:
			return err
		case own[tracker] == nil:
			return fault.Bad(r.at+"id", fault.NotAllowed, "must be the id of one of the app's routes: %s", listed(ids))
		case seen[tracker]:
			return fault.Bad(r.at+"id", fault.NotAllowed, "is named for the second time")
		}
		seen[tracker] = true
		if err := r.change(own[tracker], app); err != nil {
			return err
		}
	}
	return nil
}

// tracker returns the route that a wish is about: the one with its id, else
// the one at its place.
func (w *routeWish) tracker(ids []TrackerID, place int) (TrackerID, error) {
	if w.id != nil {
		return TrackerID(*w.id), nil
	}
	if place >= len(ids) {
		return 0, fault.Bad(strings.TrimSuffix(w.at, "."), fault.NotAllowed, "is a route that the link does not have; a change adds none")
	}
	return ids[place], nil
}

func (w *routeWish) change(r *Route, app *link.App) (err error) {
	if w.name != nil {
		if r.Name, err = demanded(w.at+"name", w.name); err != nil {
			return err
		}
	}
	if w.destination != nil {
		if r.Destination, err = demanded(w.at+"destination_url", w.destination); err != nil {
			return err
		}
	}
	r.Destination = destination(r.Destination, app.Platform)
	if w.reengagement != nil {
		if r.NativeLink != "" && *w.reengagement != "" {
			return nativeHasPath(w.at)
		}
		r.Reengagement = *w.reengagement
	}
	return nil
}

func listed(ids []TrackerID) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ", "), "[]")
}

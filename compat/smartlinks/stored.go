package smartlinks

import (
	"encoding/json"
	"fmt"

	"waypost/link"
)

// Stored is what a link keeps in its Data: everything that the vendor's words
// say of it and that link.Link and its Listing have no place for.
type Stored struct {
	// Native says that an operating system opens the app for some route of the
	// link, which therefore lives on a host of its group.
	Native bool `json:"native,omitempty"`
	// Subdomain and Path are empty unless Native. Path is where native routes
	// lead inside the app; it may be a URL with {macros} or one {macro} alone.
	Subdomain    string  `json:"subdomain,omitempty"`
	Path         string  `json:"path,omitempty"`
	CustomParams []Param `json:"custom_params,omitempty"` // in the order of the link's URL
	ChannelType  string  `json:"channel_type"`            // "owned" or "paid"
	Pricing      string  `json:"pricing,omitempty"`       // "cpc", "cpi", "cpm", "cpa" or empty
	// Price is a JSON number that is not negative; empty is zero.
	Price   json.Number `json:"price,omitempty"`
	Default Default     `json:"default"`
	Apps    []App       `json:"apps"` // one for each app, at least one
}

// Param is a name and value of the query of the link's own URLs, decoded. The
// value may hold {macros} of the partner who shows the link.
type Param struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Default is the catch-all: where everybody goes who fits no route.
type Default struct {
	Name        string     `json:"name"`
	App         link.AppID `json:"app"` // whose visitors they are; an app of the link's group
	Destination string     `json:"destination"`
}

// App is what a link does for one app of its group.
type App struct {
	App    link.AppID `json:"app"`
	Events []string   `json:"events"` // that the link's traffic may be credited with
	Routes []Route    `json:"routes"` // at least one
}

// Route sends the visitors of some platforms somewhere. Destinations are
// complete: ko_click_id stands in those of web apps.
type Route struct {
	Name         string `json:"name"`
	Destination  string `json:"destination"`            // where the app is not installed
	Reengagement string `json:"reengagement,omitempty"` // where it is; empty for native routes
	// Platforms are the vendor's names in the case that the caller chose.
	Platforms []string `json:"platforms"`
	// Rules are the caller's other rules, by name. They are given back and mean nothing.
	Rules      map[string]json.RawMessage `json:"rules,omitempty"`
	NativeLink string                     `json:"native_link,omitempty"` // "ios" or "android"
}

// Tracked is a measured part of a link.
type Tracked struct {
	Tracker link.Tracker
	App     link.AppID
	Route   *Route // nil for the catch-all
}

// Read returns what a link's Data holds.
func Read(data json.RawMessage) (Stored, error) {
	var s Stored
	if err := json.Unmarshal(data, &s); err != nil {
		return Stored{}, fmt.Errorf("read a stored SmartLink: %w", err)
	}
	return s, nil
}

// Data returns the form in which a link keeps s.
func (s *Stored) Data() json.RawMessage {
	data, err := json.Marshal(s)
	if err != nil {
		panic("smartlinks: a stored link has no JSON form: " + err.Error())
	}
	return data
}

// Trackers returns the link's measured parts: the catch-all, then the routes
// in order of appearance. That order never changes. The routes are s's own.
func (s *Stored) Trackers() []Tracked {
	all := []Tracked{{Tracker: link.CatchAll, App: s.Default.App}}
	for i := range s.Apps {
		app := &s.Apps[i]
		for j := range app.Routes {
			all = append(all, Tracked{Tracker: link.CatchAll + link.Tracker(len(all)), App: app.App, Route: &app.Routes[j]})
		}
	}
	return all
}

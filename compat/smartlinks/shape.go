package smartlinks

import (
	"encoding/json"
	"net/url"
	"strings"

	"waypost/link"
)

// linkShape is a link as every call shows it. Counts are absent from the
// answer to a create, and the channel's type from all others.
type linkShape struct {
	ID            link.LinkID     `json:"id"`
	GUID          string          `json:"guid"`
	Subdomain     string          `json:"subdomain,omitempty"` // native links only, as Path
	AppGroup      link.AppGroupID `json:"app_group_id"`
	Campaign      link.CampaignID `json:"app_group_campaign_id"`
	CampaignName  string          `json:"app_group_campaign_name"`
	Pricing       string          `json:"network_pricing"`
	Price         json.Number     `json:"network_price"`
	Path          string          `json:"path,omitempty"`
	Network       link.PartnerID  `json:"network_id"`
	Agency        link.PartnerID  `json:"agency_network_id,omitempty"`
	CustomParams  []Param         `json:"custom_params"`
	IsActive      bool            `json:"is_active"`
	Name          string          `json:"name"`
	ChannelType   string          `json:"channel_type,omitempty"`
	ClickURL      string          `json:"click_url"`
	ImpressionURL string          `json:"impression_url"`
	AppGroupName  string          `json:"app_group_name"`
	NetworkName   string          `json:"network_name"`
	AccountName   string          `json:"account_name"`
	Default       catchAllShape   `json:"default"`
	Apps          []appShape      `json:"routes_by_app"`
	Created       int64           `json:"created_dttm"`
	Updated       int64           `json:"last_updated_dttm"`
	*tallies                      // nil: absent
	Editable      bool            `json:"editable"`
}

// tallies are what was counted of a link or a part of it.
type tallies struct {
	Clicks   int64 `json:"click_count"`
	Installs int64 `json:"install_count"`
}

func (t *tallies) add(other *tallies) {
	t.Clicks += other.Clicks
	t.Installs += other.Installs
}

type catchAllShape struct {
	ID          TrackerID  `json:"id"`
	Name        string     `json:"name"`
	App         link.AppID `json:"app_id"`
	Destination string     `json:"destination_url"`
	GUID        string     `json:"app_guid"`
	Legacy      string     `json:"legacy_tracker_id"`
	Campaign    int64      `json:"campaign_id"`
	AppName     string     `json:"app_name"`
	AppPlatform string     `json:"app_platform"`
	*tallies
}

type appShape struct {
	App      link.AppID   `json:"app_id"`
	GUID     string       `json:"app_guid"`
	Name     string       `json:"app_name"`
	Platform string       `json:"app_platform"`
	Events   []string     `json:"events"`
	Routes   []routeShape `json:"routes"`
}

type routeShape struct {
	ID           TrackerID `json:"id"`
	Name         string    `json:"name"`
	Destination  string    `json:"destination_url"`
	Reengagement string    `json:"reengagement_url,omitempty"`
	Legacy       string    `json:"legacy_tracker_id"`
	Campaign     int64     `json:"campaign_id"`
	*tallies
	Rules      map[string]json.RawMessage `json:"rules"`
	NativeLink string                     `json:"native_link,omitempty"`
	IsDefault  bool                       `json:"is_default"`
}

// shape returns a link as callers see it, without what only some calls show.
func (a *API) shape(c *call, l *link.Link, s *Stored) linkShape {
	d, n := a.Rules.Directory(), l.Listing
	shape := linkShape{
		ID: l.ID, GUID: l.Code, Subdomain: s.Subdomain, AppGroup: n.AppGroup, Campaign: n.Campaign, CampaignName: n.CampaignName,
		Pricing: s.Pricing, Price: s.Price, Path: s.Path, Network: NoNetwork, NetworkName: NoNetworkName, Agency: n.Agency,
		CustomParams: append([]Param{}, s.CustomParams...), IsActive: !n.Archived, Name: n.Name,
		Created: l.CreatedAt.Unix(), Updated: l.UpdatedAt.Unix(), Editable: a.mayWrite(c, n.AppGroup),
	}
	if shape.Price == "" {
		shape.Price = "0"
	}
	shape.ClickURL, shape.ImpressionURL = addresses(a.Rules.LinkURL(l), l.Code, s.CustomParams)
	if account := d.Account(l.Account); account != nil {
		shape.AccountName = account.Name
	}
	if p := d.Partner(l.Account, n.Partner); p != nil {
		shape.Network, shape.NetworkName = p.ID, p.Name
	}
	if g := d.Group(n.AppGroup); g != nil {
		shape.AppGroupName = g.Name
		shape.showTrackers(d, g, l, s)
	}
	return shape
}

// showTrackers fills in the catch-all and the routes.
func (shape *linkShape) showTrackers(d *link.Directory, g *link.Group, l *link.Link, s *Stored) {
	apps := map[link.AppID]int{} // where in shape.Apps
	for i := range s.Apps {
		app := appOf(d, s.Apps[i].App)
		apps[app.ID] = i
		shape.Apps = append(shape.Apps, appShape{
			App: app.ID, GUID: GUID(app), Name: app.Name, Platform: PlatformCode(app.Platform),
			Events: append([]string{}, s.Apps[i].Events...),
		})
	}
	for _, t := range s.Trackers() {
		id, app := TrackerOf(l.ID, t.Tracker), appOf(d, t.App)
		campaign := CampaignOf(l.Listing.Campaign, g, app.ID)
		if t.Route == nil {
			shape.Default = catchAllShape{
				ID: id, Name: s.Default.Name, App: app.ID, Destination: s.Default.Destination, GUID: GUID(app),
				Legacy: id.Legacy(), Campaign: campaign, AppName: app.Name, AppPlatform: PlatformCode(app.Platform),
			}
			continue
		}
		r, of := t.Route, &shape.Apps[apps[app.ID]]
		of.Routes = append(of.Routes, routeShape{
			ID: id, Name: r.Name, Destination: r.Destination, Reengagement: r.Reengagement, Legacy: id.Legacy(), Campaign: campaign,
			Rules: r.shownRules(), NativeLink: r.NativeLink, IsDefault: true,
		})
	}
}

// appOf returns the app, or one with its number alone where the set-up has lost it.
func appOf(d *link.Directory, id link.AppID) *link.App {
	if app := d.App(id); app != nil {
		return app
	}
	return &link.App{ID: id}
}

func (r *Route) shownRules() map[string]json.RawMessage {
	platforms, err := json.Marshal(r.Platforms)
	if err != nil {
		panic("smartlinks: words have no JSON form: " + err.Error())
	}
	shown := map[string]json.RawMessage{"platform_in": platforms}
	for name, raw := range r.Rules {
		shown[name] = raw
	}
	return shown
}

// addresses returns a link's click and impression URLs from its own address.
func addresses(address, code string, params []Param) (click, impression string) {
	if address == "" { // its host is gone
		return "", ""
	}
	query := queryOf(params)
	return address + query, strings.TrimSuffix(address, code) + "imp/" + code + query
}

// queryOf returns the query of a link's own URLs with its mark; empty for none.
func queryOf(params []Param) string {
	var query strings.Builder
	for i, p := range params {
		separator := "&"
		if i == 0 {
			separator = "?"
		}
		query.WriteString(separator + escaped(p.Key) + "=" + escaped(p.Value))
	}
	return query.String()
}

// escaped leaves braces alone: partners look for their {macros} in the URL.
func escaped(text string) string {
	return strings.NewReplacer("%7B", "{", "%7D", "}").Replace(url.QueryEscape(text))
}

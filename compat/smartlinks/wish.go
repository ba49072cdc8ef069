package smartlinks

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"waypost/internal/fault"
)

// Bounds of a link's lists. The vendor documents none.
const (
	maxParams     = 50
	maxParamKey   = 64
	maxParamValue = 1024
	maxQuery      = 4 << 10 // bytes of all parameters in the link's URL: a click's may have 8 KiB, and partners add their own
	maxEvents     = 100
	maxRules      = 4 << 10 // bytes of the rules of a route that mean nothing
)

// wish is what a create or a change of a link asks for. Nil is absent; what a
// wish holds has been judged by itself, not yet beside the group's apps or the
// stored link.
type wish struct {
	group, network, agency *int64
	noAgency               bool // agency_network_id is null
	campaign               *int64
	campaignName           *string
	pricing                *string
	price                  *json.Number
	params                 []Param
	paramsGiven            bool
	name, channel          *string
	subdomain              *string
	path                   *string // judged where it means something: in native links
	catchAll               *catchAllWish
	apps                   []appWish
	appsGiven              bool
}

type catchAllWish struct {
	id, app     *int64
	destination *string
}

type appWish struct {
	at          string // its place in the body, for messages
	app         *int64
	events      []string
	eventsGiven bool
	routes      []routeWish
	routesGiven bool
}

type routeWish struct {
	at                              string
	id                              *int64
	name, destination, reengagement *string
	native                          *string
	platforms                       []string // of platform_in
	rules                           map[string]json.RawMessage
}

// parseWish reads a body: the fields of a link by themselves, or as a reply has
// them, under data.
func parseWish(o object) (w *wish, err error) {
	if inner, given, err := o.object("data"); err == nil && given {
		o = object{fields: inner.fields}
	}
	w = &wish{noAgency: o.isNull("agency_network_id")}
	for _, number := range []struct {
		field string
		into  **int64
	}{{"app_group_id", &w.group}, {"network_id", &w.network}, {"agency_network_id", &w.agency}, {"app_group_campaign_id", &w.campaign}} {
		if *number.into, err = o.id(number.field); err != nil {
			return nil, err
		}
	}
	for _, text := range []struct {
		field string
		into  **string
	}{{"name", &w.name}, {"channel_type", &w.channel}, {"subdomain", &w.subdomain}, {"app_group_campaign_name", &w.campaignName}} {
		if *text.into, err = o.text(text.field, maxName); err != nil {
			return nil, err
		}
	}
	if w.path, err = o.text("path", maxURL); err != nil {
		return nil, err
	}
	if err := w.readPrice(o); err != nil {
		return nil, err
	}
	if err := w.readParams(o); err != nil {
		return nil, err
	}
	if err := w.readCatchAll(o); err != nil {
		return nil, err
	}
	return w, w.readApps(o)
}

// readPrice reads model and amount. The page's table of a create swaps the two
// names; which is meant is told by what they hold.
func (w *wish) readPrice(o object) error {
	model, err := o.text("network_pricing", maxName)
	if err != nil {
		return err
	}
	amount, err := o.text("network_price", maxName)
	if err != nil {
		return badPrice()
	}
	if amount != nil && isModel(*amount) && (model == nil || !isModel(*model)) {
		model, amount = amount, model
	}
	if model != nil {
		lower := strings.ToLower(*model)
		if lower != "" && !isModel(lower) {
			return fault.Bad("network_pricing", fault.Unknown, "must be one of cpc, cpi, cpm, cpa")
		}
		w.pricing = &lower
	}
	if amount == nil {
		return nil
	}
	price, ok := parsePrice(*amount)
	if !ok {
		return badPrice()
	}
	w.price = &price
	return nil
}

func badPrice() error {
	return fault.Bad("network_price", fault.Malformed, "must be a number that is not negative, such as 0.99")
}

func isModel(text string) bool {
	switch strings.ToLower(text) {
	case "cpc", "cpi", "cpm", "cpa":
		return true
	}
	return false
}

// maxPrice bounds an amount in digits, so that sums of prices stay exact.
const maxPrice = 24

// parsePrice reads an amount as it stands in JSON; none is zero.
func parsePrice(text string) (json.Number, bool) {
	if text == "" {
		return "", true
	}
	if text[0] == '.' {
		text = "0" + text
	}
	amount, err := strconv.ParseFloat(text, 64)
	ok := err == nil && text[0] >= '0' && text[0] <= '9' && len(text) <= maxPrice && json.Valid([]byte(text)) && !math.IsInf(amount, 0)
	return json.Number(text), ok
}

func (w *wish) readParams(o object) error {
	params, given, err := o.objects("custom_params")
	if err != nil {
		return err
	}
	if len(params) > maxParams {
		return fault.Bad("custom_params", fault.TooLong, "must not have more than %d elements", maxParams)
	}
	w.paramsGiven = given
	for _, p := range params {
		key, err := p.text("key", maxParamKey)
		if err != nil {
			return err
		}
		if key == nil || *key == "" {
			return fault.Bad(p.name("key"), fault.Missing, "is required")
		}
		value, err := p.exact("value", maxParamValue)
		if err != nil {
			return err
		}
		w.params = append(w.params, Param{*key, value})
	}
	if n := len(queryOf(w.params)); n > maxQuery {
		return fault.Bad("custom_params", fault.TooLong, "must not make more than %d bytes of the link's URL; these make %d", maxQuery, n)
	}
	return nil
}

func (w *wish) readCatchAll(o object) error {
	inner, given, err := o.object("default")
	if err != nil || !given {
		return err
	}
	w.catchAll = &catchAllWish{}
	if w.catchAll.id, err = inner.id("id"); err != nil {
		return err
	}
	if w.catchAll.app, err = inner.id("app_id"); err != nil {
		return err
	}
	w.catchAll.destination, err = inner.target("destination_url", checkDestination)
	return err
}

func (w *wish) readApps(o object) error {
	apps, given, err := o.objects("routes_by_app")
	if err != nil {
		return err
	}
	w.appsGiven = given
	for _, inner := range apps {
		app := appWish{at: inner.at}
		if app.app, err = inner.id("app_id"); err != nil {
			return err
		}
		if app.events, app.eventsGiven, err = inner.texts("events", maxName); err != nil {
			return err
		}
		if len(app.events) > maxEvents {
			return fault.Bad(inner.name("events"), fault.TooLong, "must not have more than %d elements", maxEvents)
		}
		routes, given, err := inner.objects("routes")
		if err != nil {
			return err
		}
		app.routesGiven = given
		for _, r := range routes {
			route, err := readRoute(r)
			if err != nil {
				return err
			}
			app.routes = append(app.routes, route)
		}
		w.apps = append(w.apps, app)
	}
	return nil
}

func readRoute(o object) (r routeWish, err error) {
	r.at = o.at
	if r.id, err = o.id("id"); err != nil {
		return r, err
	}
	if r.name, err = o.text("name", maxName); err != nil {
		return r, err
	}
	if r.destination, err = o.target("destination_url", checkDestination); err != nil {
		return r, err
	}
	field := "reengagement_url"
	if o.raw(field) == nil { // the page's tables lack two of its letters
		field = "reenagement_url"
	}
	if r.reengagement, err = o.target(field, checkDeepLink); err != nil {
		return r, err
	}
	if r.native, err = o.text("native_link", maxName); err != nil {
		return r, err
	}
	rules, given, err := o.object("rules")
	if err != nil || !given {
		return r, err
	}
	return r, r.readRules(rules)
}

func (r *routeWish) readRules(rules object) (err error) {
	if r.platforms, _, err = rules.texts("platform_in", maxName); err != nil {
		return err
	}
	for i, word := range r.platforms {
		if _, ok := Routable(word); !ok {
			return fault.Bad(rules.name(fmt.Sprintf("platform_in[%d]", i)), fault.Unknown, "must be one of %s", routableNames())
		}
	}
	size := 0
	for name, raw := range rules.fields {
		if name == "platform_in" {
			continue
		}
		if r.rules == nil {
			r.rules = map[string]json.RawMessage{}
		}
		r.rules[name] = raw
		size += len(name) + len(raw)
	}
	if size > maxRules {
		return fault.Bad(strings.TrimSuffix(rules.at, "."), fault.TooLong, "must not be longer than %d bytes", maxRules)
	}
	return nil
}

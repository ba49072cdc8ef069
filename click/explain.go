package click

import (
	"context"
	"net/url"

	"github.com/valyala/fasthttp"

	"waypost/event"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

// Explain decides as a click would and writes nothing down. The URL is one
// that visitors click; its scheme and port do not matter.
func (d *Door) Explain(_ context.Context, rawURL string) (route.LinkExplanation, error) {
	if len(rawURL) > maxURL {
		return route.LinkExplanation{}, fault.Bad("url", fault.TooLong, "at most %d bytes are read", maxURL)
	}
	v := request{at: d.cfg.Now().UnixMilli(), directory: d.cfg.Directory()}
	known := v.aimAt(rawURL)
	if _, err := url.Parse("//" + string(v.host)); err != nil || len(v.host) == 0 {
		return route.LinkExplanation{}, fault.Bad("url", fault.Malformed, "%q is not a URL such as https://links.example.com/A1b3/promo", rawURL)
	}
	if !known {
		return route.LinkExplanation{}, fault.New(fault.NotFound, "no link host %q is configured", v.host)
	}
	e := route.LinkExplanation{URL: rawURL, State: "live"}
	var refusal *refusal
	if t, code := v.template(); t != nil {
		d.explainTemplate(&v, t, code, &e)
	} else if refusal = d.explainPlace(&v, &e); refusal != nil {
		return route.LinkExplanation{}, fault.New(fault.NotFound, "a click would be answered %d: %s", refusal.status, refusal.message)
	}
	return e, nil
}

func (d *Door) explainTemplate(v *request, t *link.TemplateView, code []byte, e *route.LinkExplanation) {
	c, state, _ := d.resolve(t, v.path, code, v.at)
	dialect := d.cfg.Dialects[c.dialect]
	e.Account, e.AppGroup, e.Template, e.Link, e.Dialect = t.Account, t.AppGroup, t.ID, c.id, d.names[c.dialect]
	if state != event.Live {
		e.State = string(state)
	}
	e.Visitors, e.Ignored = route.Explain(d.rules(t, c.stored(dialect), dialect, string(v.query)))
}

func (d *Door) explainPlace(v *request, e *route.LinkExplanation) *refusal {
	a, refusal := d.spot(v, string(v.appendKey(nil)))
	if refusal != nil {
		return refusal
	}
	if a.place.Lookup != "" {
		return refuseQuestion
	}
	at, refusal := d.linkAt(&a.place, v)
	if refusal != nil {
		return refusal
	}
	rules, refusal := d.placeRules(v, a, at)
	if refusal != nil {
		return refusal
	}
	l := at.counted()
	e.Account, e.Link, e.Dialect, e.View = l.Account, l.ID, d.names[d.dialect(l.Dialect)], a.place.View
	if l.Listing != nil {
		e.AppGroup = l.Listing.AppGroup
	}
	if l.Archived() {
		e.State = "archived"
	}
	e.Visitors, e.Ignored = route.Explain(rules)
	return nil
}

// refuseQuestion is for explanations alone.
var refuseQuestion = &refusal{fasthttp.StatusOK, "apps ask here where a link leads; explain the link"}

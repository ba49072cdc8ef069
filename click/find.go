package click

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"time"

	"waypost/event"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

// target is what a clicked address means: whose link is clicked, and what is
// to happen.
type target struct {
	account  *link.Account
	dialect  uint8           // place among the door's
	template link.TemplateID // empty for links that own a path of a host
	code     string
	link     link.LinkID // zero unless live
	state    event.State
	plan     *route.Plan
	silent   bool         // an archived link sends people on and leaves no event
	place    *route.Place // of links that own a path of a host, else nil
}

// find resolves the request's path and query to what is to happen. What a
// template's id stands in front of is the template's.
func (d *Door) find(v *request) (target, *refusal) {
	t, code := v.template()
	if t == nil || v.posted {
		return d.findPlace(v)
	}
	c, state, named := d.resolve(t, v.path, code, v.at)
	found := target{account: t.Owner, dialect: c.dialect, template: t.ID, code: text(named), link: c.id, state: state, plan: &c.plan}
	if len(v.query) > 0 && !c.plan.Fixed() {
		dialect := d.cfg.Dialects[c.dialect]
		found.plan = route.Compile(d.rules(t, c.stored(dialect), dialect, text(v.query)))
	}
	return found, nil
}

// template splits the path into the host's template, or nil, and a link's code.
func (v *request) template() (*link.TemplateView, []byte) {
	id, code, _ := bytes.Cut(v.path, []byte("/"))
	return v.site.Templates[link.TemplateID(text(id))], code
}

// dialect returns the place of a dialect's name, that of the first one for
// names that are not configured.
func (d *Door) dialect(name link.Dialect) uint8 {
	for i, dialect := range d.cfg.Dialects {
		if dialect.Name() == name {
			return uint8(i)
		}
	}
	return 0
}

// resolve returns what is in memory for a path, the state of the link that it
// names, and the link's code. Where no live link is named, that is the
// template alone.
func (d *Door) resolve(t *link.TemplateView, path, code []byte, now int64) (*cachedLink, event.State, []byte) {
	if len(code) > 0 && !link.ValidCode(text(code)) {
		return d.lookUp(t, []byte(t.ID), nil, now), event.Gone, nil
	}
	c := d.lookUp(t, path, code, now)
	if c.expired(now) && now-c.loadedAt > recheckExpired {
		// A renewal that was told while the link was being read is not in memory.
		d.links.forget(link.Path(path))
		c = d.lookUp(t, path, code, now)
	}
	if c.expired(now) {
		return d.lookUp(t, []byte(t.ID), nil, now), event.Expired, code
	}
	return c, c.state, code
}

// lookUp returns the cached link, reading the store when it is not in memory
// or when the template has changed since.
func (d *Door) lookUp(t *link.TemplateView, path, code []byte, now int64) *cachedLink {
	c, ok := d.links.get(text(path))
	if ok && c.template == t && !c.due(now, d.links.maxAge) {
		return c
	}
	// The path outlives the request from here on.
	return d.load(t, link.Path(path), string(code), now)
}

// load reads a link and compiles it. Of several visitors who miss the same
// link one asks the store. Paths without a link share the template's plan, so
// that somebody who tries codes does not fill the memory with copies of it.
func (d *Door) load(t *link.TemplateView, path link.Path, code string, now int64) *cachedLink {
	var base *cachedLink
	if code != "" {
		base = d.lookUp(t, []byte(t.ID), nil, now)
	}
	return d.links.load(path, t, now, func() *cachedLink {
		c := &cachedLink{template: t, path: path, loadedAt: now, state: event.Live}
		if base == nil {
			c.plan = *route.Compile(d.rules(t, nil, d.cfg.Dialects[0], ""))
		} else if l := d.readLink(c, path, code); l == nil {
			c.plan = base.plan
		} else {
			c.plan = *route.Compile(d.rules(t, l, d.cfg.Dialects[c.dialect], ""))
			c.pack()
		}
		return c
	})
}

// readLink reads a short link into c and returns it, or nil and the state that says why not.
func (d *Door) readLink(c *cachedLink, path link.Path, code string) *link.Link {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	l, err := d.cfg.Links.ReadLink(ctx, path)
	switch {
	case err == nil:
		c.keep(&l)
		c.dialect = d.dialect(l.Dialect)
		return &l
	case fault.Is(err, fault.NotFound):
		c.state = event.Gone
	default:
		// The person still goes where the template says; the entry is asked
		// for again at the next click.
		d.counters.StoreErrors.Add(1)
		d.alarm.raise(d.cfg.Logger, "cannot read a link; its template decides instead", err)
		c.state, c.loadedAt = event.Unread, 0
	}
	return nil
}

// rules asks the dialect what a link, or without one the template, does. Rules
// that cannot be made fall back to the template's.
func (d *Door) rules(t *link.TemplateView, l *link.Link, dialect Dialect, rawQuery string) *route.Rules {
	c := route.Clicked{
		Directory: d.cfg.Directory(), Template: t, Link: l, Query: parseQuery(rawQuery), Allow: d.allowFor(t.Account),
	}
	if l != nil {
		c.Code = l.Code
	}
	rules, err := dialect.Rules(&c)
	if err == nil {
		return rules
	}
	d.counters.RuleErrors.Add(1)
	d.alarm.raise(d.cfg.Logger, "cannot read what a link does; its template decides instead", err)
	c.Link, c.Code, c.Query = nil, "", nil
	if rules, err = dialect.Rules(&c); err != nil {
		return &route.Rules{}
	}
	return rules
}

// allowFor says which hosts a clicked URL may send the account's visitors to:
// those of its set-up and those that its stored links use. It is for one click:
// all its questions together may keep a person waiting for storeTimeout.
func (d *Door) allowFor(account link.AccountID) func(string) bool {
	var deadline time.Time
	return func(host string) bool {
		host = strings.ToLower(host)
		if d.cfg.Directory().UsesHost(account, host) {
			return true
		}
		if deadline.IsZero() {
			deadline = time.Now().Add(storeTimeout)
		}
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		known, err := d.cfg.Links.KnowsTargetHost(ctx, account, host)
		if err != nil {
			d.counters.StoreErrors.Add(1)
			d.alarm.raise(d.cfg.Logger, "cannot tell whether a target host is known; it is refused", err)
		}
		return known
	}
}

// parseQuery decodes a query in order. What is not decodable stays as it was
// sent: a click is never refused for its parameters.
func parseQuery(raw string) []link.Param {
	var params []link.Param
	for raw != "" && len(params) < maxParams {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		params = append(params, link.Param{Name: decode(name), Value: decode(value)})
	}
	return params
}

func decode(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		plain = s
	}
	return strings.ToValidUTF8(strings.Clone(plain), "\ufffd")
}

// recheckExpired is how often, in milliseconds, an expired link is read again
// while it is clicked.
const recheckExpired = 1000

// due reports whether the entry should be read again although nobody has said
// that it changed.
func (c *cachedLink) due(now, maxAge int64) bool {
	return now-c.loadedAt > maxAge
}

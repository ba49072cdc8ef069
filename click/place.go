package click

import (
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

// located is the link at a place. Equal ones mean equal links.
type located struct {
	link *ownedLink // nil: none that lives
	base *ownedLink // the one that it stands for, or nil
}

// counted is the link that the click is counted for: an alias stands for
// another one, which is what people measure.
func (l located) counted() *link.Link {
	if l.base != nil {
		return l.base.link
	}
	return l.link.link
}

// findPlace resolves an address to a link that owns a path of a host. A path
// that was clicked before costs two looks into memory.
func (d *Door) findPlace(v *request) (target, *refusal) {
	buf := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buf)
	*buf = v.appendKey((*buf)[:0])
	a, refusal := d.spot(v, text(*buf))
	if refusal != nil {
		return target{}, refusal
	}
	if a.place.Lookup != "" {
		return target{dialect: a.locator, place: &a.place}, nil
	}
	if v.posted && (a.place.Path != "" || a.place.Link != 0) {
		return target{}, refuseMethod
	}
	at, refusal := d.linkAt(&a.place, v)
	if refusal != nil {
		return target{}, refusal
	}
	l := at.counted()
	found := target{
		account: v.directory.Account(l.Account), dialect: d.dialect(l.Dialect), code: at.link.link.Code,
		link: l.ID, silent: l.Archived(), plan: a.plan, place: &a.place,
	}
	if a.plan == nil || a.at != at || len(v.query) > 0 && !a.plan.Fixed() {
		rules, refusal := d.placeRules(v, a, at)
		if refusal != nil {
			return target{}, refusal
		}
		found.plan = route.Compile(rules)
		if len(v.query) == 0 || found.plan.Fixed() {
			kept := *a
			kept.at, kept.plan = at, found.plan
			d.owners.remember(*buf, &kept)
		}
	}
	return found, nil
}

// appendKey appends what the request's path is known by among the spots.
func (v *request) appendKey(dst []byte) []byte {
	return append(append(append(dst, v.host...), '/'), v.path...)
}

// spot returns what the request's path leads to, as far as that is known
// without the store.
func (d *Door) spot(v *request, key string) (*spot, *refusal) {
	known, ok := d.owners.spots.GetIfPresent(key)
	if ok && known.fits(v) {
		return known, nil
	}
	a, refusal := d.locate(v)
	if refusal != nil {
		return nil, refusal
	}
	if ok && known.directory == a.directory && known.place == a.place {
		return known, nil
	}
	return a, nil
}

// locate asks the dialects for the place that the request's address is.
func (d *Door) locate(v *request) (*spot, *refusal) {
	if len(v.path) > 0 && !link.ReservedPath(text(v.path)) {
		r := route.Request{Site: v.site, Path: string(v.path), Query: string(v.query), Body: string(v.body)}
		for i, dialect := range d.cfg.Dialects {
			locator, ok := dialect.(Locator)
			if !ok {
				continue
			}
			if place, ok := locator.Locate(&r); ok {
				return &spot{directory: v.directory, place: place, bare: r.Query == "", locator: uint8(i)}, nil
			}
		}
	}
	switch {
	case v.posted:
		return nil, refuseMethod
	case len(v.site.Templates) > 0:
		return nil, refuseTemplate
	}
	return nil, refuseLink
}

// linkAt returns the link at a place: the one that lives there, with the one
// that it stands for, or else the place's base.
func (d *Door) linkAt(p *route.Place, v *request) (located, *refusal) {
	path := p.Path
	if p.Link != 0 {
		var ok bool
		if path, ok = d.pathOf(p.Link, v.at); !ok {
			return located{}, refuseStore
		}
	}
	unread := false
	living := func(path link.Path) *ownedLink {
		if path == "" {
			return nil
		}
		o := d.owned(path, v.at)
		unread = unread || o.unread
		if !o.lives(v.at) || !v.mayServe(o.link) {
			return nil
		}
		return o
	}
	at := located{link: living(path)}
	if at.link != nil && p.Link != 0 && at.link.link.ID != p.Link {
		at.link = nil // it was deleted, and another one lives where it did
	}
	if at.link != nil && at.link.link.Base != "" {
		if at.base = living(at.link.link.Base); at.base == nil {
			at.link = nil
		}
	}
	if at.link == nil {
		at.link = living(p.Base)
	}
	// An alias of an alias leads nowhere: nothing makes one.
	if at.link == nil || at.base == nil && at.link.link.Base != "" || at.base != nil && at.base.link.Base != "" {
		if unread {
			return located{}, refuseStore
		}
		return located{}, refuseLink
	}
	return at, nil
}

// mayServe reports whether the request's host may answer for the link: an
// account's host for the account's links, a shared one for those of all.
func (v *request) mayServe(l *link.Link) bool {
	return v.directory.Account(l.Account) != nil && (v.site.Shared() || v.site.Account == l.Account)
}

// placeRules asks the dialect what the link at a place does. Rules that cannot
// be made for the URL's parameters are made without them.
func (d *Door) placeRules(v *request, a *spot, at located) (*route.Rules, *refusal) {
	l := at.link.link
	c := route.Clicked{
		Directory: v.directory, Site: v.site, Link: l, Code: l.Code, Place: a.place, Query: parseQuery(text(v.query)), Allow: d.allowFor(l.Account),
	}
	c.Place.View = false
	if at.base != nil {
		c.Base = at.base.link
	}
	dialect := d.cfg.Dialects[d.dialect(at.counted().Dialect)]
	rules, err := dialect.Rules(&c)
	if err == nil {
		return rules, nil
	}
	if fault.Is(err, fault.NotFound) {
		return nil, refuseLink
	}
	d.counters.RuleErrors.Add(1)
	d.alarm.raise(d.cfg.Logger, "cannot read what a link does; it is tried without the parameters of the clicked URL", err)
	c.Query = nil
	if rules, err = dialect.Rules(&c); err != nil {
		return &route.Rules{Name: l.Code}, nil
	}
	return rules, nil
}

package singular

import (
	"net/http"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
)

// find returns the one link that the path's id names.
func (a *API) find(c *call) (link.Link, error) {
	if !link.ValidCode(c.id) {
		return link.Link{}, noLink()
	}
	found, err := a.Rules.ListedLinks(c.Context(), c.actor, link.Filter{Dialect: link.Singular, Codes: []string{strings.ToLower(c.id)}})
	switch {
	case err != nil:
		return link.Link{}, err
	case len(found) == 0:
		return link.Link{}, noLink()
	case len(found) > 1: // ids are unique in an account only
		return link.Link{}, fault.New(fault.Invalid, "tracking_link_id %s exists in several accounts; use a key of one of them", c.id)
	}
	return found[0], nil
}

// changeLink is ours: the vendor's API changes no links. What the body does not
// name stays, what it names as null or empty goes back to its default.
func (a *API) changeLink(c *call) (reply.Reply, error) {
	members, err := readBody(c.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	found, err := a.find(c)
	if err != nil {
		return reply.Reply{}, err
	}
	var d *draft
	l, err := a.Rules.ChangeListed(c.Context(), c.actor, link.Singular, found.ID, func(l *link.Link) error {
		d, err = a.changed(c, l, members)
		if err != nil {
			return err
		}
		l.Data, l.TargetHosts, l.Listing = d.data, targetHosts(&d.stored), &d.listing
		return nil
	})
	if err != nil {
		return reply.Reply{}, vanished(err)
	}
	return a.written(&l, d), nil
}

// changed returns the link as the body would have it.
func (a *API) changed(c *call, l *link.Link, members []member) (*draft, error) {
	before, err := Read(l.Data)
	if err != nil {
		return nil, err
	}
	f := newForm("")
	f.fill(before.members(l))
	f.clear(members)
	f.fill(members)
	w, err := f.wish()
	if err != nil {
		return nil, err
	}
	if err := fixed(w, l, &before); err != nil {
		return nil, err
	}
	d, err := a.draft(c, w)
	if err != nil {
		return nil, err
	}
	d.stored.Short = before.Short
	if d.data, err = d.stored.Data(); err != nil {
		return nil, err
	}
	listing := *l.Listing // keeps what other doors know of it
	listing.Name, listing.Identity = d.listing.Name, d.listing.Identity
	d.listing = listing
	return d, nil
}

// fixed refuses a change of what a link's address or its reports rest on.
func fixed(w *wish, l *link.Link, before *Stored) error {
	const why = "it cannot be changed; make another link"
	switch {
	case w.app != l.Listing.AppGroup:
		return invalid(paramApp, why)
	case w.linkType != before.LinkType:
		return invalid(paramType, why)
	case w.partner != l.Listing.Partner:
		return invalid(paramPartner, why)
	case w.source != before.SourceName:
		return invalid(paramSource, why)
	case w.subdomain != before.LinkSubdomain:
		return invalid(paramSubdomain, why)
	case w.zone != before.Zone:
		return invalid(paramZone, why)
	}
	return nil
}

// deleteLink is ours, too.
func (a *API) deleteLink(c *call) (reply.Reply, error) {
	l, err := a.find(c)
	if err != nil {
		return reply.Reply{}, err
	}
	if err := a.Rules.RemoveLink(c.Context(), c.actor, link.Singular, l.ID); err != nil {
		return reply.Reply{}, vanished(err)
	}
	return reply.Empty(http.StatusNoContent), nil
}

// vanished tells of a link that went away meanwhile as of one that never was.
func vanished(err error) error {
	if fault.Is(err, fault.NotFound) {
		return noLink()
	}
	return err
}

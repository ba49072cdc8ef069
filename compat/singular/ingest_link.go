package singular

import (
	"context"
	"net/url"
	"strings"
	"time"

	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

// openedLink is a link of ours that opened an app past its host.
type openedLink struct {
	clicked *route.Clicked
	base    *link.Link // that is measured
	query   string     // of the clicked URL, raw
}

// opened returns the link that openuri is, or nil: apps are opened by much
// else. Where the store does not answer, the session has to be told again.
func (t *telling) opened() (*openedLink, error) {
	u, err := url.Parse(t.said[paramOpened])
	if err != nil || !isWeb(t.said[paramOpened]) {
		return nil, nil
	}
	d := t.Directory()
	site := d.Site(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")))
	if site == nil || site.Owner == nil || site.Owner.ID != t.account.ID {
		return nil, nil
	}
	place, ok := Clicks{}.Locate(&route.Request{Site: site, Path: strings.Trim(u.Path, "/"), Query: u.RawQuery})
	if !ok || place.View {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(t.request.Context(), linkTimeout)
	defer cancel()
	c := &route.Clicked{Directory: d, Site: site, Place: place, Query: readQuery(u.RawQuery), Allow: t.allow(ctx, d)}
	if c.Link, err = t.readLink(ctx, place.Path); err != nil {
		return nil, err
	}
	if c.Link != nil && c.Link.Base != "" {
		if c.Base, err = t.readLink(ctx, c.Link.Base); err != nil {
			return nil, err
		}
	}
	if c.Base == nil && place.Base != "" { // its time is over: what it stood for goes on
		if c.Link, err = t.readLink(ctx, place.Base); err != nil {
			return nil, err
		}
	}
	if c.Link == nil {
		return nil, nil
	}
	c.Code = c.Link.Code
	o := &openedLink{clicked: c, base: c.Base, query: u.RawQuery}
	if o.base == nil {
		o.base = c.Link
	}
	return o, nil
}

// linkTimeout bounds how long a session waits for the store to name its link.
const linkTimeout = 2 * time.Second

// readLink returns the account's live link at a path, or nil.
func (t *telling) readLink(ctx context.Context, path link.Path) (*link.Link, error) {
	l, err := t.Links.ReadLink(ctx, path)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, nil
	case err != nil:
		return nil, (&fault.Error{Kind: fault.Unavailable, RetryAfter: linkTimeout}).Because(err)
	case l.Account != t.account.ID || l.Dialect != link.Singular || l.Expired(t.Now()):
		return nil, nil
	}
	return &l, nil
}

// allow says which hosts a link's parameters may name.
func (t *telling) allow(ctx context.Context, d *link.Directory) func(string) bool {
	return func(host string) bool {
		host = strings.ToLower(host)
		if d.UsesHost(t.account.ID, host) {
			return true
		}
		known, err := t.Links.KnowsTargetHost(ctx, t.account.ID, host)
		return err == nil && known
	}
}

// open takes the click that no host has seen, names it in the report, and
// returns the link's long form for apps that ask for it.
func (t *telling) open(o *openedLink, r *ingest.Report) (resolved string, err error) {
	k, err := open(o.clicked)
	if fault.Is(err, fault.NotFound) {
		return "", nil // another link's short form
	}
	if err != nil {
		return "", t.Intake.Refuse(err)
	}
	if !o.base.Archived() && ingest.ClickInURL(r.OpenedURL) == "" {
		receipt, err := t.Intake.Engage(t.request.Context(), ingest.Engagement{
			Dialect: link.Singular, App: r.App, Sender: paramOpened, Key: r.Key, Query: o.query, Device: r.Device, Language: r.Device.Locale,
			Opened: &ingest.Opened{Link: o.base.ID, Code: o.clicked.Code, Host: o.clicked.Site.Host, Stored: k.standsFor},
		})
		if err != nil {
			return "", err
		}
		r.OpenedURL = withParam(r.OpenedURL, queryClickID, receipt.ID.String())
	}
	if !t.said.is("singular_link_resolve_required") {
		return "", nil
	}
	_, path, _ := o.base.Path.SplitHost()
	if resolved, err = Resolve(o.clicked, o.clicked.Site.BaseURL+"/"+string(k.stored.Letter())+path, t.platform); err != nil {
		return "", t.Intake.Refuse(err)
	}
	return resolved, nil
}

// withParam appends a parameter to the query of an address.
func withParam(address, name, value string) string {
	front, fragment, hasFragment := strings.Cut(address, "#")
	mark := "?"
	if strings.Contains(front, "?") {
		mark = "&"
	}
	front += mark + name + "=" + escape(value)
	if hasFragment {
		front += "#" + fragment
	}
	return front
}

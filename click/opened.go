package click

import (
	"net/url"
	"strings"

	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/route"
)

// Opened is what a click at an address would have been, had the address not
// opened the app by itself, past its host.
type Opened struct {
	Account  link.AccountID
	Dialect  link.Dialect
	Template link.TemplateID
	Link     link.LinkID // zero unless State is event.Live, and for long links
	Tracker  link.Tracker
	Code     string
	State    event.State
	Host     string
	Query    string // raw
	Stored   string // what the address stands for, see event.Click
	DeepLink string
}

// Opened finds the link at a web address that has opened an app on a platform;
// id is the click's. Not ok where nobody's link is there, or one that counts
// nothing. A store that does not answer is an Unavailable fault.
func (d *Door) Opened(address string, p device.Platform, id uid.Click) (o Opened, ok bool, err error) {
	if u, err := url.Parse(address); err != nil || !strings.EqualFold(u.Scheme, "https") && !strings.EqualFold(u.Scheme, "http") {
		return o, false, nil
	}
	v := request{directory: d.cfg.Directory(), device: &device.Device{Platform: p}, at: d.cfg.Now().UnixMilli(), id: id}
	if !v.aimAt(address) {
		return o, false, nil
	}
	t, refusal := d.find(&v)
	switch {
	case refusal == refuseStore, refusal == nil && t.state == event.Unread:
		return o, false, fault.New(fault.Unavailable, "links cannot be read just now")
	case refusal != nil, t.silent, t.place != nil && (t.place.Lookup != "" || t.place.View):
		return o, false, nil
	}
	dest := t.plan.Decide(v.device)
	if dest.Rule == route.NoRedirect { // a report of a server opens no app
		return o, false, nil
	}
	deepLink := dest.AppendDeepLink(nil, v.moment())
	if len(deepLink) > maxURL {
		deepLink = nil
	}
	return Opened{
		Account: t.account.ID, Dialect: d.names[t.dialect], Template: t.template, Link: t.link, Tracker: dest.Tracker, Code: strings.Clone(t.code),
		State: t.state, Host: strings.Clone(text(v.host)), Query: strings.Clone(text(v.query)), Stored: t.plan.Stored(), DeepLink: string(deepLink),
	}, true, nil
}

package postback

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
)

// view is a telling as one postback sees it: what the person does not permit
// is not there.
type view struct {
	postback   *link.Postback
	telling    *Telling
	kind, key  string
	decided    *history.Decided // the zero one where nothing was decided
	app        *link.App        // the zero one where the telling has none
	source     attribution.Source
	touch      *history.Touch // may be nil
	parameters url.Values     // of the clicked URL
	told       event.Told     // zero values where nothing was told, or may be
	consent    attribution.Consent
	forbidden  forbidden
}

func newView(p *link.Postback, t *Telling, kind string) *view {
	v := &view{postback: p, telling: t, kind: kind, key: t.key(p, kind), source: t.source(), touch: t.touch(), consent: t.consent()}
	v.decided, v.app = t.Decided, t.App
	if v.decided == nil {
		v.decided = &history.Decided{}
	}
	if p.Partner != 0 && oddMoney(v.decided) {
		d := *v.decided
		d.Amount, d.Currency = "", ""
		v.decided = &d
	}
	if v.app == nil {
		v.app = &link.App{}
	}
	if t.Told != nil {
		v.told = *t.Told
	} else if c := t.Click; c != nil {
		v.told = event.Told{Platform: c.Platform, OS: c.OS, Model: c.Model, Locale: c.Language, Country: c.Country, Agent: c.Agent}
		if c.IP != "" {
			v.told.IPs = []string{c.IP}
		}
	}
	v.forbidden = v.forbiddenOf()
	v.told.IDs = slices.DeleteFunc(slices.Clone(v.told.IDs), func(id event.DeviceID) bool { return !v.mayTell(id) })
	if v.consent.Refused() {
		v.told.IDs, v.told.IPs, v.told.Agent = nil, nil, ""
	}
	query := ""
	switch {
	case v.touch != nil:
		query = v.touch.Query
	case t.Click != nil:
		query = t.Click.Query
	}
	v.parameters, _ = url.ParseQuery(query) // what cannot be read is left out
	maps.DeleteFunc(v.parameters, func(name string, values []string) bool {
		return slices.ContainsFunc(values, func(value string) bool {
			return v.forbidden.parameter(url.QueryEscape(name) + "=" + url.QueryEscape(value))
		})
	})
	return v
}

// permits reports whether ids of the kind may be told: none where the person
// refused.
func (v *view) permits(k attribution.IDKind) bool {
	return !v.consent.Refused() && v.consent.Permits(k)
}

// oddMoney reports whether what was paid cannot be, or nobody knows of what. It
// is kept and flagged, and no partner is told that he earned it.
func oddMoney(d *history.Decided) bool {
	return slices.Contains(d.Flags, event.AmountFlag) || slices.Contains(d.Flags, event.CurrencyFlag)
}

// consent forbids what the person forbade with the report or at any other time.
func (t *Telling) consent() attribution.Consent {
	var c attribution.Consent
	if t.Installation != nil {
		c = t.Installation.Consent
	}
	if t.Told == nil || t.Told.Consent == nil {
		return c
	}
	said := t.Told.Consent
	if said.Tracking == string(attribution.No) {
		c.Tracking = attribution.No
	}
	if said.Measurement == string(attribution.No) {
		c.Measurement = attribution.No
	}
	if said.Advertising == string(attribution.No) {
		c.Advertising = attribution.No
	}
	c.LimitAds, c.Child = c.LimitAds || said.LimitAds == event.Yes, c.Child || said.Child == event.Yes
	return c
}

func (v *view) mayTell(id event.DeviceID) bool {
	known := readID(id)
	return known.State() == attribution.Usable && v.consent.Permits(known.Kind)
}

// deviceID is the id of the kind in the form, as it was sent.
func (v *view) deviceID(kind attribution.IDKind, form attribution.IDForm) string {
	for _, id := range v.told.IDs {
		same := attribution.IDForm(id.Form) == form || form == attribution.Raw && id.Form == ""
		if id.Kind == string(kind) && same {
			return strings.TrimSpace(id.Value)
		}
	}
	return ""
}

package onelink

import (
	"net/url"
	"slices"
	"strings"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
	"waypost/route"
)

// Touches says what a click or an impression on a OneLink is worth as a
// touchpoint. The zero value is ready.
type Touches struct{}

// Name returns OneLink.
func (Touches) Name() link.Dialect { return link.OneLink }

// Touch fills in what only OneLink knows: who is behind the click, the devices
// that it names, its windows, and the parameters that the app is told. The
// touch's Query becomes the link's parameters merged with those of the clicked
// URL, and where the click came from. What came through an expired or unknown short link is no app's touch: it
// earns nothing (OneLink, "links that expire"). The link is nil for long links.
func (Touches) Touch(t *history.Touch, c *event.Click, l *link.Link, d *link.Directory) {
	if c.State != event.Live {
		t.Apps = nil
		return
	}
	said, err := saidBy(c, l, d)
	if err != nil {
		// The click was decided by its template, so nobody can know whose it was.
		t.Apps = nil
		return
	}
	t.Query = said.encode()
	t.DeepLink = said.deepLink()
	said.name(&t.Source, c.Account, d)
	t.DeviceIDs = append(t.DeviceIDs, said.deviceIDs()...)
	said.windows(&t.Touchpoint)
	t.Retargeting = said.is(paramRetargeting, "true")
	t.Owned = t.Source.Partner == 0 && said.isOwned()
	if c.Route == string(route.NoRedirect) {
		said.standFor(t, d.Account(c.Account))
	}
}

// said are the parameters that hold for a click.
type said struct{ clicked }

// saidBy merges the link's parameters with the clicked URL's as the click did.
// Targets that the URL asks for count where the account's set-up knows them:
// the rest of them decided where the click went, and the app has no use for it.
func saidBy(c *event.Click, l *link.Link, d *link.Directory) (*said, error) {
	s := &said{clicked{link: l, template: d.Template(c.Template)}}
	if s.template == nil {
		s.template = &link.TemplateView{}
	}
	s.allow = func(host string) bool { return d.UsesHost(c.Account, strings.ToLower(host)) }
	if l != nil {
		stored, err := Params(l.Data)
		if err != nil {
			return nil, err
		}
		s.store(stored)
	}
	query := paramsIn(c.Query)
	if c.OfServer() {
		query = slices.DeleteFunc(query, func(p link.Param) bool { return p.Name == event.AppParam })
	}
	s.add(query)
	s.limit()
	if c.Referrer != "" {
		s.set(paramHTTPReferrer, c.Referrer)
	}
	return s, nil
}

// set adds what the click itself tells, whatever the URL says under its name.
func (s *said) set(name, value string) {
	s.params = slices.DeleteFunc(s.params, func(p param) bool { return p.Name == name })
	s.params = append(s.params, param{link.Param{Name: name, Value: value}, fromURL})
}

// maxQueryParams bounds what is read of one query, as the click door does.
const maxQueryParams = 256

// paramsIn decodes a raw query in order. What cannot be decoded stays as it
// was sent. Of a name that comes twice the last value stands, as on a click.
func paramsIn(raw string) []link.Param {
	var params []link.Param
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if len(params) == maxQueryParams {
			break
		}
		name, value, _ := strings.Cut(pair, "=")
		params = append(params, link.Param{Name: unescaped(name), Value: unescaped(value)})
	}
	return params
}

func unescaped(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		plain = s
	}
	return strings.ToValidUTF8(plain, "\ufffd")
}

// encode writes the parameters as a query, in their order.
func (s *said) encode() string {
	var b strings.Builder
	for _, p := range s.params {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.Name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(p.Value))
	}
	return b.String()
}

// deepLink is where in the app the visitor belongs: deep_link_value, which new
// users are told, else the URI that opens the app.
func (s *said) deepLink() string {
	if v, _ := s.get(paramDeepLinkValue); v != "" {
		return v
	}
	v, _ := s.get(paramDeepLink)
	return v
}

// name says who sent the visitor and what for.
func (s *said) name(source *attribution.Source, account link.AccountID, d *link.Directory) {
	source.Name = s.value(paramSource)
	source.Agency = s.value(paramAgency)
	source.Campaign, source.CampaignID = s.value(paramCampaign), s.value(paramCampaignID)
	source.AdSetID = s.either(paramAdSetID, paramAdSet)
	source.AdID = s.either(paramAdID, paramAd)
	source.Site = s.value(paramSite)
	if p := partnerNamed(d, account, source.Name); p != nil {
		source.Partner = p.ID
	}
}

// value returns a parameter without the blanks around it, empty where it is
// not there or is a macro that the network left unfilled.
func (s *said) value(name string) string {
	v, _ := s.get(name)
	if v = strings.TrimSpace(v); isUnfilled(v) {
		return ""
	}
	return v
}

// either returns the first of two parameters that says something: an id where
// the network sends one, else the name.
func (s *said) either(name, other string) string {
	if v := s.value(name); v != "" {
		return v
	}
	return s.value(other)
}

// isUnfilled finds macros that nobody has filled, in the syntaxes of networks:
// {x}, ${x}, (x), [x], __X__ and %%x%%.
func isUnfilled(v string) bool {
	for _, m := range [...][2]string{{"{", "}"}, {"${", "}"}, {"(", ")"}, {"[", "]"}, {"__", "__"}, {"%%", "%%"}} {
		if len(v) > len(m[0])+len(m[1]) && strings.HasPrefix(v, m[0]) && strings.HasSuffix(v, m[1]) {
			return true
		}
	}
	return false
}

// integratedSuffix ends the media sources of partners that the vendor has integrated.
const integratedSuffix = "_int"

// partnerNamed returns the account's partner that a media source names: by its
// key or its name, in any case, with or without "_int"; nil where there is none.
func partnerNamed(d *link.Directory, account link.AccountID, source string) *link.Partner {
	bare := bareSource(source)
	if bare == "" {
		return nil
	}
	var named *link.Partner
	for i := range d.Catalog.Partners {
		p := &d.Catalog.Partners[i]
		if p.Account != account || p.Kind == link.AgencyPartner {
			continue
		}
		switch {
		case p.Key != "" && (strings.EqualFold(string(p.Key), source) || strings.EqualFold(string(p.Key), bare)):
			return p
		case named == nil && (strings.EqualFold(p.Name, source) || strings.EqualFold(p.Name, bare)):
			named = p
		}
	}
	return named
}

// bareSource is a media source without the suffix of integrated ones.
func bareSource(source string) string {
	if n := len(source) - len(integratedSuffix); n > 0 && strings.EqualFold(source[n:], integratedSuffix) {
		return source[:n]
	}
	return source
}

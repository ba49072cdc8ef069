package manifest

import (
	"slices"
	"strings"

	"waypost/link"
)

func (c *checker) domain(d *Domain, at string) {
	c.host(at, d.Host, d.BaseURL)
	c.form(at+".brand_of", d.BrandOf, isHost, "the host of a domain of this account")
	if d.BrandOf != "" && strings.EqualFold(d.BrandOf, d.Host) {
		c.add(at+".brand_of", "is the domain itself; it must be another domain of this account")
	}
}

// host checks where a domain, shared or not, answers and what its links look like.
func (c *checker) host(at, host, base string) {
	if c.form(at+".host", host, isHost, "a host name without scheme, port or path, such as go.example.com") {
		c.unique(at+".host", "host", strings.ToLower(host))
	}
	if base == "" || !c.url(at+".base_url", base) {
		return
	}
	_, rest, _ := strings.Cut(base, "://")
	switch {
	case strings.ContainsAny(strings.TrimSuffix(rest, "/"), "/?#@"):
		c.add(at+".base_url", "must end after the host and port, such as https://%s", shown(host))
	case link.Host(base) != strings.ToLower(host):
		c.add(at+".base_url", "must have the host of the domain: links shown with another one would not be answered")
	}
}

func (c *checker) template(t *Template, at string) {
	valid := func(id string) bool { return link.ValidTemplateID(link.TemplateID(id)) }
	if c.form(at+".id", t.ID, valid, "1 to 32 letters and digits, such as A1b3") {
		c.unique(at+".id", "template id", t.ID)
	}
	c.url(at+".web_url", t.WebURL)
	c.url(at+".og.image_url", t.OG.ImageURL)
	c.form(at+".uri_scheme", t.URIScheme, isAppURI, "a URI that the app answers to, such as acme://main")
	c.form(at+".qr.foreground", t.QR.Foreground, isColour, "a colour as six hexadecimal digits in quotes, such as \"#000000\"")
	c.form(at+".qr.background", t.QR.Background, isColour, "a colour as six hexadecimal digits in quotes, such as \"#ffffff\"")
}

func (c *checker) partner(p *Partner, at, account string) {
	c.key(at+".key", account+" partner", p.Key)
	c.number(at+".id", "partner", p.ID)
	if p.ID == smartLinksPartner {
		c.add(at+".id", "is the id of the partner \"SmartLinks\", which always exists; choose another")
	}
	c.oneOf(at+".kind", p.Kind, string(link.Network), string(link.AgencyPartner))
	c.form(at+".link_query", p.LinkQuery, isQuery, "a query string without ? and spaces, such as cl={CLICK_ID}&pcn={CAMPAIGN_NAME}")
	if !strings.HasPrefix(p.LogoURL, "/") || strings.HasPrefix(p.LogoURL, "//") {
		c.url(at+".logo_url", p.LogoURL)
	}
	apps := map[string]bool{}
	for i, app := range p.ConfiguredFor {
		if apps[app.App] {
			c.add(index(at+".configured_for", i)+".app", "is in the list already")
		}
		apps[app.App] = true
	}
}

func (c *checker) postback(p *Postback, at, account string) {
	c.key(at+".key", account+" postback", p.Key)
	if len(p.On) == 0 && c.findings.file.given(at+".on") {
		c.add(at+".on", "is empty; it names what the postback tells, such as [install]")
	}
	for i, kind := range p.On {
		c.told(index(at+".on", i), kind, p.Partner)
	}
	c.words(at+".on", p.On)
	c.oneOf(at+".method", p.Method, "GET", "POST")
	c.secret(at+".secret", p.Secret)
	if p.URL == "" {
		return
	}
	if err := checkMacroURL(p.URL); err != nil {
		c.add(at+".url", "%s", err)
	}
}

// told checks one word of what a postback tells.
func (c *checker) told(path, kind, partner string) {
	switch {
	case eventForm.MatchString(kind):
	case partner == "":
		c.oneOf(path, kind, slices.Concat(toldToAll, toldToAccount)...)
	case slices.Contains(toldToAccount, kind):
		c.add(path, "is told to the account alone; it belongs in a postback without partner")
	default:
		c.oneOf(path, kind, toldToAll...)
	}
}

// toldToAll are what a postback can tell beside "event:" and an event's name,
// toldToAccount what only one without a partner can.
var (
	toldToAll     = []string{"install", "reinstall", "reattribution", "reengagement", "session", "event", "rejected_install", "rejected_event"}
	toldToAccount = []string{"click", "impression", "attribution_update", "platform_conversion"}
)

// smartLinksPartner is the network "SmartLinks (none)" of every account; it is
// no row of a store.
const smartLinksPartner = 3881

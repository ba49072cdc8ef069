package onelink

import (
	"net/http"
	"net/url"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
)

// maxQueryV1 bounds the query string made from data (OneLink API,
// "API limitations", payload).
const maxQueryV1 = 2048

func (a *API) version1() version {
	return version{
		usage: UsageV1, rate: link.OneLinkV1PerSecond,
		refuse: func(_ operation, f *fault.Error) reply.Reply { return a.refuseV1(f) },
		plain:  func(status int, text string) reply.Reply { return reply.JSON(status, text) }, noRoute: "Not Found",
		links: map[string]verb{
			http.MethodPost:   {createLink, a.createV1},
			http.MethodGet:    {readLink, a.readV1},
			http.MethodPut:    {changeLink, a.changeV1},
			http.MethodDelete: {deleteLink, a.deleteV1},
		},
	}
}

// refuseV1 is the table of v1's endpoint reference: every error body is a JSON
// string. The last two rows are ours.
func (a *API) refuseV1(f *fault.Error) reply.Reply {
	answer := reply.JSON
	switch {
	case f.Kind == fault.Unauthorized, f.Kind == fault.Forbidden,
		f.Kind == fault.NotFound && f.Field == "template" && f.Reason == fault.NotAllowed:
		return answer(http.StatusUnauthorized, "Authentication Failed")
	case f.Kind == fault.NotFound && f.Field == "template",
		f.Kind == fault.Invalid && (f.Field == "id" || f.Field == "brand_domain"),
		f.Reason == fault.Source:
		return answer(http.StatusBadRequest, "Subdomain undefined / Invalid Shortlink ID")
	case f.Kind == fault.Invalid && f.Field == bodyField && f.Reason == fault.TooLong:
		return answer(http.StatusBadRequest, "Data sent exceeds limit")
	case f.Kind == fault.Invalid:
		return answer(http.StatusBadRequest, "Invalid/no data in request")
	case f.Kind == fault.NotFound:
		return answer(http.StatusNotFound, "Not Found")
	case f.Kind == fault.Conflict:
		return answer(a.V1ConflictStatus, "Shortlink ID already in use")
	case f.Kind == fault.Quota:
		return answer(http.StatusTooManyRequests, "Monthly quota exceeded")
	case f.Kind == fault.RateLimited:
		return answer(http.StatusTooManyRequests, "Rate limit exceeded")
	case f.Kind == fault.Unavailable:
		return answer(http.StatusServiceUnavailable, "Service Unavailable")
	}
	return answer(http.StatusInternalServerError, "Internal Server Error")
}

func (a *API) createV1(c *call) (reply.Reply, error) {
	b, brand, err := a.acceptV1(c)
	if err != nil {
		return reply.Reply{}, err
	}
	_, address, err := a.Rules.CreateLink(c.Context(), c.actor, manage.NewLink{
		Dialect: link.OneLink, Template: c.template, Code: c.code, Brand: brand, Data: b.data,
		TTL: cappedTTL(b.ttl, maxTTLV1), Renew: b.renew == nil || *b.renew,
		Source: link.SourceV1, TargetHosts: hostsOf(b.params, link.SourceV1),
	})
	return reply.JSON(http.StatusOK, address), err
}

// changeV1 replaces a link's parameters and begins its time anew: a ttl or
// renew_ttl that is not sent is the default, not the stored one.
func (a *API) changeV1(c *call) (reply.Reply, error) {
	b, brand, err := a.acceptV1(c)
	if err != nil {
		return reply.Reply{}, err
	}
	ttl, renew := cappedTTL(b.ttl, maxTTLV1), b.renew == nil || *b.renew
	change := manage.LinkChange{Data: b.data, TTL: &ttl, Renew: &renew, TargetHosts: hostsOf(b.params, link.SourceV1)}
	if brand != "" {
		change.Brand = &brand
	}
	_, address, err := a.Rules.ChangeLink(c.Context(), c.actor, c.template, c.code, change)
	return reply.JSON(http.StatusOK, address), err
}

// readV1 answers with the link's parameters alone, as their client sent them.
func (a *API) readV1(c *call) (reply.Reply, error) {
	if err := a.namedV1(c); err != nil {
		return reply.Reply{}, err
	}
	l, err := a.Rules.ReadLink(c.Context(), c.actor, c.template, c.code)
	if err != nil {
		return reply.Reply{}, err
	}
	entries, err := readData(l.Data)
	if err != nil {
		return reply.Reply{}, unreadable(&l, err)
	}
	return reply.Bytes(http.StatusOK, "application/json", flatten(entries)), nil
}

func (a *API) deleteV1(c *call) (reply.Reply, error) {
	if err := a.namedV1(c); err != nil {
		return reply.Reply{}, err
	}
	return reply.JSON(http.StatusOK, "ok"), a.Rules.DeleteLink(c.Context(), c.actor, c.template, c.code)
}

// acceptV1 takes a POST or PUT through the checks from its body to its
// branded domain, in this order.
func (a *API) acceptV1(c *call) (b *body, brand string, err error) {
	if b, err = readBody(c.Request); err != nil {
		return nil, "", err
	}
	if err := checkV1(b.params); err != nil {
		return nil, "", err
	}
	if err := a.namedV1(c); err != nil {
		return nil, "", err
	}
	brand, err = a.brand(c, b.brand)
	return b, brand, err
}

// namedV1 checks what the URL names: template and id.
func (a *API) namedV1(c *call) error {
	switch {
	case c.refusal != nil:
		return c.refusal
	case c.badCode, c.code == "" && c.operation != createLink, c.code != "" && !link.ValidCode(c.code):
		return fault.Bad("id", fault.Malformed, "must be 1 to %d letters, digits, _ or -", link.MaxCode)
	}
	return nil
}

// brand returns the host of a brand_domain once the rules allow it.
func (a *API) brand(c *call, sent string) (string, error) {
	if sent == "" {
		return "", nil
	}
	host := brandHost(sent)
	if host == "" {
		return "", fault.Bad("brand_domain", fault.Unknown, "holds no host")
	}
	return host, a.Rules.CheckBrand(c.view, host)
}

// checkV1 refuses what v1 must not store: too much, control characters, and
// targets that would run code. It asks for nothing else; pid may be missing.
func checkV1(params []link.Param) error {
	if queryLength(params) > maxQueryV1 {
		return fault.Bad(bodyField, fault.TooLong, "data makes a query string of more than %d characters", maxQueryV1)
	}
	for _, p := range params {
		value := decodeOnce(p.Value, link.SourceV1) // as people will follow it
		if p.Name == "" || hasControl(p.Name) || hasControl(p.Value) || sendsPeople(p.Name) && hasControl(value) {
			return fault.Bad(bodyField, fault.Malformed, "data holds control characters or an empty name")
		}
		if sendsPeople(p.Name) && (dangerous(p.Value) || dangerous(value)) {
			return fault.Bad(bodyField, fault.NotAllowed, "%s has a scheme that is not allowed", p.Name)
		}
	}
	return nil
}

// queryLength returns the length of the query string that the parameters make,
// without "?". What came percent-encoded is counted as it came, not twice.
func queryLength(params []link.Param) int {
	length := max(0, len(params)-1) // ampersands
	for _, p := range params {
		value := p.Value
		if decodeOnce(value, link.SourceV1) == value {
			value = url.QueryEscape(value)
		}
		length += len(url.QueryEscape(p.Name)) + len("=") + len(value)
	}
	return length
}

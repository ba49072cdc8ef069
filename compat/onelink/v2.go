package onelink

import (
	"fmt"
	"net/http"
	"time"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
)

func (a *API) version2() version {
	return version{
		usage: UsageV2, rate: link.OneLinkV2PerSecond,
		refuse: refuseV2, plain: plainV2, noRoute: "Endpoint not found",
		templates: map[string]verb{http.MethodPost: {createLink, a.createV2}},
		links: map[string]verb{
			http.MethodGet:    {readLink, a.readV2},
			http.MethodPut:    {changeLink, a.changeV2},
			http.MethodDelete: {deleteLink, a.deleteV2},
		},
		qr:    map[string]verb{http.MethodGet: {drawQR, a.drawV2}},
		quota: map[string]verb{http.MethodGet: {readQuota, a.quotaV2}},
	}
}

// shortlinkURL is the answer to a create and an update.
type shortlinkURL struct {
	URL string `json:"shortlink_url"`
}

func (a *API) createV2(c *call) (reply.Reply, error) {
	b, brand, err := a.acceptV2(c)
	if err != nil {
		return reply.Reply{}, err
	}
	code, err := textField("shortlink_id", b.code)
	if err != nil {
		return reply.Reply{}, err
	}
	if code != "" && !link.ValidCode(code) {
		return reply.Reply{}, badParam("shortlink_id", code, fmt.Sprintf("value should be at most %d letters, digits, _ or -", link.MaxCode))
	}
	_, address, err := a.Rules.CreateLink(c.Context(), c.actor, manage.NewLink{
		Dialect: link.OneLink, Template: c.template, Code: code, Brand: brand, Data: b.data,
		TTL: cappedTTL(b.ttl, maxTTLV2), Renew: b.renew == nil || *b.renew,
		Source: link.SourceV2, TargetHosts: hostsOf(b.params, link.SourceV2),
	})
	return reply.JSON(http.StatusOK, shortlinkURL{address}), err
}

// changeV2 replaces a link's parameters; a ttl or renew_ttl that is not sent
// stays as it was. A link made by v1 becomes one of v2.0.
func (a *API) changeV2(c *call) (reply.Reply, error) {
	b, brand, err := a.acceptV2(c)
	if err != nil {
		return reply.Reply{}, err
	}
	if err := c.namedV2(); err != nil {
		return reply.Reply{}, err
	}
	change := manage.LinkChange{Data: b.data, Renew: b.renew, Source: link.SourceV2, TargetHosts: hostsOf(b.params, link.SourceV2)}
	if b.ttl != "" {
		ttl := cappedTTL(b.ttl, maxTTLV2)
		change.TTL = &ttl
	}
	if brand != "" {
		change.Brand = &brand
	}
	_, address, err := a.Rules.ChangeLink(c.Context(), c.actor, c.template, c.code, change)
	return reply.JSON(http.StatusOK, shortlinkURL{address}), err
}

// readV2 answers for a link of any source. Payload values are strings,
// whatever they were sent as.
func (a *API) readV2(c *call) (reply.Reply, error) {
	l, err := a.findV2(c)
	if err != nil {
		return reply.Reply{}, err
	}
	params, err := Params(l.Data)
	if err != nil {
		return reply.Reply{}, unreadable(l, err)
	}
	answer := append([]byte(`{"payload":`), flattenText(params)...)
	if l.TTL == 0 { // made in the dashboard: such a link never expires
		return reply.Bytes(http.StatusOK, "application/json", append(answer, `,"expiry":null,"ttl":null}`...)), nil
	}
	answer = fmt.Appendf(answer, `,"expiry":"%s","ttl":%d}`, l.ExpiresAt.UTC().Format(time.RFC3339), l.TTL/time.Second)
	return reply.Bytes(http.StatusOK, "application/json", answer), nil
}

func (a *API) deleteV2(c *call) (reply.Reply, error) {
	if c.refusal != nil {
		return reply.Reply{}, c.refusal
	}
	if err := c.namedV2(); err != nil {
		return reply.Reply{}, err
	}
	return reply.JSON(http.StatusOK, "ok"), a.Rules.DeleteLink(c.Context(), c.actor, c.template, c.code)
}

func (a *API) quotaV2(c *call) (reply.Reply, error) {
	if c.refusal != nil {
		return reply.Reply{}, c.refusal
	}
	left, err := a.Rules.RemainingCalls(c.Context(), c.account, UsageV2, link.OneLinkMonthlyWrites)
	return reply.JSON(http.StatusOK, struct {
		Remaining int64 `json:"remaining_api_calls"`
	}{left}), err
}

// acceptV2 takes a POST or PUT through the checks from its body to its
// parameters, in this order.
func (a *API) acceptV2(c *call) (b *body, brand string, err error) {
	if b, err = readBody(c.Request); err != nil {
		return nil, "", err
	}
	if b.characters > maxDataV2 {
		return nil, "", fault.Bad(bodyField, fault.TooLong, "data is longer than %d characters", maxDataV2)
	}
	if c.refusal != nil {
		return nil, "", c.refusal
	}
	if brand, err = a.brand(c, b.brand); err != nil {
		return nil, "", err
	}
	return b, brand, checkParams(b.params, a.StrictChars)
}

// findV2 returns the link that the path names.
func (a *API) findV2(c *call) (*link.Link, error) {
	if c.refusal != nil {
		return nil, c.refusal
	}
	if err := c.namedV2(); err != nil {
		return nil, err
	}
	l, err := a.Rules.ReadLink(c.Context(), c.actor, c.template, c.code)
	return &l, err
}

// namedV2 finds no link under an id that none can have.
func (c *call) namedV2() error {
	if !link.ValidCode(c.code) {
		return fault.New(fault.NotFound, "no link has such an id")
	}
	return nil
}

// unreadable reports a stored link whose data cannot be read: our mistake, not
// the caller's, whatever kind the reader's error has.
func unreadable(l *link.Link, err error) error {
	return &fault.Error{Kind: fault.Internal, Err: fmt.Errorf("read the stored data of link %s: %w", l.Path, err)}
}

package singular

import (
	"crypto/sha1" // the SDK signs with it
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"waypost/internal/fault"
	"waypost/internal/reply"
	"waypost/link"
	"waypost/manage"
)

// referralLength is the length of a dynamic short link's code after "r_".
const referralLength = 10

// shortenLink makes a dynamic short link of a long one, for an app that is
// known by its account's SDK key (dynamic short links: POST shorten_link).
func (a *API) shortenLink(c *call) (reply.Reply, error) {
	account, err := a.signer(c)
	if err != nil {
		return reply.Reply{}, err
	}
	members, err := readBody(c.Request)
	if err != nil {
		return reply.Reply{}, err
	}
	f := newForm("")
	f.fill(members)
	address := f.text("long_link", f.need("long_link"), maxURI)
	if f.err != nil {
		return reply.Reply{}, f.err
	}
	long, err := a.longLink(c, account, address)
	if err != nil {
		return reply.Reply{}, err
	}
	data, err := json.Marshal(Referral{Query: long.query})
	if err != nil {
		return reply.Reply{}, err
	}
	l, _, err := a.Rules.CreateAlias(c.Context(), account.ID, manage.NewLink{
		Dialect: link.Singular, Base: link.HostPath(long.site.Home(), long.path), Host: long.site.Host, Prefix: long.path + "/" + ReferralPrefix,
		CodeLength: referralLength, Data: data, TTL: ReferralLife, Source: link.SourceSDK,
	})
	if fault.Is(err, fault.NotFound) {
		err = noLongLink()
	}
	if err != nil {
		return reply.Reply{}, err
	}
	_, path, _ := l.Path.SplitHost()
	return reply.JSON(0, struct {
		Short string `json:"short_link"`
	}{a.baseOf(&l) + "/" + long.letter + path}), nil
}

// signer returns the account whose SDK key the call has. Its signature is
// checked where there is one: servers, which have no secret, call without.
func (a *API) signer(c *call) (*link.Account, error) {
	key := c.query.first("a")
	if key == "" {
		return nil, fault.New(fault.Unauthorized, "The SDK key is missing; send it as ?a=")
	}
	account := a.Rules.Directory().AccountOfSDKKey(key)
	if account == nil {
		return nil, fault.New(fault.Unauthorized, "The SDK key is unknown")
	}
	if h := c.query.first("h"); h != "" && account.SDKSecret != "" {
		want := signature(account.SDKSecret, key)
		if subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(h))) != 1 {
			return nil, fault.New(fault.Unauthorized, "The hash h does not fit the SDK key and its secret")
		}
	}
	return account, nil
}

// signature is what the SDK sends as h.
func signature(secret, key string) string {
	sum := sha1.Sum([]byte(secret + "?a=" + key))
	return hex.EncodeToString(sum[:])
}

// longLink is the address of a link, taken apart.
type longLink struct {
	site   *link.Site
	letter string // before the app code
	path   string // app code and link code
	query  string // raw
}

func noLongLink() error {
	return fault.New(fault.NotFound, "long_link is no link of this account")
}

// longLink reads the address of a link on a host of ours. The permanent short
// form stands for the link's own query.
func (a *API) longLink(c *call, account *link.Account, address string) (longLink, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return longLink{}, notLong(address)
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || len(parts[0]) < 2 || !strings.Contains("ABCDEF", parts[0][:1]) || !link.ValidCode(parts[0]) || !link.ValidCode(parts[1]) {
		return longLink{}, notLong(address)
	}
	letter := parts[0][:1] // nothing else in a path has a case
	parts[0] = parts[0][1:]
	for i := range parts {
		parts[i] = strings.ToLower(parts[i])
	}
	long := longLink{a.Rules.Directory().Site(strings.ToLower(u.Hostname())), letter, parts[0] + "/" + parts[1], u.RawQuery}
	if long.site == nil {
		return longLink{}, noLongLink()
	}
	if len(parts) == 3 {
		long.query, err = a.expanded(c, account, long, parts)
	}
	return long, err
}

func notLong(address string) error {
	return invalid("long_link", "it must be the address of a link, such as https://acme.example/A03q9/k6kj1?pcn=x, not %s", shortened(address))
}

// expanded returns the query that a permanent short form stands for, with its
// own one over it.
func (a *API) expanded(c *call, account *link.Account, long longLink, parts []string) (string, error) {
	found, err := a.Rules.ListedLinks(c.Context(), wholeAccount(account.ID), link.Filter{Dialect: link.Singular, Codes: parts[1:2]})
	if err != nil {
		return "", err
	}
	for i := range found {
		if found[i].Path != link.HostPath(long.site.Home(), long.path) {
			continue
		}
		s, err := Read(found[i].Data)
		if err != nil {
			return "", err
		}
		if s.Short == parts[2] && s.Short != "" {
			return overridden(s.Query, long.query), nil
		}
	}
	return "", noLongLink()
}

// overridden returns a raw query without what the one over it names, and then
// that one.
func overridden(query, over string) string {
	named, err := url.ParseQuery(over)
	if err != nil || over == "" {
		named = url.Values{}
	}
	var parts []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil && name != "" && !named.Has(name) {
			parts = append(parts, pair)
		}
	}
	if over != "" {
		parts = append(parts, over)
	}
	return strings.Join(parts, "&")
}

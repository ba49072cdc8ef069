package manage

import (
	"strconv"
	"strings"

	"waypost/internal/fault"
	"waypost/link"
)

// Authenticate returns who holds the secret, or Unauthorized. The secret is
// hashed before it is looked for and kept nowhere.
func (s *Service) Authenticate(secret string) (Actor, error) {
	var token *link.Token
	if secret != "" {
		token = s.Directory().Token(link.HashSecret(secret))
	}
	if token == nil {
		return Actor{}, fault.New(fault.Unauthorized, "the token is missing or unknown")
	}
	a := Actor{Token: token}
	if len(token.Grants) == 1 {
		a.Account = token.Grants[0].Account
	}
	return a, nil
}

// grant returns what the actor may do in an account, or nil.
func (a Actor) grant(account link.AccountID) *link.Grant {
	if a.Token == nil {
		return nil
	}
	for i := range a.Token.Grants {
		if a.Token.Grants[i].Account == account {
			return &a.Token.Grants[i]
		}
	}
	return nil
}

// Template returns the template if the actor may do there what the role needs:
//   - NotFound, Field "template", Reason Unknown: there is none;
//   - NotFound, Field "template", Reason NotAllowed: it is another account's.
//     Both say the same to the caller; a dialect may choose its status by it;
//   - Forbidden, Reason ReadOnly: the token's role is too low;
//   - Forbidden, Reason NotAllowed: the token is limited to other app groups.
func (s *Service) Template(a Actor, id link.TemplateID, needs link.Role) (*link.TemplateView, error) {
	t := s.Directory().Template(id)
	if t == nil {
		return nil, noTemplate(fault.Unknown)
	}
	grant := a.grant(t.Account)
	switch {
	case grant == nil:
		return nil, noTemplate(fault.NotAllowed)
	case !grant.Role.Includes(needs):
		return nil, &fault.Error{Kind: fault.Forbidden, Reason: fault.ReadOnly, Message: "the token's role does not allow this; it needs " + string(needs)}
	case !grant.InGroups(t.AppGroup):
		return nil, &fault.Error{Kind: fault.Forbidden, Reason: fault.NotAllowed, Message: "the token is limited to other app groups than the template's"}
	}
	return t, nil
}

func noTemplate(reason fault.Reason) error {
	return &fault.Error{Kind: fault.NotFound, Field: "template", Reason: reason, Message: "no such template"}
}

// AccountNamed returns the account that a dialect's clients know by the name,
// or by its number, if the actor's token opens it; else NotFound.
func (s *Service) AccountNamed(a Actor, d link.Dialect, name string) (*link.Account, error) {
	missing := &fault.Error{Kind: fault.NotFound, Field: "account", Reason: fault.Unknown, Message: "no such account"}
	if a.Token == nil || name == "" {
		return nil, missing
	}
	var numbered *link.Account
	for i := range a.Token.Grants {
		account := s.Directory().Account(a.Token.Grants[i].Account)
		switch {
		case account == nil:
		case account.Names[d] == name:
			return account, nil
		case strconv.FormatInt(int64(account.ID), 10) == name:
			numbered = account
		}
	}
	if numbered == nil {
		return nil, missing
	}
	return numbered, nil
}

// CheckBrand reports whether links of the template may be shown on the host:
// Invalid, Field "brand_domain", with Reason Unknown where the host is nobody's
// or another account's, NotAllowed where it is the account's but does not
// serve this template.
func (s *Service) CheckBrand(t *link.TemplateView, host string) error {
	host = strings.ToLower(host)
	d := s.Directory()
	site := d.Site(host)
	switch {
	case site == nil || site.Account != t.Account:
		return fault.Bad("brand_domain", fault.Unknown, "no such domain in this account; it must be the host of a branded domain of the template's domain")
	case !t.ServesBrand(d, host):
		return fault.Bad("brand_domain", fault.NotAllowed, "does not serve this template; it must be the host of a branded domain of the template's domain")
	}
	return nil
}

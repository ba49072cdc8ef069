package manage

import (
	"cmp"
	"slices"

	"waypost/internal/fault"
	"waypost/link"
)

// Accounts returns the accounts that the token opens, by id.
func (s *Service) Accounts(a Actor) []*link.Account {
	var all []*link.Account
	for _, scope := range s.scopes(a) {
		all = append(all, s.Directory().Account(scope.Account))
	}
	return all
}

// scopes returns what the actor may see, by account.
func (s *Service) scopes(a Actor) []link.Scope {
	if a.Token == nil {
		return nil
	}
	var all []link.Scope
	for _, g := range a.Token.Grants {
		if g.Role.Includes(link.Read) && s.Directory().Account(g.Account) != nil {
			all = append(all, link.Scope{Account: g.Account, Groups: g.AppGroups})
		}
	}
	slices.SortFunc(all, func(x, y link.Scope) int { return cmp.Compare(x.Account, y.Account) })
	return all
}

// Groups returns the app groups that the actor may see, archived ones
// included, by id.
func (s *Service) Groups(a Actor) []*link.Group {
	d := s.Directory()
	var all []*link.Group
	for i := range d.Catalog.AppGroups {
		if g := d.Group(d.Catalog.AppGroups[i].ID); a.mayIn(g, link.Read) {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(x, y *link.Group) int { return cmp.Compare(x.ID, y.ID) })
	return all
}

// Apps returns the apps that the actor may see, by id: those of the accounts
// that his token opens, and of the live app groups where it is limited to some.
func (s *Service) Apps(a Actor) []*link.App {
	d := s.Directory()
	inGroups := map[link.AppID]bool{}
	for _, g := range s.Groups(a) {
		for _, app := range g.Apps {
			inGroups[app.ID] = inGroups[app.ID] || !g.Archived
		}
	}
	var all []*link.App
	for i := range d.Catalog.Apps {
		app := &d.Catalog.Apps[i]
		grant := a.grant(app.Account)
		if grant == nil || !grant.Role.Includes(link.Read) || len(grant.AppGroups) > 0 && !inGroups[app.ID] {
			continue
		}
		all = append(all, app)
	}
	slices.SortFunc(all, func(x, y *link.App) int { return cmp.Compare(x.ID, y.ID) })
	return all
}

// WholeAccount returns nil where the actor's role in all of the account
// includes needs: NotFound, Field "account", where his token does not open it;
// Forbidden, Reason ReadOnly, where his role is too low; Forbidden, Reason
// NotAllowed, where his token is limited to app groups.
func (s *Service) WholeAccount(a Actor, id link.AccountID, needs link.Role) error {
	grant := a.grant(id)
	switch {
	case grant == nil || !grant.Role.Includes(link.Read) || s.Directory().Account(id) == nil:
		return &fault.Error{Kind: fault.NotFound, Field: "account", Reason: fault.Unknown, Message: "no such account"}
	case !grant.Role.Includes(needs):
		return roleTooLow(needs)
	case len(grant.AppGroups) > 0:
		return &fault.Error{Kind: fault.Forbidden, Reason: fault.NotAllowed, Message: "this is about the whole account, and the token is limited to app groups"}
	}
	return nil
}

// mayIn reports whether the actor's grant covers the group with a role that
// includes needs.
func (a Actor) mayIn(g *link.Group, needs link.Role) bool {
	grant := a.grant(g.Account)
	return grant != nil && grant.InGroups(g.ID) && grant.Role.Includes(needs)
}

// Group returns an app group, archived or not, for an actor whose role there
// includes needs: NotFound, Field "app_group", for one that he may not see,
// which reads like one that nobody has; Forbidden, Reason ReadOnly, where his
// role is too low.
func (s *Service) Group(a Actor, id link.AppGroupID, needs link.Role) (*link.Group, error) {
	g := s.Directory().Group(id)
	switch {
	case g == nil || !a.mayIn(g, link.Read):
		return nil, &fault.Error{Kind: fault.NotFound, Field: "app_group", Reason: fault.Unknown, Message: "no such app group"}
	case !a.mayIn(g, needs):
		return nil, roleTooLow(needs)
	}
	return g, nil
}

func roleTooLow(needs link.Role) error {
	return &fault.Error{Kind: fault.Forbidden, Reason: fault.ReadOnly, Message: "the token's role does not allow this; it needs " + string(needs)}
}

// liveGroup is Group for those who want to write in it: Conflict, Reason
// Archived, for an archived one.
func (s *Service) liveGroup(a Actor, id link.AppGroupID) (*link.Group, error) {
	g, err := s.Group(a, id, link.Write)
	if err == nil && g.Archived {
		return nil, archived("the app group is archived, which is for ever; it takes no changes")
	}
	return g, err
}

func archived(message string) error {
	return &fault.Error{Kind: fault.Conflict, Reason: fault.Archived, Message: message}
}

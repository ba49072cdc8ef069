package manage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
)

// CreateGroup makes an app group, known by its id alone: it has no key until an
// apply file gives it one.
//   - Invalid, Field "account": the token does not open it;
//   - Forbidden: the token's role is too low (Reason ReadOnly), or it is limited
//     to app groups, and so could not see the new one (Reason NotAllowed);
//   - Invalid, Field "name": not 1 to 255 characters; Conflict, Field "name",
//     Reason Taken: another live group of the account has it, in whatever case;
//   - Invalid, Field "apps": none, one twice, one that is not the account's, two
//     for one platform; Conflict, Field "apps", Reason Taken: one is in a live group.
func (s *Service) CreateGroup(ctx context.Context, a Actor, n NewGroup) (*link.Group, error) {
	return s.saveGroup(ctx, "create app group", func(d *link.Directory) (*link.AppGroup, error) {
		grant := a.grant(n.Account)
		switch {
		case grant == nil || d.Account(n.Account) == nil:
			return nil, fault.Bad("account", fault.Unknown, "no such account")
		case !grant.Role.Includes(link.Write):
			return nil, roleTooLow(link.Write)
		case len(grant.AppGroups) > 0:
			return nil, &fault.Error{Kind: fault.Forbidden, Reason: fault.NotAllowed, Message: "the token is limited to app groups; making one needs a token of the whole account"}
		}
		now := s.now()
		g := link.AppGroup{ID: 1, Account: n.Account, Name: strings.TrimSpace(n.Name), Apps: slices.Clone(n.Apps), CreatedAt: now, UpdatedAt: now}
		for _, other := range d.Catalog.AppGroups {
			g.ID = max(g.ID, other.ID+1)
		}
		if g.ID > maxGroup {
			return nil, fault.New(fault.Unavailable, "there is no number left for another app group")
		}
		if err := checkGroup(d, &g); err != nil {
			return nil, err
		}
		if len(g.Apps) == 0 {
			return nil, fault.Bad("apps", fault.Missing, "must name at least one app")
		}
		return &g, nil
	})
}

// maxGroup is the largest whole number that every JSON reader keeps exactly.
const maxGroup link.AppGroupID = 1<<53 - 1

// ChangeGroup renames a live group and adds apps to it, behind those that it
// has. Refusals are those of CreateGroup and Group; Invalid, Field "apps", for
// a list that lacks one that the group has; Conflict, Reason Archived.
func (s *Service) ChangeGroup(ctx context.Context, a Actor, id link.AppGroupID, c GroupChange) (*link.Group, error) {
	return s.saveGroup(ctx, "change app group", func(d *link.Directory) (*link.AppGroup, error) {
		old, err := s.liveGroup(a, id)
		if err != nil {
			return nil, err
		}
		g := old.AppGroup
		if c.Name != nil {
			g.Name = strings.TrimSpace(*c.Name)
		}
		if c.Apps != nil {
			if g.Apps, err = withAdded(&g, c.Apps); err != nil {
				return nil, err
			}
		}
		g.UpdatedAt = s.now()
		return &g, checkGroup(d, &g)
	})
}

// withAdded returns the group's apps and behind them the new ones of a list
// that must name all.
func withAdded(g *link.AppGroup, apps []link.AppID) ([]link.AppID, error) {
	for _, id := range g.Apps {
		if !slices.Contains(apps, id) {
			return nil, fault.Bad("apps", fault.Missing, "lacks %d, which is in the group; apps never leave one, so the list must name them all", id)
		}
	}
	all := slices.Clone(g.Apps)
	seen := map[link.AppID]bool{}
	for _, id := range apps {
		if seen[id] || !slices.Contains(g.Apps, id) {
			all = append(all, id) // a second mention too: checkGroup refuses it
		}
		seen[id] = true
	}
	return all, nil
}

// ArchiveGroup archives a group for ever, or does nothing to one that is
// archived. Its apps are free for another group from then on. Refusals are
// those of Group, and Conflict, Reason InUse, while it has listed links that
// are not archived, of any dialect; none comes in meanwhile.
// Templates of the group go on taking links: their API knows no archiving.
func (s *Service) ArchiveGroup(ctx context.Context, a Actor, id link.AppGroupID) error {
	s.archiving.Lock()
	defer s.archiving.Unlock()
	_, err := s.saveGroup(ctx, "archive app group", func(*link.Directory) (*link.AppGroup, error) {
		old, err := s.Group(a, id, link.Write)
		if err != nil || old.Archived {
			return nil, err
		}
		for _, d := range [...]link.Dialect{link.Own, link.OneLink, link.SmartLinks, link.Singular} {
			counts, err := s.CountListed(ctx, d, []link.AppGroupID{id})
			if err != nil {
				return nil, err
			}
			if n := counts[id]; n > 0 {
				return nil, &fault.Error{Kind: fault.Conflict, Reason: fault.InUse, Message: fmt.Sprintf("the app group has links that are not archived (%d); archive them first", n)}
			}
		}
		g := old.AppGroup
		g.Archived, g.UpdatedAt = true, s.now()
		return &g, nil
	})
	return err
}

// saveGroup stores the group that decide returns and puts it in force; nil is
// nothing to do. Between both no other configuration comes into force.
func (s *Service) saveGroup(ctx context.Context, verb string, decide func(*link.Directory) (*link.AppGroup, error)) (*link.Group, error) {
	s.configure.Lock()
	defer s.configure.Unlock()
	if err := s.enforce(ctx, verb); err != nil {
		return nil, err
	}
	g, err := decide(s.Directory())
	if err != nil || g == nil {
		return nil, err
	}
	if err := s.Store.SaveCatalog(ctx, link.Catalog{AppGroups: []link.AppGroup{*g}}); err != nil {
		return nil, fmt.Errorf("%s %d: %w", verb, g.ID, err)
	}
	s.stale = true
	if err := s.enforce(ctx, verb); err != nil {
		return nil, err
	}
	return s.Directory().Group(g.ID), nil
}

// maxName is the longest name of a group or a campaign, in characters.
const maxName = 255

// checkName checks a name that was trimmed.
func checkName(field, name string) error {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return fault.Bad(field, fault.Missing, "must not be empty")
	case n > maxName:
		return fault.Bad(field, fault.TooLong, "has %d characters; at most %d are allowed", n, maxName)
	case !utf8.ValidString(name):
		return fault.Bad(field, fault.Malformed, "must be UTF-8")
	}
	return nil
}

func nameTaken(message string) error {
	return &fault.Error{Kind: fault.Conflict, Field: "name", Reason: fault.Taken, Message: message}
}

// checkGroup checks a live group as it is to be stored.
func checkGroup(d *link.Directory, g *link.AppGroup) error {
	if err := checkName("name", g.Name); err != nil {
		return err
	}
	groupOf := map[link.AppID]link.AppGroupID{}
	for _, other := range d.Catalog.AppGroups {
		if other.Archived || other.ID == g.ID || other.Account != g.Account {
			continue
		}
		if link.Fold(other.Name) == link.Fold(g.Name) {
			return nameTaken("is the name of another app group of this account")
		}
		for _, app := range other.Apps {
			groupOf[app] = other.ID
		}
	}
	return checkApps(d, g, groupOf)
}

// checkApps checks the group's apps; groupOf has those of the other live groups.
func checkApps(d *link.Directory, g *link.AppGroup, groupOf map[link.AppID]link.AppGroupID) error {
	byPlatform := map[device.Platform]link.AppID{}
	for _, id := range g.Apps {
		app := d.App(id)
		if app == nil || app.Account != g.Account {
			return fault.Bad("apps", fault.Unknown, "no app %d in this account", id)
		}
		switch other, taken := byPlatform[app.Platform]; {
		case other == id:
			return fault.Bad("apps", fault.Malformed, "names %d twice", id)
		case taken:
			return fault.Bad("apps", fault.NotAllowed, "%d and %d are both for %s; a group has at most one app for each platform", other, id, app.Platform)
		}
		byPlatform[app.Platform] = id
		if other, taken := groupOf[id]; taken {
			return &fault.Error{Kind: fault.Conflict, Field: "apps", Reason: fault.Taken, Message: fmt.Sprintf("%d is in the app group %d; an app is in one live group only", id, other)}
		}
	}
	return nil
}

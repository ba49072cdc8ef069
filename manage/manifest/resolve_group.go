package manifest

import (
	"slices"

	"waypost/internal/device"
	"waypost/link"
)

// storedGroup notes a group of the store. Those that were made by API have no
// key; archived ones have let go of their apps.
func (p *planner) storedGroup(g link.AppGroup) {
	name := string(g.Key)
	if g.Key == "" {
		name = g.Name
		p.unkeyed = append(p.unkeyed, g)
	} else {
		p.groups[ref{g.Account, g.Key}] = g
	}
	p.groupNames[g.ID] = name
	if g.Archived {
		return
	}
	for _, app := range g.Apps {
		p.groupOf[app] = g.ID
	}
}

// group plans an app group. What the API has done to it stays: apps that were
// added are behind the file's, and one that was archived is left as it is, for
// that is for ever.
func (p *planner) group(owner *link.Account, g *AppGroup, at string) {
	key := ref{owner.ID, link.Key(g.Key)}
	p.adopt(key, link.AppGroupID(g.ID))
	old := p.groups[key]
	group := link.AppGroup{
		ID:  link.AppGroupID(p.number(at, "app group", g.ID, int64(old.ID))),
		Key: key.key, Account: owner.ID, Name: g.Name, CreatedAt: old.CreatedAt, UpdatedAt: old.UpdatedAt,
	}
	if old.Archived {
		group = old
	} else {
		p.groupNames[group.ID], p.groupPaths[group.ID] = g.Key, at
		group.Apps = p.groupApps(owner, g, at, &old, group.ID)
	}
	put(p, p.groups, key, group, &p.plan.Changed.AppGroups, Thing{Kind: "app group", Owner: string(owner.Key), Key: g.Key})
}

// adopt gives the live group of the account that has an id, but no key, the key
// that a file calls it by: so a group that was made by API can get domains.
func (p *planner) adopt(key ref, id link.AppGroupID) {
	if _, known := p.groups[key]; known || id == 0 {
		return
	}
	at := slices.IndexFunc(p.unkeyed, func(g link.AppGroup) bool { return g.ID == id && g.Account == key.account && !g.Archived })
	if at >= 0 {
		p.groups[key] = p.unkeyed[at]
		p.unkeyed = slices.Delete(p.unkeyed, at, at+1)
	}
}

// groupApps returns the apps of the group with the id: those that it has in
// the store, in their order, then the new ones of the file.
func (p *planner) groupApps(owner *link.Account, g *AppGroup, at string, old *link.AppGroup, id link.AppGroupID) []link.AppID {
	var all []link.AppID
	byPlatform := map[device.Platform]link.App{}
	for _, app := range old.Apps {
		a := p.apps[p.appRefs[app]]
		byPlatform[a.Platform] = a
		all = append(all, app)
	}
	for i, name := range g.Apps {
		path := index(at+".apps", i)
		app, ok := p.apps[ref{owner.ID, link.Key(name)}]
		if !ok {
			p.add(path, "no app %q in this account; it must be the key of one, in this file or applied before", name)
			continue
		}
		if other, ok := byPlatform[app.Platform]; ok && other.ID != app.ID {
			p.add(path, "%q is for %s, as is %q; a group has at most one app for each platform", name, app.Platform, other.Key)
		}
		byPlatform[app.Platform] = app
		other, taken := p.groupOf[app.ID]
		if taken && other != id {
			p.add(path, "%q is in the group %q; an app is in one group only, until that is archived", name, p.groupNames[other])
		}
		if other != id {
			all = append(all, app.ID)
		}
		p.groupOf[app.ID] = id
	}
	return all
}

// checkGroupNames refuses a name that two live groups of an account have,
// looked at when the whole file lies over the store.
func (p *planner) checkGroupNames() {
	type called struct {
		account link.AccountID
		name    string
	}
	holders := map[called][]link.AppGroup{}
	for _, g := range append(values(p.groups), p.unkeyed...) {
		if !g.Archived {
			name := called{g.Account, link.Fold(g.Name)}
			holders[name] = append(holders[name], g)
		}
	}
	for _, same := range holders {
		for _, g := range same {
			if path, ok := p.groupPaths[g.ID]; ok && len(same) > 1 {
				p.add(path+".name", "is the name of another app group of this account that is not archived, without regard to case")
			}
		}
	}
}

// groupIDs resolves app groups of the account.
func (p *planner) groupIDs(owner *link.Account, keys []string, path string) []link.AppGroupID {
	var ids []link.AppGroupID
	for i, key := range keys {
		if id := p.groupID(owner, key, index(path, i)); id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

func (p *planner) groupID(owner *link.Account, key, path string) link.AppGroupID {
	group, ok := p.groups[ref{owner.ID, link.Key(key)}]
	if !ok {
		p.add(path, "no app group %q in the account %q; it must be the key of one, in this file or applied before", key, owner.Key)
	}
	return group.ID
}

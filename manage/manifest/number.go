package manifest

import (
	"waypost/link"
)

// numbers hands out the ids of one kind of thing.
type numbers struct {
	owner   map[int64]bool // stored ids
	largest int64          // in the store and in the file
}

func (n *numbers) stored(id int64) {
	n.owner[id] = true
	n.largest = max(n.largest, id)
}

// collectNumbers notes the ids of the store and those that the file gives, so
// that an assigned one never meets a given one further down.
func collectNumbers(f *File, c link.Catalog) map[string]*numbers {
	all := map[string]*numbers{}
	for _, kind := range []string{"account", "agency", "app", "app group", "partner"} {
		all[kind] = &numbers{owner: map[int64]bool{}}
	}
	for _, a := range c.Accounts {
		all["account"].stored(int64(a.ID))
	}
	for _, a := range c.Agencies {
		all["agency"].stored(int64(a.ID))
	}
	for _, a := range c.Apps {
		all["app"].stored(int64(a.ID))
	}
	for _, g := range c.AppGroups {
		all["app group"].stored(int64(g.ID))
	}
	for _, n := range c.Partners {
		all["partner"].stored(int64(n.ID))
	}
	given := func(kind string, id int64) { all[kind].largest = max(all[kind].largest, id) }
	for i := range f.Accounts {
		a := &f.Accounts[i]
		given("account", a.ID)
		for j := range a.Apps {
			given("app", a.Apps[j].ID)
		}
		for j := range a.AppGroups {
			given("app group", a.AppGroups[j].ID)
		}
		for j := range a.Partners {
			given("partner", a.Partners[j].ID)
		}
	}
	for i := range f.Agencies {
		given("agency", f.Agencies[i].ID)
	}
	return all
}

// number returns the id of the thing at a path: the stored one, else the
// given one, else the next.
func (p *planner) number(at, kind string, given, stored int64) int64 {
	n := p.ids[kind]
	switch {
	case stored != 0 && given != 0 && given != stored:
		p.add(at+".id", "is %d in the store; ids never change", stored)
		return stored
	case stored != 0:
		return stored
	case given != 0 && n.owner[given]:
		p.add(at+".id", "is the id of another %s; choose another or leave it out to have one assigned", kind)
		return given
	case given != 0:
		return given
	case n.largest >= maxID:
		p.add(at+".id", "missing: there is no number left above the largest id of its kind, so it must be given")
		return 0
	}
	n.largest++
	if kind == "partner" && n.largest == smartLinksPartner {
		n.largest++
	}
	return n.largest
}

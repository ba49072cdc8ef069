package attribution

import (
	"cmp"
	"reflect"
	"slices"

	"waypost/internal/uid"
)

// index files touches as a store does.
type index map[Key][]Touchpoint

func newIndex(touches []Touchpoint) index {
	x := index{}
	for _, t := range touches {
		for _, k := range t.Keys() {
			x[k] = append(x[k], t)
		}
	}
	return x
}

// find returns the candidates for a conversion, bounded by key.
func (x index) find(c *Conversion, p *Policy) []Touchpoint {
	var found []Touchpoint
	seen := map[uid.Click]bool{}
	for _, l := range c.Lookups(p) {
		var under []Touchpoint
		for _, t := range x[l.Key] {
			if !t.At.Before(l.Since) && !t.At.After(l.Until) {
				under = append(under, t)
			}
		}
		slices.SortFunc(under, func(a, b Touchpoint) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
		for _, t := range under[:min(len(under), MaxPerKey)] {
			if !seen[t.ID] {
				seen[t.ID] = true
				found = append(found, t)
			}
		}
	}
	return found
}

func find(c *Conversion, touches []Touchpoint) []Touchpoint {
	p := DefaultPolicy()
	return newIndex(touches).find(c, &p)
}

func equal(a, b Decision) bool { return reflect.DeepEqual(a, b) }

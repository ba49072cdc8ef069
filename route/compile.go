package route

import (
	"slices"

	"waypost/internal/macro"
)

// Compile makes a plan. It never fails: parts of the rules that must not be
// used are left out, and the next best part takes their place.
func Compile(r *Rules) *Plan {
	plan, _ := compile(r)
	return plan
}

// compile returns the plan and the choice behind each of its destinations.
func compile(r *Rules) (*Plan, []choice) {
	var space [1024]byte // more than usual links need
	c := compiler{rules: r.checked(), build: macro.Over(space[:])}
	c.packer = packer{head: make([]byte, slots, slots+8*recordSize), texts: append(make([]string, 0, 16), r.Stored, c.rules.Name, c.rules.Link)}
	choices := make([]choice, 0, 8)
	for visitor := range slots {
		chosen := c.rules.choose(visitor)
		n := slices.Index(choices, chosen)
		if n < 0 {
			n = len(choices)
			choices = append(choices, chosen)
		}
		c.packer.head[visitor] = uint8(n)
	}
	p := &Plan{fixed: r.Fixed, preview: c.rules.Preview, reported: r.Reported}
	for i := range choices {
		c.destination(&choices[i])
	}
	if slices.ContainsFunc(choices, choice.listsStores) {
		p.stores, p.lines = c.storePage()
	}
	p.packed, p.places = c.packer.pack()
	return p, choices
}

// compiler remembers what it has compiled, so that destinations which share a
// target share its text.
type compiler struct {
	rules   *Rules
	build   macro.Builder
	targets []compiledTarget
	packer  packer
}

type compiledTarget struct {
	target *Target
	text   macro.Text
}

func (c *compiler) destination(chosen *choice) {
	var next, open macro.Text
	reply := ""
	switch {
	case chosen.kind == Told:
		reply = c.rules.Reply
	case chosen.kind == Redirect:
		next = c.text(chosen.target)
	case chosen.kind == Page && chosen.open != nil:
		next = c.text(chosen.target)
		open = chosen.open.text(&c.build, next)
	}
	c.packer.destination(chosen, next, open, deepLinkText(&c.build, chosen.deepLink), reply)
}

func (c *compiler) text(t *Target) macro.Text {
	if t == nil {
		return macro.Text{}
	}
	for i := range c.targets {
		if c.targets[i].target == t {
			return c.targets[i].text
		}
	}
	text := t.text(&c.build)
	c.targets = append(c.targets, compiledTarget{t, text})
	return text
}

// listsStores reports whether the visitor gets the page that lists stores.
func (c choice) listsStores() bool { return c.kind == Page && c.open == nil }

// storePage packs the lines of the page that lists stores, and returns the
// number of its first text and how many lines there are.
func (c *compiler) storePage() (first, lines uint8) {
	first = uint8(len(c.packer.texts))
	for _, s := range c.rules.Stores {
		c.packer.texts = append(c.packer.texts, s.Label, c.text(s.Target).Packed())
	}
	return first, uint8(len(c.rules.Stores))
}

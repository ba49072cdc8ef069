package route

import "waypost/internal/macro"

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
	p := &Plan{fixed: r.Fixed, stored: r.Stored, reported: r.Reported}
	choices := make([]choice, 0, 8)
	for visitor := range slots {
		chosen := c.rules.choose(visitor)
		n := 0
		for n < len(choices) && choices[n] != chosen {
			n++
		}
		if n == len(choices) {
			choices = append(choices, chosen)
		}
		p.choices[visitor] = uint8(n)
	}
	p.destinations = make([]Destination, len(choices))
	for i := range choices {
		p.destinations[i] = c.destination(&choices[i])
	}
	return p, choices
}

// compiler remembers what it has compiled, so that destinations which share a
// target share its text, and those which show the same page share the page.
type compiler struct {
	rules   *Rules
	build   macro.Builder
	targets []compiledTarget
	stores  *pageParts
}

type compiledTarget struct {
	target *Target
	text   macro.Text
}

func (c *compiler) destination(chosen *choice) Destination {
	d := Destination{Rule: chosen.rule, Kind: chosen.kind, Tracker: chosen.tracker, words: c.words(chosen)}
	switch {
	case chosen.kind == Redirect:
		d.location = c.text(chosen.target)
	case chosen.kind == Preview:
		d.page = &pageParts{name: c.rules.Name, preview: c.rules.Preview, self: c.rules.Link}
	case chosen.open != nil:
		app := &appParts{next: c.text(chosen.target), store: chosen.store, copies: chosen.copies}
		app.open = chosen.open.text(&c.build, app.next)
		d.page = &pageParts{name: c.rules.Name, app: app}
	case chosen.kind == Page:
		d.page = c.storePage()
	}
	return d
}

// words returns what is told of the choice, or nil.
func (c *compiler) words(chosen *choice) *words {
	if chosen.deepLink == "" && chosen.kind != Told {
		return nil
	}
	w := &words{deepLink: deepLinkText(&c.build, chosen.deepLink)}
	if chosen.kind == Told {
		w.reply = c.rules.Reply
	}
	return w
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

func (c *compiler) storePage() *pageParts {
	if c.stores == nil {
		c.stores = &pageParts{name: c.rules.Name}
		for _, s := range c.rules.Stores {
			c.stores.stores = append(c.stores.stores, storeParts{s.Label, c.text(s.Target)})
		}
	}
	return c.stores
}

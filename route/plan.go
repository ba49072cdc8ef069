package route

import (
	"cmp"
	"fmt"
	"unsafe"

	"waypost/internal/device"
	"waypost/internal/macro"
	"waypost/internal/page"
	"waypost/internal/uid"
	"waypost/link"
)

// Kind is how a click is answered.
type Kind uint8

// Kinds of answer.
const (
	Redirect Kind = iota // to a location
	Page                 // 200 with a page for people
	Preview              // 200 with a page for programs that build link previews
	Empty                // 200 without a body
	Told                 // 200 with the rules' own JSON
)

var kindNames = [...]string{"redirect", "page", "preview", "empty", "told"}

// String returns the kind's name in explanations.
func (k Kind) String() string { return kindNames[k] }

// MarshalText lets a Kind stand in JSON by its name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name back.
func (k *Kind) UnmarshalText(text []byte) error {
	for i, name := range kindNames {
		if name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("unknown kind of answer %q", text)
}

// Plan is a link's Rules, compiled. It is immutable and small, because caches
// hold one for every link that was clicked lately.
type Plan struct {
	choices      [slots]uint8 // index into destinations for each kind of visitor
	fixed        bool
	stored       string
	reported     *Reported
	destinations []Destination
}

// Fixed reports whether the plan answers clicks with other parameters, too.
func (p *Plan) Fixed() bool { return p.fixed }

// Stored returns the parameters that the clicked address stands for, raw.
func (p *Plan) Stored() string { return p.stored }

// Reported returns the visitor whose click a server reports, or nil.
func (p *Plan) Reported() *Reported { return p.reported }

// Destination answers a click. It belongs to its Plan.
type Destination struct {
	Rule     Rule
	Kind     Kind
	Tracker  link.Tracker
	location macro.Text
	page     *pageParts
	words    *words
}

// words are what a destination tells to whom it does not send anywhere. Few
// links have some, so they are not in the Destination itself.
type words struct {
	deepLink macro.Text
	reply    string
}

// pageParts is what a page shows. Exactly one of its three forms is set.
type pageParts struct {
	name    string
	app     *appParts
	preview *link.OpenGraph
	self    string // the link's own URL, on previews
	stores  []storeParts
}

type appParts struct {
	open, next macro.Text
	store      bool
	copies     bool
}

type storeParts struct {
	label string
	url   macro.Text
}

// Moment is what a click adds to its plan.
type Moment struct {
	Click    uid.Click
	AtMillis int64 // Unix time
}

// Decide returns where a visitor goes. It allocates nothing; the result is
// never nil and must not be changed.
func (p *Plan) Decide(d *device.Device) *Destination {
	return &p.destinations[p.choices[slot(d)]]
}

// AppendLocation appends the URL of a Redirect. It allocates nothing beyond
// growing dst. The text is fit for a header: no control characters, no spaces.
func (d *Destination) AppendLocation(dst []byte, m Moment) []byte {
	return d.location.Append(dst, macro.Values(m))
}

// AppendDeepLink appends where in the app the visitor belongs, as it is: what
// the text is put into has to encode it. Nothing is appended where the rules
// say nothing. It allocates nothing beyond growing dst.
func (d *Destination) AppendDeepLink(dst []byte, m Moment) []byte {
	if d.words == nil {
		return dst
	}
	return d.words.deepLink.Append(dst, macro.Values(m))
}

// Reply returns the JSON of a Told.
func (d *Destination) Reply() string {
	if d.words == nil {
		return ""
	}
	return d.words.reply
}

// Copies reports whether the destination is a page that leaves the click's
// token on the clipboard.
func (d *Destination) Copies() bool { return d.page != nil && d.page.app != nil && d.page.app.copies }

// AppendPage appends the HTML of a Page or a Preview, which is to be sent with
// page.Policy as its Content-Security-Policy. On an error dst is returned as
// it was.
func (d *Destination) AppendPage(dst []byte, m Moment) ([]byte, error) {
	p := d.page
	token := ""
	if d.Copies() {
		token = m.Click.Copied()
	}
	switch {
	case p == nil:
		return dst, nil
	case p.app != nil:
		return page.AppendTry(dst, page.Try{
			Name:    p.name,
			Open:    string(p.app.open.Append(nil, macro.Values(m))),
			Next:    string(p.app.next.Append(nil, macro.Values(m))),
			Replace: !p.app.store, Store: p.app.store, Copy: token,
		})
	case d.Kind == Preview:
		shown := page.Preview{Title: p.name, URL: p.self}
		if p.preview != nil {
			shown.Title, shown.Description, shown.Image = cmp.Or(p.preview.Title, p.name), p.preview.Description, p.preview.ImageURL
		}
		return page.AppendPreview(dst, shown)
	}
	list := page.Stores{Name: p.name, Stores: make([]page.Store, 0, len(p.stores))}
	for _, s := range p.stores {
		list.Stores = append(list.Stores, page.Store{Label: s.label, URL: string(s.url.Append(nil, macro.Values(m)))})
	}
	return page.AppendStores(dst, list)
}

// Size returns about how many bytes a plan keeps to itself, for caches that
// are bounded by memory. Strings that it shares with its template are left out.
func (p *Plan) Size() int {
	size := int(unsafe.Sizeof(*p)) + len(p.stored) + cap(p.destinations)*int(unsafe.Sizeof(Destination{}))
	counted := map[*byte]bool{}
	text := func(t macro.Text) {
		if key := t.Key(); key != nil && !counted[key] {
			counted[key] = true
			size += t.Size()
		}
	}
	pages := map[*pageParts]bool{}
	for i := range p.destinations {
		d := &p.destinations[i]
		text(d.location)
		if d.words != nil {
			size += int(unsafe.Sizeof(*d.words)) + len(d.words.reply)
			text(d.words.deepLink)
		}
		if d.page == nil || pages[d.page] {
			continue
		}
		pages[d.page] = true
		size += int(unsafe.Sizeof(*d.page)) + len(d.page.self)
		if app := d.page.app; app != nil {
			size += int(unsafe.Sizeof(*app))
			text(app.open)
			text(app.next)
		}
		for _, s := range d.page.stores {
			size += int(unsafe.Sizeof(s))
			text(s.url)
		}
	}
	return size
}

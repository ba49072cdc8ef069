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
// hold one for every link that was clicked lately: but for what a preview
// shares with other links it is one text, without pointers for the garbage
// collector to follow.
type Plan struct {
	packed   string          // see packer
	preview  *link.OpenGraph // may be shared between plans; nil: none
	reported *Reported       // nil: the visitor is who asks
	places   uint16          // where packed says where its texts are
	stores   uint8           // number of the first text of the page that lists stores
	lines    uint8           // of that page
	fixed    bool
}

// Fixed reports whether the plan answers clicks with other parameters, too.
func (p *Plan) Fixed() bool { return p.fixed }

// Stored returns the parameters that the clicked address stands for, raw.
func (p *Plan) Stored() string { return p.text(storedText) }

// Reported returns the visitor whose click a server reports, or nil.
func (p *Plan) Reported() *Reported { return p.reported }

// Packed returns everything that the plan keeps to itself, for caches that put
// it beside what else they know of the link: see On.
func (p *Plan) Packed() string { return p.packed }

// On returns the plan over a copy of its Packed text.
func (p *Plan) On(packed string) Plan {
	moved := *p
	moved.packed = packed
	return moved
}

// Size returns about how many bytes a plan keeps to itself, for caches that
// are bounded by memory.
func (p *Plan) Size() int { return int(unsafe.Sizeof(*p)) + len(p.packed) }

// Destination answers a click. It looks into its Plan.
type Destination struct {
	Rule     Rule
	Kind     Kind
	Tracker  link.Tracker
	store    bool       // a page's next is a store
	copies   bool       // a page leaves the click's token on the clipboard
	next     macro.Text // location of a redirect; where a page goes on to
	open     macro.Text // what a page tries
	deepLink macro.Text
	reply    string
	plan     *Plan
}

// Moment is what a click adds to its plan.
type Moment struct {
	Click    uid.Click
	AtMillis int64 // Unix time
}

// Decide returns where a visitor goes. It allocates nothing.
func (p *Plan) Decide(d *device.Device) Destination {
	return p.destination(int(p.packed[slot(d)]))
}

// AppendLocation appends the URL of a Redirect. It allocates nothing beyond
// growing dst. The text is fit for a header: no control characters, no spaces.
func (d Destination) AppendLocation(dst []byte, m Moment) []byte {
	if d.Kind != Redirect {
		return dst
	}
	return d.next.Append(dst, macro.Values(m))
}

// AppendDeepLink appends where in the app the visitor belongs, as it is: what
// the text is put into has to encode it. Nothing is appended where the rules
// say nothing. It allocates nothing beyond growing dst.
func (d Destination) AppendDeepLink(dst []byte, m Moment) []byte {
	return d.deepLink.Append(dst, macro.Values(m))
}

// Reply returns the JSON of a Told.
func (d Destination) Reply() string { return d.reply }

// Copies reports whether the destination is a page that leaves the click's
// token on the clipboard.
func (d Destination) Copies() bool { return d.copies }

// AppendPage appends the HTML of a Page or a Preview, which is to be sent with
// page.Policy as its Content-Security-Policy. On an error dst is returned as
// it was.
func (d Destination) AppendPage(dst []byte, m Moment) ([]byte, error) {
	name := d.plan.text(nameText)
	switch {
	case d.Kind == Preview:
		shown := page.Preview{Title: name, URL: d.plan.text(selfText)}
		if og := d.plan.preview; og != nil {
			shown.Title, shown.Description, shown.Image = cmp.Or(og.Title, name), og.Description, og.ImageURL
		}
		return page.AppendPreview(dst, shown)
	case d.Kind != Page:
		return dst, nil
	case !d.open.IsZero():
		token := ""
		if d.copies {
			token = m.Click.Copied()
		}
		return page.AppendTry(dst, page.Try{
			Name:    name,
			Open:    string(d.open.Append(nil, macro.Values(m))),
			Next:    string(d.next.Append(nil, macro.Values(m))),
			Replace: !d.store, Store: d.store, Copy: token,
		})
	}
	list := page.Stores{Name: name}
	d.plan.eachStore(func(label string, url macro.Text) {
		list.Stores = append(list.Stores, page.Store{Label: label, URL: string(url.Append(nil, macro.Values(m)))})
	})
	return page.AppendStores(dst, list)
}

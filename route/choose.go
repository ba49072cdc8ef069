package route

import (
	"waypost/internal/device"
	"waypost/link"
)

// Kinds of visitor: one for each platform, one more for each phone's browsers
// inside other apps, and two for those who are no people.
const (
	platforms   = int(device.PlayStation) + 1
	inAppSlot   = platforms - int(device.IOS) // plus the phone's platform
	botSlot     = inAppSlot + int(device.FireOS) + 1
	previewSlot = botSlot + 1
	slots       = previewSlot + 1
)

// slot returns which kind of visitor a device is.
func slot(d *device.Device) int {
	switch {
	case d.Preview:
		return previewSlot
	case d.IsBot():
		return botSlot
	case int(d.Platform) >= platforms:
		return int(device.Unknown)
	case d.Browser != "" && isPhone(d.Platform):
		return inAppSlot + int(d.Platform)
	}
	return int(d.Platform)
}

// isPhone reports whether a platform gets offers with an app to open. Their
// numbers follow one another.
func isPhone(p device.Platform) bool { return p >= device.IOS && p <= device.FireOS }

// choice is what Rules hold for one kind of visitor.
type choice struct {
	rule     Rule
	kind     Kind
	open     *Open   // tried by a page; nil: none
	target   *Target // of a redirect, or where the page goes on to; nil: nowhere
	store    bool    // target is a store
	copies   bool    // the page leaves the click's token on the clipboard
	tracker  link.Tracker
	deepLink string
}

// choose is the decision table. r has been checked: every part is usable.
func (r *Rules) choose(visitor int) choice {
	if visitor >= botSlot {
		c := r.chooseBot(visitor)
		c.tracker = r.Tracker
		return c
	}
	platform, inApp := device.Platform(visitor), visitor >= platforms
	if inApp {
		platform = device.Platform(visitor - inAppSlot)
	}
	offer := Offer{Platform: platform, Tracker: r.Tracker}
	if o := r.offer(platform); o != nil {
		offer = *o
	}
	if inApp && offer.InApp != nil {
		offer.Open = offer.InApp
	}
	c := choice{rule: NoRedirect, kind: r.silence()}
	if r.NoRedirect == "" {
		c = r.chooseOffer(&offer, platform)
	}
	c.tracker, c.deepLink = offer.Tracker, offer.DeepLink
	return c
}

func (r *Rules) chooseBot(visitor int) choice {
	switch {
	case visitor == previewSlot:
		return choice{rule: PreviewRule, kind: Preview}
	case r.NoRedirect != "":
		return choice{rule: NoRedirect, kind: r.silence()}
	}
	c := r.chooseWeb()
	c.rule = BotWeb
	return c
}

// silence is how a click is answered that asks for no redirect.
func (r *Rules) silence() Kind {
	if r.Reply != "" {
		return Told
	}
	return Empty
}

func (r *Rules) chooseOffer(o *Offer, platform device.Platform) choice {
	switch {
	case platform == device.Android, platform == device.FireOS:
		return r.choosePhone(o, AndroidApp, AndroidWeb, AndroidStore)
	case platform == device.IOS:
		return r.choosePhone(o, IOSApp, IOSWeb, IOSStore)
	case platform.IsDesktop() && o.Web != nil:
		return choice{rule: Web, kind: Redirect, target: o.Web}
	case !platform.IsDesktop() && o.Store != nil:
		return choice{rule: TVStore, kind: Redirect, target: o.Store, store: true}
	}
	return r.chooseWeb()
}

func (r *Rules) choosePhone(o *Offer, app, web, store Rule) choice {
	c := choice{rule: web, kind: Redirect, target: o.Web}
	if c.target == nil && o.Store != nil {
		c.rule, c.target, c.store = store, o.Store, true
	}
	if c.target == nil {
		c = r.chooseWeb()
	}
	if o.Open != nil {
		c.rule, c.kind, c.open, c.copies = app, Page, o.Open, o.Clipboard && c.store
	}
	return c
}

func (r *Rules) chooseWeb() choice {
	if r.Web == nil {
		return choice{rule: FallbackPage, kind: Page}
	}
	return choice{rule: Web, kind: Redirect, target: r.Web}
}

func (r *Rules) offer(p device.Platform) *Offer {
	for i := range r.Offers {
		if r.Offers[i].Platform == p {
			return &r.Offers[i]
		}
	}
	if p == device.FireOS {
		return r.offer(device.Android)
	}
	return nil
}

// checked returns the rules without the parts that must not be used. Dialects
// refuse such parts with better words; this is the last line.
func (r *Rules) checked() *Rules {
	usable := *r
	usable.Notes = usable.Notes[:len(usable.Notes):len(usable.Notes)] // r's own stay as they are
	ignore := func(from string, err error) {
		usable.Notes = append(usable.Notes, from+" is ignored: it "+err.Error()+".")
	}
	target := func(t *Target) *Target {
		if t == nil {
			return nil
		}
		if err := CheckTarget(t.URL); err != nil {
			ignore(t.From, err)
			return nil
		}
		return t
	}
	open := func(o *Open) *Open {
		if o == nil {
			return nil
		}
		if err := CheckOpen(o.URI); err != nil {
			ignore(o.From, err)
			return nil
		}
		return o
	}
	usable.Web = target(r.Web)
	usable.Offers = make([]Offer, len(r.Offers))
	for i, o := range r.Offers {
		o.Web, o.Store = target(o.Web), target(o.Store)
		o.Open, o.InApp = open(o.Open), open(o.InApp)
		if err := checkDeepLink(o.DeepLink); err != nil {
			ignore("The deep link for "+o.Platform.String(), err)
			o.DeepLink = ""
		}
		usable.Offers[i] = o
	}
	usable.Stores = make([]Store, 0, len(r.Stores))
	for _, s := range r.Stores {
		if s.Target = target(s.Target); s.Target != nil {
			usable.Stores = append(usable.Stores, s)
		}
	}
	return &usable
}

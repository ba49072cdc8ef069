package singular

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"waypost/link"
	"waypost/route"
)

// Names of the parameters of a create (API page, "Query Parameters").
const (
	paramApp          = "app_id"
	paramType         = "link_type"
	paramPartner      = "partner_id"
	paramSource       = "source_name"
	paramName         = "tracking_link_name"
	paramSubdomain    = "link_subdomain"
	paramZone         = "link_dns_zone"
	paramFallback     = "destination_fallback_url"
	paramAndroid      = "android_redirection"
	paramIOS          = "ios_redirection"
	paramReengagement = "enable_reengagement"
	paramCTV          = "enable_ctv"
	paramQuery        = "link_parameter"
	paramOG           = "og_tags"

	paramAppSite     = "app_site_id"
	paramDestination = "destination_url"
	paramDeepLink    = "destination_deeplink_url"
	paramDeferred    = "destination_deferred_deeplink_url"

	paramTitle       = "title"
	paramDescription = "description"
	paramImage       = "image_url"
)

// wish is a create as its client sent it, every value of the right form.
type wish struct {
	linkType              LinkType
	app                   link.AppGroupID
	partner               link.PartnerID // of partner links only
	source                string         // of the others
	name, subdomain, zone string
	fallback              string
	android, ios          *Redirection
	reengagement, ctv     *bool // nil: not given
	windows               [len(windows)]*int
	parameters            []Pair
	og                    *OG
	notes                 []string // of what is understood and has no effect
}

// wish reads the fields of a create, or says which is missing or wrong.
func (f *form) wish() (*wish, error) {
	w := &wish{linkType: f.linkType()}
	w.app = link.AppGroupID(f.number(paramApp, f.need(paramApp)))
	f.readSource(w)
	w.name = f.text(paramName, f.need(paramName), maxName)
	w.subdomain = strings.ToLower(f.text(paramSubdomain, f.need(paramSubdomain), maxName))
	w.zone = strings.ToLower(f.text(paramZone, f.need(paramZone), maxName))
	w.fallback = f.webURL(paramFallback, f.need(paramFallback))
	w.android, w.ios = f.redirection(paramAndroid), f.redirection(paramIOS)
	if f.err == nil && w.android == nil && w.ios == nil {
		f.fail(said("Missing required parameter: %s or %s", paramAndroid, paramIOS))
	}
	w.reengagement, w.ctv = f.boolean(paramReengagement), f.boolean(paramCTV)
	for i := range windows {
		w.windows[i] = f.window(&windows[i], w.reengagement)
	}
	w.parameters = f.parameters()
	w.og = f.og()
	f.noteUnknown(known)
	w.notes = f.notes
	return w, f.err
}

func (f *form) linkType() LinkType {
	text := f.text(paramType, f.need(paramType), maxName)
	t := LinkType(strings.ToLower(text))
	if f.err == nil && t != PartnerLink && t != CustomLink && t != WebToApp {
		f.fail(invalid(paramType, "it must be partner, custom or mobile_web_to_app, not %s", shortened(text)))
	}
	return t
}

// sources are the names that the vendor lists, which are known in any case.
var sources = []string{"crosspromo", "email", "sms", "social", "affiliates", "influencers"}

// webToAppSource is where the installs of web-to-app links land that name no source.
const webToAppSource = "Mobile Web to App"

// readSource reads who earns the credit. A partner that a custom link names is
// not read: the vendor's own sample has one.
func (f *form) readSource(w *wish) {
	if w.linkType == PartnerLink {
		raw := f.take(paramPartner)
		if f.err == nil && raw == nil {
			f.fail(said("partner_id is required for partner links"))
		}
		w.partner = link.PartnerID(f.number(paramPartner, raw))
		return
	}
	raw := f.take(paramSource)
	switch {
	case f.err != nil:
	case raw == nil && w.linkType == WebToApp:
		w.source = webToAppSource
	case raw == nil:
		f.fail(said("source_name is required for custom links"))
	}
	if raw != nil {
		w.source = f.text(paramSource, raw, maxSource)
	}
	if known := strings.ToLower(w.source); slices.Contains(sources, known) {
		w.source = known
	}
}

// redirection reads where one platform goes; nil where the object is absent
// or all its fields are: some clients send both.
func (f *form) redirection(name string) *Redirection {
	members, ok := f.part(name)
	if !ok {
		return nil
	}
	part := newForm(name + ".")
	part.fill(members)
	if len(part.fields) == 0 {
		return nil
	}
	r := &Redirection{AppSite: link.AppID(part.number(paramAppSite, part.need(paramAppSite)))}
	r.Destination = part.target(paramDestination, part.need(paramDestination), route.CheckTarget)
	r.DeepLink = part.target(paramDeepLink, part.take(paramDeepLink), route.CheckOpen)
	r.Deferred = part.target(paramDeferred, part.take(paramDeferred), route.CheckOpen)
	if part.err != nil {
		f.fail(part.err)
	}
	part.noteUnknown(knownInRedirection)
	f.notes = append(f.notes, part.notes...)
	return r
}

func (f *form) window(w *window, reengagement *bool) *int {
	raw := f.take(w.name)
	if raw == nil || w.name == reengagementWindow && (reengagement == nil || !*reengagement) {
		return nil
	}
	n, err := w.read(raw)
	if err != nil {
		f.fail(err)
	}
	return &n
}

// Limits of link_parameter.
const (
	maxPairs = 50
	maxPair  = 2048 // characters of a name or a value
)

// parameters reads what the client wants on the link's address, in its order.
// Values that are no text become their JSON: _p may be an object.
func (f *form) parameters() []Pair {
	members, _ := f.part(paramQuery)
	var pairs []Pair
	for _, m := range members {
		if string(m.value) == "null" {
			continue
		}
		p := Pair{Name: strings.TrimSpace(m.name), Value: looseText(m.value)}
		for _, text := range []string{p.Name, p.Value} {
			if utf8.RuneCountInString(text) > maxPair || strings.ContainsFunc(text, unicode.IsControl) {
				f.fail(invalid(paramQuery, "names and values must not hold control characters, nor more than %d characters", maxPair))
			}
		}
		if p.Name == "" {
			f.fail(invalid(paramQuery, "every value needs a name"))
		}
		pairs = slices.DeleteFunc(pairs, func(other Pair) bool { return other.Name == p.Name })
		pairs = append(pairs, p)
	}
	if len(pairs) > maxPairs {
		f.fail(invalid(paramQuery, "it must not hold more than %d parameters", maxPairs))
	}
	return pairs
}

// og reads what a preview shows.
func (f *form) og() *OG {
	members, ok := f.part(paramOG)
	if !ok {
		return nil
	}
	part := newForm(paramOG + ".")
	part.fill(members)
	og := &OG{
		Title:       part.text(paramTitle, part.take(paramTitle), maxTarget),
		Description: part.text(paramDescription, part.take(paramDescription), maxTarget),
		ImageURL:    part.webURL(paramImage, part.take(paramImage)),
	}
	switch {
	case part.err != nil:
		f.fail(part.err)
	case og.Title == "" || og.Description == "" || og.ImageURL == "":
		f.fail(said("og_tags: all fields must have a value: title, description and image_url"))
	}
	part.noteUnknown(knownInOG)
	f.notes = append(f.notes, part.notes...)
	return og
}

// noteUnknown notes every field that means nothing here, so that a misspelt
// one is found.
func (f *form) noteUnknown(known map[string]bool) {
	var notes []string
	for name := range f.fields {
		if !known[name] {
			notes = append(notes, "unknown parameter "+shortened(f.object+name)+" was ignored")
		}
	}
	slices.Sort(notes)
	f.notes = append(f.notes, notes[:min(len(notes), maxNotes)]...)
}

// maxNotes bounds how many unknown parameters of one object an answer names.
const maxNotes = 20

var (
	knownInRedirection = map[string]bool{paramAppSite: true, paramDestination: true, paramDeepLink: true, paramDeferred: true}
	knownInOG          = map[string]bool{paramTitle: true, paramDescription: true, paramImage: true}
)

// known are the fields of a create and, so that what was read can be sent back
// in a change, those of a link.
var known = knownFields()

func knownFields() map[string]bool {
	all := map[string]bool{
		"tracking_link_id": true, "click_tracking_link": true, "impression_tracking_link": true, "short_link": true,
		"created_utc": true, "modified_utc": true, "api_key": true,
	}
	for _, name := range []string{
		paramApp, paramType, paramPartner, paramSource, paramName, paramSubdomain, paramZone, paramFallback, paramAndroid,
		paramIOS, paramReengagement, paramCTV, paramQuery, paramOG,
	} {
		all[name] = true
	}
	for i := range windows {
		all[windows[i].name] = true
	}
	return all
}

// members returns the fields of the create that would make the link anew.
func (s *Stored) members(l *link.Link) []member {
	fields := map[string]any{
		paramApp: l.Listing.AppGroup, paramType: s.LinkType, paramSource: s.SourceName, paramName: l.Listing.Name,
		paramSubdomain: s.LinkSubdomain, paramZone: s.Zone, paramFallback: s.Fallback,
		paramAndroid: s.Android, paramIOS: s.IOS, paramReengagement: s.Reengagement, paramCTV: s.CTV,
		paramQuery: orderedPairs(s.LinkParameter),
	}
	if l.Listing.Partner != 0 {
		fields[paramPartner] = l.Listing.Partner
	}
	if s.OG != nil {
		fields[paramOG] = s.OG
	}
	for i := range windows {
		fields[windows[i].name] = *windows[i].field(s)
	}
	var all []member
	for name, value := range fields {
		raw, err := json.Marshal(value)
		if err != nil {
			panic("singular: a stored link has no JSON form: " + err.Error()) // it came out of JSON
		}
		all = append(all, member{name, raw})
	}
	return all
}

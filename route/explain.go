package route

import (
	"waypost/internal/device"
	"waypost/internal/macro"
	"waypost/link"
)

// Explanation says what one kind of visitor gets and why. URLs show what the
// click fills in as {click_id}, {click_token} and {click_ms}.
type Explanation struct {
	Visitor  string   `json:"visitor"`
	Kind     Kind     `json:"kind" enum:"redirect,page,preview,empty,told"`
	Rule     Rule     `json:"rule"`
	Location string   `json:"location,omitempty" doc:"of a redirect"`
	Open     string   `json:"open,omitempty" doc:"URI that a page tries"`
	Next     string   `json:"next,omitempty" doc:"where the page goes on to"`
	Stores   []string `json:"stores,omitempty"`
	Reply    string   `json:"reply,omitempty" doc:"JSON that is told where nobody is redirected"`
	DeepLink string   `json:"deep_link,omitempty" doc:"where in the app the visitor belongs"`
	// Tracker is zero where the link is measured as a whole.
	Tracker link.Tracker `json:"tracker,omitempty" doc:"the part of the link that the click is counted for: 1 is the catch-all, the routes follow"`
	Reason  string       `json:"reason"`
}

// visitors are the devices that explanations are for, in their order.
var visitors = []struct {
	name   string
	device device.Device
}{
	{"ios", device.Device{Platform: device.IOS}},
	{"ios in-app browser", device.Device{Platform: device.IOS, Browser: "Instagram"}},
	{"android", device.Device{Platform: device.Android}},
	{"android in-app browser", device.Device{Platform: device.Android, Browser: "Instagram"}},
	{"fireos", device.Device{Platform: device.FireOS}},
	{"macos", device.Device{Platform: device.MacOS}},
	{"windows", device.Device{Platform: device.Windows}},
	{"web", device.Device{Platform: device.Web}},
	{"tvos", device.Device{Platform: device.AppleTV}},
	{"androidtv", device.Device{Platform: device.AndroidTV}},
	{"firetv", device.Device{Platform: device.FireTV}},
	{"roku", device.Device{Platform: device.Roku}},
	{"tizen", device.Device{Platform: device.Tizen}},
	{"webos", device.Device{Platform: device.WebOS}},
	{"xbox", device.Device{Platform: device.Xbox}},
	{"playstation", device.Device{Platform: device.PlayStation}},
	{"link preview", device.Device{Bot: "preview", Preview: true}},
	{"other bot", device.Device{Bot: "crawler"}},
}

// Explain says what the rules do for every kind of visitor, and in notes what
// of them is ignored.
func Explain(r *Rules) (explanations []Explanation, notes []string) {
	plan, choices := compile(r)
	for i := range visitors {
		v := &visitors[i]
		d := plan.Decide(&v.device)
		chosen := &choices[plan.packed[slot(&v.device)]]
		e := Explanation{Visitor: v.name, Kind: d.Kind, Rule: d.Rule, Tracker: d.Tracker, Reply: d.Reply(), DeepLink: d.deepLink.String()}
		switch {
		case d.Kind == Redirect:
			e.Location = d.next.String()
		case chosen.listsStores():
			plan.eachStore(func(_ string, url macro.Text) { e.Stores = append(e.Stores, url.String()) })
		default:
			e.Open, e.Next = d.open.String(), d.next.String()
		}
		e.Reason = r.reason(chosen) + opening(&v.device)
		explanations = append(explanations, e)
	}
	return explanations, r.checked().Notes
}

// reason says in a sentence why the choice was made.
func (r *Rules) reason(c *choice) string {
	switch c.rule {
	case PreviewRule:
		return "Programs that show a preview of the link get its title, description and image."
	case NoRedirect:
		return "The click is counted and answered without a redirect: " + r.NoRedirect + "."
	case BotWeb:
		if c.target == nil {
			return "Bots get what desktops get, here the page that lists the stores; they are never counted as clicks."
		}
		return "Bots get what desktops get, " + c.target.From + "; they are never counted as clicks."
	case FallbackPage:
		return "No web address is set, so a page lists the stores."
	case AndroidApp, IOSApp:
		sentence := "A page tries to open the app by " + c.open.From
		if c.target == nil {
			return sentence + "; there is nothing to go on to."
		}
		if c.copies {
			return sentence + ". A tap leads to " + c.target.From + " and leaves the click's token on the clipboard, where the app looks for it."
		}
		return sentence + ", and goes on to " + c.target.From + " when that fails."
	case AndroidWeb, IOSWeb:
		return "The link sets " + c.target.From + ", which comes before the store."
	case AndroidStore, IOSStore, TVStore:
		return "No web address is set for this platform, so it is " + c.target.From + "."
	}
	if c.target != r.Web {
		return "The link sets " + c.target.From + " for this platform."
	}
	return "Nothing is set for this platform alone, so it is " + c.target.From + "."
}

// opening adds what the server never sees: the app that opens by itself.
func opening(d *device.Device) string {
	switch {
	case d.IsBot():
		return ""
	case d.Browser != "":
		return " In-app browsers seldom let the system open an app, so such clicks arrive here even where it is installed."
	case d.Platform == device.IOS:
		return " Where the app is installed, iOS opens it by universal link without asking the server."
	case d.Platform == device.Android:
		return " Where the app is installed, Android opens it by app link without asking the server."
	}
	return ""
}

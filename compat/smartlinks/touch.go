package smartlinks

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
)

// Touches says what a click or an impression of a SmartLink is worth as a
// touchpoint. The zero value is ready.
type Touches struct{}

// Name returns SmartLinks.
func (Touches) Name() link.Dialect { return link.SmartLinks }

// Touch fills in what only SmartLinks know: who is behind the click, the
// devices that it names, the app of the route that was clicked, what that route
// may claim, and how long. What belongs to no route of the link is no app's
// touch: it earns nothing.
func (Touches) Touch(t *history.Touch, c *event.Click, l *link.Link, d *link.Directory) {
	stored, part, ok := clickedPart(c, l)
	if !ok {
		t.Apps = nil
		return
	}
	said := readClassic(c.Query)
	t.Apps = []link.AppID{part.App}
	t.Source.Tracker = int64(part.Tracker)
	t.Claims = stored.claims(part)
	t.Retargeting = slices.ContainsFunc(t.Claims.Events, func(name string) bool { return name != attribution.InstallEvent })
	if t.Retargeting {
		t.CountActive, t.EventWindow = true, eventWindow
	}
	t.Source.Site, t.Source.AdID = said.get("site_id"), said.get("creative_id")
	nameSource(&t.Source, c.Account, l, d)
	t.Owned = t.Source.Partner == 0 && t.Source.Agency == "" && stored.ChannelType != "paid"
	t.DefaultLookbacks = true
	t.Lookbacks = lookbacks(d, d.Partner(c.Account, t.Source.Partner), d.App(part.App))
	t.DeviceIDs = append(t.DeviceIDs, said.deviceIDs(d.App(part.App))...)
	said.standIn(&t.Facts)
}

// eventWindow is how long named events may follow the click that won a person back.
const eventWindow = 365 * 24 * time.Hour

// clickedPart returns what the link keeps and the part of it that was clicked;
// not ok where the event and the link do not fit each other.
func clickedPart(c *event.Click, l *link.Link) (Stored, Tracked, bool) {
	if l == nil || l.Dialect != link.SmartLinks {
		return Stored{}, Tracked{}, false
	}
	stored, err := Read(l.Data)
	if err != nil {
		return Stored{}, Tracked{}, false
	}
	all, at := stored.Trackers(), int(max(c.Tracker, link.CatchAll)-link.CatchAll)
	if at >= len(all) {
		return Stored{}, Tracked{}, false
	}
	return stored, all[at], true
}

// claims are what a part of the link may be credited with: the catch-all with
// the installs of its app, a route with what was listed for its app, which may
// be nothing.
func (s *Stored) claims(part Tracked) attribution.Claims {
	if part.Route == nil {
		return attribution.Claims{Limited: true, Events: []string{attribution.InstallEvent}}
	}
	return attribution.Claims{Limited: true, Events: claimed(s.eventsOf(part.App))}
}

// eventsOf are those that the link's traffic may be credited with for the app.
func (s *Stored) eventsOf(app link.AppID) []string {
	for i := range s.Apps {
		if s.Apps[i].App == app {
			return s.Apps[i].Events
		}
	}
	return nil
}

// claimed spells the install as attribution does, however the caller spelt it.
func claimed(events []string) []string {
	names := slices.Clone(events)
	for i, name := range names {
		if strings.EqualFold(name, attribution.InstallEvent) {
			names[i] = attribution.InstallEvent
		}
	}
	return names
}

// nameSource says who sent the visitor and what for, as the link's place among
// the account's partners and campaigns has it. The click cannot change that.
func nameSource(s *attribution.Source, account link.AccountID, l *link.Link, d *link.Directory) {
	if l.Listing == nil {
		return
	}
	s.Partner, s.Name, s.Agency = 0, "", ""
	if p := d.Partner(account, l.Listing.Partner); p != nil && p.ID != NoNetwork {
		s.Partner, s.Name = p.ID, p.Name
	}
	if p := d.Partner(account, l.Listing.Agency); p != nil {
		s.Agency = p.Name
	}
	s.Campaign = l.Listing.CampaignName
	if l.Listing.Campaign != 0 {
		s.CampaignID = strconv.FormatInt(int64(l.Listing.Campaign), 10)
	}
}

// defaultLookbacks hold where neither the partner has one of its own for the
// app, nor the app or its account set one. The
// vendor publishes no figures for them; attribution cuts those of matches by
// likeness to what it trusts.
var defaultLookbacks = attribution.Lookbacks{
	ClickDeterministic: attribution.Lookback(30 * 24 * time.Hour),
	ClickProbabilistic: attribution.Lookback(7 * 24 * time.Hour),
	ViewDeterministic:  attribution.Lookback(24 * time.Hour),
	ViewProbabilistic:  attribution.Lookback(24 * time.Hour),
}

// lookbacks are what the touch asks for: nothing where the partner does, the
// app or its account, since what a touch asks for would come first.
func lookbacks(d *link.Directory, p *link.Partner, app *link.App) attribution.Lookbacks {
	asked := defaultLookbacks
	if app == nil {
		return asked
	}
	if p != nil {
		for _, set := range p.ConfiguredFor {
			if set.App == app.ID {
				yield(&asked.ClickDeterministic, set.ClickDeterministic != 0)
				yield(&asked.ClickProbabilistic, set.ClickProbabilistic != 0)
				yield(&asked.ViewDeterministic, set.ViewDeterministic != 0)
				yield(&asked.ViewProbabilistic, set.ViewProbabilistic != 0)
			}
		}
	}
	yieldTo(&asked, &app.Attribution.Lookbacks)
	if account := d.Account(app.Account); account != nil {
		yieldTo(&asked, &account.Attribution.Lookbacks)
	}
	return asked
}

func yieldTo(asked *attribution.Lookbacks, set *link.LookbackSettings) {
	yield(&asked.ClickDeterministic, set.Click != nil)
	yield(&asked.ClickProbabilistic, set.ClickProbabilistic != nil)
	yield(&asked.ViewDeterministic, set.View != nil)
	yield(&asked.ViewProbabilistic, set.ViewProbabilistic != nil)
}

func yield(asked *attribution.Lookback, toAnother bool) {
	if toAnother {
		*asked = 0
	}
}

package pipeline

import (
	"context"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
	"waypost/report"
)

// What is counted of sites, the publishers inside a partner. A site's day is
// that of its clicks, so that installs stand beside the clicks that they came
// from. A click counts for the apps that its visitor may run; an install, or a
// re-engagement, for the site whose click won it, and also for one whose click
// would have won if no rule about sites had rejected it: else a site that is
// rejected could never prove itself. Refused conversions count for nobody.
// Views do not count, nor does the account's own media, which nobody pays for.

// isOfSite reports whether the touch is judged by its site.
func isOfSite(t *attribution.Touchpoint) bool { return t.Source.Site != "" && !t.Owned }

// siteDayOf is what a touch of a site counts for. A partner is one, however
// its links spell it.
func siteDayOf(app link.AppID, t *attribution.Touchpoint) history.SiteDay {
	d := history.SiteDay{App: app, Partner: t.Source.Partner, Site: t.Source.Site, Day: report.DayOf(t.At.UnixMilli())}
	if d.Partner == 0 {
		d.Source = t.Source.Name
	}
	return d
}

// appDayOf is what every touch of an app counts for.
func appDayOf(app link.AppID, t *attribution.Touchpoint) history.SiteDay {
	return history.SiteDay{App: app, Day: report.DayOf(t.At.UnixMilli())}
}

// countClick counts a click for its site.
func (h *hearing) countClick(t *attribution.Touchpoint) {
	if t.Kind != attribution.Click || !isOfSite(t) {
		return
	}
	for _, id := range t.Apps {
		if app := h.directory.App(id); app != nil && t.MayRun(app.Platform) {
			h.ahead.site(siteDayOf(id, t)).Clicks++
		}
	}
}

// seeSites fills in what was counted of the candidates' sites.
func (h *hearing) seeSites(ctx context.Context, app link.AppID, touches []history.Touch) error {
	var asked []history.SiteDay
	at := map[history.SiteDay]int{}
	ask := func(d history.SiteDay) {
		if _, known := at[d]; !known {
			at[d] = len(asked)
			asked = append(asked, d)
		}
	}
	for i := range touches {
		if t := &touches[i].Touchpoint; isOfSite(t) {
			ask(siteDayOf(app, t))
			ask(appDayOf(app, t))
		}
	}
	if len(asked) == 0 {
		return nil
	}
	found, err := h.ahead.readSites(ctx, asked)
	if err != nil {
		return err
	}
	for i := range touches {
		if t := &touches[i].Touchpoint; isOfSite(t) {
			t.Traffic.SeeSite(&found[at[siteDayOf(app, t)]], &found[at[appDayOf(app, t)]])
		}
	}
	return nil
}

// claimOf is the touch that would have won without the rules about sites; nil:
// none. points are the candidates, and what was counted of their sites is taken
// out of them.
func claimOf(d *attribution.Decision, c *attribution.Conversion, points []attribution.Touchpoint, p *attribution.Policy, now time.Time) *attribution.Match {
	if c.Kind == attribution.InApp || !slices.ContainsFunc(d.Rejected, func(r attribution.Rejection) bool { return slices.Contains(attribution.SiteRules(), r.Code) }) {
		return d.Winner
	}
	for i := range points {
		seen := &points[i].Traffic
		points[i].Traffic = attribution.Traffic{DeviceClicks: seen.DeviceClicks, AgentClicks: seen.AgentClicks}
	}
	again := attribution.Decide(c, points, p, now)
	return again.Winner
}

// countConversion counts what a conversion says about the sites that claimed it.
// newDevice is asked where it matters.
func (h *hearing) countConversion(r *ruling, newDevice func() (bool, error)) error {
	if r.decision.Verdict == attribution.Refused {
		return nil
	}
	won := []*attribution.Match{r.decision.Winner}
	if r.claim != nil && (r.decision.Winner == nil || r.claim.Touch != r.decision.Winner.Touch) {
		won = append(won, r.claim)
	}
	for _, m := range won {
		if m == nil || m.Kind != attribution.Click {
			continue
		}
		t := r.candidate(m.Touch)
		if t == nil { // none of those that were looked at: an event follows its installation
			continue
		}
		counted, err := h.countedFor(r, m, newDevice)
		if err != nil {
			return err
		}
		h.ahead.site(appDayOf(r.conversion.App, &t.Touchpoint)).Add(&counted)
		if isOfSite(&t.Touchpoint) {
			h.ahead.site(siteDayOf(r.conversion.App, &t.Touchpoint)).Add(&counted)
		}
	}
	return nil
}

// countedFor is what the conversion adds to what was counted of one touch.
func (h *hearing) countedFor(r *ruling, m *attribution.Match, newDevice func() (bool, error)) (counted attribution.SiteTraffic, err error) {
	if r.conversion.Kind == attribution.Open {
		counted.Reengagements = 1
		return counted, nil
	}
	counted.Installs = 1
	took := r.decision.At.Sub(m.At)
	counted.Times.Add(took)
	if took <= time.Hour {
		counted.WithinHour = 1
	}
	isNew, err := newDevice()
	if isNew {
		counted.NewDevices = 1
	}
	return counted, err
}

// mostSisters is how many other apps of an account are asked whether they know a device.
const mostSisters = 16

// isNewDevice reports whether no installation of the account's apps is known
// on a device: one that tells no id was never seen.
func (h *hearing) isNewDevice(ctx context.Context, t *event.Told, identity []attribution.Key, sameDevice []history.Installation) (bool, error) {
	isOther := func(i history.Installation) bool { return i.App != t.App || i.ID != t.Install }
	if len(identity) == 0 {
		return true, nil
	}
	if slices.ContainsFunc(sameDevice, isOther) {
		return false, nil
	}
	found, err := h.ahead.findInstallations(ctx, h.sisterKeys(t, identity), time.Time{})
	return !slices.ContainsFunc(found, isOther), err
}

// sisterKeys are a device's keys in the account's other apps.
func (h *hearing) sisterKeys(t *event.Told, identity []attribution.Key) (keys []attribution.Key) {
	apps := 0
	for i := range h.directory.Catalog.Apps {
		app := &h.directory.Catalog.Apps[i]
		if app.Account != t.Account || app.ID == t.App {
			continue
		}
		if apps++; apps > mostSisters {
			break
		}
		for _, k := range identity {
			k.App = app.ID
			keys = append(keys, k)
		}
	}
	return keys
}

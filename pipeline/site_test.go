package pipeline

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/report"
)

// clickOf returns a click of a site at noon, or of none where it is empty,
// from an address of its own.
func (p *past) clickOf(site string) event.Click {
	c := event.Click{
		Kind: event.ClickKind, ID: uid.NewClick(), At: noon.UnixMilli(), Account: 1, Dialect: link.OneLink, Template: "A1b3", Host: "acme.localhost", Route: "android-store",
		Platform: device.Android, OS: "16", Model: "Pixel 10", Country: "DE", Query: "pid=network",
	}
	if site != "" {
		c.Query += "&site=" + site
	}
	return c
}

// installs appends a click of a site and the install that it led to, after so
// long, on a device with an id of its own.
func (p *past) installs(site, install string, after time.Duration, changes ...func(*event.Told)) event.Click {
	p.Helper()
	c := p.clickOf(site)
	p.append(c)
	p.told(event.OpenKind, install, noon.Add(after), func(t *event.Told) {
		came(c)(t)
		for _, change := range changes {
			change(t)
		}
	})
	return c
}

// ofNetwork is a site of the tests' partner, on the day of noon.
func ofNetwork(site string) history.SiteDay {
	return history.SiteDay{App: androidApp, Partner: 5, Site: site, Day: report.DayOf(noon.UnixMilli())}
}

func (p *past) siteCounts(d history.SiteDay) attribution.SiteTraffic {
	p.Helper()
	found, err := p.store.ReadSites(p.Context(), []history.SiteDay{d})
	p.ok(err)
	return found[0]
}

// TestHopelessSite: of a site with many clicks that hardly ever convert touches
// are rejected, until its clicks have claimed enough; other sites and days are
// not.
func TestHopelessSite(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	const clicks = 10_000
	var bad []event.Click
	for range clicks {
		bad = append(bad, p.clickOf("bad"))
	}
	for burst := bad; len(burst) > 0; burst = burst[min(500, len(burst)):] {
		p.append(burst[:min(500, len(burst))]...)
	}
	p.catchUp()
	if got := p.siteCounts(ofNetwork("bad")); got != (attribution.SiteTraffic{Clicks: clicks}) {
		t.Fatalf("the site's counts are %+v", got)
	}
	for n, want := range []attribution.Code{attribution.ClickFlood, attribution.ClickFlood, ""} {
		install := fmt.Sprint("of-bad-", n)
		p.told(event.OpenKind, install, noon.Add(time.Hour), came(bad[n]))
		p.catchUp()
		d := p.decided(install, attribution.Install, "")
		if got := rejected(d, bad[n]); got != want || (d.Decision.Winner != nil) != (want == "") {
			t.Errorf("install %d is rejected by %q, want %q: %v", n, got, want, d.Decision.Explain())
		}
	}
	if got := p.siteCounts(ofNetwork("bad")); got.Clicks != clicks || got.Installs != 3 || got.WithinHour != 3 {
		t.Errorf("the site's counts are %+v", got)
	}
	good := p.installs("good", "of-good", time.Hour)
	p.catchUp()
	p.credited(p.decided("of-good", attribution.Install, ""), good, attribution.ByReferrer)
	next := p.touched(noon.Add(24*time.Hour), func(c *event.Click) { c.Query = "pid=network&site=bad" })
	p.told(event.OpenKind, "next-day", noon.Add(25*time.Hour), came(next))
	p.catchUp()
	p.credited(p.decided("next-day", attribution.Install, ""), next, attribution.ByReferrer)
}

// TestWhatCountsForASite.
func TestWhatCountsForASite(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	count := func(change func(*event.Click)) event.Click {
		c := p.clickOf("s")
		change(&c)
		p.append(c)
		return c
	}
	count(func(*event.Click) {})
	count(func(c *event.Click) { c.Kind = event.ImpressionKind })
	count(func(c *event.Click) { c.Bot = "crawler:x" })
	count(func(c *event.Click) { c.Query += "&owned" })
	count(func(c *event.Click) { c.Platform = device.IOS })     // iosApp's
	count(func(c *event.Click) { c.Platform = device.Windows }) // nobody's
	count(func(c *event.Click) { c.Platform = device.Unknown }) // may be both's
	count(func(c *event.Click) { c.Query = "pid=other&site=s" })
	p.installs("s", "quick", 10*time.Minute)
	p.installs("s", "slow", 61*time.Minute)
	p.installs("", "of-no-site", time.Minute)
	p.installs("s", "forged", time.Minute, func(t *event.Told) { t.Unsigned = true })
	p.installs("s", "hidden", time.Minute, func(t *event.Told) { t.Networks = []string{"tor"} })
	owned := count(func(c *event.Click) { c.Query += "&owned" })
	p.told(event.OpenKind, "of-owned", noon.Add(time.Minute), came(owned))
	view := count(func(c *event.Click) { c.Kind = event.ImpressionKind })
	p.told(event.OpenKind, "of-view", noon.Add(time.Minute), came(view))
	again := p.touched(noon.Add(30*24*time.Hour), func(c *event.Click) { c.Query = "pid=network&site=s&retargeting" })
	p.told(event.OpenKind, "quick", noon.Add(30*24*time.Hour+time.Minute), func(t *event.Told) { t.OpenedClick = again.ID.String() })
	p.catchUp()

	for _, install := range []string{"quick", "slow", "of-no-site", "of-owned", "of-view"} {
		p.verdict(p.decided(install, attribution.Install, ""), attribution.Credited, attribution.NewInstall)
	}
	p.verdict(p.decided("quick", attribution.Open, ""), attribution.Credited, attribution.Reengagement)
	f := func(name string, d history.SiteDay, want attribution.SiteTraffic) {
		t.Helper()
		if got := p.siteCounts(d); got != want {
			t.Errorf("%s: got  %+v\nwant %+v", name, got, want)
		}
	}
	s := ofNetwork("s")
	want := attribution.SiteTraffic{Clicks: 6, Installs: 2, WithinHour: 1, NewDevices: 2}
	want.Times.Add(10 * time.Minute)
	want.Times.Add(61 * time.Minute)
	f("the site", s, want)
	all := attribution.SiteTraffic{Installs: 4, WithinHour: 3, NewDevices: 4, Times: want.Times}
	all.Times.Add(time.Minute)
	all.Times.Add(time.Minute)
	f("the app", history.SiteDay{App: androidApp, Day: s.Day}, all)
	f("a source without a partner", history.SiteDay{App: androidApp, Source: "other", Site: "s", Day: s.Day}, attribution.SiteTraffic{Clicks: 1})
	ios := s
	ios.App = iosApp
	f("the other app", ios, attribution.SiteTraffic{Clicks: 2})
	later := s
	later.Day += 30
	f("the day of the later click", later, attribution.SiteTraffic{Clicks: 1, Reengagements: 1})
}

// TestOutlyingTimes: of a site whose installs come late, or at other times
// than those of others, touches are flagged once it has enough installs.
func TestOutlyingTimes(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	f := func(site string, n int, after time.Duration, want bool) {
		t.Helper()
		install := fmt.Sprint(site, "-", n)
		p.installs(site, install, after)
		p.catchUp()
		if d := p.decided(install, attribution.Install, ""); d.Decision.Winner == nil || p.flagged(d, attribution.OutlyingTimes) != want {
			t.Errorf("%s: %v, want flagged %v", install, d.Decision.Explain(), want)
		}
	}
	for n := range 49 {
		p.installs("late", fmt.Sprint("late-", n), 2*time.Hour)
		p.installs("robot", fmt.Sprint("robot-", n), 15*time.Second)
		p.installs("", fmt.Sprint("people-", n), 20*time.Minute)
	}
	f("late", 49, 2*time.Hour, false)
	f("late", 50, time.Minute, true)
	f("robot", 49, 15*time.Second, false)
	f("robot", 50, time.Minute, true)
	f("honest", 0, 20*time.Minute, false)
}

// TestDeviceFarm: a site whose installs are on devices that nobody has seen is
// flagged where those of others are not so.
func TestDeviceFarm(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	gaid := func(n int) func(*event.Told) {
		return func(t *event.Told) {
			t.IDs = []event.DeviceID{{Kind: "gaid", Value: fmt.Sprintf("%08x-8cf0-4bd0-9a1e-10b96e40000d", n)}}
		}
	}
	f := func(install string, want bool) {
		t.Helper()
		p.installs("farm", install, 20*time.Minute)
		p.catchUp()
		if d := p.decided(install, attribution.Install, ""); d.Decision.Winner == nil || p.flagged(d, attribution.DeviceFarm) != want {
			t.Errorf("%s: %v, want flagged %v", install, d.Decision.Explain(), want)
		}
	}
	for n := range 50 {
		p.installs("farm", fmt.Sprint("farm-", n), 20*time.Minute, gaid(1000+n))
	}
	f("alone", false)
	for n := range 49 {
		// Half of the people have the account's other app, half had this one long ago.
		if n%2 == 0 {
			p.told(event.OpenKind, "sister", noon, func(t *event.Told) { t.App, t.Install = iosApp, fmt.Sprint("sister-", n); gaid(n)(t) })
		} else {
			p.told(event.OpenKind, fmt.Sprint("old-", n), noon.Add(-100*24*time.Hour), gaid(n))
		}
		p.installs("", fmt.Sprint("people-", n), 20*time.Minute, gaid(n))
	}
	f("beside 49 others", false)
	p.installs("", "people-49", 20*time.Minute, gaid(2000))
	f("beside 50 others", true)
	if got, want := p.siteCounts(history.SiteDay{App: androidApp, Day: report.DayOf(noon.UnixMilli())}), int64(54); got.NewDevices != want {
		t.Errorf("%d of %d installs are on new devices, want %d", got.NewDevices, got.Installs, want)
	}
}

// happenOnSites appends a random past of installs that sites' clicks led to,
// some of them on devices that have the account's other app.
func (p *past) happenOnSites(n int) {
	p.Helper()
	r := p.random
	var clicks []event.Click
	withID := func(t *event.Told, n int) {
		t.IDs = []event.DeviceID{{Kind: "gaid", Value: fmt.Sprintf("%08x-8cf0-4bd0-9a1e-10b96e40000d", n)}}
	}
	known := n / 4
	for i := range known {
		p.told(event.OpenKind, fmt.Sprint("sister-", i), noon, func(t *event.Told) { t.App = iosApp; withID(t, i) })
	}
	for i := range n {
		at := noon.Add(time.Duration(i) * 5 * time.Minute)
		if i < 20 || r.IntN(2) == 0 {
			clicks = append(clicks, p.touched(at, func(c *event.Click) {
				c.Query = pick(r, "pid=network", "pid=a%ffb", "") + pick(r, "&site=one", "&site=one", "&site=two", "")
				c.Network = pick(r, "", "", "hosting")
			}))
			continue
		}
		p.told(event.OpenKind, fmt.Sprint("install-", i), at, func(t *event.Told) {
			came(pick(r, clicks...))(t)
			switch r.IntN(3) {
			case 0:
				withID(t, n+i)
			case 1:
				known = max(known-1, 0)
				withID(t, known)
			}
			if r.IntN(6) == 0 {
				t.App, t.Platform = iosApp, device.Unknown
			}
		})
	}
}

// TestSitesAreJudgedAlike wherever steps begin, wherever the process dies, and
// when the history is made anew.
func TestSitesAreJudgedAlike(t *testing.T) {
	t.Parallel()
	codes := map[attribution.Code]int{}
	judged := []attribution.Code{attribution.ClickFlood, attribution.OutlyingTimes, attribution.DeviceFarm, attribution.AnonymousTouch}
	isMissing := func(c attribution.Code) bool { return codes[c] == 0 }
	for n := 0; n < 3 || n < 12 && slices.ContainsFunc(judged, isMissing); n++ {
		p := newPast(t)
		p.policy = new(attribution.DefaultPolicy())
		p.policy.Fraud.OutlierInstalls, p.policy.Fraud.OutlierShare, p.policy.Fraud.NewDevices = 2, 50, 70
		p.policy.Fraud.SiteClicks, p.policy.Fraud.SiteRate = 6, 300_000
		p.happenOnSites(160)
		a := p.catchUp()
		want := p.everything(p.store)
		p.ok(p.store.EachDecided(t.Context(), func(d history.Decided) error {
			for _, f := range d.Decision.Flags {
				codes[f.Code]++
			}
			for _, r := range d.Decision.Rejected {
				codes[r.Code]++
			}
			return nil
		}))
		for _, size := range []int{4, 40} {
			if got := p.stumble(size); got != want {
				t.Fatalf("with steps of %d:\n%s\nwant\n%s", size, got, want)
			}
		}
		p.ok(a.Rebuild(t.Context()))
		p.ok(a.CatchUp(t.Context()))
		if got := p.everything(p.store); got != want {
			t.Fatalf("made anew:\n%s\nwant\n%s", got, want)
		}
	}
	if slices.ContainsFunc(judged, isMissing) {
		t.Errorf("not every rule of %v has judged, but %v", judged, codes)
	}
	t.Log(codes)
}

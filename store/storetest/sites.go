package storetest

import (
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/report"
)

func (t f) sites(s Store, asked ...history.SiteDay) []attribution.SiteTraffic {
	t.Helper()
	found, err := s.ReadSites(t.Context(), asked)
	t.ok(err)
	return found
}

// testSites: what steps count of a site adds up, by all that names it, and goes
// with its day.
func testSites(tt *testing.T, s Store) {
	t := f{tt}
	day := report.DayOf(now.UnixMilli())
	site := history.SiteDay{App: 7, Partner: 5, Source: "net", Site: `a "site" of ü`, Day: day}
	whole := filled[attribution.SiteTraffic](0)
	t.history(s, history.Step{Sites: []history.SiteCount{{SiteDay: site, SiteTraffic: whole}}})
	t.equal(t.sites(s, site), []attribution.SiteTraffic{whole}, "all that was counted")

	others := []history.SiteDay{site, site, site, site, site}
	others[0].App, others[1].Partner, others[2].Source, others[3].Site, others[4].Day = 9, 6, "", "", day+1
	t.equal(t.sites(s, others...), make([]attribution.SiteTraffic, len(others)), "others")

	var step history.Step
	for i, d := range others {
		step.Sites = append(step.Sites, history.SiteCount{SiteDay: d, SiteTraffic: attribution.SiteTraffic{Clicks: int64(i + 1)}})
	}
	one := attribution.SiteTraffic{Clicks: 2, Installs: 1}
	one.Times.Add(time.Hour)
	step.Sites = append(step.Sites, history.SiteCount{SiteDay: site, SiteTraffic: one})
	t.history(s, step)
	sum := whole
	sum.Add(&one)
	t.equal(t.sites(s, others[4], site, others[0]), []attribution.SiteTraffic{{Clicks: 5}, sum, {Clicks: 1}}, "sums")
	none, err := s.ReadSites(t.Context(), nil)
	t.ok(err)
	t.is(len(none), 0, "asked for none")

	noon := time.UnixMilli(int64(day) * 24 * 60 * 60 * 1000).Add(12 * time.Hour)
	t.history(s, history.Step{ForgetBefore: noon})
	t.equal(t.sites(s, site), []attribution.SiteTraffic{sum}, "a day that has not ended")
	t.history(s, history.Step{ForgetBefore: noon.Add(24 * time.Hour)})
	t.equal(t.sites(s, site, others[0], others[4]), []attribution.SiteTraffic{{}, {}, {Clicks: 5}}, "days that have ended")
}

package attribution

// SiteTraffic is what was counted of one site of a partner for one app and one
// day of clicks, or of all of an app's clicks of a day.
type SiteTraffic struct {
	Clicks        int64
	Installs      int64 // that one of the clicks won, or would have if no rule about sites had rejected it
	Reengagements int64 // likewise
	WithinHour    int64 // of Installs, those within an hour of their click
	NewDevices    int64 // of Installs, those on devices that the account's apps had never seen
	Times         Times // of Installs, from click to first open
}

// Add adds what was counted elsewhere.
func (s *SiteTraffic) Add(o *SiteTraffic) {
	s.Clicks += o.Clicks
	s.Installs += o.Installs
	s.Reengagements += o.Reengagements
	s.WithinHour += o.WithinHour
	s.NewDevices += o.NewDevices
	for i, n := range o.Times {
		s.Times[i] += n
	}
}

// SeeSite fills in what was counted of the touch's site, and compares it with
// the app's other installs: app holds the site's, too.
func (t *Traffic) SeeSite(site, app *SiteTraffic) {
	others := app.Times
	for i, n := range site.Times {
		others[i] -= n
	}
	t.SiteClicks, t.SiteInstalls, t.SiteReengagements = int(site.Clicks), int(site.Installs), int(site.Reengagements)
	t.SiteWithinHour, t.SiteNewDevices = int(site.WithinHour), int(site.NewDevices)
	t.OtherInstalls, t.OtherNewDevices = int(app.Installs-site.Installs), int(app.NewDevices-site.NewDevices)
	t.TimesDistance, t.TimesChancePerMill = CompareTimes(&site.Times, &others)
}

// SiteRules are the rules that judge a touch by its site, or by how many there
// are like it.
func SiteRules() []Code { return []Code{ClickFlood, OutlyingTimes, DeviceFarm} }

package singular

import (
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/link"
)

// Touches says what a click or an impression of a tracking link means for
// attribution. The zero value is ready.
type Touches struct{}

// Name returns the dialect of the links.
func (Touches) Name() link.Dialect { return link.Singular }

// Touch fills in what only this dialect knows of a click, whose common facts
// are in t. l is the tracking link, also where a form that stands for it was
// clicked; nil, or one that cannot be read, leaves what the URL says.
func (Touches) Touch(t *history.Touch, c *event.Click, l *link.Link, d *link.Directory) {
	t.Query = overridden(c.Stored, c.Query)
	said := readFilled(t.Query)
	takeFacts(&t.Facts, said)
	t.DeviceIDs = append(t.DeviceIDs, deviceIDs(said)...)
	if l == nil {
		takeCampaign(&t.Source, said)
		return
	}
	s, err := Read(l.Data)
	if err != nil {
		takeCampaign(&t.Source, said)
		return
	}
	t.Source.Name = Source(&s, readQuery(t.Query))
	if s.LinkType == WebToApp {
		said = said.ofWeb()
	} else {
		t.Owned = s.LinkType == CustomLink && owned(t.Source.Name)
	}
	takePartner(&t.Source, l, d)
	takeCampaign(&t.Source, said)
	t.Apps = credited(&s, l, d)
	t.Lookbacks = s.lookbacks()
	t.Retargeting, t.CountActive = s.Reengagement, s.Reengagement
}

// filled are the parameters of a touch that somebody has filled in.
type filled map[string]string

func readFilled(rawQuery string) filled {
	said := filled{}
	for _, p := range readQuery(rawQuery) {
		if !unfilled(p.Value) {
			said[p.Name] = p.Value
		}
	}
	return said
}

// first returns the first of the parameters that is there.
func (s filled) first(names ...string) string {
	for _, name := range names {
		if s[name] != "" {
			return s[name]
		}
	}
	return ""
}

// takeFacts fills what the request itself leaves open: a User-Agent that is
// frozen tells no version, and a server speaks no language.
func takeFacts(f *attribution.Facts, said filled) {
	if p, ok := platformOf(said[queryPlatform]); ok && (f.Platform == device.Unknown || f.Platform == device.Web) && p != device.Unknown {
		f.Platform = p
	}
	if v := said[queryVersion]; f.OSVersion == "" && v != "" && v[0] >= '0' && v[0] <= '9' && len(v) <= 32 {
		f.OSVersion = v
	}
	if f.Locale == "" && len(said[queryLocale]) <= 35 { // RFC 5646 §4.4.1
		f.Locale = said[queryLocale]
	}
}

// credited are the apps that the link leads to. Fire tablets follow Android's
// redirection, and televisions the link that was made for them.
func credited(s *Stored, l *link.Link, d *link.Directory) []link.AppID {
	ids := appSites(s.Android, s.IOS)
	if l.Listing == nil {
		return ids
	}
	group := d.Group(l.Listing.AppGroup)
	if s.Android != nil {
		if app := group.App(device.FireOS); app != nil {
			ids = append(ids, app.ID)
		}
	}
	if s.CTV {
		for _, p := range []device.Platform{
			device.AppleTV, device.AndroidTV, device.FireTV, device.Roku, device.Tizen, device.WebOS, device.Xbox, device.PlayStation,
		} {
			if app := group.App(p); app != nil {
				ids = append(ids, app.ID)
			}
		}
	}
	return ids
}

// lookbacks are the link's windows. What is zero earns nothing, as the
// vendor's ranges, which begin at zero, have it.
func (s *Stored) lookbacks() attribution.Lookbacks {
	in := func(n int, unit time.Duration) attribution.Lookback {
		if n <= 0 {
			return attribution.Never
		}
		return attribution.Lookback(time.Duration(n) * unit)
	}
	l := attribution.Lookbacks{
		ClickDeterministic: in(s.ClickDeterministicDays, day),
		ClickProbabilistic: in(s.ClickProbabilisticHours, time.Hour),
		ViewDeterministic:  in(s.ViewDeterministicHours, time.Hour),
		ViewProbabilistic:  in(s.ViewProbabilisticHours, time.Hour),
		Reengagement:       attribution.Never,
	}
	if s.Reengagement {
		l.Reengagement = in(s.ClickReengagementDays, day)
	}
	return l
}

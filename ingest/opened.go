package ingest

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/internal/uid"
	"waypost/link"
)

// OpenedLink is a link of ours that has opened an app, and whose it is.
type OpenedLink struct {
	Account link.AccountID
	Dialect link.Dialect
	Query   string // of the address, raw
	Opened
}

// OpenedBy is an address that has opened an app.
type OpenedBy struct {
	Address  string
	Platform device.Platform
	Click    uid.Click // that it stands for
}

// FindOpened finds the link at a web address that has opened an app. Not ok
// where there is none that counts.
type FindOpened func(by OpenedBy) (o OpenedLink, ok bool, err error)

// ClickOpened takes the click of a link that opened the app by itself, past its
// host, and returns the report with the click named, so that it may win the
// person back. What names a click already, and what is no link of the app's
// account, stays as it is. A repetition of the open, which is known by its key,
// makes no other click (Engage). An app that is not found is refused like by
// Open, and counted here alone. What cannot be found out just now is an
// Unavailable fault: the open has to be told again.
func (s *Service) ClickOpened(ctx context.Context, r Report) (Report, error) {
	key, err := openKey(&r)
	if err != nil {
		return r, nil // which Open refuses
	}
	if s.cfg.FindOpened == nil || r.OpenedURL == "" || len(r.OpenedURL) > maxURL || r.Unsigned || checkText(FieldEventID, key, maxKey) != nil || namesClick(r.OpenedURL) {
		return r, nil
	}
	app, account, err := s.FindApp(r.App)
	if err != nil {
		return r, s.Refuse(err)
	}
	platform := r.Device.Platform
	if platform == device.Unknown {
		platform = app.Platform
	}
	e := Engagement{App: AppRef{ID: app.ID}, Sender: FieldOpened + "/" + strings.TrimSpace(r.Install), Key: key, Device: r.Device, Language: r.Device.Locale, At: s.openedAt(&r)}
	e.Device.Platform = platform
	for _, a := range r.Addresses {
		if a = a.Unmap().WithZone(""); e.Device.Country == "" && a.IsValid() {
			e.Device.Country = s.cfg.Country(a)
		}
	}
	id := engagementID(&e, app.ID)
	found, ok, err := s.cfg.FindOpened(OpenedBy{r.OpenedURL, platform, id})
	if err != nil {
		return r, (&fault.Error{Kind: fault.Unavailable, RetryAfter: retryAfter, Message: "the link that opened the app cannot be read just now"}).Because(err)
	}
	if !ok || found.Account != account.ID {
		return r, nil
	}
	r.OpenedClick = id.String()
	if known, err := s.isDecided(ctx, app.ID, &r, key); known || err != nil {
		return r, err
	}
	e.Dialect, e.Query, e.Opened = found.Dialect, found.Query, &found.Opened
	e.ID = id
	_, err = s.Engage(ctx, e)
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Kind == fault.Invalid { // an address that no event can keep
		r.OpenedClick = ""
		return r, nil
	}
	return r, err
}

// isDecided reports whether the open was told before, and its click with it.
func (s *Service) isDecided(ctx context.Context, app link.AppID, r *Report, key string) (bool, error) {
	if key == "" {
		return false, nil
	}
	known, err := s.cfg.Decisions.IsDecided(ctx, app, strings.TrimSpace(r.Install), key)
	if err != nil {
		return false, unreadable(err)
	}
	return known, nil
}

// openKey is what a repetition of an open has, too: takeKey's, as far as the
// sender said something, else empty.
func openKey(r *Report) (string, error) {
	m := &making{report: r, told: event.Told{Kind: event.OpenKind, Install: strings.TrimSpace(r.Install), First: r.First}}
	var err error
	if m.told.Params, err = object(r.Params); err != nil {
		return "", err
	}
	if r.Key == "" && r.At.IsZero() && !r.First {
		return "", nil
	}
	m.takeKey()
	return m.told.Key, nil
}

// openedAt is when the app was opened, by our own clock.
func (s *Service) openedAt(r *Report) time.Time {
	now := s.cfg.Now()
	at, ok := newClock(now, r.SentAt).correct(r.At)
	if !ok {
		return now
	}
	return at
}

// namesClick reports whether a parameter of an address, whatever it is called,
// holds a click's id.
func namesClick(address string) bool {
	if ClickInURL(address) != "" {
		return true
	}
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	for _, value := range attribution.ReferrerParams(u.RawQuery) {
		if clickID(value) != "" {
			return true
		}
	}
	return false
}

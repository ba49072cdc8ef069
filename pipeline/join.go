package pipeline

import (
	"cmp"
	"context"
	"slices"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
)

// otherName is the key under which an installation is found by an id that
// another call of its dialect gives it. No device id is of such a kind.
func otherName(app link.AppID, install string) attribution.Key {
	return attribution.Key{App: app, Kind: attribution.DeviceKey, Value: "installation:" + install}
}

// join finds the installation that an event of an unknown one belongs to, in
// dialects whose calls name installations differently: the one that the name
// was joined to before, else the newest of the app that shares a device id with
// the event, which obeys consent. Refused installations are none. From then on
// it is known by the event's name, too. nil: there is none.
func (h *hearing) join(ctx context.Context, t *event.Told, c *attribution.Conversion) (*history.Installation, error) {
	if !t.Dialect.NamesInstallationsTwice() || t.Unsigned {
		return nil, nil
	}
	name := otherName(t.App, t.Install)
	known, err := h.newestUnder(ctx, []attribution.Key{name})
	if err != nil || known != nil {
		return known, err
	}
	if known, err = h.newestUnder(ctx, c.IdentityKeys()); err != nil || known == nil {
		return nil, err
	}
	if len(known.Identity) < mostIdentity {
		known.Identity = append(slices.Clone(known.Identity), name)
	}
	return known, nil
}

// newestUnder returns a copy of the newest installation under any of the keys
// that is not refused, or nil.
func (h *hearing) newestUnder(ctx context.Context, keys []attribution.Key) (*history.Installation, error) {
	found, err := h.ahead.findInstallations(ctx, keys, instant(0))
	if err != nil {
		return nil, err
	}
	var newest *history.Installation
	for i := range found {
		f := &found[i]
		if f.Verdict != attribution.Refused && (newest == nil || cmp.Or(f.At.Compare(newest.At), cmp.Compare(newest.ID, f.ID)) > 0) {
			newest = f
		}
	}
	return newest, nil
}

// both is what a person permits by what was said under two names of his
// installation: no restriction of either is lifted.
func both(a, b attribution.Consent) attribution.Consent {
	return attribution.Consent{
		Tracking: stricter(a.Tracking, b.Tracking), Measurement: stricter(a.Measurement, b.Measurement),
		Advertising: stricter(a.Advertising, b.Advertising), LimitAds: a.LimitAds || b.LimitAds, Child: a.Child || b.Child,
	}
}

func stricter(a, b attribution.Answer) attribution.Answer {
	if a == attribution.No || b == attribution.No {
		return attribution.No
	}
	return cmp.Or(a, b)
}

// findInstallation is ReadInstallation, also under another name of it.
func (a *Attributor) findInstallation(ctx context.Context, app link.AppID, install string) (i history.Installation, ok bool, err error) {
	if i, ok, err = a.cfg.Store.ReadInstallation(ctx, app, install); ok || err != nil {
		return i, ok, err
	}
	found, err := a.cfg.Store.FindInstallations(ctx, []attribution.Key{otherName(app, install)}, instant(0), 1)
	if err != nil || len(found) == 0 || len(found[0]) == 0 {
		return history.Installation{}, false, err
	}
	return found[0][0], true, nil
}

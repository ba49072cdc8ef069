package pipeline

import (
	"context"
	"fmt"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/link"
)

// What is said of a person before the first open of his installation waits
// beside the events that came before it, in one row for each thing. No
// conversion has such a name: all of those go on after a slash.
const (
	earlyConsent attribution.ConversionID = attribution.ConversionID(event.ConsentKind)
	earlyUser    attribution.ConversionID = attribution.ConversionID(event.IdentifyKind)
	// earlyWithhold is no kind of event: any of them may say it.
	earlyWithhold attribution.ConversionID = "withhold"
)

func isEarly(o *history.Orphan) bool {
	return o.Conversion == earlyConsent || o.Conversion == earlyUser || o.Conversion == earlyWithhold
}

// hearEarly keeps what is said of a person whose installation is not known
// yet: his answers, who is not to be told of him, and his name in the account's
// own books. What the last one leaves open is as it was said before.
func (h *hearing) hearEarly(ctx context.Context, t *event.Told) error {
	k := installKey{t.App, t.Install}
	if t.Consent != nil {
		before, err := h.early(ctx, k, earlyConsent, instant(t.ReceivedAt))
		if err != nil {
			return err
		}
		said := saidOf(consentOf(t, consentIn(before)))
		if err := h.keepEarly(t, earlyConsent, event.Told{Kind: event.ConsentKind, Consent: said}); err != nil {
			return err
		}
	}
	if len(t.Withhold) > 0 {
		if err := h.keepEarly(t, earlyWithhold, event.Told{Kind: event.ConsentKind, Withhold: t.Withhold}); err != nil {
			return err
		}
	}
	if t.Kind == event.IdentifyKind || t.User != "" {
		return h.keepEarly(t, earlyUser, event.Told{Kind: event.IdentifyKind, User: t.User})
	}
	return nil
}

// keepEarly keeps what t says and nothing else of it.
func (h *hearing) keepEarly(t *event.Told, as attribution.ConversionID, said event.Told) error {
	said.ID, said.At, said.ReceivedAt, said.Account, said.App, said.Install = t.ID, t.At, t.ReceivedAt, t.Account, t.App, t.Install
	line, err := said.Line()
	if err != nil {
		return err
	}
	h.ahead.addOrphan(history.Orphan{App: t.App, Install: t.Install, Conversion: as, ReceivedAt: instant(t.ReceivedAt), Line: line})
	return nil
}

// early returns what was said of a person before the first open, or nil.
func (h *hearing) early(ctx context.Context, k installKey, as attribution.ConversionID, now time.Time) (*event.Told, error) {
	o, err := h.ahead.orphan(ctx, k, as)
	if err != nil || o == nil {
		return nil, err
	}
	return readEarly(o, now)
}

// readEarly reads it, unless it waited for too long.
func readEarly(o *history.Orphan, now time.Time) (*event.Told, error) {
	if now.Sub(o.ReceivedAt) > orphanFor {
		return nil, nil
	}
	t, err := event.DecodeTold(o.Line)
	if err != nil {
		return nil, fmt.Errorf("read what was said before the first open: %w", err)
	}
	return &t, nil
}

func consentIn(t *event.Told) attribution.Consent {
	if t == nil {
		return attribution.Consent{}
	}
	return consentOf(t, attribution.Consent{})
}

// saidOf is the inverse of consentOf.
func saidOf(c attribution.Consent) *event.Consent {
	said := &event.Consent{Tracking: string(c.Tracking), Measurement: string(c.Measurement), Advertising: string(c.Advertising)}
	if c.LimitAds {
		said.LimitAds = event.Yes
	}
	if c.Child {
		said.Child = event.Yes
	}
	return said
}

// earlyPerson fills in what was said of the person before the first open.
func (h *hearing) earlyPerson(ctx context.Context, t *event.Told, c *attribution.Conversion) (user string, err error) {
	k, now := installKey{t.App, t.Install}, instant(t.ReceivedAt)
	said, err := h.early(ctx, k, earlyConsent, now)
	if err != nil {
		return "", err
	}
	c.Consent = consentOf(t, consentIn(said))
	if user = t.User; user != "" || c.Consent.Measurement == attribution.No {
		return user, nil
	}
	named, err := h.early(ctx, k, earlyUser, now)
	if err != nil || named == nil {
		return "", err
	}
	return named.User, nil
}

// ReadConsent returns what a person permits: of his installation, or, before its
// first open, as it was said within orphanFor before now. Empty answers are not
// known. What the ledger held when the process began, and what is before the
// mark, is decided before the answer; where that takes longer than backlogWait,
// there is none.
func (a *Attributor) ReadConsent(ctx context.Context, app link.AppID, install string, mark uint64, now time.Time) (attribution.Consent, error) {
	for {
		if ok, err := a.passed(ctx, mark); err != nil {
			return attribution.Consent{}, err
		} else if !ok {
			return attribution.Consent{}, errBehind
		}
		c, err := a.decidedConsent(ctx, app, install, now)
		if err != nil || a.HasPassed(max(mark, a.backlog.Load())) { // else a rebuild has begun meanwhile
			return c, err
		}
	}
}

// decidedConsent is ReadConsent as far as it is decided.
func (a *Attributor) decidedConsent(ctx context.Context, app link.AppID, install string, now time.Time) (attribution.Consent, error) {
	i, ok, err := a.findInstallation(ctx, app, install)
	if ok || err != nil {
		return i.Consent, err
	}
	o, ok, err := a.cfg.Store.ReadOrphan(ctx, app, install, earlyConsent)
	if !ok || err != nil {
		return attribution.Consent{}, err
	}
	said, err := readEarly(&o, now)
	return consentIn(said), err
}

package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
)

// orphan keeps an event whose installation is not known yet. It counts as
// nobody's until the installation comes.
func (h *hearing) orphan(r *ruling) error {
	if r.decision.Verdict != attribution.Organic {
		return nil
	}
	line, err := r.told.Line()
	if err != nil {
		return err
	}
	h.ahead.addOrphan(history.Orphan{App: r.told.App, Install: r.told.Install, Conversion: r.decision.Conversion, ReceivedAt: instant(r.told.ReceivedAt), Line: line})
	return nil
}

// orphans are the events that came before their installation.
type orphans struct {
	told []event.Told // the oldest first
	// withhold is whom the newest of them that speaks of it wants not to be told.
	withhold []string
}

// orphansOf takes the orphans of an installation that is being made; they are
// none any more.
func (h *hearing) orphansOf(ctx context.Context, t *event.Told) (found orphans, err error) {
	kept, err := h.ahead.adopt(ctx, installKey{t.App, t.Install})
	if err != nil {
		return found, err
	}
	for _, o := range kept {
		told, err := event.DecodeTold(o.Line)
		if err != nil {
			return found, fmt.Errorf("read what came before its installation: %w", err)
		}
		found.withhold = withheldBy(&told, found.withhold)
		if !isEarly(&o) {
			found.told = append(found.told, told)
		}
	}
	return found, nil
}

// adopt decides the events again that came before their installation.
func (h *hearing) adopt(ctx context.Context, found *orphans, made *history.Installation, now time.Time) error {
	if made.Credit == nil && made.Verdict != attribution.Refused {
		return nil
	}
	for i := range found.told {
		t := &found.told[i]
		if now.Sub(instant(t.ReceivedAt)) > orphanFor {
			continue
		}
		if err := h.reviseEvent(ctx, t, made); err != nil {
			return err
		}
	}
	return nil
}

// reviseEvent credits an event to who earned its installation, or refuses it
// with the installation.
func (h *hearing) reviseEvent(ctx context.Context, t *event.Told, made *history.Installation) error {
	c := conversionOf(t, attribution.InApp, h.directory.App(t.App), made.Consent)
	c.InstallCredit = made.Credit
	startedBy(c, made)
	var err error
	if c.InstallRefusal, err = h.refusalOf(ctx, made); err != nil {
		return err
	}
	policy := *h.policies.of(h.directory, t.Account, t.App)
	first, err := h.ahead.readDecided(ctx, decidedKey{installKey{t.App, t.Install}, c.ID})
	if err != nil || first == nil {
		return err
	}
	if slices.Contains(t.Flags, event.ClockFlag) && policy.ActionOf(attribution.ClockSuspect) == attribution.Reject && c.InstallRefusal == "" {
		return nil // nobody earns it
	}
	policy.Updates = attribution.Forever // the bound is adopt's
	before := ruling{told: t, conversion: c, decision: first.Decision}
	after := before
	now := instant(t.ReceivedAt)
	if c.At.After(now) {
		now = c.At
	}
	var changed bool
	if after.decision, changed = attribution.Revise(&first.Decision, c, nil, &policy, now, made.At); !changed {
		return nil
	}
	h.count(&before, nil, -1)
	return h.conclude(ctx, &after, made)
}

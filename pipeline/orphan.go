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

// adoptOrphans decides the events again that came before their installation.
func (h *hearing) adoptOrphans(ctx context.Context, made *history.Installation, now time.Time) error {
	orphans, err := h.ahead.adopt(ctx, installKey{made.App, made.ID})
	if err != nil {
		return err
	}
	for _, o := range orphans {
		if made.Credit == nil || now.Sub(o.ReceivedAt) > orphanFor {
			continue
		}
		t, err := event.DecodeTold(o.Line)
		if err != nil {
			return fmt.Errorf("read an event that came before its installation: %w", err)
		}
		if err := h.reviseEvent(ctx, &t, made); err != nil {
			return err
		}
	}
	return nil
}

// reviseEvent credits an event to who earned its installation.
func (h *hearing) reviseEvent(ctx context.Context, t *event.Told, made *history.Installation) error {
	c := conversionOf(t, attribution.InApp, h.directory.App(t.App), made.Consent)
	c.InstallCredit = made.Credit
	startedBy(c, made)
	first, err := h.ahead.readDecided(ctx, decidedKey{installKey{t.App, t.Install}, c.ID})
	if err != nil || first == nil || slices.Contains(t.Flags, event.ClockFlag) {
		return err
	}
	policy := *h.policies.of(h.directory, t.Account, t.App)
	policy.Updates = attribution.Forever // the bound is adoptOrphans'
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

package pipeline

import (
	"context"
	"hash/crc32"
	"sync/atomic"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
)

// LikenessChecks tell how often recognising people by likeness would have been
// right: of installs that an id joins to their click, one in eight is decided
// once more as if it had none. Since the process began.
type LikenessChecks struct {
	Right   int64 // the same visitor is found
	Wrong   int64 // another one is
	Nothing int64 // in doubt the answer is "organic"
}

type likenessChecks struct{ right, wrong, nothing atomic.Int64 }

// checkedOneIn is the share of installs that are decided twice.
const checkedOneIn = 8

// LikenessChecks costs nothing and may be asked at any time.
func (a *Attributor) LikenessChecks() LikenessChecks {
	return LikenessChecks{a.checks.right.Load(), a.checks.wrong.Load(), a.checks.nothing.Load()}
}

// checkLikeness decides an install that an id has joined to its click as if
// nothing had, and compares. It changes no decision.
func (h *hearing) checkLikeness(ctx context.Context, t *event.Told, r *ruling) error {
	won := r.decision.Winner
	if won == nil || won.Method == attribution.Probabilistic || crc32.ChecksumIEEE([]byte(t.Install))%checkedOneIn != 0 {
		return nil
	}
	joined := r.candidate(won.Touch)
	if joined == nil {
		return nil
	}
	unaided := *r.conversion
	unaided.DeviceIDs, unaided.Referrer, unaided.OpenedClickID, unaided.ClipboardToken = nil, attribution.Referrer{}, "", ""
	second, err := h.rule(ctx, t, &unaided)
	if err != nil {
		return err
	}
	h.checks.add(&second, joined)
	return nil
}

func (c *likenessChecks) add(second *ruling, joined *history.Touch) {
	code := second.decision.Likeness.Code
	switch won := second.decision.Winner; {
	case code == attribution.LikenessOff || code == attribution.NoConsent || code == attribution.PlatformForbids || code == attribution.NoAddress:
		// nothing was compared
	case won == nil:
		c.nothing.Add(1)
	case won.Touch == joined.ID || sameVisitor(second.candidate(won.Touch), joined):
		c.right.Add(1)
	default:
		c.wrong.Add(1)
	}
}

// sameVisitor reports whether two touches came from one browser at one address,
// as those of a person do who clicks twice.
func sameVisitor(a, b *history.Touch) bool {
	if a == nil || a.Agent != b.Agent || len(a.Facts.Addresses) == 0 || len(b.Facts.Addresses) == 0 {
		return false
	}
	return a.Facts.Addresses[0].IP == b.Facts.Addresses[0].IP
}

package postback

import (
	"sync"
	"time"

	"waypost/attribution/history"
	"waypost/link"
)

// quiet is how long nothing more is logged of a postback whose URL could not be
// filled: one bad parameter can come with every click.
const quiet = time.Minute

// unfilled are the postbacks whose URL could not be filled, as they were logged.
type unfilled struct {
	mu   sync.Mutex
	seen map[outlet]*unfilledLog
}

type outlet struct {
	account  link.AccountID
	postback link.Key
}

type unfilledLog struct {
	at     time.Time
	silent int // since then
}

// Made tells the runner of deliveries that the outbox has got. Those that were
// given up when they were made are counted; they are counted anew where history
// is decided anew. It never waits.
func (r *Runner) Made(made []history.Delivery) {
	for i := range made {
		if d := &made[i]; d.Status == history.GivenUp {
			r.givenUp.Add(1)
			r.logUnfilled(d, time.Now())
		}
	}
	r.Wake()
}

func (r *Runner) logUnfilled(d *history.Delivery, now time.Time) {
	u := &r.unfilled
	u.mu.Lock()
	defer u.mu.Unlock()
	of := outlet{d.Account, d.Postback}
	l := u.seen[of]
	if l != nil && now.Sub(l.at) < quiet {
		l.silent++
		return
	}
	silent := 0
	if l != nil {
		silent = l.silent
	}
	if u.seen == nil {
		u.seen = map[outlet]*unfilledLog{}
	}
	u.seen[of] = &unfilledLog{at: now}
	r.cfg.Logger.Warn("a postback is given up, its URL cannot be filled (more within a minute are in the metrics only)", "postback", d.Postback,
		"account", d.Account, "key", d.Key, "error", d.Answer, "unlogged", silent)
}

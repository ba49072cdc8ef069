package smartlinks

import (
	"strconv"
	"sync"
	"time"

	"waypost/ingest"
)

// longestID is the longest nt_id that is a key by itself.
const longestID = 100

// key is what a repetition of the message has, too: its nt_id, else what it
// says. Without a time of its own, equal messages within a day are one.
func (n *Ingest) key(m *message, r *ingest.Report) (string, error) {
	switch id, err := m.object.named("nt_id"); {
	case err != nil:
		return "", err
	case id != "" && len(id) <= longestID:
		return "nt:" + id, nil
	case id != "":
		return ingest.HashKey("nt", id), nil
	}
	content := ""
	if m.action == actionEvent || m.action == actionIdentity {
		content = string(r.Params)
	}
	said := ingest.HashKey(strconv.FormatInt(int64(m.app.ID), 10), r.Install, m.action, m.data.loose("state"), r.Name, m.text("usertime"),
		r.User, r.Currency, r.OpenedURL, content)
	if !r.At.IsZero() {
		return said, nil
	}
	return ingest.HashKey(said, strconv.FormatInt(n.repeats.day(said, m.now), 10)), nil
}

// repeats remembers when messages without a time were told first. It is only a
// help at midnight: what is forgotten counts from the day of the repetition.
type repeats struct {
	mu       sync.Mutex // guards what follows
	now, old map[string]time.Time
}

// mostRepeats bounds a generation of what is remembered: about four megabytes.
const mostRepeats = 32 << 10

const day = 24 * time.Hour

// day returns the UTC day on which the message was told first, in the 24 hours
// before now.
func (p *repeats) day(said string, now time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	first, ok := p.now[said]
	if !ok {
		first, ok = p.old[said]
	}
	if !ok || now.Sub(first) >= day {
		first = now
		if p.now == nil || len(p.now) >= mostRepeats {
			p.old, p.now = p.now, map[string]time.Time{}
		}
		p.now[said] = first
	}
	return first.Unix() / int64(day/time.Second)
}

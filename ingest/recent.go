package ingest

import (
	"sync"

	"waypost/internal/uid"
)

// recent remembers the last ids that were kept, in two generations, each
// replaced when full, and those that are being kept.
type recent struct {
	mu       sync.Mutex // guards the maps
	now, old map[uid.Click]struct{}
	open     map[uid.Click]chan struct{} // closed when the attempt is over
}

// mostRecent is how many ids a generation holds: about a megabyte.
const mostRecent = 32 << 10

// reserve reports whether the caller is to keep the id, and has to call settle
// then. It waits while another caller is about it, which is as long as the
// ledger takes for one line.
func (r *recent) reserve(id uid.Click) bool {
	for {
		other, known := r.try(id)
		if other == nil {
			return !known
		}
		<-other
	}
}

// try reserves the id unless it is known, or another has it: then other is
// closed when he is done.
func (r *recent) try(id uid.Click) (other chan struct{}, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known = r.now[id]; !known {
		_, known = r.old[id]
	}
	if known {
		return nil, true
	}
	if other = r.open[id]; other != nil {
		return other, false
	}
	if r.open == nil {
		r.open = map[uid.Click]chan struct{}{}
	}
	r.open[id] = make(chan struct{})
	return nil, false
}

// settle ends a reservation, and remembers the id if it was kept.
func (r *recent) settle(id uid.Click, kept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if kept {
		if r.now == nil || len(r.now) >= mostRecent {
			r.old, r.now = r.now, map[uid.Click]struct{}{}
		}
		r.now[id] = struct{}{}
	}
	close(r.open[id])
	delete(r.open, id)
}

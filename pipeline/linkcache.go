package pipeline

import (
	"context"
	"fmt"
	"time"

	"waypost/internal/fault"
	"waypost/link"
)

// Bounds of the links that are kept between clicks: how many in each of two
// generations, and how long a generation takes new ones. A link that was
// changed is seen as it was for twice that time at most.
const (
	cachedLinks = 8192
	cachedFor   = 30 * time.Second
)

// linkCache remembers links by id. It is for one goroutine.
type linkCache struct {
	store      HistoryStore
	young, old map[link.LinkID]*link.Link // nil: there is none
	since      time.Time
}

func (c *linkCache) read(ctx context.Context, id link.LinkID) (*link.Link, error) {
	if id == 0 {
		return nil, nil
	}
	if c.young == nil || len(c.young) >= cachedLinks || time.Since(c.since) > cachedFor {
		c.old, c.young, c.since = c.young, make(map[link.LinkID]*link.Link), time.Now()
	}
	if l, ok := c.young[id]; ok {
		return l, nil
	}
	if l, ok := c.old[id]; ok {
		c.young[id] = l
		return l, nil
	}
	l, err := c.store.ReadLinkByID(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		c.young[id] = nil
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read link %d of a click: %w", id, err)
	}
	c.young[id] = &l
	return &l, nil
}

package click

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"waypost/event"
	"waypost/link"
	"waypost/route"
)

// DefaultCacheBytes holds about 100 000 compiled links of ordinary size.
const DefaultCacheBytes = 128 << 20

// cachedLink is one path of a template in memory: a live link, an expired one, a template's
// long link, or the knowledge that there is nothing. Only its expiry changes.
type cachedLink struct {
	template  *link.TemplateView
	plan      route.Plan // here, not behind a pointer: one miss of the memory less
	path      link.Path
	id        link.LinkID // zero without a link
	source    link.Source // of the link
	data      string      // of the link, for clicks whose URL brings parameters
	dialect   uint8       // place among the door's
	state     event.State
	loadedAt  int64        // Unix milliseconds
	expiresAt atomic.Int64 // Unix milliseconds; 0: never
}

// keep takes from a stored link what clicks need beside its plan, and no more:
// a hundred thousand of these are in memory.
func (c *cachedLink) keep(l *link.Link) {
	c.id, c.source, c.data = l.ID, l.Source, string(l.Data)
	if !l.ExpiresAt.IsZero() {
		c.expiresAt.Store(l.ExpiresAt.UnixMilli())
	}
}

// pack puts the texts of the entry into one piece of memory.
func (c *cachedLink) pack() {
	whole := c.data + c.plan.Packed()
	c.data, c.plan = whole[:len(c.data)], c.plan.On(whole[len(c.data):])
}

// stored is the link as far as dialects need it, or nil where the path has none.
func (c *cachedLink) stored(dialect Dialect) *link.Link {
	if c.id == 0 {
		return nil
	}
	return &link.Link{
		ID: c.id, Account: c.template.Account, Dialect: dialect.Name(), Template: c.template.ID,
		Code: string(c.path[len(c.template.ID)+1:]), Path: c.path, Source: c.source, Data: json.RawMessage(c.data),
	}
}

func (c *cachedLink) expired(now int64) bool {
	at := c.expiresAt.Load()
	return at != 0 && now >= at
}

// entryOverhead is what an entry costs beside its texts and its plan, which
// counts itself: the struct, and an estimate of the cache's node and its slot
// in the table.
const entryOverhead = int(unsafe.Sizeof(cachedLink{})-unsafe.Sizeof(route.Plan{})) + 160

type linkCache struct {
	entries *otter.Cache[string, *cachedLink]
	maxAge  int64 // milliseconds
}

func newLinkCache(maxBytes int, maxAge time.Duration) (*linkCache, error) {
	entries, err := otter.New(&otter.Options[string, *cachedLink]{
		MaximumWeight: uint64(maxBytes),
		Weigher: func(path string, c *cachedLink) uint32 {
			return uint32(entryOverhead + len(path) + len(c.data) + c.plan.Size())
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make the link cache: %w", err)
	}
	return &linkCache{entries: entries, maxAge: maxAge.Milliseconds()}, nil
}

// get returns the entry for a path. One read in eight tells the cache that the
// entry is in use: which entries are worth keeping shows as well from a sample,
// and telling costs more than reading.
func (l *linkCache) get(path string) (*cachedLink, bool) {
	if rand.Uint32()%8 == 0 {
		return l.entries.GetIfPresent(path)
	}
	e, ok := l.entries.GetEntryQuietly(path)
	return e.Value, ok
}

// load makes the entry for a path unless another caller has made a fitting one
// meanwhile. An entry that is forgotten while it is made is not kept.
func (l *linkCache) load(path link.Path, t *link.TemplateView, now int64, make func() *cachedLink) *cachedLink {
	if old, ok := l.entries.GetEntryQuietly(string(path)); ok && (old.Value.template != t || old.Value.due(now, l.maxAge)) {
		l.entries.Invalidate(string(path))
	}
	c, err := l.entries.Get(context.Background(), string(path), otter.LoaderFunc[string, *cachedLink](
		func(context.Context, string) (*cachedLink, error) { return make(), nil }))
	if err != nil || c.template != t {
		return make()
	}
	return c
}

func (l *linkCache) forget(path link.Path) { l.entries.Invalidate(string(path)) }

func (l *linkCache) renew(path link.Path, expiresAt time.Time) {
	if c, ok := l.entries.GetEntryQuietly(string(path)); ok {
		c.Value.expiresAt.Store(expiresAt.UnixMilli())
	}
}

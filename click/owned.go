package click

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

// ownedLink is one path of a host in memory: the link that owns it, or the
// knowledge that there is none. Only its expiry changes. It is made anew when
// the link changes, so equal pointers mean an equal link.
type ownedLink struct {
	link      *link.Link   // nil: there is none
	unread    bool         // the store did not answer, and nothing older was known
	loadedAt  int64        // Unix milliseconds
	expiresAt atomic.Int64 // Unix milliseconds; 0: never
}

// lives reports whether somebody may be sent where the link leads.
func (o *ownedLink) lives(now int64) bool { return o.link != nil && !o.expired(now) }

func (o *ownedLink) expired(now int64) bool {
	at := o.expiresAt.Load()
	return at != 0 && now >= at
}

func (o *ownedLink) size() int {
	size := int(unsafe.Sizeof(*o)) + nodeSize
	if l := o.link; l != nil {
		size += int(unsafe.Sizeof(*l)) + len(l.Path) + len(l.Base) + len(l.Data)
		if l.Listing != nil {
			size += int(unsafe.Sizeof(*l.Listing)) + len(l.Listing.Name) + len(l.Listing.CampaignName) + len(l.Listing.Identity)
		}
	}
	return size
}

// spot is what a clicked path of a host leads to, in memory. It is immutable.
type spot struct {
	directory *link.Directory // that it was made with
	place     route.Place
	bare      bool    // located without a query
	locator   uint8   // place among the door's dialects of the one that knows it
	at        located // what was there when the plan was made
	plan      *route.Plan
}

func (a *spot) size() int {
	size := int(unsafe.Sizeof(*a)) + nodeSize + len(a.place.Path) + len(a.place.Base) + len(a.place.Rest)
	if a.plan != nil {
		size += a.plan.Size()
	}
	return size
}

// fits reports whether what is known of the spot holds for the request.
func (a *spot) fits(v *request) bool {
	return a.directory == v.directory && !v.posted && (a.place.Steady || a.bare && len(v.query) == 0)
}

// numbered is where the link with a number lives, in memory. The number of a
// link never moves to another path.
type numbered struct {
	path     link.Path // empty: there is no such link
	loadedAt int64     // Unix milliseconds
}

// maxNumbered bounds the numbers in memory.
const maxNumbered = 32 << 10

// nodeSize estimates what a cache needs for an entry beside the entry.
const nodeSize = 160

// ownedLinks are the links that own paths of hosts, as far as they are in
// memory. Spots are kept apart from links, because a link has several: its
// brands', its trackers', its pixel's.
type ownedLinks struct {
	links   *otter.Cache[string, *ownedLink]
	spots   *otter.Cache[string, *spot]
	numbers *otter.Cache[link.LinkID, numbered]
	maxAge  int64 // milliseconds
}

func newOwnedLinks(maxBytes int, maxAge time.Duration) (*ownedLinks, error) {
	links, err := otter.New(&otter.Options[string, *ownedLink]{
		MaximumWeight: uint64(maxBytes / 2),
		Weigher:       func(path string, o *ownedLink) uint32 { return uint32(len(path) + o.size()) },
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of links that own paths: %w", err)
	}
	spots, err := otter.New(&otter.Options[string, *spot]{
		MaximumWeight: uint64(maxBytes / 2),
		Weigher:       func(key string, a *spot) uint32 { return uint32(len(key) + a.size()) },
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of clicked paths: %w", err)
	}
	numbers, err := otter.New(&otter.Options[link.LinkID, numbered]{MaximumSize: maxNumbered})
	if err != nil {
		return nil, fmt.Errorf("make the cache of link numbers: %w", err)
	}
	return &ownedLinks{links: links, spots: spots, numbers: numbers, maxAge: maxAge.Milliseconds()}, nil
}

func (o *ownedLinks) forget(path link.Path) { o.links.Invalidate(string(path)) }

// remember keeps what a path leads to for its next clicks, but not whose click
// a server reports: that one is not asked for again.
func (o *ownedLinks) remember(key []byte, a *spot) {
	if a.place.Agent == "" && !a.place.Address.IsValid() {
		o.spots.Set(string(key), a)
	}
}

func (o *ownedLinks) renew(path link.Path, expiresAt time.Time) {
	if e, ok := o.links.GetEntryQuietly(string(path)); ok {
		e.Value.expiresAt.Store(expiresAt.UnixMilli())
	}
}

// owned returns what owns a path. Of several visitors who miss the same link
// one asks the store.
func (d *Door) owned(path link.Path, now int64) *ownedLink {
	o, ok := d.owners.links.GetIfPresent(string(path))
	if ok && now-o.loadedAt <= d.owners.maxAge && !(o.expired(now) && now-o.loadedAt > recheckExpired) {
		return o
	}
	if ok {
		d.owners.forget(path)
	}
	read := func() *ownedLink { return d.readOwned(path, o, now) }
	fresh, err := d.owners.links.Get(context.Background(), string(path), otter.LoaderFunc[string, *ownedLink](
		func(context.Context, string) (*ownedLink, error) { return read(), nil }))
	if err != nil {
		return read()
	}
	return fresh
}

// readOwned reads the link at a path. While the store does not answer, what was
// known before goes on to hold: there is no template to decide instead.
func (d *Door) readOwned(path link.Path, before *ownedLink, now int64) *ownedLink {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	l, err := d.cfg.Links.ReadLink(ctx, path)
	switch {
	case err == nil:
		o := &ownedLink{link: &l, loadedAt: now}
		if !l.ExpiresAt.IsZero() {
			o.expiresAt.Store(l.ExpiresAt.UnixMilli())
		}
		return o
	case fault.Is(err, fault.NotFound):
		return &ownedLink{loadedAt: now}
	}
	d.storeFailed("cannot read a link that owns a path", err)
	if before == nil || before.unread {
		return &ownedLink{unread: true}
	}
	o := &ownedLink{link: before.link, loadedAt: now - d.owners.maxAge + retryStore}
	o.expiresAt.Store(before.expiresAt.Load())
	return o
}

// retryStore is how long, in milliseconds, an old link holds before a store
// that did not answer is asked again.
const retryStore = 1000

// pathOf returns where the link with a number lives, or "" for none. ok is
// false when the store did not answer.
func (d *Door) pathOf(id link.LinkID, now int64) (path link.Path, ok bool) {
	n, known := d.owners.numbers.GetIfPresent(id)
	// A link of that number may have been made since: nobody tells the number.
	if known && (n.path != "" || now-n.loadedAt <= recheckExpired) {
		return n.path, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	l, err := d.cfg.Links.ReadLinkByID(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		d.storeFailed("cannot read a link by its number", err)
		return "", false
	}
	n = numbered{loadedAt: now}
	if _, _, owns := l.Path.SplitHost(); err == nil && owns {
		n.path = l.Path
	}
	d.owners.numbers.Set(id, n)
	return n.path, true
}

func (d *Door) storeFailed(what string, err error) {
	d.counters.StoreErrors.Add(1)
	d.alarm.raise(d.cfg.Logger, what, err)
}

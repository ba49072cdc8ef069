// Package click is the public door: a link's host comes in, a redirect, a
// page or an association file goes out, and the click is in the ledger before
// the answer is. Everything here is on the way of a person who waits.
package click

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"waypost/internal/device"
	"waypost/link"
	"waypost/route"
)

// Dialect says what a link does, in the words of the API that it was made by.
// It may be a Locator, a Teller and an Excluder, too.
type Dialect interface {
	// Name is the Dialect of its links.
	Name() link.Dialect
	// Rules returns what a clicked URL does. c.Link is nil where the link is
	// expired or gone, and for a template's long link. A NotFound fault, for a
	// link that owns a path of a host, means that nothing is there.
	Rules(c *route.Clicked) (*route.Rules, error)
}

// Locator is a Dialect whose links own paths of hosts. What belongs to a
// host's template, and the host's own files, it is never asked about.
type Locator interface {
	// Locate returns what an address points to; ok is false for addresses of
	// other dialects. That something is there is for the door to find out.
	Locate(r *route.Request) (p route.Place, ok bool)
}

// Teller is a Dialect that apps ask about links, by Place.Lookup.
type Teller interface {
	// AppendLookup appends the JSON that tells an app where in it the clicked
	// url leads. deepLink is empty where nothing says so, or nothing is there.
	AppendLookup(dst []byte, url, deepLink string) []byte
}

// Excluder is a Dialect with links that must not open apps.
type Excluder interface {
	// Excludes returns their paths, as "/D*", for association files.
	Excludes() []string
}

// Links is what the door reads from a store.
type Links interface {
	// ReadLink returns the link at a path, also when it has expired; a
	// NotFound fault when there is none.
	ReadLink(ctx context.Context, path link.Path) (link.Link, error)
	// ReadLinkByID is ReadLink for a link's number.
	ReadLinkByID(ctx context.Context, id link.LinkID) (link.Link, error)
	// KnowsTargetHost reports whether a stored link of the account points to the host.
	KnowsTargetHost(ctx context.Context, account link.AccountID, host string) (bool, error)
}

// Ledger keeps events.
type Ledger interface {
	// Append returns when the line is on stable storage, or an error and the
	// line may or may not be. It does not keep the line.
	Append(line []byte) error
}

// Config is what a Door needs. Directory, Links, Dialects and Ledger must be set.
type Config struct {
	Directory func() *link.Directory
	Links     Links
	// Dialects are asked in their order where an address may belong to several.
	// The first one's are the links of templates.
	Dialects []Dialect
	Ledger   Ledger
	// Received takes what systems post to any host; nil: nothing is taken.
	Received Receiver
	Logger   *slog.Logger
	Now      func() time.Time
	// Country returns the ISO country of an address, or "". It may be nil.
	Country func(netip.Addr) string
	// Network returns the name of the network that an address belongs to, or "".
	// It may be nil, and must not allocate.
	Network func(netip.Addr) string
	// TrustedProxies are believed when they name the visitor in X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// CacheBytes bounds the memory of templates' compiled links, and once more
	// that of links which own paths of hosts; 0 is DefaultCacheBytes.
	CacheBytes int
	// CacheAge bounds how long a change of a link that nobody announced stays
	// unseen; 0 is DefaultCacheAge.
	CacheAge time.Duration
}

// DefaultCacheAge is right where other processes write the same store and an
// announcement may be lost.
const DefaultCacheAge = time.Minute

// Limits of what the door reads and keeps.
const (
	maxURL       = 8 << 10  // bytes of a request's URL
	maxHeader    = 16 << 10 // bytes of a request's line and headers together
	maxKept      = 1 << 10  // bytes of User-Agent, Referer and Accept-Language in an event
	maxParams    = 256      // parameters of a clicked URL that are looked at
	storeTimeout = 2 * time.Second
	agentsCached = 16 << 10
	requestTime  = time.Minute // for a request to arrive, an answer to leave, a connection to idle
)

// Door answers link hosts. It is safe for concurrent use.
type Door struct {
	cfg      Config
	links    *linkCache
	owners   *ownedLinks
	names    []link.Dialect // of the dialects
	claims   claims         // what the dialects say of association files
	detector *device.Detector
	requests sync.Pool // *request
	buffers  sync.Pool // *[]byte, for events and locations
	counters Counters
	alarm    alarm
}

// New returns a ready door.
func New(cfg Config) (*Door, error) {
	if len(cfg.Dialects) == 0 {
		return nil, errors.New("make a door: no dialect is given")
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = DefaultCacheBytes
	}
	if cfg.CacheAge == 0 {
		cfg.CacheAge = DefaultCacheAge
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	links, err := newLinkCache(cfg.CacheBytes, cfg.CacheAge)
	if err != nil {
		return nil, err
	}
	owners, err := newOwnedLinks(cfg.CacheBytes, cfg.CacheAge)
	if err != nil {
		return nil, err
	}
	var names []link.Dialect
	for _, dialect := range cfg.Dialects {
		names = append(names, dialect.Name())
	}
	return &Door{
		cfg:      cfg,
		names:    names,
		links:    links,
		owners:   owners,
		claims:   claimsOf(cfg.Dialects),
		detector: device.NewDetector(agentsCached),
		requests: sync.Pool{New: func() any { return new(request) }},
		buffers:  sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }},
	}, nil
}

// Server returns a server for the public listener.
func (d *Door) Server() *fasthttp.Server {
	return &fasthttp.Server{
		Handler:               d.Serve,
		HeaderReceived:        d.allowance,
		ErrorHandler:          refuseUnreadable,
		ReadBufferSize:        maxHeader,
		MaxRequestBodySize:    1 << 10, // links take no bodies; see allowance
		ReadTimeout:           requestTime,
		WriteTimeout:          requestTime,
		IdleTimeout:           requestTime, // equal, so that slackConn seldom moves it
		NoDefaultServerHeader: true,
		NoDefaultContentType:  true,
		CloseOnShutdown:       true,
		Logger:                quietLogger{},
	}
}

// bodiless is fasthttp's length of a GET or HEAD that announces no body.
const bodiless = -2

// Serve answers one request.
func (d *Door) Serve(ctx *fasthttp.RequestCtx) {
	if ctx.Request.Header.ContentLength() != bodiless {
		// Links need no bodies, and a proxy in front that saw another length of
		// this one takes what follows for part of it, or the other way round
		// (RFC 9112 §6.1). So nothing follows.
		ctx.SetConnectionClose()
	}
	if d.received(&ctx.Request.Header) {
		d.receive(ctx)
		return
	}
	v := d.requests.Get().(*request)
	defer d.requests.Put(v)
	if refusal := d.read(ctx, v); refusal != nil {
		refusal.write(ctx)
		return
	}
	if isAssociation(v.path) && !v.posted {
		serveAssociation(ctx, v.site, v.path, d.claims)
		return
	}
	target, refusal := d.find(v)
	if refusal != nil {
		refusal.write(ctx)
		return
	}
	if target.place != nil {
		d.serveOwned(ctx, v, &target)
		return
	}
	if r := target.plan.Reported(); r != nil {
		v.reports(d, r)
	}
	dest := target.plan.Decide(v.device)
	if v.counts {
		d.record(v, &target, &dest)
	}
	d.answer(ctx, &dest, v.moment())
}

// serveOwned answers for a link that owns a path of a host: clicks as all
// others, and what else such addresses may mean.
func (d *Door) serveOwned(ctx *fasthttp.RequestCtx, v *request, t *target) {
	if t.place.Lookup != "" {
		d.tell(ctx, v, t)
		return
	}
	v.standFor(d, t.place)
	dest := t.plan.Decide(v.device)
	if v.counts && !t.silent {
		d.record(v, t, &dest)
	}
	if t.place.View {
		d.answerPixel(ctx)
		return
	}
	d.answer(ctx, &dest, v.moment())
}

// Forget drops links from memory because they were changed or removed.
func (d *Door) Forget(paths []link.Path) {
	for _, p := range paths {
		d.links.forget(p)
		d.owners.forget(p)
	}
}

// Renewed tells that a link's expiry was moved.
func (d *Door) Renewed(path link.Path, expiresAt time.Time) {
	d.links.renew(path, expiresAt)
	d.owners.renew(path, expiresAt)
}

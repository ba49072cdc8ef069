package click

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"waypost/event"
	"waypost/internal/page"
	"waypost/link"
	"waypost/privacy"
	"waypost/route"
)

// Counters tell what the door did since it was made.
type Counters struct {
	Answered    atomic.Int64 // destinations given
	Recorded    atomic.Int64 // clicks that the ledger has
	Unlogged    atomic.Int64 // clicks answered although the ledger did not take them
	StoreErrors atomic.Int64
	RuleErrors  atomic.Int64
}

// Counters returns the door's counters.
func (d *Door) Counters() *Counters { return &d.counters }

// record writes the click down. When the ledger fails the person is redirected
// all the same, and the click is counted as unlogged, which must alarm.
func (d *Door) record(v *request, t *target, dest *route.Destination) {
	buf := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buf)
	var address [64]byte
	deepLink := dest.AppendDeepLink((*buf)[:0], v.moment()) // the event comes behind it
	if len(deepLink) > maxURL {
		deepLink = deepLink[:0] // a part of one would lead elsewhere
	}
	front, query := deepLink, v.query
	if policy := t.account.IPPolicy; !privacy.KeepsAll(policy) {
		front, deepLink, query = cutAddresses(front, policy, query)
	}
	click := event.Click{
		Kind: t.kind(), ID: v.id, At: v.at, Account: t.account.ID, Dialect: d.names[t.dialect], Link: t.link, Tracker: dest.Tracker,
		Template: t.template, Code: t.code, DeepLink: text(deepLink), Clipboard: dest.Copies(), State: t.state, Host: text(v.host), Route: string(dest.Rule),
		Platform: v.device.Platform, OS: v.device.OSVersion, Model: v.device.Model,
		Browser: v.device.Browser, Bot: v.device.Bot,
		IP:    text(privacy.AppendAddress(address[:0], t.account.IPPolicy, v.address)),
		Agent: kept(v.agent), Language: kept(v.language), Referrer: kept(v.referrer), Query: text(query), Stored: t.plan.Stored(),
	}
	if d.cfg.Country != nil && v.address.IsValid() {
		click.Country = d.cfg.Country(v.address)
	}
	if d.cfg.Network != nil {
		click.Network = d.cfg.Network(v.address)
	}
	*buf = click.AppendJSON(front)
	if err := d.cfg.Ledger.Append((*buf)[len(front):]); err != nil {
		d.counters.Unlogged.Add(1)
		d.alarm.raise(d.cfg.Logger, "clicks are answered but not logged: the ledger refuses them", err)
		return
	}
	d.counters.Recorded.Add(1)
}

// cutAddresses returns the deep link and the clicked query with what addresses
// they hold cut as the policy says. They stand at the end of front, which began
// with the deep link as it was.
func cutAddresses(deepLink []byte, policy link.IPPolicy, query []byte) (front, kept, keptQuery []byte) {
	front = privacy.AppendURL(deepLink, policy, deepLink)
	kept = front[len(deepLink):]
	front = privacy.AppendQuery(front, policy, query)
	return front, kept, front[len(deepLink)+len(kept):]
}

// kind is what a request for the target is.
func (t *target) kind() event.Kind {
	if t.place != nil && t.place.View {
		return event.ImpressionKind
	}
	return event.ClickKind
}

// kept cuts what a request says about itself to what an event keeps.
func kept(b []byte) string { return text(b[:min(len(b), maxKept)]) }

// answer writes the destination. Clicks must reach us every time, so nothing
// on the way may keep the answer (DESIGN §6, "Clicks").
func (d *Door) answer(ctx *fasthttp.RequestCtx, dest *route.Destination, m route.Moment) {
	buf := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buf)
	head := &ctx.Response.Header
	head.SetCanonical(headerCacheControl, valueNoStore)
	d.counters.Answered.Add(1)
	switch dest.Kind {
	case route.Redirect:
		*buf = dest.AppendLocation((*buf)[:0], m)
		ctx.Response.SetStatusCode(fasthttp.StatusFound)
		head.SetCanonical(headerLocation, *buf)
	case route.Page, route.Preview:
		html, err := dest.AppendPage((*buf)[:0], m)
		if err != nil {
			d.alarm.raise(d.cfg.Logger, "cannot render a page", err)
			ctx.Response.SetStatusCode(fasthttp.StatusInternalServerError)
			return
		}
		*buf = html
		head.SetContentType("text/html; charset=utf-8")
		head.Set("Content-Security-Policy", page.Policy())
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		ctx.Response.SetBody(html)
	case route.Told:
		head.SetContentType("application/json")
		ctx.Response.SetBodyString(dest.Reply())
	default:
		ctx.Response.SetStatusCode(fasthttp.StatusOK)
	}
}

// pixel is a transparent GIF of one by one.
const pixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;"

// answerPixel answers an impression.
func (d *Door) answerPixel(ctx *fasthttp.RequestCtx) {
	d.counters.Answered.Add(1)
	head := &ctx.Response.Header
	head.SetCanonical(headerCacheControl, valueNoStore)
	head.SetContentType("image/gif")
	ctx.Response.SetBodyString(pixel)
}

var (
	headerLocation     = []byte(fasthttp.HeaderLocation)
	headerCacheControl = []byte(fasthttp.HeaderCacheControl)
	valueNoStore       = []byte("no-store, private")
)

// refusal is an answer that sends nobody anywhere.
type refusal struct {
	status  int
	message string
}

// Refusals. The text for an unknown template is the vendor's (spec-onelink §4.3).
var (
	refuseLongURL  = &refusal{fasthttp.StatusRequestURITooLong, "URL too long: at most 8192 bytes are read"}
	refuseMethod   = &refusal{fasthttp.StatusMethodNotAllowed, "Method not allowed: links answer GET and HEAD"}
	refuseHost     = &refusal{fasthttp.StatusNotFound, "Unknown link host"}
	refuseTemplate = &refusal{fasthttp.StatusNotFound, "Application ID not found"}
	refuseLink     = &refusal{fasthttp.StatusNotFound, "Link not found"}
	refuseStore    = &refusal{fasthttp.StatusServiceUnavailable, "Links cannot be read at the moment; please try again"}
	refuseBody     = &refusal{fasthttp.StatusRequestEntityTooLarge, "Body too long: links take none, and questions about links at most 16 KiB"}
)

func (r *refusal) write(ctx *fasthttp.RequestCtx) {
	head := &ctx.Response.Header
	head.SetContentType("text/plain; charset=utf-8")
	head.SetCanonical(headerCacheControl, valueNoStore)
	switch r.status {
	case fasthttp.StatusMethodNotAllowed:
		head.Set("Allow", "GET, HEAD")
	case fasthttp.StatusServiceUnavailable:
		head.Set("Retry-After", "1")
	}
	ctx.Response.SetStatusCode(r.status)
	ctx.Response.SetBodyString(r.message)
}

// refuseUnreadable answers what fasthttp could not read as a request.
func refuseUnreadable(ctx *fasthttp.RequestCtx, err error) {
	r := &refusal{fasthttp.StatusBadRequest, "Unreadable request"}
	if small, ok := errors.AsType[*fasthttp.ErrSmallBuffer](err); ok && small != nil {
		r = &refusal{fasthttp.StatusRequestHeaderFieldsTooLarge, "Request line and headers too long: at most 16 KiB are read"}
	}
	if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		r = refuseBody
	}
	r.write(ctx)
}

// quietLogger drops fasthttp's messages about connections that people close.
type quietLogger struct{}

func (quietLogger) Printf(string, ...any) {}

// alarm lets one message a second through, with the number of those held back.
type alarm struct {
	last atomic.Int64
	held atomic.Int64
}

func (a *alarm) raise(log *slog.Logger, what string, err error) {
	now := time.Now().Unix()
	last := a.last.Load()
	if last == now || !a.last.CompareAndSwap(last, now) {
		a.held.Add(1)
		return
	}
	log.Error(what, "error", err, "not_shown_before", a.held.Swap(0))
}

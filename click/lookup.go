package click

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"

	"waypost/internal/device"
	"waypost/route"
)

// maxAsked bounds the body with which an app asks about a link.
const maxAsked = 16 << 10

// allowance lets the bodies in with which apps ask about links, and those that
// the Receiver takes. All other requests have those of Server.
func (d *Door) allowance(head *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if !head.IsPost() {
		return fasthttp.RequestConfig{}
	}
	if d.received(head) {
		return fasthttp.RequestConfig{MaxRequestBodySize: maxAsked}
	}
	v := request{directory: d.cfg.Directory(), host: bytes.Clone(head.Host()), posted: true}
	if uri := head.RequestURI(); len(uri) > maxURL || !v.aim(bytes.Clone(uri)) {
		return fasthttp.RequestConfig{}
	}
	if _, refusal := d.locate(&v); refusal != nil {
		return fasthttp.RequestConfig{}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: maxAsked}
}

// tell answers an app that asks where a link leads in it. The operating system
// opened the app without asking us, so this is the click.
func (d *Door) tell(ctx *fasthttp.RequestCtx, v *request, asked *target) {
	teller, ok := d.cfg.Dialects[asked.dialect].(Teller)
	if !ok {
		refuseLink.write(ctx)
		return
	}
	var deepLink []byte
	clicked := *v
	clicked.standFor(d, asked.place)
	clicked.device = person(clicked.device)
	if t, ok := d.lookUpURL(&clicked, asked.place.Lookup); ok {
		dest := t.plan.Decide(clicked.device)
		if v.counts && !t.silent {
			d.record(&clicked, &t, &dest)
		}
		deepLink = dest.AppendDeepLink(nil, clicked.moment())
	}
	d.counters.Answered.Add(1)
	head := &ctx.Response.Header
	head.SetCanonical(headerCacheControl, valueNoStore)
	head.SetContentType("application/json")
	ctx.Response.SetBody(teller.AppendLookup(nil, asked.place.Lookup, string(deepLink)))
}

// lookUpURL points v at a URL and finds what a click there means. ok is false
// where that is no click on a link.
func (d *Door) lookUpURL(v *request, rawURL string) (t target, ok bool) {
	if !v.aimAt(rawURL) {
		return target{}, false
	}
	v.posted, v.body = false, nil
	t, refusal := d.find(v)
	return t, refusal == nil && (t.place == nil || t.place.Lookup == "" && !t.place.View)
}

// aimAt points the request at a URL as people paste it, whose scheme and port
// do not matter.
func (v *request) aimAt(rawURL string) bool {
	if len(rawURL) > maxURL {
		return false
	}
	rest := rawURL
	if i := strings.Index(rest, "://"); i >= 0 {
		rest = rest[i+3:]
	}
	rest, _, _ = strings.Cut(rest, "#") // browsers keep it to themselves
	return v.aim([]byte("x://" + rest))
}

// person is the device without a verdict that speaks of the library with which
// an app asks, instead of who uses the app.
func person(d *device.Device) *device.Device {
	if d.Bot != "empty" && !strings.HasPrefix(d.Bot, "tool:") {
		return d
	}
	plain := *d
	plain.Bot = ""
	return &plain
}

// reports makes the request that of the visitor whom the rules name. A program
// that clicks for him is none, then, and neither its agent nor its address is his.
func (v *request) reports(d *Door, r *route.Reported) {
	library := person(v.device) != v.device
	if library && r.Agent == "" {
		v.device, v.agent, v.language, v.referrer = person(v.device), nil, nil, nil
	}
	if library || r.Agent != "" {
		v.address = r.Address
	}
	v.standFor(d, &route.Place{Agent: r.Agent, Address: r.Address})
}

// standFor makes the request that of the visitor whose click a server reports.
// What else its headers say speaks of the server.
func (v *request) standFor(d *Door, p *route.Place) {
	if p.Agent != "" {
		v.agent = []byte(p.Agent)
		v.device = d.detector.Detect(v.agent, device.Hints{})
	}
	if p.Address.IsValid() {
		v.address = p.Address.Unmap()
	}
	if p.Agent != "" || p.Address.IsValid() {
		v.language, v.referrer = nil, nil
	}
}

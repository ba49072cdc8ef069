package click

import (
	"bytes"
	"iter"
	"net"
	"net/netip"
	"strings"
	"unsafe"

	"github.com/valyala/fasthttp"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
	"waypost/privacy"
	"waypost/route"
)

// request is one request, read. Its bytes belong to the request and die with it.
type request struct {
	// directory is looked at once for each request, so that all of it sees the
	// same configuration.
	directory *link.Directory
	site      *link.Site
	host      []byte // lower case, without port
	path      []byte // as sent, without the query and without slashes at its ends
	query     []byte // as sent, without "?"
	agent     []byte
	language  []byte
	referrer  []byte
	device    *device.Device
	address   netip.Addr
	at        int64 // Unix milliseconds
	id        uid.Click
	posted    bool   // a POST: answered where apps ask about links, and nowhere else
	body      []byte // of a POST
	counts    bool   // no HEAD and no prefetch
}

func (v *request) moment() route.Moment { return route.Moment{Click: v.id, AtMillis: v.at} }

// text looks at b as a string without copying. The result must not outlive
// the request that b belongs to.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// read fills v from the request, or says why no link host answers it.
func (d *Door) read(ctx *fasthttp.RequestCtx, v *request) *refusal {
	head := &ctx.Request.Header
	uri := head.RequestURI()
	if len(uri) > maxURL {
		return refuseLongURL
	}
	posted := head.IsPost()
	if !posted && !head.IsGet() && !head.IsHead() {
		return refuseMethod
	}
	*v = request{directory: d.cfg.Directory(), host: head.Host(), posted: posted}
	if !v.aim(uri) {
		return refuseHost
	}
	if posted {
		v.body = ctx.Request.Body()
	}
	v.agent = head.UserAgent()
	said := readHeaders(head)
	v.language, v.referrer = said.language, said.referrer
	v.device = d.detector.Detect(v.agent, said.hints)
	v.counts = !head.IsHead() && !device.IsPrefetch(said.secPurpose, said.purpose, said.xMoz, said.xPurpose)
	v.address = d.address(ctx)
	v.at = d.cfg.Now().UnixMilli()
	v.id = uid.NewClick()
	return nil
}

// headers are those that matter beside Host and User-Agent.
type headers struct {
	language, referrer                  []byte
	secPurpose, purpose, xMoz, xPurpose []byte
	hints                               device.Hints
}

// readHeaders goes through the headers once, which asking for each by name
// would do ten times. Names come normalised; of repeated ones the last counts.
func readHeaders(head *fasthttp.RequestHeader) (h headers) {
	for name, value := range head.All() {
		switch string(name) {
		case "Accept-Language":
			h.language = value
		case "Referer":
			h.referrer = value
		case "Sec-Purpose":
			h.secPurpose = value
		case "Purpose":
			h.purpose = value
		case "X-Moz":
			h.xMoz = value
		case "X-Purpose":
			h.xPurpose = value
		case "Sec-Ch-Ua-Platform":
			h.hints.Platform = value
		case "Sec-Ch-Ua-Platform-Version":
			h.hints.PlatformVersion = value
		case "Sec-Ch-Ua-Model":
			h.hints.Model = value
		case "Sec-Ch-Ua-Mobile":
			h.hints.Mobile = value
		}
	}
	return h
}

// aim points the request at a URL, whose host it lowers in place, and reports
// whether that is a link host of the directory.
func (v *request) aim(uri []byte) bool {
	v.split(uri)
	v.host = lowerHost(v.host)
	v.site = v.directory.Site(text(v.host))
	return v.site != nil
}

// split cuts a request target into path and query. Proxies may send the
// absolute form, whose authority replaces the Host header (RFC 9112 §3.2.2).
func (v *request) split(uri []byte) {
	if len(uri) > 0 && uri[0] != '/' {
		if i := bytes.Index(uri, []byte("://")); i >= 0 {
			rest := uri[i+3:]
			end := bytes.IndexAny(rest, "/?")
			if end < 0 {
				end = len(rest)
			}
			v.host, uri = rest[:end], rest[end:]
		}
	}
	v.path = uri
	if i := bytes.IndexByte(uri, '?'); i >= 0 {
		v.path, v.query = uri[:i], uri[i+1:]
	}
	for len(v.path) > 0 && v.path[0] == '/' {
		v.path = v.path[1:]
	}
	for len(v.path) > 0 && v.path[len(v.path)-1] == '/' {
		v.path = v.path[:len(v.path)-1]
	}
}

// lowerHost cuts the port off a Host header and lowers its letters in place.
// A final dot is the same host (RFC 1034 §3.1).
func lowerHost(host []byte) []byte {
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && bytes.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	host = bytes.TrimSuffix(host, []byte("."))
	for i, c := range host {
		if c >= 'A' && c <= 'Z' {
			host[i] = c + ('a' - 'A')
		}
	}
	return host
}

// address is the visitor's. A proxy's word counts only where the operator
// trusts the proxy; the last address in the chain that is no trusted proxy is
// the visitor, because everything before it may be invented.
func (d *Door) address(ctx *fasthttp.RequestCtx) netip.Addr {
	tcp, ok := ctx.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	peer := tcp.AddrPort().Addr().Unmap()
	if len(d.cfg.TrustedProxies) == 0 || !d.trusts(peer) {
		return peer
	}
	// Some proxies add a line of their own instead of extending the one that came.
	for lines := ctx.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor); len(lines) > 0; lines = lines[:len(lines)-1] {
		for hop := range backwards(text(lines[len(lines)-1])) {
			addr, err := privacy.ParseAddress(hop)
			if err != nil {
				return peer
			}
			if peer = addr; !d.trusts(peer) {
				return peer
			}
		}
	}
	return peer
}

// backwards yields the entries of a comma-separated list, the last one first.
func backwards(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for more := true; more; {
			entry := list
			at := strings.LastIndexByte(list, ',')
			if more = at >= 0; more {
				list, entry = list[:at], list[at+1:]
			}
			if !yield(entry) {
				return
			}
		}
	}
}

func (d *Door) trusts(a netip.Addr) bool {
	for _, p := range d.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

package click

import (
	"bytes"
	"net/http"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// Receiver takes what systems post to a host, whoever's the host is: they know a
// registrable domain, which need not be a link host.
type Receiver interface {
	http.Handler
	// Owns reports whether it takes what is posted to a path.
	Owns(path string) bool
}

// received reports whether a request is the Receiver's. It costs those that are
// no POST nothing.
func (d *Door) received(head *fasthttp.RequestHeader) bool {
	if d.cfg.Received == nil || !head.IsPost() || len(head.RequestURI()) > maxURL {
		return false
	}
	path, _, _ := bytes.Cut(head.RequestURI(), []byte("?"))
	return d.cfg.Received.Owns(text(path))
}

// receive answers for the Receiver.
func (d *Door) receive(ctx *fasthttp.RequestCtx) {
	fasthttpadaptor.NewFastHTTPHandler(d.cfg.Received)(ctx)
}

package postback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"waypost/attribution/history"
	"waypost/internal/outbound"
	"waypost/link"
)

// attemptTimeout is how long an attempt may take, from the look-up of the host
// to the end of what is kept of the answer.
const attemptTimeout = 10 * time.Second

// SenderConfig says how deliveries leave the machine.
type SenderConfig struct {
	// Networks are the operator's own, to which names of the public DNS may
	// lead. Without them only postbacks whose URL holds a private address, or
	// a name such as localhost, reach private networks.
	Networks []netip.Prefix
	Resolver *net.Resolver    // nil: the system's
	Now      func() time.Time // nil: the system's clock
}

// Sender makes attempts. It follows no redirects, uses no proxy, and dials no
// private address that the postback's own URL does not name.
type Sender struct {
	public, named guarded // apart, so that they share no connections
	now           func() time.Time
}

// guarded is a client with the guard of its dials.
type guarded struct {
	*http.Client
	guard *guard
}

// NewSender returns a sender. Close it in the end.
func NewSender(cfg SenderConfig) *Sender {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Sender{
		public: client(&guard{resolver: cfg.Resolver, own: cfg.Networks}),
		named:  client(&guard{resolver: cfg.Resolver, own: cfg.Networks, named: true}),
		now:    cfg.Now,
	}
}

func client(g *guard) guarded {
	return guarded{guard: g, Client: &http.Client{
		Transport: &http.Transport{
			DialContext: g.dial, TLSHandshakeTimeout: attemptTimeout, ForceAttemptHTTP2: true,
			MaxIdleConns: 256, MaxIdleConnsPerHost: mostPerHost, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       attemptTimeout,
	}}
}

// Close lets go of idle connections.
func (s *Sender) Close() {
	s.public.CloseIdleConnections()
	s.named.CloseIdleConnections()
}

// Send makes one attempt for a postback as it is configured now; nil says that
// it is configured no longer.
func (s *Sender) Send(ctx context.Context, d history.Delivery, p *link.Postback) Answer {
	if p == nil {
		return Answer{Text: fmt.Sprintf("postback %s is configured no longer", d.Postback), Final: true}
	}
	req, err := http.NewRequestWithContext(ctx, d.Method, d.URL, strings.NewReader(d.Body))
	if err != nil {
		return Answer{Text: reason(err), Final: true}
	}
	if err := outbound.CheckURL(d.URL); err != nil {
		return Answer{Text: err.Error(), Final: true}
	}
	if d.Body == "" {
		req.Body, req.GetBody = http.NoBody, nil
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "Waypost")
	req.Header.Set(KeyHeader, d.Key)
	if p.Secret != "" {
		req.Header.Set(SignatureHeader, Sign(p.Secret, s.now(), Request{Method: d.Method, URL: bare(req.URL), Body: d.Body}))
	}
	via := s.public
	if link.Host(d.URL) == link.Host(p.URL) {
		via = s.named
	}
	if literal, err := netip.ParseAddr(req.URL.Hostname()); err == nil { // a name may lead elsewhere tomorrow, an address does not
		if err := via.guard.check(req.URL.Hostname(), literal); err != nil {
			return Answer{Text: err.Error(), Final: true}
		}
	}
	resp, err := via.Do(req)
	if err != nil {
		return Answer{Text: reason(err)}
	}
	return s.read(resp)
}

func (s *Sender) read(resp *http.Response) Answer {
	defer resp.Body.Close()
	a := Answer{Code: resp.StatusCode, RetryAfter: parseRetryAfter(resp.Header.Get("Retry-After"), s.now())}
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	a.Text = string(text)
	if err == nil && len(text) == mostAnswer {
		// The rest of a short answer is read so that its connection can be used again.
		_, _ = io.CopyN(io.Discard, resp.Body, 16*mostAnswer)
	}
	return a
}

// bare is the URL as its receiver sees it: credentials go into a header, the
// fragment stays at home, and an empty path is "/".
func bare(u *url.URL) string { return u.Scheme + "://" + u.Host + u.RequestURI() }

// reason is why there is no answer, without the URL, which holds people's ids.
func reason(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", attemptTimeout)
	}
	return err.Error()
}

package click

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"

	"waypost/compat/onelink"
	"waypost/internal/device"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/route"
)

// fake is a dialect whose links own paths, with every kind of place:
//
//	CODE                 a link; its aliases are CODE/ALIAS
//	imp/CODE             its pixel
//	t/TRACKER/CODE       one of its trackers
//	n/NUMBER             by its number
//	s2s/CODE?ua=&ip=     somebody's click, reported
//	ask?url=             an app's question, or with the URL as the body
type fake struct{ located *atomic.Int64 }

func (fake) Name() link.Dialect { return link.SmartLinks }

func (fake) Excludes() []string { return []string{"/x*", "/D*"} }

func (f fake) Locate(r *route.Request) (route.Place, bool) {
	f.located.Add(1)
	query, _ := url.ParseQuery(r.Query)
	at := func(path string) link.Path { return link.HostPath(r.Site.Home(), path) }
	first, rest, more := strings.Cut(r.Path, "/")
	switch {
	case first == "nobody":
		return route.Place{}, false
	case first == "ask":
		return route.Place{Lookup: query.Get("url") + r.Body}, true
	case first == "imp":
		return route.Place{Path: at(rest), View: true}, true
	case first == "n":
		id, _ := strconv.Atoi(rest)
		return route.Place{Link: link.LinkID(id)}, true
	case first == "s2s":
		address, _ := netip.ParseAddr(query.Get("ip"))
		return route.Place{Path: at(rest), Agent: query.Get("ua"), Address: address}, true
	case first == "t":
		tracker, code, _ := strings.Cut(rest, "/")
		n, _ := strconv.Atoi(tracker)
		return route.Place{Path: at(code), Tracker: link.Tracker(n)}, true
	case more:
		return route.Place{Path: at(r.Path), Base: at(first), Steady: true}, true
	}
	return route.Place{Path: at(r.Path), Steady: true}, true
}

// fakeData is a link of the dialect: web takes ?to= of the clicked URL unless
// the link is fixed.
type fakeData struct {
	Web, IOS, Deep string
	Fixed          bool
}

func (fake) Rules(c *route.Clicked) (*route.Rules, error) {
	l := c.Link
	if c.Base != nil {
		l = c.Base
	}
	var data fakeData
	if err := json.Unmarshal(l.Data, &data); err != nil {
		return nil, err
	}
	if c.Place.View || c.Template != nil || c.Site == nil || c.Directory == nil || c.Code != c.Link.Code {
		return nil, fmt.Errorf("clicked as %+v", c)
	}
	if c.Place.Tracker > 3 {
		return nil, fault.New(fault.NotFound, "no such tracker")
	}
	r := &route.Rules{Web: &route.Target{URL: data.Web, From: "web"}, Tracker: link.CatchAll, Fixed: data.Fixed}
	r.Offers = []route.Offer{{Platform: device.IOS, Store: &route.Target{URL: data.IOS, From: "ios"}, Tracker: 2, DeepLink: data.Deep}}
	if c.Place.Tracker != 0 {
		r.Offers, r.Tracker = nil, c.Place.Tracker
	}
	if c.Base != nil {
		r.Web.Params = []route.Param{{Name: "alias", Value: string(c.Link.Data)}}
		r.Stored = "alias=" + c.Link.Code
	}
	for _, p := range c.Query {
		switch p.Name {
		case "to":
			if !data.Fixed && c.Allow(link.Host(p.Value)) {
				r.Web.URL = p.Value
			}
		case "quiet":
			r.NoRedirect, r.Reply = "asked", `{"ok":true}`
		case "break":
			return nil, fmt.Errorf("broken by %q", p.Value)
		}
	}
	return r, nil
}

func (fake) AppendLookup(dst []byte, url, deepLink string) []byte {
	return fmt.Appendf(dst, "{\"url\":%q,\"deep\":%q}", url, deepLink)
}

// newFakeSite is a site that speaks OneLink and the fake dialect, and has a
// shared host.
func newFakeSite(t testing.TB, change ...func(*Config)) (*site, fake) {
	t.Helper()
	f := fake{located: &atomic.Int64{}}
	s := newSite(t, append([]func(*Config){func(c *Config) {
		c.Dialects = []Dialect{onelink.Clicks{}, f}
		c.Directory = withShared(t, c.Directory)
	}}, change...)...)
	return s, f
}

// withShared adds a shared host to every directory.
func withShared(t testing.TB, own func() *link.Directory) func() *link.Directory {
	var mu sync.Mutex
	var from, made *link.Directory
	return func() *link.Directory {
		mu.Lock()
		defer mu.Unlock()
		if d := own(); d != from {
			catalog := d.Catalog
			catalog.Shared = []link.SharedDomain{{Host: "shared.test", BaseURL: "https://shared.test"}}
			var err error
			if made, err = link.NewDirectory(catalog); err != nil {
				t.Fatal(err)
			}
			from = d
		}
		return made
	}
}

// own makes a link of the fake dialect that owns a path of acme.localhost.
func (s *site) own(code string, data fakeData) link.Link {
	s.t.Helper()
	text, err := json.Marshal(data)
	if err != nil {
		s.t.Fatal(err)
	}
	l, _, err := s.rules.CreateLink(s.t.Context(), s.actor, manage.NewLink{
		Dialect: link.SmartLinks, Host: "acme.localhost", Code: code, Data: text, Source: link.SourceUI,
		Listing: &link.Listing{AppGroup: 4833, Name: code},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// reply is what a request was answered with.
type reply struct {
	status                       int
	to, cache, kind, body, allow string
}

// send makes one request over the connection.
func (s *site) send(method, uri, body string, headers ...string) reply {
	s.t.Helper()
	if s.client == nil {
		s.serve()
	}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.Header.SetMethod(method)
	req.SetRequestURI("http://" + uri)
	req.URI().DisablePathNormalizing = true
	req.Header.SetUserAgent(desktopAgent)
	if body != "" {
		req.SetBodyString(body)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp.SkipBody = method == fasthttp.MethodHead
	if err := s.client.Do(req, resp); err != nil {
		s.t.Fatal(err)
	}
	head := func(name string) string { return string(resp.Header.Peek(name)) }
	return reply{resp.StatusCode(), head("Location"), head("Cache-Control"), head("Content-Type"), string(resp.Body()), head("Allow")}
}

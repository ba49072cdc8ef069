package click

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"waypost/internal/uid"
)

// listen puts the door behind a socket of the machine.
func (s *site) listen() (address string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	server := s.door.Server()
	go func() { _ = server.Serve(listener) }()
	s.t.Cleanup(func() { _ = server.Shutdown() })
	return listener.Addr().String()
}

// visitor is a client that follows nothing and keeps its connection.
func (s *site) visitor(address string) func(uri string) (status int, location string) {
	client := &fasthttp.Client{Dial: func(string) (net.Conn, error) { return net.Dial("tcp", address) }}
	s.t.Cleanup(client.CloseIdleConnections)
	return func(uri string) (int, string) {
		req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(req)
		defer fasthttp.ReleaseResponse(resp)
		req.SetRequestURI("http://acme.localhost" + uri)
		req.Header.SetUserAgent(androidAgent)
		if err := client.Do(req, resp); err != nil {
			s.t.Error(err)
		}
		return resp.StatusCode(), string(resp.Header.Peek("Location"))
	}
}

// TestThousandsBehindOneAddressAreAllRedirected: a carrier's NAT puts thousands
// of people with the same phone behind one address. Nothing on the way counts
// them against each other: each is sent on, and each is in the ledger as a person.
func TestThousandsBehindOneAddressAreAllRedirected(t *testing.T) {
	t.Parallel()
	const visitors, clicks = 8, 500
	s := newSite(t)
	s.create("promo", `{"pid":"x","af_web_dp":"https://www.acme.test/one"}`)
	address := s.listen()
	_, want := s.visitor(address)("/A1b3/promo")
	var people sync.WaitGroup
	for range visitors {
		people.Go(func() {
			visit := s.visitor(address)
			for range clicks {
				if status, to := visit("/A1b3/promo"); status != fasthttp.StatusFound || strings.SplitN(to, "?", 2)[0] != strings.SplitN(want, "?", 2)[0] {
					t.Errorf("answered %d %s", status, to)
					return
				}
			}
		})
	}
	people.Wait()
	ids := map[uid.Click]bool{}
	for _, c := range s.ledger.clicks(t) {
		if c.IP != "127.0.0.1" || c.Bot != "" || c.Code != "promo" || c.Link == 0 {
			t.Fatalf("kept %+v", c)
		}
		ids[c.ID] = true
	}
	if len(ids) != visitors*clicks+1 {
		t.Errorf("%d clicks are in the ledger, want %d", len(ids), visitors*clicks+1)
	}
}

// TestRequestsShareNothingTheyChange: what one clicked URL asks for is its own.
// The next visitor, and one who comes at the same moment, gets what he asked for.
func TestRequestsShareNothingTheyChange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.create("promo", `{"pid":"x"}`)
	address := s.listen()
	visit := s.visitor(address)
	plain := func() string {
		t.Helper()
		_, to := visit("/A1b3/promo")
		before, _, _ := strings.Cut(to, "referrer=") // names the click
		return before
	}
	first := plain()
	if !strings.HasPrefix(first, "https://play.google.com/") {
		t.Fatalf("the link leads to %s", first)
	}
	var visitors sync.WaitGroup
	for n := range 8 {
		visitors.Go(func() {
			own := s.visitor(address)
			for i := range 50 {
				want := fmt.Sprintf("https://www.acme.test/of/%d/%d", n, i)
				if _, to := own("/A1b3/promo?af_android_url=" + url.QueryEscape(want)); !strings.HasPrefix(to, want+"?") && to != want {
					t.Errorf("asked for %s, got %s", want, to)
					return
				}
			}
		})
	}
	visitors.Wait()
	if after := plain(); after != first {
		t.Errorf("after others' clicks the link leads to %s", after)
	}
}

// TestHotRequestIsAClients: what tests hand to the door without a connection is
// what the door makes of the same request from a client.
func TestHotRequestIsAClients(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.create("promo", `{"pid":"x"}`)
	ctx := hotRequest("/A1b3/promo?c=one%20two", androidAgent)
	s.door.Serve(ctx)

	listener := fasthttputil.NewInmemoryListener()
	defer listener.Close()
	go func() { _ = s.door.Server().Serve(listener) }()
	conn, err := listener.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const request = "GET /A1b3/promo?c=one%20two HTTP/1.1\r\nHost: acme.localhost:8080\r\nUser-Agent: " + androidAgent + "\r\nAccept-Language: de-DE,de;q=0.9\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()

	clicks := s.ledger.clicks(t)
	if len(clicks) != 2 {
		t.Fatalf("%d clicks", len(clicks))
	}
	byHand, asked := clicks[0], clicks[1]
	asked.ID, asked.IP = byHand.ID, byHand.IP // a connection in memory has no address
	if byHand != asked {
		t.Errorf("by hand %+v\nasked   %+v", byHand, asked)
	}
	if got := ctx.Response.StatusCode(); got != answer.StatusCode {
		t.Errorf("status %d by hand, %d asked", got, answer.StatusCode)
	}
	own, theirs := clicks[0].ID.String(), clicks[1].ID.String()
	if got := bytes.ReplaceAll(ctx.Response.Header.Peek("Location"), []byte(own), []byte(theirs)); len(got) == 0 || len(got) != len(answer.Header.Get("Location")) {
		t.Errorf("by hand to %s, asked to %s", got, answer.Header.Get("Location"))
	}
}

package postback

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waypost/attribution/history"
	"waypost/link"
)

// received is a request as it arrived.
type received struct {
	Request
	header http.Header
}

// receiver answers with the status and keeps what came.
func receiver(t *testing.T, status int, answer string) (*httptest.Server, chan received) {
	t.Helper()
	came := make(chan received, 16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came <- received{Request{Method: r.Method, URL: "http://" + r.Host + r.URL.RequestURI(), Body: string(body)}, r.Header}
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server, came
}

func sender(t *testing.T, cfg SenderConfig) *Sender {
	t.Helper()
	s := NewSender(cfg)
	t.Cleanup(s.Close)
	return s
}

func TestSendGET(t *testing.T) {
	t.Parallel()
	server, came := receiver(t, 200, "thanks")
	p := &link.Postback{Key: "p", URL: server.URL + "/in?click={click_id}"}
	a := sender(t, SenderConfig{}).Send(t.Context(), history.Delivery{Key: "k1", Method: "GET", URL: server.URL + "/in?click=a%2Fb"}, p)
	if a.Code != 200 || a.Text != "thanks" || a.Final {
		t.Fatalf("got %+v", a)
	}
	got := <-came
	if got.Request != (Request{Method: "GET", URL: server.URL + "/in?click=a%2Fb"}) || got.header.Get("Idempotency-Key") != "k1" ||
		got.header.Get("User-Agent") != "Waypost" || got.header.Get(SignatureHeader) != "" || got.header.Get("Content-Type") != "" {
		t.Errorf("came %+v", got)
	}
}

// What arrives verifies against what its receiver sees.
func TestSendSigned(t *testing.T) {
	t.Parallel()
	server, came := receiver(t, 204, "")
	f := func(url, body string) {
		t.Helper()
		method := "GET"
		if body != "" {
			method = "POST"
		}
		p := &link.Postback{Key: "p", URL: url, Secret: hookSecret}
		a := sender(t, SenderConfig{}).Send(t.Context(), history.Delivery{Key: "k1", Method: method, URL: url, Body: body}, p)
		if a.Code != 204 {
			t.Fatalf("%s: got %+v", url, a)
		}
		got := <-came
		if err := Verify(hookSecret, got.header.Get(SignatureHeader), got.Request, time.Now()); err != nil || got.Body != body {
			t.Errorf("%s: %v: came %s %s, %d bytes, %v", url, err, got.Method, got.URL, len(got.Body), got.header)
		}
		if body != "" && got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: header %v", url, got.header)
		}
	}
	f(server.URL+"/in?a=1&b=%20x+(y)", "")
	f(server.URL+"/in", `{"id":"1"}`)
	f(server.URL+`/a"b/%2f?q="<>`, `{}`)
	f(server.URL, `{}`+strings.Repeat(" ", 1<<16))
	f(strings.Replace(server.URL, "http://", "http://user:word@", 1)+"/x#part", "")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server, came := receiver(t, status, "go on")
		a := sender(t, SenderConfig{}).Send(t.Context(), history.Delivery{Method: "POST", URL: server.URL, Body: "{}"}, &link.Postback{URL: server.URL})
		if a.Code != status || len(came) != 1 || a.again() {
			t.Errorf("%d: got %+v after %d requests", status, a, len(came))
		}
	}
}

func TestAnswersAreRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	server, _ := receiver(t, 503, long)
	a := sender(t, SenderConfig{}).Send(t.Context(), history.Delivery{Method: "GET", URL: server.URL}, &link.Postback{URL: server.URL})
	if a.Code != 503 || a.Text != long[:2048] || a.RetryAfter != 7*time.Second || !a.again() {
		t.Errorf("got %d, %d bytes, %s", a.Code, len(a.Text), a.RetryAfter)
	}
}

// Reasons are kept and shown: they hold no URL, which holds people's ids.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	const closed = "http://127.0.0.1:1" // where nobody begins to listen by chance
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	within := time.Minute
	f := func(url string, p *link.Postback, wantFinal bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		a := sender(t, SenderConfig{}).Send(ctx, history.Delivery{Method: "GET", URL: url}, p)
		if a.Code != 0 || a.Text == "" || a.Final != wantFinal || strings.Contains(a.Text, "people") {
			t.Errorf("%s: got %+v", url, a)
		}
	}
	f(closed+"/people", &link.Postback{URL: closed}, false)
	within = 200 * time.Millisecond
	f("http://"+silent.Addr().String()+"/people", &link.Postback{URL: "http://" + silent.Addr().String()}, false)
	within = time.Minute
	f("http://127.0.0.1:9/people", nil, true)
	f("http://127.0.0.1:x/people", &link.Postback{}, true)
	f("ftp://127.0.0.1/people", &link.Postback{URL: "ftp://127.0.0.1/people"}, true)
	f("http:///people", &link.Postback{}, true)
}

// A postback that was stored before the apply file was held to the sender's
// rule is given up at once, and says why.
func TestWhatCanNeverBeCalled(t *testing.T) {
	t.Parallel()
	own := SenderConfig{Networks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
	f := func(at, want string) {
		t.Helper()
		url := "http://" + at + "/people"
		for _, cfg := range []SenderConfig{{}, own} {
			a := sender(t, cfg).Send(t.Context(), history.Delivery{Method: "GET", URL: url}, &link.Postback{URL: url})
			if a.Code != 0 || !a.Final || !strings.Contains(a.Text, want) || strings.Contains(a.Text, "people") {
				t.Errorf("%s: got %+v, want %s", url, a, want)
			}
		}
	}
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1."} {
		f(host, "neither a host name nor an address")
	}
	f("0.0.0.0:9099", "0.0.0.0 is never called: it names no machine")
	f("[::]:9099", ":: is never called: it names no machine")
	f("169.254.169.254", "169.254.169.254 is never called: it is link-local")
	f("[::ffff:169.254.169.254]", "169.254.169.254 is never called: it is link-local")
	f("[64:ff9b::a9fe:a9fe]", "64:ff9b::a9fe:a9fe is never called")
	f("224.0.0.1", "224.0.0.1 is never called")
	f("127.0.0.1:0", "no port 0")
	f("127.0.0.1:99999", "no port 99999")
	f("hooks..test", "no host name")
}

// A reason tells addresses that nobody calls from those that an operator may name.
func TestReasonsOfTheGuard(t *testing.T) {
	t.Parallel()
	f := func(leadsTo, want string) {
		t.Helper()
		to := resolverOf(t, func(int) netip.Addr { return netip.MustParseAddr(leadsTo) })
		d := history.Delivery{Method: "GET", URL: "http://hooks.internal/people"}
		a := sender(t, SenderConfig{Resolver: to}).Send(t.Context(), d, &link.Postback{URL: "http://other.test/"})
		if a.Final || !strings.Contains(a.Text, want) {
			t.Errorf("%s: got %+v, want %s", leadsTo, a, want)
		}
	}
	f("169.254.169.254", "hooks.internal leads to 169.254.169.254: 169.254.169.254 is never called: it is link-local")
	f("0.0.0.0", "0.0.0.0 is never called")
	f("10.0.0.5", "hooks.internal leads to 10.0.0.5, which is no public address; a private one must stand in the postback's URL itself")
}

// The receiver listens on 127.0.0.1. What reaches it is what the postback's
// own URL names, and nothing else, whatever names resolve to.
func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	server, came := receiver(t, 200, "")
	port := server.Listener.Addr().(*net.TCPAddr).Port
	loopback := resolverOf(t, func(int) netip.Addr { return netip.MustParseAddr("127.0.0.1") })
	f := func(host, configured string, want bool) {
		t.Helper()
		url := fmt.Sprintf("http://%s:%d/in", host, port)
		p := &link.Postback{URL: fmt.Sprintf("https://%s/in", configured)}
		a := sender(t, SenderConfig{Resolver: loopback}).Send(t.Context(), history.Delivery{Method: "GET", URL: url}, p)
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); a.Final != (err == nil && !want) {
			t.Errorf("%s, configured %s: final is %v; an address that is refused is given up, a name may lead elsewhere", host, configured, a.Final)
		}
		if (a.Code == 200) != want || len(came) > 1 {
			t.Errorf("%s, configured %s: got %+v, want an answer %v", host, configured, a, want)
		}
		for len(came) > 0 {
			<-came
			if !want {
				t.Errorf("%s, configured %s: reached the receiver", host, configured)
			}
		}
	}
	f("127.0.0.1", "127.0.0.1", true)
	f("127.0.0.1", "partner.example.com", false)
	f("localhost", "localhost", true)
	f("localhost", "partner.example.com", false)
	f("collector", "COLLECTOR", true)
	f("collector", "other", false)
	f("hooks.internal", "hooks.internal", true)
	f("partner.example.com", "partner.example.com", false)
	f("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]", true)
	f("[::ffff:127.0.0.1]", "127.0.0.2", false)
	f("[::ffff:7f00:1]", "partner.example.com", false)
	f("169.254.169.254", "169.254.169.254", false)
}

// A name that led to a permitted address leads nowhere once it resolves to
// another: the address is judged at each dial.
func TestAnswersOfDNSThatChange(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		w.Header().Set("Connection", "close")
	}))
	t.Cleanup(server.Close)
	var moved atomic.Bool
	rebinding := resolverOf(t, func(int) netip.Addr { // a question may be asked twice
		if moved.Load() {
			return netip.MustParseAddr("127.0.0.2")
		}
		return netip.MustParseAddr("127.0.0.1")
	})
	s := sender(t, SenderConfig{Resolver: rebinding, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	url := fmt.Sprintf("http://partner.example.com:%d/", server.Listener.Addr().(*net.TCPAddr).Port)
	p, d := &link.Postback{URL: url}, history.Delivery{Method: "GET", URL: url}
	if a := s.Send(t.Context(), d, p); a.Code != 200 {
		t.Fatalf("first: %+v", a)
	}
	moved.Store(true)
	if a := s.Send(t.Context(), d, p); a.Code != 0 || !strings.Contains(a.Text, "127.0.0.2") || reached.Load() != 1 {
		t.Errorf("after the name moved: %+v, %d requests arrived", a, reached.Load())
	}
}

// The environment's proxy would learn people's ids and get round the guard.
func TestNoProxy(t *testing.T) {
	t.Parallel()
	for _, c := range []guarded{NewSender(SenderConfig{}).public, NewSender(SenderConfig{}).named} {
		if tr := c.Transport.(*http.Transport); tr.Proxy != nil {
			t.Error("a proxy is used")
		}
	}
}

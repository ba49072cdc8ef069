package onelink_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"waypost/compat/compattest"
	"waypost/compat/onelink"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

const (
	v1Links = "/shortlink/v1/A1b3"
	v2Links = "/api/v2.0/shortlinks/A1b3"
	pidOnly = `{"data":{"pid":"x"}}`
)

// send makes one call with the account's token and returns status, headers and body.
func send(t testing.TB, base, method, target, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	return compattest.Send(t, method, base+target, body, append([]string{"Authorization", "golden-token"}, headers...)...)
}

func TestFailuresOfOurs(t *testing.T) {
	t.Parallel()
	internal := errors.New("disk on fire at /var/secret")
	away := &fault.Error{Kind: fault.Unavailable, RetryAfter: 5 * time.Second, Err: internal}
	f := func(broken error, method, target string, status int, want string) {
		t.Helper()
		t.Run(method+target+want, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			rules, store := goldenRules(t)
			store.broken = broken
			base := serve(t, onelink.Config{Rules: rules, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
			got, header, body := send(t, base, method, target, pidOnly)
			if got != status || body != want {
				t.Errorf("got %d %s, want %d %s", got, body, status, want)
			}
			id := header.Get("X-Request-Id")
			if id == "" || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "disk on fire") {
				t.Errorf("request %q is not logged once with its cause: %s", id, log.String())
			}
			if retry := header.Get("Retry-After"); (retry == "5") != (status == 503) {
				t.Errorf("Retry-After is %q", retry)
			}
		})
	}
	for _, method := range []string{"GET", "PUT", "POST", "DELETE"} {
		f(internal, method, v1Links+"?id=k", 500, `"Internal Server Error"`)
		f(away, method, v1Links+"?id=k", 503, `"Service Unavailable"`)
	}
	f(internal, "POST", v2Links, 500, `{"error_type":"internal_error","message":"Failed to create shortlink."}`)
	f(internal, "PUT", v2Links+"/k", 500, `{"error_type":"internal_error","message":"Failed to create shortlink."}`)
	f(internal, "DELETE", v2Links+"/k", 500, `{"error_type":"internal_error","message":"Failed to delete shortlink"}`)
	f(internal, "GET", v2Links+"/k", 500, `{"error_type":"internal_error","message":"Internal error"}`)
	f(internal, "GET", v2Links+"/k/qr", 500, `{"error_type":"internal_error","message":"Internal error"}`)
	f(internal, "GET", "/api/v2.0/shortlinks-quota/ACC1", 500, `{"error_type":"internal_error","message":"Internal error"}`)
	f(away, "POST", v2Links, 503, `{"error_type":"internal_error","message":"Service temporarily unavailable, try again."}`)
}

// moody panics, or refuses as disabled, where the rules would answer.
type moody struct {
	*manage.Service
	refusal error
}

func (m moody) Authenticate(secret string) (manage.Actor, error) {
	a, err := m.Service.Authenticate(secret)
	if m.refusal != nil {
		err = m.refusal
	}
	return a, err
}

func (m moody) CreateLink(context.Context, manage.Actor, manage.NewLink) (link.Link, string, error) {
	panic("boom")
}

func TestPanicIsAnsweredInShape(t *testing.T) {
	t.Parallel()
	f := func(target, want string) {
		t.Helper()
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			rules, _ := goldenRules(t)
			base := serve(t, onelink.Config{Rules: moody{Service: rules}, Logger: slog.New(slog.NewJSONHandler(&log, nil)), Origins: []string{"https://shop.example"}})
			status, header, body := send(t, base, "POST", target, pidOnly, "Origin", "https://shop.example")
			if status != 500 || body != want || header.Get("Access-Control-Allow-Origin") == "" {
				t.Errorf("got %d %s %v", status, body, header)
			}
			if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), header.Get("X-Request-Id")) {
				t.Errorf("log is %s", log.String())
			}
		})
	}
	f(v1Links, `"Internal Server Error"`)
	f(v2Links, `{"error_type":"internal_error","message":"Failed to create shortlink."}`)
}

func TestDisabledAccount(t *testing.T) {
	t.Parallel()
	rules, _ := goldenRules(t)
	base := serve(t, onelink.Config{Rules: moody{rules, fault.New(fault.Forbidden, "disabled")}})
	status, _, body := send(t, base, "POST", v2Links, pidOnly)
	if status != 403 || !strings.HasPrefix(body, `{"error_type":"feature_not_enabled","message":"OneLink API is not enabled for this account. `) {
		t.Errorf("got %d %s", status, body)
	}
	if status, _, body := send(t, base, "POST", v1Links, pidOnly); status != 401 || body != `"Authentication Failed"` {
		t.Errorf("got %d %s", status, body)
	}
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	rules, _ := goldenRules(t)
	base := serve(t, onelink.Config{Rules: rules, Origins: []string{"https://shop.example", "http://localhost:3000"}})
	f := func(method, target, origin string, allowed bool) {
		t.Helper()
		status, header, _ := send(t, base, method, target, pidOnly, "Origin", origin)
		got, want := header.Get("Access-Control-Allow-Origin"), ""
		if allowed {
			want = origin
		}
		if got != want || (header.Get("Access-Control-Allow-Credentials") == "true") != allowed || header.Get("Vary") != "Origin" {
			t.Errorf("%s %s from %s: %v", method, target, origin, header)
		}
		preflight := method == http.MethodOptions && allowed
		if (header.Get("Access-Control-Allow-Methods") == "GET,POST,PUT,DELETE,OPTIONS") != preflight ||
			(header.Get("Access-Control-Allow-Headers") == "authorization,content-type") != preflight ||
			(status == 204) != (method == http.MethodOptions) {
			t.Errorf("%s %s from %s: %d %v", method, target, origin, status, header)
		}
	}
	for _, target := range []string{v1Links, v2Links} {
		f("OPTIONS", target, "https://shop.example", true)
		f("POST", target, "http://localhost:3000", true)
		f("OPTIONS", target, "https://evil.example", false)
		f("POST", target, "https://shop.example.evil.example", false)
		f("PATCH", target, "https://shop.example", true) // a page must be able to read refusals
	}
}

func TestConflictStatusOption(t *testing.T) {
	t.Parallel()
	rules, _ := goldenRules(t)
	base := serve(t, onelink.Config{Rules: rules, V1ConflictStatus: 400})
	send(t, base, "POST", v1Links+"?id=k", pidOnly)
	if status, _, body := send(t, base, "POST", v1Links+"?id=k", pidOnly); status != 400 || body != `"Shortlink ID already in use"` {
		t.Errorf("got %d %s", status, body)
	}
}

func TestStrictChars(t *testing.T) {
	t.Parallel()
	rules, _ := goldenRules(t)
	base := serve(t, onelink.Config{Rules: rules, StrictChars: true})
	f := func(name, value string, status int) {
		t.Helper()
		got, _, body := send(t, base, "POST", v2Links, `{"data":{"pid":"x","`+name+`":"`+value+`"}}`)
		if got != status || status == 400 && !strings.Contains(body, `Parameter '`+name+`'`) {
			t.Errorf("%s=%s: got %d %s, want %d", name, value, got, body, status)
		}
	}
	for _, c := range []string{";", "*", "!", "@", "#", "?", "$", "^", ":", "&", "%26", "~", "`", "=", "+", "’", ">", "<", "/", "{", "}", "%", ")"} {
		f("deep_link_value", "a"+c+"b", 400)
	}
	f("a~b", "x", 400)
	f("deep_link_value", "a%3Cb%3e c-d_e.f,g", 200)
	f("af_dp", "myapp://x?y=1", 200)
	f("af_r", "https://x.test/?y=1", 200)
	f("af_click_lookback", "7d", 200)
}

func TestDrawingFails(t *testing.T) {
	t.Parallel()
	rules, store := goldenRules(t)
	broken := rules.Directory().Template("B2c4").Template
	broken.QR.Foreground = "no colour"
	if err := store.SaveCatalog(t.Context(), link.Catalog{Templates: []link.Template{broken}}); err != nil {
		t.Fatal(err)
	}
	if err := rules.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	base := serve(t, onelink.Config{Rules: rules})
	send(t, base, "POST", "/api/v2.0/shortlinks/B2c4", `{"data":{"pid":"x"},"shortlink_id":"k"}`)
	status, header, body := send(t, base, "GET", "/api/v2.0/shortlinks/B2c4/k/qr", "")
	if status != 400 || body != `{"error_type":"qr_error","message":"Unexpected error occurred while generating QR code"}` || header.Get("X-Request-Id") == "" {
		t.Errorf("got %d %s %v", status, body, header)
	}
}

func TestWhatTheRulesAreAsked(t *testing.T) {
	t.Parallel()
	rules, store := goldenRules(t)
	base := serve(t, onelink.Config{Rules: rules})
	f := func(method, target, body string, check func(l link.Link) bool) {
		t.Helper()
		if status, _, answer := send(t, base, method, target, body); status != 200 {
			t.Fatalf("%s %s %s: %d %s", method, target, body, status, answer)
		}
		if l := store.lastWritten(); l.Path != "A1b3/k" || !check(l) {
			t.Errorf("%s %s %s: link is %+v with data %s", method, target, body, l, l.Data)
		}
	}
	hosts := func(want ...string) func(l link.Link) bool {
		return func(l link.Link) bool { return slices.Equal(l.TargetHosts, want) }
	}
	f("POST", v1Links+"?id=k", `{"data":{"pid":"x"}}`, func(l link.Link) bool {
		return l.Dialect == link.OneLink && l.Source == link.SourceV1 && l.Renew && l.Brand == "" && string(l.Data) == `{"pid":"x"}` && l.TargetHosts == nil
	})
	f("PUT", v1Links+"?id=k", `{"data":{"pid":"x"},"renew_ttl":false}`, func(l link.Link) bool { return !l.Renew && l.Source == link.SourceV1 })
	f("PUT", v2Links+"/k", `{"data":{"pid":"x"}}`, func(l link.Link) bool { return !l.Renew && l.Source == link.SourceV2 })
	f("PUT", v1Links+"?id=k", `{"data":{"pid":"x"}}`, func(l link.Link) bool { return l.Renew && l.Source == link.SourceV2 })
	f("PUT", v2Links+"/k", `{"data":{"pid":"x","renew_ttl":"false"}}`, func(l link.Link) bool { return !l.Renew && string(l.Data) == `{"pid":"x"}` })
	f("PUT", v2Links+"/k", `{"data":{"pid":"x"},"brand_domain":"MyBranded.com/apps"}`, func(l link.Link) bool { return l.Brand == "mybranded.com" })
	f("PUT", v1Links+"?id=k", `{"data":{"af_r":"https://A.test:8080/x","af_web_dp":"https%3A%2F%2Fb.test%2Fy","af_ios_url":"http://c.test","af_android_url":"https://a.test","af_dp":"https://d.test","af_og_image":"https://e.test","link":"https://f.test"}}`,
		hosts("a.test", "b.test", "c.test"))
	f("PUT", v2Links+"/k", `{"data":{"pid":"x","af_r":"https://a.test/x"}}`, hosts("a.test"))
}

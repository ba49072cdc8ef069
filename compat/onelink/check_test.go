package onelink

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

func TestTTL(t *testing.T) {
	t.Parallel()
	f := func(text string, v1, v2 time.Duration) {
		t.Helper()
		if got := cappedTTL(text, maxTTLV1); got != v1 {
			t.Errorf("v1 %q: %v, want %v", text, got, v1)
		}
		if got := cappedTTL(text, maxTTLV2); got != v2 {
			t.Errorf("v2 %q: %v, want %v", text, got, v2)
		}
	}
	// Vectors 12 and 15.
	f("10m", 10*time.Minute, 10*time.Minute)
	f("20h", 20*time.Hour, 20*time.Hour)
	f("14d", 14*day, 14*day)
	f("25", 25*day, 25*day)
	f("40d", 31*day, 40*day)
	f("x", 31*day, 31*day)
	f("", 31*day, 31*day)
	f("730d", 31*day, 730*day)
	f("731d", 31*day, 31*day)
	f("800d", 31*day, 31*day)
	f("0", 31*day, 31*day)
	f("-1", 31*day, 31*day)
	f("5H", 5*time.Hour, 5*time.Hour)
}

func TestItem(t *testing.T) {
	t.Parallel()
	f := func(data, field string, reason fault.Reason, hosts ...string) {
		t.Helper()
		got, err := Item(map[string]json.RawMessage{"data": json.RawMessage(data)}, false)
		if field == "" {
			if err != nil || !slices.Equal(got.TargetHosts, hosts) {
				t.Errorf("Item(%.80s) = %q, %v; want %q", data, got.TargetHosts, err, hosts)
			}
			return
		}
		if e := fault.As(err); err == nil || e.Kind != fault.Invalid || e.Field != field || e.Reason != reason {
			t.Errorf("Item(%.80s): %v, want %s, %s", data, err, field, reason)
		}
	}
	f(`{"pid":"x"}`, "", "")
	f(`{"pid":"x","af_r":"https://a.test/","af_web_dp":"https://b.test/","af_ios_url":"https://A.test/y"}`, "", "", "a.test", "b.test")
	f(`"{\"pid\":\"x\"}"`, "", "")
	f(``, "data", fault.Missing)
	f(`[]`, "data", fault.Malformed)
	f(`{"pid":"`+strings.Repeat("x", 2991)+`"}`, "data", fault.TooLong)
	f(`{"c":"x"}`, "pid", fault.Missing)
	f(`{"pid":"x","af_r":"nope"}`, "af_r", fault.Malformed)
	f(`{"pid":"x","af_r":"https://shop.test:70000/"}`, "af_r", fault.Malformed)
	f(`{"pid":"x","af_r":"https://shop..test/"}`, "af_r", fault.Malformed)
	f(`{"pid":"x","af_dp":"javascript:x"}`, "af_dp", fault.Malformed)
}

func TestBrandHost(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		if got := brandHost(text); got != want {
			t.Errorf("brandHost(%q) = %q, want %q", text, got, want)
		}
	}
	f("mybranded.com", "mybranded.com")
	f(" MyBranded.COM ", "mybranded.com")
	f("app.example.com/apps/myapp", "app.example.com")
	f("https://app.example.com:8443/x?y#z", "app.example.com")
	f("app.example.com?x", "app.example.com")
	f("/", "")
	f("", "")
	f("://", "")
}

func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"data":{"pid":"x","renew_ttl":false},"ttl":25,"renew_ttl":"true","brand_domain":"a.b","shortlink_id":""}`,
		`{"data":"{\"pid\":\"x\"}"}`, `{"data":{"a":null,"b":[1,{"c":2}],"b":3}}`, "\xef\xbb\xbf{}", `{"data":{}}x`, `{"data":{"\u0000":"\ud800"}}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := parseBody(raw)
		if err != nil {
			if e := fault.As(err); e.Kind != fault.Invalid || e.Field == "" {
				t.Fatalf("%q: %v is no Invalid with a field", raw, err)
			}
			return
		}
		again, err := Params(b.data)
		if err != nil || !slices.Equal(again, b.params) {
			t.Fatalf("%q is kept as %s, which reads %q (%v), not %q", raw, b.data, again, err, b.params)
		}
		entries, err := readData(b.data)
		if err != nil || string(flatten(entries)) != string(b.data) {
			t.Fatalf("%q: %s changes when it is kept again", raw, b.data)
		}
		if b.data[0] != '{' || !json.Valid(b.data) || !utf8.Valid(b.data) {
			t.Fatalf("%q is kept as %q", raw, b.data)
		}
		// Whether the versions accept it or not, they must not panic.
		_ = checkV1(b.params)
		_ = checkParams(b.params, true)
	})
}

func FuzzItem(f *testing.F) {
	for _, seed := range []string{
		`{"pid":"x"}`, `{"pid":"x","af_r":"https://a.test/?b=c","af_dp":"myapp://x"}`, `{"pid":"x","af_web_dp":"https%3A%2F%2Fx.test"}`,
		`{"pid":"x","af_dp":" javascript:x"}`, `{"pid":"x","af_r":"https://a\\@b/"}`, `{"pid":"x","af_click_lookback":"30d","is_retargeting":true}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		item, err := Item(map[string]json.RawMessage{"data": json.RawMessage(data)}, false)
		if err != nil {
			if e := fault.As(err); e.Kind != fault.Invalid || e.Message == "" {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		params, err := Params(item.Data)
		if err != nil {
			t.Fatalf("%q is accepted and cannot be read: %v", data, err)
		}
		for _, p := range params {
			if sendsPeople(p.Name) && (dangerous(decodeOnce(p.Value, link.SourceV2)) || hasControl(decodeOnce(p.Value, link.SourceV2))) {
				t.Fatalf("%q: %s is accepted as %q", data, p.Name, p.Value)
			}
			if slices.Contains(webTargets, p.Name) && p.Value != "" && len(item.TargetHosts) == 0 {
				t.Fatalf("%q: %s leads to no host", data, p.Name)
			}
			// What was accepted must also be followed when the link is clicked.
			follow := route.CheckTarget
			if p.Name == paramDeepLink {
				follow = route.CheckOpen
			}
			if !sendsPeople(p.Name) || p.Name == paramImage || p.Value == "" {
				continue
			}
			if err := follow(decodeOnce(p.Value, link.SourceV2)); err != nil {
				t.Fatalf("%q: %s is accepted, but as a target it %v", data, p.Name, err)
			}
		}
	})
}

func BenchmarkReadCreate(b *testing.B) {
	raw := []byte(`{"data":{"pid":"SMS-Offer","c":"Coupon","af_dp":"myapp://main?x=1","af_web_dp":"https://x.test/p?a=1","deep_link_value":"item/7","custom":"value"},"ttl":"90d"}`)
	b.ReportAllocs()
	for b.Loop() {
		body, err := parseBody(raw)
		if err != nil {
			b.Fatal(err)
		}
		if err := checkParams(body.params, false); err != nil {
			b.Fatal(err)
		}
	}
}

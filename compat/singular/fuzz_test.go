package singular

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"waypost/internal/fault"
)

// FuzzWish holds that whatever body is sent is a wish or a refusal that the
// caller can read, and that what is stored of a wish makes the same wish again.
func FuzzWish(f *testing.F) {
	for _, seed := range []string{
		`{"app_id":1,"link_type":"custom","source_name":"x","tracking_link_name":"n","link_subdomain":"a","link_dns_zone":"b","destination_fallback_url":"https://x.test/","android_redirection":{"app_site_id":"1","destination_url":"a://b","destination_deeplink_url":"a://c"},"link_parameter":{"a":"{M}","b":{"c":1}},"click_deterministic_window":"7 Days","og_tags":{"title":"t","description":"d","image_url":"https://x.test/"}}`,
		`{"app_id":"1e3","link_type":"PARTNER","partner_id":2.0,"ios_redirection":"{}"}`, `{"":null}`, `[]`, ``, "\xef\xbb\xbf{}", `{"a":1}{"b":2}`, `{"app_id":99999999999999999999}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		members, err := parseBody(raw)
		form := newForm("")
		form.fill(members)
		var w *wish
		if err == nil {
			w, err = form.wish()
		}
		if err != nil {
			if status, text := row(fault.As(err)); status != 400 || text == "" || strings.ContainsAny(text, "\r\n") {
				t.Fatalf("%q is refused with %d %q", raw, status, text)
			}
			return
		}
		s := Stored{LinkType: w.linkType, SourceName: w.source, Android: w.android, IOS: w.ios, LinkParameter: w.parameters, OG: w.og}
		s.Query = queryOf(&s, nil)
		if strings.ContainsAny(s.Query, " \r\n#\"<>") {
			t.Fatalf("the query of %q is %q", raw, s.Query)
		}
		values, err := url.ParseQuery(s.Query)
		if err != nil {
			t.Fatalf("the query of %q is %q: %v", raw, s.Query, err)
		}
		for _, p := range w.parameters {
			if values.Get(p.Name) != p.Value || len(values[p.Name]) != 1 {
				t.Fatalf("%q makes of %q %q", raw, p, values[p.Name])
			}
		}
		data, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Read(data); err != nil || !reflect.DeepEqual(back, s) {
			t.Fatalf("%s comes back as %+v, %v", data, back, err)
		}
	})
}

// FuzzParams holds that filters of any query are read or refused, and never
// hold blank values.
func FuzzParams(f *testing.F) {
	for _, seed := range []string{"app_id=1,2&app_id=3", "partner_id=&link_type=custom", "a=%zz", "limit=1;offset=2", "APP_ID=%201.0", "tracking_link_id=%2F..", "offset=99999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, _ := parseParams(raw)
		for name, values := range p {
			for _, v := range values {
				if strings.TrimSpace(v) == "" || name != strings.ToLower(name) {
					t.Fatalf("%q holds %q=%q", raw, name, v)
				}
			}
		}
		filter, err := parseFilter(p)
		if err != nil {
			if fault.As(err).Kind != fault.Invalid {
				t.Fatalf("%q is refused with %v", raw, err)
			}
			return
		}
		if filter.limit < 0 || filter.offset < 0 {
			t.Fatalf("%q makes the filter %+v", raw, filter)
		}
	})
}

// FuzzOrderedPairs holds that pairs make JSON whose values are theirs.
func FuzzOrderedPairs(f *testing.F) {
	f.Add("a", "b", "c", "<&>")
	f.Add("", "\x00", "\"", "\\")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		text, err := orderedPairs{{a, b}, {c, d}}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal(text, &back); err != nil || bytes.ContainsRune(text, '\n') {
			t.Fatalf("%q: %v", text, err)
		}
		if clean := strings.ToValidUTF8(d, "\ufffd"); d == clean && c == strings.ToValidUTF8(c, "") && back[c] != d {
			t.Fatalf("%q holds %q, want %q", text, back[c], d)
		}
	})
}

// FuzzOverridden holds that a query laid over another one wins, and that what
// it does not name stays.
func FuzzOverridden(f *testing.F) {
	f.Add("a=1&b=2", "b=3")
	f.Add("a={M}&%zz", "")
	f.Add("", "a;b")
	f.Fuzz(func(t *testing.T, query, over string) {
		got := overridden(query, over)
		if !strings.HasSuffix(got, over) {
			t.Fatalf("%q over %q is %q", over, query, got)
		}
		named, err := url.ParseQuery(over)
		if err != nil || over == "" {
			return
		}
		rest, err := url.ParseQuery(strings.TrimSuffix(got, over))
		if err != nil {
			return
		}
		for name := range rest {
			if name != "" && named.Has(name) {
				t.Fatalf("%q over %q is %q", over, query, got)
			}
		}
	})
}

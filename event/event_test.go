package event

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

func fullClick() Click {
	return Click{
		Kind: ClickKind, ID: 9023861282613779883, At: 1_763_640_000_123, Account: 5899, Dialect: link.OneLink, Link: 77, Template: "A1b3",
		Code: "promo", State: Live, Host: "acme.localhost", Route: "android-store", Platform: device.Android, OS: "14",
		Model: "Pixel 8", Browser: "Instagram", Bot: "", Country: "DE", IP: "192.0.2.7", Network: "hosting",
		Agent:    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36",
		Language: "de-DE,de;q=0.9", Referrer: "https://example.org/?a=\"b\"", Query: "af_sub1=a%20b&x=\\", Stored: "pcn=a\"b",
	}
}

// plainClick holds nothing that has to be escaped, as most.
func plainClick() Click {
	c := fullClick()
	c.Referrer, c.Query, c.Stored, c.Clipboard = "https://example.org/", "af_sub1=a%20b", "pid=email&c=spring", true
	return c
}

// fullView is an impression of a link that owns a path of a host.
func fullView() Click {
	c := fullClick()
	c.Kind, c.Dialect, c.Template, c.Tracker, c.DeepLink = ImpressionKind, link.SmartLinks, "", 3, `product/12?x="a b"`
	c.Clipboard = true
	return c
}

func TestClickSurvivesTheLedger(t *testing.T) {
	t.Parallel()
	f := func(name string, want Click) {
		t.Helper()
		line := want.AppendJSON(nil)
		if !json.Valid(line) || bytes.ContainsAny(line, "\n\r") {
			t.Fatalf("%s: not one line of JSON: %q", name, line)
		}
		got, err := DecodeClick(line)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got != want {
			t.Errorf("%s: got %+v\nwant %+v", name, got, want)
		}
	}
	f("full", fullClick())
	f("least", Click{Kind: ClickKind, ID: 1, At: 1, Account: 1, Route: "web"})
	f("an impression", fullView())
	f("the last tracker", Click{Kind: ClickKind, ID: 1, At: 1, Account: 1, Tracker: link.MaxTracker})
	gone := fullClick()
	gone.State, gone.Link, gone.Bot = Gone, 0, "tool:curl"
	f("gone, bot", gone)
	odd := fullClick()
	odd.Agent = "tab\t quote\" back\\ nul\x00 del\x7f e\u00e9 \u2028 \U0001F600\n\r"
	f("odd characters", odd)
}

// TestKindIsAClickUnlessSaid: writers may leave the kind of a click out.
func TestKindIsAClickUnlessSaid(t *testing.T) {
	t.Parallel()
	c := fullClick()
	c.Kind = ""
	got, err := DecodeClick(c.AppendJSON(nil))
	if err != nil || got != fullClick() {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestBrokenTextStaysReadable(t *testing.T) {
	t.Parallel()
	c := Click{ID: 1, At: 1, Account: 1, Route: "web", Agent: "a\xff\xc3(b\xe2\x82"}
	got, err := DecodeClick(c.AppendJSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := "a\ufffd\ufffd(b\ufffd\ufffd"; got.Agent != want {
		t.Errorf("agent = %q, want %q", got.Agent, want)
	}
}

func TestRefusesForeignLines(t *testing.T) {
	t.Parallel()
	f := func(line, complaint string) {
		t.Helper()
		_, err := DecodeClick([]byte(line))
		if err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("DecodeClick(%s) = %v, want an error with %q", line, err, complaint)
		}
	}
	f(`{"v":2,"type":"click","id":"1","at":1,"account":1,"route":"web"}`, "version 2")
	f(`{"v":1,"type":"install","id":"1","at":1,"account":1}`, `"install"`)
	f(`{"v":1,"type":"click","at":1,"account":1,"route":"web"}`, "must be set")
	f(`{"v":1,"type":"click","id":"1","at":1,"account":1,"platform":"toaster"}`, "toaster")
	f(`{"v":1,"type":"click","id":"1","at":1,"account":1,"tracker":64}`, "tracker 64")
	f(`{"v":1,"type":"click","id":"1","at":1,"account":1,"tracker":256}`, "tracker")
	f(`{"v":1`, "read click")
}

func TestAppendAllocatesNothing(t *testing.T) {
	c := fullClick()
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = c.AppendJSON(buf[:0]) }); n != 0 {
		t.Errorf("AppendJSON allocates %v times", n)
	}
}

func FuzzClick(f *testing.F) {
	f.Add(uint64(1), int64(1), "promo", "web", "Mozilla/5.0", "a=b", "DE", uint8(0), false)
	f.Add(uint64(1<<63), int64(1<<40), "\x00\"\\", "\xff", "\u2028\xf0\x9f", "%zz&&", "", uint8(63), true)
	f.Fuzz(func(t *testing.T, id uint64, at int64, code, route, agent, query, deepLink string, tracker uint8, view bool) {
		want := Click{
			Kind: ClickKind, ID: uid.Click(id), At: at, Account: 1, Tracker: link.Tracker(tracker) % (link.MaxTracker + 1),
			Code: code, Route: route, DeepLink: deepLink, Agent: agent, Query: query,
		}
		if view {
			want.Kind = ImpressionKind
		}
		line := want.AppendJSON(nil)
		if bytes.IndexByte(line, '\n') >= 0 || !json.Valid(line) || !utf8.Valid(line) {
			t.Fatalf("not one line of JSON: %q", line)
		}
		got, err := DecodeClick(line)
		if id == 0 || at <= 0 {
			if err == nil {
				t.Fatal("accepted a click without id or time")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		valid := utf8.ValidString(code) && utf8.ValidString(route) && utf8.ValidString(agent) && utf8.ValidString(query) && utf8.ValidString(deepLink)
		if valid && got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func FuzzDecodeClick(f *testing.F) {
	c := fullClick()
	f.Add(c.AppendJSON(nil))
	view := fullView()
	f.Add(view.AppendJSON(nil))
	f.Add([]byte(`{"v":1,"type":"click","id":"1","at":1,"account":1,"route":"web","future":{"a":[1]}}`))
	f.Add([]byte(`{"v":1,"type":"impression","id":"1","at":1,"account":1,"tracker":64}`))
	f.Add([]byte(`{"v":1,"type":"click","id":"1","at":1,"account":1,"route":"web","ip":"192.0.2.7","network":"a \"new\" kind"}`))
	f.Add([]byte(`{"v":1,"type":"click","id":1}`))
	f.Add([]byte(`{"v":1,"type":"click","id":"01","at":01,"account":+1,"ID":"2"}`))
	f.Add([]byte(`{"v":1,"type":"click","id":"18446744073709551615","at":1,"account":1,"id":"3","code":"a","code":"b"}`))
	f.Add([]byte("{\"v\":1,\"type\":\"click\",\"id\":\"1\",\"at\":1,\"account\":1,\"code\":\"a\x00b\"}"))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := DecodeClick(line)
		if err != nil {
			return
		}
		if slow, err := decodeClick(line); err != nil || slow != got {
			t.Fatalf("scanned %+v, decoded %+v, %v", got, slow, err)
		}
		again, err := DecodeClick(got.AppendJSON(nil))
		if err != nil || again != got {
			t.Fatalf("decoded %+v, written and decoded again %+v, %v", got, again, err)
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	c := fullClick()
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = c.AppendJSON(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecodeClick(b *testing.B) {
	c := plainClick()
	line := c.AppendJSON(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeClick(line); err != nil {
			b.Fatal(err)
		}
	}
}

// TestConsentInItsLine: what nobody spoke of is not there, also in lines that
// are older than the answer that says so.
func TestConsentInItsLine(t *testing.T) {
	t.Parallel()
	const head, tail = `{"v":1,"type":"consent","id":"00000000000000000001","at":2,"received_at":3,"account":4,"app":5,"install":"i","consent":`, `}`
	f := func(line string, want Consent, written string) {
		t.Helper()
		told, err := DecodeTold([]byte(head + line + tail))
		if err != nil || told.Consent == nil || *told.Consent != want {
			t.Errorf("%s is read as %+v, %v; want %+v", line, told.Consent, err, want)
			return
		}
		if again, err := json.Marshal(told.Consent); err != nil || string(again) != written {
			t.Errorf("%s is written as %s, %v; want %s", line, again, err, written)
		}
	}
	f(`{}`, Consent{}, `{}`)
	f(`{"limit_ads":true,"child":true}`, Consent{LimitAds: Yes, Child: Yes}, `{"limit_ads":true,"child":true}`)
	f(`{"limit_ads":false,"child":false}`, Consent{LimitAds: No, Child: No}, `{"limit_ads":false,"child":false}`)
	f(`{"limit_ads":null,"child":null}`, Consent{}, `{}`)
	f(`{"tracking":"no","measurement":"yes","advertising":"no"}`, Consent{Tracking: "no", Measurement: "yes", Advertising: "no"}, `{"tracking":"no","measurement":"yes","advertising":"no"}`)
	if told, err := DecodeTold([]byte(head + `{"child":"maybe"}` + tail)); err == nil {
		t.Errorf("an answer that is none is read as %+v", told.Consent)
	}
}

func TestToldSurvivesItsLine(t *testing.T) {
	t.Parallel()
	told := Told{
		Kind: InAppKind, ID: 1, At: 2, ReceivedAt: 3, Account: 4, App: 5, Dialect: "singular", Install: "i", Key: "k", Name: "buy",
		Amount: "1.50", Currency: "EUR", Params: []byte(`{"a":[1]}`), IDs: []DeviceID{{"gaid", "sha1", "00ff"}},
		Consent: &Consent{Tracking: "no"}, Flags: []string{"clock"}, IPs: []string{"192.0.2.7", "192.0.2.8"}, Networks: []string{"", "vpn"},
	}
	line, err := told.Line()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeTold(line)
	if err != nil || !reflect.DeepEqual(got, told) {
		t.Errorf("got %+v, %v; want %+v", got, err, told)
	}
	for _, spoil := range []func(*Told){
		func(t *Told) { t.Kind = ClickKind }, func(t *Told) { t.ID = 0 }, func(t *Told) { t.At = 0 }, func(t *Told) { t.ReceivedAt = -1 },
		func(t *Told) { t.Account = 0 }, func(t *Told) { t.App = 0 }, func(t *Told) { t.Install = "" },
	} {
		bad := told
		spoil(&bad)
		line, err := bad.Line()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeTold(line); err == nil {
			t.Errorf("%s is read as %+v", line, got)
		}
	}
}

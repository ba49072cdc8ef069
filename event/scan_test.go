package event

import (
	"strings"
	"testing"
)

// TestScanClick: lines of our own are scanned, and any other is left to
// encoding/json, which reads it or finds what is wrong.
func TestScanClick(t *testing.T) {
	t.Parallel()
	plain := plainClick()
	line := string(plain.AppendJSON(nil))
	if got, ok := scanClick([]byte(line)); !ok || got != plain {
		t.Errorf("got %+v, %t; want %+v", got, ok, plain)
	}
	view := plainClick()
	view.Kind = ImpressionKind
	if got, ok := scanClick(view.AppendJSON(nil)); !ok || got != view {
		t.Errorf("got %+v, %t; want %+v", got, ok, view)
	}
	f := func(name, old, changed string) {
		t.Helper()
		other := strings.Replace(line, old, changed, 1)
		if other == line {
			t.Fatalf("%s: the line does not hold %s", name, old)
		}
		if got, ok := scanClick([]byte(other)); ok {
			t.Errorf("%s: scanned as %+v", name, got)
		}
	}
	f("an escape", `"promo"`, `"pro\"mo"`)
	f("text that is no UTF-8", `"promo"`, "\"pro\xffmo\"")
	f("a control character", `"promo"`, "\"pro\x00mo\"")
	f("another version", `"v":1`, `"v":2`)
	f("another kind", `"type":"click"`, `"type":"open"`)
	f("a flag that is not set", `"clipboard":true`, `"clipboard":false`)
	f("a second id", `,"code":`, `,"id":"7","code":`)
	f("a name that folds to ours", `,"code":"promo"`, `,"code":"promo","Code":"other"`)
	f("a nested value", `"promo"`, `{"a":1}`)
	f("a number for a text", `"promo"`, `7`)
	f("a text for a number", `"account":5899`, `"account":"5899"`)
	f("a number as JSON has none", `"account":5899`, `"account":05899`)
	f("a number too large", `"account":5899`, `"account":98765432109876543210`)
	f("no account", `,"account":5899`, ``)
	f("no platform that is known", `"platform":"android"`, `"platform":"gizmo"`)
	f("a tracker too many", `,"link":77`, `,"link":77,"tracker":64`)
	f("no id", `"id":"9023861282613779883"`, `"id":""`)
	f("more behind it", `}`, `}{}`)
	f("not to the end", `}`, ``)
}

package compattest_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"waypost/compat/compattest"
	"waypost/internal/device"
	"waypost/link"
)

const someClicks = "-- clicks --\n# people\nios ?a=b c\n\tstore redirect\n\thttps://a.test/\n\nunknown\n"

func TestScriptsAreStrict(t *testing.T) {
	t.Parallel()
	f := func(name, text, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := compattest.ParseScript([]byte(text))
			if err == nil {
				var apps []link.App
				s.Need("apps", &apps)
				s.Read("link", &struct{ Code string }{})
				s.Words("allow")
				err = s.Err()
			}
			switch {
			case want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("got error %v, want one with %q", err, want)
			}
		})
	}
	const apps = "-- apps --\n[]\n"
	f("whole", "x\n"+apps+"-- link --\n{\"Code\":\"k\"}\n-- allow --\na b\n"+someClicks, "")
	f("least", "x\n"+apps+someClicks, "")
	f("says nothing", apps+someClicks, "what it shows")
	f("twice", "x\n"+apps+apps+someClicks, `"apps" twice`)
	f("clicks twice", "x\n"+apps+someClicks+someClicks, `"clicks" twice`)
	f("missing", "x\n"+someClicks, `"apps" is missing`)
	f("unknown section", "x\n"+apps+"-- colour --\nred\n"+someClicks, `unknown section "colour"`)
	f("no clicks", "x\n"+apps, "no clicks")
	f("empty clicks", "x\n"+apps+"-- clicks --\n# nobody\n", "no clicks")
	f("answer to nobody", "x\n"+apps+"-- clicks --\n\n\tstore\nios\n", "clicks line 2")
	f("no JSON", "x\n-- apps --\n[\n"+someClicks, `section "apps"`)
	f("two values", "x\n-- apps --\n[] []\n"+someClicks, "something follows")
	f("unknown field", "x\n-- apps --\n[{\"Colour\":1}]\n"+someClicks, "Colour")
	f("unknown field of what may be missing", "x\n"+apps+"-- link --\n{\"Colour\":1}\n"+someClicks, "Colour")
}

func TestScriptIsReadWhole(t *testing.T) {
	t.Parallel()
	s, err := compattest.ParseScript([]byte("x\n-- link --\n{\"a\": 1}\n-- allow --\na.test\nb.test c.test\n-- referral --\n x=y\n" + someClicks))
	if err != nil {
		t.Fatal(err)
	}
	want := []compattest.ScriptClick{
		{Line: 2, Visitor: "ios", Address: "?a=b c", Want: "store redirect\nhttps://a.test/\n"},
		{Line: 6, Visitor: "unknown"},
	}
	if !reflect.DeepEqual(s.Clicks, want) {
		t.Errorf("got  %+v\nwant %+v", s.Clicks, want)
	}
	var raw json.RawMessage
	if !s.Read("link", &raw) || string(raw) != `{"a": 1}` || s.Read("apps", &raw) {
		t.Errorf("the link is %s", raw)
	}
	if got := s.Words("allow"); !reflect.DeepEqual(got, []string{"a.test", "b.test", "c.test"}) || len(s.Words("nothing")) != 0 {
		t.Errorf("the words are %q", got)
	}
	if got := s.Text("referral"); got != "x=y" {
		t.Errorf("the text is %q", got)
	}
}

func TestVisitors(t *testing.T) {
	t.Parallel()
	f := func(name string, want device.Device) {
		t.Helper()
		if got := compattest.Visitor(t, name); *got != want {
			t.Errorf("%s is %+v", name, *got)
		}
	}
	f("ios", device.Device{Platform: device.IOS})
	f("unknown", device.Device{})
	f("bot", device.Device{Platform: device.Android, Bot: "crawler:Googlebot"})
	f("preview", device.Device{Bot: "preview:WhatsApp", Preview: true})
}

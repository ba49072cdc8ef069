package device

import (
	"slices"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, ua := range ordinary {
		f.Add(ua, "", "", "")
	}
	f.Add(chromeK, `"Android"`, `"14.0.0"`, `"Pixel 8"`)
	f.Add(windows10, `"Windows"`, `"15.0.0"`, `""`)
	f.Add(linuxPC, `"Android"`, `"`, `"\xff"`)
	f.Add("UCWEB/2.0 (MIDP-2.0; U; Adr 4.4.2; en-US; SM-G355H) U2/1.0.0", "", "", "")
	f.Add("Mozilla/5.0 (PlayStation; PlayStation 5/2.26)", "", "", "")
	f.Add("Instagram 1 Android (30/11; ; ; ; (", "", "", "")
	f.Add("android", "", "", "")
	f.Add("FBSV/;FBDV/ iPhone OS 1_2_3_4_5", "", "", "")
	f.Fuzz(func(t *testing.T, ua, platform, version, model string) {
		h := Hints{Platform: []byte(platform), PlatformVersion: []byte(version), Model: []byte(model)}
		d := Parse(ua, h)
		if d != Parse(ua, h) {
			t.Fatal("two readings differ")
		}
		if _, err := ParsePlatform(d.Platform.String()); err != nil || d.Platform >= platformEnd {
			t.Errorf("platform %d", d.Platform)
		}
		fromUA := func(s string) bool { return strings.Contains(ua, s) }
		if m := d.Model; m != "" && m != "iPad" && m != "AppleTV" && m != "Xbox" && m != "iPhone" && m != "iPod" && m != "Roku" && !fromUA(m) && !strings.Contains(strings.ToValidUTF8(model, ""), m) {
			t.Errorf("model %q comes from nowhere", m)
		}
		if len(d.Model) > modelLimit {
			t.Errorf("model of %d bytes", len(d.Model))
		}
		if v := d.OSVersion; v != "" && strings.ContainsAny(v, "_ ;()") && !strings.Contains(version, v) {
			t.Errorf("version %q", v)
		}
		class, name, named := strings.Cut(d.Bot, ":")
		if d.Bot != "" && (class == "" || !slices.Contains(botClassNames[:], class)) {
			t.Errorf("bot %q has no known class", d.Bot)
		}
		if named && (name == "" || len(name) > botNameLimit) {
			t.Errorf("bot %q has no usable name", d.Bot)
		}
		if d.Preview != (class == "preview") {
			t.Errorf("bot %q, preview %v", d.Bot, d.Preview)
		}
		if d.Bot != "" && d.Browser != "" {
			t.Errorf("bot %q in browser %q", d.Bot, d.Browser)
		}
	})
}

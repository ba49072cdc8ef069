package device

import "testing"

func TestHints(t *testing.T) {
	t.Parallel()
	f := func(ua, platform, version, model string, want Device) {
		t.Helper()
		h := Hints{Platform: []byte(platform), PlatformVersion: []byte(version), Model: []byte(model)}
		if got := Parse(ua, h); got != want {
			t.Errorf("%s with %s %s %s\n got  %+v\n want %+v", ua, platform, version, model, got, want)
		}
		if got := *NewDetector(1).Detect([]byte(ua), h); got != want {
			t.Errorf("Detect %s with %s %s %s\n got  %+v\n want %+v", ua, platform, version, model, got, want)
		}
	}
	f(chromeK, `"Android"`, "", "", Device{Platform: Android})
	f(chromeK, `"Android"`, `"14.0.0"`, `"Pixel 8"`, Device{Platform: Android, OSVersion: "14.0.0", Model: "Pixel 8"})
	f(chromeK, `"Android"`, `""`, `""`, Device{Platform: Android})
	f(chromeK, `"Android"`, `"11.0.0"`, `"KFTRWI"`, Device{Platform: FireOS, OSVersion: "11.0.0", Model: "KFTRWI"})
	f(chromeK, `"Android"`, `"11.0.0"`, `"BRAVIA 4K TV"`, Device{Platform: AndroidTV, OSVersion: "11.0.0", Model: "BRAVIA 4K TV"})
	f(windows10, `"Windows"`, `"15.0.0"`, `""`, Device{Platform: Windows, OSVersion: "11"})
	f(windows10, `"Windows"`, `"13.0.0"`, "", Device{Platform: Windows, OSVersion: "11"})
	f(windows10, `"Windows"`, `"10.0.0"`, "", Device{Platform: Windows, OSVersion: "10"})
	f(windows10, `"Windows"`, "", "", Device{Platform: Windows})
	f(linuxPC, `"Android"`, "", "", Device{Platform: Android}) // the desktop site, asked for on a phone
	f(linuxPC, `"Linux"`, `"6.5.0"`, "", Device{Platform: Web})
	f(macSafari, `"macOS"`, `"14.5.0"`, `""`, Device{Platform: MacOS, OSVersion: "14.5.0"})
	f(safari26, `"Windows"`, `"15.0.0"`, "", Device{Platform: IOS, OSVersion: "26.1", Model: "iPhone"})
	f(chromeK, "Android", `"x"`, "\"\xff\"", Device{Platform: Android})
}

func TestIsPrefetch(t *testing.T) {
	t.Parallel()
	f := func(secPurpose, purpose, xMoz, xPurpose string, want bool) {
		t.Helper()
		if got := IsPrefetch([]byte(secPurpose), []byte(purpose), []byte(xMoz), []byte(xPurpose)); got != want {
			t.Errorf("IsPrefetch(%q, %q, %q, %q) = %v", secPurpose, purpose, xMoz, xPurpose, got)
		}
	}
	f("", "", "", "", false)
	f("prefetch", "", "", "", true)
	f("prefetch;prerender", "prefetch", "", "", true)
	f("Prefetch", "", "", "", true)
	f("", "prefetch", "", "", true)
	f("", "", "prefetch", "", true)
	f("", "", "", "preview", true)
	f("navigation", "x", "y", "z", false)
}

package smartlinks_test

import (
	"strings"
	"testing"

	"waypost/compat/smartlinks"
	"waypost/internal/device"
)

func TestPlatformCodes(t *testing.T) {
	t.Parallel()
	for _, p := range device.Platforms() {
		code := smartlinks.PlatformCode(p)
		for _, text := range []string{code, strings.ToUpper(code), " " + code + " "} {
			if got, ok := smartlinks.ParsePlatformCode(text); !ok || got != p {
				t.Errorf("%q is %v, %v; want %v", text, got, ok, p)
			}
		}
	}
	f := func(p device.Platform, want string) {
		t.Helper()
		if got := smartlinks.PlatformCode(p); got != want {
			t.Errorf("%v is %q, want %q", p, got, want)
		}
	}
	f(device.FireOS, "kindle")
	f(device.MacOS, "macosx")
	f(device.Tizen, "tizenos")
	f(device.Xbox, "windowsxbox")
	f(device.IOS, "ios")
}

func TestRoutable(t *testing.T) {
	t.Parallel()
	f := func(word string, want device.Platform) {
		t.Helper()
		got, ok := smartlinks.Routable(word)
		if ok != (want != device.Unknown) || ok && got != want {
			t.Errorf("%q is %v, %v; want %v", word, got, ok, want)
		}
	}
	f("Android", device.Android)
	f("iOS", device.IOS)
	f("IOS", device.IOS)
	f("Web", device.Web)
	f("kindle", device.FireOS)
	f("Macosx", device.MacOS)
	f("windows", device.Windows)
	f("tvos", device.Unknown)
	f("roku", device.Unknown)
	f("desktop", device.Unknown)
	f("", device.Unknown)
}

package manifest

import (
	"waypost/internal/device"
)

// appField is a field of an app that only some platforms have.
type appField struct {
	name  string
	value func(*App) bool // is it there
	on    []device.Platform
	// needed platforms cannot do without it.
	needed  []device.Platform
	example string
}

var (
	applePlatforms   = []device.Platform{device.IOS, device.MacOS, device.AppleTV}
	androidPlatforms = []device.Platform{device.Android, device.FireOS, device.AndroidTV, device.FireTV}
	webPlatform      = []device.Platform{device.Web}
)

var appFields = []appField{
	{"bundle_id", func(a *App) bool { return a.BundleID != "" }, applePlatforms, applePlatforms, "com.example.app"},
	{"team_id", func(a *App) bool { return a.TeamID != "" }, applePlatforms, nil, "A1B2C3D4E5"},
	{"package", func(a *App) bool { return a.Package != "" }, androidPlatforms, androidPlatforms, "com.example.app"},
	{"sha256_cert_fingerprints", func(a *App) bool { return len(a.Fingerprints) > 0 }, androidPlatforms, nil, ""},
	{"url", func(a *App) bool { return a.URL != "" }, webPlatform, webPlatform, "https://www.example.com/"},
}

func (c *checker) app(a *App, at, account string) {
	c.key(at+".key", account+" app", a.Key)
	c.number(at+".id", "app", a.ID)
	if c.form(at+".guid", a.GUID, isKey, "1 to 64 letters, digits, dots, hyphens and underscores, such as koexample-ios-4fkz131i") {
		c.unique(at+".guid", "app guid", a.GUID)
	}
	c.form(at+".bundle_id", a.BundleID, isBundleID, "a bundle identifier, such as com.example.app")
	c.form(at+".team_id", a.TeamID, isTeamID, "the ten capital letters and digits of an Apple team, such as A1B2C3D4E5")
	c.form(at+".package", a.Package, isPackage, "an Android application id, such as com.example.app")
	for i, print := range a.Fingerprints {
		path := index(at+".sha256_cert_fingerprints", i)
		c.form(path, print, isFingerprint, "the SHA-256 of a signing certificate: 32 bytes as pairs of hexadecimal digits with colons, such as 14:6D:…")
	}
	c.words(at+".sha256_cert_fingerprints", a.Fingerprints)
	c.form(at+".store_id", a.StoreID, isStoreID, "the store's id of the app, such as \"1234567890\"")
	c.url(at+".store_url", a.StoreURL)
	if a.Clipboard && a.Platform != device.IOS.String() {
		c.add(at+".clipboard", "is for iOS alone: other stores hand a referrer to the app")
	}
	c.form(at+".scheme", a.Scheme, isAppScheme, "an app's own URI scheme without ://, such as acme")
	c.url(at+".url", a.URL)
	c.attribution(&a.Attribution, at+".attribution")
	if a.Platform == "" {
		return
	}
	platform, err := device.ParsePlatform(a.Platform)
	if err != nil {
		c.oneOf(at+".platform", a.Platform, platformNames()...)
		return
	}
	for _, f := range appFields {
		switch there := f.value(a); {
		case there && !contains(f.on, platform):
			c.add(at+"."+f.name, "does not belong to an app for %s; it belongs to %s", platform, platformList(f.on))
		case !there && contains(f.needed, platform):
			c.add(at+"."+f.name, "missing; an app for %s needs it, such as %s", platform, f.example)
		}
	}
}

func contains(all []device.Platform, p device.Platform) bool {
	for _, q := range all {
		if p == q {
			return true
		}
	}
	return false
}

func platformNames() []string {
	var names []string
	for _, p := range device.Platforms() {
		names = append(names, p.String())
	}
	return names
}

func platformList(platforms []device.Platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return list(names)
}

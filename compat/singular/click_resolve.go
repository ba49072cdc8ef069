package singular

import (
	"strings"

	"waypost/internal/device"
	"waypost/link"
	"waypost/route"
)

// Resolve returns the long form of a clicked link for an app that was opened by
// it on a platform: address is the link's without its query. An app looks for
// _dl and _p there, so the deep link that holds for the platform stands in the
// first one and in no other, whatever the link or the URL says. It fails as
// Clicks.Rules does.
func Resolve(c *route.Clicked, address string, platform device.Platform) (string, error) {
	k, err := open(c)
	if err != nil {
		return "", err
	}
	uri := ""
	switch platform {
	case device.IOS:
		uri, _ = k.deepLink(&ios)
	case device.Android, device.FireOS:
		uri, _ = k.deepLink(&android)
	}
	var pairs []string
	if uri != "" {
		pairs = append(pairs, queryDeepLink+"="+escape(uri))
	}
	for _, p := range k.params {
		switch p.Name {
		case queryDeepLink, queryIOSDeepLink, queryAndroidDeepLink:
		default:
			pairs = append(pairs, escape(p.Name)+"="+escape(p.Value))
		}
	}
	if len(pairs) == 0 {
		return address, nil
	}
	return address + "?" + strings.Join(pairs, "&"), nil
}

// webSource is the source of installs whose web campaign nobody told.
const webSource = "Mobile Web to App"

// Source names who is credited with what follows a click on a link that has no
// partner: for links from the web to an app whoever brought the visitor to the
// page, which its script tells in _web_params. query is what the click held.
func Source(s *Stored, query []link.Param) string {
	if s.LinkType != WebToApp {
		return s.SourceName
	}
	told := map[string]string{}
	for _, p := range query {
		if cleanName(p.Name) != queryWeb {
			continue
		}
		for _, inner := range readQuery(strings.TrimPrefix(p.Value, "?")) {
			told[inner.Name] = inner.Value
		}
	}
	for _, name := range []string{"utm_source", "wpsrc"} {
		if told[name] != "" {
			return told[name]
		}
	}
	return webSource
}

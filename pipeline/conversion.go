package pipeline

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
	"waypost/link"
)

// conversionID names what was told for ever, and differently for each kind, app
// and installation.
func conversionID(t *event.Told, kind attribution.ConversionKind) attribution.ConversionID {
	if kind == attribution.Install {
		return attribution.ConversionID(fmt.Sprintf("install/%d/%s", t.App, t.Install))
	}
	return attribution.ConversionID(fmt.Sprintf("%s/%d/%s/%s", kind, t.App, url.PathEscape(t.Install), t.Key))
}

// conversionOf is what was told as attribution judges it. What the past knows
// of it is filled in by others.
func conversionOf(t *event.Told, kind attribution.ConversionKind, app *link.App, known attribution.Consent) *attribution.Conversion {
	c := &attribution.Conversion{
		ID: conversionID(t, kind), Kind: kind, Event: t.Name, At: instant(t.At), Account: t.Account, App: t.App, Facts: factsOfTold(t, app),
		OpenedClickID: openedClick(t), ClipboardToken: copiedToken(t.Clipboard), Consent: consentOf(t, known), Emulator: t.Emulator, BadSignature: t.Unsigned,
		OddReferrer: slices.Contains(t.Flags, event.ReferrerFlag),
	}
	for _, id := range t.IDs {
		c.DeviceIDs = append(c.DeviceIDs, attribution.DeviceID{Kind: attribution.IDKind(id.Kind), Form: attribution.IDForm(id.Form), Value: id.Value})
	}
	if r := t.Referrer; r != nil {
		c.Referrer = attribution.Referrer{
			ClickID: plainClick(r.Click), ClickServerAt: instant(r.ClickServerAt), ClickAt: instant(r.ClickAt),
			InstallBeginServerAt: instant(r.InstallBeginServerAt), InstallBeginAt: instant(r.InstallBeginAt),
		}
	}
	return c
}

func factsOfTold(t *event.Told, app *link.App) attribution.Facts {
	f := attribution.Facts{
		Platform: t.Platform, OSVersion: t.OS, Model: t.Model, Locale: t.Locale, Timezone: t.Timezone,
		Screen: attribution.Screen{Width: t.Width, Height: t.Height}, Country: strings.ToUpper(t.Country), Addresses: addresses(t.IPs, t.Networks),
	}
	if f.Platform == device.Unknown && app != nil {
		f.Platform = app.Platform
	}
	return f
}

// plainClick brings the forms in which a click's id comes back to one: the
// digits under which touches are filed.
func plainClick(id string) string {
	if c, ok := uid.ParseClick(id); ok {
		return c.String()
	}
	return id
}

// copiedToken brings what our page left on a clipboard to the form under which
// touches are filed. Other texts stay as they are.
func copiedToken(text string) string {
	if c, ok := uid.ParseCopied(text); ok {
		return c.String()
	}
	return text
}

// openedClick finds a click's id in the URL that opened the app, whatever the
// parameter is called, if nobody has named it. Ids are random: another number
// is not taken for one.
func openedClick(t *event.Told) string {
	if t.OpenedClick != "" {
		return plainClick(t.OpenedClick)
	}
	u, err := url.Parse(t.OpenedURL)
	if err != nil {
		return ""
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		_, value, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(value); err == nil {
			if c, ok := uid.ParseClick(plain); ok {
				return c.String()
			}
		}
	}
	return ""
}

// consentOf is what the event says, and what was said before where it is silent.
func consentOf(t *event.Told, known attribution.Consent) attribution.Consent {
	said := t.Consent
	if said == nil {
		return known
	}
	return known.After(attribution.Said{
		Tracking: attribution.Answer(said.Tracking), Measurement: attribution.Answer(said.Measurement), Advertising: attribution.Answer(said.Advertising),
		LimitAds: attribution.Answer(said.LimitAds), Child: attribution.Answer(said.Child),
	}, t.Kind == event.ConsentKind)
}

// withheldBy is whom the event wants not to be told, and whom was said before
// where it is silent.
func withheldBy(t *event.Told, known []string) []string {
	if len(t.Withhold) == 0 {
		return known
	}
	return t.Withhold
}

// addressKeys are the places from which the conversion was told.
func addressKeys(c *attribution.Conversion) (keys []attribution.Key) {
	here := attribution.Touchpoint{Apps: []link.AppID{c.App}, Facts: c.Facts}
	for _, k := range here.Keys() {
		if k.Kind == attribution.AddressKey {
			keys = append(keys, k)
		}
	}
	return keys
}

// Spans in which other installations speak for or against a conversion.
const (
	neighbourSpan = 24 * time.Hour
	deviceSpan    = 24 * time.Hour
	vendorSpan    = 30 * 24 * time.Hour
)

// mostNeighbours is where counting them ends; rules ask for fewer.
const mostNeighbours = 16

// remember fills in what earlier installations on the same device, and devices
// at the same address, say about a new one.
func remember(c *attribution.Conversion, install string, sameDevice, samePlace []history.Installation) {
	c.DeviceInstalls, c.VendorInstalls = 1, 1
	own := c.IdentityKeys()
	for _, i := range sameDevice {
		age := c.At.Sub(i.At)
		if i.ID == install || age < 0 {
			continue
		}
		if age <= deviceSpan {
			c.DeviceInstalls++
		}
		if age <= vendorSpan && sharesVendor(own, i.Identity) {
			c.VendorInstalls++
		}
		// A refused installation was none. They come the newest first.
		if i.Verdict != attribution.Refused && (c.Past == nil || i.At.After(c.Past.At)) {
			c.Past = &attribution.PastInstall{At: i.At, LastActiveAt: i.LastOpen()}
		}
	}
	for _, i := range samePlace {
		age := c.At.Sub(i.LastActiveAt)
		known := slices.ContainsFunc(own, func(k attribution.Key) bool { return slices.Contains(i.Identity, k) })
		if i.ID != install && !known && age >= 0 && age <= neighbourSpan && c.Neighbours < mostNeighbours {
			c.Neighbours++
		}
	}
}

func sharesVendor(a, b []attribution.Key) bool {
	return slices.ContainsFunc(a, func(k attribution.Key) bool {
		return strings.HasPrefix(k.Value, string(attribution.IDFV)+":") && slices.Contains(b, k)
	})
}

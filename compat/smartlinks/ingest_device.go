package smartlinks

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"waypost/attribution"
	"waypost/event"
	"waypost/ingest"
	"waypost/internal/device"
	"waypost/internal/fault"
)

// deviceIDs are the ids that a message names: of device_ids, in any case, an
// object or several of them in a list, and those that stand in data itself.
// Kinds that are not known are nobody's.
func (m *message) deviceIDs() ([]attribution.DeviceID, error) {
	const field = "device_ids"
	named := []object{m.data}
	switch holder := m.holder(field); {
	case holder.isBlank(field):
	case holder.raw(field)[0] == '[':
		var list []map[string]json.RawMessage
		if err := json.Unmarshal(holder.raw(field), &list); err != nil {
			return nil, fault.Bad(holder.name(field), fault.Malformed, "must be an object, or a list of objects").Because(err)
		}
		for i, fields := range list {
			named = append(named, object{fields, fmt.Sprintf("%s[%d].", holder.name(field), i)})
		}
	default:
		one, err := parseObject(holder.raw(field))
		if err != nil {
			return nil, fault.Bad(holder.name(field), fault.Malformed, `must be an object, such as {"adid":"…"}`).Because(err)
		}
		named = append(named, object{one.fields, holder.name(field) + "."})
	}
	var ids []attribution.DeviceID
	for _, o := range named {
		for _, name := range slices.Sorted(maps.Keys(o.fields)) {
			kind, known := idKind(name)
			if !known {
				continue
			}
			value, err := o.named(name)
			if err != nil {
				return nil, err
			}
			id := attribution.DeviceID{Kind: kind, Form: attribution.Raw, Value: value}
			if id.State() != attribution.Absent && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

// askedSince is the first iOS whose apps must ask before they use the IDFA.
const askedSince = 14

// permitted are the ids that may be looked at, and what the person answered;
// nil where the message does not speak of it. What cannot be read is refused:
// it may be a no. Where an app must have asked and says nothing of an answer,
// none is assumed, and the IDFA goes (vendor, "post-install event setup").
func (m *message) permitted(ids []attribution.DeviceID, facts ingest.Device) ([]attribution.DeviceID, *event.Consent, error) {
	limited, err := m.holder("device_limit_tracking").answer("device_limit_tracking")
	if err != nil {
		return nil, nil, err
	}
	given, allowed, err := m.transparency()
	if err != nil {
		return nil, nil, err
	}
	var said *event.Consent
	if limited != nil {
		said = &event.Consent{LimitAds: event.YesNoOf(limited)}
	}
	mustAsk := m.isApple(facts.Platform) && !isBefore(facts.OS, askedSince)
	judged := attribution.Consent{}
	switch {
	case allowed:
		judged.Tracking = attribution.Yes
	case given || mustAsk:
		judged.Tracking = attribution.No
	}
	// What is only assumed holds for this message: an installation may have
	// answered before.
	if given || mustAsk && m.action == actionInstall {
		if said == nil {
			said = &event.Consent{}
		}
		said.Tracking = string(judged.Tracking)
	}
	judged.LimitAds = said != nil && said.LimitAds == event.Yes
	return slices.DeleteFunc(ids, func(id attribution.DeviceID) bool { return !judged.Permits(id.Kind) }), said, nil
}

// transparency reads what the person answered to Apple's question. An answer
// that is empty is given, and no yes.
func (m *message) transparency() (given, allowed bool, err error) {
	const field = "app_tracking_transparency"
	holder := m.holder(field)
	if holder.isBlank(field) {
		return false, false, nil
	}
	said, given, err := holder.object(field)
	if err != nil {
		return false, false, err
	}
	att, err := said.answer("att")
	return given, att != nil && *att, err
}

// answer reads what a person permits, or does not; nil where it is absent or an
// empty text, which some clients send for what they do not know.
func (o object) answer(field string) (*bool, error) {
	if o.isBlank(field) {
		return nil, nil
	}
	return o.flag(field)
}

func (m *message) isApple(stated device.Platform) bool {
	if stated == device.Unknown {
		stated = m.app.Platform
	}
	return stated == device.IOS || stated == device.AppleTV
}

// isBefore reports whether a version is known to be an older one.
func isBefore(version string, major int) bool {
	head, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(head)
	return err == nil && n < major
}

// systems are the operating systems that messages name, by their letters.
var systems = map[string]device.Platform{
	"ios": device.IOS, "iphoneos": device.IOS, "ipados": device.IOS, "android": device.Android, "fireos": device.FireOS,
	"tvos": device.AppleTV, "macos": device.MacOS, "osx": device.MacOS, "windows": device.Windows, "web": device.Web,
}

// facts are what the message says of the device. What it leaves out is the
// User-Agent's and the app's.
func (m *message) facts() ingest.Device {
	d := ingest.Device{Locale: m.text("locale"), Timezone: m.text("timezone"), Width: m.pixels("disp_w"), Height: m.pixels("disp_h")}
	d.Model, d.Platform, d.OS = parseDeviceVersion(m.text("device_ver"))
	platform, version := parseSystem(m.text("os_version"))
	if d.Platform == device.Unknown {
		d.Platform = platform
	}
	if d.OS == "" && (platform == device.Unknown || platform == d.Platform) {
		d.OS = version
	}
	return d
}

// pixels reads a length of the screen; zero where it is none.
func (m *message) pixels(name string) int {
	n, err := strconv.ParseFloat(m.text(name), 64)
	if err != nil || !(n > 0 && n < 1<<20) {
		return 0
	}
	return int(n)
}

// parseDeviceVersion reads "iPhone-iOS-16.2", whose first part may have hyphens
// itself, or the version alone. What is neither says nothing.
func parseDeviceVersion(text string) (model string, platform device.Platform, version string) {
	if isVersion(text) {
		return "", device.Unknown, text
	}
	parts := strings.Split(text, "-")
	if n := len(parts); n >= 3 {
		if system, ok := systems[letters(parts[n-2])]; ok {
			if isVersion(parts[n-1]) {
				version = parts[n-1]
			}
			return strings.TrimSpace(strings.Join(parts[:n-2], "-")), system, version
		}
	}
	return "", device.Unknown, ""
}

// parseSystem reads "Android 14", "iOS 17.4" or the version alone.
func parseSystem(text string) (platform device.Platform, version string) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return device.Unknown, ""
	}
	last := words[len(words)-1]
	if !isVersion(last) {
		return systems[letters(text)], ""
	}
	return systems[letters(strings.Join(words[:len(words)-1], ""))], last
}

// deviceAgent is the device's User-Agent. The vendor wants it encoded, and half
// of its clients do that.
func (m *message) deviceAgent() string {
	text := m.text("device_ua")
	switch {
	case text == "" && m.isSDK():
		return m.agent
	case !hasEscape(text):
		return text
	}
	unescape := url.PathUnescape
	if !strings.Contains(text, " ") && !strings.Contains(text, "%20") && strings.Contains(text, "+") {
		unescape = url.QueryUnescape // a form's: blanks are plus signs
	}
	if plain, err := unescape(text); err == nil && strings.ToValidUTF8(plain, "") == plain {
		return plain
	}
	return text
}

// hasEscape reports whether "%" and two hex digits stand in a text.
func hasEscape(text string) bool {
	for i := range len(text) - 2 {
		if text[i] == '%' && isHex(text[i+1]) && isHex(text[i+2]) {
			return true
		}
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

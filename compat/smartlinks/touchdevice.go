package smartlinks

import (
	"strings"

	"waypost/attribution"
	"waypost/internal/device"
	"waypost/link"
)

// idNames are the vendor's words for kinds of device id, in clicks' parameters,
// as a device_id_type, and in reports, in small letters. A MAC address is no id
// that attribution knows: systems give apps none since 2013.
var idNames = []struct {
	name string
	kind attribution.IDKind
}{
	{"idfa", attribution.IDFA},
	{"idfv", attribution.IDFV},
	{"adid", attribution.GAID},
	{"gaid", attribution.GAID},
	{"android_id", attribution.AndroidID},
	{"imei", attribution.IMEI},
	{"oaid", attribution.OAID},
	{"fire_adid", attribution.AmazonID},
	{"rida", attribution.RokuID},
	{"tifa", attribution.SamsungID},
	{"lgudid", attribution.LGID},
	{"vida", attribution.VizioID},
}

// idKind returns what a word for a kind of id means.
func idKind(name string) (attribution.IDKind, bool) {
	for _, n := range idNames {
		if strings.EqualFold(n.name, strings.TrimSpace(name)) {
			return n.kind, true
		}
	}
	return "", false
}

// Parameters of clicks that name a device.
const (
	paramDevice     = "device_id"
	paramDeviceType = "device_id_type"
	paramDeviceHash = "device_hash_method"
)

// deviceIDs are those that a click names: one with its type and the way it was
// hashed, and those whose parameter is their type. Zero ids and what nobody
// filled in are left out; malformed ones stay, they accuse their source.
func (q classicQuery) deviceIDs(app *link.App) []attribution.DeviceID {
	var ids []attribution.DeviceID
	add := func(id attribution.DeviceID) {
		for _, known := range ids {
			if known == id {
				return
			}
		}
		if id.State() != attribution.Absent {
			ids = append(ids, id)
		}
	}
	kind, known := deviceType(q.get(paramDeviceType), app)
	form, comparable := hashMethod(q.get(paramDeviceHash))
	if known && comparable {
		add(attribution.DeviceID{Kind: kind, Form: form, Value: q.get(paramDevice)})
	}
	for _, n := range idNames {
		add(attribution.DeviceID{Kind: n.kind, Form: attribution.Raw, Value: q.get(n.name)})
	}
	return ids
}

// deviceType returns the kind of device_id. Without a type it is the platform's
// advertising id (vendor, "install notification setup": ADID and IDFA are the defaults).
func deviceType(name string, app *link.App) (attribution.IDKind, bool) {
	if name != "" {
		return idKind(name)
	}
	if app == nil {
		return "", false
	}
	switch app.Platform {
	case device.IOS:
		return attribution.IDFA, true
	case device.Android:
		return attribution.GAID, true
	case device.FireOS:
		return attribution.AmazonID, true
	}
	return "", false
}

// hashMethod returns the form of a device_id; not ok for hashes that nothing
// here can be compared with.
func hashMethod(name string) (attribution.IDForm, bool) {
	switch strings.ReplaceAll(strings.ToLower(name), "-", "") {
	case "", "raw", "none", "plain":
		return attribution.Raw, true
	case "sha1":
		return attribution.SHA1, true
	case "md5":
		return attribution.MD5, true
	}
	return "", false
}

// standIn corrects what the request said where a server told whose click it
// reports: the language of the request is then the server's.
func (q classicQuery) standIn(f *attribution.Facts) {
	if _, _, classic := ParseTrackerURLID(q.get(paramCampaign)); !classic {
		return
	}
	locale := strings.ReplaceAll(q.get("language"), "_", "-")
	if locale != "" || q.get(paramAgent) != "" || q.get(paramUserAgent) != "" {
		f.Locale = locale
	}
	if version := q.get("device_os_version"); f.OSVersion == "" && isVersion(version) {
		f.OSVersion = version
	}
}

// isVersion reports whether a text is a version's number, such as 14.4.1.
func isVersion(text string) bool {
	return text != "" && len(text) < 24 && text[0] >= '0' && text[0] <= '9' && strings.Trim(text, "0123456789.") == ""
}

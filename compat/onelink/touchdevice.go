package onelink

import (
	"net/netip"
	"strings"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/internal/device"
	"waypost/link"
)

// idParam is a link parameter that holds a device's id; hashed forms have the
// same name behind "sha1_" or "md5_".
type idParam struct {
	name string
	kind attribution.IDKind
}

// idParams are the names in links, in reports of events and as types of
// engagements ("attribution link structure and parameters", "server-to-server
// engagements"). A MAC address is no id that attribution knows: no system has
// given it to apps since 2013.
var idParams = []idParam{
	{"advertising_id", attribution.GAID},
	{"gaid", attribution.GAID},
	{"idfa", attribution.IDFA},
	{"idfv", attribution.IDFV},
	{"oaid", attribution.OAID},
	{"fire_advertising_id", attribution.AmazonID},
	{"amazon_aid", attribution.AmazonID},
	{"android_id", attribution.AndroidID},
	{"imei", attribution.IMEI},
	{"rida", attribution.RokuID},
	{"tifa", attribution.SamsungID},
	{"lgudid", attribution.LGID},
	{"vida", attribution.VizioID},
}

// idForms are the prefixes of hashed ids.
var idForms = []struct {
	prefix string
	form   attribution.IDForm
}{{"", attribution.Raw}, {"sha1_", attribution.SHA1}, {"md5_", attribution.MD5}}

// deviceIDs are those that the parameters name. Zero ids and unfilled macros
// are nobody's and are left out; malformed ones stay, they accuse their source.
func (s *said) deviceIDs() []attribution.DeviceID {
	var ids []attribution.DeviceID
	for _, p := range s.params {
		id, ok := idOf(p.Name, p.Value)
		if ok && id.State() != attribution.Absent {
			ids = append(ids, id)
		}
	}
	return ids
}

// idOf reads a parameter as a device's id; not ok where its name is another's.
func idOf(name, value string) (attribution.DeviceID, bool) {
	name = strings.ToLower(name)
	for _, p := range idParams {
		for _, f := range idForms {
			if len(name) == len(f.prefix)+len(p.name) && strings.HasPrefix(name, f.prefix) && strings.HasSuffix(name, p.name) {
				return attribution.DeviceID{Kind: p.kind, Form: f.form, Value: strings.TrimSpace(value)}, true
			}
		}
	}
	return attribution.DeviceID{}, false
}

// standFor makes the touch that of the visitor whose click a server reports,
// where the URL names his address or his browser: what the request itself says
// is the server's.
func (s *said) standFor(t *history.Touch, account *link.Account) {
	agent, address := s.value(paramAgent), s.value(paramAddress)
	if agent == "" && address == "" {
		return
	}
	t.Facts, t.Agent, t.Bot = attribution.Facts{}, agent, ""
	if agent != "" {
		d := device.Parse(agent, device.Hints{})
		t.Facts.Platform, t.Facts.OSVersion, t.Facts.Model, t.Bot = d.Platform, d.OSVersion, d.Model, d.Bot
	}
	if v := s.value(paramOSVersion); v != "" {
		t.Facts.OSVersion = v
	}
	if v := s.value(paramModel); v != "" {
		t.Facts.Model = v
	}
	t.Facts.Locale = strings.ReplaceAll(s.value(paramLanguage), "_", "-")
	// An account that keeps less than the whole address has no use for it: a
	// district matches nothing.
	ip, err := netip.ParseAddr(address)
	if err == nil && account != nil && (account.IPPolicy == link.IPFull || account.IPPolicy == "") {
		t.Facts.Addresses = []attribution.Address{{IP: ip.Unmap().WithZone("")}}
	}
}

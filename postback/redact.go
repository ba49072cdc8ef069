package postback

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"waypost/attribution"
	"waypost/event"
)

// forbidden is what texts must not hold because the person does not permit it
// to be told: ids of his device, its addresses, its user agent. They come in
// texts that others wrote, the clicked URL's above all.
type forbidden struct {
	values  []string // in lower case
	refused bool     // no address may be told, whosever, nor what is called an id
}

// leastForbidden is the shortest value that is looked for inside of other texts:
// shorter ones stand there by chance.
const leastForbidden = 6

// forbiddenOf gathers what the view's person does not permit to be told. It is
// called before the view drops it.
func (v *view) forbiddenOf() (f forbidden) {
	add := func(value string) {
		if value = strings.ToLower(strings.TrimSpace(value)); value != "" && !slices.Contains(f.values, value) {
			f.values = append(f.values, value)
		}
	}
	for _, told := range v.told.IDs {
		if id := readID(told); id.State() != attribution.Absent && !v.permits(id.Kind) {
			add(id.Value)
		}
	}
	if kind, value, made := madeOfDevice(v.decided.Install); made && !v.permits(kind) {
		add(value)
	}
	if t := v.touch; t != nil {
		for _, id := range t.DeviceIDs {
			if id.State() != attribution.Absent && !v.permits(id.Kind) {
				add(id.Value)
			}
		}
	}
	if !v.consent.Refused() {
		return f
	}
	f.refused = true
	for _, ip := range v.told.IPs {
		add(ip)
	}
	add(v.told.Agent)
	if v.touch != nil {
		add(v.touch.Agent)
		for _, a := range v.touch.Facts.Addresses {
			add(a.IP.String())
		}
	}
	return f
}

// holds reports whether a text holds what is forbidden, as the whole or inside.
func (f *forbidden) holds(text string) bool {
	if len(f.values) == 0 && !f.refused {
		return false
	}
	text = strings.ToLower(strings.TrimSpace(text))
	for _, value := range f.values {
		if text == value || len(value) >= leastForbidden && strings.Contains(text, value) {
			return true
		}
	}
	if !f.refused {
		return false
	}
	_, err := netip.ParseAddr(text)
	return err == nil
}

// query drops the parameters of a raw query that hold what is forbidden. One
// without them comes back as it was.
func (f *forbidden) query(raw string) string {
	if len(f.values) == 0 && !f.refused {
		return raw
	}
	parts := strings.Split(raw, "&")
	return strings.Join(slices.DeleteFunc(parts, f.parameter), "&")
}

// parameter reports whether a parameter, as it stands in a query, holds what is
// forbidden; a URL or a query inside of its value is looked into, too.
func (f *forbidden) parameter(part string) bool {
	text, err := url.QueryUnescape(part)
	if err != nil {
		text = part
	}
	name, value, _ := strings.Cut(text, "=")
	if f.refused && isIDName(name) {
		return true
	}
	inner, err := url.QueryUnescape(value)
	return f.holds(value) || err == nil && f.holds(inner) || f.refused && slices.ContainsFunc(words(inner), f.holds)
}

// idNames are what parameters and fields are called that hold ids of devices,
// their addresses and agents, also where nobody reads them as such.
var idNames = []string{
	"advertising_id", "aifa", "amid", "andi", "android_id", "asid", "device_id", "device_ip", "device_ua", "deviceid", "gaid", "idfa", "idfv", "imei", "imei1", "imei2",
	"ip", "ip_address", "mac", "mac1", "mac_address", "meid", "oaid", "sha1_mac", "ua", "udid", "user_agent", "useragent", "vendor_id",
}

func isIDName(name string) bool {
	name = strings.TrimPrefix(strings.ToLower(name), "af_")
	for _, form := range []string{"sha1_", "md5_", "raw_", "hashed_"} {
		name = strings.TrimPrefix(name, form)
	}
	_, found := slices.BinarySearch(idNames, name)
	return found
}

// words are the parts of a text between marks that stand in no address.
func words(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("&=?,;/ []\"", c) })
}

// link drops what is forbidden from a URL: parameters, or the whole where it
// stands elsewhere in it.
func (f *forbidden) link(raw string) string {
	front, rest, asked := strings.Cut(raw, "?")
	query, fragment, marked := strings.Cut(rest, "#")
	plain := front + "#" + fragment
	if unescaped, err := url.PathUnescape(plain); err == nil {
		plain = unescaped
	}
	if f.holds(plain) || f.refused && slices.ContainsFunc(words(plain), f.holds) {
		return ""
	}
	if !asked {
		return raw
	}
	if query = f.query(query); query != "" {
		front += "?" + query
	}
	if marked {
		front += "#" + fragment
	}
	return front
}

// object drops from a JSON object the values that hold what is forbidden; one
// without them comes back as it was.
func (f *forbidden) object(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || len(f.values) == 0 && !f.refused {
		return raw
	}
	reader := json.NewDecoder(bytes.NewReader(raw))
	reader.UseNumber()
	var value any
	if reader.Decode(&value) != nil {
		return nil
	}
	kept, changed := f.without(value)
	if !changed {
		return raw
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return nil
	}
	return out
}

// without is a JSON value without what is forbidden; nil where it is that itself.
func (f *forbidden) without(value any) (kept any, changed bool) {
	switch of := value.(type) {
	case map[string]any:
		for name, inner := range of {
			inner, cut := f.without(inner)
			switch {
			case f.refused && isIDName(name), cut && inner == nil:
				delete(of, name)
				changed = true
			case cut:
				of[name], changed = inner, true
			}
		}
		return of, changed
	case []any:
		list := of[:0]
		for _, inner := range of {
			inner, cut := f.without(inner)
			changed = changed || cut
			if !cut || inner != nil {
				list = append(list, inner)
			}
		}
		return list, changed
	case string:
		if f.holds(of) || f.parameter("="+url.QueryEscape(of)) {
			return nil, true
		}
	case json.Number:
		if f.holds(of.String()) {
			return nil, true
		}
	}
	return value, false
}

// madeOfDevice reads an installation's id that ingest made of a device's id.
func madeOfDevice(install string) (kind attribution.IDKind, value string, made bool) {
	name, value, found := strings.Cut(install, ":")
	kind = attribution.IDKind(name)
	return kind, value, found && kind.OfDevice()
}

// install is the installation's id, unless it is one of the device's that may
// not be told.
func (v *view) install() string {
	if kind, _, made := madeOfDevice(v.decided.Install); made && !v.permits(kind) {
		return ""
	}
	return v.decided.Install
}

// conversion names the conversion, by the installation's id among others.
func (v *view) conversion() attribution.ConversionID {
	if v.decided.Install != "" && v.install() == "" {
		return ""
	}
	return v.decided.Conversion
}

func readID(id event.DeviceID) attribution.DeviceID {
	return attribution.DeviceID{Kind: attribution.IDKind(id.Kind), Form: attribution.IDForm(id.Form), Value: id.Value}
}

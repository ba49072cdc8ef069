package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"waypost/attribution"
	"waypost/event"
	"waypost/internal/fault"
)

// maxIDs bounds the device ids of one report.
const maxIDs = 32

// idKinds are the kinds of id that reports may hold.
var idKinds = map[attribution.IDKind]bool{
	attribution.GAID: true, attribution.IDFA: true, attribution.IDFV: true, attribution.OAID: true, attribution.AmazonID: true,
	attribution.AndroidID: true, attribution.AppSetID: true, attribution.IMEI: true, attribution.RokuID: true, attribution.SamsungID: true,
	attribution.LGID: true, attribution.VizioID: true, attribution.Instance: true,
}

// deviceIDs are the ids as the ledger keeps them: absent ones are left out,
// those that no device has stay as they came and make ok false. Ids that
// consent forbids are left out before anybody looks at them.
func deviceIDs(ids []attribution.DeviceID, consent attribution.Consent) (kept []event.DeviceID, ok bool, err error) {
	if len(ids) > maxIDs {
		return nil, false, fault.Bad(FieldIDs, fault.TooLong, "a report names at most %d ids", maxIDs)
	}
	ok = true
	seen := map[event.DeviceID]bool{}
	for _, id := range ids {
		if !idKinds[id.Kind] {
			return nil, false, fault.Bad(FieldIDs, fault.Unknown, "%q is no kind of device id", cut(string(id.Kind), 40))
		}
		if consent.Measurement == attribution.No || !consent.Permits(id.Kind) {
			continue
		}
		id.Value = strings.ToValidUTF8(strings.TrimSpace(id.Value), "\ufffd")
		if id.Form == attribution.Raw {
			id.Form = ""
		}
		state := id.State()
		if state == attribution.Absent {
			continue
		}
		ok = ok && state == attribution.Usable
		one := event.DeviceID{Kind: string(id.Kind), Form: string(id.Form), Value: canonical(id)}
		if !seen[one] {
			seen[one] = true
			kept = append(kept, one)
		}
	}
	return kept, ok, nil
}

// canonical is the one spelling of an id that has several: UUIDs and hashes in
// small letters. Longer ones than any device's are cut.
func canonical(id attribution.DeviceID) string {
	switch id.Kind {
	case attribution.GAID, attribution.IDFA, attribution.IDFV, attribution.AmazonID, attribution.AppSetID:
		return cut(strings.ToLower(id.Value), maxInstall)
	}
	if id.Form != "" {
		return cut(strings.ToLower(id.Value), maxInstall)
	}
	return cut(id.Value, maxInstall)
}

// installKinds are the ids that can stand for an installation, the steadiest first.
var installKinds = []attribution.IDKind{
	attribution.Instance, attribution.IDFV, attribution.AppSetID, attribution.GAID, attribution.OAID, attribution.AmazonID, attribution.AndroidID,
	attribution.IDFA, attribution.RokuID, attribution.SamsungID, attribution.LGID, attribution.VizioID, attribution.IMEI,
}

// InstallOf makes an installation's id of a device's ids, for dialects that
// have none: "idfv:…" of the steadiest usable one; of one that is too long for
// that its SHA-256, so that no two devices become one. Empty: none is usable.
func InstallOf(ids []attribution.DeviceID) string {
	for _, kind := range installKinds {
		for _, id := range ids {
			if id.Kind == kind && id.State() == attribution.Usable {
				id.Value = strings.TrimSpace(id.Value)
				name := string(kind) + ":" + canonical(id)
				if len(name) > maxInstall {
					sum := sha256.Sum256([]byte(name))
					name = string(kind) + ":" + hex.EncodeToString(sum[:])
				}
				return name
			}
		}
	}
	return ""
}

// saidOf is what the judge of ids reads.
func saidOf(c *event.Consent) attribution.Said {
	return attribution.Said{
		Tracking: attribution.Answer(c.Tracking), Measurement: attribution.Answer(c.Measurement), Advertising: attribution.Answer(c.Advertising),
		LimitAds: attribution.Answer(c.LimitAds), Child: attribution.Answer(c.Child),
	}
}

// checkConsent refuses answers that are none: to take an unread "no" for
// "nobody asked" would keep what must not be kept.
func checkConsent(c *event.Consent) error {
	if c == nil {
		return nil
	}
	for _, answer := range []string{c.Tracking, c.Measurement, c.Advertising, string(c.LimitAds), string(c.Child)} {
		if answer != "" && answer != string(attribution.Yes) && answer != string(attribution.No) {
			return fault.Bad(FieldConsent, fault.Malformed, `an answer is "yes" or "no", or left out where nobody asked`)
		}
	}
	return nil
}

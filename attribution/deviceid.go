package attribution

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// IDKind is what a device id identifies.
type IDKind string

// Kinds of device id.
const (
	GAID      IDKind = "gaid"   // Google's advertising id
	IDFA      IDKind = "idfa"   // Apple's advertising id
	IDFV      IDKind = "idfv"   // Apple's id of a vendor's apps on a device
	OAID      IDKind = "oaid"   // advertising id of Chinese Android devices
	AmazonID  IDKind = "amazon" // Fire OS's advertising id
	AndroidID IDKind = "android_id"
	AppSetID  IDKind = "app_set" // Google's id of a developer's apps on a device
	IMEI      IDKind = "imei"
	RokuID    IDKind = "rida"
	SamsungID IDKind = "tifa"
	LGID      IDKind = "lgudid"
	VizioID   IDKind = "vida"
	Instance  IDKind = "instance" // an installation's own id, made by an SDK or a backend
)

// OfDevice reports whether ids of the kind name a device, and not an
// installation alone.
func (k IDKind) OfDevice() bool {
	switch k {
	case IDFV, AndroidID, AppSetID, IMEI:
		return true
	}
	return k.advertising()
}

// advertising reports whether people can reset or refuse the id.
func (k IDKind) advertising() bool {
	switch k {
	case GAID, IDFA, OAID, AmazonID, RokuID, SamsungID, LGID, VizioID:
		return true
	}
	return false
}

// isUUID reports whether every id of the kind has the form of a UUID.
func (k IDKind) isUUID() bool {
	switch k {
	case GAID, IDFA, IDFV, AmazonID, AppSetID:
		return true
	}
	return false
}

// IDForm says whether an id came as it is or hashed.
type IDForm string

// Forms of a device id. The empty one is Raw.
const (
	Raw  IDForm = "raw"
	SHA1 IDForm = "sha1"
	MD5  IDForm = "md5"
)

// DeviceID is one id of a device, as it was sent.
type DeviceID struct {
	Kind  IDKind
	Form  IDForm
	Value string
}

// IDState says what an id is good for.
type IDState string

// States of a device id.
const (
	Usable    IDState = "usable"
	Absent    IDState = "absent" // empty, zero, or a macro that nobody filled: the person or the sender gave none
	Malformed IDState = "malformed"
)

// maxID is longer than any id of a real device, bytes.
const maxID = 128

// dummies are well-formed ids that emulators, opt-outs and broken clients send for everybody.
var dummies = map[string]bool{
	"9774d56d682e549c":                     true, // android_id of a whole generation of emulators
	"unknown":                              true,
	"00000000-0000-4000-8000-000000000000": true,
	"12345678-1234-1234-1234-123456789012": true,
	"12345678-1234-1234-1234-123456789abc": true,
}

// State classifies the id. Zero ids mean that the person opted out.
func (id DeviceID) State() IDState {
	v := strings.ToLower(strings.TrimSpace(id.Value))
	switch {
	case v == "" || v == "null" || v == "none" || strings.Trim(v, "0-") == "" || isUnfilled(v) || id.isHashOfZero(v):
		return Absent
	case len(v) > maxID || dummies[v] || isOneCharacter(v):
		return Malformed
	}
	switch id.Form {
	case SHA1:
		return usableIf(isHex(v, hex.EncodedLen(sha1.Size)))
	case MD5:
		return usableIf(isHex(v, hex.EncodedLen(md5.Size)))
	case Raw, "":
		return usableIf(!id.Kind.isUUID() || isUUID(v))
	}
	return Malformed
}

func usableIf(ok bool) IDState {
	if ok {
		return Usable
	}
	return Malformed
}

// isUnfilled finds the macros of the field's three syntaxes.
func isUnfilled(v string) bool {
	return strings.HasPrefix(v, "{") || strings.HasPrefix(v, "(") || strings.HasPrefix(v, "${") || strings.HasPrefix(v, "__")
}

const zeroUUID = "00000000-0000-0000-0000-000000000000"

// isHashOfZero finds opt-outs, and empty values, that a partner hashed without looking.
func (id DeviceID) isHashOfZero(v string) bool {
	switch id.Form {
	case SHA1:
		return v == sha1Hex(zeroUUID) || v == sha1Hex("")
	case MD5:
		return v == md5Hex(zeroUUID) || v == md5Hex("")
	}
	return false
}

func isOneCharacter(v string) bool {
	bare := strings.ReplaceAll(v, "-", "")
	return len(bare) > 3 && strings.Count(bare, bare[:1]) == len(bare)
}

func isHex(v string, n int) bool {
	return len(v) == n && strings.Trim(v, "0123456789abcdef") == ""
}

// isUUID wants the version that RFC 9562 knows, not a particular one: devices
// use 4, some vendors' own ids do not.
func isUUID(v string) bool {
	if len(v) != len(zeroUUID) || v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-' {
		return false
	}
	return isHex(strings.ReplaceAll(v, "-", ""), 32) && v[14] >= '1' && v[14] <= '8'
}

// hashes are the names under which the id is found: its own hash where it came
// hashed, else the hashes of both spellings, because partners hash capitals as
// often as small letters. Keys never hold a raw id.
func (id DeviceID) hashes() []string {
	v := strings.TrimSpace(id.Value)
	switch lower := strings.ToLower(v); id.Form {
	case SHA1, MD5:
		return []string{string(id.Form) + ":" + lower}
	default:
		names := []string{"sha1:" + sha1Hex(lower), "md5:" + md5Hex(lower)}
		if upper := strings.ToUpper(v); upper != lower {
			names = append(names, "sha1:"+sha1Hex(upper), "md5:"+md5Hex(upper))
		}
		return names
	}
}

func sha1Hex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

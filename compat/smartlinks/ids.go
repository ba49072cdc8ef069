package smartlinks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"waypost/link"
)

// NoNetwork is the id by which callers say that a link has no partner, whose
// name is then NoNetworkName (vendor's page, "network_id: for none, use 3881").
const (
	NoNetwork     link.PartnerID = 3881
	NoNetworkName                = "SmartLinks"
)

// TrackerID is the number of a measured part of any link.
type TrackerID int64

// trackersPerLink is how far the trackers of neighbouring links lie apart.
const trackersPerLink = int64(link.MaxTracker) + 1

// TrackerOf returns the number of a link's tracker: a link's are sequential,
// its catch-all first.
func TrackerOf(id link.LinkID, t link.Tracker) TrackerID {
	return TrackerID(int64(id)*trackersPerLink + int64(t) - int64(link.CatchAll))
}

// Split returns the link and the tracker of TrackerOf.
func (id TrackerID) Split() (link.LinkID, link.Tracker) {
	return link.LinkID(int64(id) / trackersPerLink), link.Tracker(int64(id)%trackersPerLink) + link.CatchAll
}

// Legacy ids are 13 hex characters: 52 bits.
const (
	legacyDigits = 13
	halfBits     = 26
	halfMask     = 1<<halfBits - 1
)

// legacyKeys stir the rounds of the permutation. They are arbitrary, and fixed:
// URLs in the world hold what they made.
var legacyKeys = [...]uint64{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93}

// Legacy returns the id's legacy_tracker_id: 13 lower-case hex characters that
// look random, as the vendor's do. It is a Feistel network over two halves of 26
// bits, so every id up to 2^52 has its own and ParseLegacy finds it again
// without a look-up. It hides nothing.
func (id TrackerID) Legacy() string {
	left, right := uint64(id)>>halfBits&halfMask, uint64(id)&halfMask
	for _, key := range legacyKeys {
		left, right = right, left^stir(right, key)
	}
	return fmt.Sprintf("%0*x", legacyDigits, left<<halfBits|right)
}

// ParseLegacy is the inverse of Legacy; ok is false for what is no legacy id.
// Upper case is taken, too.
func ParseLegacy(text string) (id TrackerID, ok bool) {
	n, err := strconv.ParseUint(text, 16, 64)
	if len(text) != legacyDigits || err != nil {
		return 0, false
	}
	left, right := n>>halfBits, n&halfMask
	for _, key := range slices.Backward(legacyKeys[:]) {
		left, right = right^stir(left, key), left
	}
	return TrackerID(left<<halfBits | right), true
}

// stir returns 26 bits that depend on every bit of half.
func stir(half, key uint64) uint64 {
	x := (half + key) * 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x >> (64 - halfBits)
}

// ParseTrackerURLID reads the campaign_id of a tracker's classic URL: the app's
// GUID and the legacy id. The GUID is not judged: whether it is
// that of the tracker's app is known after the link was read.
func ParseTrackerURLID(text string) (guid string, id TrackerID, ok bool) {
	at := len(text) - legacyDigits
	if at < 0 {
		return "", 0, false
	}
	id, ok = ParseLegacy(text[at:])
	return text[:at], id, ok
}

// campaignsPerGroup bounds the apps of a group, which has one for a platform.
const campaignsPerGroup = 100

// CampaignOf returns the number of the campaign that an app has in the shadow
// of its group's campaign. All trackers of the app in that campaign share it.
func CampaignOf(c link.CampaignID, g *link.Group, app link.AppID) int64 {
	return int64(c)*campaignsPerGroup + int64(slices.Index(g.AppGroup.Apps, app)) + 1
}

// GUID returns the app's GUID, or where it was set up without one the one that
// follows from its key and number.
func GUID(app *link.App) string {
	if app.GUID != "" {
		return app.GUID
	}
	return "ko" + slug(string(app.Key)) + "-" + strconv.FormatInt(int64(app.ID), 36)
}

// slug keeps the letters and digits of ASCII, in lower case, with one hyphen
// for anything between them.
func slug(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9')
	})
	return strings.Join(words, "-")
}

package attribution

import (
	"strconv"
	"time"

	"waypost/link"
)

// KeyKind is what a Key is made of.
type KeyKind string

// Kinds of key.
const (
	ClickKey     KeyKind = "click"     // the id of a click
	ClipboardKey KeyKind = "clipboard" // the token on a clipboard
	DeviceKey    KeyKind = "device"    // a hash of a device id
	AddressKey   KeyKind = "address"   // an IPv4 address, or the /64 of an IPv6 one
)

// Key is one name under which a store finds the touchpoints of an app without
// scanning.
type Key struct {
	App   link.AppID
	Kind  KeyKind
	Value string
}

// String is the key as one text, equal for equal keys alone.
func (k Key) String() string {
	return strconv.FormatInt(int64(k.App), 10) + "/" + string(k.Kind) + "/" + k.Value
}

// MaxPerKey is how many touchpoints a store returns for one key: the newest
// that lie in the lookup's span. The bound is each key's own. A bound over all
// candidates would let one crowded address push out the click that a referrer
// names.
const MaxPerKey = 64

// Lookup asks a store for the touchpoints under one key, both ends included,
// the newest MaxPerKey of them.
type Lookup struct {
	Key          Key
	Since, Until time.Time
}

// Keys are the names under which a store files the touch. Bots have none.
func (t *Touchpoint) Keys() []Key {
	if t.Bot != "" {
		return nil
	}
	var keys []Key
	for _, app := range t.Apps {
		keys = append(keys, namedKeys(app, t.ClickID, t.ClipboardToken)...)
		for _, id := range t.DeviceIDs {
			if id.State() == Usable {
				keys = append(keys, id.keys(app)...)
			}
		}
		for _, p := range t.Facts.places() {
			keys = append(keys, Key{app, AddressKey, p.String()})
		}
	}
	return keys
}

// Lookups are where the candidates for the conversion are to be found.
func (c *Conversion) Lookups(p *Policy) []Lookup {
	until := c.At.Add(p.ClockSkew)
	longest := time.Duration(maxClick)
	var asked []Lookup
	ask := func(keys []Key, back time.Duration) {
		for _, k := range keys {
			asked = append(asked, Lookup{Key: k, Since: c.At.Add(-back), Until: until})
		}
	}
	ask(namedKeys(c.App, c.Referrer.ClickID, c.ClipboardToken), longest)
	if c.OpenedClickID != c.Referrer.ClickID {
		ask(namedKeys(c.App, c.OpenedClickID, ""), longest)
	}
	ask(c.IdentityKeys(), longest)
	if c.Kind == Install && p.withholds(c) == "" {
		for _, place := range c.Facts.places() {
			ask([]Key{{c.App, AddressKey, place.String()}}, max(maxProbabilisticClick, maxProbabilisticView))
		}
	}
	return asked
}

// IdentityKeys are the hashes of the device's own ids. An earlier installation
// on the same device shares at least one.
func (c *Conversion) IdentityKeys() []Key {
	var keys []Key
	for _, id := range c.usableIDs() {
		keys = append(keys, id.keys(c.App)...)
	}
	return keys
}

func namedKeys(app link.AppID, click, token string) []Key {
	var keys []Key
	if click != "" {
		keys = append(keys, Key{app, ClickKey, click})
	}
	if token != "" {
		keys = append(keys, Key{app, ClipboardKey, token})
	}
	return keys
}

func (id DeviceID) keys(app link.AppID) []Key {
	names := id.hashes()
	keys := make([]Key, len(names))
	for i, name := range names {
		keys[i] = Key{app, DeviceKey, string(id.Kind) + ":" + name}
	}
	return keys
}

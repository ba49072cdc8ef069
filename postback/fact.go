package postback

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/event"
	"waypost/internal/device"
	"waypost/internal/uid"
)

func (v *view) clickID() uid.Click {
	if v.telling.Click != nil {
		return v.telling.Click.ID
	}
	id, _ := TouchToTell(&v.decided.Decision)
	return id
}

// partnerClickID is the partner's own name of the click: what he put into the
// parameter that his vendor has for it. A macro that nobody filled is none.
func (v *view) partnerClickID() string {
	for _, name := range []string{"clickid", "click_id", "cl"} {
		if id := v.parameters.Get(name); id != "" && strings.Trim(id[:1], "{($") != "" && !strings.HasPrefix(id, "__") {
			return id
		}
	}
	return ""
}

func (v *view) clickedAt() time.Time {
	if w := v.telling.winner(); w != nil {
		return w.At
	}
	if v.touch != nil {
		return v.touch.At
	}
	if v.telling.Click != nil {
		return v.telling.happenedAt()
	}
	return time.Time{}
}

func (v *view) touchKind() attribution.TouchKind {
	if w := v.telling.winner(); w != nil {
		return w.Kind
	}
	if v.touch != nil {
		return v.touch.Kind
	}
	switch c := v.telling.Click; {
	case c == nil:
		return ""
	case c.Kind == event.ImpressionKind:
		return attribution.View
	}
	return attribution.Click
}

func (v *view) touchAddress() string {
	if v.telling.Click != nil {
		return v.address()
	}
	if v.touch == nil || len(v.touch.Facts.Addresses) == 0 || v.consent.Refused() {
		return ""
	}
	return v.touch.Facts.Addresses[0].IP.String()
}

func (v *view) address() string {
	if len(v.told.IPs) == 0 {
		return ""
	}
	return v.told.IPs[0]
}

func (v *view) installedAt() time.Time {
	if v.telling.Installation == nil {
		return time.Time{}
	}
	return v.telling.Installation.At
}

func (v *view) method() attribution.Method {
	if w := v.telling.winner(); w != nil {
		return w.Method
	}
	return ""
}

// wonBack reports whether the person had the app before: the conversion is a
// re-engagement or re-attribution, or an event that follows one.
func (v *view) wonBack() bool {
	switch v.decided.Decision.Outcome {
	case attribution.Reengagement, attribution.Reattribution:
		return true
	case attribution.Happening:
		in, w := v.telling.Installation, v.telling.winner()
		if in == nil || w == nil {
			return false
		}
		return in.Reengagement != nil && in.Reengagement.Match.Touch == w.Touch ||
			in.Outcome == attribution.Reattribution && in.Credit != nil && in.Credit.Match.Touch == w.Touch
	}
	return false
}

// bundle is the app's name on its platform.
func (v *view) bundle() string {
	if v.app.BundleID != "" {
		return v.app.BundleID
	}
	return v.app.Package
}

// storeID is the app's name in its store.
func (v *view) storeID() string {
	if v.app.StoreID != "" {
		return v.app.StoreID
	}
	return v.app.Package
}

// prefixedStoreID has "id" before Apple's numbers.
func (v *view) prefixedStoreID() string {
	id := v.storeID()
	switch v.app.Platform {
	case device.IOS, device.MacOS, device.AppleTV:
		if id != "" {
			return "id" + strings.TrimPrefix(id, "id")
		}
	}
	return id
}

// networkName is the partner as the link spells it, or by his own name.
func (v *view) networkName() string {
	if v.source.Name == "" && v.telling.Partner != nil {
		return v.telling.Partner.Name
	}
	return v.source.Name
}

// eventParams are what was told beside what has a name here. Of a person who
// refused, an open's are left out: they are his device's.
func (v *view) eventParams() json.RawMessage {
	if !json.Valid(v.told.Params) || v.consent.Refused() && v.decided.Kind != attribution.InApp {
		return nil
	}
	return v.forbidden.object(v.told.Params)
}

// referrer is the store's, as it came.
func (v *view) referrer() string {
	if v.told.Referrer == nil {
		return ""
	}
	return v.forbidden.query(v.told.Referrer.Raw)
}

// parameter is the clicked URL's, or else what is known without it.
func (v *view) parameter(name, otherwise string) string {
	if value := v.parameters.Get(name); value != "" {
		return value
	}
	return otherwise
}

// seconds is a time in Unix seconds; empty for none.
func seconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// millis is Unix milliseconds in Unix seconds; empty for none.
func millis(ms int64) string {
	if ms == 0 {
		return ""
	}
	return strconv.FormatInt(ms/1000, 10)
}

func number[N ~int64](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

func clickText(id uid.Click) string {
	if id == 0 {
		return ""
	}
	return id.String()
}

// hashed is the hash of a raw id as it was sent, in hex.
func hashed(raw string, form attribution.IDForm) string {
	if form == attribution.MD5 {
		sum := md5.Sum([]byte(raw))
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.Sum([]byte(raw))
	return hex.EncodeToString(sum[:])
}

func (v *view) deepLink() string {
	switch {
	case v.touch != nil:
		return v.forbidden.link(v.touch.DeepLink)
	case v.telling.Click != nil:
		return v.telling.Click.DeepLink
	}
	return ""
}

// plainJSON writes the marks that the ledger escapes for HTML's sake as they are.
func plainJSON(raw json.RawMessage) string {
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 >= len(raw) {
			out.WriteByte(raw[i])
			continue
		}
		if i+6 <= len(raw) {
			if plain, ok := htmlEscapes[string(raw[i:i+6])]; ok {
				out.WriteByte(plain)
				i += 5
				continue
			}
		}
		out.Write(raw[i : i+2]) // a pair, so that the second is not read as the first of one
		i++
	}
	return out.String()
}

// htmlEscapes are how encoding/json writes marks of HTML.
var htmlEscapes = map[string]byte{`\u0026`: '&', `\u003c`: '<', `\u003e`: '>'}

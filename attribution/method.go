package attribution

import (
	"waypost/internal/device"
)

// recognise returns how the touch is known to be the conversion's by what both
// name, and not ok where they name nothing in common.
func (j *judge) recognise(t *Touchpoint) (m Method, ok bool) {
	c := j.conversion
	switch {
	case t.ClickID != "" && t.ClickID == c.Referrer.ClickID:
		return ByReferrer, true
	case t.ClickID != "" && t.ClickID == c.OpenedClickID:
		return ByOpenedURL, true
	case t.ClipboardToken != "" && t.ClipboardToken == c.ClipboardToken:
		return ByClipboard, true
	case j.sharesDevice(t):
		return ByDeviceID, true
	}
	return "", false
}

// sharesDevice reports whether one of the touch's ids is one of the conversion's.
func (j *judge) sharesDevice(t *Touchpoint) bool {
	for _, id := range t.DeviceIDs {
		if id.State() != Usable {
			continue
		}
		for _, k := range id.keys(j.conversion.App) {
			if j.ids[k] {
				return true
			}
		}
	}
	return false
}

// isOtherDevice reports whether both sides know an id of the same kind and in
// comparable forms, and the ids differ.
func (j *judge) isOtherDevice(t *Touchpoint) bool {
	for _, id := range t.DeviceIDs {
		if id.State() != Usable {
			continue
		}
		for _, own := range j.usable {
			if own.Kind == id.Kind && (own.Form == id.Form || own.isRaw() || id.isRaw()) {
				return true // sharesDevice was asked first: they are not equal
			}
		}
	}
	return false
}

func (id DeviceID) isRaw() bool { return id.Form == Raw || id.Form == "" }

// samePlatform is what a touch needs where an id joins it to the conversion.
// iPads that ask for the desktop site say that they are Macs, and Fire OS is
// Android; a touch that does not know its platform contradicts nothing.
func samePlatform(touch, conversion device.Platform) bool {
	if touch == conversion || touch == device.Unknown || conversion == device.Unknown {
		return true
	}
	return touch == device.MacOS && conversion == device.IOS ||
		touch == device.FireOS && conversion == device.Android || touch == device.Android && conversion == device.FireOS
}

// surelySamePlatform is what a touch needs for a match by likeness.
func surelySamePlatform(touch, conversion device.Platform) bool {
	return touch == conversion && touch != device.Unknown
}

package singular

import (
	"strings"

	"waypost/internal/device"
)

// platforms are the names of the S2S reference, in lower case. Where a name is
// no platform of ours, or stands for several, the app tells which it is.
var platforms = map[string]device.Platform{
	"android": device.Android, "ios": device.IOS, "web": device.Web, "pc": device.Unknown, "xbox": device.Xbox,
	"playstation": device.PlayStation, "nintendo": device.Unknown, "metaquest": device.Unknown, "ctv": device.Unknown,
}

// platformOf reads a platform's name in any case. Unknown and ok is a platform
// that the vendor knows and nothing here tells apart.
func platformOf(name string) (p device.Platform, ok bool) {
	p, ok = platforms[strings.ToLower(strings.TrimSpace(name))]
	return p, ok
}

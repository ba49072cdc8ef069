package onelink

import (
	"encoding/json"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

// Item reads a link that our own APIs describe in the words of a create of
// v2.0: data, ttl, brand_domain and renew_ttl mean what they mean there, and
// data is held against the same rules; strict is Config.StrictChars. What names
// the link is the caller's to fill in. Faults are Invalid and name the field
// or the parameter. The values must be UTF-8.
func Item(fields map[string]json.RawMessage, strict bool) (manage.NewLink, error) {
	b, err := parseFields(fields)
	if err != nil {
		if f := fault.As(err); f.Field == bodyField {
			return manage.NewLink{}, fault.Bad("data", f.Reason, "%s", f.Message).Because(f.Err)
		}
		return manage.NewLink{}, err
	}
	if b.characters > maxDataV2 {
		return manage.NewLink{}, fault.Bad("data", fault.TooLong, "data is longer than %d characters", maxDataV2)
	}
	n := manage.NewLink{
		Dialect: link.OneLink, Data: b.data, TTL: cappedTTL(b.ttl, maxTTLV2), Renew: b.renew == nil || *b.renew,
		Source: link.SourceV2, TargetHosts: hostsOf(b.params, link.SourceV2),
	}
	if b.brand != "" {
		if n.Brand = brandHost(b.brand); n.Brand == "" {
			return n, fault.Bad("brand_domain", fault.Unknown, "holds no host")
		}
	}
	return n, checkParams(b.params, strict)
}

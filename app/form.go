package app

import (
	"encoding/json"

	"waypost/compat/onelink"
	"waypost/manage"
)

// linkForm lets our own API describe links in the OneLink API's words without
// knowing the dialect.
type linkForm struct{ strict bool }

func (f linkForm) NewLink(fields map[string]json.RawMessage) (manage.NewLink, error) {
	return onelink.Item(fields, f.strict)
}

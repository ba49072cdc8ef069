package onelink

import (
	"encoding/json"
	"strings"

	"waypost/internal/fault"
)

// readSharingFilter reads which partners are not to be told of the person, from
// this report on: "all", or a list of media sources. Nil: the report does not
// speak of it. An empty list, or "none", lifts what was said before; null and
// the empty text say nothing. What cannot be read is refused: to guess would
// tell somebody.
func readSharingFilter(raw json.RawMessage) ([]string, error) {
	if !given(raw) {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		if one = strings.TrimSpace(one); one == "" {
			return nil, nil
		}
		return sourceNames(strings.Split(one, ",")), nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fault.Bad(fieldSharing, fault.Malformed, `write "all" or a list of media sources, ["a_int","b_int"]`).Because(err)
	}
	return sourceNames(list), nil
}

// sourceNames are the names by which partners of the list may be known: as links
// name them, and without the suffix of integrated ones, as the account may.
func sourceNames(list []string) []string {
	names := make([]string, 0, len(list))
	for _, name := range list {
		name = strings.TrimSpace(name)
		names = append(names, name)
		if bare := bareSource(name); bare != name {
			names = append(names, bare)
		}
	}
	return names
}

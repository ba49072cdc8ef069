package ingest

import (
	"slices"
	"strings"

	"waypost/event"
	"waypost/internal/fault"
)

// maxWithheld bounds the partners that one report names.
const maxWithheld = 128

// withheld is whom a person's report wants not to be told, as an event keeps it:
// nil where it does not say. Too many are refused: to leave some out would tell
// them.
func withheld(said []string) ([]string, error) {
	if said == nil {
		return nil, nil
	}
	if len(said) > maxWithheld {
		return nil, fault.Bad(FieldWithhold, fault.TooLong, "at most %d partners, got %d; name %q for every one", maxWithheld, len(said), event.WithholdAll)
	}
	var names []string
	for _, name := range said {
		name = strings.TrimSpace(name)
		if err := checkText(FieldWithhold, name, maxPartner); err != nil {
			return nil, err
		}
		switch {
		case strings.EqualFold(name, event.WithholdAll):
			return []string{event.WithholdAll}, nil
		case name != "" && !strings.EqualFold(name, event.WithholdNone) && !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	if names == nil {
		return []string{event.WithholdNone}, nil
	}
	return names, nil
}

package smartlinks

import (
	"strings"

	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/link"
)

// guids finds apps by their GUIDs in one state of the directory: also by those
// that follow from an app's key and number, and in any case.
type guids struct {
	directory *link.Directory
	apps      map[string]link.AppID
}

// app returns the app that a message is about.
func (n *Ingest) app(top object) (*link.App, error) {
	guid := top.loose("kochava_app_id")
	if guid == "" {
		return nil, fault.Bad(top.name("kochava_app_id"), fault.Missing, "is required: the app's GUID")
	}
	d := n.Directory()
	known := n.guids.Load()
	if known == nil || known.directory != d {
		known = &guids{d, make(map[string]link.AppID, len(d.Catalog.Apps))}
		for i := range d.Catalog.Apps {
			app := &d.Catalog.Apps[i]
			known.apps[strings.ToLower(GUID(app))] = app.ID
		}
		n.guids.Store(known)
	}
	ref := ingest.AppRef{GUID: guid}
	if id, ok := known.apps[strings.ToLower(guid)]; ok {
		ref = ingest.AppRef{ID: id}
	}
	app, _, err := n.Intake.FindApp(ref)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Bad(top.name("kochava_app_id"), fault.Unknown, "is not the GUID of an app").Because(err)
	}
	return app, err
}

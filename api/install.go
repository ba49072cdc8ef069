package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/pipeline"
)

// Installs tell why installations are credited as they are.
type Installs interface {
	// ExplainInstall tells of one installation; NotFound when it is not known.
	ExplainInstall(ctx context.Context, app link.AppID, install string) (pipeline.Explained, error)
}

type installInput struct {
	Caller
	App     string `path:"app" doc:"The app's number, bundle id, package, store id or GUID."`
	Install string `path:"install" doc:"The installation's own id, as its app tells it."`
}

type installOutput struct {
	Body Install
}

func (s *server) registerInstalls(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "explain-install", Method: http.MethodGet, Path: Prefix + "/installs/{app}/{install}",
		Summary:     "Why an installation is credited as it is, or to nobody",
		Description: "The decision with its winner, contributors, every touch that was rejected with the rule that did it, scores and the algorithm's version; `text` says the same in sentences. Installations of apps that the token is not for are not there.",
	}, answered(s, s.explainInstall))
}

func (s *server) explainInstall(ctx context.Context, in *installInput) (*installOutput, error) {
	actor, err := s.actor(in.Caller)
	if err != nil {
		return nil, err
	}
	e, err := FindInstall(ctx, s.Installs, s.Rules.Apps(actor), InstallRef{App: in.App, Install: in.Install})
	if err != nil {
		return nil, err
	}
	return &installOutput{Body: InstallOf(&e)}, nil
}

// InstallRef names an installation as people do.
type InstallRef struct {
	App     string // number, bundle id, package, store id or GUID; empty: any
	Install string
}

// FindInstall explains the installation of one of the apps: NotFound when none
// of them is called so, or none has it; Conflict when several have.
func FindInstall(ctx context.Context, from Installs, apps []*link.App, ref InstallRef) (e pipeline.Explained, err error) {
	apps = slices.DeleteFunc(slices.Clone(apps), func(app *link.App) bool { return ref.App != "" && !isCalled(app, ref.App) })
	if len(apps) == 0 {
		return e, fault.New(fault.NotFound, "there is no app %q: name it by its number, bundle id, package, store id or GUID", ref.App)
	}
	var owners []string
	var missing error
	for _, app := range apps {
		found, err := from.ExplainInstall(ctx, app.ID, ref.Install)
		switch {
		case fault.Is(err, fault.NotFound):
			missing = err
		case err != nil:
			return e, err
		default:
			e = found
			owners = append(owners, strconv.FormatInt(int64(app.ID), 10))
		}
	}
	switch {
	case len(owners) > 1:
		return e, fault.New(fault.Conflict, "apps %s have an installation %q each: name the app by its number", strings.Join(owners, " and "), ref.Install)
	case len(owners) == 1:
		return e, nil
	case len(apps) == 1:
		return e, missing
	}
	return e, fault.New(fault.NotFound, "none of %d apps has an installation %q: it has not told its first open, or that is not decided yet", len(apps), ref.Install)
}

func isCalled(app *link.App, name string) bool {
	return slices.Contains([]string{strconv.FormatInt(int64(app.ID), 10), app.BundleID, app.Package, app.StoreID, app.GUID}, name)
}

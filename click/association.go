package click

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"waypost/link"
)

// Paths of association files, without their first slash.
const (
	appleFile    = ".well-known/apple-app-site-association"
	appleOldFile = "apple-app-site-association"
	androidFile  = ".well-known/assetlinks.json"
)

// maxAssociation is Apple's limit for its file (128 KB, uncompressed).
const maxAssociation = 128 << 10

func isAssociation(path []byte) bool {
	switch string(path) {
	case appleFile, appleOldFile, androidFile:
		return true
	}
	return false
}

// claims are what dialects whose links own paths of hosts say of those paths.
type claims struct {
	owned    bool     // there are such dialects
	excludes []string // of their paths, those that must not open an app; sorted
}

func claimsOf(dialects []Dialect) (c claims) {
	for _, dialect := range dialects {
		if _, ok := dialect.(Locator); ok {
			c.owned = true
		}
		if excluder, ok := dialect.(Excluder); ok {
			c.excludes = append(c.excludes, excluder.Excludes()...)
		}
	}
	slices.Sort(c.excludes)
	c.excludes = slices.Compact(c.excludes)
	return c
}

// serveAssociation answers with 200 and no redirect: the systems that fetch
// these files follow none.
func serveAssociation(ctx *fasthttp.RequestCtx, site *link.Site, path []byte, c claims) {
	var file any
	if string(path) == androidFile {
		file = androidStatements(site)
	} else {
		file = appleAssociation(site, c)
	}
	body, err := json.Marshal(file)
	if err != nil { // the types below hold strings only
		(&refusal{fasthttp.StatusInternalServerError, "Cannot write the file"}).write(ctx)
		return
	}
	ctx.Response.Header.SetContentType("application/json")
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "public, max-age=300")
	ctx.Response.SetBody(body)
}

type appleFileBody struct {
	AppLinks struct {
		Apps    []string      `json:"apps"` // always empty; iOS 12 and older require it
		Details []appleDetail `json:"details"`
	} `json:"applinks"`
}

// appleDetail holds both forms: appID and paths for iOS 12 and older, appIDs
// and components for newer ones.
type appleDetail struct {
	AppID      string           `json:"appID"`
	Paths      []string         `json:"paths"`
	AppIDs     []string         `json:"appIDs"`
	Components []appleComponent `json:"components"`
}

type appleComponent struct {
	Path    string `json:"/"`
	Exclude bool   `json:"exclude,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// appleAssociation claims for every Apple app of the groups that the host
// serves the host's templates, and for those of the host's own group also the
// paths that links may own there. What is left is the browser's.
func appleAssociation(site *link.Site, c claims) appleFileBody {
	apps := appsOf(site)
	ids := slices.Sorted(maps.Keys(site.Templates))
	crowded := appleSize(ids, apps, c) > maxAssociation
	if crowded {
		ids = nil
	}
	var templates appleList
	templates.exclude("/.well-known/*", "files of this host")
	for _, id := range ids {
		templates.claim("/"+string(id)+"/*", "")
		templates.claim("/"+string(id), "")
	}
	all := templates.clone()
	if c.owned {
		// Templates come first: one may be called as an exclusion begins.
		for _, path := range c.excludes {
			all.exclude(path, "links that stay in the browser")
		}
	}
	switch {
	case crowded:
		templates.claim("*", tooMany)
		all.claim("*", tooMany)
	case c.owned:
		all.claim("*", "links with paths of this host")
	}
	var file appleFileBody
	file.AppLinks.Apps = []string{}
	file.AppLinks.Details = []appleDetail{}
	for _, app := range apps {
		if app.TeamID == "" || app.BundleID == "" {
			continue
		}
		list := templates
		if groupHas(site.Group, app) {
			list = all
		}
		id := app.TeamID + "." + app.BundleID
		file.AppLinks.Details = append(file.AppLinks.Details, appleDetail{
			AppID: id, Paths: list.paths, AppIDs: []string{id}, Components: list.components,
		})
	}
	return file
}

const tooMany = "too many templates to list"

// appleList is a list of paths in both forms. The first that fits counts.
type appleList struct {
	paths      []string
	components []appleComponent
}

func (l *appleList) claim(path, comment string) {
	l.paths = append(l.paths, path)
	l.components = append(l.components, appleComponent{Path: path, Comment: comment})
}

func (l *appleList) exclude(path, comment string) {
	l.paths = append(l.paths, "NOT "+path)
	l.components = append(l.components, appleComponent{Path: path, Exclude: true, Comment: comment})
}

func (l *appleList) clone() appleList {
	return appleList{slices.Clone(l.paths), slices.Clone(l.components)}
}

// appleSize bounds the size of the file that lists the templates for each app:
// the two forms name a template four times, an app and an exclusion twice.
func appleSize(ids []link.TemplateID, apps []*link.App, c claims) int {
	const perTemplate, perExclusion, perApp, perFile = 40, 90, 260, 100 // punctuation and what is always there
	lists := 0
	for _, id := range ids {
		lists += 4*len(id) + perTemplate
	}
	for _, path := range c.excludes {
		lists += 2*len(path) + perExclusion
	}
	size := perFile
	for _, app := range apps {
		size += lists + perApp + 2*(len(app.TeamID)+len(app.BundleID))
	}
	return size
}

type androidStatement struct {
	Relation []string      `json:"relation"`
	Target   androidTarget `json:"target"`
}

type androidTarget struct {
	Namespace    string   `json:"namespace"`
	Package      string   `json:"package_name"`
	Fingerprints []string `json:"sha256_cert_fingerprints"`
}

// androidStatements names every app of the host's groups that has a package
// and fingerprints; Android claims whole hosts, paths are the app's affair.
func androidStatements(site *link.Site) []androidStatement {
	statements := []androidStatement{}
	for _, app := range appsOf(site) {
		if app.Package == "" || len(app.Fingerprints) == 0 {
			continue
		}
		statements = append(statements, androidStatement{
			Relation: []string{"delegate_permission/common.handle_all_urls"},
			Target:   androidTarget{"android_app", app.Package, app.Fingerprints},
		})
	}
	return statements
}

// appsOf lists the apps of the host's group and of its templates' groups, each
// once, in the order of their ids.
func appsOf(site *link.Site) []*link.App {
	var apps []*link.App
	add := func(g *link.Group) {
		if g == nil || g.Archived {
			return // an archived group has let go of its apps
		}
		for _, a := range g.Apps {
			if !slices.Contains(apps, a) {
				apps = append(apps, a)
			}
		}
	}
	add(site.Group)
	for _, t := range site.Templates {
		add(t.Group)
	}
	slices.SortFunc(apps, func(a, b *link.App) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return apps
}

func groupHas(g *link.Group, app *link.App) bool {
	return g != nil && !g.Archived && slices.Contains(g.Apps, app)
}

// Package waypost_test holds the rules about the tree itself.
package waypost_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// imports is the policy: what each package may import of this module outside
// its tests. A package that is not named may not exist. Do not widen a line to
// get a build through; ask first whether the code lives in the right place.
var imports = map[string][]string{
	"internal/fault":       {},
	"internal/uid":         {},
	"internal/device":      {},
	"internal/page":        {},
	"internal/macro":       {"internal/uid"},
	"internal/network":     {},
	"internal/outbound":    {},
	"internal/qr":          {},
	"internal/reply":       {"internal/uid"},
	"link":                 {"internal/device"},
	"event":                {"internal/device", "internal/uid", "link"},
	"report":               {"internal/device", "link"},
	"privacy":              {"link"},
	"route":                {"internal/device", "internal/macro", "internal/page", "internal/uid", "link"},
	"eventlog":             {"internal/fault"},
	"attribution":          {"internal/device", "internal/uid", "link"},
	"pipeline":             {"attribution", "attribution/history", "event", "eventlog", "internal/device", "internal/fault", "internal/uid", "link", "report"},
	"postback":             {"attribution", "attribution/history", "event", "internal/device", "internal/fault", "internal/macro", "internal/outbound", "internal/uid", "link"},
	"manage":               {"internal/fault", "internal/uid", "internal/device", "link", "manage/manifest", "report"},
	"manage/manifest":      {"attribution", "internal/device", "internal/fault", "internal/macro", "internal/outbound", "link"},
	"click":                {"event", "internal/device", "internal/fault", "internal/page", "internal/uid", "link", "privacy", "route"},
	"api":                  {"attribution", "attribution/history", "event", "ingest", "internal/fault", "internal/uid", "link", "manage", "pipeline", "report", "route"},
	"compat/apple":         {"event", "ingest", "internal/device", "internal/fault", "internal/reply", "internal/uid"},
	"compat/onelink":       {"attribution", "attribution/history", "event", "ingest", "internal/fault", "internal/device", "internal/qr", "internal/reply", "internal/uid", "internal/macro", "link", "manage", "privacy", "report", "route"},
	"compat/smartlinks":    {"attribution", "attribution/history", "event", "ingest", "internal/fault", "internal/device", "internal/qr", "internal/reply", "internal/uid", "internal/macro", "link", "manage", "privacy", "report", "route"},
	"compat/singular":      {"attribution", "attribution/history", "event", "ingest", "internal/fault", "internal/device", "internal/qr", "internal/reply", "internal/uid", "internal/macro", "link", "manage", "privacy", "report", "route"},
	"attribution/simulate": {"attribution", "internal/device", "internal/uid", "link"},
	"ingest":               {"attribution", "attribution/history", "event", "internal/device", "internal/fault", "internal/reply", "internal/uid", "link", "privacy"},
	"attribution/history":  {"attribution", "event", "internal/uid", "link", "report"},
	"store/sqlitestore":    {"attribution", "attribution/history", "event", "internal/uid", "internal/device", "internal/fault", "link", "report"},
	"app": {"api", "attribution", "attribution/history", "click", "compat/apple", "compat/onelink", "compat/singular", "compat/smartlinks", "event", "eventlog", "ingest", "internal/fault", "internal/network",
		"link", "manage", "manage/manifest", "pipeline", "postback", "report", "route", "store/sqlitestore"},
	"cmd/waypost": {"api", "app", "attribution", "attribution/simulate", "manage", "manage/manifest", "pipeline", "route"},
	// Suites and fakes, imported by tests alone.
	"compat/compattest":     {"internal/device", "link", "manage", "manage/manifest", "route"},
	"ingest/ingesttest":     {"attribution", "attribution/history", "event", "internal/uid", "link"},
	"eventlog/eventlogtest": {"eventlog", "internal/fault"},
	"store/storetest":       {"attribution", "attribution/history", "event", "internal/device", "internal/fault", "internal/uid", "link", "manage", "pipeline", "report"},
	"manage/memorystore":    {"internal/fault", "link", "manage", "report"},
}

// testOnly packages may be imported by tests and by one another, by nothing else.
var testOnly = []string{"compat/compattest", "ingest/ingesttest", "eventlog/eventlogtest", "store/storetest", "manage/memorystore"}

func TestImportsFollowThePolicy(t *testing.T) {
	t.Parallel()
	found := importsOf(t, ".")
	for pkg, deps := range found {
		allowed, known := imports[pkg]
		if !known {
			t.Errorf("package %s is not in the policy: give it a line there and in ARCHITECTURE.md", pkg)
			continue
		}
		for _, dep := range deps {
			if !slices.Contains(allowed, dep) {
				t.Errorf("%s imports %s, which the policy does not allow", pkg, dep)
			}
			if slices.Contains(testOnly, dep) && !slices.Contains(testOnly, pkg) {
				t.Errorf("%s ships %s, which is for tests", pkg, dep)
			}
		}
	}
	for pkg := range imports {
		if _, exists := found[pkg]; !exists {
			t.Errorf("the policy names %s, which does not exist", pkg)
		}
	}
}

func TestPolicyHasNoCircle(t *testing.T) {
	t.Parallel()
	state := map[string]int{} // 1: on the way, 2: done
	var visit func(string)
	visit = func(pkg string) {
		switch state[pkg] {
		case 1:
			t.Errorf("%s depends on itself", pkg)
		case 0:
			state[pkg] = 1
			for _, dep := range imports[pkg] {
				visit(dep)
			}
			state[pkg] = 2
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		visit(pkg)
	}
}

// importsOf parses the files itself: a test that asks the go command is served
// from the test cache after a forbidden import was added.
func importsOf(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		if _, ok := found[pkg]; !ok {
			found[pkg] = []string{}
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(name, "waypost/"); ok && !slices.Contains(found[pkg], own) {
				found[pkg] = append(found[pkg], own)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

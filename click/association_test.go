package click

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waypost/link"
)

// TestAppleFileStaysBelowItsLimit: the templates are listed while they fit,
// whatever the length of their ids.
func TestAppleFileStaysBelowItsLimit(t *testing.T) {
	t.Parallel()
	f := func(templates, idLength, apps int, listed bool) {
		t.Helper()
		body, err := json.Marshal(appleAssociation(crowded(templates, idLength, apps), claims{}))
		if err != nil {
			t.Fatal(err)
		}
		if len(body) > maxAssociation {
			t.Errorf("%d templates of %d characters, %d apps: %d bytes", templates, idLength, apps, len(body))
		}
		if strings.Contains(string(body), "too many templates") == listed {
			t.Errorf("%d templates of %d characters, %d apps: listed must be %v", templates, idLength, apps, listed)
		}
	}
	f(1, 4, 1, true)
	f(700, 32, 1, true)
	f(2000, 4, 1, true)
	f(936, 32, 1, false)
	f(400, 32, 3, false)
	f(100_000, 8, 2, false)
}

// crowded is a site with many templates of one group.
func crowded(templates, idLength, apps int) *link.Site {
	group := &link.Group{}
	for i := range apps {
		group.Apps = append(group.Apps, &link.App{Key: link.Key(fmt.Sprint(i)), TeamID: "A1B2C3D4E5", BundleID: "com.example." + strings.Repeat("x", 143)})
	}
	site := &link.Site{Group: group, Templates: map[link.TemplateID]*link.TemplateView{}}
	for i := range templates {
		id := link.TemplateID(fmt.Sprintf("%0*d", idLength, i))
		site.Templates[id] = &link.TemplateView{Template: link.Template{ID: id}, Group: group}
	}
	return site
}

func TestAppleFileClaimsTemplatesAlone(t *testing.T) {
	t.Parallel()
	file := appleAssociation(crowded(1, 4, 1), claims{})
	d := file.AppLinks.Details[0]
	if want := []string{"NOT /.well-known/*", "/0000/*", "/0000"}; !slices.Equal(d.Paths, want) {
		t.Errorf("the old form claims %q, want %q", d.Paths, want)
	}
	want := []appleComponent{{Path: "/.well-known/*", Exclude: true, Comment: "files of this host"}, {Path: "/0000/*"}, {Path: "/0000"}}
	if !slices.Equal(d.Components, want) {
		t.Errorf("the new form claims %+v, want %+v", d.Components, want)
	}
}

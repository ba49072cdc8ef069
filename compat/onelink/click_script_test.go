package onelink

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"waypost/compat/compattest"
	"waypost/link"
	"waypost/route"
)

// script is one file of testdata/redirects: what is set up, and what visitors
// with URLs get.
type script struct {
	template struct {
		Web, URIScheme string
		MarketLinks    bool
		OG             link.OpenGraph
	}
	apps []link.App
	link *struct {
		Source link.Source
		Code   string
		Data   json.RawMessage
	}
	allow []string
}

func TestRedirectScripts(t *testing.T) {
	t.Parallel()
	compattest.RunScripts(t, func(from *compattest.Script) compattest.Answers {
		s := &script{allow: from.Words("allow")}
		from.Need("template", &s.template)
		from.Need("apps", &s.apps)
		from.Read("link", &s.link)
		return s.answer
	})
}

// answer renders what a click is answered with, the way the scripts are written.
func (s *script) answer(t *testing.T, c compattest.ScriptClick) string {
	t.Helper()
	rules := s.rules(t, c.Address)
	d := route.Compile(rules).Decide(compattest.Visitor(t, c.Visitor))
	return fmt.Sprintf("%s %s\n", d.Rule, d.Kind) + compattest.Shown(t, d) + compattest.Noted(rules.Notes)
}

func (s *script) rules(t *testing.T, query string) *route.Rules {
	t.Helper()
	view := &link.TemplateView{
		Template: link.Template{ID: "A1b3", WebURL: s.template.Web, URIScheme: s.template.URIScheme, MarketLinks: s.template.MarketLinks, OG: s.template.OG},
		Group:    &link.Group{AppGroup: link.AppGroup{Name: "Acme"}},
		Home:     &link.Domain{BaseURL: "https://myapp.example"},
	}
	for i := range s.apps {
		view.Group.Apps = append(view.Group.Apps, &s.apps[i])
	}
	var l *link.Link
	code := ""
	if s.link != nil {
		code = s.link.Code
		if s.link.Data != nil { // without data the link is gone or expired
			l = &link.Link{Template: "A1b3", Code: code, Source: s.link.Source, Data: s.link.Data, Path: link.TemplatePath("A1b3", code)}
		}
	}
	allow := func(host string) bool { return slices.Contains(s.allow, host) }
	rules, err := Clicks{}.Rules(&route.Clicked{Template: view, Link: l, Code: code, Query: queryParams(t, query), Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func queryParams(t *testing.T, raw string) []link.Param {
	t.Helper()
	var params []link.Param
	for pair := range strings.SplitSeq(strings.TrimPrefix(raw, "?"), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		value, err := url.QueryUnescape(value)
		if err != nil {
			t.Fatal(err)
		}
		params = append(params, link.Param{Name: name, Value: value})
	}
	return params
}

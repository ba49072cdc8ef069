package singular

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waypost/compat/compattest"
	"waypost/internal/fault"
	"waypost/link"
	"waypost/route"
)

// clickScript is one file of testdata/redirects: a link of the app group 4833
// on go.acme.test with the code k6kj, and what visitors with URLs get.
type clickScript struct {
	stored   Stored
	apps     []link.App
	referral string // query of the dynamic short link r_ref0000001; empty: there is none
	allow    []string
}

// clickApps are those of a script that names none.
const clickApps = `[
 {"ID":21,"Account":1,"Key":"ios","Platform":"ios","StoreID":"1","StoreURL":"https://apps.apple.com/app/id1","Scheme":"myapp"},
 {"ID":22,"Account":1,"Key":"android","Platform":"android","Package":"com.x","StoreURL":"https://play.google.com/store/apps/details?id=com.x","Scheme":"myapp"}]`

func TestClickScripts(t *testing.T) {
	t.Parallel()
	compattest.RunScripts(t, func(from *compattest.Script) compattest.Answers {
		s := &clickScript{referral: from.Text("referral"), allow: from.Words("allow")}
		from.Need("link", &s.stored)
		if !from.Read("apps", &s.apps) {
			s.apps = appsOfClicks(t)
		}
		return s.answer
	})
}

// appsOfClicks reads clickApps.
func appsOfClicks(t testing.TB) (apps []link.App) {
	t.Helper()
	if err := json.Unmarshal([]byte(clickApps), &apps); err != nil {
		t.Fatal(err)
	}
	return apps
}

// answer renders what a click is answered with, the way the scripts are written.
func (s *clickScript) answer(t *testing.T, click compattest.ScriptClick) string {
	t.Helper()
	c := s.clicked(t, click.Address)
	if c == nil {
		return "nothing\n"
	}
	rules, err := Clicks{}.Rules(c)
	if fault.Is(err, fault.NotFound) {
		return "not found\n"
	}
	if err != nil {
		t.Fatal(err)
	}
	visitor := compattest.Visitor(t, click.Visitor)
	d := route.Compile(rules).Decide(visitor)
	out := fmt.Sprintf("%s %s", d.Rule, d.Kind)
	if c.Place.View {
		out += " view"
	}
	out += "\n" + compattest.Shown(t, d)
	for _, o := range rules.Offers {
		if o.Platform == visitor.Platform && o.DeepLink != "" {
			out += fmt.Sprintf("deferred %s\n", o.DeepLink)
		}
	}
	return out + compattest.Noted(rules.Notes)
}

// site is what go.acme.test serves.
func (s *clickScript) site() *link.Site {
	return &link.Site{
		Domain: link.Domain{Host: "go.acme.test", Account: 1, BaseURL: "https://go.acme.test", AppGroup: 4833},
		Owner:  &link.Account{ID: 1},
		Group:  &link.Group{AppGroup: link.AppGroup{ID: 4833, Name: "Acme"}},
	}
}

// clicked is what the door hands over for a URL, or nil where it finds nothing.
func (s *clickScript) clicked(t testing.TB, address string) *route.Clicked {
	t.Helper()
	path, query, _ := strings.Cut(address, "?")
	directory, err := link.NewDirectory(link.Catalog{
		Accounts: []link.Account{{ID: 1}, {ID: 2}}, Apps: s.apps, AppGroups: []link.AppGroup{{ID: 11, Account: 1, Name: "Side"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &route.Clicked{
		Directory: directory, Site: s.site(), Query: readQuery(query),
		Allow: func(host string) bool { return slices.Contains(s.allow, host) },
	}
	place, ok := Clicks{}.Locate(&route.Request{Site: c.Site, Path: strings.Trim(path, "/"), Query: query})
	if !ok {
		return nil
	}
	data, err := s.stored.Data()
	if err != nil {
		t.Fatal(err)
	}
	home := link.HostPath("go.acme.test", AppCode(4833)+"/k6kj")
	tracking := &link.Link{ID: 7, Account: 1, Dialect: link.Singular, Code: "k6kj", Path: home, Data: data}
	c.Place = place
	switch {
	case place.Path == home:
		c.Link = tracking
	case s.referral != "" && place.Path == home+"/r_ref0000001":
		data, err := json.Marshal(Referral{Query: s.referral})
		if err != nil {
			t.Fatal(err)
		}
		c.Link, c.Base = &link.Link{ID: 8, Account: 1, Dialect: link.Singular, Path: place.Path, Base: home, Data: data}, tracking
	case place.Base == home:
		c.Link = tracking
	default:
		return nil
	}
	c.Code = c.Link.Code
	return c
}

package click

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/route"
)

func TestExplainReadsWhatPeoplePaste(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.create("promo", `{"pid":"x","af_web_dp":"https://www.acme.test/one"}`)
	f := func(url, state string) {
		t.Helper()
		e, err := s.door.Explain(t.Context(), url)
		if err != nil || e.State != state || (e.Link == l.ID) != (state == "live") || e.URL != url {
			t.Errorf("%s: %+v, %v", url, e, err)
		}
	}
	f("https://acme.localhost/A1b3/promo", "live")
	f("acme.localhost:8080/A1b3/promo/", "live")
	f("HTTP://ACME.localhost/A1b3/promo?x=1", "live")
	f("https://acme.localhost/A1b3/promo#top", "live")
	f("https://acme.localhost/A1b3/promo?x=1#top", "live")
	f("https://acme.localhost/A1b3/nosuch", "gone")
	f("https://acme.localhost/A1b3/not%20an%20id", "gone")
	g := func(url string, kind fault.Kind) {
		t.Helper()
		if _, err := s.door.Explain(t.Context(), url); !fault.Is(err, kind) {
			t.Errorf("%s: %v, want %v", url, err, kind)
		}
	}
	g("", fault.Invalid)
	g("https://", fault.Invalid)
	g("https://acme.localhost/"+strings.Repeat("x", maxURL), fault.Invalid)
	g("https://unknown.test/A1b3", fault.NotFound)
	g("https://acme.localhost/", fault.NotFound)
	g("https://acme.localhost/Rv41", fault.NotFound) // another account's
	if n := len(s.ledger.clicks(t)); n != 0 {
		t.Errorf("explaining left %d events", n)
	}
}

func TestExplainOwnedLinks(t *testing.T) {
	t.Parallel()
	s, _ := newFakeSite(t)
	l := s.own("guid1", fakeData{Web: "https://www.acme.test/one", IOS: "https://apps.apple.com/app/id1", Deep: "p/1"})
	if _, _, err := s.rules.CreateAlias(t.Context(), 5899, manage.NewLink{
		Dialect: link.SmartLinks, Host: "acme.localhost", Prefix: "guid1/", Code: "a", Base: l.Path, Data: []byte(`{}`), Source: link.SourceSDK,
	}); err != nil {
		t.Fatal(err)
	}
	f := func(uri, state, web string, tracker link.Tracker, view bool) {
		t.Helper()
		e, err := s.door.Explain(t.Context(), "https://acme.localhost/"+uri)
		if err != nil || e.State != state || e.Link != l.ID || e.Account != 5899 || e.AppGroup != 4833 || e.Template != "" || e.Dialect != link.SmartLinks || e.View != view {
			t.Errorf("%s: %+v, %v", uri, e, err)
			return
		}
		i := slices.IndexFunc(e.Visitors, func(v route.Explanation) bool { return v.Visitor == "web" })
		if v := e.Visitors[i]; v.Location != web || v.Tracker != tracker {
			t.Errorf("%s: %+v", uri, v)
		}
		if v := e.Visitors[0]; tracker == link.CatchAll && (v.Tracker != 2 || v.DeepLink != "p/1") {
			t.Errorf("%s: %+v", uri, v)
		}
	}
	const one = "https://www.acme.test/one"
	f("guid1", "live", one, link.CatchAll, false)
	f("guid1?to=https://shop.acme.test/", "live", "https://shop.acme.test/", link.CatchAll, false)
	f("guid1/a", "live", one+"?alias=%7B%7D", link.CatchAll, false)
	f("t/3/guid1", "live", one, 3, false)
	f("imp/guid1", "live", one, link.CatchAll, true)
	f(fmt.Sprint("n/", l.ID), "live", one, link.CatchAll, false)
	if err := s.rules.ArchiveLink(t.Context(), s.actor, link.SmartLinks, l.ID); err != nil {
		t.Fatal(err)
	}
	f("guid1", "archived", one, link.CatchAll, false)
	for _, uri := range []string{"guid2", "t/9/guid1", "ask?url=https://acme.localhost/guid1", "robots.txt"} {
		if e, err := s.door.Explain(t.Context(), "https://acme.localhost/"+uri); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %+v, %v", uri, e, err)
		}
	}
	if n := len(s.ledger.clicks(t)); n != 0 {
		t.Errorf("explaining left %d events", n)
	}
}

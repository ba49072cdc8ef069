package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
)

var linkTests = map[string]func(*testing.T, Store){
	"round trip":         testLinkRoundTrip,
	"read":               testReadMissing,
	"taken":              testTaken,
	"equal paths":        testEqualPaths,
	"update":             testUpdateLink,
	"delete":             testDeleteLink,
	"target hosts":       testTargetHosts,
	"ids are not reused": testIDs,
	"bulk":               testBulk,
	"cancelled":          testCancelled,
}

func testLinkRoundTrip(tt *testing.T, s Store) {
	t := f{tt}
	full := link.Link{
		Account: 5899, Dialect: link.SmartLinks, Template: "A1b3", Code: "Ab_c-1", Path: "A1b3/Ab_c-1", Source: link.SourceV1,
		Brand: "brand.test", Data: json.RawMessage("{\"n\": 1.50,  \"t\": \"\\u00e9\u00e9\"}"), // as sent, spaces and escapes too
		TTL: 31 * 24 * time.Hour, Renew: true, ExpiresAt: now.Add(31 * 24 * time.Hour), CreatedAt: now.Add(5 * time.Millisecond),
		UpdatedAt: now.Add(time.Second), TargetHosts: []string{"shop.test"}, ID: 1,
		Base: "//go.test/other", Listing: &link.Listing{
			AppGroup: 21, Partner: 31, Agency: 32, Campaign: 1, CampaignName: "Autumn", Name: "Newsletter <é>", Identity: "21/newsletter", Archived: true,
		},
	}
	if name := zeroField(reflect.ValueOf(full), "Link"); name != "" {
		t.Fatalf("the test leaves %s zero", name)
	}
	full.ID, full.Listing.Campaign = 0, 0
	long, listing := full, *full.Listing
	long.Listing, listing.Archived, listing.Agency = &listing, false, 0
	long.Path, long.Data = "//host.test/any path?", json.RawMessage(`"`+strings.Repeat("x", 1<<20)+`"`)
	plain := link.Link{Account: 1, Path: "A1b3/plain", CreatedAt: now, UpdatedAt: now}
	for _, l := range []*link.Link{&full, &long, &plain} {
		t.create(s, l)
		if l.ID <= 0 {
			t.Fatalf("id %d", l.ID)
		}
		got, err := s.ReadLink(t.Context(), l.Path)
		t.ok(err)
		sameLink(t, got, *l)
		got, err = s.ReadLinkByID(t.Context(), l.ID)
		t.ok(err)
		sameLink(t, got, *l)
	}
}

func testReadMissing(tt *testing.T, s Store) {
	t := f{tt}
	t.create(s, newLink("Code"))
	_, err := s.ReadLink(t.Context(), link.TemplatePath("A1b3", "code")) // paths are case-sensitive
	t.kind(err, fault.NotFound)
	_, err = s.ReadLinkByID(t.Context(), 999)
	t.kind(err, fault.NotFound)
}

func testTaken(tt *testing.T, s Store) {
	t := f{tt}
	expired, live, forever := lasting("expired", time.Hour), lasting("live", time.Hour+time.Millisecond), newLink("forever")
	t.create(s, expired, live, forever)
	at := now.Add(time.Hour) // the first has just expired, the second is about to
	links := []*link.Link{newLink("expired"), newLink("live"), newLink("forever"), newLink("free")}
	for _, l := range links {
		l.Data = json.RawMessage(`"new"`)
	}
	taken, err := s.CreateLinks(t.Context(), links, at)
	t.ok(err)
	t.is(taken, []link.Taken{link.Free, link.PathTaken, link.PathTaken, link.Free}, "taken")
	for i, l := range links {
		got, err := s.ReadLink(t.Context(), l.Path)
		t.ok(err)
		if taken[i] != link.Free {
			t.is(l.ID, 0, "id of a link that was not inserted")
			t.is(string(got.Data), `{"pid":"mail"}`, "data at a taken path")
			continue
		}
		t.is(string(got.Data), `"new"`, "data at a free path")
		t.is(got.ID, l.ID, "id")
	}
	if links[0].ID == expired.ID {
		t.Fatal("the new link has the id of the expired one, and with it its counts")
	}
	_, err = s.ReadLinkByID(t.Context(), expired.ID)
	t.kind(err, fault.NotFound)
}

func testEqualPaths(tt *testing.T, s Store) {
	t := f{tt}
	for _, first := range []*link.Link{newLink("twice"), lasting("past", -time.Hour)} {
		second := newLink(first.Code)
		second.Data = json.RawMessage(`"second"`)
		taken, err := s.CreateLinks(t.Context(), []*link.Link{first, second}, now)
		t.ok(err)
		t.is(taken, []link.Taken{link.Free, link.PathTaken}, "taken")
		got, err := s.ReadLink(t.Context(), first.Path)
		t.ok(err)
		t.is(string(got.Data), string(first.Data), "data")
		t.is(got.ID, first.ID, "id")
	}
}

func testUpdateLink(tt *testing.T, s Store) {
	t := f{tt}
	l := lasting("changed", time.Hour)
	other := newLink("other")
	t.create(s, l, other)
	change := *l
	change.Dialect, change.Source, change.Brand, change.Data = link.Singular, link.SourceUI, "", json.RawMessage(`{"pid":"sms"}`)
	change.TTL, change.Renew, change.ExpiresAt = 0, true, time.Time{}
	change.CreatedAt, change.UpdatedAt = now.Add(time.Minute), now.Add(2*time.Minute)
	want := change
	change.Account, change.Template, change.Code, change.Path = 2, "Zz", "moved", "Zz/moved" // identity: not replaced
	t.ok(s.UpdateLink(t.Context(), &change))
	got, err := s.ReadLink(t.Context(), l.Path)
	t.ok(err)
	sameLink(t, got, want)
	got, err = s.ReadLink(t.Context(), other.Path)
	t.ok(err)
	sameLink(t, got, *other)
	_, err = s.ReadLink(t.Context(), change.Path)
	t.kind(err, fault.NotFound)
	gone := newLink("gone")
	gone.ID = 999
	t.kind(s.UpdateLink(t.Context(), gone), fault.NotFound)
}

func testDeleteLink(tt *testing.T, s Store) {
	t := f{tt}
	l, other := newLink("a"), newLink("b")
	t.create(s, l, other)
	t.ok(s.DeleteLink(t.Context(), l.ID))
	_, err := s.ReadLink(t.Context(), l.Path)
	t.kind(err, fault.NotFound)
	t.kind(s.DeleteLink(t.Context(), l.ID), fault.NotFound)
	_, err = s.ReadLink(t.Context(), other.Path)
	t.ok(err)
}

func testTargetHosts(tt *testing.T, s Store) {
	t := f{tt}
	l := newLink("a")
	l.TargetHosts = []string{"shop.test", "www.shop.test"}
	t.create(s, l)
	refused := newLink("a")
	refused.TargetHosts = []string{"refused.test"}
	_, err := s.CreateLinks(t.Context(), []*link.Link{refused}, now)
	t.ok(err)
	l.TargetHosts = []string{"later.test", "shop.test"}
	t.ok(s.UpdateLink(t.Context(), l))
	gone := newLink("gone")
	gone.ID, gone.TargetHosts = 999, []string{"gone.test"}
	t.kind(s.UpdateLink(t.Context(), gone), fault.NotFound)
	for host, want := range map[string]bool{
		"shop.test": true, "www.shop.test": true, "later.test": true, "refused.test": false, "gone.test": false, "hop.test": false, "": false,
	} {
		got, err := s.KnowsTargetHost(t.Context(), 1, host)
		t.ok(err)
		t.is(got, want, "knows %q", host)
		got, err = s.KnowsTargetHost(t.Context(), 2, host)
		t.ok(err)
		t.is(got, false, "knows %q for another account", host)
	}
}

func testIDs(tt *testing.T, s Store) {
	t := f{tt}
	var last link.LinkID
	for range 3 {
		l := newLink("again")
		t.create(s, l)
		if l.ID <= last {
			t.Fatalf("id %d after %d", l.ID, last)
		}
		last = l.ID
		t.ok(s.DeleteLink(t.Context(), l.ID))
	}
}

func testBulk(tt *testing.T, s Store) {
	t := f{tt}
	const n = 10_000
	t.create(s, newLink("code-7"))
	links := make([]*link.Link, n)
	for i := range links {
		links[i] = newLink(fmt.Sprintf("code-%d", i))
		links[i].TargetHosts = []string{fmt.Sprintf("h%d.test", i%3)}
	}
	taken, err := s.CreateLinks(t.Context(), links, now)
	t.ok(err)
	for i, l := range links {
		t.is(taken[i] == link.PathTaken, i == 7, "taken %d", i)
		if i%999 == 0 {
			got, err := s.ReadLinkByID(t.Context(), l.ID)
			t.ok(err)
			t.is(got.Path, l.Path, "path of %d", i)
		}
	}
	taken, err = s.CreateLinks(t.Context(), nil, now)
	t.ok(err)
	t.is(len(taken), 0, "taken of nothing")
}

func testCancelled(tt *testing.T, s Store) {
	t := f{tt}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := newLink("never")
	_, err := s.CreateLinks(ctx, []*link.Link{l}, now)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("create: got %v", err)
	}
	if _, err := s.ReadLink(ctx, l.Path); !errors.Is(err, context.Canceled) {
		t.Fatalf("read: got %v", err)
	}
	_, err = s.ReadLink(t.Context(), l.Path)
	t.kind(err, fault.NotFound)
	t.is(l.ID, 0, "id")
	t.create(s, l) // the store works on
}

// sameLink compares what stores keep of a link.
func sameLink(t f, got, want link.Link) {
	t.Helper()
	want.TargetHosts = nil // not read back
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("link:\n got %+v\nwant %+v", got, want)
	}
}

package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
	"waypost/manage/memorystore"
)

func TestCreateLink(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	l, url, err := f.CreateLink(t.Context(), f.admin(), wish("promo"))
	if err != nil {
		t.Fatal(err)
	}
	if url != "http://acme.localhost:8080/A1b3/promo" || url != f.LinkURL(&l) {
		t.Errorf("URL %s, LinkURL %s", url, f.LinkURL(&l))
	}
	if l.ID == 0 || l.Account != 5899 || l.Path != "A1b3/promo" || l.Source != link.SourceV2 || !l.Renew || l.TTL != day ||
		!l.ExpiresAt.Equal(start.Add(day)) || !l.CreatedAt.Equal(start) || !l.UpdatedAt.Equal(start) {
		t.Errorf("made %+v", l)
	}
	read, err := f.ReadLink(t.Context(), f.actor("acme-read-token"), "A1b3", "promo")
	if err != nil || read.ID != l.ID || string(read.Data) != `{"pid":"x"}` {
		t.Errorf("read %+v, %v", read, err)
	}
	if len(f.changed) != 1 || f.changed[0] != "A1b3/promo" {
		t.Errorf("announced %v", f.changed)
	}
	_, _, err = f.CreateLink(t.Context(), f.admin(), wish("promo"))
	refused(t, err, fault.Conflict, "id", fault.Taken)
	f.create(wish("Promo")) // codes are case-sensitive
}

func TestCreateLinkForEver(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	n := wish("ever")
	n.TTL = 0
	if l := f.create(n); !l.ExpiresAt.IsZero() {
		t.Errorf("expires at %v", l.ExpiresAt)
	}
	f.pass(200 * 365 * day)
	if _, err := f.ReadLink(t.Context(), f.admin(), "A1b3", "ever"); err != nil {
		t.Error(err)
	}
}

func TestCreateLinkOnBrand(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	n := wish("b")
	n.Brand = "MyBranded.test"
	l, url, err := f.CreateLink(t.Context(), f.admin(), n)
	if err != nil || url != "https://mybranded.test/A1b3/b" || l.Brand != "mybranded.test" {
		t.Errorf("got %q, %q, %v", url, l.Brand, err)
	}
	n.Code, n.Brand = "own", "acme.localhost"
	if l := f.create(n); l.Brand != "" {
		t.Errorf("the template's own domain is kept as brand %q", l.Brand)
	}
}

func TestCreateLinkGivesRandomCodes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	form := regexp.MustCompile(`^[a-z0-9]{8}$`)
	a, b := f.create(wish("")), f.create(wish(""))
	if !form.MatchString(a.Code) || !form.MatchString(b.Code) || a.Code == b.Code {
		t.Errorf("codes %q and %q", a.Code, b.Code)
	}
}

func TestCreateLinkRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*manage.NewLink)
		kind   fault.Kind
		field  string
		reason fault.Reason
	}{
		"template of nobody":   {func(n *manage.NewLink) { n.Template = "none" }, fault.NotFound, "template", fault.Unknown},
		"template of another":  {func(n *manage.NewLink) { n.Template = "Rv41" }, fault.NotFound, "template", fault.NotAllowed},
		"code with a dot":      {func(n *manage.NewLink) { n.Code = "a.b" }, fault.Invalid, "id", fault.Malformed},
		"code with a slash":    {func(n *manage.NewLink) { n.Code = "a/b" }, fault.Invalid, "id", fault.Malformed},
		"code of 51":           {func(n *manage.NewLink) { n.Code = strings.Repeat("a", 51) }, fault.Invalid, "id", fault.TooLong},
		"no data":              {func(n *manage.NewLink) { n.Data = nil }, fault.Invalid, "data", fault.Missing},
		"data that is a list":  {func(n *manage.NewLink) { n.Data = json.RawMessage(`[]`) }, fault.Invalid, "data", fault.Malformed},
		"data that breaks off": {func(n *manage.NewLink) { n.Data = json.RawMessage(`{"a":1`) }, fault.Invalid, "data", fault.Malformed},
		"data without end": {func(n *manage.NewLink) {
			n.Data = json.RawMessage(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`)
		}, fault.Invalid, "data", fault.TooLong},
		"negative time":     {func(n *manage.NewLink) { n.TTL = -time.Second }, fault.Invalid, "ttl", fault.Malformed},
		"no source":         {func(n *manage.NewLink) { n.Source = "" }, fault.Invalid, "source", fault.Unknown},
		"brand of nobody":   {func(n *manage.NewLink) { n.Brand = "nobody.test" }, fault.Invalid, "brand_domain", fault.Unknown},
		"brand of another":  {func(n *manage.NewLink) { n.Brand = "rival.localhost" }, fault.Invalid, "brand_domain", fault.Unknown},
		"brand of a sister": {func(n *manage.NewLink) { n.Brand = "other.test" }, fault.Invalid, "brand_domain", fault.NotAllowed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			n := wish("promo")
			tt.change(&n)
			_, _, err := f.CreateLink(t.Context(), f.admin(), n)
			refused(t, err, tt.kind, tt.field, tt.reason)
			// The bulk form refuses the same item for the same reason, and only that one.
			results, err := f.CreateLinks(t.Context(), f.admin(), []manage.NewLink{n, wish("good")})
			if err != nil {
				t.Fatal(err)
			}
			refused(t, results[0].Err, tt.kind, tt.field, tt.reason)
			if results[1].Err != nil || results[1].URL != "http://acme.localhost:8080/A1b3/good" {
				t.Errorf("the good item: %+v", results[1])
			}
		})
	}
	f := newFixture(t)
	_, _, err := f.CreateLink(t.Context(), f.actor("acme-read-token"), wish("promo"))
	refused(t, err, fault.Forbidden, "", fault.ReadOnly)
}

// crowded is a store in which the first random codes are always taken.
type crowded struct {
	manage.Store
	refuse int // so many calls
	calls  []int
	fail   error // from the second call on
}

func (c *crowded) CreateLinks(ctx context.Context, links []*link.Link, now time.Time) ([]link.Taken, error) {
	c.calls = append(c.calls, len(links))
	if c.fail != nil && len(c.calls) > 1 {
		return nil, c.fail
	}
	if len(c.calls) > c.refuse {
		return c.Store.CreateLinks(ctx, links, now)
	}
	taken := make([]link.Taken, len(links))
	for i, l := range links {
		if l.Code != "fixed" {
			taken[i] = link.PathTaken
			continue
		}
		got, err := c.Store.CreateLinks(ctx, []*link.Link{l}, now)
		if err != nil {
			return nil, err
		}
		taken[i] = got[0]
	}
	return taken, nil
}

func TestCreateLinkRetriesTakenCodes(t *testing.T) {
	t.Parallel()
	var c *crowded
	f := newFixtureOver(t, memorystore.New(), func(s manage.Store) manage.Store {
		c = &crowded{Store: s, refuse: 3}
		return c
	})
	results, err := f.CreateLinks(t.Context(), f.admin(), []manage.NewLink{wish("fixed"), wish("")})
	if err != nil || results[0].Err != nil || results[1].Err != nil {
		t.Fatalf("%+v, %v", results, err)
	}
	if got := results[1].Link.Code; len(got) != 10 || results[1].Link.Path != link.TemplatePath("A1b3", got) {
		t.Errorf("after three crowded tries the code is %q at %s, want ten characters", got, results[1].Link.Path)
	}
	if len(c.calls) != 4 || c.calls[0] != 2 || c.calls[3] != 1 {
		t.Errorf("store calls of %v links, want 2 and then only the one that was taken", c.calls)
	}
}

func TestCreateLinkGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	f := newFixtureOver(t, memorystore.New(), func(s manage.Store) manage.Store { return &crowded{Store: s, refuse: 1000} })
	_, _, err := f.CreateLink(t.Context(), f.admin(), wish(""))
	refused(t, err, fault.Unavailable, "", "")
}

func TestCreateLinksKeepsWhatWasMadeWhenARetryFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk")
	f := newFixtureOver(t, memorystore.New(), func(s manage.Store) manage.Store { return &crowded{Store: s, refuse: 1, fail: broken} })
	results, err := f.CreateLinks(t.Context(), f.admin(), []manage.NewLink{wish("fixed"), wish("")})
	if err != nil || results[0].Err != nil || !errors.Is(results[1].Err, broken) {
		t.Errorf("%+v, %v", results, err)
	}
}

func TestCreateLinksInBulk(t *testing.T) {
	t.Parallel()
	var c *crowded
	f := newFixtureOver(t, memorystore.New(), func(s manage.Store) manage.Store {
		c = &crowded{Store: s}
		return c
	})
	bad := wish("bad")
	bad.TTL = -1
	results, err := f.CreateLinks(t.Context(), f.admin(), []manage.NewLink{wish("one"), bad, wish("one"), wish("")})
	if err != nil {
		t.Fatal(err)
	}
	if results[0].Err != nil || results[0].URL != "http://acme.localhost:8080/A1b3/one" || results[3].Err != nil {
		t.Errorf("good ones: %+v, %+v", results[0], results[3])
	}
	refused(t, results[1].Err, fault.Invalid, "ttl", fault.Malformed)
	refused(t, results[2].Err, fault.Conflict, "id", fault.Taken)
	if len(c.calls) != 1 || c.calls[0] != 3 {
		t.Errorf("store calls of %v links, want one of 3", c.calls)
	}
	if len(f.changed) != 2 {
		t.Errorf("announced %v", f.changed)
	}
	_, err = f.CreateLinks(t.Context(), f.admin(), make([]manage.NewLink, manage.MaxLinks+1))
	refused(t, err, fault.Invalid, "links", fault.TooLong)
	if results, err := f.CreateLinks(t.Context(), f.admin(), nil); err != nil || len(results) != 0 {
		t.Errorf("no links: %v, %v", results, err)
	}
}

func TestExpiredLinkGivesWay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	old := f.create(wish("promo"))
	f.pass(day)
	fresh := f.create(wish("promo"))
	if fresh.ID == old.ID {
		t.Error("the new link took the old one's identity, and with it its counts")
	}
}

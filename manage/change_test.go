package manage_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"waypost/internal/fault"
	"waypost/link"
	"waypost/manage"
)

func change() manage.LinkChange {
	return manage.LinkChange{Data: json.RawMessage(`{"pid":"y"}`), Source: link.SourceV2}
}

func TestChangeLinkReplacesAndStartsItsTimeAnew(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	made := f.create(wish("promo"))
	f.pass(time.Hour)
	l, url, err := f.ChangeLink(t.Context(), f.admin(), "A1b3", "promo", change())
	if err != nil || url != "http://acme.localhost:8080/A1b3/promo" {
		t.Fatalf("%s, %v", url, err)
	}
	if l.ID != made.ID || string(l.Data) != `{"pid":"y"}` || !l.Renew || l.TTL != day ||
		!l.ExpiresAt.Equal(start.Add(time.Hour+day)) || !l.UpdatedAt.Equal(start.Add(time.Hour)) || !l.CreatedAt.Equal(start) {
		t.Errorf("changed to %+v", l)
	}
	c := change()
	ttl, renew, brand := 10*time.Minute, false, "mybranded.test"
	c.TTL, c.Renew, c.Brand = &ttl, &renew, &brand
	_, url, err = f.ChangeLink(t.Context(), f.admin(), "A1b3", "promo", c)
	if err != nil || url != "https://mybranded.test/A1b3/promo" {
		t.Fatalf("%s, %v", url, err)
	}
	read, err := f.ReadLink(t.Context(), f.admin(), "A1b3", "promo")
	if err != nil || read.Renew || read.TTL != ttl || !read.ExpiresAt.Equal(f.now().Add(ttl)) || read.Brand != brand {
		t.Errorf("read %+v, %v", read, err)
	}
	none, ever := "", time.Duration(0)
	c = change()
	c.Brand, c.TTL = &none, &ever
	l, url, err = f.ChangeLink(t.Context(), f.admin(), "A1b3", "promo", c)
	if err != nil || url != "http://acme.localhost:8080/A1b3/promo" || l.Brand != "" || !l.ExpiresAt.IsZero() {
		t.Errorf("%+v, %s, %v", l, url, err)
	}
	if len(f.changed) != 4 {
		t.Errorf("announced %v, want the link four times", f.changed)
	}
}

func TestChangeLinkSource(t *testing.T) {
	t.Parallel()
	tests := []struct{ made, by, want link.Source }{
		{link.SourceV1, link.SourceV2, link.SourceV2},
		{link.SourceV1, link.SourceV1, link.SourceV1},
		{link.SourceV1, "", link.SourceV1},
		{link.SourceV2, link.SourceV1, link.SourceV2},
		{link.SourceV2, link.SourceV2, link.SourceV2},
		{link.SourceUI, link.SourceV2, ""},
		{link.SourceBulk, link.SourceV1, ""},
		{link.SourceSDK, link.SourceV2, ""},
	}
	for _, tt := range tests {
		t.Run(string(tt.made)+" by "+string(tt.by), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			n := wish("promo")
			n.Source = tt.made
			f.create(n)
			c := change()
			c.Source = tt.by
			l, _, err := f.ChangeLink(t.Context(), f.admin(), "A1b3", "promo", c)
			if tt.want != "" {
				if err != nil || l.Source != tt.want {
					t.Errorf("source %q, %v", l.Source, err)
				}
				return
			}
			refused(t, err, fault.Invalid, "", fault.Source)
			refused(t, f.DeleteLink(t.Context(), f.admin(), "A1b3", "promo"), fault.Invalid, "", fault.Source)
			if _, err := f.ReadLink(t.Context(), f.admin(), "A1b3", "promo"); err != nil {
				t.Errorf("reading is allowed: %v", err)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(wish("promo"))
	f.pass(day - time.Millisecond)
	if _, err := f.ReadLink(t.Context(), f.admin(), "A1b3", "promo"); err != nil {
		t.Errorf("in its last millisecond: %v", err)
	}
	f.pass(time.Millisecond)
	_, err := f.ReadLink(t.Context(), f.admin(), "A1b3", "promo")
	refused(t, err, fault.NotFound, "id", fault.Unknown)
	refused(t, f.DeleteLink(t.Context(), f.admin(), "A1b3", "promo"), fault.NotFound, "id", fault.Unknown)

	f.pass(link.ExpiryGrace - time.Millisecond)
	if _, _, err := f.ChangeLink(t.Context(), f.admin(), "A1b3", "promo", change()); err != nil {
		t.Fatalf("at the end of the grace: %v", err)
	}
	if _, err := f.ReadLink(t.Context(), f.admin(), "A1b3", "promo"); err != nil {
		t.Errorf("after its revival: %v", err)
	}
	f.pass(day + link.ExpiryGrace)
	_, _, err = f.ChangeLink(t.Context(), f.admin(), "A1b3", "promo", change())
	refused(t, err, fault.NotFound, "id", fault.Unknown)
}

func TestChangeLinkRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(wish("promo"))
	negative, foreign, sister := -time.Second, "rival.localhost", "other.test"
	tests := []struct {
		name, secret, code string
		change             func(*manage.LinkChange)
		kind               fault.Kind
		field              string
		reason             fault.Reason
	}{
		{"none", "acme-admin-token", "nope", nil, fault.NotFound, "id", fault.Unknown},
		{"odd code", "acme-admin-token", "a/../b", nil, fault.NotFound, "id", fault.Unknown},
		{"read only", "acme-read-token", "promo", nil, fault.Forbidden, "", fault.ReadOnly},
		{"another account", "rival-admin-token", "promo", nil, fault.NotFound, "template", fault.NotAllowed},
		{"no data", "acme-admin-token", "promo", func(c *manage.LinkChange) { c.Data = nil }, fault.Invalid, "data", fault.Missing},
		{"negative time", "acme-admin-token", "promo", func(c *manage.LinkChange) { c.TTL = &negative }, fault.Invalid, "ttl", fault.Malformed},
		{"odd source", "acme-admin-token", "promo", func(c *manage.LinkChange) { c.Source = "v3" }, fault.Invalid, "source", fault.Unknown},
		{"foreign brand", "acme-admin-token", "promo", func(c *manage.LinkChange) { c.Brand = &foreign }, fault.Invalid, "brand_domain", fault.Unknown},
		{"sister's brand", "acme-admin-token", "promo", func(c *manage.LinkChange) { c.Brand = &sister }, fault.Invalid, "brand_domain", fault.NotAllowed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := change()
			if tt.change != nil {
				tt.change(&c)
			}
			_, _, err := f.ChangeLink(t.Context(), f.actor(tt.secret), "A1b3", tt.code, c)
			refused(t, err, tt.kind, tt.field, tt.reason)
			read, err := f.ReadLink(t.Context(), f.admin(), "A1b3", "promo")
			if err != nil || string(read.Data) != `{"pid":"x"}` {
				t.Errorf("the link became %+v, %v", read, err)
			}
		})
	}
}

func TestDeleteLink(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(wish("promo"))
	refused(t, f.DeleteLink(t.Context(), f.actor("acme-read-token"), "A1b3", "promo"), fault.Forbidden, "", fault.ReadOnly)
	refused(t, f.DeleteLink(t.Context(), f.actor("rival-admin-token"), "A1b3", "promo"), fault.NotFound, "template", fault.NotAllowed)
	if err := f.DeleteLink(t.Context(), f.actor("acme-agency-token"), "A1b3", "promo"); err != nil {
		t.Fatal(err)
	}
	refused(t, f.DeleteLink(t.Context(), f.admin(), "A1b3", "promo"), fault.NotFound, "id", fault.Unknown)
	if len(f.changed) != 2 || f.changed[1] != "A1b3/promo" {
		t.Errorf("announced %v", f.changed)
	}
	f.create(wish("promo")) // the code is free again
}

func TestSweepExpired(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const many = 2500 // more than two steps
	asked := make([]manage.NewLink, many)
	for i := range asked {
		asked[i] = wish(fmt.Sprintf("old%d", i))
	}
	if _, err := f.CreateLinks(t.Context(), f.admin(), asked); err != nil {
		t.Fatal(err)
	}
	ever := wish("ever")
	ever.TTL = 0
	f.create(ever)
	f.pass(day + link.ExpiryGrace)
	f.create(wish("young"))
	f.changed = nil
	if n, err := f.SweepExpired(t.Context()); n != 0 || err != nil {
		t.Errorf("at the end of the grace %d links were swept, %v", n, err)
	}
	f.pass(time.Millisecond)
	n, err := f.SweepExpired(t.Context())
	if n != many || err != nil || len(f.changed) != many {
		t.Errorf("swept %d links, announced %d, %v", n, len(f.changed), err)
	}
	for _, code := range []string{"ever", "young"} {
		if _, err := f.ReadLink(t.Context(), f.admin(), "A1b3", code); err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
}
